// SPDX-License-Identifier: MPL-2.0
/** The device key in the desktop's keyring (DESIGN section 4), with a real one in each of its moods. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { PROGRAM, runCommand } from './host.mjs';
import { Keyring } from './keyring.mjs';
import { filesBelow, sealedFiles, stateFolder, World } from './world.mjs';

const world = await World.open();
const keyring = await Keyring.open(join(world.folder, 'keyring'));
after(async () => {
  await keyring.close();
  await world.close();
});

/** The host's own bound is 5 s; what comes of a request in less has not waited for the keyring. */
const AT_ONCE_MS = 4000;
/** That bound and what a busy machine adds; a request to the identity provider is given 7.5 s. */
const WAITED_MS = 7000;

const start = { env: keyring.env };

/** @param {string} home */
const record = async (home) => JSON.parse(await readFile(join(stateFolder(home), 'vault.json'), 'utf8'));

/** @param {string} home @param {string[]} args @param {object} [more] */
const run = (home, args, more = {}) => runCommand(args, { home, ...start, ...more });

/** A home with a signed-in account whose key is in the keyring. */
async function signedIn() {
  const home = await world.home();
  const host = await world.host(home, start);
  const { account, token } = await world.signedIn(host);
  await host.end();
  return { home, account, token };
}

const one = await signedIn();

/** A copy: what a test does to it is its own. */
async function copy() {
  const home = await world.home();
  await cp(stateFolder(one.home), stateFolder(home), { recursive: true });
  return home;
}

/** @template T @param {Promise<T>} promise @returns {Promise<{ value: T, milliseconds: number }>} */
async function timed(promise) {
  const started = performance.now();
  const value = await promise;
  return { value, milliseconds: performance.now() - started };
}

/** @param {any} host */
const stateOf = (host) => host.welcome.accounts.find((/** @type {any} */ each) => each.account === one.account);

/** The account becomes ready by itself. @param {any} host */
const comesBack = (host) => host.told('account.changed', (/** @type {any} */ told) => told.account.account === one.account && told.account.state === 'ready');

/** @param {string} home */
async function assertUntouched(home) {
  const names = await sealedFiles(home);
  assert.deepEqual(names.sort(), (await sealedFiles(one.home)).sort(), 'nothing is renamed');
  assert.deepEqual(await record(home), await record(one.home));
  assert.ok(!(await readdir(stateFolder(home))).includes('key'), 'no key is made');
}

/** Locked with a next step, within bounds; then by itself back. @param {string} home @param {RegExp} why @param {() => Promise<unknown>} heal */
async function locksAndComesBack(home, why, heal) {
  const { value: host, milliseconds } = await timed(world.host(home, start));
  assert.ok(milliseconds < AT_ONCE_MS, `hello took ${milliseconds} ms`);
  assert.equal(stateOf(host).state, 'locked');
  const { value: refusal, milliseconds: waited } = await timed(host.refused('token.get', { account: one.account }));
  assert.ok(waited < WAITED_MS, `token.get took ${waited} ms`);
  assert.equal(refusal.kind, 'vault-locked');
  assert.match(refusal.data.cause, why);
  assert.ok(refusal.data.remedy);
  assert.equal(refusal.data.retryable, true);
  await assertUntouched(home);
  const back = comesBack(host);
  await heal();
  await back;
  assert.equal((await host.call('token.get', { account: one.account })).accessToken, one.token);
  await host.end();
  await assertUntouched(home);
}

beforeEach(async () => {
  if (!keyring.daemon) await keyring.start();
});

test('auto chooses a keyring that answers, once, and says so', async () => {
  const { keystore, keyId, reason } = await record(one.home);
  assert.deepEqual([keystore, reason], ['secret-service', 'keyring']);
  assert.match(await keyring.secret(keyId), /^[0-9a-f]{64}$/);
  assert.ok(!(await readdir(stateFolder(one.home))).includes('key'));
  const status = JSON.parse((await run(one.home, ['status', '--json'])).stdout);
  assert.equal(status.keystore.name, 'secret-service');
  assert.match(status.keystore.protection, /keyring/);
  assert.match(status.keystore.reason, /keyring answered/);
  assert.match((await run(one.home, ['status'])).stdout, /key store: secret-service\. .*disk in hand.*answered/);
});

test('an open keyring: the key comes by itself, the secret is nowhere else', async () => {
  const home = await copy();
  const host = await world.host(home, start);
  const { value, milliseconds } = await timed(host.call('token.get', { account: one.account }));
  assert.equal(value.accessToken, one.token);
  assert.ok(milliseconds < AT_ONCE_MS);
  const secret = await keyring.secret((await record(home)).keyId);
  for (const { path, bytes } of await filesBelow(home)) {
    for (const form of [Buffer.from(secret), Buffer.from(secret, 'hex')]) assert.ok(!bytes.includes(form), path);
  }
  assert.equal(host.stderr, '');
  const token = await run(home, ['token', one.account]);
  assert.deepEqual([token.code, token.stdout], [0, `${one.token}\n`]);
  assert.equal((await run(home, ['accounts'])).stdout, `${one.account}  ready\n`, 'a command waits for the key');
  // A keyring that is locked later changes nothing: the key stays in memory.
  await keyring.lock();
  assert.equal((await host.call('token.get', { account: one.account })).accessToken, one.token);
  await host.call('account.add', { account: await world.user() });
  await keyring.unlock();
});

test('a locked keyring', async () => {
  await keyring.lock();
  await locksAndComesBack(await copy(), /locked|not unlocked/, () => keyring.unlock());
});

test('an absent keyring', async () => {
  await keyring.kill();
  await locksAndComesBack(await copy(), /No keyring answers/, () => keyring.start());
});

test('no bus at all: nothing is waited for', async () => {
  const home = await copy();
  const host = await world.host(home);
  assert.equal(stateOf(host).state, 'locked');
  const { value, milliseconds } = await timed(host.refused('token.get', { account: one.account }));
  assert.equal(value.kind, 'vault-locked');
  assert.ok(milliseconds < AT_ONCE_MS);
  const { value: status, milliseconds: took } = await timed(runCommand(['token', one.account], { home }));
  assert.deepEqual([status.code, status.stdout], [75, '']);
  assert.ok(took < AT_ONCE_MS);
  await assertUntouched(home);
});

test('a keyring that holds another key under the id, or none', async () => {
  const home = await copy();
  const { keyId } = await record(home);
  const secret = await keyring.secret(keyId);
  await keyring.replace(keyId, '00'.repeat(32));
  await locksAndComesBack(home, /another key/, () => keyring.replace(keyId, secret));
});

test('a keyring that dies in the middle', async () => {
  const home = await copy();
  keyring.daemon?.kill('SIGSTOP');
  const host = await world.host(home, start);
  const answer = host.refused('token.get', { account: one.account });
  // A request that waits for the key can be cancelled, and its id is in use.
  host.send({ jsonrpc: '2.0', id: 'waits', method: 'token.get', params: { account: one.account } });
  host.send({ jsonrpc: '2.0', id: 'waits', method: 'token.get', params: { account: one.account } });
  assert.equal((await host.answer(null)).error.data.kind, 'invalid-request');
  await host.notify('cancel', { id: 'waits' });
  assert.equal((await host.answer('waits')).error.data.kind, 'cancelled');
  assert.ok((await host.call('account.list')).accounts.length, 'the loop goes on');
  await pause(300);
  const { value, milliseconds } = await timed(keyring.kill().then(() => answer));
  assert.equal(value.kind, 'vault-locked');
  assert.ok(milliseconds < AT_ONCE_MS, `its end was noticed after ${milliseconds} ms`);
  await assertUntouched(home);
  const back = comesBack(host);
  await keyring.start();
  await back;
});

test('a keyring that hangs; meanwhile no secret stands in the arguments or environment of the child', async () => {
  const { keyId } = await record(one.home);
  const secret = await keyring.secret(keyId);
  keyring.daemon?.kill('SIGSTOP');
  const host = await world.host(await copy(), start);
  const [child] = (await readFile(`/proc/${host.pid}/task/${host.pid}/children`, 'utf8')).split(' ').filter(Boolean);
  for (const name of ['cmdline', 'environ']) {
    const text = await readFile(`/proc/${child}/${name}`, 'latin1').catch(() => '');
    assert.ok(!text.includes(secret) && !text.includes(keyId), name);
  }
  const ended = await host.end();
  assert.deepEqual([ended.code, ended.milliseconds < AT_ONCE_MS], [0, true], 'the end of input does not wait for it');
  await locksAndComesBack(await copy(), /did not answer in time|is being asked/, async () => keyring.daemon?.kill('SIGCONT'));
});

test('vault.unlock asks again, and says what came of it', async () => {
  const home = await copy();
  await keyring.kill();
  const host = await world.host(home, start);
  const refusal = await host.refused('vault.unlock');
  assert.deepEqual([refusal.kind, refusal.data.field], ['vault-locked', undefined], 'no passphrase would open it');
  await keyring.start();
  assert.deepEqual(await host.call('vault.unlock'), {});
  assert.equal((await host.call('token.get', { account: one.account })).accessToken, one.token);
  assert.deepEqual(await host.call('vault.unlock'), {});
});

test('auto without a keyring is a file at once; with one that hangs or is locked, within its bound', async () => {
  await keyring.lock();
  const home = await world.home();
  const host = await world.host(home, start);
  const account = await world.user();
  await host.call('signIn.start', { account });
  assert.deepEqual([(await record(home)).keystore, (await record(home)).reason], ['file', 'keyring-locked']);
  await keyring.kill();
  const alone = await world.home();
  const second = await world.host(alone, start);
  await second.call('signIn.start', { account });
  assert.deepEqual([(await record(alone)).keystore, (await record(alone)).reason], ['file', 'no-keyring']);
  assert.match((await run(alone, ['status'])).stdout, /key store: file\. .*No keyring answered/);
  // Later, with a keyring: the choice stands.
  await keyring.start();
  const third = await world.host(alone, start);
  await third.call('signIn.start', { account });
  assert.equal((await record(alone)).keystore, 'file');
});

test('a keyring that is asked for by the configuration is not done without', async () => {
  await keyring.kill();
  const home = await world.home({ keystore: 'secret-service' });
  const host = await world.host(home, start);
  const account = await world.user();
  const refusal = await host.refused('signIn.start', { account });
  assert.equal(refusal.kind, 'vault-locked');
  assert.match(refusal.data.cause, /No keyring answers.* is to be kept in one/);
  assert.match(refusal.data.remedy, /Start your keyring.*"auto"/);
  assert.deepEqual((await filesBelow(stateFolder(home))).map(({ path }) => path), []);
  await keyring.start();
  await host.call('signIn.start', { account });
  assert.deepEqual([(await record(home)).keystore, (await record(home)).reason], ['secret-service', 'configured']);
});

/** @param {string} home @param {string[]} args */
async function key(home, ...args) {
  const { code, stdout, stderr } = await run(home, ['key', ...args, '--json']);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

test('key rotate: a new key in the same keyring, the old one gone; a running host goes on', async () => {
  const home = await copy();
  const host = await world.host(home, start);
  assert.equal((await host.call('token.get', { account: one.account })).accessToken, one.token);
  const before = await key(home, 'show');
  assert.deepEqual([before.name, before.changing], ['secret-service', false]);
  const secret = await keyring.secret(before.keyId);
  const after = await key(home, 'rotate');
  assert.notEqual(after.keyId, before.keyId);
  assert.deepEqual(await record(home), { version: 1, keystore: 'secret-service', keyId: after.keyId, reason: 'keyring' });
  assert.equal(await keyring.secret(before.keyId), '');
  // It fetches the new key for what it writes next.
  assert.equal((await host.call('token.get', { account: one.account })).accessToken, one.token);
  const account = await world.user();
  await host.call('account.add', { account });
  const fresh = await world.host(home, start);
  assert.equal((await fresh.call('token.get', { account: one.account })).accessToken, one.token);
  assert.deepEqual(fresh.toldSoFar('attention'), []);
  assert.ok((await fresh.call('account.list')).accounts.some((/** @type {any} */ each) => each.account === account && each.state === 'signed-out'));
  await keyring.replace(before.keyId, secret); // other tests' copies have the key before
});

test('key move: from the keyring into a file and back; refused where there is no keyring', async () => {
  const home = await copy();
  const { keyId } = await record(home);
  const secret = await keyring.secret(keyId);
  const host = await world.host(home, start);
  const inFile = await key(home, 'move', '--to', 'file');
  assert.equal(inFile.name, 'file');
  assert.match(inFile.reason, /key move/);
  assert.equal(await keyring.secret(keyId), '');
  await keyring.replace(keyId, secret);
  assert.equal((await runCommand(['token', one.account], { home })).stdout, `${one.token}\n`, 'without a bus');
  const refused = await runCommand(['key', 'move', '--to', 'secret-service'], { home });
  assert.equal(refused.code, 75);
  assert.match(refused.stderr, /No keyring answers/);
  assert.deepEqual(await key(home, 'show'), inFile, 'nothing has changed');
  assert.equal((await run(home, ['key', 'move', '--to', 'file'])).code, 64, 'it is there already');
  const back = await key(home, 'move', '--to', 'secret-service');
  assert.equal(back.name, 'secret-service');
  assert.ok(!(await readdir(stateFolder(home))).some((name) => name.startsWith('key')));
  assert.equal((await run(home, ['token', one.account])).stdout, `${one.token}\n`);
  await host.call('account.add', { account: await world.user() });
  assert.ok(!(await sealedFiles(home)).some((name) => name.includes('damaged')));
  for (const args of [['key'], ['key', 'copy'], ['key', 'move'], ['key', 'rotate', '--to', 'file'], ['key', 'move', '--to', 'tpm']]) assert.equal((await run(home, args)).code, 64, args.join(' '));
});

test('a change that is killed at any moment costs nothing, and the next start finishes it', async () => {
  const home = await copy();
  const secret = await keyring.secret((await record(home)).keyId);
  for (let turn = 0; turn < 6; turn += 1) {
    const to = turn % 2 ? ['secret-service'] : ['file'];
    const child = spawn(PROGRAM, ['key', 'move', '--to', ...to], { env: { HOME: home, ...keyring.env }, stdio: 'ignore' });
    await pause(3 + turn * 9);
    child.kill('SIGKILL');
    await once(child, 'close');
    const token = await run(home, ['token', one.account]);
    assert.deepEqual([token.code, token.stdout], [0, `${one.token}\n`], token.stderr);
    assert.equal((await key(home, 'show')).changing, false);
    assert.ok(!(await sealedFiles(home)).some((name) => /damaged|tmp/.test(name)));
  }
  await keyring.replace((await record(one.home)).keyId, secret);
});

test('two hosts that make the vault at once agree on one key', async () => {
  const home = await world.home();
  const hosts = await Promise.all([world.host(home, start), world.host(home, start)]);
  await Promise.all(hosts.map(async (host) => host.call('signIn.start', { account: await world.user() })));
  const { keyId } = await record(home);
  assert.match(await keyring.secret(keyId), /^[0-9a-f]{64}$/);
  const third = await world.host(home, start);
  await third.call('account.add', { account: await world.user() });
  for (const each of [...hosts, third]) await each.end();
  await rm(home, { recursive: true, maxRetries: 10 });
});
