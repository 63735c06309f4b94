// SPDX-License-Identifier: MPL-2.0
/** Two hosts of one user: a second Thunderbird, or a command beside it (DESIGN section 3.2). */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { after, test } from 'node:test';
import { sha256, stateFolder, World } from './world.mjs';

const world = await World.open();
after(() => world.close());

/** Two hosts in one home, with an account that is signed in. */
async function twoHosts() {
  const home = await world.home();
  const one = await world.host(home);
  const { account, token } = await world.signedIn(one);
  return { home, one, two: await world.host(home), account, token };
}

/** @param {string} account @param {string} state */
const becomes = (account, state) => (/** @type {any} */ told) => told.account.account === account && told.account.state === state;

test('a sign-out and a sign-in by another process are taken over at once and told', async () => {
  const { one, two, account } = await twoHosts();
  await two.call('signOut', { account });
  await one.told('account.changed', becomes(account, 'signed-out'));
  assert.equal((await one.refused('token.get', { account })).kind, 'sign-in-required');
  assert.equal((await world.signIn(two, account)).ok, true);
  await one.told('account.changed', (told) => becomes(account, 'ready')(told) && two.toldSoFar('signIn.finished').length > 0);
  const { accessToken } = await two.call('token.get', { account });
  assert.equal((await one.call('token.get', { account })).accessToken, accessToken);
});

test('a token renewed by another process is handed out without a request', async () => {
  const { one, two, account, token } = await twoHosts();
  const renewed = await two.call('token.get', { account, rejected: sha256(token) });
  await one.told('account.changed', (told) => told.account.tokens[0]?.expiresAt === renewed.expiresAt && told.account.state === 'ready');
  assert.equal((await one.call('token.get', { account, rejected: sha256(token) })).accessToken, renewed.accessToken);
  assert.equal(world.requestsOf(account).length, 1);
});

test('an account removed by another process is gone here, too', async () => {
  const { one, two, account } = await twoHosts();
  await two.call('account.remove', { account });
  assert.equal((await one.refused('token.get', { account })).kind, 'unknown-account');
  assert.deepEqual((await one.call('account.list')).accounts, []);
});

test('a host that was there before the vault was made learns of the first sign-in', async () => {
  const home = await world.home();
  const [one, two] = [await world.host(home), await world.host(home)];
  const { account, token } = await world.signedIn(one);
  assert.equal((await two.call('token.get', { account })).accessToken, token);
  await two.told('account.changed', becomes(account, 'ready'));
});

test('a host that outlives the folder of all accounts learns of the first sign-in after it', async () => {
  const { home, one, account } = await twoHosts();
  await rm(stateFolder(home), { recursive: true, maxRetries: 10 });
  assert.equal((await one.refused('token.get', { account })).kind, 'unknown-account');
  const { token } = await world.signedIn(await world.host(home), account);
  assert.equal((await one.call('token.get', { account })).accessToken, token);
});
