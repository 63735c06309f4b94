// SPDX-License-Identifier: MPL-2.0
/** Renewals that fail: what is told, what is kept, and what serves on (DESIGN sections 3.4 to 3.9). */
import assert from 'node:assert/strict';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { giveTo, serverIdentity } from '../servers/processes.mjs';
import { sha256, stateFolder, World } from './world.mjs';

const world = await World.open();
after(() => world.close());

const host = await world.host();

/** A host answers every token.get within 8 s; the rest is what a busy machine adds. */
const ANSWER_LIMIT_MS = 9000;

/** @param {string} account @param {string} [token] that a server has refused */
const renewal = (account, token) => ({ account, ...(token ? { rejected: sha256(token) } : {}) });

/** @param {string} account @param {import('./host.mjs').Host} [of] */
const stateOf = async (account, of = host) => (await of.call('account.list')).accounts.find((/** @type {any} */ each) => each.account === account);

/** @typedef {{ answer: object, kind: string, code: number, data?: object, state: string, waits?: boolean }} Fault */

/** Passing trouble: everything is kept. @type {Record<string, Fault>} */
const PASSING = {
  '429 with Retry-After': { answer: { status: 429, headers: { 'retry-after': '7' }, body: { error: 'temporarily_unavailable' } }, kind: 'throttled', code: 1005, data: { retryAfter: 7 }, state: 'waiting', waits: true },
  '503 with a date': { answer: { status: 503, headers: { 'retry-after': new Date(Date.now() + 3_600_000).toUTCString() }, body: '<html>' }, kind: 'throttled', code: 1005, state: 'waiting', waits: true },
  '429 for a day': { answer: { status: 429, headers: { 'retry-after': '86400' }, body: '' }, kind: 'throttled', code: 1005, data: { retryAfter: 3600 }, state: 'waiting', waits: true },
  500: { answer: { status: 500, body: { error: 'server_error' } }, kind: 'identity-provider', code: 1013, state: 'waiting' },
  408: { answer: { status: 408, body: '' }, kind: 'identity-provider', code: 1013, state: 'waiting' },
  '502 in HTML': { answer: { status: 502, body: '<html><body>Bad gateway</body></html>' }, kind: 'identity-provider', code: 1013, state: 'waiting' },
  '200 in HTML': { answer: { status: 200, body: '<html>log in to the hotel network</html>' }, kind: 'identity-provider', code: 1013, state: 'waiting' },
  '200 without a token': { answer: { status: 200, body: { token_type: 'Bearer', expires_in: 3600 } }, kind: 'identity-provider', code: 1013, state: 'waiting' },
  '200 with a token that is no text': { answer: { status: 200, body: { token_type: 'Bearer', expires_in: 3600, access_token: 5 } }, kind: 'identity-provider', code: 1013, state: 'waiting' },
  '200 with line breaks in the token': { answer: { status: 200, body: { token_type: 'Bearer', expires_in: 3600, access_token: 'a\r\nX: y' } }, kind: 'identity-provider', code: 1013, state: 'waiting' },
  '200 with another token type': { answer: { status: 200, body: { token_type: 'MAC', expires_in: 3600, access_token: 'abc' } }, kind: 'identity-provider', code: 1013, state: 'waiting' },
  '200 with a life of no time': { answer: { status: 200, body: { token_type: 'Bearer', expires_in: 0, access_token: 'abc' } }, kind: 'identity-provider', code: 1013, state: 'waiting' },
  '200 for somebody else': { answer: { status: 200, body: { token_type: 'Bearer', expires_in: 3600, access_token: 'abc', client_info: Buffer.from('{"uid":"x","utid":"y"}').toString('base64url') } }, kind: 'identity-provider', code: 1013, state: 'waiting' },
  'an array': { answer: { status: 200, body: '[]' }, kind: 'identity-provider', code: 1013, state: 'waiting' },
  'nothing at all': { answer: { status: 200, body: '' }, kind: 'identity-provider', code: 1013, state: 'waiting' },
  'a redirect': { answer: { status: 302, headers: { location: 'https://attacker.example/' }, body: '' }, kind: 'identity-provider', code: 1013, state: 'waiting' },
  'an answer of 4 MiB': { answer: { status: 200, body: `{"x":"${'x'.repeat(4 * 1024 * 1024)}"}` }, kind: 'identity-provider', code: 1013, state: 'waiting' },
  '200 KiB of brackets': { answer: { status: 200, body: '['.repeat(200 * 1024) }, kind: 'identity-provider', code: 1013, state: 'waiting' },
  'temporarily_unavailable': { answer: { status: 400, body: { error: 'temporarily_unavailable' } }, kind: 'identity-provider', code: 1013, state: 'waiting' },
};

/** Answers that only the user or the administrator can change: suspended, and the refresh token kept. @type {Record<string, Fault>} */
const LASTING = {
  'bare invalid_grant': { answer: { entra: { error: 'invalid_grant', code: 50173 } }, kind: 'sign-in-required', code: 1001, data: { aadsts: 50173 }, state: 'attention' },
  'MFA': { answer: { entra: { error: 'interaction_required', code: 50076, suberror: 'basic_action' } }, kind: 'interaction-required', code: 1002, data: { aadsts: 50076 }, state: 'attention' },
  'more than MFA': { answer: { entra: { error: 'invalid_grant', code: 53003, suberror: 'message_only' } }, kind: 'interaction-required', code: 1002, state: 'attention' },
  'consent': { answer: { entra: { error: 'invalid_grant', code: 65001, suberror: 'consent_required' } }, kind: 'consent-required', code: 1003, state: 'attention' },
  'the app is unknown': { answer: { status: 401, entra: { error: 'invalid_client', code: 7000218 } }, kind: 'misconfigured', code: 1011, state: 'attention' },
  'the scope is unknown': { answer: { entra: { error: 'invalid_scope', code: 70011 } }, kind: 'misconfigured', code: 1011, state: 'attention' },
  'an error nobody knows': { answer: { status: 400, body: { error: 'sunspots', error_description: '<b>x</b>' } }, kind: 'misconfigured', code: 1011, state: 'attention' },
};

for (const [group, faults] of Object.entries({ passing: PASSING, lasting: LASTING })) {
  test(`${group} trouble is told by its kind, keeps the refresh token, and does not spoil a token that lives`, async (t) => {
    for (const [what, { answer, kind, code, data, state }] of Object.entries(faults)) {
      await t.test(what, async () => {
        const own = await world.host(await world.home());
        const { account, token } = await world.signedIn(own);
        await world.idp.control({ nextToken: { ...answer, match: { user: account } } });
        const refusal = await own.refused('token.get', renewal(account, token));
        assert.deepEqual([refusal.kind, refusal.code, refusal.data.retryable], [kind, code, group === 'passing']);
        for (const [name, value] of Object.entries(data ?? {})) assert.equal(refusal.data[name], value, name);
        assert.doesNotMatch(JSON.stringify(refusal.data), /<b>|attacker|hotel/);
        const seen = await stateOf(account, own);
        assert.deepEqual([seen.state, seen.problem.kind, seen.refreshToken.present], [state, kind, true]);
        assert.ok(Math.abs(seen.problem.since - Date.now() / 1000) < 60);
        assert.equal((await own.call('token.get', { account })).accessToken, token, 'the living token serves on');
        // Another process, or the next start, tries again: what was kept still renews.
        await own.kill();
        const next = await world.host(own.home);
        assert.equal((await next.call('token.get', renewal(account, token))).source, 'renewed');
        assert.deepEqual([(await stateOf(account, next)).state, (await stateOf(account, next)).problem], ['ready', null]);
        await next.kill();
      });
    }
  });
}

test('after Retry-After nobody is asked again before its time, and the answer comes at once', async () => {
  const { account, token } = await world.signedIn(host);
  await world.idp.control({ nextToken: { status: 429, headers: { 'retry-after': '100' }, body: '', match: { user: account } } });
  await host.refused('token.get', renewal(account, token));
  const { kind, data } = await host.refused('token.get', renewal(account, token));
  assert.equal(kind, 'throttled');
  assert.ok(data.retryAfter > 95 && data.retryAfter <= 100);
  assert.equal(world.requestsOf(account).length, 1);
});

test('a kept connection that breaks off is network, nothing is sent twice by itself, and the next try works', async () => {
  const { account, token } = await world.signedIn(host);
  await world.idp.control({ nextToken: { dropConnection: true, match: { user: account } } });
  const { kind, data } = await host.refused('token.get', renewal(account, token));
  assert.deepEqual([kind, data.stage, data.retryable], ['network', 'http', true]);
  assert.equal(world.requestsOf(account).length, 1);
  assert.equal((await host.call('token.get', renewal(account, token))).source, 'renewed');
});

for (const suberror of ['bad_token', 'token_expired']) {
  test(`${suberror} alone ends a refresh token, and the user is told once`, async () => {
    const { account, token } = await world.signedIn(host);
    await world.idp.control({ nextToken: { entra: { error: 'invalid_grant', code: 50173, suberror }, match: { user: account } } });
    const refusal = await host.refused('token.get', renewal(account, token));
    assert.deepEqual([refusal.kind, refusal.data.aadsts], ['sign-in-required', 50173]);
    const { problem } = await host.told('attention', (told) => told.account === account);
    assert.equal(problem.kind, 'sign-in-required');
    const state = await stateOf(account);
    assert.deepEqual([state.state, state.refreshToken.present], ['attention', false]);
    assert.equal((await host.call('token.get', { account })).accessToken, token, 'the access token is still good');
    assert.equal((await host.refused('token.get', renewal(account, token))).kind, 'sign-in-required');
    assert.equal(world.requestsOf(account).length, 1, 'a dead token is not sent again');
    assert.equal(host.toldSoFar('attention').filter((told) => told.account === account).length, 1);
    const restarted = await world.host(host.home);
    assert.equal((await restarted.refused('token.get', renewal(account, token))).kind, 'sign-in-required');
    assert.equal((await world.signIn(host, account)).ok, true);
    assert.deepEqual([(await stateOf(account)).state, (await stateOf(account)).problem], ['ready', null]);
  });
}

test('a reply without a refresh token keeps the old one', async () => {
  const { account, token } = await world.signedIn(host);
  await world.idp.control({ withoutRefreshToken: true });
  const second = await host.call('token.get', renewal(account, token));
  await world.idp.control({ withoutRefreshToken: false });
  assert.equal((await host.call('token.get', renewal(account, second.accessToken))).source, 'renewed');
  assert.equal(new Set(world.requestsOf(account).map(({ parameters }) => parameters.refresh_token)).size, 1);
});

test('trouble with one resource leaves the other alone', async () => {
  const account = await world.user();
  await world.signIn(host, account, { scopes: ['https://outlook.office.com/IMAP.AccessAsUser.All', 'https://graph.microsoft.com/User.Read'] });
  await world.idp.control({ nextToken: { entra: { error: 'invalid_grant', code: 65001, suberror: 'consent_required' }, match: { user: account } } });
  assert.equal((await host.refused('token.get', { account, protocol: 'graph' })).kind, 'consent-required');
  const { accessToken } = await host.call('token.get', { account });
  assert.equal((await host.call('token.get', renewal(account, accessToken))).source, 'renewed');
});

test('a provider that does not answer: every token.get answers within 8 s, and its late answer is kept', async (t) => {
  const living = await world.signedIn(host);
  const refused = await world.signedIn(host);
  const [expired] = await world.expired(host);
  for (const account of [living.account, refused.account, expired]) await world.idp.control({ nextToken: { delayMs: 11_000, match: { user: account } } });

  /** @param {Promise<any>} asked */
  const timed = async (asked) => {
    const started = performance.now();
    const result = await asked;
    return { result, milliseconds: performance.now() - started };
  };
  const [byRejection, byExpiry, behind] = await Promise.all([
    timed(host.refused('token.get', renewal(refused.account, refused.token))),
    timed(host.refused('token.get', { account: expired })),
    // The renewal is under way for somebody whom another token was refused: the living one is good enough here.
    timed(host.refused('token.get', renewal(living.account, living.token))),
  ]);
  for (const { result, milliseconds } of [byRejection, byExpiry, behind]) {
    assert.ok(milliseconds <= ANSWER_LIMIT_MS, `${milliseconds} ms`);
    assert.deepEqual([result.kind, result.data.stage, result.data.retryable], ['network', 'timeout', true]);
  }
  assert.equal((await host.call('token.get', { account: living.account })).accessToken, living.token);
  await t.test('the renewal went on without the caller', async () => {
    await host.told('account.changed', (told) => told.account.account === refused.account && told.account.state === 'ready' && told.account.refreshToken.lastUsedAt > told.account.refreshToken.obtainedAt + 5);
    const { accessToken, source } = await host.call('token.get', renewal(refused.account, refused.token));
    assert.equal(source, 'cache');
    assert.notEqual(accessToken, refused.token);
    assert.equal(world.requestsOf(refused.account).length, 1);
  });
});

test('a renewal that cannot be saved is handed out, and the account shows storage', async () => {
  const home = await world.home();
  const preparing = await world.host(home);
  const { account, token } = await world.signedIn(preparing);
  await preparing.end();
  const user = await world.ordinaryUser();
  await world.configure(home, { caFile: user.caFile });
  await giveTo(home, await serverIdentity());
  const identities = join(stateFolder(home), 'identities');
  const own = await world.host(home, user);
  await chmod(identities, 0o500);
  const renewed = await own.call('token.get', renewal(account, token));
  assert.equal(renewed.source, 'renewed');
  const told = await own.told('account.changed', (each) => each.account.problem?.kind === 'storage');
  assert.ok(told.account.problem.remedy);
  assert.equal((await own.call('token.get', { account })).accessToken, renewed.accessToken, 'and serves from memory');
  const end = await world.signIn(own, account).catch((error) => error);
  assert.equal(end.kind, 'storage', 'but no sign-in is accepted unsaved');
  await chmod(identities, 0o700);
  await own.kill();
});

test('another client id hands nothing out, and the old grant is untouched', async () => {
  const home = await world.home();
  const first = await world.host(home);
  const { account, token } = await world.signedIn(first);
  await first.end();
  for (const change of [{ clientId: '11111111-2222-4333-8444-555555555555' }, { tenant: 'contoso.test' }, { custom: { ...world.custom(), authority: 'https://localhost:1' } }, { clientId: undefined }]) {
    await world.configure(home, change);
    const changed = await world.host(home);
    const refusal = await changed.refused('token.get', { account });
    assert.equal(refusal.kind, 'sign-in-required', JSON.stringify(change));
    assert.match(refusal.data.cause, /changed the app/);
    assert.equal((await stateOf(account, changed)).state, 'attention');
    await changed.end();
  }
  await world.configure(home, {});
  const back = await world.host(home);
  assert.equal((await back.call('token.get', { account })).accessToken, token);
  assert.equal(world.requestsOf(account).length, 0);
});

test('a broken configuration hands out what lives, of whatever cloud it was', async () => {
  const custom = { ...world.custom(), resources: { outlook: 'https://outlook.office365.com', graph: world.idp.graphResource } };
  const home = await world.home({ custom });
  const first = await world.host(home);
  const { account, token } = await world.signedIn(first);
  await first.end();
  await world.configure(home, '{ "cloud": "custom", ');
  const broken = await world.host(home);
  for (const params of [{}, { protocol: 'imap' }, { protocol: 'pop3' }, { protocol: 'smtp' }]) {
    const handed = await broken.call('token.get', { account, ...params });
    assert.deepEqual([handed.accessToken, handed.resource], [token, 'https://outlook.office365.com'], JSON.stringify(params));
  }
  assert.equal((await broken.refused('token.get', { account, protocol: 'graph' })).kind, 'consent-required');
  assert.equal(world.requestsOf(account).length, 0);
});

test('a broken configuration hands out what lives, and renewal answers misconfigured', async () => {
  const home = await world.home();
  const first = await world.host(home);
  const { account, token } = await world.signedIn(first);
  await first.end();
  await world.configure(home, '{ "cloud": "custom", ');
  const broken = await world.host(home);
  assert.equal(broken.welcome.warnings.length, 1);
  assert.equal((await broken.call('token.get', { account })).accessToken, token);
  const refusal = await broken.refused('token.get', renewal(account, token));
  assert.equal(refusal.kind, 'misconfigured');
  assert.match(refusal.data.cause, /config\.json/);
  assert.equal((await broken.refused('signIn.start', { account })).kind, 'misconfigured');
  assert.equal(world.requestsOf(account).length, 0);
});
