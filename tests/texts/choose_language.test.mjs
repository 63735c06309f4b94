// SPDX-License-Identifier: MPL-2.0
/** The language that was chosen last is the one of all texts, however long those of another take to come. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { textId } from './extract.mjs';

const EXTENSION = new URL('../../extension/', import.meta.url);

Object.assign(globalThis, {
  browser: { runtime: { getURL: (/** @type {string} */ path) => path }, i18n: { getUILanguage: () => 'en-US', getMessage: () => '' } },
});
const { chooseLanguage, inOurWords, language, text } = await import('../../extension/shared/texts.mjs');

const sentence = 'Close other programs and try again.';
const problem = { remedy: sentence, texts: { remedy: { id: textId(sentence), args: [] } } };

test('a choice that is made while another one loads wins', async () => {
  /** @type {(() => void)[]} */
  const waiting = [];
  const fetched = (/** @type {string} */ path) => ({ json: () => JSON.parse(readFileSync(new URL(path, EXTENSION), 'utf8')) });
  Object.assign(globalThis, {
    fetch: (/** @type {string} */ path) =>
      path.includes('/de/') ? new Promise((arrive) => waiting.push(() => arrive(fetched(path)))) : Promise.resolve(fetched(path)),
  });
  const choices = [chooseLanguage('de'), chooseLanguage('en')];
  const settled = Promise.all(choices);
  for (let done = false; !done; ) {
    await new Promise(setImmediate);
    waiting.splice(0).forEach((arrive) => arrive());
    done = await Promise.race([settled.then(() => true), new Promise((turn) => setImmediate(turn, false))]);
  }
  assert.deepEqual([language(), text('signIn'), inOurWords(problem).remedy], ['en', 'Sign in', sentence]);
});
