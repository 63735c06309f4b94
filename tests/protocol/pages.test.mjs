// SPDX-License-Identifier: MPL-2.0
/** The manual pages name what the program takes and what its protocol has. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { after, test } from 'node:test';
import { NAMES, optionsOf, sorted, wordsOf } from './help.mjs';
import { World } from './world.mjs';

const TOP = resolve(import.meta.dirname, '../..');
const page = await readFile(`${TOP}/packaging/man/thunderseal.1`, 'utf8');
const protocol = await readFile(`${TOP}/packaging/man/thunderseal-protocol.7`, 'utf8');
const schema = JSON.parse(await readFile(`${TOP}/manifest/protocol.schema.json`, 'utf8'));

/** The lists of thunderseal(1): what stands as an entry, by the command above it; options of every command below ''. */
function entries() {
  /** @type {Map<string, { words: string[], options: string[] }>} */
  const found = new Map();
  let command = '';
  const [text] = page.split('\n.Sh LOGGING');
  for (const [, heading, name, second, option, inside] of text.replaceAll('.It Xo\n.Cm', '.It Cm').matchAll(
    /^(\.Ss .*)$|^\.It Cm ([a-z-]+)(?: (?:Op Cm )?([a-z]+)(?= |$))?|^\.It Fl Fl ([a-z0-9-]+)|(?:Op|Oo) Fl Fl ([a-z0-9-]+)/gm)) {
    if (heading) command = '';
    if (name) command = name;
    if (!found.has(command)) found.set(command, { words: [], options: [] });
    const entry = found.get(command);
    if (name && second) entry?.words.push(second);
    if (option ?? inside) entry?.options.push(`--${option ?? inside}`);
  }
  return found;
}

test('thunderseal(1) has an entry for each command and each option of --help, and no other', () => {
  assert.ok(NAMES.length >= 15 && optionsOf('setup').length >= 8 && optionsOf().length >= 6, 'the help was understood');
  const found = entries();
  assert.deepEqual(sorted([...found.keys()].filter(Boolean)), NAMES);
  for (const command of ['', ...NAMES]) {
    const { words = [], options = [] } = found.get(command) ?? {};
    assert.deepEqual(sorted(words), wordsOf(command), command);
    assert.deepEqual(sorted(options), optionsOf(command || undefined), command);
  }
});

test('thunderseal(1) shows lines of the recipes as they are', async () => {
  const names = ['mbsyncrc', 'msmtprc', 'muttrc', 'gitconfig'];
  const recipes = await Promise.all(names.map((name) => readFile(`${TOP}/packaging/recipes/${name}`, 'utf8')));
  const lines = recipes.flatMap((text) => text.split('\n')).map((line) => line.trim());
  const [, section] = page.split('.Sh OTHER PROGRAMS');
  const shown = [...section.split('.Sh ')[0].matchAll(/^\.Bd -literal.*\n([^]*?)^\.Ed$/gm)].flatMap(([, text]) => text.trim().split('\n'));
  assert.ok(shown.length > 15);
  for (const line of shown) assert.ok(lines.includes(line.trim()), line);
});

test('thunderseal(1) has every exit status that errors have', () => {
  for (const status of [0, 1, 64, 65, 69, 70, 74, 75, 77, 78, 130]) assert.match(page, new RegExp(`^\\.It ${status}$`, 'm'), String(status));
});

test('thunderseal-protocol(7) has each method, notification and kind of error of the schema', () => {
  const names = Object.keys(schema.$defs).filter((name) => /\.(params|notification)$/.test(name)).map((name) => name.replace(/\.\w+$/, ''));
  assert.ok(names.length > 20);
  for (const name of names) assert.match(protocol, new RegExp(`^\\.(It )?Cm (.* , )?${name.replace('.', '\\.')}(?= |$)`, 'm'), name);
  for (const kind of schema.$defs.kind.enum) assert.match(protocol, new RegExp(`^\\.It -?\\d+ Ta ${kind} Ta `, 'm'), kind);
  for (const state of schema.$defs.state.enum) assert.match(protocol, new RegExp(`^\\.Li (.* , )?${state}(?= |$)`, 'm'), state);
});

test('thunderseal-protocol(7) has each feature that hello lists', async () => {
  const world = await World.open();
  after(() => world.close());
  const { features } = (await world.host()).welcome;
  const [, section] = protocol.split('.Sh EVOLUTION');
  const named = [...section.split('.Sh ')[0].matchAll(/^\.Cm ([a-z.]+)/gm)].map(([, name]) => name);
  assert.ok(features.length > 0);
  assert.deepEqual(features.filter((/** @type {string} */ name) => !named.includes(name)), []);
});

test('thunderseal-protocol(7) has each parameter of each method that it describes', () => {
  for (const [, name, fields] of protocol.matchAll(/^\.It Cm ([\w.]+) Brq(?: Li (.*))?$/gm)) {
    const params = schema.$defs[`${name}.params`];
    if (!params) continue;
    const required = new Set(params.required ?? []);
    const expected = Object.keys(params.properties ?? {}).map((field) => (required.has(field) ? field : `${field}?`));
    assert.deepEqual((fields ?? '').split(' , ').filter(Boolean).map((field) => field.replace('\\&', '')).sort(), expected.sort(), name);
  }
});
