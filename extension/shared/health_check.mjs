// SPDX-License-Identifier: MPL-2.0

/** One check of a health report as it is shown. */

import { causeWords } from "./cause_words.mjs";
import { copyButton } from "./copy_button.mjs";
import { evidenceList } from "./evidence.mjs";
import { list, milliseconds } from "./formats.mjs";
import { create } from "./page.mjs";
import { statusIcon } from "./status_icon.mjs";
import { inOurWords, text } from "./texts.mjs";

/** @typedef {import("./health_order.mjs").Check} Check */

/**
 * @param {string} heading key of its text
 * @param {string} words
 * @param {...Node} more
 */
function advice(heading, words, ...more) {
  return create("div", { class: "advice" }, create("h5", { "data-text": heading }), create("p", {}, words), ...more);
}

/** @param {Check} check */
function details({ causes = [], evidence = {} }) {
  const parts = [];
  if (causes.length) {
    parts.push(create("p", { class: "causes" }, text("health_causes", list(causes.map(causeWords)))));
  }
  if (Object.keys(evidence).length) {
    parts.push(evidenceList(evidence));
  }
  return parts.length ? [create("details", {}, create("summary", { "data-text": "health_details" }), ...parts)] : [];
}

/**
 * @param {Check} check
 * @returns {HTMLElement}
 */
export function healthCheck(check) {
  const { id, status, title, detail, remedy, adminRemedy, latencyMs } = inOurWords(check);
  return create(
    "li",
    { "class": "health-check", "data-check": id, "data-status": status },
    statusIcon(status),
    create(
      "div",
      { class: "head" },
      create("h4", {}, title),
      create("span", { class: "word" }, text(`health_status_${status}`)),
      ...(latencyMs === undefined ? [] : [create("span", { class: "latency" }, milliseconds(latencyMs))]),
    ),
    create(
      "div",
      { class: "rest" },
      ...(detail ? [create("p", { class: "detail" }, detail)] : []),
      ...(remedy ? [advice("health_remedy", remedy)] : []),
      ...(adminRemedy ? [advice("health_admin", adminRemedy, copyButton(adminRemedy))] : []),
      ...details(check),
    ),
  );
}
