// SPDX-License-Identifier: MPL-2.0
/** Whether each sentence that the host says to people can be said in another language. */
import { fill, hostTexts } from './extract.mjs';

const known = hostTexts();

const SENTENCES = ['cause', 'remedy', 'adminRemedy', 'title', 'detail'];

/** Problems and error data, checks, and what signOut answers; in other objects the same names mean other things. @param {any} value */
const speaks = (value) => 'retryable' in value || ('status' in value && 'title' in value) || 'logoutUrl' in value;

/** The words of the system, as in strerror(3), and names of files stand where a text of ours may. @param {string} text */
const isForeign = (text) => text.includes('/') || /^([A-Z][a-z]+|I\/O|RPC)( \S+)+$/.test(text);

/** @param {any} arg */
const english = (arg) => (typeof arg === 'string' ? arg : arg.text);

/** @param {any} speaker @param {string} field @returns {string | undefined} */
function faultOf(speaker, field) {
  const sentence = speaker[field];
  if (sentence === undefined || sentence === '') return undefined;
  const told = speaker.texts?.[field];
  if (told === undefined) return sentence.length < 500 ? `no text for ${field}: ${sentence}` : undefined; // it was cut
  const text = known.get(told.id);
  if (text === undefined) return `${told.id} is not in the source, for ${field}: ${sentence}`;
  const strange = told.args.find((/** @type {any} */ arg) => typeof arg === 'object' && !known.has(arg.id) && !isForeign(arg.text));
  if (strange !== undefined) return `the part "${strange.text}" is not in the source, for ${field}: ${sentence}`;
  const filled = fill(text.english, told.args.map(english));
  return filled === sentence ? undefined : `"${filled}" is not ${field}: ${sentence}`;
}

/**
 * @param {any} value a message of the host, or a part of one
 * @returns {string | undefined} what cannot be said in another language
 */
export function untranslatable(value) {
  if (value === null || typeof value !== 'object') return undefined;
  if (speaks(value)) {
    const fault = SENTENCES.map((field) => faultOf(value, field)).find((each) => each !== undefined);
    if (fault !== undefined) return fault;
  }
  return Object.values(value).map(untranslatable).find((fault) => fault !== undefined);
}
