// SPDX-License-Identifier: MPL-2.0
/** Signing in by the code flow: signIn.start to signIn.finished (protocol section 3, DESIGN section 3.8). */
import assert from 'node:assert/strict';
import { chmod, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { after, test } from 'node:test';
import { portAnswers } from '../servers/loopback.mjs';
import { sealedFiles, stateFolder, World } from './world.mjs';

const world = await World.open();
after(() => world.close());

const host = await world.host();
const queryOf = (/** @type {string} */ url) => Object.fromEntries(new URL(url).searchParams);
const portOf = (/** @type {string} */ url) => Number(new URL(queryOf(url).redirect_uri).port);

/** @param {string} account @param {object} [params] */
const start = (account, params = {}) => host.call('signIn.start', { account, ...params });

/** @param {string} id */
const finished = (id) => host.told('signIn.finished', ({ signInId }) => signInId === id);

/** @param {string} id */
const retried = (id) => host.told('signIn.retry', ({ signInId }) => signInId === id);

/** @param {string} account */
const stateOf = async (account) => (await host.call('account.list', { limit: 200 })).accounts.find((/** @type {any} */ each) => each.account === account);

/** Lets the next sign-ins be somebody else's, until the returned function is called. @param {string} upn */
async function somebodyElse(upn) {
  await world.idp.control({ autoLogin: upn });
  return () => world.idp.control({ autoLogin: true });
}

test('the authorization URL asks by PKCE for the mail scopes and nothing else', async () => {
  const account = await world.user();
  const now = Math.floor(Date.now() / 1000);
  const { authorizationUrl, flow, expiresAt, signInId } = await start(account);
  assert.equal(flow, 'browser');
  assert.ok(expiresAt >= now + 298 && expiresAt <= now + 302);
  const url = new URL(authorizationUrl);
  assert.equal(url.origin + url.pathname, `${world.idp.authority}/${world.idp.tenant}/oauth2/v2.0/authorize`);
  const { state, nonce, code_challenge: challenge, redirect_uri: redirect, scope, ...rest } = queryOf(authorizationUrl);
  assert.deepEqual(rest, {
    client_id: world.idp.clientId, response_type: 'code', response_mode: 'query', code_challenge_method: 'S256', login_hint: account,
  });
  assert.deepEqual(scope.split(' ').sort(), [
    'https://outlook.office.com/IMAP.AccessAsUser.All', 'https://outlook.office.com/SMTP.Send', 'offline_access', 'openid', 'profile']);
  assert.match(redirect, /^http:\/\/localhost:\d+$/);
  for (const random of [state, nonce, challenge]) assert.match(random, /^[\w-]{43}$/);
  assert.equal(new Set([state, nonce, challenge]).size, 3);
  const other = queryOf((await start(await world.user())).authorizationUrl);
  assert.ok(other.state !== state && other.nonce !== nonce && other.code_challenge !== challenge);
  await host.call('signIn.cancel', { signInId });
});

test('a sign-in ends with ready, told in order: signing-in, finished, ready', async () => {
  const account = await world.user();
  const { signInId, authorizationUrl } = await start(account);
  assert.equal((await stateOf(account)).state, 'signing-in');
  const page = await world.answer(authorizationUrl);
  assert.equal(page.status, 200);
  const end = await finished(signInId);
  assert.deepEqual(end, { signInId, account, ok: true });
  const states = () => host.toldSoFar('account.changed').filter((told) => told.account.account === account).map((told) => told.account.state);
  await host.told('account.changed', (told) => told.account.account === account && told.account.state === 'ready');
  assert.deepEqual(states(), ['signing-in', 'ready']);
  const state = await stateOf(account);
  assert.equal(state.method, 'browser');
  assert.match(state.homeAccountId, new RegExp(`^[\\w-]+\\.${world.idp.tenant}$`));
  assert.equal(state.problem, null);
  assert.equal(state.refreshToken.present, true);
  assert.equal(state.refreshToken.idleExpiresAt - state.refreshToken.lastUsedAt, 90 * 86400);
  assert.deepEqual(state.tokens.map((/** @type {any} */ { resource }) => resource), [world.idp.outlookResource]);
  assert.equal((await host.call('token.get', { account })).source, 'cache', 'the code brought a token');
  assert.equal(world.requestsOf(account).length, 0);
});

test('the redirect host is the one of the configuration', async () => {
  const numeric = await world.host(await world.home({ redirectHost: '127.0.0.1' }));
  const { ok } = await world.signIn(numeric, await world.user());
  assert.equal(ok, true);
});

test('scopes may span resources, and each resource gets a token of its own', async () => {
  const account = await world.user();
  const mail = ['https://outlook.office.com/IMAP.AccessAsUser.All', 'https://outlook.office.com/POP.AccessAsUser.All'];
  const scopes = [...mail, 'https://graph.microsoft.com/User.Read', 'offline_access'];
  assert.equal((await world.signIn(host, account, { scopes })).ok, true);
  const [request] = world.requestsOf(account, 'authorization_code');
  assert.ok(!request.scope?.includes('graph.microsoft.com'), 'one resource to a token request');
  assert.deepEqual((await host.call('token.get', { account, protocol: 'pop3' })).scopes.sort(), mail);
  const graph = await host.call('token.get', { account, protocol: 'graph' });
  assert.equal(graph.source, 'renewed');
  assert.deepEqual([graph.resource, graph.scopes], ['https://graph.microsoft.com', ['https://graph.microsoft.com/User.Read']]);
});

test('the wrong person is told, leaves the sign-in open, and the right one may follow', async () => {
  const account = await world.user();
  const stop = await somebodyElse('ben@contoso.test');
  const { signInId, authorizationUrl } = await start(account);
  await world.answer(authorizationUrl);
  const { problem } = await retried(signInId);
  assert.equal(problem.kind, 'wrong-account');
  assert.equal(problem.signedInAs, 'ben@contoso.test');
  assert.match(problem.cause, new RegExp(account));
  assert.match(problem.remedy, /ben@contoso\.test is your sign-in name/);
  assert.equal((await stateOf(account)).state, 'signing-in');
  await stop();
  await world.answer(authorizationUrl);
  assert.equal((await finished(signInId)).ok, true);
});

test('the third wrong person ends the sign-in, and nothing of them is stored', async () => {
  const account = await world.user();
  const stop = await somebodyElse('cleo@contoso.test');
  const { signInId, authorizationUrl } = await start(account);
  for (let attempt = 1; attempt <= 2; attempt += 1) {
    await world.answer(authorizationUrl);
    assert.equal((await retried(signInId)).problem.kind, 'wrong-account');
  }
  await world.answer(authorizationUrl);
  const end = await finished(signInId);
  await stop();
  assert.deepEqual([end.ok, end.problem.kind, end.problem.signedInAs], [false, 'wrong-account', 'cleo@contoso.test']);
  assert.equal(host.toldSoFar('signIn.retry').filter((told) => told.signInId === signInId).length, 2);
  assert.equal(await portAnswers(portOf(authorizationUrl)), false);
  const state = await stateOf(account);
  assert.deepEqual([state.state, state.refreshToken, state.tokens], ['attention', null, []]);
  assert.equal((await host.refused('token.get', { account })).kind, 'sign-in-required');
});

test('an account that is somebody else\'s sign-in name is set right by account.add and a new sign-in', async () => {
  const mailbox = `shared-${await world.user()}`;
  const owner = await world.user();
  const stop = await somebodyElse(owner);
  const first = await start(mailbox);
  await world.answer(first.authorizationUrl);
  const { problem } = await retried(first.signInId);
  await host.call('account.add', { account: mailbox, signInAs: problem.signedInAs });
  const second = await start(mailbox);
  assert.equal(queryOf(second.authorizationUrl).login_hint, owner);
  await world.answer(second.authorizationUrl);
  assert.equal((await finished(second.signInId)).ok, true);
  await stop();
  const { accessToken } = await host.call('token.get', { account: mailbox });
  assert.equal(world.idp.introspect(accessToken).username, owner);
});

test('who is in the id token decides: never its email, and upn for preferred_username', async () => {
  const [byEmail, byUpn, byCase] = [await world.user(), await world.user(), await world.user()];
  const sign = async (/** @type {string} */ account, /** @type {object} */ claims, /** @type {(id: string) => Promise<any>} */ outcome) => {
    await world.idp.control({ idTokenClaims: claims });
    const { signInId, authorizationUrl } = await start(account);
    await world.answer(authorizationUrl);
    const told = await outcome(signInId);
    await world.idp.control({ idTokenClaims: null });
    return told;
  };
  const email = await sign(byEmail, { preferred_username: 'x@contoso.test', email: byEmail }, retried);
  assert.equal(email.problem.kind, 'wrong-account');
  assert.equal((await sign(byUpn, { preferred_username: null, upn: byUpn }, finished)).ok, true);
  assert.equal((await sign(byCase, { preferred_username: byCase.toUpperCase() }, finished)).ok, true);
  for (const [claims, kind] of [[{ nonce: 'another' }, 'identity-provider'], [{ nonce: null }, 'identity-provider'], [{ aud: 'another-client' }, 'identity-provider'],
    [{ preferred_username: null, upn: null }, 'wrong-account'], [{ preferred_username: '\u001b[31m@x', upn: null }, 'wrong-account']]) {
    const { problem } = await sign(await world.user(), /** @type {any} */ (claims), retried);
    assert.equal(problem.kind, kind, JSON.stringify(claims));
    assert.doesNotMatch(JSON.stringify(problem), /\\u001b/);
  }
});

test('a later sign-in must be the same person, by object id', async () => {
  const { account, token } = await world.signedIn(host);
  await world.idp.control({ idTokenClaims: { oid: 'e0000000-0000-4000-8000-000000000009' } });
  const { signInId, authorizationUrl } = await start(account);
  await world.answer(authorizationUrl);
  assert.equal((await retried(signInId)).problem.kind, 'wrong-account');
  await world.idp.control({ idTokenClaims: null });
  assert.equal((await host.call('token.get', { account })).accessToken, token, 'what was there serves on');
  await host.call('signIn.cancel', { signInId });
  assert.equal((await stateOf(account)).state, 'ready');
});

test('a user who refuses ends the sign-in at once with cancelled', async () => {
  const account = await world.user();
  await world.idp.control({ userDenies: true });
  const { signInId, authorizationUrl } = await start(account);
  const page = await world.answer(authorizationUrl);
  await world.idp.control({ userDenies: false });
  assert.match(page.text, /not completed/);
  const end = await finished(signInId);
  assert.deepEqual([end.ok, end.problem.kind], [false, 'cancelled']);
  assert.equal(host.toldSoFar('signIn.retry').filter((told) => told.signInId === signInId).length, 0);
  assert.equal(await portAnswers(portOf(authorizationUrl)), false);
});

test('a refused code leaves the sign-in open', async () => {
  const account = await world.user();
  await world.idp.control({ nextToken: { entra: { error: 'invalid_grant', code: 70008, text: 'expired' }, match: { user: account } } });
  const { signInId, authorizationUrl } = await start(account);
  await world.answer(authorizationUrl);
  const { problem } = await retried(signInId);
  assert.equal(problem.aadsts, 70008);
  await world.answer(authorizationUrl);
  assert.equal((await finished(signInId)).ok, true);
});

test('a sign-in without a refresh token fails with consent-required and says what is missing', async () => {
  const account = await world.user();
  await world.idp.control({ withoutRefreshToken: true });
  const end = await world.signIn(host, account);
  await world.idp.control({ withoutRefreshToken: false });
  assert.deepEqual([end.ok, end.problem.kind, end.problem.missingScopes], [false, 'consent-required', ['offline_access']]);
  assert.equal((await host.refused('token.get', { account })).kind, 'sign-in-required');
});

test('a second start cancels the first, and only the second can finish', async () => {
  const account = await world.user();
  const first = await start(account);
  const redirect = await world.redirectOf(first.authorizationUrl);
  const second = await start(account);
  assert.notEqual(first.signInId, second.signInId);
  const end = await finished(first.signInId);
  assert.deepEqual([end.ok, end.problem.kind], [false, 'cancelled']);
  assert.equal(await portAnswers(Number(new URL(redirect).port)), false);
  await world.answer(second.authorizationUrl);
  assert.equal((await finished(second.signInId)).ok, true);
});

test('signIn.cancel ends it, once', async () => {
  const account = await world.user();
  const { signInId, authorizationUrl } = await start(account);
  assert.deepEqual(await host.call('signIn.cancel', { signInId }), {});
  assert.equal((await finished(signInId)).problem.kind, 'cancelled');
  assert.equal((await host.refused('signIn.cancel', { signInId })).data.field, 'signInId');
  assert.equal(await portAnswers(portOf(authorizationUrl)), false);
  assert.deepEqual([(await stateOf(account)).state, (await stateOf(account)).problem], ['signed-out', null]);
});

test('flows, scopes and settings that forbid a sign-in are told before any URL', async () => {
  assert.equal((await host.refused('signIn.start', { account: await world.user(), flow: 'device' })).kind, 'policy-denied');
  const before = world.idp.counts().authorize;
  const withoutApp = await world.host(await world.home({ clientId: undefined }));
  const { kind, data } = await withoutApp.refused('signIn.start', { account: 'ada@contoso.test' });
  assert.equal(kind, 'misconfigured');
  assert.match(data.remedy, /clientId|client id/);
  assert.ok(data.adminRemedy);
  const deviceOnly = await world.host(await world.home({ flows: ['device'] }));
  assert.equal((await deviceOnly.refused('signIn.start', { account: 'ada@contoso.test' })).kind, 'policy-denied');
  for (const change of [{ cloud: 'usgov', tenant: 'consumers' }, { custom: undefined }]) {
    const broken = await world.host(await world.home(change));
    assert.equal((await broken.refused('signIn.start', { account: 'ada@contoso.test' })).kind, 'misconfigured', JSON.stringify(change));
  }
  assert.equal(world.idp.counts().authorize, before);
});

test('a vault that cannot be written is told before any URL, and the sign-in is not lost half-way', async () => {
  const home = await world.home();
  await mkdir(dirname(stateFolder(home)), { recursive: true });
  const user = await world.ordinaryUser(home);
  await world.configure(home, { caFile: user.caFile });
  const ordinary = await world.ordinaryUser(home);
  const blocked = await world.host(home, ordinary);
  await chmod(dirname(stateFolder(home)), 0o500);
  const { kind, data } = await blocked.refused('signIn.start', { account: 'ada@contoso.test' });
  assert.equal(kind, 'storage');
  assert.ok(data.remedy);
  assert.deepEqual(blocked.toldSoFar('signIn.finished'), []);
  assert.deepEqual(await sealedFiles(home), []);
  await chmod(dirname(stateFolder(home)), 0o700);
  const { signInId } = await blocked.call('signIn.start', { account: 'ada@contoso.test' });
  await blocked.call('signIn.cancel', { signInId });
});
