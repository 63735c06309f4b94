// SPDX-License-Identifier: MPL-2.0
/** health.check (PROTOCOL section 3) on Graph, as it should be, as it refuses, and as it breaks: the right cause first, and no token to anybody else. */
import assert from 'node:assert/strict';
import { cp } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeCertificates } from '../servers/certificates.mjs';
import { listenOnLoopback } from '../servers/loopback.mjs';
import { oddCertificates } from '../servers/mail/breaks.mjs';
import { GRAPH_ANSWERS, startGraph } from '../servers/mail/graph.mjs';
import { pour, startRawServer } from '../servers/raw_https.mjs';
import { one, server } from './health_world.mjs';
import { World } from './world.mjs';

const CHECK_LIMIT_MS = 20_000;
const PROBE_LIMIT_MS = 11_500;
const DRIP_EVERY_MS = 200;

const world = await World.open();
after(() => world.close());

const { outlookResource: outlook, graphResource: resource, certificates } = world.idp;
const odd = await oddCertificates(certificates);
const stranger = await makeCertificates({ folder: join(world.folder, 'stranger'), authorityName: 'Contoso inspection' });

/** One signed-in home, of which each case gets a copy with a Graph of its own. */
const home = await world.home();
const account = await world.user();
{
  const host = await world.host(home);
  const { ok } = await world.signIn(host, account, { scopes: [`${outlook}/IMAP.AccessAsUser.All`, `${resource}/User.Read`] });
  assert.ok(ok);
  await host.call('token.get', { account, protocol: 'graph' });
  await host.end();
}
const look = (/** @type {string} */ token) => world.idp.issued().find(({ value }) => value === token);
const tokens = () => world.idp.issued().flatMap(({ value }) => (value ? [value] : []));

/** @typedef {{ port: number, requests: unknown[], stop: () => Promise<unknown> }} GraphServer */

/** Graph as it is, which answers or breaks so. @param {Parameters<Awaited<ReturnType<typeof startGraph>>['control']>[0]} orders */
const graph = (orders) => async () => {
  const started = await startGraph({ ...certificates.server, look, resource });
  started.control(orders);
  return started;
};

/** Who answers so to each request, with this certificate. @param {(socket: import('node:tls').TLSSocket) => void} [answer] @param {any} [certificate] */
const raw = (answer, certificate = certificates.server) => () => startRawServer({ certificate, answer });

/** No TLS at all: says this to whoever comes. @param {string} text "": nothing */
const plain = (text) => async () => {
  const { port, servers } = await listenOnLoopback(() => createServer((socket) => {
    socket.on('error', () => {}).on('end', () => socket.destroy()).resume();
    if (text) socket.end(text);
  }));
  return { port, requests: [], stop: () => Promise.all(servers.map((each) => new Promise((closed) => { each.close(closed); }))) };
};

const nobody = async () => {
  const gone = await raw()();
  await gone.stop();
  return { ...gone, stop: async () => {} };
};

/** @param {string} head @param {string} [body] */
const says = (head, body = '') => (/** @type {import('node:tls').TLSSocket} */ socket) => socket.end(`HTTP/1.1 ${head}\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
const drip = (/** @type {import('node:tls').TLSSocket} */ socket) => {
  const timer = setInterval(() => socket.write('x'), DRIP_EVERY_MS);
  socket.on('close', () => clearInterval(timer)).write('HTTP/1.1 200 OK\r\n\r\n');
};

const elsewhere = await startRawServer({ certificate: certificates.server });
after(() => elsewhere.stop());

/** What Graph does, and the status and first cause of the check. @type {[string, () => Promise<GraphServer>, string, string?][]} */
const CASES = [
  ['answers', graph({}), 'ok'],
  ['says that there is no token', graph({ answer: GRAPH_ANSWERS['no token'] }), 'fail', 'access-policy'],
  ['wants another audience', graph({ answer: GRAPH_ANSWERS['wrong audience'] }), 'fail', 'wrong-audience'],
  ['says that the token has expired, by its own clock', graph({ answer: GRAPH_ANSWERS.expired }), 'fail', 'token-expired'],
  ['misses a permission', graph({ answer: GRAPH_ANSWERS['scope missing'] }), 'fail', 'scope-missing'],
  ['knows no such mailbox', graph({ answer: GRAPH_ANSWERS['no mailbox'] }), 'fail', 'no-mailbox'],
  ['throttles', graph({ answer: GRAPH_ANSWERS.throttled }), 'warn', 'throttled'],
  ['is busy', graph({ answer: GRAPH_ANSWERS.busy }), 'warn', 'server-busy'],
  ['sends elsewhere', raw(says(`302 Found\r\nlocation: https://localhost:${elsewhere.port}/v1.0/me`)), 'fail', 'other-server'],
  ['answers with a page', raw(says('200 OK', '<html>Welcome to our network</html>')), 'warn', 'other-server'],
  ['answers with somebody else\'s JSON', raw(says('200 OK', '{"id":{},"id":1}')), 'warn', 'other-server'],
  ['hangs', graph({ fault: 'hang' }), 'fail', 'timeout'],
  ['drips', raw(drip), 'fail', 'timeout'],
  ['hangs before TLS', plain(''), 'fail', 'timeout'],
  ['resets', graph({ fault: 'reset' }), 'fail', 'http'],
  ['answers garbage', graph({ fault: 'garbage' }), 'fail', 'http'],
  ['answers without end', graph({ fault: 'endless' }), 'warn', 'other-server'],
  ['answers with headers without end', raw((socket) => { socket.write('HTTP/1.1 200 OK\r\n'); pour(socket, `x: ${'y'.repeat(4096)}\r\n`); }), 'warn', 'other-server'],
  ['speaks no TLS', plain('HTTP/1.1 400 Bad Request\r\n\r\n'), 'fail', 'tls'],
  ['is not there', nobody, 'fail', 'connect'],
  ['has an expired certificate', raw(says('200 OK'), odd.expired), 'fail', 'certificate-expired'],
  ['has a certificate for another name', raw(says('200 OK'), odd['wrong-name']), 'fail', 'certificate-name'],
  ['has a certificate of its own making', raw(says('200 OK'), odd['self-signed']), 'fail', 'tls-interception'],
  ['has a certificate that nobody vouches for', raw(says('200 OK'), stranger.server), 'fail', 'tls-interception'],
];

/** @param {() => Promise<GraphServer>} start @param {number} number */
async function outcome(start, number) {
  const started = await start();
  after(() => started.stop());
  const own = `${home}-${number}`;
  await cp(home, own, { recursive: true });
  await world.configure(own, { custom: { ...world.custom(), graph: `https://localhost:${started.port}` } });
  const host = await world.host(own);
  host.send({ jsonrpc: '2.0', id: 'it', method: 'health.check', params: { servers: [server(account, 'graph', started.port)], checks: ['graph'] } });
  const { result: { report } } = await host.answer('it', CHECK_LIMIT_MS);
  const said = JSON.stringify(host.messages);
  tokens().forEach((token) => assert.ok(!said.includes(token.slice(0, 24)), 'no piece of a token is told'));
  assert.deepEqual([(await host.end()).code, host.stderr], [0, '']);
  return { check: one(report, 'graph'), requests: started.requests };
}

test('Graph as it answers, refuses and breaks, side by side', async (t) => {
  const outcomes = await Promise.all(CASES.map(([, start], number) => outcome(start, number)));
  for (const [i, [name, , status, cause]] of CASES.entries()) {
    await t.test(`Graph ${name}`, () => {
      const { check, requests } = outcomes[i];
      assert.deepEqual([check.status, check.causes?.[0]], [status, cause], JSON.stringify(check));
      assert.ok((check.latencyMs ?? 0) < PROBE_LIMIT_MS, `${check.latencyMs} ms`);
      if (cause) assert.ok(check.detail && check.remedy, 'it says what to do');
      if (cause?.startsWith('certificate') || cause?.startsWith('tls')) assert.deepEqual(requests, [], 'nothing is asked without TLS that is believed');
    });
  }
  assert.deepEqual(elsewhere.requests, [], 'nobody is followed elsewhere');
});
