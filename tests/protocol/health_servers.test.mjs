// SPDX-License-Identifier: MPL-2.0
/** health.check (PROTOCOL section 3): servers, who gets a token, how many connections at a time; and its end. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startExchange } from '../servers/mail/exchange.mjs';
import { startGraph } from '../servers/mail/graph.mjs';
import { startMail } from '../servers/mail.mjs';
import { startRawServer } from '../servers/raw_https.mjs';
import { assertSkipped, assertTrouble, check, one, server, startGate } from './health_world.mjs';
import { World } from './world.mjs';

const world = await World.open();
const mail = await startMail({ folder: join(world.folder, 'mail'), identityProvider: world.idp, sharedMailboxes: {} });
after(async () => { await mail.stop(); await world.close(); });

const certificate = world.idp.certificates.server;
const custom = (change = {}) => ({ ...world.custom(), imap: `localhost:${mail.imap.port}`, smtp: `localhost:${mail.smtp.port}/starttls`, ...change });

/** @param {object} [change] of the endpoints @param {string[]} [scopes] that are asked for */
async function signedIn(change = {}, scopes) {
  const host = await world.host(await world.home({ custom: custom(change) }));
  const account = await world.user();
  const { ok } = await world.signIn(host, account, scopes ? { scopes } : {});
  assert.ok(ok);
  return { host, account };
}

/** A server for mail that must hear nothing. */
async function silentServer() {
  const exchange = await startExchange({ protocol: 'imap', certificate });
  after(() => exchange.stop());
  return { exchange, assertUntouched: () => assert.deepEqual(exchange.heard, []) };
}

test('a token goes to no host that the configuration does not name', async () => {
  const { host, account } = await signedIn();
  const { exchange, assertUntouched } = await silentServer();
  for (const hostname of ['127.0.0.1', 'localhost.', 'localhost.evil.example', 'outlook.office365.com', '[::1]', '']) {
    const report = await check(host, { servers: [server(account, 'imap', exchange.port, { hostname })] });
    const found = assertTrouble(report, 'settings', 'fail', 'foreign-host');
    assert.ok(found.detail.includes(hostname));
    assertSkipped(report, 'imap', /"Server settings", which failed/);
    assert.equal(report.overall, 'fail');
  }
  const graph = await check(host, { servers: [server(account, 'graph', exchange.port)], checks: ['settings', 'graph'] });
  assertTrouble(graph, 'settings', 'fail', 'foreign-host');
  assertUntouched();
});

test('a server without encryption is never probed, one that is signed in to with a password is', async () => {
  const { host, account } = await signedIn();
  const { exchange, assertUntouched } = await silentServer();
  const plain = await check(host, { servers: [server(account, 'imap', exchange.port, { socketType: 'plain' })] });
  assertTrouble(plain, 'settings', 'fail', 'not-encrypted');
  assertSkipped(plain, 'imap', /"Server settings", which failed/);
  assertUntouched();
  const password = await check(host, { servers: [server(account, 'imap', mail.imap.port, { authMethod: 'password' })] });
  assertTrouble(password, 'settings', 'fail', 'password');
  assertTrouble(password, 'deadlines', 'fail', 'password-retired');
  assert.equal(one(password, 'imap').status, 'ok');
  const sending = await check(host, { servers: [server(account, 'smtp', mail.smtp.port, { authMethod: 'password' })] });
  assertTrouble(sending, 'settings', 'warn', 'password');
  const other = await check(host, { servers: [server(account, 'imap', mail.imap.port, { authMethod: 'other' })], checks: ['settings'] });
  assertTrouble(other, 'settings', 'fail', 'auth-method');
});

test('one bad server keeps no good one from being probed', async () => {
  const { host, account } = await signedIn();
  const servers = [server(account, 'imap', mail.imap.port), server(account, 'imap', 993, { hostname: 'imap.evil.example' }), server(account, 'smtp', mail.smtp.port)];
  const report = await check(host, { servers, checks: ['settings', 'imap', 'smtp'] });
  assert.deepEqual(report.checks.map(({ id, status }) => [id, status]), [['settings', 'fail'], ['imap', 'ok'], ['imap', 'skipped'], ['smtp', 'ok']]);
  assert.deepEqual(one(report, 'settings').evidence.servers.map((/** @type {any} */ each) => each.status), ['ok', 'fail', 'ok']);
});

test('the causes of several servers begin with the gravest, each once', async () => {
  const { host, account } = await signedIn();
  const servers = [
    server(account, 'smtp', mail.smtp.port, { authMethod: 'password' }), server(account, 'imap', 993, { hostname: 'one.evil.example' }),
    server(account, 'imap', mail.imap.port, { authMethod: 'other' }), server(account, 'imap', 993, { hostname: 'two.evil.example' }), server(account, 'ews', 443),
  ];
  const found = assertTrouble(await check(host, { servers, checks: ['settings'] }), 'settings', 'fail', 'foreign-host');
  assert.match(found.detail, /one\.evil\.example/);
  assert.deepEqual(found.causes, ['foreign-host', 'auth-method', 'password', 'ews']);
});

test('a text with NUL inside is not taken for what stands before it', async () => {
  const { host, account } = await signedIn();
  for (const [field, params] of Object.entries({ checks: { checks: ['versions\0x'] }, socketType: { servers: [server(account, 'imap', 993, { socketType: 'tls\0x' })] } })) {
    const { kind, data } = await host.refused('health.check', params);
    assert.deepEqual([kind, data.field], ['invalid-params', field]);
  }
});

test('of a server the field is named that is missing or wrong', async () => {
  const { host, account } = await signedIn();
  const good = server(account, 'imap', 993);
  for (const field of Object.keys(good).filter((name) => name !== 'offlineCopy')) {
    const { [field]: _, ...without } = /** @type {any} */ (good);
    for (const one of [without, { ...good, [field]: 'x' }].slice(0, field === 'hostname' ? 1 : 2)) {
      const { kind, data } = await host.refused('health.check', { servers: [one] });
      assert.deepEqual([kind, data.field], ['invalid-params', field]);
    }
  }
});

test('EWS is told as what it is: on its way out', async () => {
  const { host, account } = await signedIn();
  const report = await check(host, { servers: [server(account, 'ews', 443)] });
  assertTrouble(report, 'settings', 'warn', 'ews');
  const found = one(report, 'deadlines');
  assert.ok(['warn', 'fail'].includes(found.status) && found.causes?.includes('ews-blocked'), JSON.stringify(found));
  assert.match(found.adminRemedy ?? '', /Set-OrganizationConfig/);
  for (const id of ['imap', 'pop3', 'smtp']) assertSkipped(report, id, /has no/);
});

test('whether messages are kept on this computer is told where Thunderbird says so', async () => {
  const { host, account } = await signedIn();
  const ask = (/** @type {object} */ change) => check(host, { servers: [server(account, 'imap', 993, change)], checks: ['offline-copy'] });
  assertTrouble(await ask({ offlineCopy: false }), 'offline-copy', 'warn', 'no-offline-copy');
  assert.equal(one(await ask({ offlineCopy: true }), 'offline-copy').status, 'ok');
  assertSkipped(await ask({}), 'offline-copy', /did not say/);
});

test('a mail server that refuses the token is told with what it said and what the administrator can do', async () => {
  const { host, account } = await signedIn();
  const says = { token: '535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled' };
  const exchange = await startExchange({ protocol: 'smtp', certificate, starttls: true, says });
  after(() => exchange.stop());
  const report = await check(host, { servers: [server(account, 'smtp', exchange.port)], checks: ['smtp'] });
  const found = one(report, 'smtp');
  assert.equal(found.status, 'fail');
  assert.match(found.adminRemedy ?? '', /Set-TransportConfig|Set-CASMailbox/);
  assert.match(found.evidence.line, /5\.7\.139/);
  assert.ok(found.latencyMs !== undefined && found.evidence.port === exchange.port);
  await world.idp.control({ mailRefuses: true });
  const refused = await check(host, { accounts: [account] });
  await world.idp.control({ mailRefuses: false });
  assert.deepEqual([one(refused, 'imap').status, one(refused, 'smtp').status, refused.overall], ['fail', 'fail', 'fail']);
  const { accounts: [{ state }] } = await host.call('account.list');
  assert.equal(state, 'ready');
});

test('POP is probed where the account has it', async () => {
  const { outlookResource: outlook } = world.idp;
  const exchange = await startExchange({ protocol: 'pop3', certificate });
  after(() => exchange.stop());
  const { host, account } = await signedIn({ pop3: `localhost:${exchange.port}` }, [`${outlook}/POP.AccessAsUser.All`, `${outlook}/SMTP.Send`]);
  assert.equal(one(await check(host, { accounts: [account] }), 'pop3').status, 'ok');
  assert.match(exchange.heard[0].secure, /STAT/);
});

test('Graph is asked who the user is, with Graph\'s token, where Graph is used', async () => {
  const { outlookResource: outlook, graphResource } = world.idp;
  const answers = [
    { status: '200 OK', body: '{"userPrincipalName":"a@contoso.test"}' },
    { status: '403 Forbidden', body: '{"error":{"code":"Authorization_RequestDenied","message":"Insufficient privileges"}}' },
  ];
  let which = 0;
  const raw = await startRawServer({
    certificate,
    answer: (socket) => socket.end(`HTTP/1.1 ${answers[which].status}\r\ncontent-type: application/json\r\ncontent-length: ${answers[which].body.length}\r\n\r\n${answers[which].body}`),
  });
  after(() => raw.stop());
  const { host, account } = await signedIn({ graph: `https://localhost:${raw.port}` }, [`${outlook}/IMAP.AccessAsUser.All`, `${outlook}/SMTP.Send`, `${graphResource}/User.Read`]);
  assertSkipped(await check(host, { accounts: [account] }), 'graph', /does not use Graph/);
  assert.deepEqual(raw.requests, []);
  const servers = [server(account, 'graph', raw.port)];
  assert.equal(one(await check(host, { servers }), 'graph').status, 'ok');
  assert.match(raw.requests[0], /^GET \/v1\.0\/me HTTP/);
  const { accessToken } = await host.call('token.get', { account, protocol: 'graph' });
  assert.match(raw.requests[0], new RegExp(`authorization: bearer ${accessToken}\r\n`, 'i'));
  which = 1;
  const refused = one(await check(host, { checks: ['graph'] }), 'graph');
  assert.equal(refused.status, 'fail');
  assert.ok(refused.remedy && refused.causes?.length);
  answers.push({ status: '401 Unauthorized', body: JSON.stringify({ error: { code: 'x', message: `bad token ${accessToken}` } }) });
  which = 2;
  const echoed = one(await check(host, { checks: ['graph'] }), 'graph');
  assert.equal(echoed.status, 'fail');
  assert.ok(!JSON.stringify(echoed).includes(accessToken), 'what an answer holds of the token is not told');
  answers.push({ status: '200 OK', body: '<html>Welcome to our network</html>' });
  which = 3;
  assert.equal(one(await check(host, { checks: ['graph'] }), 'graph').status, 'warn', 'a page of somebody in between');
});

test('a Graph token that nobody consented to is told, and the account stays as it was', async () => {
  const { host, account } = await signedIn({ graph: 'https://localhost:9' });
  assertTrouble(await check(host, { checks: ['graph'] }), 'graph', 'fail', 'consent-required');
  const { accounts: [{ state }] } = await host.call('account.list');
  assert.equal(state, 'ready');
  assert.ok(account);
});

test('a cancelled check is over at once, and its connections with it', async () => {
  const exchange = await startExchange({ protocol: 'imap', certificate, faults: { capability: 'hang' } });
  const gate = await startGate(exchange.port, 0, { now: 0, most: 0 });
  after(() => Promise.all([gate, exchange].map((each) => each.stop())));
  const { host, account } = await signedIn();
  host.send({ jsonrpc: '2.0', id: 'long', method: 'health.check', params: { servers: [server(account, 'imap', gate.port)] } });
  await host.told('health.progress', ({ check: { id } }) => id === 'token');
  while (gate.here.now === 0) await host.call('account.list'); // the probe's connection is on its way
  host.notify('cancel', { id: 'long' });
  assert.equal((await host.answer('long')).error.data.kind, 'cancelled');
  const told = host.toldSoFar('health.progress').length;
  while (gate.here.now > 0) await host.call('account.list');
  assert.equal((await check(host, { checks: ['versions'] })).overall, 'ok');
  assert.equal(host.toldSoFar('health.progress').length, told + 1);
});

test('a cancelled check leaves no request to Graph or to the sign-in service on the wire', async () => {
  const { outlookResource: outlook, graphResource } = world.idp;
  const graph = await startGraph({ ...certificate, look: () => undefined, resource: graphResource });
  graph.control({ fault: 'hang' });
  const authority = await startRawServer({ certificate, answer: () => {} });
  const [gate, gateOfAuthority] = await Promise.all([graph, authority].map(({ port }) => startGate(port, 0, { now: 0, most: 0 })));
  after(() => Promise.all([gate, gateOfAuthority, graph, authority].map((each) => each.stop())));
  const { host, account } = await signedIn({ graph: `https://localhost:${gate.port}` }, [`${outlook}/IMAP.AccessAsUser.All`, `${graphResource}/User.Read`]);
  await host.call('token.get', { account, protocol: 'graph' });
  /** @param {import('./host.mjs').Host} of @param {object} params @param {unknown[]} requests that the server has heard @param {{ now: number }} open */
  async function assertOver(of, params, requests, open) {
    of.send({ jsonrpc: '2.0', id: 'it', method: 'health.check', params });
    while (requests.length === 0) await of.call('account.list');
    of.notify('cancel', { id: 'it' });
    assert.equal((await of.answer('it')).error.data.kind, 'cancelled');
    const cancelled = performance.now();
    while (open.now > 0 && performance.now() - cancelled < 5000) await of.call('account.list');
    assert.equal(open.now, 0);
  }
  await assertOver(host, { servers: [server(account, 'graph', gate.port)], checks: ['graph'] }, graph.requests, gate.here);
  const elsewhere = await world.host(await world.home({ custom: custom({ authority: `https://localhost:${gateOfAuthority.port}` }) }));
  await assertOver(elsewhere, { checks: ['authority'] }, authority.requests, gateOfAuthority.here);
});

test('a check that waits for connections gets those of one that has ended', async () => {
  let arrived = 0;
  const exchange = await startExchange({
    protocol: 'imap',
    certificate,
    hold: (step) => {
      arrived += step === 'greeting' ? 1 : 0;
      return arrived > 8 ? undefined : new Promise(() => {});
    },
  });
  after(() => exchange.stop());
  const { host, account } = await signedIn();
  const servers = Array(8).fill(server(account, 'imap', exchange.port));
  for (const id of ['first', 'second']) {
    host.send({ jsonrpc: '2.0', id, method: 'health.check', params: { servers, checks: ['imap'] } });
    while (arrived < 8) await host.call('account.list');
  }
  await host.call('account.list');
  host.notify('cancel', { id: 'first' });
  const { result: { report } } = await host.answer('second');
  assert.deepEqual(report.checks.map((/** @type {any} */ { status }) => status), Array(8).fill('ok'), JSON.stringify(report.checks));
});

test('a server that the configuration names no more gets no token, though the check had begun', async () => {
  let arrived = 0;
  let open = () => {};
  const released = new Promise((done) => { open = () => done(undefined); });
  const exchange = await startExchange({ protocol: 'imap', certificate, hold: (step) => { arrived += step === 'greeting' ? 1 : 0; return released; } });
  after(() => exchange.stop());
  const { host, account } = await signedIn();
  host.send({ jsonrpc: '2.0', id: 'all', method: 'health.check', params: { servers: Array(12).fill(server(account, 'imap', exchange.port)), checks: ['settings', 'imap'] } });
  while (arrived < 8) await host.call('account.list');
  await host.call('settings.set', { key: 'custom', value: custom({ imap: '127.0.0.1:993', smtp: '127.0.0.1:587/starttls' }) });
  open();
  const { result: { report } } = await host.answer('all');
  const ends = report.checks.filter((/** @type {any} */ { id }) => id === 'imap').map((/** @type {any} */ { status }) => status);
  assert.deepEqual(ends, [...Array(8).fill('ok'), ...Array(4).fill('skipped')], JSON.stringify(report.checks));
  assert.equal(exchange.heard.length, 8);
});

test('a server that hangs costs ten seconds, and nobody else anything', async () => {
  const exchange = await startExchange({ protocol: 'imap', certificate, faults: { greeting: 'hang' } });
  after(() => exchange.stop());
  const { host, account } = await signedIn();
  const servers = [server(account, 'imap', exchange.port), server(account, 'smtp', mail.smtp.port)];
  const started = performance.now();
  host.send({ jsonrpc: '2.0', id: 'slow', method: 'health.check', params: { servers, checks: ['imap', 'smtp'] } });
  await host.told('health.progress', ({ check: { id, status } }) => id === 'smtp' && status === 'ok');
  assert.ok(performance.now() - started < 8000);
  await host.call('token.get', { account });
  const { result: { report } } = await host.answer('slow', 20_000);
  assert.equal(one(report, 'imap').status, 'fail');
  assert.ok((one(report, 'imap').latencyMs ?? 0) < 11_000);
});

test('a check is over after thirty seconds, with eight connections to a server at a time, and says what it did not come to', async () => {
  const exchange = await startExchange({ protocol: 'imap', certificate, faults: { greeting: 'hang' } });
  const gate = await startGate(exchange.port, 0, { now: 0, most: 0 });
  after(() => Promise.all([gate, exchange].map((each) => each.stop())));
  const { host, account } = await signedIn();
  const servers = Array(40).fill(server(account, 'imap', gate.port));
  const started = performance.now();
  host.send({ jsonrpc: '2.0', id: 'endless', method: 'health.check', params: { servers, checks: ['imap'] } });
  const { result: { report } } = await host.answer('endless', 40_000);
  assert.ok(performance.now() - started < 31_500);
  assert.equal(gate.here.most, 8, 'so many connections to a server there are at a time');
  const ends = report.checks.map((/** @type {any} */ { status }) => status);
  assert.deepEqual([ends.length, new Set(ends)], [40, new Set(['fail', 'skipped'])]);
  const unbegun = report.checks.filter((/** @type {any} */ { status }) => status === 'skipped');
  assert.ok(unbegun.length >= 16 && unbegun.every((/** @type {any} */ { causes }) => causes[0] === 'timeout'));
});

test('servers of several names behind one port keep their connections', async () => {
  const names = ['localhost', '127.0.0.1', 'mail.localhost'];
  let arrived = 0;
  let open = () => {};
  const allHere = new Promise((opened) => { open = () => opened(undefined); });
  const exchange = await startExchange({
    protocol: 'imap',
    certificate: await world.idp.certificates.issue('several-names', names),
    hold: (step) => {
      if (step !== 'greeting') return undefined;
      arrived += 1;
      if (arrived === 24) open();
      return allHere;
    },
  });
  after(() => exchange.stop());
  const [imap, smtp, pop3] = names.map((name) => `${name}:${exchange.port}`);
  const { host, account } = await signedIn({ imap, smtp, pop3 });
  const servers = names.flatMap((hostname) => Array(8).fill(server(account, 'imap', exchange.port, { hostname })));
  host.send({ jsonrpc: '2.0', id: 'all', method: 'health.check', params: { servers, checks: ['imap'] } });
  const { result: { report } } = await host.answer('all', 40_000);
  assert.deepEqual(report.checks.map((/** @type {any} */ { status }) => status), Array(24).fill('ok'), JSON.stringify(report.checks));
});

test('a check asks the sign-in service for eight tokens at a time', async () => {
  const host = await world.host(await world.home({ renewAhead: false }));
  const accounts = await world.expired(host, 10);
  for (const user of accounts) await world.idp.control({ nextToken: { delayMs: 3000, match: { user, grant_type: 'refresh_token' } } });
  host.send({ jsonrpc: '2.0', id: 'tokens', method: 'health.check', params: { checks: ['token'] } });
  const { result: { report } } = await host.answer('tokens', 30_000);
  assert.ok(report.checks.every((/** @type {any} */ { status }) => status === 'ok'), JSON.stringify(report.checks));
  const came = accounts.map((account) => world.requestsOf(account)[0].at).sort((a, b) => a - b);
  assert.ok(came[8] - came[0] >= 2900, `the ninth came ${came[8] - came[0]} ms after the first`);
});

test('twenty accounts with two servers each are checked side by side, in hardly more than two slowest probes', async () => {
  const all = { now: 0, most: 0 };
  const behind = [await startExchange({ protocol: 'imap', certificate }), await startExchange({ protocol: 'smtp', certificate, starttls: true })];
  const gates = await Promise.all([...Array(20).fill(0), ...Array(20).fill(1)].map((which) => startGate(behind[which].port, 1000, all)));
  after(() => Promise.all([...gates, ...behind].map((each) => each.stop())));
  const host = await world.host(await world.home({ custom: custom() }));
  const accounts = [];
  for (let i = 0; i < 20; i += 1) accounts.push((await world.signedIn(host)).account);
  const servers = accounts.flatMap((account, i) => [server(account, 'imap', gates[i].port), server(account, 'smtp', gates[20 + i].port)]);
  const started = performance.now();
  host.send({ jsonrpc: '2.0', id: 'many', method: 'health.check', params: { servers, checks: ['imap', 'smtp'] } });
  const { result: { report } } = await host.answer('many', 40_000);
  const took = performance.now() - started;
  assert.deepEqual(new Set(report.checks.map((/** @type {any} */ { status }) => status)), new Set(['ok']), JSON.stringify(report.checks));
  assert.equal(report.checks.length, 40);
  assert.ok(all.most <= 32 && all.most > 20, `${all.most} at a time`);
  const slowest = Math.max(...report.checks.map((/** @type {any} */ { latencyMs }) => latencyMs));
  assert.ok(took <= 1.5 * Math.ceil(40 / 32) * slowest, `it took ${took} ms, the slowest probe ${slowest} ms`);
});
