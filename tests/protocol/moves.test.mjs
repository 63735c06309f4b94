// SPDX-License-Identifier: MPL-2.0
/**
 * Addresses that move between identities, and identities that other processes erase and make anew: every address
 * ends in one identity, in every host and on disk (DESIGN sections 3.2 and 3.3).
 */
import assert from 'node:assert/strict';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { filesBelow, sealedFiles, sha256, stateFolder, World } from './world.mjs';

const world = await World.open();
after(() => world.close());

/** @typedef {import('./host.mjs').Host} Host */

/** What a host lists: who signs in for whom. @param {Host} host @returns {Promise<Record<string, string>>} */
async function served(host) {
  const { accounts } = await host.call('account.list');
  const pairs = accounts.map((/** @type {any} */ { account, signInAs }) => [account, signInAs]);
  assert.equal(new Set(pairs.map(([account]) => account)).size, pairs.length, 'no account is listed twice');
  return Object.fromEntries(pairs);
}

/** @param {Host} host @param {string} account @returns {Promise<{ state: string, problem: any }>} */
const shown = async (host, account) => (await host.call('account.list')).accounts.find((/** @type {any} */ each) => each.account === account);

/** Asks for a renewal whose answer takes its time; it is on the wire now. @param {Host} host @param {{ account: string, token: string }} signed @param {number} delayMs */
async function slowRenewal(host, { account, token }, delayMs) {
  await world.idp.control({ nextToken: { delayMs, match: { user: account } } });
  host.send({ jsonrpc: '2.0', id: account, method: 'token.get', params: { account, rejected: sha256(token) } });
  await world.idp.waitForRequest({ endpoint: 'token', grant_type: 'refresh_token', user: account });
}

for (const direction of ['older', 'newer']) {
  test(`an address that another process moves to the ${direction} identity is in one everywhere`, async () => {
    const home = await world.home();
    const one = await world.host(home);
    const pair = [await world.signedIn(one), await world.signedIn(one)];
    const [target, mover] = direction === 'older' ? pair : pair.reverse();
    const two = await world.host(home);
    await two.call('account.add', { account: mover.account, signInAs: target.account });
    const expected = { [mover.account]: target.account, [target.account]: target.account };
    assert.deepEqual(await served(one), expected);
    assert.equal((await one.call('token.get', { account: mover.account })).accessToken, target.token);
    // What the first host saves later takes nothing back.
    await one.call('token.get', { account: target.account, rejected: sha256(target.token) });
    for (const host of [one, two]) assert.deepEqual(await served(host), expected);
    await one.end();
    await two.end();
    assert.deepEqual(await served(await world.host(home)), expected);
    assert.equal((await sealedFiles(home)).filter((name) => name.endsWith('.sealed')).length, 1);
  });
}

test('an address that moves while its renewal is on the wire leaves no file behind, and the waiter is answered', async () => {
  const home = await world.home();
  const host = await world.host(home);
  const signed = await world.signedIn(host);
  const { account } = signed;
  const target = await world.user();
  await slowRenewal(host, signed, 1500);
  await host.call('account.add', { account, signInAs: target });
  const { error } = await host.answer(account);
  assert.equal(error.data.kind, 'sign-in-required');
  assert.equal(world.requestsOf(account)[0].answered, false, 'the provider\'s answer is still to come');
  await host.end();
  assert.equal(world.requestsOf(account)[0].answered, true);
  const files = await filesBelow(join(stateFolder(home), 'identities'));
  assert.equal(files.length, 1);
  assert.ok(files[0].bytes.includes(target), 'the file is the new identity\'s');
  const next = await world.host(home);
  assert.deepEqual(await served(next), { [account]: target });
  await next.call('account.remove', { account });
  assert.deepEqual(await sealedFiles(home), []);
});

test('an address that a crash left in two files is in one identity, and can be removed for good', async () => {
  const home = await world.home();
  const one = await world.host(home);
  const { account } = await world.signedIn(one);
  await one.end();
  const identities = join(stateFolder(home), 'identities');
  const [old] = (await sealedFiles(home)).filter((name) => name.endsWith('.sealed'));
  await cp(join(identities, old), join(home, old));
  const two = await world.host(home);
  await two.call('account.add', { account, signInAs: await world.user() });
  await two.end();
  await cp(join(home, old), join(identities, old));

  const three = await world.host(home);
  assert.deepEqual(Object.keys(await served(three)), [account]);
  await three.call('account.remove', { account });
  assert.deepEqual(await sealedFiles(home), []);
  await three.end();
  assert.deepEqual(await served(await world.host(home)), {});
});

test('an identity erased and made anew by another process in one go is taken over', async () => {
  const home = await world.home();
  const one = await world.host(home);
  const { account } = await world.signedIn(one);
  for (const name of ['info', 'sales', 'help']) await one.call('account.add', { account: `${name}-${account}`, signInAs: account });
  const two = await world.host(home);
  one.process.kill('SIGSTOP');
  for (const name of Object.keys(await served(two))) await two.call('account.remove', { account: name });
  assert.equal((await world.signIn(two, account)).ok, true);
  const { accessToken } = await two.call('token.get', { account });
  one.process.kill('SIGCONT');
  assert.deepEqual(await served(one), { [account]: account });
  assert.equal((await one.call('token.get', { account })).accessToken, accessToken);
  await one.call('token.get', { account, rejected: sha256(accessToken) });
  assert.deepEqual(await served(two), { [account]: account }, 'and what it saves then names nobody else');
});

test('no token is handed out for an account that another process has removed', async () => {
  const home = await world.home();
  const one = await world.host(home);
  const { account, token } = await world.signedIn(one);
  const two = await world.host(home);
  one.process.kill('SIGSTOP');
  await two.call('account.remove', { account });
  const asked = one.refused('token.get', { account });
  one.process.kill('SIGCONT');
  assert.equal((await asked).kind, 'unknown-account');
  assert.equal((await one.refused('token.get', { account, rejected: sha256(token) })).kind, 'unknown-account');
  assert.deepEqual(await served(one), {});
  assert.deepEqual(await sealedFiles(home), []);
});

test('an account that is given to another identity while its sign-in is under way stays there', async () => {
  for (const adder of ['this', 'another']) {
    const home = await world.home();
    const host = await world.host(home);
    const [target, mover] = [await world.signedIn(host), await world.signedIn(host)];
    const shared = `shared-${mover.account}`;
    await host.call('account.add', { account: shared, signInAs: mover.account });
    const { authorizationUrl, signInId } = await host.call('signIn.start', { account: shared });
    const other = adder === 'this' ? host : await world.host(home);
    await other.call('account.add', { account: shared, signInAs: target.account });
    const expected = { [mover.account]: mover.account, [target.account]: target.account, [shared]: target.account };
    assert.deepEqual(await served(host), expected);
    await world.answer(authorizationUrl).catch(() => {});
    await host.told('signIn.finished', (told) => told.signInId === signInId);
    await served(host);
    await host.end();
    await served(await world.host(home));
  }
});

/** A host with an account that is signed in and whose sign-in, since the app's tenant changed, moves it to another identity. */
async function moving() {
  const home = await world.home();
  const before = await world.host(home);
  const { account } = await world.signedIn(before);
  await before.end();
  await world.configure(home, { tenant: 'contoso.test' });
  const host = await world.host(home);
  return { home, host, account, started: await host.call('signIn.start', { account }) };
}

/** It is known once, and gone when it is removed: also for whoever comes later. @param {{ home: string, host: Host, account: string }} one */
async function assertOnce({ home, host, account }) {
  assert.deepEqual(Object.keys(await served(host)), [account]);
  await host.call('account.remove', { account });
  assert.deepEqual([await served(host), await sealedFiles(home)], [{}, []]);
  await host.end();
  assert.deepEqual(await served(await world.host(home)), {});
}

test('a second sign-in of an account that is moving moves it too', async () => {
  const given = await moving();
  const { signInId, authorizationUrl } = await given.host.call('signIn.start', { account: given.account });
  await world.answer(authorizationUrl);
  assert.equal((await given.host.told('signIn.finished', (told) => told.signInId === signInId)).ok, true);
  await assertOnce(given);
  const again = await moving();
  const second = await again.host.call('signIn.start', { account: again.account });
  await again.host.call('signIn.cancel', { signInId: second.signInId });
  await assertOnce(again);
});

test('account.add while an account is moving asks for nothing new, or ends the move', async () => {
  const idle = await moving();
  assert.equal((await idle.host.call('account.add', { account: idle.account })).account.state, 'signing-in');
  await world.answer(idle.started.authorizationUrl);
  assert.equal((await idle.host.told('signIn.finished', (told) => told.signInId === idle.started.signInId)).ok, true);
  await assertOnce(idle);
  const renamed = await moving();
  const other = await world.user();
  await renamed.host.call('account.add', { account: renamed.account, signInAs: other });
  const { ok, problem } = await renamed.host.told('signIn.finished', (told) => told.signInId === renamed.started.signInId);
  assert.deepEqual([ok, problem.kind], [false, 'cancelled']);
  assert.deepEqual(await served(renamed.host), { [renamed.account]: other });
  await assertOnce(renamed);
});

test('signing out of an account that is moving signs out what is stored', async () => {
  const { home, host, account, started } = await moving();
  assert.deepEqual((await host.call('signOut', { account })).accounts, [account]);
  const { ok, problem } = await host.told('signIn.finished', (told) => told.signInId === started.signInId);
  assert.deepEqual([ok, problem.kind], [false, 'cancelled']);
  await host.end();
  await world.configure(home, {});
  assert.equal((await (await world.host(home)).refused('token.get', { account })).kind, 'sign-in-required');
});

test('a sign-in that is refused for one address does not disturb that of another to the same identity', async () => {
  const home = await world.home();
  const before = await world.host(home);
  const { account } = await world.signedIn(before);
  const other = `other-${account}`;
  await before.call('account.add', { account: other, signInAs: account });
  await before.end();
  await world.configure(home, { tenant: 'contoso.test' });
  const host = await world.host(home);
  const { authorizationUrl, signInId } = await host.call('signIn.start', { account });
  assert.equal((await host.refused('signIn.start', { account: other, scopes: [] })).kind, 'invalid-params');
  await world.answer(authorizationUrl);
  const finished = await host.told('signIn.finished', (told) => told.signInId === signInId);
  assert.deepEqual([finished.account, finished.ok], [account, true]);
  for (const each of [host, await world.host(home)]) {
    assert.equal((await shown(each, account)).state, 'ready');
    assert.equal((await shown(each, other)).state, 'attention', 'the other has not signed in to the changed app');
    assert.equal((await each.call('token.get', { account })).source, 'cache');
  }
});

test('a host that was there before the vault still knows others\' accounts after its own first one', async () => {
  const home = await world.home();
  const [one, two] = [await world.host(home), await world.host(home)];
  const { account, token } = await world.signedIn(two);
  const own = await world.user();
  await one.call('account.add', { account: own });
  assert.deepEqual(await served(one), { [account]: account, [own]: own });
  assert.equal((await one.call('token.get', { account })).accessToken, token);
});
