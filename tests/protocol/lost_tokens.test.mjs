// SPDX-License-Identifier: MPL-2.0
/**
 * What could cost a refresh token: a key that is away, a late answer, an end in the middle of a renewal
 * (DESIGN sections 3.3, 3.7, 4 and 6.1). The provider takes every refresh token once only.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { frame, runCommand, soon } from './host.mjs';
import { filesBelow, sealedFiles, sha256, stateFolder, World } from './world.mjs';

const world = await World.open({ strictRotation: true });
after(() => world.close());

/** @typedef {import('./host.mjs').Host} Host */

/** @param {string} account @param {string} [token] that a server has refused */
const renewal = (account, token) => ({ account, ...(token ? { rejected: sha256(token) } : {}) });

/** Asks for a renewal whose answer takes its time; it is on the wire now. @param {Host} host @param {{ account: string, token: string }} signed @param {number} delayMs */
async function slowRenewal(host, { account, token }, delayMs) {
  await world.idp.control({ nextToken: { delayMs, match: { user: account, grant_type: 'refresh_token' } } });
  host.send({ jsonrpc: '2.0', id: account, method: 'token.get', params: renewal(account, token) });
  await world.idp.waitForRequest({ endpoint: 'token', grant_type: 'refresh_token', user: account });
}

/** A home with an account that is signed in, and no host. */
async function signedInHome() {
  const host = await world.host();
  const signed = await world.signedIn(host);
  await host.end();
  return { home: host.home, ...signed };
}

/** The file of the device key, away and back. @param {string} home */
function deviceKey(home) {
  const file = join(stateFolder(home), 'key');
  return { takeAway: () => rename(file, `${file}.away`), putBack: () => rename(`${file}.away`, file) };
}

/** A new host hands this token out from the disk, and what is saved beside it can still renew. @param {string} home @param {string} account @param {string} token */
async function assertSaved(home, account, token) {
  const host = await world.host(home);
  assert.equal((await host.call('token.get', { account })).accessToken, token);
  assert.equal((await host.call('token.get', renewal(account, token))).source, 'renewed');
  await host.end();
}

/** The one sealed file that is in use. @param {string} home */
const sealed = async (home) => (await filesBelow(stateFolder(home))).find(({ path }) => path.endsWith('.sealed'))?.bytes.toString('hex');

/** `thunderseal token` for an expired token whose renewal is answered after the command's 8 s; it runs beside the other tests. */
async function lateCommand() {
  const host = await world.host();
  const { home } = host;
  const [account] = await world.expired(host);
  await host.end();
  await world.idp.control({ nextToken: { delayMs: 8500, match: { user: account, grant_type: 'refresh_token' } } });
  return { home, account, ended: runCommand(['token', account], { home }) };
}

const late = await lateCommand();

test('a key that is back heals the account without a restart', async () => {
  const { home, account, token } = await signedInHome();
  const key = deviceKey(home);
  await key.takeAway();
  const host = await world.host(home);
  assert.equal((await host.refused('token.get', { account })).kind, 'vault-locked');
  assert.equal((await host.call('account.list')).accounts[0].state, 'locked');
  await key.putBack();
  assert.equal((await host.call('token.get', { account })).accessToken, token);
  assert.equal((await host.call('account.list')).accounts[0].state, 'ready');
});

test('an address added while the key is away, or just after, costs no refresh token', async () => {
  const { home, account, token } = await signedInHome();
  const key = deviceKey(home);
  const before = await sealed(home);
  await key.takeAway();
  const host = await world.host(home);
  assert.equal((await host.refused('account.add', { account: `early-${account}`, signInAs: account })).kind, 'vault-locked');
  assert.equal(await sealed(home), before);
  await key.putBack();
  await host.call('account.add', { account: `shared-${account}`, signInAs: account });
  await host.end();
  await assertSaved(home, account, token);
});

test('the late answer to an older grant changes nothing after a new sign-in by another process', async () => {
  const home = await world.home();
  const one = await world.host(home);
  const signed = await world.signedIn(one);
  const { account } = signed;
  await slowRenewal(one, signed, 2000);
  assert.equal((await runCommand(['logout', account], { home })).code, 0);
  const two = await world.host(home);
  assert.equal((await world.signIn(two, account)).ok, true);
  const { accessToken } = await two.call('token.get', { account });
  assert.equal(world.requestsOf(account)[0].answered, true, 'the code waited for the line: one request at a time');
  assert.equal((await one.call('token.get', { account })).accessToken, accessToken, 'the new sign-in counts at once');
  const before = await sealed(home);
  await one.end();
  assert.equal(await sealed(home), before);
  await two.end();
  await assertSaved(home, account, accessToken);
});

test('the late answer for an identity that another process erased brings no file back', async () => {
  const home = await world.home();
  const one = await world.host(home);
  const signed = await world.signedIn(one);
  await slowRenewal(one, signed, 800);
  assert.equal((await runCommand(['forget', signed.account], { home })).code, 0);
  await one.end();
  assert.equal(world.requestsOf(signed.account)[0].answered, true);
  assert.deepEqual(await sealedFiles(home), []);
});

test('an older copy put in the place of the file is superseded by what the host has seen', async () => {
  const home = await world.home();
  const host = await world.host(home);
  const { account, token } = await world.signedIn(host);
  const [file] = (await filesBelow(join(stateFolder(home), 'identities'))).filter(({ path }) => path.endsWith('.sealed'));
  const { accessToken } = await host.call('token.get', renewal(account, token));
  await writeFile(`${file.path}.older`, file.bytes, { mode: 0o600 });
  await rename(`${file.path}.older`, file.path);
  assert.equal((await host.call('token.get', { account })).accessToken, accessToken);
  await host.end();
  await assertSaved(home, account, accessToken);
});

test('when both pipes close, every renewal on the wire is awaited and saved', async () => {
  const home = await world.home();
  const one = await world.host(home);
  const [first, second] = [await world.signedIn(one), await world.signedIn(one)];
  await slowRenewal(one, first, 400);
  await slowRenewal(one, second, 1000);
  one.process.stdin.destroy();
  one.process.stdout.destroy();
  await soon(one.exited, 'the end of the host');
  const two = await world.host(home);
  for (const { account, token } of [first, second]) {
    const saved = await two.call('token.get', renewal(account, token));
    assert.equal(saved.source, 'cache', 'the renewed token is on disk');
    assert.equal((await two.call('token.get', renewal(account, saved.accessToken))).source, 'renewed', 'and so is its refresh token');
  }
});

test('a check at the end of input asks for no token any more, and what it looks at here is told', async () => {
  const host = await world.host(await world.home({ renewAhead: false }));
  const [account] = await world.expired(host);
  const asked = ['token', 'versions'].map((id) => frame(JSON.stringify({ jsonrpc: '2.0', id, method: 'health.check', params: { checks: [id] } })));
  // Stopped, so that it finds the end of input beside what was asked.
  host.process.kill('SIGSTOP');
  host.process.stdin.end(Buffer.concat(asked));
  await once(host.process.stdin, 'finish');
  host.process.kill('SIGCONT');
  assert.equal((await soon(host.exited, 'the end of the host')).code, 0);
  assert.equal((await host.answer('versions')).result.report.overall, 'ok');
  assert.equal(world.requestsOf(account).length, 0);
  const next = await world.host(host.home);
  assert.equal((await next.call('token.get', { account })).source, 'renewed');
});

test('a renewal that a check asks for after the reader has gone is awaited and saved', async () => {
  const host = await world.host(await world.home({ renewAhead: false }));
  const [account] = await world.expired(host);
  await world.idp.control({ nextToken: { delayMs: 1300, match: { user: account, grant_type: 'refresh_token' } } });
  host.process.stdout.destroy();
  await once(host.process.stdout, 'close');
  host.send({ jsonrpc: '2.0', id: 'check', method: 'health.check', params: { checks: ['versions', 'token'] } });
  await soon(host.exited, 'the end of the host');
  assert.equal(world.requestsOf(account).length, 1);
  const next = await world.host(host.home);
  const { accessToken, source } = await next.call('token.get', { account });
  assert.equal(source, 'cache', 'the renewed token is on disk');
  assert.equal((await next.call('token.get', renewal(account, accessToken))).source, 'renewed', 'and so is its refresh token');
});

test('a renewal that could not be saved is saved at the end of input, when it can be', async () => {
  const home = await world.home();
  const host = await world.host(home);
  const { account, token } = await world.signedIn(host);
  const key = deviceKey(home);
  await key.takeAway();
  const renewed = await host.call('token.get', renewal(account, token));
  assert.equal(renewed.source, 'renewed');
  await host.told('account.changed', (told) => told.account.problem?.kind === 'vault-locked');
  await key.putBack();
  assert.equal((await host.end()).code, 0);
  await assertSaved(home, account, renewed.accessToken);
});

test('a sign-in by another process counts and stays, though this one could not save just before it', async () => {
  const home = await world.home();
  const host = await world.host(home);
  const { account, token } = await world.signedIn(host);
  const key = deviceKey(home);
  await key.takeAway();
  assert.equal((await host.call('token.get', renewal(account, token))).source, 'renewed');
  await host.told('account.changed', (told) => told.account.problem?.kind === 'vault-locked');
  await key.putBack();
  const other = await world.host(home);
  const signed = await world.signedIn(other, account);
  await other.end();
  assert.equal((await host.call('token.get', { account })).accessToken, signed.token);
  assert.equal((await host.end()).code, 0);
  await assertSaved(home, account, signed.token);
});

test('a command whose time is over exits 69, and the token that comes later is on disk', async () => {
  const { home, account, ended } = late;
  const { code, stdout, stderr } = await ended;
  assert.deepEqual([code, stdout], [69, '']);
  assert.match(stderr, /did not answer in time/);
  const again = await runCommand(['token', account], { home });
  assert.equal(again.code, 0, again.stderr);
  assert.equal(world.requestsOf(account).length, 1, 'the second command needed no request');
  await assertSaved(home, account, again.stdout.trim());
});
