// SPDX-License-Identifier: MPL-2.0
/** health.check (PROTOCOL section 3): what works as yet, and is told all the same. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startExchange } from '../servers/mail/exchange.mjs';
import * as envelopes from '../vault_reader/envelope.mjs';
import { assertTrouble, check, one, server } from './health_world.mjs';
import { startIpv6Hangs } from './ipv6_hangs.mjs';
import { sealedFiles, stateFolder, World } from './world.mjs';

const world = await World.open();
after(() => world.close());

const DAY = 86400;
const CHECK_LIMIT_MS = 25_000;

/** Somebody's sealed file says that the sign-in was last used then. @param {string} home @param {number} time */
async function setLastUse(home, time) {
  const [file] = await sealedFiles(home);
  const path = join(stateFolder(home), 'identities', file);
  const name = file.replace(/\.sealed$/, '');
  const key = envelopes.deviceKey(envelopes.readKeyFile(await readFile(join(stateFolder(home), 'key'))));
  const { header, payload, generation } = envelopes.open(await readFile(path), name, key);
  const grant = { ...JSON.parse(payload.toString()), obtainedAt: time, lastUsedAt: time };
  const changed = { ...header, ...('lastUsedAt' in header ? { obtainedAt: time, lastUsedAt: time } : {}) };
  await writeFile(path, envelopes.seal({ name, generation: generation + 1n, header: JSON.stringify(changed), payload: JSON.stringify(grant) }, key));
}

test('a sign-in that runs out unless it is used is told two weeks ahead, and when it is too late', async () => {
  const first = await world.host(await world.home({ keystore: 'file' }));
  const { account } = await world.signedIn(first);
  await first.end();
  const now = Math.floor(Date.now() / 1000);
  for (const [days, status, says] of /** @type {const} */ ([[75, 'ok', /must be used before/], [77, 'warn', /must be used before/], [91, 'warn', /not been used since/]])) {
    await setLastUse(first.home, now - days * DAY);
    const host = await world.host(first.home);
    const found = one(await check(host, { accounts: [account], checks: ['sign-in'] }), 'sign-in');
    assert.deepEqual([found.status, found.causes?.[0]], [status, status === 'ok' ? undefined : 'idle'], JSON.stringify(found));
    assert.match(found.detail, says);
    assert.deepEqual([found.evidence.lastUsedAt, found.evidence.idleExpiresAt], [now - days * DAY, now + (90 - days) * DAY]);
    if (days === 77) {
      assert.ok(found.detail.includes(new Date((now + 13 * DAY) * 1000).toISOString().slice(0, 16).replace('T', ' ')), found.detail);
      assert.match(found.remedy ?? '', /thunderseal renew/);
    }
    if (days === 91) assert.match(found.remedy ?? '', /[Ss]ign in again/);
    await host.end();
  }
});

test('IPv6 that hangs is told of the sign-in service, and hinders no mail server', async () => {
  const exchange = await startExchange({ protocol: 'imap', certificate: world.idp.certificates.server });
  const [authority, imap] = [await startIpv6Hangs(world.idp.port), await startIpv6Hangs(exchange.port)];
  after(() => Promise.all([authority, imap, exchange].map((each) => each.stop())));
  const host = await world.host(await world.home({ custom: { ...world.custom(), authority: `https://localhost:${authority.port}` } }));
  const { account } = await world.signedIn(host);
  const tokenEndpoint = `https://localhost:${authority.port}/${world.idp.tenant}/oauth2/v2.0/token`;
  await world.idp.control({ next: { discovery: { status: 200, body: { token_endpoint: tokenEndpoint } } } });
  host.send({ jsonrpc: '2.0', id: 'it', method: 'health.check', params: { servers: [server(account, 'imap', imap.port)], checks: ['authority', 'imap'] } });
  await host.told('health.progress', ({ check: { id } }) => id === 'imap');
  assert.deepEqual(host.toldSoFar('health.progress').map(({ check: { id } }) => id), ['imap'], 'the look at IPv6 holds nobody up');
  const { result: { report } } = await host.answer('it', CHECK_LIMIT_MS);
  const found = assertTrouble(report, 'authority', 'warn', 'ipv6');
  assert.match(found.detail, /IPv4 alone/);
  assert.deepEqual([found.evidence.ipv4.address, found.evidence.ipv6.failedStage], ['127.0.0.1', 'timeout']);
  const { status, evidence } = one(report, 'imap');
  assert.deepEqual([status, evidence.addressFamily], ['ok', 'ipv4']);
});
