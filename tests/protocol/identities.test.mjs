// SPDX-License-Identifier: MPL-2.0
/** Who signs in for whom, and in which tenant (DESIGN section 3, FACTS 1.1). */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { sha256, World } from './world.mjs';

const world = await World.open();
after(() => world.close());

/** Where Microsoft keeps personal accounts, and some other organisation. */
const PERSONAL = '9188040d-6c67-4c5b-b112-36a304b66dad';
const PARTNER = '3c1d4b52-8a55-4a0e-9f53-7e1f6f1a2b3c';

/** @param {import('./host.mjs').Host} host @param {string} account */
const shown = async (host, account) => (await host.call('account.list')).accounts.find((/** @type {any} */ each) => each.account === account);

/** The tenants that token requests of the user went to. @param {string} user @param {string} [grant] */
const tenantsOf = (user, grant) => world.requestsOf(user, grant).map(({ tenant }) => tenant);

/** Somebody of another tenant. @param {string} upn @param {string} tid */
async function stranger(upn, tid) {
  await world.idp.control({ addUser: { upn, tid } });
  return upn;
}

test('addresses of one sign-in share its renewal, its token and its fate', async () => {
  const host = await world.host();
  const { account, token } = await world.signedIn(host);
  const addresses = [account, `info-${account}`, `sales-${account}`];
  for (const address of addresses.slice(1)) await host.call('account.add', { account: address, signInAs: account });
  await world.idp.control({ nextToken: { delayMs: 100, match: { user: account } } });
  const answers = await Promise.all(addresses.map((address) => host.call('token.get', { account: address, rejected: sha256(token) })));
  assert.equal(new Set(answers.map(({ accessToken }) => accessToken)).size, 1);
  assert.equal(world.requestsOf(account).length, 1);
  for (const address of addresses) {
    await host.told('account.changed', (told) => told.account.account === address && told.account.state === 'renewing');
    await host.told('account.changed', (told) => told.account.account === address && told.account.state === 'ready'
      && told.account.tokens[0]?.expiresAt === answers[0].expiresAt);
  }
  await world.idp.control({ nextToken: { entra: { error: 'invalid_grant', code: 50057 }, match: { user: account } } });
  assert.equal((await host.refused('token.get', { account: addresses[2], rejected: sha256(answers[0].accessToken) })).kind, 'blocked');
  for (const address of addresses) await host.told('account.changed', (told) => told.account.account === address && told.account.state === 'blocked');
});

test('a domain whose mailboxes one person opens: each comes by its first sign-in, and the second costs nothing', async () => {
  const owner = await world.user();
  const host = await world.host(await world.home({ accounts: { '*@shared.test': { signInAs: owner }, 'own@shared.test': {} } }));
  const { token } = await world.signedIn(host, 'info@shared.test');
  assert.equal(world.idp.introspect(token).username, owner);
  const { account } = await host.call('account.add', { account: 'Sales@Shared.test' });
  assert.deepEqual([account.signInAs, account.state], [owner, 'ready']);
  assert.equal((await host.call('token.get', { account: 'sales@shared.test' })).accessToken, token);
  assert.equal((await shown(host, 'own@shared.test')).signInAs, 'own@shared.test', 'the entry for an address comes before that for its domain');
  assert.equal(world.requestsOf(owner, 'authorization_code').length, 1);
});

test('in tenant organizations a code is redeemed there, and renewals go where the user is', async () => {
  const home = await world.home({ tenant: 'organizations' });
  const host = await world.host(home);
  const { account, token } = await world.signedIn(host);
  assert.equal((await shown(host, account)).tenant, 'organizations');
  const { accessToken } = await host.call('token.get', { account, rejected: sha256(token) });
  assert.deepEqual(tenantsOf(account, 'authorization_code'), ['organizations']);
  assert.deepEqual(tenantsOf(account), [world.idp.tenant]);
  await host.end();
  const next = await world.host(home);
  await next.call('token.get', { account, rejected: sha256(accessToken) });
  assert.deepEqual(tenantsOf(account), [world.idp.tenant, world.idp.tenant]);
});

test('somebody of another organisation signs in by organizations, and is renewed there', async () => {
  const host = await world.host(await world.home({ tenant: 'organizations' }));
  const { account, token } = await world.signedIn(host, await stranger('guest@partner.test', PARTNER));
  assert.equal((await host.call('token.get', { account, rejected: sha256(token) })).source, 'renewed');
  assert.deepEqual(tenantsOf(account), [PARTNER]);
  assert.match((await shown(host, account)).homeAccountId, new RegExp(`\\.${PARTNER}$`));
});

test('a guest, who is at home elsewhere than the tenant that is configured, is renewed in this tenant', async () => {
  const home = { uid: 'e0000000-0000-4000-8000-00000000000e', utid: PARTNER };
  await world.idp.control({ clientInfo: home });
  const host = await world.host(await world.home({ tenant: 'contoso.test' }));
  const { account, token } = await world.signedIn(host);
  assert.equal((await host.call('token.get', { account, rejected: sha256(token) })).source, 'renewed');
  assert.deepEqual([tenantsOf(account, 'authorization_code'), tenantsOf(account)], [['contoso.test'], ['contoso.test']]);
  assert.equal((await shown(host, account)).homeAccountId, `${home.uid}.${home.utid}`);
  await world.idp.control({ clientInfo: true });
});

test('a personal account: tenant common, tokens that are no JWT, no upn', async () => {
  await world.idp.control({ opaqueAccessTokens: true, idTokenClaims: { upn: null } });
  const home = await world.home({ tenant: 'common' });
  const host = await world.host(home);
  const { account, token } = await world.signedIn(host, await stranger('eva@outlook.test', PERSONAL));
  assert.match(token, /^EwB/);
  assert.equal(world.idp.introspect(token).username, account);
  const { accessToken } = await host.call('token.get', { account, rejected: sha256(token) });
  assert.match(accessToken, /^EwB/);
  assert.deepEqual([tenantsOf(account, 'authorization_code'), tenantsOf(account)], [['common'], [PERSONAL]]);
  await host.end();
  assert.equal((await (await world.host(home)).call('token.get', { account })).accessToken, accessToken);
  await world.idp.control({ opaqueAccessTokens: false, idTokenClaims: null });
});

test('a tenant in the id token that is none steers no request', async () => {
  await world.idp.control({ idTokenClaims: { tid: '../../attacker/x' } });
  const host = await world.host(await world.home({ tenant: 'organizations' }));
  const { account, token } = await world.signedIn(host);
  await world.idp.control({ idTokenClaims: null });
  await host.call('token.get', { account, rejected: sha256(token) });
  assert.deepEqual(tenantsOf(account), ['organizations']);
});
