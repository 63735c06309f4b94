// SPDX-License-Identifier: MPL-2.0

/**
 * The add-on's texts. Thunderbird chooses their language, unless the policy names another one,
 * which the add-on then reads itself: nothing in Thunderbird can be asked for a certain language.
 */

/* global browser */

import { inOtherWords, loadHostTexts } from "./host_texts.mjs";

/** @typedef {Record<string, {message: string}>} Messages a messages.json of `_locales` */

/** Languages that are here whole; any other is shown in the first. */
export const LANGUAGES = ["en", "de"];

/** @type {Messages|null} instead of those that Thunderbird chose */
let chosen = null;
/** @type {string|null} */
let chosenLanguage = null;
/** What the host says is translated here too, whoever chose the language. @type {import("./host_texts.mjs").HostCatalogue|null} */
let hostTexts = null;
let hostLanguage = "";

/**
 * @param {string|undefined} tag a language tag, such as "de-AT"
 * @returns {string} the language that is here and comes nearest
 */
export function nearestLanguage(tag) {
  const primary = (tag ?? "").toLowerCase().split(/[-_]/)[0];
  return LANGUAGES.includes(primary) ? primary : LANGUAGES[0];
}

/** @returns {string} the language of what {@link text} gives */
export function language() {
  return chosenLanguage ?? nearestLanguage(browser.i18n.getUILanguage());
}

/**
 * @param {string} message with $1…$9; a dollar sign is $$
 * @param {string[]} parts
 */
function fill(message, parts) {
  return message.replace(/\$(?:\$|([1-9]))/g, (_, number) => (number ? (parts[number - 1] ?? "") : "$"));
}

/** @param {string|undefined} tag */
async function load(tag) {
  const wanted = tag ? nearestLanguage(tag) : null;
  if (wanted !== chosenLanguage) {
    chosen = wanted ? await (await fetch(browser.runtime.getURL(`_locales/${wanted}/messages.json`))).json() : null;
    chosenLanguage = wanted;
  }
  if (language() !== hostLanguage) {
    hostTexts = await loadHostTexts(language());
    hostLanguage = language();
  }
}

/** Choices come one after the other, so that no texts of an earlier one arrive behind those of the last. */
let choosing = Promise.resolve();

/**
 * @param {string|undefined} tag the policy's language; undefined: Thunderbird's
 * @returns {Promise<void>}
 */
export function chooseLanguage(tag) {
  choosing = choosing.catch(() => {}).then(() => load(tag));
  return choosing;
}

/**
 * What the host says to people, in their language: a copy with other `cause`, `remedy`, `title` and so on.
 * @template {Record<string, any>|null|undefined} T
 * @param {T} speaker a Problem, a Check, the data of an error
 * @returns {T}
 */
export function inOurWords(speaker) {
  return inOtherWords(speaker, hostTexts);
}

/**
 * What went wrong and what to do about it, one after the other.
 * @param {{cause?: string, remedy?: string}} problem
 */
export function sentencesOf(problem) {
  const { cause, remedy } = inOurWords(problem);
  return [cause, remedy].filter(Boolean).join(" ");
}

/**
 * @param {string} key
 * @param {...string} parts
 * @returns {string}
 */
export function text(key, ...parts) {
  const own = chosen?.[key]?.message;
  return own === undefined ? browser.i18n.getMessage(key, parts) : fill(own, parts);
}
