// SPDX-License-Identifier: MPL-2.0
/**
 * health.check (PROTOCOL section 3) in one of Microsoft's own clouds: the test provider stands in for
 * login.microsoftonline.com behind a proxy, and an administrator's file vouches for its certificate.
 */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeCertificates, SERVER_NAMES } from '../servers/certificates.mjs';
import { listenOnLoopback } from '../servers/loopback.mjs';
import { startProxy } from '../servers/proxy.mjs';
import { adminProgram } from './admin_program.mjs';
import { assertSkipped, assertTrouble, check, server } from './health_world.mjs';
import { visit, World } from './world.mjs';

const MICROSOFT = 'login.microsoftonline.com';

const building = adminProgram();
const setUp = await World.open();
const certificates = await makeCertificates({ folder: join(setUp.folder, 'certificates'), hosts: [...SERVER_NAMES, MICROSOFT], authorityName: 'Contoso inspection' });
const world = await World.open({ certificates });
const proxy = await startProxy({ reach: () => ({ host: '127.0.0.1', port: world.idp.port }) });
after(async () => { await proxy.stop(); await world.close(); await setUp.close(); });

const policy = await building;
await policy.set({ clientId: world.idp.clientId, tenant: world.idp.tenant, caFile: certificates.caFile, proxy: proxy.url() });

/** Somebody who is signed in at what they take for Microsoft's. */
async function signedIn() {
  const host = await world.host(await world.home(null), { program: policy.program });
  const account = await world.user();
  const { signInId, authorizationUrl } = await host.call('signIn.start', { account });
  assert.equal(new URL(authorizationUrl).host, MICROSOFT);
  await visit(await world.redirectOf(authorizationUrl.replace(`https://${MICROSOFT}`, world.idp.authority)));
  const { ok, problem } = await host.told('signIn.finished', (told) => told.signInId === signInId);
  assert.ok(ok, JSON.stringify(problem));
  const { accessToken } = await host.call('token.get', { account });
  assert.equal(world.idp.introspect(accessToken).username, account);
  return { host, account };
}

test('a server outside the cloud\'s table never receives a byte, though a token is at hand', async () => {
  let connections = 0;
  const listening = await listenOnLoopback(() => createServer((socket) => { connections += 1; socket.destroy(); }));
  after(() => listening.servers.forEach((each) => each.close()));
  const { host, account } = await signedIn();
  const tunnels = proxy.tunnels.length;
  const names = ['localhost', '127.0.0.1', '[::1]', 'localhost.', 'outlook.office365.com.localhost', 'outlook.office365.com@localhost', 'localhost#outlook.office365.com', 'localhost/outlook.office365.com', 'outlook.office365.com:993@localhost'];
  const servers = names.flatMap((hostname) => ['imap', 'pop3', 'smtp', 'graph', 'ews'].map((type) => server(account, type, listening.port, { hostname, socketType: 'tls' })));
  const report = await check(host, { servers, checks: ['settings', 'token', 'imap', 'pop3', 'smtp', 'graph'] });
  const found = assertTrouble(report, 'settings', 'fail', 'foreign-host');
  assert.deepEqual(found.evidence.servers.map((/** @type {any} */ { cause }) => cause), servers.map(() => 'foreign-host'));
  assert.equal(report.checks.filter(({ id, status }) => id === 'token' && status === 'ok').length, 1);
  const probes = report.checks.filter(({ id }) => !['settings', 'token'].includes(id));
  assert.deepEqual([probes.length, new Set(probes.map(({ status }) => status))], [4 * names.length, new Set(['skipped'])]);
  assert.equal(connections, 0);
  assert.deepEqual(proxy.tunnels.slice(tunnels), [], 'nor does it go through the proxy');
});

test('an authority that this computer trusts, and Microsoft does not use, is named as the one who reads along', async () => {
  const { host } = await signedIn();
  const base = `https://${MICROSOFT}/${world.idp.tenant}`;
  await world.idp.control({ next: { discovery: { status: 200, body: { token_endpoint: `${base}/oauth2/v2.0/token`, issuer: `${base}/v2.0` } } } });
  const found = assertTrouble(await check(host, { checks: ['authority'] }), 'authority', 'warn', 'tls-interception');
  assert.match(found.detail, /Contoso inspection/);
  assert.match(found.adminRemedy ?? '', /Exempt .*login\.microsoftonline\.com/);
  assert.match(found.evidence.tls.issuer, /Contoso inspection/);
});

test('whom nobody vouches for is told by the same name, and is sent nothing', async () => {
  await policy.set({ clientId: world.idp.clientId, tenant: world.idp.tenant, proxy: proxy.url() });
  const host = await world.host(await world.home(null), { program: policy.program });
  const requests = world.idp.requests().length;
  const report = await check(host, { checks: ['authority', 'clock'] });
  const found = assertTrouble(report, 'authority', 'fail', 'tls-interception');
  assert.match(found.detail, /Contoso inspection/);
  assertSkipped(report, 'clock', /./);
  assert.equal(world.idp.requests().length, requests);
});
