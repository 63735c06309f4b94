// SPDX-License-Identifier: MPL-2.0
/** health.check (PROTOCOL section 3): the computer, the configuration, the sign-in service, sign-in and token. */
import assert from 'node:assert/strict';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeCertificates } from '../servers/certificates.mjs';
import { startMail } from '../servers/mail.mjs';
import { startRawServer } from '../servers/raw_https.mjs';
import { assertSkipped, assertTrouble, check, IDS, one, server, statuses } from './health_world.mjs';
import { moment, stateFolder, World } from './world.mjs';

const world = await World.open();
const mail = await startMail({ folder: join(world.folder, 'mail'), identityProvider: world.idp });
after(async () => { await mail.stop(); await world.close(); });

const custom = (change = {}) => ({ ...world.custom(), imap: `localhost:${mail.imap.port}`, smtp: `localhost:${mail.smtp.port}/starttls`, ...change });

/** Somebody who is signed in, and their host. @param {object} [change] of the configuration */
async function signedIn(change = {}) {
  const home = await world.home({ custom: custom(), ...change });
  const host = await world.host(home);
  const { account, token } = await world.signedIn(host);
  return { home, host, account, token };
}

/** A host that never asked for a token, and whose token has expired. @param {object} [change] of the configuration */
async function signedInLongAgo(change = {}) {
  await world.idp.control({ lifetimes: { accessToken: 2 } });
  const { home, host, account } = await signedIn(change);
  const { accounts: [{ tokens: [{ expiresAt }] }] } = await host.call('account.list');
  await world.idp.control({ lifetimes: { accessToken: 75 * 60 } });
  await host.end();
  await moment(expiresAt + 1);
  return { home, account, host: await world.host(home) };
}

/** @param {import('./host.mjs').Host} host @param {string} account */
async function stateOf(host, account) {
  const { accounts } = await host.call('account.list');
  return accounts.find((/** @type {any} */ each) => each.account === account).state;
}

test('where all is well every check says so, and each is told as it ends', async () => {
  const { host, account, token } = await signedIn();
  const servers = [
    server(account, 'imap', mail.imap.port, { offlineCopy: true }), server(account, 'smtp', mail.smtp.port),
  ];
  host.send({ jsonrpc: '2.0', id: 'mine', method: 'health.check', params: { servers } });
  const { result: { report } } = await host.answer('mine');
  assert.equal(report.overall, 'ok', JSON.stringify(report));
  assert.deepEqual(report.checks.map((/** @type {any} */ { id }) => id), IDS);
  assert.deepEqual(statuses(report), { ...Object.fromEntries(IDS.map((id) => [id, 'ok'])), pop3: 'skipped', graph: 'skipped' });
  const told = host.toldSoFar('health.progress');
  assert.deepEqual(told.map(({ id, done, total }) => [id, done, total]), IDS.map((_id, i) => ['mine', i + 1, IDS.length]));
  assert.deepEqual(told.map(({ check: { id } }) => id).sort(), [...IDS].sort());
  assert.deepEqual([one(report, 'token').evidence.user, one(report, 'token').evidence.audience], [account, world.idp.outlookResource]);
  const { ipv4, tls, proxy } = one(report, 'authority').evidence;
  assert.equal(ipv4.address, '127.0.0.1');
  assert.ok([ipv4.dnsMs, ipv4.connectMs, ipv4.tlsMs].every((each) => each >= 0));
  assert.deepEqual([tls.version, proxy], ['TLSv1.3', 'none']);
  assert.match(tls.issuer, /Thunderseal test authority/);
  const { entries } = await host.call('audit.read', {});
  const noted = entries.at(-1);
  assert.deepEqual([noted.event, noted.what], ['health-checked', 'ok']);
  const said = JSON.stringify(host.messages.filter((message) => !message.result?.accessToken));
  world.idp.issued().forEach(({ value }) => { if (value) assert.ok(!said.includes(value), 'no token is told'); });
  assert.ok(token && !said.includes(token));
});

test('only what was asked for is told, and what it builds upon counts', async () => {
  const { host, account } = await signedIn();
  const report = await check(host, { checks: ['imap', 'versions'] });
  assert.deepEqual(report.checks.map(({ id, status }) => [id, status]), [['versions', 'ok'], ['imap', 'ok']]);
  await host.call('signOut', { account });
  const after_ = await check(host, { accounts: [account], checks: ['imap'] });
  assert.deepEqual([after_.overall, after_.checks.length], ['fail', 1]);
  assertTrouble(after_, 'imap', 'fail', 'sign-in-required');
});

test('params that the contract does not know are refused', async () => {
  const { host, account } = await signedIn();
  for (const params of [
    { checks: ['imap', 'everything'] }, { checks: 'imap' }, { accounts: account }, { accounts: ['nobody'] }, { servers: [{}] }, { probes: [] },
    { servers: [server(account, 'nntp', 119)] }, { servers: [server(account, 'imap', 0)] }, { servers: [server(account, 'imap', 993, { secret: 1 })] },
    { servers: [server(account, 'imap', 993, { hostname: 'x'.repeat(300) })] }, { servers: [server(account, 'imap', 993, { offlineCopy: 1 })] },
  ]) assert.equal((await host.refused('health.check', params)).kind, 'invalid-params', JSON.stringify(params));
  assert.equal((await host.refused('health.check', { accounts: ['nobody@contoso.test'] })).kind, 'unknown-account');
});

test('an old Thunderbird is told', async () => {
  const home = await world.home();
  const host = await world.host(home, {}, { thunderbird: { version: '128.4.0esr' } });
  const found = assertTrouble(await check(host, { checks: ['versions'] }), 'versions', 'fail', 'too-old');
  assert.equal(found.evidence.thunderbird, '128.4.0esr');
});

test('a configuration that does not count is told with its file', async () => {
  const host = await world.host(await world.home('{ "tenant": 7 }'));
  const found = assertTrouble(await check(host, { checks: ['policy'] }), 'policy', 'fail', 'misconfigured');
  assert.match(found.detail, /tenant/);
});

test('saved sign-ins that others can open are told, and a changed audit log', async () => {
  const { home, host } = await signedIn();
  await chmod(stateFolder(home), 0o755);
  assertTrouble(await check(host, { checks: ['vault'] }), 'vault', 'fail', 'mode');
  await chmod(stateFolder(home), 0o700);
  const log = join(stateFolder(home), 'audit.jsonl');
  const text = await readFile(log, 'utf8');
  await writeFile(log, text.replace('"event":"account-added"', '"event":"account-moved"'));
  assertTrouble(await check(host, { checks: ['audit'] }), 'audit', 'fail', 'changed');
});

test('a locked vault is one failure, and what builds upon it is skipped', async () => {
  const home = await world.home({ custom: custom(), keystore: 'passphrase' });
  const host = await world.host(home);
  await host.call('vault.unlock', { passphrase: 'a passphrase of some length' });
  const { account } = await world.signedIn(host);
  await host.end();
  const later = await world.host(home);
  const report = await check(later, { accounts: [account] });
  assertTrouble(report, 'vault', 'fail', 'vault-locked');
  assertSkipped(report, 'sign-in', /locked/);
  assertSkipped(report, 'token', /"Sign-in", which was skipped/);
  assertSkipped(report, 'imap', /"Access token", which was skipped/);
  assert.equal(one(report, 'audit').status, 'skipped');
});

for (const [seconds, status] of /** @type {const} */ ([[-100, 'warn'], [100, 'warn'], [-400, 'fail'], [400, 'fail']]))
  test(`a clock ${seconds} s off the sign-in service's is a ${status}`, async () => {
    const { host } = await signedIn();
    const { headers, status: code, text } = { headers: { date: new Date(Date.now() - seconds * 1000).toUTCString() }, status: 200, text: '{"token_endpoint":"x"}' };
    await world.idp.control({ next: { discovery: { status: code, body: text, headers } } });
    const found = one(await check(host, { checks: ['clock'] }), 'clock');
    assert.equal(found.status, status);
    assert.ok(Math.abs(found.evidence.aheadSeconds - seconds) <= 3);
    assert.match(found.remedy ?? '', /timedatectl/);
  });

test('a sign-in service that cannot be reached does not hinder a token at hand; without one, the token is skipped', async () => {
  const { host } = await signedIn();
  const late = await signedInLongAgo();
  await world.idp.goAway();
  try {
    const report = await check(host);
    assertTrouble(report, 'authority', 'fail', 'connect');
    assert.deepEqual([one(report, 'token').status, one(report, 'imap').status, one(report, 'clock').status], ['ok', 'fail', 'skipped']);
    const lateReport = await check(late.host);
    assertTrouble(lateReport, 'authority', 'fail', 'connect');
    assertSkipped(lateReport, 'token', /"Sign-in service", which failed/);
    assertSkipped(lateReport, 'smtp', /"Access token"/);
  } finally {
    await world.idp.comeBack();
  }
});

test('who stands between this computer and the sign-in service is named', async () => {
  const folder = join(world.folder, 'interceptor');
  const other = await makeCertificates({ folder, authorityName: 'Contoso inspection' });
  const cases = /** @type {const} */ ([
    ['tls-interception', other.server, /Contoso inspection/],
    ['certificate-name', await world.idp.certificates.issue('elsewhere', ['elsewhere.test']), /elsewhere\.test/],
    ['certificate-expired', await world.idp.certificates.issue('stale', ['localhost'], true), /not valid at this time/],
  ]);
  for (const [cause, certificate, says] of cases) {
    const raw = await startRawServer({ certificate });
    const host = await world.host(await world.home({ custom: custom({ authority: `https://localhost:${raw.port}` }) }));
    const found = assertTrouble(await check(host, { checks: ['authority'] }), 'authority', 'fail', cause);
    assert.match(found.detail, says);
    assert.deepEqual(raw.requests, [], 'nothing is sent to whom nobody vouches for');
    await raw.stop();
  }
});

test('a sign-in service that does not know the tenant, or speaks for another server, is told', async () => {
  const unknown = await world.host(await world.home({ tenant: 'nowhere.test' }));
  assertTrouble(await check(unknown, { checks: ['authority'] }), 'authority', 'fail', 'tenant');
  const { host } = await signedIn();
  await world.idp.control({ next: { discovery: { status: 200, body: { token_endpoint: 'https://evil.example/token' } } } });
  assertTrouble(await check(host, { checks: ['authority'] }), 'authority', 'fail', 'discovery');
  await world.idp.control({ next: { discovery: { status: 200, body: '<html>Welcome to the hotel</html>' } } });
  assert.equal(one(await check(host, { checks: ['authority'] }), 'authority').status, 'warn');
});

test('who is not signed in fails there alone', async () => {
  const { host, account } = await signedIn();
  await host.call('signOut', { account });
  const report = await check(host, { accounts: [account] });
  const found = assertTrouble(report, 'sign-in', 'fail', 'sign-in-required');
  assert.equal(found.evidence.refreshToken, false);
  for (const id of ['token', 'scopes']) assertSkipped(report, id, /"Sign-in", which failed/);
  assertSkipped(report, 'imap', /"Access token", which was skipped/);
});

test('a token that is refused is told with Entra\'s ids, and the account stays as it was', async () => {
  const { host, account } = await signedInLongAgo();
  assert.equal(await stateOf(host, account), 'ready');
  await world.idp.control({ nextToken: { entra: { error: 'interaction_required', code: 50076, suberror: 'basic_action' } } });
  const report = await check(host, { accounts: [account] });
  const found = assertTrouble(report, 'token', 'fail', 'interaction-required');
  assert.equal(found.evidence.aadsts, 50076);
  assert.match(found.evidence.correlationId, /^[0-9a-f-]{36}$/);
  assert.equal(one(report, 'sign-in').status, 'ok');
  assertSkipped(report, 'imap', /"Access token", which failed/);
  assert.equal(await stateOf(host, account), 'ready');
  assert.deepEqual(host.toldSoFar('attention'), []);
});

test('a token that had expired is renewed, once for all checks', async () => {
  const { host, account } = await signedInLongAgo();
  const before = world.requestsOf(account).length;
  const report = await check(host, { accounts: [account] });
  assert.deepEqual([one(report, 'token').status, one(report, 'token').evidence.source], ['ok', 'renewed']);
  assert.deepEqual([one(report, 'imap').status, one(report, 'smtp').status], ['ok', 'ok']);
  assert.equal(world.requestsOf(account).length, before + 1);
});

test('a token that nobody can read is no fault', async () => {
  await world.idp.control({ opaqueAccessTokens: true });
  const { host, account } = await signedIn();
  await world.idp.control({ opaqueAccessTokens: false });
  const found = one(await check(host, { accounts: [account], checks: ['token'] }), 'token');
  assert.deepEqual([found.status, found.evidence.form], ['ok', 'opaque']);
});

test('permissions that are missing, or more than mail needs, are told', async () => {
  const { host, account } = await signedIn();
  const servers = [server(account, 'pop3', 995)];
  const found = assertTrouble(await check(host, { servers, checks: ['scopes'] }), 'scopes', 'fail', 'consent-required');
  assert.deepEqual(found.evidence.missing, [`${world.idp.outlookResource}/POP.AccessAsUser.All`]);
  assert.match(found.adminRemedy ?? '', /consent/);
  await world.idp.control({ scopeInAnswer: `${world.idp.outlookResource}/IMAP.AccessAsUser.All ${world.idp.outlookResource}/SMTP.Send ${world.idp.outlookResource}/Calendars.ReadWrite` });
  const more = await signedIn();
  await world.idp.control({ scopeInAnswer: null });
  assertTrouble(await check(more.host, { checks: ['scopes'] }), 'scopes', 'warn', 'more-than-needed');
});

test('a check that is cancelled while a token is on its way leaves nothing behind', async () => {
  const { host, account } = await signedInLongAgo();
  await world.idp.control({ nextToken: { delayMs: 2000, match: { user: account } } });
  host.send({ jsonrpc: '2.0', id: 'waits', method: 'health.check', params: { checks: ['token'] } });
  await world.idp.waitForRequest({ endpoint: 'token', grant_type: 'refresh_token', user: account });
  host.notify('cancel', { id: 'waits' });
  assert.equal((await host.answer('waits')).error.data.kind, 'cancelled');
  assert.equal((await check(host, { checks: ['versions'] })).overall, 'ok');
  assert.ok((await host.call('token.get', { account })).accessToken, 'the request went on by itself');
  assert.equal((await host.end()).code, 0);
});

test('of a proxy that cannot be used its password is not told', async () => {
  const { home, host } = await signedIn();
  await host.end();
  await world.configure(home, { custom: custom(), proxy: 'http://user:p#ssw0rd@proxy.test:8080' });
  const again = await world.host(home);
  const report = await check(again, { checks: ['authority'] });
  assert.equal(one(report, 'authority').status, 'fail');
  assert.ok(!JSON.stringify([report, again.messages]).includes('ssw0rd'), JSON.stringify(report));
});
