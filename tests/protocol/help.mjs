// SPDX-License-Identifier: MPL-2.0
/** What `thunderseal --help` names, for whatever has to name the same. */
import { execFileSync } from 'node:child_process';
import { PROGRAM } from './host.mjs';

const text = execFileSync(PROGRAM, ['--help'], { encoding: 'utf8' });

/** "login", "key show" …: command and what it takes as first word. @type {{ command: string, what?: string }[]} */
export const COMMANDS = [...text.matchAll(/^ {2}([a-z][a-z-]*)(?: \[?([a-z]+)\]?)?(?= )/gm)].map(([, command, what]) => ({ command, what }));

/** @type {{ option: string, command?: string }[]} by the command above them; of every command: none */
export const OPTIONS = [];
let command;
for (const line of text.split('\n')) {
  [, command] = /^ {2}([a-z][a-z-]*)/.exec(line) ?? (line === '' ? [] : [undefined, command]);
  const named = /^ +(?:[a-z -]+ )?--/.test(line) ? line.match(/--[a-z0-9-]+/g) ?? [] : [];
  for (const option of named) OPTIONS.push({ option, command });
}

/** Of a list of names: each once, in order. @param {Iterable<string>} names */
export const sorted = (names) => [...new Set(names)].sort();

/** "login", "key" … */
export const NAMES = sorted(COMMANDS.map(({ command: name }) => name));

/** What a command takes as first word. @param {string} name */
export const wordsOf = (name) => sorted(COMMANDS.flatMap(({ command: other, what }) => (other === name && what ? [what] : [])));

/** Options that stand below the command, or below none. @param {string} [name] */
export const optionsOf = (name) => sorted(OPTIONS.flatMap(({ option, command: other }) => (other === name ? [option] : [])));
