// SPDX-License-Identifier: MPL-2.0
/**
 * What the identity provider may answer to a renewal, and what each answer means: the kind, whether trying again helps, the
 * exit status of the command line, and that only bad_token and token_expired cost the refresh token (DESIGN 3.4 to 3.6).
 */
import assert from 'node:assert/strict';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runCommand } from './host.mjs';
import { World } from './world.mjs';

const world = await World.open();
after(() => world.close());

/** Exit statuses of protocol section 2. @type {Record<string, number>} */
const EXIT = {
  'sign-in-required': 77, 'interaction-required': 77, 'consent-required': 77, throttled: 75, cancelled: 130,
  misconfigured: 78, blocked: 77, 'identity-provider': 69,
};

const RETRYABLE = new Set(['throttled', 'identity-provider']);

/** Whatever the server says of itself must reach nobody. */
const HOSTILE = 'CALL-0900-1234';

const inSeconds = (/** @type {number} */ seconds) => new Date(Date.now() + seconds * 1000).toUTCString();

const CLAIMS = '{"access_token":{"polids":{"essential":true,"Values":["5ca1ab1e-0000-4000-8000-000000000000"]}}}';

/** @typedef {{ answer: object, kind: string, retryAfter?: [number, number], aadsts?: number, dead?: boolean, adminRemedy?: RegExp }} Case */

/** An error without a number. @param {string} error @param {string} kind @param {object} [body] @param {number} [status] @returns {Case} */
const bare = (error, kind, body = {}, status = 400) => ({ answer: { status, body: { error, error_description: HOSTILE, ...body } }, kind });

/** An error in Entra's shape. @param {number} code @param {string} kind @param {object} [more] @returns {Case} */
const entra = (code, kind, { error = 'invalid_grant', status = 400, suberror = undefined, claims = undefined, ...expected } = /** @type {any} */ ({})) => (
  { answer: { status, entra: { error, code, suberror, claims, text: HOSTILE } }, kind, aadsts: code, ...expected });

/** An answer that is no OAuth answer. @param {number} status @param {string | object} body @param {Record<string, string>} [headers] @param {object} [expected] @returns {Case} */
const strange = (status, body, headers = {}, expected = {}) => ({ answer: { status, body, headers }, kind: 'identity-provider', ...expected });

const THROTTLED = { kind: 'throttled' };
const good = { token_type: 'Bearer', access_token: 'abc', expires_in: 3600, refresh_token: 'def' };
const without = (/** @type {string} */ name) => Object.fromEntries(Object.entries(good).filter(([key]) => key !== name));

/** @type {Record<string, Record<string, Case>>} */
const GROUPS = {
  'every error': {
    invalid_grant: bare('invalid_grant', 'sign-in-required'),
    login_required: bare('login_required', 'sign-in-required'),
    interaction_required: bare('interaction_required', 'interaction-required'),
    consent_required: bare('consent_required', 'consent-required'),
    invalid_client: bare('invalid_client', 'misconfigured', {}, 401),
    unauthorized_client: bare('unauthorized_client', 'misconfigured'),
    invalid_resource: bare('invalid_resource', 'misconfigured'),
    invalid_scope: bare('invalid_scope', 'misconfigured'),
    unsupported_grant_type: bare('unsupported_grant_type', 'misconfigured'),
    invalid_request: bare('invalid_request', 'misconfigured'),
    'one that nobody knows': bare(HOSTILE, 'misconfigured'),
    temporarily_unavailable: bare('temporarily_unavailable', 'identity-provider'),
    server_error: bare('server_error', 'identity-provider'),
    authorization_pending: bare('authorization_pending', 'identity-provider'),
    slow_down: { ...bare('slow_down', 'throttled'), retryAfter: [60, 60] },
    authorization_declined: bare('authorization_declined', 'cancelled'),
    access_denied: bare('access_denied', 'cancelled'),
    expired_token: bare('expired_token', 'sign-in-required'),
    code_expired: bare('code_expired', 'sign-in-required'),
    bad_verification_code: bare('bad_verification_code', 'sign-in-required'),
    'a status of its own': bare('invalid_grant', 'sign-in-required', {}, 403),
  },
  'every suberror': {
    bad_token: { ...bare('invalid_grant', 'sign-in-required', { suberror: 'bad_token' }), dead: true },
    token_expired: { ...bare('invalid_grant', 'sign-in-required', { suberror: 'token_expired' }), dead: true },
    consent_required: bare('invalid_grant', 'consent-required', { suberror: 'consent_required' }),
    basic_action: bare('invalid_grant', 'interaction-required', { suberror: 'basic_action' }),
    additional_action: bare('invalid_grant', 'interaction-required', { suberror: 'additional_action' }),
    message_only: bare('invalid_grant', 'interaction-required', { suberror: 'message_only' }),
    user_password_expired: bare('invalid_grant', 'sign-in-required', { suberror: 'user_password_expired' }),
    client_mismatch: bare('invalid_grant', 'sign-in-required', { suberror: 'client_mismatch' }),
    protection_policy_required: bare('unauthorized_client', 'misconfigured', { suberror: 'protection_policy_required' }),
    'one that nobody knows': bare('invalid_grant', 'sign-in-required', { suberror: HOSTILE }),
    'bad_token in capitals': bare('invalid_grant', 'sign-in-required', { suberror: 'BAD_TOKEN' }),
    'bad_token in a list': bare('invalid_grant', 'sign-in-required', { suberror: ['bad_token'] }),
    'bad_token as the error': bare('bad_token', 'misconfigured'),
    'bad_token with trouble that passes': bare('temporarily_unavailable', 'identity-provider', { suberror: 'bad_token' }),
    'bad_token with 503': { ...bare('invalid_grant', 'throttled', { suberror: 'bad_token' }, 503), retryAfter: [60, 60] },
    'bad_token with 500': bare('invalid_grant', 'identity-provider', { suberror: 'bad_token' }, 500),
  },
  claims: {
    'with invalid_grant': bare('invalid_grant', 'interaction-required', { claims: CLAIMS }),
    'with interaction_required': bare('interaction_required', 'interaction-required', { claims: CLAIMS }),
    'that are no text': bare('invalid_grant', 'sign-in-required', { claims: JSON.parse(CLAIMS) }),
    'that are no object': bare('invalid_grant', 'sign-in-required', { claims: `["${HOSTILE}"]` }),
    'with consent_required': bare('invalid_grant', 'consent-required', { claims: CLAIMS, suberror: 'consent_required' }),
  },
  'numbers of each class': {
    'T: a passing fault': entra(50033, 'identity-provider'),
    'T: the loop guard': entra(50196, 'throttled', { retryAfter: [60, 60] }),
    'T: too much from the tenant': entra(90055, 'throttled', { retryAfter: [60, 60] }),
    'T: the server at the office': entra(80002, 'identity-provider', { adminRemedy: /agents/ }),
    'T with 5xx': entra(90033, 'identity-provider', { error: 'server_error', status: 500 }),
    'T with basic_action': entra(50196, 'throttled', { suberror: 'basic_action', retryAfter: [60, 60] }),
    'T does not save what bad_token ends': entra(50196, 'sign-in-required', { suberror: 'bad_token', dead: true }),
    'U: inactivity': entra(700082, 'sign-in-required', { adminRemedy: /90 days/ }),
    'M: second factor': entra(50076, 'interaction-required'),
    'M: sign-in frequency': entra(70043, 'interaction-required', { adminRemedy: /frequency/ }),
    'M with interaction_required and claims': entra(50079, 'interaction-required', { error: 'interaction_required', suberror: 'basic_action', claims: CLAIMS }),
    'A: no consent': entra(65001, 'consent-required', { adminRemedy: /consent/ }),
    'A: only an administrator may consent': entra(90094, 'consent-required'),
    'A: not assigned': entra(50105, 'blocked', { adminRemedy: /Assign/ }),
    'C: the app is not public': entra(7000218, 'misconfigured', { error: 'invalid_client', status: 401, adminRemedy: /public client flows/ }),
    'C: an app of one tenant': entra(50194, 'misconfigured', { error: 'invalid_request', adminRemedy: /tenant/ }),
    'C: several resources': entra(70011, 'misconfigured', { error: 'invalid_scope' }),
    'W: unknown user': entra(50034, 'sign-in-required'),
    'W: another organisation': entra(50020, 'sign-in-required', { error: 'invalid_request' }),
    'R: withdrawn': entra(50173, 'sign-in-required', { adminRemedy: /audit log/ }),
    'R: password changed': entra(50133, 'sign-in-required'),
    'B: disabled': entra(50057, 'blocked', { adminRemedy: /Enable/ }),
    'B: conditional access': entra(53003, 'blocked', { error: 'interaction_required', adminRemedy: /Conditional Access/ }),
    'B, but suberror says browser': entra(53003, 'interaction-required', { suberror: 'message_only', claims: CLAIMS }),
    'unknown with invalid_grant': entra(7654321, 'sign-in-required'),
    'unknown with interaction_required': entra(7654321, 'interaction-required', { error: 'interaction_required' }),
    'unknown with 500': entra(7654321, 'identity-provider', { status: 500 }),
    'unknown with invalid_request': entra(7654321, 'misconfigured', { error: 'invalid_request' }),
    'a number that is none': bare('invalid_grant', 'sign-in-required', { error_codes: ['50196', -1, 1e300] }),
  },
  'every status': {
    408: strange(408, ''),
    429: strange(429, '', {}, { ...THROTTLED, retryAfter: [60, 60] }),
    '429 with seconds': strange(429, { error: 'temporarily_unavailable' }, { 'retry-after': '7' }, { ...THROTTLED, retryAfter: [7, 7] }),
    '429 with a date': strange(429, '', { 'retry-after': inSeconds(1800) }, { ...THROTTLED, retryAfter: [1500, 1800] }),
    '429 for a day': strange(429, '', { 'retry-after': '86400' }, { ...THROTTLED, retryAfter: [3600, 3600] }),
    '429 until tomorrow': strange(429, '', { 'retry-after': inSeconds(86400) }, { ...THROTTLED, retryAfter: [3600, 3600] }),
    '429 until yesterday': strange(429, '', { 'retry-after': inSeconds(-86400) }, { ...THROTTLED, retryAfter: [60, 60] }),
    '429 with nonsense': strange(429, '', { 'retry-after': HOSTILE }, { ...THROTTLED, retryAfter: [60, 60] }),
    500: strange(500, ''),
    '500 with seconds': strange(500, '', { 'retry-after': '30' }, { retryAfter: [30, 30] }),
    502: strange(502, `<html>${HOSTILE}</html>`),
    503: strange(503, '<html>', {}, { ...THROTTLED, retryAfter: [60, 60] }),
    '503 with a date': strange(503, '<html>', { 'retry-after': inSeconds(900) }, { ...THROTTLED, retryAfter: [600, 900] }),
    '503 with seconds': strange(503, { error: 'invalid_client' }, { 'retry-after': '3601' }, { ...THROTTLED, retryAfter: [3600, 3600] }),
    504: strange(504, '', { 'retry-after': '5' }, { retryAfter: [5, 5] }),
    '400 with seconds': { ...bare('temporarily_unavailable', 'identity-provider'), answer: { status: 400, headers: { 'retry-after': '9' }, body: { error: 'temporarily_unavailable' } }, retryAfter: [9, 9] },
    404: strange(404, `<html>${HOSTILE}</html>`),
    302: strange(302, '', { location: 'https://attacker.example/' }),
    '307 with an error': strange(307, { error: 'invalid_grant', suberror: 'bad_token' }, { location: 'https://attacker.example/' }),
  },
  'answers of no known form': {
    'HTML with 200': strange(200, `<html>${HOSTILE}</html>`),
    'HTML with 400': strange(400, `<html>${HOSTILE}</html>`),
    'nothing with 200': strange(200, ''),
    'nothing with 400': strange(400, ''),
    'an array with 200': strange(200, [good]),
    'an array with 400': strange(400, [{ error: 'invalid_grant', suberror: 'bad_token' }]),
    'no access token': strange(200, without('access_token')),
    'no lifetime': strange(200, without('expires_in')),
    'no token type': strange(200, without('token_type')),
    'another token type': strange(200, { ...good, token_type: 'pop' }),
    'an access token twice': strange(200, '{"token_type":"Bearer","expires_in":3600,"access_token":"a","access_token":"b"}'),
    'an error twice': strange(400, '{"error":"invalid_grant","suberror":"bad_token","error":"invalid_grant"}'),
    'a lifetime below nothing': strange(200, { ...good, expires_in: -1 }),
    'an error with 200': strange(200, { error: 'invalid_grant', suberror: 'bad_token' }),
    'an error that is no text': strange(400, { error: { code: 'invalid_grant' }, suberror: 'bad_token' }),
    'no error': strange(400, { suberror: 'bad_token', error_codes: [50173] }),
    'JSON cut short': strange(400, '{"error":"invalid_grant","suberror":"bad_token"'),
    'a refresh token over two lines': strange(200, { ...good, refresh_token: 'a\nb' }),
    'more than 64 KiB with 400': strange(400, { error: 'invalid_grant', suberror: 'bad_token', error_description: 'x'.repeat(70_000) }),
    'more than 64 KiB with 200': strange(200, { ...good, padding: 'x'.repeat(70_000) }),
  },
};

/** A home whose only account has a refresh token and an access token that has run out: every case gets a copy. */
const template = await world.home();
const preparing = await world.host(template);
const [account] = await world.expired(preparing);
await preparing.end();

/** @param {string} home @param {Case} expected @returns {Promise<any>} what was told */
async function byProtocol(home, { kind, retryAfter, aadsts, dead = false, adminRemedy }) {
  const host = await world.host(home);
  const { kind: told, data } = await host.refused('token.get', { account });
  assert.deepEqual([told, data.retryable, data.aadsts], [kind, RETRYABLE.has(kind), aadsts]);
  const [least, most] = retryAfter ?? [undefined, undefined];
  if (least === undefined) assert.equal(data.retryAfter, undefined);
  else assert.ok(data.retryAfter >= least && data.retryAfter <= /** @type {number} */ (most), `${data.retryAfter}`);
  assert.ok(data.cause.length > 10 && data.remedy.length > 10);
  if (adminRemedy) assert.match(data.adminRemedy, adminRemedy);
  const [listed] = (await host.call('account.list')).accounts;
  assert.deepEqual([listed.refreshToken.present, listed.problem.kind], [!dead, kind]);
  assert.doesNotMatch(JSON.stringify(host.messages) + host.stderr, new RegExp(`${HOSTILE}|attacker`));
  await host.end();
  return data;
}

/** @param {string} home @param {Case} expected @param {any} data */
async function byCommandLine(home, { kind, dead }, data) {
  const { code, stdout, stderr } = await runCommand(['token', account], { home });
  assert.deepEqual([code, stdout], [EXIT[kind], '']);
  assert.match(stderr, /^thunderseal: [^\n]+\n$/);
  if (!dead) assert.equal(stderr, `thunderseal: ${data.cause} ${data.remedy}\n`);
}

let homes = 0;

for (const [group, cases] of Object.entries(GROUPS)) {
  test(group, async (t) => {
    for (const [what, expected] of Object.entries(cases)) {
      await t.test(what, async () => {
        homes += 1;
        const home = join(world.folder, `answer-${homes}`);
        await cp(template, home, { recursive: true });
        await world.idp.control({ alwaysToken: expected.answer });
        await byCommandLine(home, expected, await byProtocol(home, expected));
      });
    }
  });
}

test('what was kept through all of that still renews', async () => {
  await world.idp.control({ alwaysToken: null });
  const host = await world.host(template);
  assert.equal((await host.call('token.get', { account })).source, 'renewed');
});
