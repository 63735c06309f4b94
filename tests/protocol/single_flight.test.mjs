// SPDX-License-Identifier: MPL-2.0
/** One token request at a time over all processes of the user, whatever becomes of who sends it (DESIGN sections 3.2 and 6.2). */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { runCommand } from './host.mjs';
import { sha256, World } from './world.mjs';

const world = await World.open({ strictRotation: true });
after(() => world.close());

/** Hosts in one home, with an account that is signed in. @param {number} count */
async function hostsOf(count) {
  const home = await world.home();
  const hosts = await Promise.all(Array.from({ length: count }, () => world.host(home)));
  const signed = await world.signedIn(hosts[0]);
  return { home, hosts, ...signed };
}

/** The so many-th renewal is on the wire. @param {string} account @param {number} [count] */
const onTheWire = (account, count = 1) => world.idp.waitForRequest({ endpoint: 'token', grant_type: 'refresh_token', user: account, count });

/** Asks for another token than this one. @param {import('./host.mjs').Host} host @param {string} account @param {string} token @returns {Promise<any>} */
const another = (host, account, token) => host.call('token.get', { account, rejected: sha256(token) });

/** The next renewals of the account are answered so late. @param {string} account @param {number} delayMs */
const slowly = (account, delayMs) => world.idp.control({ nextToken: { delayMs, match: { user: account } } });

test('two hosts and a command that ask at once for an expired token share one request', async () => {
  const home = await world.home();
  const hosts = [await world.host(home), await world.host(home)];
  const [account] = await world.expired(hosts[0]);
  const [{ value: token }] = world.idp.issued().filter(({ kind, user }) => kind === 'access_token' && user === account);
  await slowly(account, 300);
  const [one, two, command] = await Promise.all([...hosts.map((host) => host.call('token.get', { account })), runCommand(['token', account], { home })]);
  assert.notEqual(one.accessToken, token);
  assert.equal(two.accessToken, one.accessToken);
  assert.deepEqual(command, { code: 0, stdout: `${one.accessToken}\n`, stderr: '' });
  assert.equal(world.requestsOf(account).length, 1);
});

test('who is killed while its request is on the wire blocks nobody', async () => {
  const { hosts: [one, two], account, token } = await hostsOf(2);
  await world.idp.control({ nextToken: { hang: true, match: { user: account } } });
  another(one, account, token).catch(() => {});
  await onTheWire(account);
  const asked = another(two, account, token);
  await two.call('account.list');
  assert.equal(world.requestsOf(account).length, 1, 'the other waits');
  await one.kill('SIGKILL');
  const { accessToken, source } = await asked;
  assert.notEqual(accessToken, token);
  assert.equal(source, 'renewed');
  assert.equal(world.requestsOf(account).length, 2);
  await world.idp.control({ releaseHung: true });
});

test('who is stopped while its request is on the wire lets the other answer in time, and nothing is lost', async () => {
  const { hosts: [one, two], account, token } = await hostsOf(2);
  await world.idp.control({ nextToken: { hang: true, match: { user: account } } });
  another(one, account, token).catch(() => {});
  await onTheWire(account);
  one.process.kill('SIGSTOP');
  assert.equal((await two.call('token.get', { account })).accessToken, token, 'what lives is handed out at once');
  const started = performance.now();
  const { kind, data } = await two.refused('token.get', { account, rejected: sha256(token) });
  const seconds = (performance.now() - started) / 1000;
  assert.deepEqual([kind, data.stage ?? 'timeout', data.retryable], ['network', 'timeout', true]);
  assert.ok(seconds <= 8.5, `${seconds} s`);
  assert.equal(world.requestsOf(account).length, 1);
  one.process.kill('SIGCONT');
  await world.idp.control({ releaseHung: true });
  assert.notEqual((await another(two, account, token)).accessToken, token);
});

test('four processes in turn: each round costs one request, and every rotated refresh token is kept', async () => {
  const { hosts, account, token: first } = await hostsOf(4);
  let token = first;
  for (let round = 0; round < 2 * hosts.length; round += 1) {
    await slowly(account, 100);
    // Who has renewed twice within a minute is throttled for the rest of it.
    const [leader, ...others] = [...hosts.slice(round % hosts.length), ...(round < hosts.length ? hosts.slice(0, round) : [])];
    const asked = [another(leader, account, token)];
    await onTheWire(account, round + 1);
    asked.push(...others.map((host) => another(host, account, token)));
    const answers = await Promise.all(asked);
    assert.equal(new Set(answers.map(({ accessToken }) => accessToken)).size, 1, `round ${round}`);
    assert.equal(world.requestsOf(account).length, round + 1);
    token = answers[0].accessToken;
  }
  const used = world.requestsOf(account).map(({ parameters }) => parameters.refresh_token);
  assert.equal(new Set(used).size, 2 * hosts.length, 'no refresh token was used twice');
  assert.ok(world.requestsOf(account).every(({ status }) => status === 200));
});

test('all at once, without a leader: still one request', async () => {
  const { hosts, account, token } = await hostsOf(4);
  await slowly(account, 200);
  const answers = await Promise.all(hosts.map((host) => another(host, account, token)));
  assert.equal(new Set(answers.map(({ accessToken }) => accessToken)).size, 1);
  assert.equal(world.requestsOf(account).length, 1);
});

test('at the end of the holder\'s input its request is still waited for, and the other takes its token', async () => {
  const { hosts: [one, two], account, token } = await hostsOf(2);
  await slowly(account, 600);
  another(one, account, token).catch(() => {});
  await onTheWire(account);
  const asked = another(two, account, token);
  const { code } = await one.end();
  assert.equal(code, 0);
  assert.notEqual((await asked).accessToken, token);
  assert.equal(world.requestsOf(account).length, 1);
});
