// SPDX-License-Identifier: MPL-2.0
/** The add-on says the host's sentences in its own language, and never a wrong one. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { hostText } from '../../extension/shared/host_texts.mjs';
import { textId } from './extract.mjs';

/** @type {import('../../extension/shared/host_texts.mjs').HostCatalogue} */
const german = JSON.parse(readFileSync(new URL('../../extension/_locales/de/host.json', import.meta.url), 'utf8'));

const UNKNOWN = textId('A sentence of another version.');

const problem = {
  kind: 'storage',
  cause: '/home/ada/$1 could not be written: permission was denied.',
  remedy: 'Close other programs and try again.',
  texts: {
    cause: {
      id: textId('%s could not be %-s: %-s.'),
      args: ['/home/ada/$1', { id: textId('written'), text: 'written' }, { id: textId('permission was denied'), text: 'permission was denied' }],
    },
    remedy: { id: textId('Close other programs and try again.'), args: [] },
  },
};

test('a sentence and the texts in it are translated, and arguments stay as they are', () => {
  assert.equal(hostText(problem, 'cause', german), '/home/ada/$1 konnte nicht geschrieben werden: die Berechtigung wurde verweigert.');
  assert.equal(hostText(problem, 'remedy', german), 'Schließen Sie andere Programme, und versuchen Sie es wieder.');
});

test('without a catalogue, without texts or for an unknown text the English stays', () => {
  assert.equal(hostText(problem, 'cause', null), problem.cause);
  assert.equal(hostText({ cause: 'So.' }, 'cause', german), 'So.');
  assert.equal(hostText({ cause: 'So.', texts: { cause: { id: UNKNOWN, args: [] } } }, 'cause', german), 'So.');
  assert.equal(hostText(problem, 'adminRemedy', german), undefined);
});

test('an unknown text within a known sentence stays English, the rest does not', () => {
  const [path, done] = problem.texts.cause.args;
  const args = [path, done, { id: UNKNOWN, text: 'it rained' }];
  assert.equal(hostText({ ...problem, texts: { cause: { ...problem.texts.cause, args } } }, 'cause', german),
    '/home/ada/$1 konnte nicht geschrieben werden: it rained.');
});

test('with more or fewer arguments than the translation has places the English stays', () => {
  for (const args of [[], ['a', 'b'], ['a', 'b', 'c', 'd']]) {
    assert.equal(hostText({ ...problem, texts: { cause: { ...problem.texts.cause, args } } }, 'cause', german), problem.cause);
  }
});
