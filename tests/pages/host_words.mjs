// SPDX-License-Identifier: MPL-2.0

/** What the host says, in the language of a scene: by the catalogue that the add-on has for it. */

import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";

const LOCALES = resolve(import.meta.dirname, "../../extension/_locales");

/** Fields in which the host speaks to people. */
const SENTENCES = new Set(["cause", "remedy", "adminRemedy", "title", "detail"]);

/** Where the host fills in an argument, the first as $1 in the translation: printf(3). */
const PLACE = /%(?:[lz]*[du]|s)/;

/** @param {string} english */
const pattern = english => new RegExp(`^${english.split(PLACE).map(part => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("(.+?)")}$`);

/**
 * @param {string} language
 * @returns {Promise<(message: any) => any>} a copy with the host's sentences translated, as far as the catalogue has them
 */
export async function hostWords(language) {
  if (language === "en") {
    return message => message;
  }
  const catalogue = Object.values(JSON.parse(await readFile(join(LOCALES, language, "host.json"), "utf8")));
  const exact = new Map(catalogue.map(({ english, message }) => [english, message]));
  const patterns = catalogue.filter(({ english }) => PLACE.test(english)).map(({ english, message }) => ({ english, message, found: pattern(english) }));

  const sentence = (/** @type {string} */ said) => {
    const plain = exact.get(said);
    // The text that is longest without its arguments says most.
    const fitting = patterns.filter(({ found }) => found.test(said)).sort((a, b) => b.english.length - a.english.length)[0];
    if (plain || !fitting) {
      return plain ?? said;
    }
    const args = fitting.found.exec(said) ?? [];
    return fitting.message.replace(/\$([1-9])/g, (/** @type {string} */ _, /** @type {string} */ number) => args[Number(number)] ?? "");
  };
  /** @param {any} value @returns {any} */
  const translate = value => {
    if (Array.isArray(value)) {
      return value.map(translate);
    }
    if (!value || typeof value !== "object") {
      return value;
    }
    const said = (/** @type {string} */ field, /** @type {any} */ one) => (SENTENCES.has(field) && typeof one === "string" ? sentence(one) : translate(one));
    return Object.fromEntries(Object.entries(value).map(([field, one]) => [field, said(field, one)]));
  };
  return translate;
}
