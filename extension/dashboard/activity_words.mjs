// SPDX-License-Identifier: MPL-2.0

/** What an entry of the audit log says in plain words. */

import { causeWords } from "../shared/cause_words.mjs";
import { text } from "../shared/texts.mjs";

/**
 * @typedef {object} Entry
 * @property {number} seq
 * @property {number} time Unix time
 * @property {string} event
 * @property {string} [account] the hash of an address
 * @property {string} [resource]
 * @property {string} [method]
 * @property {string} [kind]
 * @property {string} [stage]
 * @property {number} [aadsts]
 * @property {string} [what]
 * @property {number} [count]
 * @property {number} [line]
 * @property {string} [by]
 */

/**
 * A word of the log that a later version may have more of.
 * @param {string} group
 * @param {string} word
 */
function words(group, word) {
  return text(`dashboard_${group}_${word.replaceAll("-", "_")}`) || word;
}

/** @param {Entry} entry */
export function eventWords({ event }) {
  return words("event", event);
}

/** What `what` says, by the event. */
const WHAT = /** @type {Record<string, string>} */ ({ "health-checked": "overall", "log-damaged": "damage" });

/** @param {Entry} entry */
export function detailsOf({ event, resource, method, kind, stage, aadsts, what, count, line, by }) {
  return [
    ...(what ? [words(WHAT[event] ?? "what", what)] : []),
    ...(count ? [text("dashboard_count", String(count))] : []),
    ...(line ? [text("dashboard_damage_line", String(line))] : []),
    ...(resource ? [words("resource", resource)] : []),
    ...(method ? [words("way", method)] : []),
    ...(kind ? [causeWords(kind)] : []),
    ...(stage ? [causeWords(stage)] : []),
    ...(aadsts ? [`AADSTS${aadsts}`] : []),
    ...(by ? [words("by", by)] : []),
  ].map(part => part.replace(/\.$/, "")).join(" · ");
}
