// SPDX-License-Identifier: MPL-2.0

/** Where the value of a setting comes from. */

/**
 * @param {string} source as policy.get has it
 * @returns {boolean} whether an administrator set it, so that nobody else can
 */
export const isLocked = source => source === "admin" || source === "thunderbird";
