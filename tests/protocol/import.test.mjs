// SPDX-License-Identifier: MPL-2.0
/** account.import: taking over a refresh token that another program has (protocol section 3). */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { filesBelow, sha256, World } from './world.mjs';

const world = await World.open();
after(() => world.close());

const { clientId } = world.idp;

/** A refresh token of the user's, as another mail program would have it. @param {string} [account] */
async function elsewhere(account) {
  const other = await world.host();
  const name = (await world.signedIn(other, account)).account;
  const found = world.idp.issued().findLast(({ kind, user }) => kind === 'refresh_token' && user === name);
  await other.end();
  return { account: name, refreshToken: /** @type {string} */ (found?.value) };
}

/** @param {import('./host.mjs').Host} host @param {string} account */
const shown = async (host, account) => (await host.call('account.list')).accounts.find((/** @type {any} */ each) => each.account === account);

/** Nothing of the sign-in is kept, in memory or on disk. @param {import('./host.mjs').Host} host @param {string} account */
async function assertNothingStored(host, account) {
  for (const each of [host, await world.host(host.home)]) {
    const { refreshToken = null, tokens = [] } = await shown(each, account) ?? {};
    assert.deepEqual([refreshToken, tokens], [null, []]);
  }
}

test('a sign-in of the same app is taken over: an unknown account is added, one request, method import', async () => {
  const host = await world.host();
  const { account, refreshToken } = await elsewhere();
  const before = world.requestsOf(account).length;
  const { account: told } = await host.call('account.import', { account, refreshToken, clientId });
  assert.deepEqual([told.account, told.state, told.method, told.refreshToken.present], [account, 'ready', 'import', true]);
  assert.equal(world.requestsOf(account).length, before + 1);
  const { accessToken, source } = await host.call('token.get', { account });
  assert.equal(source, 'cache');
  assert.equal(world.idp.introspect(accessToken).username, account);
  assert.deepEqual(host.toldSoFar('signIn.finished'), [], 'nobody started a sign-in');

  await host.end();
  const next = await world.host(host.home);
  assert.equal((await shown(next, account)).method, 'import');
  assert.equal((await next.call('token.get', { account, rejected: sha256(accessToken) })).source, 'renewed');
});

test('the account is told as it was first written, whatever the case of the request', async () => {
  const host = await world.host();
  const { account, refreshToken } = await elsewhere();
  const first = account.toUpperCase();
  await host.call('account.add', { account: first });
  assert.equal((await host.call('account.import', { account, refreshToken, clientId })).account.account, first);
  assert.ok(await shown(host, first));
});

test('the token is never on disk in clear, nor in any frame or on stderr', async () => {
  const host = await world.host();
  const { account, refreshToken } = await elsewhere();
  await host.call('account.import', { account, refreshToken, clientId });
  for (const { path, bytes } of await filesBelow(host.home)) assert.ok(!bytes.includes(refreshToken.slice(0, 40)), path);
  assert.ok(!JSON.stringify(host.messages).includes(refreshToken.slice(0, 40)));
  assert.equal(host.stderr, '');
});

test('another app\'s is invalid-params, without a request', async () => {
  const host = await world.host();
  const { account, refreshToken } = await elsewhere();
  const before = world.idp.requests().length;
  const { kind, data } = await host.refused('account.import', { account, refreshToken, clientId: '9e5f94bc-e8a4-4e73-b8be-63364c29d753' });
  assert.deepEqual([kind, data.field], ['invalid-params', 'clientId']);
  assert.equal(world.idp.requests().length, before);
  await assertNothingStored(host, account);
  for (const params of [{ account, clientId }, { account, refreshToken }, { account, clientId, refreshToken: '' }, { account, clientId, refreshToken: 'a b' },
    { account, clientId, refreshToken: 5 }, { account, clientId, refreshToken: 'x'.repeat(20000) }, { account, clientId, refreshToken, scopes: [] }]) {
    assert.equal((await host.refused('account.import', params)).kind, 'invalid-params', JSON.stringify(params).slice(0, 100));
  }
});

test('somebody else\'s is wrong-account, and nothing is stored', async () => {
  const host = await world.host();
  const { account: owner, refreshToken } = await elsewhere();
  const account = await world.user();
  const { kind, data } = await host.refused('account.import', { account, refreshToken, clientId });
  assert.deepEqual([kind, data.signedInAs], ['wrong-account', owner]);
  await assertNothingStored(host, account);
});

test('a bad one is sign-in-required, and nothing is stored', async () => {
  const host = await world.host();
  const { account, refreshToken } = await elsewhere();
  const { kind, data } = await host.refused('account.import', { account, refreshToken: 'made-up', clientId });
  assert.deepEqual([kind, data.aadsts], ['sign-in-required', 9002313]);
  assert.match(data.cause, /refresh token/);
  await world.idp.control({ revoke: account });
  assert.equal((await host.refused('account.import', { account, refreshToken, clientId })).kind, 'sign-in-required');
  await assertNothingStored(host, account);
});

test('a provider that is away is network, and nothing is stored; later it works', async () => {
  const host = await world.host();
  const { account, refreshToken } = await elsewhere();
  await world.idp.goAway();
  const { kind, data } = await host.refused('account.import', { account, refreshToken, clientId });
  await world.idp.comeBack();
  assert.deepEqual([kind, data.retryable], ['network', true]);
  await assertNothingStored(host, account);
  assert.equal((await host.call('account.import', { account, refreshToken, clientId })).account.state, 'ready');
});

test('an import that fails leaves the sign-in that is there', async () => {
  const host = await world.host();
  const { account, token } = await world.signedIn(host);
  const { refreshToken } = await elsewhere();
  assert.equal((await host.refused('account.import', { account, refreshToken, clientId })).kind, 'wrong-account');
  assert.equal((await host.refused('account.import', { account, refreshToken: 'made-up', clientId })).kind, 'sign-in-required');
  for (const each of [host, await world.host(host.home)]) {
    assert.deepEqual([(await shown(each, account)).state, (await shown(each, account)).method], ['ready', 'browser']);
    assert.equal((await each.call('token.get', { account })).accessToken, token);
  }
});

test('while it is on the wire its id is taken, and cancel answers it; what comes is kept all the same', async () => {
  const host = await world.host();
  const { account, refreshToken } = await elsewhere();
  await world.idp.control({ nextToken: { hold: true, match: { user: account } } });
  host.send({ jsonrpc: '2.0', id: 7, method: 'account.import', params: { account, refreshToken, clientId } });
  await world.idp.waitForRequest({ endpoint: 'token', grant_type: 'refresh_token', user: account });
  host.send({ jsonrpc: '2.0', id: 7, method: 'account.list' });
  assert.equal((await host.answer(null)).error.data.kind, 'invalid-request');
  host.notify('cancel', { id: 7 });
  assert.equal((await host.answer(7)).error.data.kind, 'cancelled');
  await world.idp.control({ releaseHung: true });
  await host.told('account.changed', (told) => told.account.account === account && told.account.state === 'ready');
  assert.equal((await shown(host, account)).method, 'import');
  assert.ok(!host.messages.some(({ id, result }) => id === 7 && result));
});

test('where policy forbids the account, nothing is asked', async () => {
  const host = await world.host(await world.home({ allowedDomains: ['other.test'] }));
  const { account, refreshToken } = await elsewhere();
  const before = world.idp.requests().length;
  assert.equal((await host.refused('account.import', { account, refreshToken, clientId })).kind, 'policy-denied');
  assert.equal(world.idp.requests().length, before);
  assert.deepEqual((await host.call('account.list')).accounts, []);
});

test('a refused request adds no account', async () => {
  const home = await world.home();
  const host = await world.host(home);
  const [fresh, late] = [await world.user(), await world.user()];
  const refused = [['account.import', { refreshToken: 'x', clientId: '11111111-2222-4333-8444-555555555555' }], ['signIn.start', { scopes: [] }]];
  for (const [method, params] of refused) assert.equal((await host.refused(method, { account: fresh, ...params })).kind, 'invalid-params');
  assert.deepEqual((await host.call('account.list')).accounts, []);
  await host.end();
  const { account } = await world.signedIn(await world.host(home), late);
  await world.configure(home, { accounts: { '*@contoso.test': { signInAs: account } } });
  const other = await world.host(home);
  for (const [method, params] of refused) assert.equal((await other.refused(method, { account: fresh, ...params })).kind, 'invalid-params');
  assert.deepEqual((await other.call('account.list')).accounts.map((each) => each.account), [account]);
});
