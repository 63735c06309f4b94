// SPDX-License-Identifier: MPL-2.0

/**
 * The host's sentences in the add-on's language. The host sends English and, under `texts`, what each sentence was
 * made of (its feature "texts"); a host.json of `_locales` has the translations by id.
 */

/* global browser */

/** @typedef {Record<string, {english: string, message: string}>} HostCatalogue a message has its arguments as $1…$9 */
/** @typedef {string|{id: string, text: string}} Argument the second: a text itself, with its English */
/** @typedef {Record<string, any> & {texts?: Record<string, {id: string, args: Argument[]}>}} Speaker a Problem, a Check, error data */

/** The language in which the host writes. */
const HOSTS_OWN = "en";

/**
 * @param {string} language one of those that the add-on has
 * @returns {Promise<HostCatalogue|null>} null: the host's own
 */
export async function loadHostTexts(language) {
  return language === HOSTS_OWN ? null : (await fetch(browser.runtime.getURL(`_locales/${language}/host.json`))).json();
}

/**
 * @param {Argument} argument
 * @param {HostCatalogue} catalogue
 */
const say = (argument, catalogue) =>
  typeof argument === "string" ? argument : (catalogue[argument.id]?.message ?? argument.text);

/**
 * @template {Speaker|null|undefined} T
 * @param {T} speaker
 * @param {HostCatalogue|null} catalogue
 * @returns {T} a copy with its sentences translated; itself where there is nothing to translate
 */
export function inOtherWords(speaker, catalogue) {
  if (!speaker?.texts || !catalogue) {
    return speaker;
  }
  const sentences = Object.keys(speaker.texts).map(field => [field, hostText(speaker, field, catalogue)]);
  return { ...speaker, ...Object.fromEntries(sentences) };
}

/**
 * A sentence of the host: translated where the catalogue has its text, else as it came. Host and add-on may be of
 * different versions: a text that either of them does not know stays English.
 * @param {Speaker} speaker
 * @param {string} field such as "cause" or "remedy"
 * @param {HostCatalogue|null} catalogue
 * @returns {string|undefined} undefined where the host says nothing
 */
export function hostText(speaker, field, catalogue) {
  const told = speaker.texts?.[field];
  const message = told && catalogue?.[told.id]?.message;
  if (!told || !message) {
    return speaker[field];
  }
  const places = [...message.matchAll(/\$([1-9])/g)].map(([, number]) => Number(number));
  if (Math.max(0, ...places) !== told.args.length) {
    return speaker[field];
  }
  return message.replace(/\$([1-9])/g, (_, number) => say(told.args[number - 1], catalogue));
}
