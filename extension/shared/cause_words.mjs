// SPDX-License-Identifier: MPL-2.0

/** What the program's words for causes, kinds of problems and stages mean. */

import { text } from "./texts.mjs";

/**
 * @param {string} id as a check or the audit log has it; a later version may have more of them
 * @returns {string} for a list: a noun, in the language of the texts
 */
export function causeWords(id) {
  return text(`health_cause_${id.replaceAll("-", "_")}`) || id;
}
