// SPDX-License-Identifier: MPL-2.0
/** `thunderseal check` (PROTOCOL section 4), and report.create: what goes to a help desk names nobody. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startExchange } from '../servers/mail/exchange.mjs';
import { startMail } from '../servers/mail.mjs';
import { makeAjv, policySchema, protocolSchema } from './contract.mjs';
import { check, IDS, server } from './health_world.mjs';
import { PROGRAM, runCommand, soon } from './host.mjs';
import { World } from './world.mjs';

const world = await World.open();
const mail = await startMail({ folder: join(world.folder, 'mail'), identityProvider: world.idp });
after(async () => { await mail.stop(); await world.close(); });

const ajv = makeAjv();
ajv.addSchema(policySchema);
ajv.addSchema(protocolSchema);
const isReport = /** @type {import('ajv').ValidateFunction} */ (ajv.getSchema(`${protocolSchema.$id}#/$defs/report`));

const custom = (change = {}) => ({ ...world.custom(), imap: `localhost:${mail.imap.port}`, smtp: `localhost:${mail.smtp.port}/starttls`, ...change });

/** @param {object} [change] of the endpoints */
async function signedIn(change = {}) {
  const home = await world.home({ custom: custom(change) });
  const host = await world.host(home);
  const { account, token } = await world.signedIn(host);
  return { home, host, account, token };
}

const ESCAPE = '\u001b';

/** In a terminal. @param {string} home @param {Record<string, string>} [env] */
async function onTerminal(home, env = {}) {
  const child = spawn('script', ['-qec', `${PROGRAM} check`, '/dev/null'], {
    env: { PATH: process.env.PATH, HOME: home, TERM: 'xterm', LANG: 'C.UTF-8', SHELL: '/bin/sh', ...env }, stdio: ['ignore', 'pipe', 'inherit'], cwd: '/',
  });
  let screen = '';
  child.stdout.setEncoding('utf8').on('data', (text) => { screen += text; });
  const [code] = await soon(once(child, 'close'), 'check', 30_000);
  return { code, screen };
}

test('check prints a line for each check under its account, and ends with 0', async () => {
  const { home, account } = await signedIn();
  const { code, stdout, stderr } = await runCommand(['check'], { home });
  assert.deepEqual([code, stderr], [0, ''], stdout);
  const lines = stdout.split('\n');
  assert.equal(lines.filter((line) => line === account).length, 1);
  const checks = lines.filter((line) => /^(ok|warn|fail|skipped) /.test(line));
  assert.equal(checks.length, IDS.length);
  checks.forEach((line) => assert.match(line, /^\S+ +\S/));
  assert.deepEqual([...new Set(checks.map((line) => /^\S+ +/.exec(line)?.[0].length))], [9], 'the titles stand in one column');
  assert.ok(!stdout.includes(ESCAPE));
});

test('check --json prints the report of the protocol, and a failed check ends it with 1', async () => {
  const { home, account } = await signedIn({ imap: 'localhost:9' });
  const { code, stdout } = await runCommand(['check', '--json', account], { home });
  const report = JSON.parse(stdout);
  assert.ok(isReport(report), JSON.stringify(isReport.errors));
  assert.deepEqual([code, report.overall], [1, 'fail']);
  assert.equal(report.checks.find((/** @type {any} */ { id }) => id === 'imap').status, 'fail');
});

test('check of an account that nobody knows is a matter of spelling', async () => {
  const { home } = await signedIn();
  const { code, stderr } = await runCommand(['check', 'nobody@contoso.test'], { home });
  assert.equal(code, 64);
  assert.match(stderr, /nobody@contoso\.test/);
});

test('on a terminal check shows how far it is, and colours unless NO_COLOR is set', async () => {
  const { home } = await signedIn();
  const coloured = await onTerminal(home);
  assert.equal(coloured.code, 0, coloured.screen);
  assert.match(coloured.screen, new RegExp(`\\r${IDS.length} of ${IDS.length} checks`));
  assert.ok(coloured.screen.includes(`${ESCAPE}[32mok`));
  const plain = await onTerminal(home, { NO_COLOR: '1' });
  assert.ok(!plain.screen.includes(`${ESCAPE}[3`));
});

test('Ctrl-C ends a check at once', async () => {
  const exchange = await startExchange({ protocol: 'imap', certificate: world.idp.certificates.server, faults: { capability: 'hang' } });
  after(() => exchange.stop());
  const { home } = await signedIn({ imap: `localhost:${exchange.port}` });
  const child = spawn(PROGRAM, ['check'], { env: { PATH: process.env.PATH, HOME: home }, stdio: 'ignore', cwd: '/' });
  while (!exchange.heard.some(({ secure }) => secure.includes('CAPABILITY'))) await new Promise((resolve) => { setImmediate(resolve); });
  const started = performance.now();
  child.kill('SIGINT');
  const [code] = await soon(once(child, 'close'), 'the end of check');
  assert.equal(code, 130);
  assert.ok(performance.now() - started < 5000, 'the probe would have gone on for ten seconds');
});

test('a report has all that a help desk needs, and names nobody', async () => {
  const { host, account, token } = await signedIn();
  await world.idp.control({ mailRefuses: true });
  const { overall } = await check(host, {
    servers: [server(account, 'imap', mail.imap.port), server(account, 'smtp', 587, { hostname: 'mail.secret.example' })],
  });
  await world.idp.control({ mailRefuses: false });
  assert.equal(overall, 'fail');
  const { report } = await host.call('report.create', {});
  for (const part of [/^Thunderseal report, \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/m, /add-on 0\.1\.0, Thunderbird 140\.0/, /libcurl \d/, /cloud custom/,
    /key store file, open/, /account 1: ready/, /client-request-id [0-9a-f-]{36}/, /^ {2}fail {4}imap of account 1: /m, /Audit log: intact/, /health-checked/]) {
    assert.match(report, part);
  }
  const hidden = [account, account.split('@')[0], 'contoso', '@', 'secret.example', token, world.idp.authority];
  hidden.forEach((each) => assert.ok(!report.includes(each), `the report has ${each}`));
  report.split('\n').forEach((/** @type {string} */ line) => assert.ok(line.length <= 160 && /^[\x20-\x7e]*$/.test(line), line));
});

test('a report says of each account what the list says of it', async () => {
  for (const [change, told] of /** @type {const} */ ([[{ tenant: 'contoso.test' }, /account 1: attention[^]*problem sign-in-required/], [{ allowedDomains: ['other.test'] }, /account 1: blocked[^]*problem policy-denied/]])) {
    const { host } = await signedIn();
    await host.end();
    await world.configure(host.home, change);
    const next = await world.host(host.home);
    assert.match((await next.call('report.create', {})).report, told);
  }
});

test('a report of a refused renewal has the ids by which Entra\'s log has it', async () => {
  const { host, account } = await signedIn();
  await world.idp.control({ revoke: account, nextToken: { entra: { error: 'invalid_grant', code: 50173, suberror: 'bad_token' } } });
  const { createHash } = await import('node:crypto');
  const { accessToken } = await host.call('token.get', { account });
  const refusal = await host.refused('token.get', { account, rejected: createHash('sha256').update(accessToken).digest('hex') });
  const { report } = await host.call('report.create', {});
  assert.match(report, /problem sign-in-required AADSTS50173/);
  assert.ok(report.includes(refusal.data.correlationId) && report.includes(refusal.data.traceId));
  assert.equal((await host.refused('report.create', { all: true })).kind, 'invalid-params');
});
