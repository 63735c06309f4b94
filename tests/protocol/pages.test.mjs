// SPDX-License-Identifier: MPL-2.0
/** The manual pages name what the program takes and what its protocol has. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { COMMANDS, OPTIONS } from './help.mjs';

const TOP = resolve(import.meta.dirname, '../..');
const page = await readFile(`${TOP}/packaging/man/thunderseal.1`, 'utf8');
const protocol = await readFile(`${TOP}/packaging/man/thunderseal-protocol.7`, 'utf8');
const schema = JSON.parse(await readFile(`${TOP}/manifest/protocol.schema.json`, 'utf8'));

test('thunderseal(1) has an entry for each command and each option of --help', () => {
  assert.ok(COMMANDS.length >= 15 && OPTIONS.length >= 16, 'the help was understood');
  for (const { command, what } of COMMANDS) {
    assert.match(page, new RegExp(`^\\.(It )?Cm ${command}(?= |$)${what ? `( Op Cm)? ${what}(?= |$)` : ''}`, 'm'), `${command} ${what ?? ''}`);
  }
  for (const { option } of OPTIONS) assert.match(page, new RegExp(`Fl Fl ${option.slice(2)}(?= |$)`, 'm'), option);
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

test('thunderseal-protocol(7) has each parameter of each method that it describes', () => {
  for (const [, name, fields] of protocol.matchAll(/^\.It Cm ([\w.]+) Brq(?: Li (.*))?$/gm)) {
    const params = schema.$defs[`${name}.params`];
    if (!params) continue;
    const required = new Set(params.required ?? []);
    const expected = Object.keys(params.properties ?? {}).map((field) => (required.has(field) ? field : `${field}?`));
    assert.deepEqual((fields ?? '').split(' , ').filter(Boolean).map((field) => field.replace('\\&', '')).sort(), expected.sort(), name);
  }
});
