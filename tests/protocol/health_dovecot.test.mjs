// SPDX-License-Identifier: MPL-2.0
/** health.check (PROTOCOL section 3) on a real Dovecot, by IMAP, POP and its submission service: all well, and what can be wrong with a token. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { signIn } from '../servers/https_client.mjs';
import { startMail } from '../servers/mail.mjs';
import { assertTrouble, check, one, server } from './health_world.mjs';
import { moment, sha256, World } from './world.mjs';

const world = await World.open();
const mail = await startMail({ folder: join(world.folder, 'mail'), identityProvider: world.idp });
after(async () => { await mail.stop(); await world.close(); });

const { outlookResource: outlook, graphResource: graph } = world.idp;
const MAIL = ['IMAP.AccessAsUser.All', 'POP.AccessAsUser.All', 'SMTP.Send'].map((name) => `${outlook}/${name}`);
const PROBES = ['imap', 'pop3', 'smtp'];

/** All of Dovecot's ways in. @param {string} account */
const ways = (account) => [
  server(account, 'imap', mail.imap.port), server(account, 'imap', mail.imap.startTlsPort, { socketType: 'starttls' }),
  server(account, 'pop3', mail.pop3.port), server(account, 'pop3', mail.pop3.startTlsPort, { socketType: 'starttls' }),
  server(account, 'smtp', mail.submission.tlsPort, { socketType: 'tls' }), server(account, 'smtp', mail.submission.port),
];

/** @param {string} [account] @param {string[]} [scopes] */
async function signedIn(account, scopes = MAIL) {
  const host = await world.host();
  const name = account ?? await world.user();
  const { ok } = await world.signIn(host, name, { scopes });
  assert.ok(ok);
  return { host, account: name, token: (await host.call('token.get', { account: name })).accessToken };
}

/** The checks of all ways, by what each came to. @param {import('./host.mjs').Host} host @param {string} account */
async function outcomes(host, account) {
  const { checks } = await check(host, { servers: ways(account), checks: ['token', ...PROBES] });
  const probes = checks.filter(({ id }) => PROBES.includes(id));
  assert.equal(probes.length, 6);
  return { token: checks.find(({ id }) => id === 'token'), probes };
}

/** @param {import('./health_world.mjs').Check[]} probes @param {string} status @param {string} [cause] */
function assertAll(probes, status, cause) {
  probes.forEach((each) => assert.deepEqual([each.status, each.causes?.[0]], [status, cause], JSON.stringify(each)));
}

/** Has the next renewal bring this token. @param {import('./host.mjs').Host} host @param {string} account @param {string} token @param {string} other */
async function exchangeToken(host, account, token, other) {
  const body = { token_type: 'Bearer', access_token: other, expires_in: 3600, scope: MAIL.join(' ') };
  await world.idp.control({ nextToken: { status: 200, body, match: { user: account } } });
  assert.equal((await host.call('token.get', { account, rejected: sha256(token) })).accessToken, other);
}

for (const [form, opaqueAccessTokens] of /** @type {[string, number | false][]} */ ([['as Exchange has them', false], ['that nobody can read', 300]])) {
  test(`all ways lead to the mailbox, with tokens ${form}`, async () => {
    await world.idp.control({ opaqueAccessTokens });
    const { host, account } = await signedIn();
    await world.idp.control({ opaqueAccessTokens: false });
    const { token, probes } = await outcomes(host, account);
    assert.equal(token?.status, 'ok');
    assertAll(probes, 'ok');
    probes.forEach(({ evidence }) => assert.equal(evidence.stage, 'done'));
    assert.deepEqual(mail.sent(), []);
  });

  test(`somebody else's mailbox, with tokens ${form}`, async () => {
    await world.idp.control({ opaqueAccessTokens });
    const owner = await world.user('owner');
    const host = await world.host();
    const account = await world.user('shared');
    await host.call('account.add', { account, signInAs: owner });
    assert.ok((await world.signIn(host, account, { scopes: MAIL })).ok);
    await world.idp.control({ opaqueAccessTokens: false });
    const { probes } = await outcomes(host, account);
    assertAll(probes, 'fail', 'no-permission');
    probes.forEach(({ evidence, adminRemedy }) => {
      assert.deepEqual([evidence.stage, evidence.failure], ['auth', 'refused']);
      assert.match(adminRemedy ?? '', /Add-MailboxPermission/);
    });
  });
}

test('a token for another service is told, and goes nowhere', async () => {
  const { host, account, token } = await signedIn(undefined, [...MAIL, `${graph}/User.Read`]);
  await exchangeToken(host, account, token, (await host.call('token.get', { account, protocol: 'graph' })).accessToken);
  const logins = mail.logins().length;
  const report = await check(host, { servers: ways(account).slice(0, 1), checks: ['token', 'imap'] });
  assertTrouble(report, 'token', 'fail', 'wrong-audience');
  assert.equal(one(report, 'imap').status, 'skipped');
  assertAll([one(await check(host, { servers: ways(account).slice(0, 1), checks: ['imap'] }), 'imap')], 'fail', 'wrong-audience');
  assert.equal(mail.logins().length, logins);
});

test('a token that has run out, though its answer said otherwise', async () => {
  const { host, account, token } = await signedIn();
  await world.idp.control({ lifetimes: { accessToken: 1 }, autoLogin: account });
  const { access_token: stale } = await signIn(world.idp);
  await world.idp.control({ lifetimes: { accessToken: 4500 }, autoLogin: true });
  await moment(JSON.parse(Buffer.from(stale.split('.')[1], 'base64url').toString()).exp + 1);
  await exchangeToken(host, account, token, stale);
  const found = await outcomes(host, account);
  assert.deepEqual([found.token?.status, found.token?.causes?.[0]], ['warn', 'clock']);
  assertAll(found.probes, 'fail', 'token-expired');
});

test('a sign-in that was revoked: the servers do not say so, the sign-in service does', async () => {
  const { host, account } = await signedIn();
  await world.idp.control({ revoke: account });
  const asked = world.requestsOf(account).length;
  const { probes } = await outcomes(host, account);
  assertAll(probes, 'fail', 'sign-in');
  probes.forEach(({ detail, remedy, evidence }) => {
    assert.match(`${detail} ${remedy}`, /withdrawn.*[Ss]ign in/);
    assert.deepEqual([evidence.stage, evidence.failure], ['auth', 'refused']);
  });
  assert.equal(world.requestsOf(account).length, asked + 1, 'one renewal answers for all');
});

test('a token that was revoked, while the sign-in is good: a fresh one opens the mailbox', async () => {
  const { host, account, token } = await signedIn();
  await world.idp.control({ revokeToken: token });
  const asked = world.requestsOf(account).length;
  const { probes } = await outcomes(host, account);
  assertAll(probes, 'ok');
  assert.ok(probes.some(({ detail }) => /fresh/.test(detail)));
  assert.equal(world.requestsOf(account).length, asked + 1);
});

test('a mailbox that takes no token, however fresh: what an administrator has to switch on, at the price of one renewal', async () => {
  const { host, account } = await signedIn();
  await world.idp.control({ mailRefuses: true });
  const asked = world.requestsOf(account).length;
  const { probes } = await outcomes(host, account);
  await world.idp.control({ mailRefuses: false });
  assert.deepEqual(probes.map(({ status, causes }) => [status, causes?.[0]]), ['imap-disabled', 'pop-disabled', 'smtp-auth-disabled-mailbox'].flatMap((cause) => [['fail', cause], ['fail', cause]]));
  assert.equal(world.requestsOf(account).length, asked + 1);
  assert.equal((await host.call('account.list')).accounts[0].state, 'ready');
});
