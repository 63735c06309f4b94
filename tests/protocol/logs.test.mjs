// SPDX-License-Identifier: MPL-2.0
/** --log=stderr and --log=file: what they tell, what they never tell, and that they disturb nothing (protocol section 4). */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { assertFree } from './assert_free.mjs';
import { PROGRAM, runCommand } from './host.mjs';
import { aLoggedLife, assertTold, ENTRY } from './log_life.mjs';
import { stateFolder, World } from './world.mjs';

const world = await World.open();
after(() => world.close());

/** @param {string} home */
const logOf = (home) => join(stateFolder(home), 'log');

/** @param {string} text @returns {{ time: string, level: string, process: string, entry: string }[]} */
const fileLines = (text) => text.trimEnd().split('\n').map((line) => {
  const found = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (error|warning|info|debug) \[(\d+)\] (.*)$/.exec(line);
  assert.ok(found, line);
  const [, time, level, process, entry] = found;
  return { time, level, process, entry };
});

test('--log=stderr tells a whole life at level debug, and no secret or address in it', async () => {
  const { account, secrets, stderr, requests } = await aLoggedLife(world, await world.home(), ['--log=stderr', '--log-level=debug']);
  const lines = stderr.split('\n').filter((line) => /^thunderseal: (error|warning|info|debug): /.test(line));
  assert.ok(secrets.length > 10);
  assertFree(stderr, secrets, 'stderr');
  assertFree(lines.join('\n'), [account, 'contoso'], 'the log');
  assertTold(requests, lines.map((line) => line.replace(/^thunderseal: \w+: /, '')));
});

test('--log=file tells the same in one private file, and stderr stays as it was', async () => {
  const home = await world.home();
  const { account, secrets, stderr, requests } = await aLoggedLife(world, home, ['--log=file', '--log-level=debug']);
  const text = await readFile(logOf(home), 'utf8');
  assertFree(text, [...secrets, account, 'contoso'], 'the log');
  assertFree(stderr, secrets, 'stderr');
  assert.doesNotMatch(stderr, /request_id/);
  assertTold(requests, fileLines(text).map(({ entry }) => entry));
  assert.equal((await stat(logOf(home))).mode & 0o777, 0o600);
  assert.deepEqual((await readdir(stateFolder(home))).filter((name) => name.startsWith('log')), ['log']);
});

test('an account is called by the hash that the audit log has for it', async () => {
  const home = await world.home();
  const host = await world.host(home);
  const { account } = await world.signedIn(host);
  await host.end();
  const { stderr } = await runCommand(['token', account, '--log-level=debug'], { home });
  assert.match(stderr, /debug: timer account=\w+ seconds=\d+$/m);
  const [, hash] = /token-handed-over account=([0-9a-f]{32}) resource=outlook/.exec(stderr) ?? [];
  const audit = (await readFile(join(stateFolder(home), 'audit.jsonl'), 'utf8')).trim().split('\n').map((line) => JSON.parse(line));
  assert.equal(audit.find(({ event }) => event === 'signed-in').account, hash);
});

test('a level leaves out what is below it; --log-level alone logs to stderr; without either nothing is logged', async () => {
  const home = await world.home();
  const told = async (/** @type {string[]} */ ...options) => (await runCommand(['accounts', ...options], { home })).stderr;
  assert.match(await told('--log=stderr'), /^thunderseal: info: started by=command\nthunderseal: info: ended\n$/);
  assert.match(await told('--log-level=debug'), /^thunderseal: debug: request rpc_method=hello$/m);
  assert.equal(await told('--log=stderr', '--log-level=warning'), '');
  assert.equal(await told(), '');
  assert.deepEqual(await readdir(home), ['.config']);
});

test('every command takes the options, and another value than those is 64', async () => {
  const home = await world.home();
  for (const command of ['consent-url', 'status', 'renew', 'audit']) {
    assert.match((await runCommand([command, '--log=stderr', '--log-level', 'info'], { home })).stderr, /^thunderseal: info: ended$/m, command);
  }
  for (const bad of ['--log=syslog', '--log=', '--log-level=loud', '--log-level=']) {
    const { code, stderr } = await runCommand(['accounts', bad], { home });
    assert.equal(code, 64, bad);
    assert.match(stderr, /^thunderseal: --log(-level)? takes .+\n$/);
  }
});

test('an exit status that is not 0 is told', async () => {
  const { stderr } = await runCommand(['token', 'nobody@contoso.test', '--log=stderr'], { home: await world.home() });
  assert.match(stderr, /^thunderseal: info: ended exit_status=64$/m);
});

test('lines of several processes do not mix', async () => {
  const home = await world.home();
  await Promise.all(Array.from({ length: 8 }, () => runCommand(['accounts', '--log=file', '--log-level=debug'], { home })));
  const lines = fileLines(await readFile(logOf(home), 'utf8'));
  for (const { entry } of lines) assert.match(entry, ENTRY);
  assert.equal(new Set(lines.map(({ process }) => process)).size, 8);
  assert.equal(lines.filter(({ entry }) => entry === 'ended').length, 8);
});

test('the file is cut at 1 MiB: the newest lines stay, whole, and there is no second file', async () => {
  const home = await world.home();
  await runCommand(['accounts', '--log=file'], { home });
  const line = (/** @type {number} */ number) => `2026-01-01T00:00:00.000Z info [1] timer seconds=${number}\n`;
  await writeFile(logOf(home), Array.from({ length: 24_000 }, (_, number) => line(number)).join(''), { mode: 0o600 });
  assert.ok((await stat(logOf(home))).size > 1024 * 1024);
  await runCommand(['accounts', '--log=file'], { home });
  const text = await readFile(logOf(home), 'utf8');
  const lines = fileLines(text);
  assert.ok(text.length <= 512 * 1024 + 1024 && text.length > 500 * 1024, `${text.length} bytes`);
  assert.deepEqual(lines.slice(-3).map(({ entry }) => entry), ['timer seconds=23999', 'started by=command', 'ended']);
  assert.deepEqual((await readdir(stateFolder(home))).filter((name) => name.startsWith('log')), ['log']);
});

test('a log that cannot be written disturbs nothing', async () => {
  const home = await world.home();
  const host = await world.host(home);
  const { account, token } = await world.signedIn(host);
  await host.end();
  const elsewhere = join(home, 'elsewhere');
  /** @type {Record<string, () => unknown>} */
  const obstacles = {
    'a folder': () => mkdir(logOf(home)),
    'a symbolic link': async () => { await writeFile(elsewhere, ''); await symlink(elsewhere, logOf(home)); },
    'a pipe that nobody reads': () => execFileSync('mkfifo', [logOf(home)]),
  };
  for (const [what, make] of Object.entries(obstacles)) {
    await make();
    assert.deepEqual(await runCommand(['token', account, '--log=file', '--log-level=debug'], { home }), { code: 0, stdout: `${token}\n`, stderr: '' }, what);
    await rm(logOf(home), { recursive: true });
  }
  assert.equal(await readFile(elsewhere, 'utf8'), '', 'a link is not followed');
  for (const how of ['2>/dev/full', '2>&-']) {
    const { code, stdout } = await runCommand(['-c', `exec "$0" "$@" ${how}`, PROGRAM, 'token', account, '--log=stderr', '--log-level=debug'], { home, program: '/bin/sh' });
    assert.deepEqual([code, stdout], [0, `${token}\n`], how);
  }
});

test('a file that others may read is closed to them', async () => {
  const home = await world.home();
  await mkdir(stateFolder(home), { recursive: true, mode: 0o700 });
  await writeFile(logOf(home), '', { mode: 0o644 });
  await runCommand(['accounts', '--log=file'], { home });
  assert.equal((await stat(logOf(home))).mode & 0o777, 0o600);
  assert.match(await readFile(logOf(home), 'utf8'), /ended\n$/);
});
