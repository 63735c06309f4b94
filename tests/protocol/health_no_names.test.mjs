// SPDX-License-Identifier: MPL-2.0
/** health.check (PROTOCOL section 3) where the name server never answers: that delays no other check, no cancel, and not the end. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { startExchange } from '../servers/mail/exchange.mjs';
import { startDeadResolver } from './dead_resolver.mjs';
import { assertTrouble, one, server } from './health_world.mjs';
import { World } from './world.mjs';

/** What comes in less has not waited for the name: that is given ten seconds. */
const AT_ONCE_MS = 5000;
const CHECK_LIMIT_MS = 25_000;
/** So many connections to a server that wait for its name as there may be at a time. */
const WAITING = 8;

const isRoot = process.getuid?.() === 0;
const options = { skip: isRoot ? false : 'only root can stand in for a name server' };

const world = await World.open();
const resolver = isRoot ? await startDeadResolver(world.folder) : null;
after(async () => { await resolver?.stop(); await world.close(); });

/** Somebody who is signed in, and whose IMAP server's name, or sign-in service's, nobody tells. @param {object} change of the endpoints */
async function signedIn(change) {
  const home = await world.home({ custom: { ...world.custom(), ...change } });
  const host = await world.host(home, { program: resolver?.program });
  return { home, host };
}

describe('what costs ten seconds, side by side', { concurrency: true }, () => {
  test('a server whose name is not found costs ten seconds, and nobody else anything', options, async () => {
    const exchange = await startExchange({ protocol: 'smtp', starttls: true, certificate: world.idp.certificates.server });
    after(() => exchange.stop());
    const { host } = await signedIn({ imap: 'imap.nowhere.test:993', smtp: `localhost:${exchange.port}/starttls` });
    const { account } = await world.signedIn(host);
    const servers = [
      ...Array(WAITING).fill(server(account, 'imap', 993, { hostname: 'imap.nowhere.test' })), server(account, 'smtp', exchange.port)];
    host.send({ jsonrpc: '2.0', id: 'it', method: 'health.check', params: { servers } });
    await resolver?.wasAsked('imap.nowhere.test');
    await host.told('health.progress', ({ done, total }) => done === total - WAITING);
    await host.call('token.get', { account });
    assert.deepEqual(host.toldSoFar('health.progress').filter(({ check: { id } }) => id === 'imap'), []);
    const { result: { report } } = await host.answer('it', CHECK_LIMIT_MS);
    assert.equal(one(report, 'smtp').status, 'ok');
    const imap = report.checks.filter((/** @type {any} */ { id }) => id === 'imap');
    assert.equal(imap.length, WAITING);
    for (const { status, causes, evidence, latencyMs } of imap) {
      assert.deepEqual([status, causes[0], evidence.stage, evidence.failure], ['fail', 'name-unknown', 'dns', 'timed-out']);
      assert.ok(latencyMs < 11_500, `${latencyMs} ms`);
    }
  });

  test('a sign-in service whose name is not found hinders no check that does not need it', options, async () => {
    const { host } = await signedIn({ authority: 'https://login.nowhere.test' });
    host.send({ jsonrpc: '2.0', id: 'it', method: 'health.check', params: { checks: ['versions', 'policy', 'vault', 'audit', 'clock', 'authority'] } });
    await resolver?.wasAsked('login.nowhere.test');
    await host.told('health.progress', ({ done }) => done === 4);
    const { result: { report } } = await host.answer('it', CHECK_LIMIT_MS);
    assertTrouble(report, 'authority', 'fail', 'timeout');
    assert.equal(one(report, 'clock').status, 'skipped');
  });
});

/** A host that waits for the names of both servers. @param {string} domain that nobody has asked for */
async function allWaiting(domain) {
  const { home, host: before } = await signedIn({});
  const { account } = await world.signedIn(before);
  await before.end();
  await world.configure(home, { custom: { ...world.custom(), imap: `imap.${domain}:993`, smtp: `smtp.${domain}:587/starttls` } });
  const host = await world.host(home, { program: resolver?.program });
  host.send({ jsonrpc: '2.0', id: 'it', method: 'health.check', params: { accounts: [account], checks: ['imap', 'smtp'] } });
  await Promise.all(['imap', 'smtp'].map((name) => resolver?.wasAsked(`${name}.${domain}`)));
  return host;
}

test('a check that waits for names is cancelled at once', options, async () => {
  const host = await allWaiting('cancelled.test');
  const started = performance.now();
  host.notify('cancel', { id: 'it' });
  assert.equal((await host.answer('it')).error.data.kind, 'cancelled');
  await host.call('account.list');
  assert.ok(performance.now() - started < AT_ONCE_MS, `${performance.now() - started} ms`);
  assert.equal((await host.end()).code, 0);
});

test('and the end of input ends the program within a second', options, async () => {
  const host = await allWaiting('ended.test');
  const { code, milliseconds } = await host.end();
  assert.deepEqual([code, host.stderr], [0, '']);
  assert.ok(milliseconds < AT_ONCE_MS, `${milliseconds} ms`);
});
