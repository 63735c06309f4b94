// SPDX-License-Identifier: MPL-2.0

/** What a check found, for whoever looks closely: names and values as the program has them. */

import { dateTime } from "./formats.mjs";
import { create } from "./page.mjs";

/** Names of values that are Unix times. */
const TIME = /^(since|expires|.*(At|Until|Since))$/;
/** 2001: no count of anything is as large. */
const EARLIEST_TIME = 1_000_000_000;

/**
 * @param {any} value
 * @returns {boolean} whether it has parts to be shown one below the other
 */
function hasParts(value) {
  return Array.isArray(value) ? value.some(part => part !== null && typeof part === "object") : value !== null && typeof value === "object";
}

/**
 * @param {string} name
 * @param {any} value without parts
 */
export function plainValue(name, value) {
  if (Array.isArray(value)) {
    return value.length ? value.join(", ") : "–";
  }
  if (typeof value === "number" && TIME.test(name) && value > EARLIEST_TIME) {
    return dateTime(value);
  }
  return value === null || value === "" ? "–" : String(value);
}

/**
 * @param {Record<string, any>} evidence
 * @returns {HTMLElement} a list of names and values
 */
export function evidenceList(evidence) {
  const rows = Object.entries(evidence).flatMap(([name, value]) => {
    const shown = hasParts(value) ? evidenceList(Array.isArray(value) ? { ...value } : value) : plainValue(name, value);
    return [create("dt", {}, name), create("dd", {}, shown)];
  });
  return create("dl", { class: "evidence" }, ...rows);
}
