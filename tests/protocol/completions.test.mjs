// SPDX-License-Identifier: MPL-2.0
/** Completions for bash, zsh and fish: all commands, all options, the accounts; and nothing that hangs or asks. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { COMMANDS, OPTIONS } from './help.mjs';
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

test('bash: each command and each of its options', async () => {
  const commands = await complete('thunderseal ');
  assert.ok(COMMANDS.length >= 15 && OPTIONS.length >= 16, 'the help was understood');
  for (const { command, what } of COMMANDS) {
    assert.ok(commands.includes(command), command);
    if (what) assert.ok((await complete(`thunderseal ${command} `)).includes(what), `${command} ${what}`);
  }
  for (const { option, command } of OPTIONS) {
    assert.ok((await complete(`thunderseal ${command ?? ''} --`)).includes(option), `${command ?? ''} ${option}`);
  }
  assert.deepEqual(await complete('thunderseal log'), ['login', 'logout']);
  assert.deepEqual(await complete('thunderseal token --x'), ['--xoauth2']);
  assert.deepEqual(await complete('thunderseal renew --x'), []);
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

test('zsh and fish name each command, what it takes, and each option', async () => {
  const zsh = await readFile(join(FOLDER, 'thunderseal.zsh'), 'utf8');
  const fish = await readFile(join(FOLDER, 'thunderseal.fish'), 'utf8');
  for (const { command, what } of COMMANDS) {
    assert.match(zsh, new RegExp(`^ +'${command}:`, 'm'), command);
    assert.match(fish, new RegExp(` -n "\\$none" -a ${command} `), command);
    if (!what) continue;
    assert.match(zsh, new RegExp(`^ +${command}\\) .*'1:what:\\([a-z ]*\\b${what}\\b`, 'm'), `${command} ${what}`);
    assert.match(fish, new RegExp(`__fish_seen_subcommand_from ${command}' -a '[a-z ]*\\b${what}\\b`), `${command} ${what}`);
  }
  for (const { option, command } of OPTIONS) {
    assert.match(zsh, new RegExp(command ? `^ +${command}\\) (.*\\\\\\n)?.*'\\*?${option}[=\\[]` : `^ +'(\\(- \\*\\))?${option}[=\\[]`, 'm'), `${command ?? ''} ${option}`);
    assert.match(fish, new RegExp(`^complete -c thunderseal ${command ? `-n '__fish_seen_subcommand_from ${command}' ` : ''}-l ${option.slice(2)} `, 'm'), `${command ?? ''} ${option}`);
  }
});
