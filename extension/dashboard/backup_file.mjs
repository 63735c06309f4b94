// SPDX-License-Identifier: MPL-2.0

/** A backup as a file and as the protocol has it. No document in here. */

/** What the connection to the program bears in one message, base64 and all. */
export const FILE_MAX = 750 * 1024;

/**
 * @param {string} data base64
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function bytesOf(data) {
  return Uint8Array.from(atob(data), character => character.charCodeAt(0));
}

/** @param {Uint8Array} bytes */
export function base64Of(bytes) {
  let binary = "";
  for (const byte of bytes) {
    binary += String.fromCharCode(byte);
  }
  return btoa(binary);
}

/**
 * @param {Date} day
 * @returns {string} a name that sorts by time
 */
export function fileName(day) {
  const two = (/** @type {number} */ number) => String(number).padStart(2, "0");
  return `thunderseal-${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}.backup`;
}
