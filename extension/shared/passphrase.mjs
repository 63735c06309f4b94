// SPDX-License-Identifier: MPL-2.0

/** What the program takes for a passphrase. */

const MAX_BYTES = 1_024;

/**
 * @param {string} first
 * @param {string} [again] what was typed the second time, where it was asked for
 * @returns {string|null} the key of what is wrong
 */
export function passphraseFault(first, again = first) {
  if (!first) {
    return "passphraseEmpty";
  }
  if (new TextEncoder().encode(first).length > MAX_BYTES) {
    return "passphraseTooLong";
  }
  return first === again ? null : "passphrasesDiffer";
}
