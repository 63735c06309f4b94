// SPDX-License-Identifier: MPL-2.0
/** Brings each language's host.json in line with the source: new texts get an empty translation, and the others' go. */
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { hostTexts } from './extract.mjs';

/** Sorted by the English, so that a change in the source moves nothing. */
const texts = [...hostTexts()].sort(([, one], [, other]) => (one.english < other.english ? -1 : 1));
const LOCALES = new URL('../../extension/_locales/', import.meta.url);

for (const locale of readdirSync(LOCALES).filter((name) => name !== 'en')) {
  const file = new URL(`${locale}/host.json`, LOCALES);
  const before = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const after = Object.fromEntries(texts.map(([id, { english }]) => [id, { english, message: before[id]?.message ?? '' }]));
  writeFileSync(file, `${JSON.stringify(after, null, 2)}\n`);
  const empty = Object.values(after).filter(({ message }) => message === '').length;
  process.stdout.write(`${locale}: ${Object.keys(after).length} texts, ${empty} to translate\n`);
}
