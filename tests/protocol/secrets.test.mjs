// SPDX-License-Identifier: MPL-2.0
/** No secret leaves by any way but token.get (DESIGN sections 4 and 6.5). */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { lstat, readFile, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { giveTo, serverIdentity } from '../servers/processes.mjs';
import { assertFree } from './assert_free.mjs';
import { runCommand } from './host.mjs';
import { filesBelow, sha256, stateFolder, World } from './world.mjs';

const world = await World.open();
after(() => world.close());

/** A life with everything in it: sign-ins that succeed and fail, renewals that succeed and fail, a sign-out. */
async function aLife() {
  const home = await world.home();
  const host = await world.host(home, { env: { SSLKEYLOGFILE: join(home, 'keylog') } });
  const { account, token } = await world.signedIn(host);
  /** @type {string[]} */
  const ours = [];
  const { authorizationUrl, signInId } = await host.call('signIn.start', { account: await world.user() });
  const redirect = new URL(await world.redirectOf(authorizationUrl));
  ours.push(redirect.searchParams.get('code') ?? '');
  await host.call('signIn.cancel', { signInId });
  const renewed = await host.call('token.get', { account, rejected: sha256(token) });
  await world.idp.control({ nextToken: { entra: { error: 'invalid_grant', code: 50173, text: `${renewed.accessToken} ${ours[0]}` }, match: { user: account } } });
  await host.refused('token.get', { account, rejected: sha256(renewed.accessToken) });
  await host.send(`not JSON ${renewed.accessToken}`);
  await host.answer(null);
  return { home, host, account, secrets: [...world.idp.issued().map(({ value }) => value), ...ours] };
}

const life = await aLife();

test('frames carry an access token in the answer to token.get only, and no other secret ever', () => {
  const { host, secrets } = life;
  assert.ok(secrets.length >= 8);
  for (const message of host.messages) {
    const { accessToken, ...rest } = message.result ?? {};
    if (accessToken) assert.equal(world.idp.issued().find(({ value }) => value === accessToken)?.kind, 'access_token');
    const shown = JSON.stringify({ ...message, result: rest });
    assertFree(shown, secrets, shown.slice(0, 300));
  }
});

test('nothing is on stderr, in the arguments or the environment of the process', async () => {
  const { host, secrets } = life;
  assert.equal(host.stderr, '');
  for (const name of ['cmdline', 'environ', 'comm']) {
    const bytes = await readFile(`/proc/${host.pid}/${name}`).catch(() => Buffer.alloc(0));
    assertFree(bytes, secrets, name);
  }
});

test('files hold nothing in clear, are private, and lie where the contract says', async () => {
  const { home, secrets, account } = life;
  const files = await filesBelow(home);
  for (const { path, bytes } of files) {
    assertFree(bytes, secrets, path);
    const { mode } = await lstat(path);
    if (path.startsWith(stateFolder(home))) assert.equal(mode & 0o777, 0o600, path);
  }
  const names = files.map(({ path }) => path.slice(home.length + 1).replace(/(identities|locks)\/.*/, '$1')).filter((name) => !name.startsWith('.config/'));
  assert.deepEqual([...new Set(names)].sort(), ['audit.jsonl', 'identities', 'key', 'locks', 'vault.json'].map((name) => `.local/state/thunderseal/${name}`));
  const locks = files.filter(({ path }) => dirname(path) === join(stateFolder(home), 'locks'));
  assert.ok(locks.length > 0 && locks.every(({ bytes, path }) => bytes.length === 0 && /\/[0-9a-f]+\.lock$/.test(path)), 'a lock is an empty file that names nobody');
  for (const folder of ['', 'identities', 'locks']) assert.equal((await lstat(join(stateFolder(home), folder))).mode & 0o777, 0o700);
  assert.ok(files.some(({ bytes, path }) => path.endsWith('.sealed') && bytes.includes(account)), 'addresses are in clear: they answer account.list');
  assert.deepEqual((await readdir(home)).filter((name) => !name.startsWith('.')), [], 'no key log, no core, no temporary file');
});

test('errors of commands carry none either', async () => {
  const { home, account, secrets } = life;
  for (const args of [['accounts', '--json'], ['status'], ['status', '--json'], ['logout', account, '--json'], ['token', account]]) {
    const { stdout, stderr } = await runCommand(args, { home });
    assertFree(stdout + stderr, secrets, args.join(' '));
  }
});

test('the process is not dumpable: its files belong to root, and its own user may neither trace nor read it', async () => {
  const home = await world.home();
  const user = await world.ordinaryUser();
  await giveTo(home, await serverIdentity());
  const host = await world.host(home, user);
  const { uid } = await lstat(`/proc/${host.pid}/environ`);
  assert.equal(uid, 0, 'what is not dumpable belongs to root in /proc');
  const status = await readFile(`/proc/${host.pid}/limits`, 'utf8');
  assert.match(status, /^Max core file size\s+0 /m);
  const options = { uid: user.uid, gid: user.gid, encoding: /** @type {const} */ ('utf8'), cwd: '/' };
  for (const name of ['environ', 'maps', 'mem']) {
    const reader = spawnSync('/bin/cat', [`/proc/${host.pid}/${name}`], options);
    assert.notEqual(reader.status, 0, name);
    assert.equal(reader.stdout, '', name);
  }
  assert.notEqual(spawnSync('/bin/ls', [`/proc/${host.pid}/fd`], options).status, 0);
  process.kill(host.pid, 'SIGABRT');
  assert.equal((await host.exited).signal, 'SIGABRT');
  assert.deepEqual((await readdir(home)).filter((name) => name.startsWith('core')), []);
});
