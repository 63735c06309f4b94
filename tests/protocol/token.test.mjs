// SPDX-License-Identifier: MPL-2.0
/** Handing out and renewing tokens when all goes well: cache, single flight, rotation, restarts (protocol section 3, token.get). */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { moment, sealedFiles, sha256, World } from './world.mjs';

const world = await World.open({ strictRotation: true });
after(() => world.close());

const host = await world.host();
const OUTLOOK = world.idp.outlookResource;

/** @param {string} account @param {object} [params] */
const token = (account, params = {}) => host.call('token.get', { account, ...params });

/** Signs in while access tokens live so long. @param {number} seconds @param {string} [account] */
async function shortLived(seconds, account) {
  await world.idp.control({ lifetimes: { accessToken: seconds } });
  const signed = await world.signedIn(host, account);
  await world.idp.control({ lifetimes: { accessToken: 4500 } });
  return signed;
}

test('a living token comes from the cache, with what a client needs to know', async () => {
  const { account } = await world.signedIn(host);
  const now = Math.floor(Date.now() / 1000);
  const result = await token(account);
  assert.deepEqual([result.source, result.tokenType, result.resource], ['cache', 'Bearer', OUTLOOK]);
  assert.ok(result.expiresAt > now + 4400 && result.expiresAt <= now + 4501);
  assert.deepEqual(result.scopes.sort(), [`${OUTLOOK}/IMAP.AccessAsUser.All`, `${OUTLOOK}/SMTP.Send`]);
  assert.equal(world.idp.introspect(result.accessToken).username, account);
  for (const params of [{ protocol: 'imap' }, { protocol: 'smtp' }, { protocol: 'pop3' }, { scopes: [] }, { scopes: ['offline_access', 'openid'] },
    { scopes: [`${OUTLOOK}/SMTP.Send`] }, { scopes: [`${OUTLOOK.toUpperCase().replace('HTTPS', 'https')}/smtp.send`] }, { minTtl: 1800 }, { minTtl: 0 }, { rejected: '0'.repeat(64) }]) {
    const again = await token(account, params);
    assert.deepEqual([again.accessToken, again.source], [result.accessToken, 'cache'], JSON.stringify(params));
  }
  assert.equal((await token(account.toUpperCase())).accessToken, result.accessToken, 'names are compared without case');
  assert.equal(world.requestsOf(account).length, 0);
});

test('a rejected token is renewed for the whole resource, and told as account.changed', async () => {
  const { account, token: first } = await world.signedIn(host);
  const renewed = await token(account, { rejected: sha256(first).toUpperCase(), scopes: [`${OUTLOOK}/SMTP.Send`] });
  assert.equal(renewed.source, 'renewed');
  assert.notEqual(renewed.accessToken, first);
  const [request] = world.requestsOf(account);
  assert.equal(request.scope, `${OUTLOOK}/IMAP.AccessAsUser.All ${OUTLOOK}/SMTP.Send offline_access`);
  assert.deepEqual(Object.keys(request.parameters).sort(), ['client_id', 'client_info', 'grant_type', 'refresh_token', 'scope']);
  assert.equal(request.headers.origin, undefined);
  await host.told('account.changed', ({ account: told }) => told.account === account && told.state === 'renewing');
  const { account: now } = await host.told('account.changed', ({ account: told }) => (
    told.account === account && told.state === 'ready' && told.tokens[0]?.expiresAt === renewed.expiresAt));
  assert.equal(now.problem, null);
  assert.equal((await token(account, { rejected: sha256(first) })).source, 'cache', 'the newest is not the rejected one');
});

test('a hundred who ask at once share one token request', async () => {
  const { account, token: first } = await world.signedIn(host);
  const other = await world.signedIn(host);
  await world.idp.control({ nextToken: { delayMs: 200, match: { user: account } } });
  const asked = Array.from({ length: 100 }, (_, index) => token(account, { rejected: sha256(first), protocol: ['imap', 'smtp', 'pop3'][index % 3] }));
  await world.idp.waitForRequest({ endpoint: 'token', grant_type: 'refresh_token', user: account });
  assert.equal((await token(other.account)).source, 'cache', 'another identity does not wait');
  const answers = await Promise.all(asked);
  assert.equal(new Set(answers.map(({ accessToken }) => accessToken)).size, 1);
  assert.ok(answers.every(({ source }) => source === 'renewed'));
  assert.equal(world.requestsOf(account).length, 1);
});

test('an expired token is renewed, a rotated refresh token is kept over restarts, and the old one is not used again', async () => {
  const { account, token: first } = await shortLived(2);
  await moment((await host.call('account.list', { limit: 200 })).accounts.find((/** @type {any} */ each) => each.account === account).tokens[0].expiresAt);
  const second = await token(account);
  assert.equal(second.source, 'renewed');
  assert.notEqual(second.accessToken, first);

  const home = host.home;
  const restarted = await world.host(home);
  const before = world.idp.requests().length;
  const cached = await restarted.call('token.get', { account });
  assert.deepEqual([cached.accessToken, cached.source], [second.accessToken, 'cache']);
  assert.equal(world.idp.requests().length, before, 'a living token costs no request after a restart');

  const third = await restarted.call('token.get', { account, rejected: sha256(second.accessToken) });
  assert.equal(third.source, 'renewed');
  const used = world.requestsOf(account).map(({ parameters }) => parameters.refresh_token);
  assert.equal(new Set(used).size, 2, 'each refresh token was used once');
  await restarted.kill();
});

test('killed at the moment of the answer, a host has already saved what it was given', async () => {
  const home = await world.home();
  const first = await world.host(home);
  const { account, token: rejected } = await world.signedIn(first);
  first.send({ jsonrpc: '2.0', id: 'last', method: 'token.get', params: { account, rejected: sha256(rejected) } });
  const { result } = await first.answer('last');
  await first.kill('SIGKILL');
  const second = await world.host(home);
  const cached = await second.call('token.get', { account });
  assert.deepEqual([cached.accessToken, cached.source], [result.accessToken, 'cache']);
  assert.equal((await second.call('token.get', { account, rejected: sha256(cached.accessToken) })).source, 'renewed');
  assert.ok((await sealedFiles(home)).every((name) => /\.sealed(\.prev)?$/.test(name)), 'no temporary file is left');
});

test('at the end of input a renewal on the wire is waited for and saved, within 2.5 s', async () => {
  const home = await world.home();
  const first = await world.host(home);
  const { account, token: rejected } = await world.signedIn(first);
  await world.idp.control({ nextToken: { delayMs: 1000, match: { user: account } } });
  first.send({ jsonrpc: '2.0', id: 'last', method: 'token.get', params: { account, rejected: sha256(rejected) } });
  await world.idp.waitForRequest({ endpoint: 'token', grant_type: 'refresh_token', user: account });
  const { code, milliseconds } = await first.end();
  assert.equal(code, 0);
  assert.ok(milliseconds < 2500, `${milliseconds} ms`);
  const { result } = await first.answer('last');
  const second = await world.host(home);
  assert.equal((await second.call('token.get', { account })).accessToken, result.accessToken);
});

test('minTtl asks for no more than half of a token\'s life, and a token just issued satisfies it', async () => {
  const { account, token: first } = await shortLived(100);
  assert.equal((await token(account, { minTtl: 1800 })).accessToken, first, 'just issued');
  assert.equal((await token(account)).accessToken, first);
  assert.equal(world.requestsOf(account).length, 0);
});

test('a reply that names fewer scopes ends what is granted; one without scope changes nothing', async () => {
  const { account, token: first } = await world.signedIn(host);
  await world.idp.control({ scopeInAnswer: `${OUTLOOK}/IMAP.AccessAsUser.All` });
  const second = await token(account, { rejected: sha256(first) });
  await world.idp.control({ scopeInAnswer: null });
  assert.deepEqual(second.scopes, [`${OUTLOOK}/IMAP.AccessAsUser.All`]);
  const { kind, data } = await host.refused('token.get', { account, scopes: [`${OUTLOOK}/SMTP.Send`] });
  assert.deepEqual([kind, data.missingScopes], ['consent-required', [`${OUTLOOK}/SMTP.Send`]]);
  const other = await world.signedIn(host);
  await world.idp.control({ scopeInAnswer: false });
  const renewed = await token(other.account, { rejected: sha256(other.token) });
  await world.idp.control({ scopeInAnswer: null });
  assert.equal(renewed.scopes.length, 2);
});

test('what was never granted is consent-required without a request', async () => {
  const { account } = await world.signedIn(host);
  const before = world.idp.requests().length;
  for (const [params, missing] of [[{ protocol: 'graph' }, 'https://graph.microsoft.com/User.Read'], [{ scopes: ['https://graph.microsoft.com/Mail.Send'] }, 'https://graph.microsoft.com/Mail.Send'],
    [{ scopes: [`${OUTLOOK}/POP.AccessAsUser.All`, `${OUTLOOK}/SMTP.Send`] }, `${OUTLOOK}/POP.AccessAsUser.All`], [{ scopes: ['https://attacker.example/read'] }, 'https://attacker.example/read']]) {
    const { kind, data } = await host.refused('token.get', { account, .../** @type {object} */ (params) });
    assert.deepEqual([kind, data.missingScopes], ['consent-required', [missing]]);
  }
  assert.equal(world.idp.requests().length, before);
  const { accounts } = await host.call('account.list', { limit: 200 });
  assert.equal(accounts.find((/** @type {any} */ each) => each.account === account).state, 'ready', 'a question harms no state');
});

test('two renewals a minute are the bound, then throttled; the rest of the account serves on', async () => {
  const { account, token: first } = await world.signedIn(host);
  const second = (await token(account, { rejected: sha256(first) })).accessToken;
  const third = (await token(account, { rejected: sha256(second) })).accessToken;
  const { kind, data } = await host.refused('token.get', { account, rejected: sha256(third) });
  assert.equal(kind, 'throttled');
  assert.ok(data.retryAfter > 0 && data.retryAfter <= 60);
  assert.equal((await token(account)).accessToken, third);
  assert.equal(world.requestsOf(account).length, 2);
});

test('signing out erases the identity\'s tokens here, for all its addresses, on disk too', async () => {
  const home = await world.home();
  const own = await world.host(home);
  const { account } = await world.signedIn(own);
  await own.call('account.add', { account: `shared-${account}`, signInAs: account });
  const result = await own.call('signOut', { account });
  assert.deepEqual(result.accounts.sort(), [`shared-${account}`, account].sort());
  assert.equal(result.revoked, false);
  assert.equal(result.logoutUrl, `${world.idp.authority}/${world.idp.tenant}/oauth2/v2.0/logout`);
  assert.equal(result.remedy, undefined);
  assert.match((await own.call('signOut', { account, everywhere: true })).remedy, /Revoke-MgUserSignInSession/);
  assert.ok((await sealedFiles(home)).every((name) => !name.endsWith('.prev')), 'no older generation holds the grant');
  for (const one of [own, await world.host(home)]) {
    assert.equal((await one.refused('token.get', { account })).kind, 'sign-in-required');
    assert.equal((await one.call('account.list')).accounts[0].state, 'signed-out');
  }
});
