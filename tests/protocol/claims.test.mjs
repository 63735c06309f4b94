// SPDX-License-Identifier: MPL-2.0
/** What the next authorization URL asks for besides the usual: Entra's claims, and the choice of an account (FACTS 1.3). */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { sha256, World } from './world.mjs';

const world = await World.open();
after(() => world.close());

const CLAIMS = { access_token: { capolids: { essential: true, values: ['0d2a1d1f-\u00e9', 'b "c" &=#'] } } };

/** The provider demands interaction for the next renewal. @param {string} account @param {string | undefined} claims */
const demand = (account, claims) => world.idp.control({
  nextToken: { entra: { error: 'interaction_required', code: 50076, ...(claims === undefined ? {} : { claims }) }, match: { user: account } },
});

/** A new account whose renewal was answered with these claims. @param {string} [claims] */
async function demanded(claims) {
  const host = await world.host();
  const { account, token } = await world.signedIn(host);
  const beside = await world.host(host.home);
  await demand(account, claims);
  const { kind } = await host.refused('token.get', { account, rejected: sha256(token) });
  assert.equal(kind, 'interaction-required');
  return { host, beside, account };
}

/** The query of the URL that a sign-in starts with; the sign-in is cancelled. @param {import('./host.mjs').Host} host @param {string} account @returns {Promise<any>} */
async function queryOf(host, account) {
  const { authorizationUrl, signInId } = await host.call('signIn.start', { account });
  await host.call('signIn.cancel', { signInId });
  await host.told('signIn.finished', (told) => told.signInId === signInId);
  return Object.fromEntries(new URL(authorizationUrl).searchParams);
}

test('claims of a refusal are in the next authorization URL: here, in another process, and after a restart', async () => {
  const { host, beside, account } = await demanded(JSON.stringify(CLAIMS, null, 2));
  const { claims, login_hint: hint } = await queryOf(host, account);
  assert.deepEqual(JSON.parse(claims), CLAIMS);
  assert.equal(hint, account);
  assert.equal((await queryOf(host, account)).claims, claims, 'a sign-in that came to nothing changes nothing');
  await beside.told('account.changed', (told) => told.account.account === account);
  assert.equal((await queryOf(beside, account)).claims, claims);
  await host.end();
  assert.equal((await queryOf(await world.host(host.home), account)).claims, claims);
});

test('after the sign-in the claims are gone everywhere', async () => {
  const { host, beside, account } = await demanded(JSON.stringify(CLAIMS));
  assert.equal((await world.signIn(beside, account)).ok, true);
  await host.told('account.changed', (told) => told.account.account === account && told.account.state === 'ready' && told.account.problem === null);
  for (const each of [host, beside, await world.host(host.home)]) assert.equal((await queryOf(each, account)).claims, undefined);
});

test('a renewal that succeeds leaves the claims to nobody else, and another account never sees them', async () => {
  const { host, account } = await demanded(JSON.stringify(CLAIMS));
  const other = await world.user();
  assert.equal((await queryOf(host, other)).claims, undefined);
  assert.ok((await queryOf(host, account)).claims);
});

const HOSTILE = {
  'no JSON': 'prompt=none&claims', 'cut off': '{"access_token":', 'an array': '[{"a":1}]', 'a text': '"x"', 'a number': '5', 'an empty object': '{}',
  'a key twice': '{"a":1,"a":2}', '10 KiB': JSON.stringify({ access_token: { value: 'x'.repeat(10240) } }), 'deeply nested': `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`,
  'none at all': undefined,
};

for (const [what, claims] of Object.entries(HOSTILE)) {
  test(`claims that are not what they should be are dropped: ${what}`, async () => {
    const { host, account } = await demanded(claims);
    assert.equal((await queryOf(host, account)).claims, undefined);
    assert.equal((await world.signIn(host, account)).ok, true);
  });
}

test('the choice of an account is asked for after a wrong one, never with a hint, until the right one has come', async () => {
  const host = await world.host();
  const account = await world.user();
  const first = await queryOf(host, account);
  assert.deepEqual([first.prompt, first.login_hint], [undefined, account]);
  await world.idp.control({ autoLogin: 'ben@contoso.test' });
  const { signInId, authorizationUrl } = await host.call('signIn.start', { account });
  await world.answer(authorizationUrl);
  await host.told('signIn.retry', (told) => told.signInId === signInId);
  await host.call('signIn.cancel', { signInId });
  await world.idp.control({ autoLogin: true });
  const second = await queryOf(host, account);
  assert.deepEqual([second.prompt, second.login_hint], ['select_account', undefined]);
  const third = await host.call('signIn.start', { account });
  assert.equal(new URL(third.authorizationUrl).searchParams.get('prompt'), 'select_account');
  // The automatic login takes the name from the hint; here the user chooses.
  await world.idp.control({ autoLogin: account });
  await world.answer(third.authorizationUrl);
  assert.equal((await host.told('signIn.finished', (told) => told.signInId === third.signInId)).ok, true);
  await world.idp.control({ autoLogin: true });
  const fourth = await queryOf(host, account);
  assert.deepEqual([fourth.prompt, fourth.login_hint], [undefined, account]);
});

test('signInAs "ask" asks for the choice until a name is known', async () => {
  const [mailbox, owner] = ['info@contoso.test', await world.user()];
  for (const name of [mailbox, '*@contoso.test']) {
    const host = await world.host(await world.home({ accounts: { [name]: { signInAs: 'ask' } } }));
    const asked = await queryOf(host, mailbox);
    assert.deepEqual([asked.prompt, asked.login_hint], ['select_account', undefined], name);
    await host.call('account.add', { account: mailbox, signInAs: owner });
    const known = await queryOf(host, mailbox);
    assert.deepEqual([known.prompt, known.login_hint], [undefined, owner], name);
    const { ok, problem } = await world.signIn(host, mailbox);
    assert.equal(ok, true, JSON.stringify(problem));
    const [{ signInAs }] = (await (await world.host(host.home)).call('account.list')).accounts.filter((/** @type {any} */ each) => each.account === mailbox);
    assert.equal(signInAs, owner);
  }
});
