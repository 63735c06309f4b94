// SPDX-License-Identifier: MPL-2.0
/**
 * A network that does its worst between the host and the identity provider: TLS that must not be accepted, answers that
 * break off or never end. Everything is told by its stage, bounded, and costs no refresh token (DESIGN sections 3.4 and 5).
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeCertificates } from '../servers/certificates.mjs';
import { pour, startRawServer } from '../servers/raw_https.mjs';
import { runCommand } from './host.mjs';
import { sha256, World } from './world.mjs';

const MEMORY_MAX_KIB = 32 * 1024;
/** A host answers every token.get within 8 s, to which a busy machine adds, and gives a token request 20 s. */
const ANSWER_LIMIT_MS = 9000;
const REQUEST_MS = 20_000;

const OK = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';
const KIB = Buffer.alloc(1024, 'x');

/** @typedef {import('./host.mjs').Host} Host */
/** @typedef {import('../servers/raw_https.mjs').RawServer} RawServer */
/** @typedef {Omit<Parameters<typeof startRawServer>[0], 'certificate' | 'port'> & { certificate?: import('../servers/certificates.mjs').Certificate }} Place */

const world = await World.open();
after(() => world.close());
const stranger = await makeCertificates({ folder: join(world.folder, 'stranger'), authorityName: 'A stranger' });
const elsewhere = await world.idp.certificates.issue('elsewhere', ['login.example']);
const expired = await world.idp.certificates.issue('expired', ['localhost'], true);

/** @param {{ account: string, token: string }} signed */
const renewal = ({ account, token }) => ({ account, rejected: sha256(token) });

/** @param {Host} host @param {string} account */
const stateOf = async (host, account) => (await host.call('account.list', { limit: 200 })).accounts.find((/** @type {any} */ each) => each.account === account);

/**
 * Lets a server of bytes stand in the provider's place.
 * @template T
 * @param {World} of @param {Place} place @param {(server: RawServer) => Promise<T>} use
 */
async function inItsPlace({ idp }, place, use) {
  await idp.goAway();
  const server = await startRawServer({ certificate: idp.certificates.server, port: idp.port, ...place });
  try {
    return await use(server);
  } finally {
    await server.stop();
    await idp.comeBack();
  }
}

/** The most memory that the process ever had, in KiB. @param {number} pid */
async function peakMemory(pid) {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]);
}

/** An answer that drips for ever; it runs beside the other tests. */
async function dripping() {
  const own = await World.open();
  const host = await own.host();
  const signed = await own.signedIn(host);
  const outcome = await inItsPlace(own, {
    answer: (socket) => {
      socket.write(`${OK}Content-Length: 5000\r\n\r\n`);
      const drop = setInterval(() => socket.write(' '), 1000);
      socket.on('close', () => clearInterval(drop));
    },
  }, async ({ requests }) => {
    const started = performance.now();
    const refusal = await host.refused('token.get', renewal(signed));
    const answered = performance.now() - started;
    const between = await stateOf(host, signed.account);
    const { params } = await host.next((each) => each.method === 'account.changed' && each.params.account.state === 'waiting', 'the end of the request', REQUEST_MS);
    return { refusal, answered, between, end: params.account, ended: performance.now() - started, requests: requests.length };
  });
  const again = await own.host(host.home);
  const { source } = await again.call('token.get', renewal(signed));
  await own.close();
  return { ...outcome, source };
}

const drip = dripping();
drip.catch(() => {}); // told by its test

/** @param {import('node:tls').TLSSocket} socket */
const forEver = (socket, /** @type {string} */ head, /** @type {string | Buffer} */ chunk) => {
  socket.write(head);
  pour(socket, chunk);
};

/** @typedef {{ place: Place, kind?: string, stage?: string, requests: number }} Trouble */

/** Nothing may be sent to such a server. @type {Record<string, Trouble>} */
const UNTRUSTED = {
  'TLS 1.1 alone': { place: { tls: { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } }, stage: 'tls', requests: 0 },
  'a certificate of a stranger': { place: { certificate: stranger.server }, stage: 'tls', requests: 0 },
  'a certificate for another name': { place: { certificate: elsewhere }, stage: 'tls', requests: 0 },
  'an expired certificate': { place: { certificate: expired }, stage: 'tls', requests: 0 },
};

/** @type {Record<string, Trouble>} */
const BROKEN = {
  'an end before any answer': { place: { answer: (socket) => socket.end() }, stage: 'http', requests: 1 },
  'an end in the header': { place: { answer: (socket) => socket.end(OK) }, kind: 'identity-provider', requests: 1 },
  'fewer bytes than announced': { place: { answer: (socket) => socket.end(`${OK}Content-Length: 100\r\n\r\n{"access_token":`) }, stage: 'http', requests: 1 },
  'an end between two chunks': { place: { answer: (socket) => socket.end(`${OK}Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n`) }, stage: 'http', requests: 1 },
  'a length of a chunk that is none': { place: { answer: (socket) => socket.end(`${OK}Transfer-Encoding: chunked\r\n\r\nmany\r\n`) }, stage: 'http', requests: 1 },
  'a cut in the middle, without the end of TLS': { place: { answer: (socket) => socket.write(`${OK}Content-Length: 100\r\n\r\n{`, () => socket.destroy()) }, stage: 'http', requests: 1 },
  'another protocol': { place: { answer: (socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n') }, stage: 'http', requests: 1 },
  'a body of no end': { place: { answer: (socket) => forEver(socket, `${OK}\r\n`, KIB) }, kind: 'identity-provider', requests: 1 },
  'chunks of no end': { place: { answer: (socket) => forEver(socket, `${OK}Transfer-Encoding: chunked\r\n\r\n`, `400\r\n${KIB}\r\n`) }, kind: 'identity-provider', requests: 1 },
  'header fields of no end': { place: { answer: (socket) => forEver(socket, OK, `X-Field: ${KIB}\r\n`) }, kind: 'identity-provider', requests: 1 },
  'one header field of no end': { place: { answer: (socket) => forEver(socket, `${OK}X-Field: `, KIB) }, stage: 'http', requests: 1 },
  'patience asked for without end': { place: { answer: (socket) => forEver(socket, '', 'HTTP/1.1 102 Processing\r\n\r\n') }, kind: 'identity-provider', requests: 1 },
  'what would be four gibibytes unpacked': { place: { answer: (socket) => forEver(socket, `${OK}Content-Encoding: gzip\r\n\r\n`, Buffer.alloc(1024)) }, kind: 'identity-provider', requests: 1 },
};

for (const [group, troubles] of Object.entries({ untrusted: UNTRUSTED, broken: BROKEN })) {
  test(`a server that is ${group} is told as what it is, asked once, and costs neither memory nor the refresh token`, async (t) => {
    const host = await world.host();
    /** @type {{ account: string, token: string }[]} */
    const all = [];
    for (const [what, { place, kind = 'network', stage, requests }] of Object.entries(troubles)) {
      await t.test(what, async () => {
        const signed = await world.signedIn(host);
        all.push(signed);
        await inItsPlace(world, place, async (server) => {
          const asked = host.refused('token.get', renewal(signed));
          assert.ok(await stateOf(host, signed.account), 'other requests are answered meanwhile');
          const refusal = await asked;
          assert.deepEqual([refusal.kind, refusal.data.stage, refusal.data.retryable], [kind, stage, true]);
          assert.equal(server.requests.length, requests);
        });
        const { state, problem, refreshToken } = await stateOf(host, signed.account);
        assert.deepEqual([state, problem.kind, refreshToken.present], ['waiting', kind, true]);
        assert.equal((await host.call('token.get', { account: signed.account })).accessToken, signed.token, 'the living token serves on');
        const peak = await peakMemory(host.pid);
        assert.ok(peak > 0 && peak < MEMORY_MAX_KIB, `${peak} KiB`);
      });
    }
    await host.end();
    const next = await world.host(host.home);
    for (const signed of all) assert.equal((await next.call('token.get', renewal(signed))).source, 'renewed');
    await next.kill();
  });
}

test('TLS 1.2 alone is enough', async () => {
  const host = await world.host();
  const signed = await world.signedIn(host);
  await inItsPlace(world, { tls: { maxVersion: 'TLSv1.2' }, answer: (socket) => socket.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n') }, async ({ requests }) => {
    assert.equal((await host.refused('token.get', renewal(signed))).kind, 'identity-provider');
    assert.equal(requests.length, 1);
  });
});

test('a redirect is not followed: the place that it names sees nothing', async () => {
  const host = await world.host();
  let seen = 0;
  const plain = createServer((_request, response) => {
    seen += 1;
    response.end('{}');
  }).listen(0, '127.0.0.1');
  await once(plain, 'listening');
  after(() => plain.close());
  const other = await startRawServer({ certificate: world.idp.certificates.server, answer: (socket) => socket.end(`${OK}Content-Length: 2\r\n\r\n{}`) });
  after(() => other.stop());
  const { port } = /** @type {import('node:net').AddressInfo} */ (plain.address());
  for (const location of [`https://localhost:${other.port}/token`, `http://127.0.0.1:${port}/token`, '/elsewhere']) {
    for (const status of [302, 307]) {
      const { account, token } = await world.signedIn(host);
      await world.idp.control({ nextToken: { status, headers: { location }, body: '', match: { user: account } } });
      assert.equal((await host.refused('token.get', renewal({ account, token }))).kind, 'identity-provider', `${status} ${location}`);
      assert.equal(world.requestsOf(account).length, 1);
    }
  }
  assert.deepEqual([other.requests.length, seen], [0, 0]);
  assert.equal(world.idp.requests().filter(({ endpoint }) => endpoint === 'other').length, 0);
});

test('an answer of 64 KiB is read, and one of a byte more is not', async () => {
  const host = await world.host();
  const answer = { token_type: 'Bearer', expires_in: 3600, access_token: 'at-the-bound' };
  for (const [length, kind] of /** @type {const} */ ([[65_536, undefined], [65_537, 'identity-provider']])) {
    const signed = await world.signedIn(host);
    await world.idp.control({ nextToken: { status: 200, body: JSON.stringify(answer).padEnd(length), headers: { 'content-type': 'application/json' }, match: { user: signed.account } } });
    if (kind) assert.equal((await host.refused('token.get', renewal(signed))).kind, kind);
    else assert.equal((await host.call('token.get', renewal(signed))).accessToken, answer.access_token);
  }
});

test('with nobody there it is stage connect, and commands exit with 69', async () => {
  const host = await world.host();
  const [first, second, third] = await world.expired(host, 3);
  await world.idp.goAway();
  try {
    const { kind, data } = await host.refused('token.get', { account: first });
    assert.deepEqual([kind, data.stage], ['network', 'connect']);
    const command = await runCommand(['token', second], { home: host.home });
    assert.deepEqual([command.code, command.stdout], [69, '']);
    assert.match(command.stderr, /cannot be reached/);
  } finally {
    await world.idp.comeBack();
  }
  await inItsPlace(world, BROKEN['a body of no end'].place, async () => {
    const { code, stdout } = await runCommand(['token', third], { home: host.home });
    assert.deepEqual([code, stdout], [69, '']);
  });
  const { code, stdout } = await runCommand(['token', second], { home: host.home });
  assert.deepEqual([code, stdout.length > 100], [0, true], 'when it is back, all is well');
});

test('trust anchors that cannot be read stop sign-in and renewal as misconfigured, and name the file', async () => {
  const home = await world.home();
  const first = await world.host(home);
  const signed = await world.signedIn(first);
  await first.end();
  await world.configure(home, { caFile: join(home, 'absent.pem') });
  const host = await world.host(home);
  assert.match(host.welcome.warnings[0].cause, /caFile/);
  assert.equal((await host.refused('signIn.start', { account: signed.account })).kind, 'misconfigured');
  assert.equal((await host.refused('token.get', renewal(signed))).kind, 'misconfigured');
  assert.equal((await host.call('token.get', { account: signed.account })).accessToken, signed.token);
  assert.equal(world.requestsOf(signed.account).length, 0);
});

test('an answer that drips: the caller is told within 8 s, and the request ends after 20 s', async () => {
  const { refusal, answered, between, end, ended, requests, source } = await drip;
  assert.deepEqual([refusal.kind, refusal.data.stage, refusal.data.retryable], ['network', 'timeout', true]);
  assert.ok(answered <= ANSWER_LIMIT_MS, `${answered} ms`);
  assert.equal(between.state, 'renewing', 'it goes on without the caller');
  assert.ok(ended >= REQUEST_MS - 500 && ended < REQUEST_MS + 4000, `${ended} ms`);
  assert.deepEqual([end.problem.kind, end.refreshToken.present, requests, source], ['network', true, 1, 'renewed']);
});
