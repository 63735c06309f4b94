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
