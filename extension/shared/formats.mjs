// SPDX-License-Identifier: MPL-2.0

/** Times and numbers as the user writes them: in the language of the texts, by Thunderbird's region where that fits. */

/* global browser */

import { language } from "./texts.mjs";

/** @returns {string} a language tag for Intl */
export function locale() {
  const own = browser.i18n.getUILanguage();
  return own.toLowerCase().split("-")[0] === language() ? own : language();
}

/** @param {number} seconds Unix time */
export function dateTime(seconds) {
  return new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "short" }).format(seconds * 1000);
}

/** @param {number} seconds Unix time */
export function timeOfDay(seconds) {
  return new Intl.DateTimeFormat(locale(), { timeStyle: "medium" }).format(seconds * 1000);
}

/** @param {number} count */
export function milliseconds(count) {
  return new Intl.NumberFormat(locale(), { style: "unit", unit: "millisecond" }).format(count);
}

/** @param {string[]} parts */
export function list(parts) {
  return new Intl.ListFormat(locale(), { type: "conjunction" }).format(parts);
}

/** Units with their length and the shortest distance that is told in them, in seconds; longest first. */
const UNITS = /** @type {[Intl.RelativeTimeFormatUnit, number, number][]} */ ([
  ["year", 365.25 * 86_400, 2 * 365.25 * 86_400],
  ["month", 365.25 / 12 * 86_400, 120 * 86_400],
  ["day", 86_400, 86_400],
  ["hour", 3_600, 3_600],
  ["minute", 60, 60],
  ["second", 1, 0],
]);

/**
 * "in 3 hours", "5 minutes ago".
 * @param {number} seconds Unix time
 * @param {number} now Unix time
 */
export function fromNow(seconds, now) {
  const distance = seconds - now;
  const [unit, length] = UNITS.find(([, , least]) => Math.abs(distance) >= least) ?? UNITS[UNITS.length - 1];
  return new Intl.RelativeTimeFormat(locale(), { numeric: "auto" }).format(Math.round(distance / length), unit);
}
