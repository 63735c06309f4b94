// SPDX-License-Identifier: MPL-2.0
/**
 * Four processes that all want another token at the same moment, round after round: one request each round, and the
 * refresh token that it brings is always the one that the next round uses (DESIGN section 6.2). The provider takes each once.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Host } from '../protocol/host.mjs';
import { sha256, World } from '../protocol/world.mjs';
import { isReport, record } from './flows.mjs';

const world = await World.open({ strictRotation: true });
after(() => world.close());

const ROUNDS = Number(process.env.TORTURE_ROUNDS ?? 50);
const PROCESSES = 4;

/** A process that has renewed twice within a minute waits: others take its place. */
const ROUNDS_OF_A_PROCESS = 2;

/** @param {string} home @returns {Promise<Host[]>} */
const startAll = (home) => Promise.all(Array.from({ length: PROCESSES }, () => Host.open({ home })));

/** @param {Host[]} hosts */
async function endAll(hosts) {
  for (const { code } of await Promise.all(hosts.map((host) => host.end()))) assert.equal(code, 0);
  for (const { stderr, breaches } of hosts) {
    assert.ok(!isReport(stderr), stderr);
    assert.deepEqual(breaches, []);
  }
}

test('four processes renew the same sign-in: every rotation is saved, by one request each', async () => {
  const started = performance.now();
  const home = await world.home();
  const first = await world.host(home);
  const signed = await world.signedIn(first);
  const { account } = signed;
  await first.end();
  let { token } = signed;
  let round = 0;
  while (round < ROUNDS) {
    const hosts = await startAll(home);
    for (let i = 0; i < ROUNDS_OF_A_PROCESS && round < ROUNDS; i += 1) {
      const rejected = sha256(token);
      const answers = await Promise.all(hosts.map((host) => host.call('token.get', { account, rejected })));
      round += 1;
      const tokens = new Set(answers.map(({ accessToken }) => accessToken));
      assert.equal(tokens.size, 1, `round ${round}: all have the same`);
      assert.ok(!tokens.has(token), `round ${round}: another one`);
      assert.equal(world.requestsOf(account).length, round, `round ${round}: one request`);
      [token] = tokens;
    }
    await endAll(hosts);
  }
  const requests = world.requestsOf(account);
  assert.ok(requests.every(({ status }) => status === 200));
  assert.equal(new Set(requests.map(({ parameters }) => parameters.refresh_token)).size, ROUNDS, 'each refresh token once');
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  record({ what: `rounds of ${PROCESSES} processes`, points: ROUNDS, losses: 0, crashes: 0 });
  console.log(`processes: ${ROUNDS} rounds of ${PROCESSES}, ${requests.length} requests, 0 losses, 0 crashes; ${seconds} s`);
});
