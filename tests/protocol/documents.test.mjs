// SPDX-License-Identifier: MPL-2.0
/** Every command line that the documents show is one that the program takes. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { NAMES, optionsOf, wordsOf } from './help.mjs';

const TOP = resolve(import.meta.dirname, '../..');
const below = async (/** @type {string} */ folder) => (await readdir(join(TOP, folder))).map((name) => join(folder, name));
const PROSE = ['README.md', 'packaging/ADMIN.md', 'packaging/SECURITY.md', 'packaging/COMPLIANCE.md', 'packaging/policies/README.md', 'packaging/journal/README.md'];
const OTHERS = [...await below('packaging/man'), ...await below('packaging/recipes'), 'packaging/systemd/thunderseal-renew.service'];

/** What follows "thunderseal" where it is the program of a command line. @param {string} text @returns {string[]} */
const commandsIn = (text) => [...text.matchAll(/(?:^|^sudo |"|@bindir@\/)thunderseal ([a-z-][^"|;&]*)/g)].map(([, line]) => line.replace(/ {2,}#.*| # .*|\)$/, ''));

/** Of Markdown: indented lines, and what stands between backquotes, also across a line's end. @param {string} text */
function shownIn(text) {
  const code = text.split('\n').filter((line) => line.startsWith('    '));
  const rest = text.split('\n').filter((line) => !line.startsWith('    ')).join('\n');
  const spans = [...rest.matchAll(/`([^`]+)`/g)].map(([, span]) => span.replace(/\s+/g, ' '));
  return [...code.map((line) => line.trim()), ...spans].flatMap(commandsIn);
}

/** What is wrong with it, or nothing. @param {string} line */
function fault(line) {
  const words = line.trim().split(/ +/);
  const options = words.filter((word) => word.startsWith('--'));
  const [name, what] = words.filter((word) => !word.startsWith('-'));
  if (!name) return options.every((option) => optionsOf().includes(option)) ? undefined : 'an option is not known';
  if (!NAMES.includes(name)) return 'the command is not known';
  const unknown = options.map((option) => option.split('=')[0]).find((option) => ![...optionsOf(), ...optionsOf(name)].includes(option));
  if (unknown) return `${unknown} is not known`;
  return what && wordsOf(name).length && !wordsOf(name).includes(what) ? `${what} is not known` : undefined;
}

let found = 0;
for (const file of [...PROSE, ...OTHERS]) {
  test(`${file} shows commands that there are`, async () => {
    const text = await readFile(join(TOP, file), 'utf8');
    const lines = PROSE.includes(file) ? shownIn(text) : text.split('\n').flatMap((line) => commandsIn(line.replace(/^\.\w+ /, '')));
    found += lines.length;
    assert.deepEqual(lines.filter(fault).map((line) => `thunderseal ${line}: ${fault(line)}`), []);
  });
}

test('packaging/journal/README.md has each event of the log, but those of level debug, at its level', async () => {
  const events = [...(await readFile(join(TOP, 'host/core/log_entry.h'), 'utf8')).matchAll(/X\(LOG_\w+, "([a-z-]+)", LEVEL_(ERROR|WARNING|INFO)\)/g)];
  const readme = await readFile(join(TOP, 'packaging/journal/README.md'), 'utf8');
  const rows = Object.fromEntries([...readme.matchAll(/^\| (error|warning|info) \| (.*) \|$/gm)].map(([, level, names]) => [level, names.replaceAll('`', '').split(', ').sort()]));
  assert.deepEqual(rows, Object.fromEntries(['error', 'warning', 'info'].map((level) => [level, events.filter(([, , of]) => of.toLowerCase() === level).map(([, name]) => name).sort()])));
});

test('the documents were understood', () => assert.ok(found > 50, `${found} commands`));
