// SPDX-License-Identifier: MPL-2.0
/** The audit log (DESIGN section 4): what is told, what is not, and that tampering is found. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { chmod, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { AuditReader } from './audit_reader.mjs';
import { runCommand } from './host.mjs';
import { filesBelow, sha256, stateFolder, World } from './world.mjs';

const world = await World.open();
after(() => world.close());

/** @param {string} home */
const logFile = (home) => join(stateFolder(home), 'audit.jsonl');

/** @param {string} home @returns {Promise<any[]>} */
async function entriesOf(home) {
  return (await readFile(logFile(home), 'utf8')).trimEnd().split('\n').map((line) => JSON.parse(line));
}

/** @param {string} home */
const eventsOf = async (home) => (await entriesOf(home)).map(({ event }) => event);

/** @param {string} home @param {string[]} args */
const run = (home, ...args) => runCommand(args, { home });

/** @param {string} home */
async function verify(home) {
  const { code, stdout, stderr } = await run(home, 'audit', 'verify', '--json');
  assert.equal(stderr, '');
  const verdict = JSON.parse(stdout);
  assert.equal(code, verdict.intact ? 0 : 1);
  return verdict;
}

/** A home whose log has seen some of everything. */
async function aLife() {
  const home = await world.home();
  const host = await world.host(home);
  const { account, token } = await world.signedIn(host);
  await host.call('token.get', { account });
  await host.call('token.get', { account, rejected: sha256(token) });
  const { signInId } = await host.call('signIn.start', { account: await world.user('other') });
  await host.call('signIn.cancel', { signInId });
  await world.idp.control({ nextToken: { entra: { error: 'invalid_grant', code: 50173, suberror: 'bad_token' }, match: { user: account } } });
  const renewed = await host.call('token.get', { account });
  await host.refused('token.get', { account, rejected: sha256(renewed.accessToken) });
  await host.call('signOut', { account });
  await host.call('account.remove', { account });
  return { home, host, account, tokens: [token, renewed.accessToken] };
}

const life = await aLife();

test('sign-ins, renewals, failures, the first hand-over, sign-out and removal are told', async () => {
  const told = await entriesOf(life.home);
  assert.deepEqual(told.map(({ event }) => event), ['log-started', 'policy-changed', 'account-added', 'sign-in-started', 'signed-in', 'token-handed-over', 'renewed',
    'account-added', 'sign-in-started', 'sign-in-failed', 'renewal-failed', 'signed-out', 'account-forgotten']);
  assert.deepEqual(told.map(({ seq }) => seq), told.map((_entry, i) => i + 1));
  const failed = told.find(({ event }) => event === 'renewal-failed');
  assert.deepEqual([failed.kind, failed.aadsts, failed.resource, failed.by], ['sign-in-required', 50173, 'outlook', 'thunderbird']);
  assert.match(failed.correlationId, /^[0-9a-f-]{36}$/);
  assert.equal(told.find(({ event }) => event === 'sign-in-failed').kind, 'cancelled');
  assert.equal(told.find(({ event }) => event === 'signed-in').method, 'browser');
  for (const { time } of told) assert.ok(Math.abs(time - Date.now() / 1000) < 60);
  assert.equal((await stat(logFile(life.home))).mode & 0o777, 0o600);
});

test('no address and no token stands in it, and it holds nothing but words, numbers and hashes', async () => {
  const bytes = await readFile(logFile(life.home), 'utf8');
  for (const secret of [life.account, life.account.split('@')[0], '@', ...life.tokens]) assert.ok(!bytes.includes(secret), secret);
  for (const { time: _time, seq: _seq, ...entry } of await entriesOf(life.home)) {
    for (const [key, value] of Object.entries(entry)) assert.match(String(value), /^([a-z-]+|\d+|[0-9a-f]{32}|[0-9a-f]{64}|[0-9a-f-]{36})$/, key);
  }
});

test('audit.read gives the latest entries, or those since a moment, and says whether all are intact', async () => {
  const { host } = life;
  const all = await host.call('audit.read');
  assert.equal(all.intact, true);
  assert.equal(all.entries.length, 13);
  assert.deepEqual((await host.call('audit.read', { limit: 2 })).entries, all.entries.slice(-2));
  assert.deepEqual((await host.call('audit.read', { since: 0, limit: 2 })).entries, all.entries.slice(0, 2));
  assert.deepEqual((await host.call('audit.read', { since: 4_000_000_000 })).entries, []);
  assert.equal((await host.call('audit.read', { limit: 100_000 })).entries.length, 13);
  assert.ok(all.entries.every((/** @type {any} */ entry) => entry.mac === undefined));
  for (const [params, field] of /** @type {[any, string][]} */ ([[{ limit: 0 }, 'limit'], [{ since: -1 }, 'since'], [{ since: 'today' }, 'since'], [{ until: 5 }, 'until']])) {
    assert.equal((await host.refused('audit.read', params)).data.field, field);
  }
});

test('show names the accounts that are known; a forgotten one leaves its hash alone', async () => {
  const home = await world.home();
  const host = await world.host(home);
  const { account } = await world.signedIn(host);
  await host.end();
  const shown = JSON.parse((await run(home, 'audit', 'show', '--json')).stdout);
  assert.deepEqual([...new Set(shown.entries.map((/** @type {any} */ entry) => entry.account).filter(Boolean))], [account]);
  const { code, stdout, stderr } = await run(home, 'audit');
  assert.deepEqual([code, stderr], [0, '']);
  assert.match(stdout, new RegExp(`^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d  signed-in  ${account}  method=browser  by=thunderbird$`, 'm'));
  const before = await readFile(logFile(home), 'utf8');
  assert.equal((await run(home, 'forget', account)).code, 0);
  assert.ok((await readFile(logFile(home), 'utf8')).startsWith(before), 'forgetting changes no entry');
  assert.doesNotMatch((await run(home, 'audit')).stdout, /@/);
  for (const { bytes, path } of await filesBelow(stateFolder(home))) assert.ok(!bytes.includes(account), path);
});

test('verify finds a changed byte, a removed, a repeated and a forged line, and says where', async () => {
  const { home } = life;
  const good = await readFile(logFile(home), 'utf8');
  const lines = good.split(/(?<=\n)/);
  assert.deepEqual(await verify(home), { intact: true, entries: lines.length });
  const forged = good.replace(/"seq":13.*"mac":"([0-9a-f]+)"/, (line, mac) => line.replace(mac, createHmac('sha256', 'guess').update(line).digest('hex')));
  for (const [bad, damage, line] of /** @type {[string, string, number][]} */ ([
    [good.replace('"kind":"cancelled"', '"kind":"cancelleb"'), 'changed', 10], [lines.toSpliced(5, 1).join(''), 'missing', 6],
    [lines.toSpliced(5, 2, lines[6], lines[5]).join(''), 'missing', 6], [good + lines[3], 'out-of-order', 14], [`${good}{}\n`, 'no-entry', 14], [forged, 'changed', 13]])) {
    await writeFile(logFile(home), bad);
    const { finding } = await verify(home);
    assert.deepEqual([finding.damage, finding.line], [damage, line]);
    const { code, stdout } = await run(home, 'audit', 'verify');
    assert.equal(code, 1);
    assert.match(stdout, new RegExp(`not intact: .* \\(line ${line}\\)`));
    assert.match((await run(home, 'audit')).stdout, /audit verify/);
  }
  await writeFile(logFile(home), good);
  assert.equal((await verify(home)).intact, true);
});

test('a log cut short before what a sealed file names is found, even after it has gone on', async () => {
  const home = await world.home();
  const host = await world.host(home);
  const { account, token } = await world.signedIn(host);
  await host.call('token.get', { account, rejected: sha256(token) });
  await host.end();
  const lines = (await readFile(logFile(home), 'utf8')).split(/(?<=\n)/);
  // The renewal was told after it was saved, so what was saved names the line before.
  await writeFile(logFile(home), lines.slice(0, -1).join(''));
  assert.equal((await verify(home)).intact, true);
  await writeFile(logFile(home), lines.slice(0, -3).join(''));
  assert.equal((await verify(home)).finding.damage, 'cut-short');
  assert.equal((await run(home, 'token', account)).code, 0);
  assert.equal((await verify(home)).finding.damage, 'noted');
  await rm(logFile(home));
  assert.equal((await verify(home)).finding.damage, 'removed');
  assert.equal((await run(home, 'token', account)).code, 0, 'and nobody is kept from mail by it');
});

test('a half-written last line is a crash, not tampering, and the next entry mends it', async () => {
  const home = await world.home();
  const host = await world.host(home);
  const { account } = await world.signedIn(host);
  await host.end();
  const good = await readFile(logFile(home), 'utf8');
  await writeFile(logFile(home), `${good}{"seq":7,"ti`);
  const verdict = await verify(home);
  assert.deepEqual([verdict.intact, verdict.halfLine], [true, 12]);
  assert.match((await run(home, 'audit', 'verify')).stdout, /is intact[^]*half written/);
  await run(home, 'token', account);
  assert.deepEqual((await eventsOf(home)).slice(-2), ['log-healed', 'token-handed-over']);
  assert.equal((await verify(home)).intact, true);
});

test('four processes append at once', async () => {
  const home = await world.home();
  const host = await world.host(home);
  const { account } = await world.signedIn(host);
  await host.call('account.list'); // by its answer, what the host had to append before is in the log
  const before = (await entriesOf(home)).length;
  await Promise.all(Array.from({ length: 4 }, async () => {
    for (let i = 0; i < 5; i += 1) assert.equal((await run(home, 'token', account)).code, 0);
  }));
  assert.equal((await entriesOf(home)).length, before + 20);
  assert.deepEqual(await verify(home), { intact: true, entries: before + 20 });
  assert.equal((await host.call('audit.read')).intact, true);
});

test('one hand-over is told for each process and resource, and a warm one touches no disk', async () => {
  const home = await world.home();
  const host = await world.host(home);
  const account = await world.user();
  await world.signIn(host, account, { scopes: [`${world.idp.outlookResource}/IMAP.AccessAsUser.All`, `${world.idp.graphResource}/User.Read`] });
  for (const protocol of ['imap', 'graph', 'imap', 'graph']) await host.call('token.get', { account, protocol });
  const handed = (await entriesOf(home)).filter(({ event }) => event === 'token-handed-over');
  assert.deepEqual(handed.map(({ resource }) => resource), ['outlook', 'graph']);
  // Whatever it tried to write or read would be there again, or be missed.
  await rm(logFile(home));
  for (let i = 0; i < 10; i += 1) await host.call('token.get', { account });
  await assert.rejects(stat(logFile(home)));
});

test('a failure that passes is told with its kind', async () => {
  const home = await world.home();
  const host = await world.host(home);
  const { account, token } = await world.signedIn(host);
  await world.idp.control({ nextToken: { status: 500, body: '', match: { user: account } } });
  await host.refused('token.get', { account, rejected: sha256(token) });
  await host.call('account.list'); // by its answer, the entry is in the log
  const failures = (await entriesOf(home)).filter(({ event }) => event === 'renewal-failed');
  assert.deepEqual(failures.map(({ kind, resource }) => [kind, resource]), [['identity-provider', 'outlook']]);
});

test('a second reader, written from FORMAT.md, proves every line and knows the address by its hash', async () => {
  const home = await world.home();
  const host = await world.host(home);
  const { account } = await world.signedIn(host);
  const reader = new AuditReader(await readFile(join(stateFolder(home), 'key')));
  const log = await readFile(logFile(home), 'utf8');
  assert.equal(reader.provenLines(log), log.split('\n').length - 1);
  assert.equal((await entriesOf(home)).at(-1).account, reader.hashOf(account.toUpperCase()));
});

test('what is older than retentionDays goes with the next entry, and the chain goes on', async () => {
  const home = await world.home({ audit: { retentionDays: 30 } });
  const host = await world.host(home);
  const { account } = await world.signedIn(host);
  await host.end();
  const reader = new AuditReader(await readFile(join(stateFolder(home), 'key')));
  const now = Math.floor(Date.now() / 1000), day = 86_400;
  // A log that names less than the sealed file expects would be cut short: this one is longer.
  const ages = [50, 45, 40, 35, 31, 31, 29, 20, 10, 1];
  await writeFile(logFile(home), reader.write(ages.map((age, i) => ({ seq: i + 1, time: now - age * day, event: i === 0 ? 'log-started' : 'signed-in' }))));
  await world.configure(home, { audit: { retentionDays: 365 } });
  assert.equal((await verify(home)).finding.damage, 'replaced', 'it is not the one that the sealed file names');
  await world.configure(home, { audit: { retentionDays: 30 } });
  assert.equal((await run(home, 'token', account)).code, 0);
  const log = await readFile(logFile(home), 'utf8'), told = await entriesOf(home);
  assert.equal(told[0].event, 'log-pruned');
  assert.equal(told[0].count, 6);
  assert.ok(told.slice(1).every(({ time }) => time > now - 30 * day));
  assert.equal(told.filter(({ event }) => event === 'signed-in').length, 4);
  assert.equal(reader.provenLines(log), told.length);
});

test('a change of the configuration is told, by its hash alone', async () => {
  const home = await world.home();
  const host = await world.host(home);
  const { account } = await world.signedIn(host);
  await host.end();
  await run(home, 'token', account);
  const count = async () => (await eventsOf(home)).filter((event) => event === 'policy-changed').length;
  assert.equal(await count(), 1);
  await world.configure(home, { flows: ['browser', 'device'] });
  await run(home, 'token', account);
  assert.equal(await count(), 2);
  // What belongs to the add-on alone decides nothing about sign-ins.
  await world.configure(home, { flows: ['browser', 'device'], welcome: false });
  await run(home, 'token', account);
  assert.equal(await count(), 2);
  const { stdout } = await run(home, 'audit', '--json');
  assert.ok(!stdout.includes(world.idp.clientId));
});

test('switched off, nothing is written, and what is there can still be read', async () => {
  const home = await world.home({ audit: { enabled: false } });
  const host = await world.host(home);
  const { account } = await world.signedIn(host);
  await host.end();
  await assert.rejects(stat(logFile(home)));
  assert.deepEqual(await verify(home), { intact: true, entries: 0 });
  assert.match((await run(home, 'audit')).stdout, /no entries/);
  await world.configure(home, {});
  await run(home, 'token', account);
  const { length } = await entriesOf(home);
  await world.configure(home, { audit: { enabled: false } });
  await run(home, 'token', account);
  assert.equal((await entriesOf(home)).length, length);
  assert.deepEqual(await verify(home), { intact: true, entries: length });
});

test('asking for the log of an empty home writes nothing', async () => {
  const home = await world.home();
  assert.equal((await run(home, 'audit')).code, 0);
  assert.deepEqual(await verify(home), { intact: true, entries: 0 });
  await assert.rejects(stat(stateFolder(home)));
});

test('a log that cannot be written stops neither sign-in nor hand-over, is told once, and is made up for', async () => {
  const home = await world.home();
  const host = await world.host(home);
  const { account } = await world.signedIn(host);
  await host.end();
  const before = await readFile(logFile(home));
  await chmod(logFile(home), 0o644); // others could have read it: it is not believed to be ours alone
  const second = await world.host(home);
  assert.ok((await second.call('token.get', { account })).accessToken);
  assert.equal((await world.signIn(second, await world.user())).ok, true);
  assert.equal(second.stderr.match(/thunderseal: /g)?.length, 1);
  assert.match(second.stderr, /audit\.jsonl .*\. .+\n/);
  assert.deepEqual(await readFile(logFile(home)), before);
  await chmod(logFile(home), 0o600);
  await second.end();
  assert.deepEqual((await eventsOf(home)).slice(-4), ['token-handed-over', 'account-added', 'sign-in-started', 'signed-in']);
  assert.equal((await verify(home)).intact, true);
});

test('a damaged file is told once, however often it is read', async () => {
  const home = await world.home();
  const host = await world.host(home);
  const { account } = await world.signedIn(host);
  await host.end();
  const [sealed] = (await filesBelow(join(stateFolder(home), 'identities'))).filter(({ path }) => path.endsWith('.sealed'));
  sealed.bytes[sealed.bytes.length - 1] ^= 1;
  await writeFile(sealed.path, sealed.bytes);
  for (let i = 0; i < 3; i += 1) await run(home, 'accounts');
  const damage = (await entriesOf(home)).filter(({ event }) => event === 'vault-damaged');
  assert.equal(damage.length, 1);
  assert.ok(['previous-used', 'lost'].includes(damage[0].what));
  assert.equal((await verify(home)).intact, true, account);
});

test('an imported sign-in is told as such', async () => {
  const home = await world.home();
  const host = await world.host(home);
  const account = await world.user();
  const { kind } = await host.refused('account.import', { account, refreshToken: 'not-one', clientId: world.idp.clientId });
  const told = (await entriesOf(home)).at(-1);
  assert.deepEqual([told.event, told.method, told.kind], ['import-failed', 'import', kind]);
});

test('without the device key the log cannot be judged', async () => {
  const home = await world.home();
  const host = await world.host(home);
  await world.signedIn(host);
  await host.end();
  await rm(join(stateFolder(home), 'key'));
  for (const what of ['show', 'verify']) assert.equal((await run(home, 'audit', what)).code, 75);
});

test('audit takes show or verify and nothing else', async () => {
  const { code, stdout, stderr } = await run(life.home, 'audit', 'erase');
  assert.deepEqual([code, stdout], [64, '']);
  assert.match(stderr, /^thunderseal: .*show.*verify.*\n$/);
});

test('a client beside the commands may ask whose the hashes are, and where the log is damaged: features that hello lists', async () => {
  const home = await world.home();
  const host = await world.host(home);
  const { account } = await world.signedIn(host);
  assert.ok(['audit.names', 'audit.verify'].every((name) => host.welcome.features.includes(name)));
  const { entries } = await host.call('audit.read');
  const { names } = await host.call('audit.names');
  assert.equal(names[entries.find((/** @type {any} */ { event }) => event === 'signed-in').account], account);
  assert.deepEqual(await host.call('audit.verify'), { intact: true, entries: entries.length });
  const lines = (await readFile(logFile(home), 'utf8')).split('\n');
  await writeFile(logFile(home), lines.toSpliced(1, 1).join('\n'));
  const { intact, finding } = await host.call('audit.verify');
  assert.equal(intact, false);
  assert.equal(finding.line, 2);
  await host.refused('audit.names', { account }, 'invalid-params');
  await host.end();
});
