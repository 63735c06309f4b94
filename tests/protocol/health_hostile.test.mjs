// SPDX-License-Identifier: MPL-2.0
/**
 * health.check (PROTOCOL section 3) on mail servers that refuse, break, lie or tamper, many in one check: the right check
 * fails with the right cause first, within time and memory, and no server hears a secret before TLS.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { makeCertificates } from '../servers/certificates.mjs';
import { assertNothingSecretBeforeTls, assertTokenNotSent, breaksOf, CERTIFICATE_CAUSES, oddCertificates, TRICKS, WAYS } from '../servers/mail/breaks.mjs';
import { startExchange } from '../servers/mail/exchange.mjs';
import { EXCHANGE_LINES, NOT_CONNECTED } from '../servers/mail/exchange_lines.mjs';
import { startRawServer } from '../servers/raw_https.mjs';
import { one, server, startGate } from './health_world.mjs';
import { World } from './world.mjs';

/** A probe's deadline is ten seconds; the rest is what a busy machine adds. */
const PROBE_LIMIT_MS = 11_500;
const CHECK_LIMIT_MS = 40_000;
const MEMORY_LIMIT_KIB = 32 * 1024;
/** So many probes that take their whole ten seconds fit into the thirty of a check, with room. */
const SLOW_AT_A_TIME = 32;
const LINE_BYTES = 512;

const world = await World.open();
after(() => world.close());

const { outlookResource: outlook, certificates } = world.idp;
const odd = await oddCertificates(certificates);
const stranger = await makeCertificates({ folder: `${world.folder}/stranger`, authorityName: 'Contoso inspection' });

/** One signed-in home for all: with a token that is good in every respect. */
const home = await world.home();
const account = await world.user();
{
  const host = await world.host(home);
  const scopes = ['IMAP', 'POP'].map((each) => `${outlook}/${each}.AccessAsUser.All`);
  const { ok } = await world.signIn(host, account, { scopes: [...scopes, `${outlook}/SMTP.Send`] });
  assert.ok(ok);
  await host.end();
}
const tokens = () => world.idp.issued().flatMap(({ value }) => (value ? [value] : []));

/**
 * @typedef {object} Case
 * @property {string} name
 * @property {import('../servers/mail/breaks.mjs').Behaviour} options
 * @property {{ key: string, cert: string }} [certificate]
 * @property {string} stage
 * @property {string} [failure]  refused
 * @property {string} cause
 * @property {string} [maybe]    another stage, at which nothing else is looked at
 * @property {'ok' | 'warn' | 'fail'} [status]  fail
 * @property {(check: import('./health_world.mjs').Check, exchange: Awaited<ReturnType<typeof startExchange>>) => void} [also]
 */

/** What a refusing server and its check must be like. @param {Case} wanted @param {any} check @param {Awaited<ReturnType<typeof startExchange>>} exchange */
function judge({ stage, failure = 'refused', cause, maybe, status = 'fail', also }, check, exchange) {
  assert.ok(check, 'it is told');
  const { evidence, causes, latencyMs } = check;
  assert.ok(latencyMs < PROBE_LIMIT_MS, `${latencyMs} ms`);
  assert.ok(Buffer.byteLength(evidence.line ?? '') <= LINE_BYTES);
  assert.ok(check.detail && check.remedy, 'it says what to do');
  assertNothingSecretBeforeTls(exchange, tokens());
  if (evidence.stage === maybe) return;
  assert.deepEqual([evidence.stage, evidence.failure ?? '', causes?.[0], check.status], [stage, failure, cause, status], JSON.stringify(check));
  if (!['auth', 'command', 'done'].includes(stage)) assertTokenNotSent(exchange);
  also?.(check, exchange);
}

/** Each case has a server of its own; one host checks them all at once. @param {Case[]} cases */
async function outcomes(cases) {
  const exchanges = await Promise.all(cases.map(({ options, certificate = certificates.server }) => startExchange({ certificate, ...options })));
  after(() => Promise.all(exchanges.map((exchange) => exchange.stop())));
  const host = await world.host(home);
  const servers = cases.map(({ options: { protocol, starttls } }, i) => server(account, protocol, exchanges[i].port, { socketType: starttls ? 'starttls' : 'tls' }));
  host.send({ jsonrpc: '2.0', id: 'all', method: 'health.check', params: { servers, checks: ['imap', 'pop3', 'smtp'] } });
  const { result: { report } } = await host.answer('all', CHECK_LIMIT_MS);
  assert.equal((await host.call('account.list')).accounts[0].state, 'ready', 'no server changes the state of a sign-in');
  const peak = Number(/VmHWM:\s+(\d+)/.exec(await readFile(`/proc/${host.pid}/status`, 'utf8'))?.[1]);
  assert.ok(peak < MEMORY_LIMIT_KIB, `${peak} KiB`);
  const said = JSON.stringify(host.messages);
  tokens().forEach((token) => assert.ok(!said.includes(token.slice(0, 24)), 'no piece of a token is told'));
  const { code } = await host.end();
  assert.deepEqual([code, host.stderr], [0, '']);
  return cases.map((each, i) => (
    { each, exchange: exchanges[i], check: report.checks.find((/** @type {any} */ { evidence }) => evidence?.port === exchanges[i].port) }));
}

/** @param {string} name @param {Case[]} cases @param {number} [most] in one host; several hosts work side by side */
function table(name, cases, most = cases.length) {
  test(name, async (t) => {
    const parts = Array.from({ length: Math.ceil(cases.length / most) }, (_part, i) => cases.slice(i * most, (i + 1) * most));
    for (const { each, exchange, check } of (await Promise.all(parts.map(outcomes))).flat()) {
      await t.test(each.name, () => judge(each, check, exchange));
    }
  });
}

/** @param {{ protocol: string, starttls?: boolean }} options */
const way = ({ protocol, starttls }) => `${protocol} with ${starttls ? 'STARTTLS' : 'TLS'}`;
const breaks = WAYS.flatMap(({ protocol, starttls }) => breaksOf(protocol, starttls)).map((each) => ({ ...each, name: `${way(each.options)}: ${each.name}` }));
const isSlow = (/** @type {{ failure: string }} */ { failure }) => failure === 'timed-out';

table('servers that hang or drip at each step, side by side', breaks.filter(isSlow), SLOW_AT_A_TIME);

WAYS.forEach(({ protocol, starttls }) => table(
  `servers that break at each step: ${way({ protocol, starttls })}`,
  breaks.filter((each) => !isSlow(each) && each.options.protocol === protocol && each.options.starttls === starttls),
));

table('the lines of Exchange Online, with a good token', EXCHANGE_LINES.map(({ protocol, step, line, stage, cause, good = cause, status }) => ({
  name: `${protocol}: ${line.split('\r\n')[0]}`,
  options: { protocol, starttls: protocol === 'smtp', says: { [step]: line } },
  stage,
  cause: good,
  status,
  also: ({ detail, evidence }) => {
    const said = line.split('\r\n')[0].replace('TAG ', '');
    assert.ok(evidence.line.includes(said) && detail.includes(said), detail);
  },
})));

table('servers that lie or tamper', TRICKS.map(({ cause, good = cause, ...trick }) => ({ ...trick, cause: good })));

table('certificates that are not to be trusted', WAYS.flatMap((options) => [
  ...CERTIFICATE_CAUSES.map(([fault, cause]) => ({ fault, cause, certificate: odd[fault], issuer: fault === 'self-signed' ? /localhost/ : /Thunderseal test authority/ })),
  { fault: 'unknown-issuer', cause: 'intercepted', certificate: stranger.server, issuer: /Contoso inspection/ },
].map(({ fault, cause, certificate, issuer }) => /** @type {Case} */ ({
  name: `${way(options)}: ${fault}`,
  options,
  certificate,
  stage: 'tls',
  failure: 'certificate',
  cause,
  also: ({ evidence }, { heard }) => {
    assert.equal(evidence.certificate.fault, fault);
    assert.match(evidence.certificate.issuer, issuer);
    heard.forEach(({ secure }) => assert.equal(secure, '', 'nothing at all is said over it'));
  },
  // Where one is refused, OpenSSL reads the system's whole bundle, for each connection: hence eight at a time.
}))), 8);

table('where IPv6 leads to a front end that cannot reach the mailbox', [
  {
    name: 'IPv4 works: a warning that says how to go round it', options: { protocol: 'imap', says: { command: NOT_CONNECTED }, saysOverIpv4: { command: 'TAG OK LIST completed.' } },
    stage: 'done', failure: '', cause: 'ipv6-path', status: 'warn',
    also: ({ evidence, remedy }, { heard }) => {
      assert.deepEqual(heard.map(({ address }) => address), ['::1', '127.0.0.1']);
      assert.match(evidence.lineOverIpv6, /authenticated but not connected/);
      assert.match(remedy ?? '', /network\.dns\.disableIPv6/);
    },
  },
  { name: 'neither does IPv4: it is not IPv6', options: { protocol: 'imap', says: { command: NOT_CONNECTED }, saysOverIpv4: {} }, stage: 'command', cause: 'no-mailbox' },
]);

test('a slow sign-in service whose certificate nobody vouches for costs no more than a probe\'s time', async () => {
  const raw = await startRawServer({ certificate: stranger.server });
  const gate = await startGate(raw.port, 4500, { now: 0, most: 0 });
  after(() => Promise.all([gate, raw].map((each) => each.stop())));
  const host = await world.host(await world.home({ custom: { ...world.custom(), authority: `https://localhost:${gate.port}` } }));
  const asked = performance.now();
  host.send({ jsonrpc: '2.0', id: 'it', method: 'health.check', params: { checks: ['authority'] } });
  const { result: { report } } = await host.answer('it', CHECK_LIMIT_MS);
  assert.ok(performance.now() - asked < PROBE_LIMIT_MS, `${performance.now() - asked} ms`);
  assert.equal(one(report, 'authority').status, 'fail');
});

test('accounts that nobody knows are checked up to a hundred, and no list makes a check large', async () => {
  const host = await world.host(home);
  const named = (/** @type {number} */ count, /** @type {string} */ domain) => Array.from({ length: count }, (_entry, i) => server(`${i}@${domain}`, 'imap', 993));
  const tooMany = [{ servers: named(101, 'unknown.test') }, { servers: Array(4001).fill(server(account, 'imap', 993)) }, { accounts: Array(4001).fill(account) }];
  for (const params of tooMany) {
    const { kind, data } = await host.refused('health.check', params);
    assert.deepEqual([kind, data.field], ['invalid-params', Object.keys(params)[0]]);
  }
  const { report } = await host.call('health.check', { servers: named(100, 'unknown.test'), checks: ['sign-in'] });
  assert.equal(report.checks.length, 101);
  const aside = await host.call('health.check', { accounts: [account], servers: named(4000, 'other.test'), checks: ['sign-in'] });
  assert.equal(aside.report.checks.length, 1, 'those of accounts that were not asked for cost nothing');
  const peak = Number(/VmHWM:\s+(\d+)/.exec(await readFile(`/proc/${host.pid}/status`, 'utf8'))?.[1]);
  assert.ok(peak < MEMORY_LIMIT_KIB, `${peak} KiB`);
});
