// SPDX-License-Identifier: MPL-2.0
/** Completions for bash, zsh and fish: all commands, all options, the accounts; and nothing that hangs or asks. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { NAMES, optionsOf, sorted, wordsOf } from './help.mjs';
import { PROGRAM } from './host.mjs';
import { World } from './world.mjs';

const FOLDER = resolve(import.meta.dirname, '../../packaging/completions');
const world = await World.open();
after(() => world.close());

const home = await world.home();
const host = await world.host(home);
for (const name of ['ada@contoso.test', 'alan@contoso.test', 'o\'neil+x@contoso.test']) await host.call('account.add', { account: name });
await host.end();
const path = join(world.folder, 'bin');
await mkdir(path);
await symlink(PROGRAM, join(path, 'thunderseal'));

const script = `
. ${FOLDER}/thunderseal.bash
COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:@'
if [ "$1" = line ]; then COMP_LINE=$2; COMP_POINT=\${#2}; else shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); fi
_thunderseal
[ \${#COMPREPLY[@]} = 0 ] || printf '%s\\n' "\${COMPREPLY[@]}"
`;

/** @param {string[]} args @param {string} [programs] where the program lies */
async function bash(args, programs = path) {
  const { stdout, stderr } = await promisify(execFile)('bash', ['-c', script, 'bash', ...args], { env: { PATH: `${programs}:/usr/bin:/bin`, HOME: home }, cwd: FOLDER });
  assert.equal(stderr, '');
  return stdout.split('\n').slice(0, -1);
}

/** As bash calls it. @param {string} line up to the cursor */
const complete = (line) => bash(['line', line]);

test('bash: each command and each of its options, and no other', async () => {
  assert.ok(NAMES.length >= 15 && optionsOf('setup').length >= 8 && optionsOf().length >= 6, 'the help was understood');
  assert.deepEqual(sorted(await complete('thunderseal ')), NAMES);
  assert.deepEqual(sorted(await complete('thunderseal --')), optionsOf());
  for (const command of NAMES) {
    if (wordsOf(command).length) assert.deepEqual(sorted(await complete(`thunderseal ${command} `)), wordsOf(command), command);
    assert.deepEqual(sorted(await complete(`thunderseal ${command} --`)), sorted([...optionsOf(), ...optionsOf(command)]), command);
  }
  assert.deepEqual(await complete('thunderseal log'), ['login', 'logout']);
  assert.deepEqual(await complete('thunderseal token --x'), ['--xoauth2']);
  assert.deepEqual(await complete('thunderseal renew --x'), []);
  assert.deepEqual(await complete('thunderseal help log'), ['login', 'logout']);
});

test('bash: accounts, also behind the "@" at which bash splits words, and only where one may stand', async () => {
  const all = ['ada@contoso.test', 'alan@contoso.test', 'o\'neil+x@contoso.test'];
  for (const command of ['login', 'logout', 'forget', 'token', 'status', 'status ada@contoso.test', 'token --protocol imap', 'login --as']) {
    assert.deepEqual(await complete(`thunderseal ${command} `), all, command);
  }
  assert.deepEqual(await complete('thunderseal token al'), ['alan@contoso.test']);
  assert.deepEqual(await complete('thunderseal token alan@con'), ['contoso.test']);
  assert.deepEqual(await complete('thunderseal login --as=ad'), ['ada@contoso.test']);
  assert.deepEqual(await complete('thunderseal token ada@contoso.test '), []);
  assert.deepEqual(await complete('thunderseal renew '), []);
  assert.deepEqual(await bash(['words', 'thunderseal', 'token', 'ad']), ['ada@contoso.test'], 'by COMP_WORDS alone');
});

test('bash: values and files', async () => {
  assert.deepEqual(await complete('thunderseal token --protocol '), ['imap', 'pop3', 'smtp', 'graph']);
  assert.deepEqual(await complete('thunderseal status --log=f'), ['file']);
  assert.deepEqual(await complete('thunderseal key move --to se'), ['secret-service']);
  assert.deepEqual(await complete('thunderseal token --scope '), []);
  assert.deepEqual(await complete('thunderseal restore thunderseal.b'), ['thunderseal.bash']);
  assert.deepEqual(await complete('thunderseal policy check thunderseal.f'), ['thunderseal.fish']);
});

test('bash: a program that does not answer is not waited for, and one that is missing says nothing', async () => {
  const silent = join(world.folder, 'silent');
  await mkdir(silent);
  await writeFile(join(silent, 'thunderseal'), '#!/bin/sh\nexec sleep 600\n');
  await chmod(join(silent, 'thunderseal'), 0o755);
  const started = performance.now();
  assert.deepEqual(await bash(['line', 'thunderseal token '], silent), []);
  assert.ok(performance.now() - started < 10_000);
  assert.deepEqual(await bash(['line', 'thunderseal token '], join(world.folder, 'nowhere')), []);
});

/** @param {string} text @param {RegExp} pattern with one group */
const all = (text, pattern) => sorted([...text.matchAll(pattern)].map(([, found]) => found));

test('zsh names each command, what it takes, and each option, and no other', async () => {
  const zsh = await readFile(join(FOLDER, 'thunderseal.zsh'), 'utf8');
  const options = (/** @type {string} */ text) => all(text, /'(?:\*|\(- \*\))?(--[a-z0-9-]+)[=[]/g);
  assert.deepEqual(all(zsh, /^ +'([a-z-]+):/gm), NAMES);
  assert.deepEqual(options(/common=\((.*?)\n {2}\)/s.exec(zsh)?.[1] ?? ''), optionsOf());
  const cases = new Map([...zsh.matchAll(/^ {4}([a-z-]+)\) (.*?) ;;$/gms)].map(([, command, text]) => [command, text]));
  for (const command of NAMES) {
    const text = cases.get(command) ?? '';
    assert.deepEqual(options(text), optionsOf(command), command);
    assert.deepEqual(sorted((/'1:what:\(([a-z ]*)\)'/.exec(text)?.[1] ?? '').split(' ').filter(Boolean)), wordsOf(command), command);
  }
});

test('fish names each command, what it takes, and each option, and no other', async () => {
  const fish = await readFile(join(FOLDER, 'thunderseal.fish'), 'utf8');
  assert.deepEqual(all(fish, / -n "\$none" -a ([a-z-]+) /g), NAMES);
  assert.deepEqual(sorted((/^set -l commands (.*)$/m.exec(fish)?.[1] ?? '').split(' ')), NAMES);
  const options = (/** @type {string} */ condition) => all(fish, new RegExp(`^complete -c thunderseal ${condition}-l ([a-z0-9-]+) `, 'gm')).map((name) => `--${name}`);
  assert.deepEqual(options(''), optionsOf());
  for (const command of NAMES) {
    assert.deepEqual(options(`-n '__fish_seen_subcommand_from ${command}' `), optionsOf(command), command);
    const words = new RegExp(`__fish_seen_subcommand_from ${command}' -a '([a-z ]*)'`).exec(fish)?.[1] ?? '';
    assert.deepEqual(sorted(words.split(' ').filter(Boolean)), wordsOf(command), command);
  }
});
