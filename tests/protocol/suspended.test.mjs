// SPDX-License-Identifier: MPL-2.0
/** A refused grant is kept and left alone until there is a reason to try again (DESIGN section 3.5). */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { runCommand } from './host.mjs';
import { sha256, World } from './world.mjs';

const world = await World.open();
after(() => world.close());

const OUTLOOK = 'https://outlook.office.com';
const GRAPH = 'https://graph.microsoft.com';
const BOTH = [`${OUTLOOK}/IMAP.AccessAsUser.All`, `${GRAPH}/User.Read`];

/** The password was changed, says the provider, or so it seems. */
const REFUSED = { error: 'invalid_grant', code: 50133, text: 'expired' };
const CONSENT = { error: 'invalid_grant', code: 65001, suberror: 'consent_required' };

/** Somebody signed in for mail and Graph, with a token for mail alone: one for Graph takes a request. */
async function signedIn() {
  const host = await world.host();
  const account = await world.user();
  const { ok } = await world.signIn(host, account, { scopes: BOTH });
  assert.equal(ok, true);
  return { host, home: host.home, account };
}

/** The provider refuses the next request for the account. @param {string} account @param {object} entra @param {number} [times] */
const refuse = (account, entra, times = 1) => world.idp.control({ nextToken: { entra, times, match: { user: account } } });

/** @param {string} account @param {string} resource */
const requestsFor = (account, resource) => world.requestsOf(account).filter(({ scope }) => scope?.includes(resource)).length;

/** @param {import('./host.mjs').Host} host @param {string} account */
const shown = async (host, account) => (await host.call('account.list')).accounts.find((/** @type {any} */ each) => each.account === account);

/** What of a problem lasts. @param {any} problem */
const lasting = ({ kind, cause, remedy, adminRemedy, aadsts, correlationId, traceId, retryable }) => (
  { kind, cause, remedy, adminRemedy, aadsts, correlationId, traceId, retryable });

test('a refused grant costs one request, though two hosts and a command ask again and again', async () => {
  const { host, home, account } = await signedIn();
  const other = await world.host(home);
  await refuse(account, REFUSED);
  const first = await host.refused('token.get', { account, protocol: 'graph' });
  assert.deepEqual([first.kind, first.data.aadsts], ['sign-in-required', 50133]);
  for (let round = 0; round < 3; round += 1) {
    for (const each of [host, other]) {
      const { data } = await each.refused('token.get', { account, protocol: 'graph' });
      assert.deepEqual(lasting(data), lasting(first.data));
    }
  }
  const { code, stderr } = await runCommand(['token', account, '--protocol', 'graph'], { home });
  assert.equal(code, 77);
  assert.ok(stderr.includes(first.data.cause) && stderr.includes(first.data.remedy), stderr);
  assert.equal(requestsFor(account, GRAPH), 1);
  assert.equal(host.toldSoFar('attention').length, 1, 'told once');
});

test('a new start of a native host tries once more: in vain, with the same words and since when', async () => {
  const { host, home, account } = await signedIn();
  await refuse(account, REFUSED, 2);
  const before = await host.refused('token.get', { account, protocol: 'graph' });
  const { problem } = await shown(host, account);
  await host.end();
  const next = await world.host(home);
  for (let round = 0; round < 2; round += 1) {
    const { data } = await next.refused('token.get', { account, protocol: 'graph' });
    for (const name of ['kind', 'cause', 'remedy', 'aadsts']) assert.equal(data[name], before.data[name], name);
  }
  assert.equal(requestsFor(account, GRAPH), 2);
  assert.equal((await shown(next, account)).problem.since, problem.since);
});

test('a new start of a native host tries once more, and heals all', async () => {
  const { host, home, account } = await signedIn();
  await refuse(account, REFUSED);
  await host.refused('token.get', { account, protocol: 'graph' });
  const next = await world.host(home);
  assert.equal(requestsFor(account, GRAPH), 1, 'not before it is asked');
  const { accessToken } = await next.call('token.get', { account, protocol: 'graph' });
  await host.told('account.changed', (told) => told.account.account === account && told.account.state === 'ready' && told.account.tokens.length === 2);
  assert.equal((await host.call('token.get', { account, protocol: 'graph' })).accessToken, accessToken);
  assert.equal(requestsFor(account, GRAPH), 2);
});

test('thunderseal renew tries again, and a running host goes on with what it got', async () => {
  const { host, home, account } = await signedIn();
  const { accessToken: token } = await host.call('token.get', { account });
  await refuse(account, REFUSED);
  await host.refused('token.get', { account, rejected: sha256(token) });
  assert.equal((await shown(host, account)).state, 'attention');
  const { code, stdout } = await runCommand(['renew'], { home });
  assert.deepEqual([code, stdout], [0, `${account}  renewed\n`]);
  await host.told('account.changed', (told) => told.account.account === account && told.account.state === 'ready' && told.account.problem === null);
  const { accessToken, source } = await host.call('token.get', { account, rejected: sha256(token) });
  assert.notEqual(accessToken, token);
  assert.equal(source, 'cache');
  assert.equal(requestsFor(account, OUTLOOK), 2);
});

test('thunderseal renew tries again for a resource that has no token yet', async () => {
  const { host, home, account } = await signedIn();
  await refuse(account, REFUSED);
  await host.refused('token.get', { account, protocol: 'graph' });
  assert.equal((await runCommand(['renew'], { home })).code, 0);
  assert.equal(requestsFor(account, GRAPH), 2);
  await host.call('token.get', { account, protocol: 'graph' });
  assert.equal(requestsFor(account, GRAPH), 2);
});

test('what Graph lacks does not stop mail', async () => {
  const { host, account } = await signedIn();
  const { accessToken: token } = await host.call('token.get', { account });
  await refuse(account, CONSENT);
  const { kind, data } = await host.refused('token.get', { account, protocol: 'graph' });
  assert.equal(kind, 'consent-required');
  assert.match(data.consentUrl, /^https:/);
  assert.equal((await host.call('token.get', { account, rejected: sha256(token) })).source, 'renewed');
  const { state, problem } = await shown(host, account);
  assert.deepEqual([state, problem.kind, problem.resource], ['attention', 'consent-required', GRAPH]);
  assert.equal((await host.refused('token.get', { account, protocol: 'graph' })).kind, 'consent-required');
  assert.equal(requestsFor(account, GRAPH), 1);
});

test('a dead grant stays dead over restarts, with the same words and since when, and costs no request more', async () => {
  const { host, home, account } = await signedIn();
  await world.idp.control({ revoke: account });
  await host.refused('token.get', { account, protocol: 'graph' });
  const { problem } = await shown(host, account);
  assert.equal(problem.aadsts, 50173);
  await host.end();
  for (let start = 0; start < 2; start += 1) {
    const next = await world.host(home);
    const { state, problem: again, refreshToken } = await shown(next, account);
    assert.deepEqual([state, { ...again, resource: problem.resource }, refreshToken.present], ['attention', problem, false]);
    assert.deepEqual(lasting((await next.refused('token.get', { account, protocol: 'graph' })).data), lasting(problem));
    await next.end();
  }
  assert.equal((await runCommand(['renew', '--all'], { home })).code, 77);
  assert.equal(world.requestsOf(account).length, 1);
  const last = await world.host(home);
  assert.equal((await world.signIn(last, account)).ok, true);
  await last.end();
  const healed = await shown(await world.host(home), account);
  assert.deepEqual([healed.state, healed.problem], ['ready', null]);
});

test('a sign-in ends the suspension of every resource, in every host', async () => {
  const { host, home, account } = await signedIn();
  const other = await world.host(home);
  await refuse(account, REFUSED);
  await host.refused('token.get', { account, protocol: 'graph' });
  assert.equal((await world.signIn(other, account, { scopes: BOTH })).ok, true);
  await host.told('account.changed', (told) => told.account.account === account && told.account.state === 'ready' && told.account.problem === null);
  assert.equal((await host.call('token.get', { account, protocol: 'graph' })).source, 'renewed');
});
