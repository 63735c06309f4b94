// SPDX-License-Identifier: MPL-2.0
/** Signing in with a device code, where policy allows it (RFC 8628; DESIGN section 5: the phisher). */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { runCommand } from './host.mjs';
import { filesBelow, World } from './world.mjs';

const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
const INTERVAL_MS = 1000;
/** What slow_down adds to the interval (RFC 8628 section 3.5). */
const SLOW_DOWN_MS = 5000;
/** Clocks of two processes that are read in whole milliseconds. */
const ROUNDING_MS = 2;

const world = await World.open();
await world.idp.control({ deviceInterval: INTERVAL_MS / 1000 });
after(() => world.close());

const allowed = { flows: ['browser', 'device'] };
const host = await world.host(await world.home(allowed));

/** @param {string} account @param {import('./host.mjs').Host} [by] */
const start = (account, by = host) => by.call('signIn.start', { account, flow: 'device' });

/** @param {string} id @param {import('./host.mjs').Host} [by] */
const finished = (id, by = host) => by.told('signIn.finished', ({ signInId }) => signInId === id);

/** @param {string} account */
const shown = async (account) => (await host.call('account.list')).accounts.find((/** @type {any} */ each) => each.account === account);

const polls = () => world.idp.requests().filter(({ endpoint, grant_type: type }) => endpoint === 'token' && type === DEVICE_GRANT);

/** Waits for so many polls more than there were. @param {number} before @param {number} count */
const polled = (before, count) => world.idp.waitForRequest({ endpoint: 'token', grant_type: DEVICE_GRANT, count: before + count });

/** What the provider answers the next poll. @param {object} answer */
const nextPoll = (answer) => world.idp.control({ nextToken: { ...answer, match: { grant_type: DEVICE_GRANT } } });

/** @param {any[]} requests @returns {number[]} milliseconds between one and the next */
const gaps = (requests) => requests.slice(1).map(({ at }, index) => at - requests[index].at);

test('by default policy refuses it, and nothing is sent', async () => {
  const usual = await world.host();
  const account = await world.user();
  const before = world.idp.requests().length;
  const { kind, data } = await usual.refused('signIn.start', { account, flow: 'device' });
  assert.equal(kind, 'policy-denied');
  assert.ok(data.remedy);
  const { code, stdout } = await runCommand(['login', '--device', account], { home: usual.home });
  assert.deepEqual([code, stdout], [77, '']);
  assert.equal(world.idp.requests().length, before);
  assert.deepEqual((await usual.call('account.list')).accounts, [], 'and the account is not added');
});

test('the address and the code are told, polls keep to the interval, and the approval signs in', async () => {
  const account = await world.user();
  const [before, now] = [polls().length, Math.floor(Date.now() / 1000)];
  const { signInId, flow, verificationUri, userCode, expiresAt, authorizationUrl } = await start(account);
  assert.deepEqual([flow, authorizationUrl], ['device', undefined]);
  assert.ok(verificationUri.startsWith('https://'));
  assert.match(userCode, /^[A-Z-]{9,}$/);
  assert.ok(expiresAt >= now + 295 && expiresAt <= now + 305, 'a sign-in lasts five minutes, though the code would be good for longer');
  const [request] = world.idp.requests().filter(({ endpoint }) => endpoint === 'devicecode').slice(-1);
  assert.deepEqual(Object.keys(request.parameters).sort(), ['client_id', 'scope']);
  await polled(before, 4);
  const waiting = await shown(account);
  assert.deepEqual([waiting.state, waiting.problem], ['signing-in', null], 'pending is no failure');
  await world.idp.control({ approveDevice: { user: account, userCode } });
  assert.deepEqual(await finished(signInId), { signInId, account, ok: true });
  const { state, method, refreshToken } = await shown(account);
  assert.deepEqual([state, method, refreshToken.present], ['ready', 'device', true]);
  assert.deepEqual(host.toldSoFar('signIn.retry'), []);
  assert.equal((await host.call('token.get', { account })).source, 'cache');
  const times = gaps(polls().slice(before));
  assert.ok(times.every((gap) => gap >= INTERVAL_MS - ROUNDING_MS), `${times} ms`);
  assert.ok(Math.min(...times.slice(1, 3)) < 2 * INTERVAL_MS, `${times} ms: waiting for the user makes it no longer`);
  assert.ok(polls()[before].at - request.at >= INTERVAL_MS - ROUNDING_MS, 'nor is the first too early');
});

test('slow_down makes the interval longer', async () => {
  const account = await world.user();
  const before = polls().length;
  await nextPoll({ entra: { error: 'slow_down', code: 70018 } });
  const { signInId, userCode } = await start(account);
  await polled(before, 1);
  await world.idp.control({ approveDevice: { user: account, userCode } });
  assert.equal((await finished(signInId)).ok, true);
  const [gap] = gaps(polls().slice(before));
  assert.ok(gap >= INTERVAL_MS + SLOW_DOWN_MS - ROUNDING_MS, `${gap} ms`);
});

test('passing trouble of a poll ends nothing', async () => {
  const account = await world.user();
  await nextPoll({ status: 500, body: '' });
  const before = polls().length;
  const { signInId, userCode } = await start(account);
  await polled(before, 1);
  await world.idp.control({ approveDevice: { user: account, userCode } });
  assert.equal((await finished(signInId)).ok, true);
});

/** Ends that the provider decides: what happens to the code, and the kind of problem. @type {[string, (userCode: string) => Promise<unknown>, string][]} */
const ENDS = [
  ['declined', (userCode) => world.idp.control({ denyDevice: userCode }), 'cancelled'],
  ['expired', () => nextPoll({ entra: { error: 'expired_token', code: 70019 } }), 'sign-in-required'],
  ['unknown', () => nextPoll({ entra: { error: 'bad_verification_code', code: 70020 } }), 'sign-in-required'],
  ['approved by somebody else', (userCode) => world.idp.control({ approveDevice: { user: 'ben@contoso.test', userCode } }), 'wrong-account'],
];

for (const [what, happens, kind] of ENDS) {
  test(`a code that is ${what} ends the sign-in with ${kind}, and nothing is stored`, async () => {
    const account = await world.user();
    const { signInId, userCode } = await start(account);
    await happens(userCode);
    const { ok, problem } = await finished(signInId);
    assert.deepEqual([ok, problem.kind], [false, kind]);
    assert.equal(problem.signedInAs, kind === 'wrong-account' ? 'ben@contoso.test' : undefined);
    const { refreshToken, tokens } = await shown(account);
    assert.deepEqual([refreshToken, tokens], [null, []]);
    assert.equal((await host.refused('token.get', { account })).kind, 'sign-in-required');
  });
}

test('a code is polled for no longer than it is good', async () => {
  await world.idp.control({ lifetimes: { deviceCode: 2 }, deviceInterval: 5 });
  const [account, before] = [await world.user(), polls().length];
  const { signInId, expiresAt } = await start(account);
  await world.idp.control({ lifetimes: { deviceCode: 900 }, deviceInterval: INTERVAL_MS / 1000 });
  assert.ok(expiresAt <= Math.ceil(Date.now() / 1000) + 2);
  const { ok, problem } = await finished(signInId);
  assert.deepEqual([ok, problem.kind], [false, 'cancelled']);
  assert.equal(polls().length, before);
});

test('cancelled, and replaced by a second start, a code is polled for no more', async () => {
  const account = await world.user();
  const codeOf = () => world.idp.requests().filter(({ endpoint }) => endpoint === 'token').at(-1)?.parameters.device_code;
  const first = await start(account);
  await polled(polls().length, 1);
  const firstCode = codeOf();
  await host.call('signIn.cancel', { signInId: first.signInId });
  assert.equal((await finished(first.signInId)).problem.kind, 'cancelled');
  const second = await start(account);
  const third = await start(account);
  assert.equal((await finished(second.signInId)).problem.kind, 'cancelled');
  const before = polls().length;
  await polled(before, 2);
  const codes = new Set(polls().slice(before).map(({ parameters }) => parameters.device_code));
  assert.equal(codes.size, 1);
  assert.ok(!codes.has(firstCode ?? ''));
  await world.idp.control({ approveDevice: { user: account, userCode: third.userCode } });
  assert.equal((await finished(third.signInId)).ok, true);
});

test('a provider that is away, or says no, refuses the start', async () => {
  const account = await world.user();
  await world.idp.control({ next: { devicecode: { entra: { error: 'unauthorized_client', code: 700016 } } } });
  assert.equal((await host.refused('signIn.start', { account, flow: 'device' })).kind, 'misconfigured');
  await world.idp.goAway();
  const { kind } = await host.refused('signIn.start', { account, flow: 'device' });
  await world.idp.comeBack();
  assert.equal(kind, 'network');
});

test('an account removed while its code is on the way does not come back', async () => {
  const account = await world.user();
  await world.idp.control({ next: { devicecode: { hold: true } } });
  const before = world.idp.counts().devicecode;
  const asked = host.refused('signIn.start', { account, flow: 'device' });
  await world.idp.waitForRequest({ endpoint: 'devicecode', count: before + 1 });
  await host.call('account.remove', { account });
  await world.idp.control({ releaseHung: true });
  assert.equal((await asked).kind, 'cancelled');
  assert.equal(await shown(account), undefined);
});

test('the end of input does not wait for a code', async () => {
  const other = await world.host(await world.home(allowed));
  await world.idp.control({ next: { devicecode: { delayMs: 5000 } } });
  const before = world.idp.counts().devicecode;
  other.call('signIn.start', { account: await world.user(), flow: 'device' }).catch(() => {});
  await world.idp.waitForRequest({ endpoint: 'devicecode', count: before + 1 });
  assert.equal((await other.end()).code, 0);
});

test('login --device prints the address and the code, and waits', async () => {
  const home = await world.home(allowed);
  const account = await world.user();
  let approved = false;
  const { code, stdout, stderr } = await runCommand(['login', '--device', account], {
    home,
    onStdout: async (text) => {
      const userCode = /^ +([A-Z]{9,})$/m.exec(text)?.[1];
      if (approved || !userCode) return;
      approved = true;
      await world.idp.control({ approveDevice: { user: account, userCode } });
    },
  });
  assert.deepEqual([code, stderr], [0, '']);
  assert.match(stdout, /https:\/\/localhost:\d+\/common\/oauth2\/deviceauth/);
  assert.match(stdout, new RegExp(`${account} is signed in\\.\n$`));
  assert.equal(JSON.parse((await runCommand(['accounts', '--json'], { home })).stdout).accounts[0].method, 'device');
});

test('login --device --json prints JSON alone, the code first', async () => {
  const home = await world.home(allowed);
  const account = await world.user();
  let approved = false;
  const { code, stdout } = await runCommand(['login', '--device', '--json', account], {
    home,
    onStdout: async (text) => {
      if (approved || !text.endsWith('}\n')) return;
      approved = true;
      await world.idp.control({ approveDevice: { user: account, userCode: JSON.parse(text).userCode } });
    },
  });
  assert.equal(code, 0);
  const [started, finished] = stdout.split(/^(?={)/m).map((text) => JSON.parse(text));
  assert.deepEqual([started.flow, started.signInId, finished.ok], ['device', finished.signInId, true]);
});

test('neither code is on stderr or on disk, and the device code is in no frame', async () => {
  const frames = JSON.stringify(host.messages);
  const files = await filesBelow(host.home);
  const secrets = world.idp.issued().filter(({ kind }) => kind === 'device_code').map(({ value }) => value);
  assert.ok(secrets.length > 8);
  for (const secret of secrets) {
    assert.ok(!frames.includes(secret));
    assert.ok(files.every(({ bytes }) => !bytes.includes(secret)));
  }
  assert.equal(host.stderr, '');
});
