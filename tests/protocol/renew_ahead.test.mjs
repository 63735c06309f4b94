// SPDX-License-Identifier: MPL-2.0
/** Tokens in use are renewed before they expire, and no others (DESIGN section 3.1). */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { moment, sha256, World } from './world.mjs';

/** What the provider says after how many seconds a token should be renewed. */
const REFRESH_IN = 2;
const OUTLOOK = 'https://outlook.office.com';
const GRAPH = 'https://graph.microsoft.com';
const BOTH = [`${OUTLOOK}/IMAP.AccessAsUser.All`, `${GRAPH}/User.Read`];

const world = await World.open();
await world.idp.control({ refreshIn: REFRESH_IN });
after(() => world.close());

const now = () => Math.floor(Date.now() / 1000);

/** The so many-th renewal was answered. @param {string} account @param {number} [count] */
const renewed = (account, count = 1) => world.idp.waitForRequest({ endpoint: 'token', grant_type: 'refresh_token', user: account, count, answered: true });

/** @param {import('./host.mjs').Host} host @param {string} account */
const shown = async (host, account) => (await host.call('account.list')).accounts.find((/** @type {any} */ each) => each.account === account);

/** A new account, signed in with these scopes and renewed since by the host on its own: so long did the others have time. @param {import('./host.mjs').Host} host */
async function anotherIsRenewed(host) {
  const { account } = await world.signedIn(host);
  await renewed(account);
}

/** @param {string} account @param {string} resource */
const requestsFor = (account, resource) => world.requestsOf(account).filter(({ scope }) => scope?.includes(resource)).length;

describe('renewing ahead', { concurrency: true }, () => {
  test('a token in use is renewed by the host on its own, and account.changed tells', async () => {
    const host = await world.host();
    const { account, token } = await world.signedIn(host);
    const { nextRenewal, tokens: [{ expiresAt }] } = await shown(host, account);
    assert.ok(nextRenewal >= expiresAt - 4500 + REFRESH_IN && nextRenewal <= now() + REFRESH_IN + 1, `${nextRenewal} ${expiresAt} ${now()}`);
    await renewed(account);
    const { account: told } = await host.told('account.changed', (each) => each.account.account === account
      && each.account.state === 'ready' && each.account.tokens[0]?.expiresAt > expiresAt);
    assert.ok(told.nextRenewal > now() + 30 && told.nextRenewal <= now() + 61, 'a minute is between two renewals');
    const fresh = await host.call('token.get', { account });
    assert.notEqual(fresh.accessToken, token);
    assert.equal(fresh.source, 'cache');
    assert.equal(world.requestsOf(account).length, 1);
  });

  test('two hosts that both use a token renew it once, and both have the new one', async () => {
    const home = await world.home();
    const hosts = [await world.host(home), await world.host(home)];
    const { account, token } = await world.signedIn(hosts[0]);
    const [{ expiresAt }] = (await shown(hosts[0], account)).tokens;
    await hosts[1].call('token.get', { account });
    await renewed(account);
    await Promise.all(hosts.map((host) => host.told('account.changed', (each) => each.account.account === account
      && each.account.state === 'ready' && each.account.tokens[0]?.expiresAt > expiresAt)));
    const tokens = await Promise.all(hosts.map((host) => host.call('token.get', { account })));
    assert.equal(tokens[0].accessToken, tokens[1].accessToken);
    assert.notEqual(tokens[0].accessToken, token);
    await anotherIsRenewed(hosts[1]);
    assert.equal(world.requestsOf(account).length, 1);
  });

  test('with renewAhead false nothing is renewed until it is asked for', async () => {
    const home = await world.home({ renewAhead: false });
    const host = await world.host(home);
    const { account, token } = await world.signedIn(host);
    assert.equal((await shown(host, account)).nextRenewal, null);
    await anotherIsRenewed(await world.host());
    assert.equal(world.requestsOf(account).length, 0);
    assert.equal((await host.call('token.get', { account })).accessToken, token, 'what lives is handed out');
    assert.equal((await host.call('token.get', { account, rejected: sha256(token) })).source, 'renewed');
    assert.equal(world.requestsOf(account).length, 1);
  });

  test('after a restart nothing is renewed before it is asked for, and then only the resource that is', async () => {
    const home = await world.home();
    const first = await world.host(home);
    const account = await world.user();
    assert.equal((await world.signIn(first, account, { scopes: BOTH })).ok, true);
    await first.call('token.get', { account, protocol: 'graph' });
    await first.end();
    const [mail, graph] = [requestsFor(account, OUTLOOK), requestsFor(account, GRAPH)];

    const second = await world.host(home);
    const due = await shown(second, account);
    assert.deepEqual([due.nextRenewal, due.tokens.length], [null, 2]);
    await moment(now() + REFRESH_IN);
    await anotherIsRenewed(second);
    assert.deepEqual([requestsFor(account, OUTLOOK), requestsFor(account, GRAPH)], [mail, graph], 'nobody asked');

    assert.equal((await second.call('token.get', { account })).source, 'cache', 'what is due still lives');
    await renewed(account, mail + graph + 1);
    await anotherIsRenewed(second);
    assert.deepEqual([requestsFor(account, OUTLOOK), requestsFor(account, GRAPH)], [mail + 1, graph]);
  });

  test('a renewal ahead that fails costs nothing: the living token is handed out, and the account waits', async () => {
    const host = await world.host();
    const name = await world.user();
    await world.idp.control({ nextToken: { status: 503, body: '', match: { grant_type: 'refresh_token', user: name } } });
    const { account, token } = await world.signedIn(host, name);
    await renewed(account);
    const { account: told } = await host.told('account.changed', (each) => each.account.account === account && each.account.state === 'waiting');
    assert.equal(told.problem.kind, 'throttled');
    assert.ok(told.nextRenewal > now(), 'and says when it will try again');
    assert.equal((await host.call('token.get', { account })).accessToken, token);
    assert.deepEqual(host.toldSoFar('attention'), []);
  });
});
