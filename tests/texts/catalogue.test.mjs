// SPDX-License-Identifier: MPL-2.0
/**
 * The host's texts in every language of the add-on: whole, nothing left over, and each argument in its place.
 * Where texts have changed, `node tests/texts/update.mjs` says what is to be translated.
 */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { argumentCount, hostTexts, textId } from './extract.mjs';

const LOCALES = new URL('../../extension/_locales/', import.meta.url);

/** TEXT_ARGUMENTS_MAX of core/text.h. */
const ARGUMENTS_MAX = 5;

const texts = hostTexts();

/** The arguments that a translation names, in order, each once. @param {string} message */
const named = (message) => [...new Set([...message.matchAll(/\$([1-9])/g)].map(([, number]) => Number(number)))].sort();

test('the host formats only what core/text.c knows', () => {
  assert.ok(texts.size > 700, `only ${texts.size} texts were found`);
  for (const { english, where } of texts.values()) {
    assert.ok(argumentCount(english) <= ARGUMENTS_MAX, `${where}: ${english}`);
    assert.doesNotMatch(english, /\$[1-9]/, where);
    assert.doesNotMatch(english, /%-?s%/, `${where}: where two arguments adjoin, a character could lie in both`);
  }
});

test('the ids are those that core/text.c makes', () => {
  assert.equal(textId('a'), 'te40c292c'); // draft-eastlake-fnv, appendix C
  assert.equal(textId('foobar'), 'tbf9cf968');
});

for (const locale of readdirSync(LOCALES).filter((name) => name !== 'en')) {
  test(`every text of the host is there in ${locale}, and no other`, () => {
    /** @type {Record<string, { english: string, message: string }>} */
    const catalogue = JSON.parse(readFileSync(new URL(`${locale}/host.json`, LOCALES), 'utf8'));
    const missing = [...texts].filter(([id]) => catalogue[id] === undefined);
    assert.deepEqual(missing.map(([id, { english, where }]) => `${id} ${where}: ${english}`), [], 'missing');
    assert.deepEqual(Object.keys(catalogue).filter((id) => !texts.has(id)), [], 'unused');
    for (const [id, { english }] of texts) {
      assert.equal(catalogue[id].english, english);
      assert.ok(catalogue[id].message.length > 0, id);
      assert.deepEqual(named(catalogue[id].message), Array.from({ length: argumentCount(english) }, (_, index) => index + 1),
        `the arguments of ${id}: ${english}`);
    }
  });
}
