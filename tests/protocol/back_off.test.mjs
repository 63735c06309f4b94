// SPDX-License-Identifier: MPL-2.0
/** Passing trouble: no storm, nothing lost, and it heals (DESIGN section 3.4). */
import assert from 'node:assert/strict';
import { uptime } from 'node:os';
import { after, test } from 'node:test';
import { moment, sha256, World } from './world.mjs';

const world = await World.open();
after(() => world.close());

const OUTLOOK = 'https://outlook.office.com';
const GRAPH = 'https://graph.microsoft.com';
const BOTH = [`${OUTLOOK}/IMAP.AccessAsUser.All`, `${GRAPH}/User.Read`];
const FIRST_BACK_OFF_S = 4;

/** Somebody signed in for mail and Graph, with a token for mail alone: one for Graph takes a request. */
async function signedIn() {
  const host = await world.host();
  const account = await world.user();
  assert.equal((await world.signIn(host, account, { scopes: BOTH })).ok, true);
  return { host, account };
}

/** What the provider answers the next request for the account. @param {string} account @param {object} answer */
const next = (account, answer) => world.idp.control({ nextToken: { ...answer, match: { user: account } } });

/** @param {import('./host.mjs').Host} host @param {string} account */
const shown = async (host, account) => (await host.call('account.list')).accounts.find((/** @type {any} */ each) => each.account === account);

/** Waits as long as an answer said. @param {{ retryAfter: number }} data */
const afterIt = ({ retryAfter }) => moment(Date.now() / 1000 + retryAfter);

/** Waits until a second of the uptime begins: the host counts these whole, and the shortest back-off ends with the next one. */
const secondBegins = () => moment(Date.now() / 1000 + 1 - uptime() % 1);

test('after a 500 the next answers come at once and without a request, until the back-off is over', async () => {
  const { host, account } = await signedIn();
  await next(account, { status: 500, body: 'oops' });
  await secondBegins();
  const first = await host.refused('token.get', { account, protocol: 'graph' });
  assert.deepEqual([first.kind, first.data.retryable], ['identity-provider', true]);
  const again = await host.refused('token.get', { account, protocol: 'graph' });
  assert.deepEqual([again.kind, again.data.cause], [first.kind, first.data.cause]);
  assert.ok(again.data.retryAfter >= 1 && again.data.retryAfter <= FIRST_BACK_OFF_S, `${again.data.retryAfter} s`);
  assert.equal(world.requestsOf(account).length, 1);
  assert.equal((await shown(host, account)).state, 'waiting');

  await afterIt(again.data);
  assert.equal((await host.call('token.get', { account, protocol: 'graph' })).source, 'renewed');
  assert.equal(world.requestsOf(account).length, 2);
  await host.told('account.changed', (told) => told.account.account === account && told.account.state === 'ready' && told.account.problem === null);
  assert.deepEqual(host.toldSoFar('attention'), [], 'nobody is bothered');
});

test('Retry-After is kept to, by each resource for itself', async () => {
  const { host, account } = await signedIn();
  const { accessToken: token } = await host.call('token.get', { account });
  await next(account, { status: 429, body: '', headers: { 'retry-after': '600' } });
  const graph = await host.refused('token.get', { account, protocol: 'graph' });
  assert.equal(graph.kind, 'throttled');
  assert.ok(graph.data.retryAfter > 590 && graph.data.retryAfter <= 600, `${graph.data.retryAfter} s`);

  await next(account, { status: 503, body: '', headers: { 'retry-after': '4' } });
  const rejected = sha256(token);
  assert.equal((await host.refused('token.get', { account, rejected })).kind, 'throttled', 'mail was tried');
  assert.equal((await host.call('token.get', { account })).accessToken, token, 'what lives is handed out');
  const mail = await host.refused('token.get', { account, rejected });
  assert.ok(mail.data.retryAfter <= 4, `${mail.data.retryAfter} s`);
  assert.equal(world.requestsOf(account).length, 2);

  await afterIt(mail.data);
  assert.equal((await host.call('token.get', { account, rejected })).source, 'renewed');
  assert.ok((await host.refused('token.get', { account, protocol: 'graph' })).data.retryAfter > 500, 'what mail got helps Graph nothing');
  assert.equal(world.requestsOf(account).length, 3);
  const [first, second] = world.requestsOf(account).filter(({ scope }) => scope?.includes(OUTLOOK));
  assert.ok(second.at - first.at >= 3000, `${second.at - first.at} ms`);
});

test('an absurd Retry-After is taken for an hour', async () => {
  const { host, account } = await signedIn();
  await next(account, { status: 503, body: '', headers: { 'retry-after': '99999999' } });
  const { data } = await host.refused('token.get', { account, protocol: 'graph' });
  assert.ok(data.retryAfter > 3500 && data.retryAfter <= 3600, `${data.retryAfter} s`);
});

test('after a broken connection the next try may go at once; after a second one it waits', async () => {
  const { host, account } = await signedIn();
  await next(account, { dropConnection: true });
  const first = await host.refused('token.get', { account, protocol: 'graph' });
  assert.deepEqual([first.kind, first.data.retryable], ['network', true]);
  assert.equal((await shown(host, account)).state, 'waiting');
  assert.equal((await host.call('token.get', { account, protocol: 'graph' })).source, 'renewed');
  assert.equal(world.requestsOf(account).length, 2);

  const other = await signedIn();
  await next(other.account, { dropConnection: true, times: 2 });
  const asked = () => other.host.refused('token.get', { account: other.account, protocol: 'graph' });
  await secondBegins();
  assert.equal((await asked()).kind, 'network');
  assert.equal((await asked()).kind, 'network');
  const third = await asked();
  assert.equal(third.kind, 'network');
  assert.ok(third.data.retryAfter >= 1 && third.data.retryAfter <= 2 * FIRST_BACK_OFF_S);
  assert.equal(world.requestsOf(other.account).length, 2);
});

test('a provider that was away is asked again at once, and all that time the living token was handed out', async () => {
  const { host, account } = await signedIn();
  const { accessToken: token } = await host.call('token.get', { account });
  await world.idp.goAway();
  const away = await host.refused('token.get', { account, protocol: 'graph' });
  assert.deepEqual([away.kind, away.data.retryable], ['network', true]);
  assert.equal((await host.call('token.get', { account })).accessToken, token);
  await world.idp.comeBack();
  assert.equal((await host.call('token.get', { account, protocol: 'graph' })).source, 'renewed');
});

test('trouble of one process is not another\'s: it tries for itself', async () => {
  const { host, account } = await signedIn();
  const other = await world.host(host.home);
  await next(account, { status: 500, body: '' });
  await host.refused('token.get', { account, protocol: 'graph' });
  const { accessToken } = await other.call('token.get', { account, protocol: 'graph' });
  await host.told('account.changed', (told) => told.account.account === account && told.account.state === 'ready' && told.account.tokens.length === 2);
  assert.equal((await host.call('token.get', { account, protocol: 'graph' })).accessToken, accessToken);
  assert.equal(world.requestsOf(account).length, 2);
});
