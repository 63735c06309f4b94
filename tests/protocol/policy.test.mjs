// SPDX-License-Identifier: MPL-2.0
/** `thunderseal policy show` and `policy check`, policy.get, and the examples in packaging/policies (protocol section 4). */
import assert from 'node:assert/strict';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { adminProgram } from './admin_program.mjs';
import { isConfiguration } from './contract.mjs';
import { Host, runCommand } from './host.mjs';
import { writeConfig } from './world.mjs';

const folder = await mkdtemp(join(tmpdir(), 'thunderseal-policy-'));
after(() => rm(folder, { recursive: true, force: true }));
const building = adminProgram();

const EXAMPLES = resolve(import.meta.dirname, '../../packaging/policies');
const RECOVERY_KEY = Buffer.alloc(32, 7).toString('base64');

/** @param {string} name @param {string | Buffer} text @param {number} [mode] */
async function file(name, text, mode = 0o600) {
  const path = join(folder, name);
  await writeFile(path, text);
  await chmod(path, mode);
  return path;
}

/** @param {string[]} args @param {object} [more] */
const policy = (args, more = {}) => runCommand(['policy', ...args], { home: folder, ...more });

/** @param {string} text @returns {Promise<any[]>} the faults, which there must be */
async function faultsOf(text) {
  const { code, stdout, stderr } = await policy(['check', '--json', await file('faulty.json', text)]);
  assert.deepEqual([code, stderr], [78, ''], text);
  const { ok, faults } = JSON.parse(stdout);
  assert.equal(ok, false);
  return faults;
}

test('a file that is fine gives one line and 0, without a vault', async () => {
  const path = await file('fine.json', '{"clientId": "x", "cloud": "china"}\n');
  assert.deepEqual(await policy(['check', path]), { code: 0, stdout: `${path} is fine.\n`, stderr: '' });
  const json = await policy(['check', path, '--json']);
  assert.deepEqual(JSON.parse(json.stdout), { file: path, ok: true, faults: [], warnings: [] });
  assert.deepEqual(await policy(['check', '-'], { input: '{}' }), { code: 0, stdout: '- is fine.\n', stderr: '' });
  assert.deepEqual((await readdir(folder)).filter((name) => name.startsWith('.')), [], 'nothing was made in the home');
});

const SYNTAX = /** @type {[string, number, number, RegExp][]} */ ([
  ['{\n  "cloud": "china",\n}', 3, 1, /comma stands before the end/], ['{"a": 1\n "b": 2}', 2, 2, /comma is missing/], ['{"é": 1 "b": 2}', 1, 9, /comma is missing/],
  ['{ // comment\n}', 1, 3, /no comments/], ['{\n# comment\n}', 2, 1, /no comments/], ["{'a': 1}", 1, 2, /double quotes/], ['{a: 1}', 1, 2, /key in double quotes/], ['{"a" 1}', 1, 6, /colon/],
  ['', 1, 1, /too early/], ['{"a": [1,\n2', 2, 2, /too early/], ['{} x', 1, 4, /behind the end/], ['{"a": yes}', 1, 7, /not a value/], ['\ufeff{}', 1, 1, /byte order mark/], ['{"a": "b\n"}', 1, 9, /closing quote/],
]);

test('a syntax error is told as FILE:LINE:COLUMN, with what is wrong there', async () => {
  for (const [text, line, column, cause] of SYNTAX) {
    const path = await file('syntax.json', text);
    const { code, stdout, stderr } = await policy(['check', path]);
    assert.deepEqual([code, stdout], [78, ''], text);
    assert.ok(stderr.startsWith(`${path}:${line}:${column}: `), `${JSON.stringify(text)}: ${stderr}`);
    assert.match(stderr, cause);
    assert.equal(stderr.trimEnd().split('\n').length, 1);
  }
});

test('every fault is told, in order, with pointer and place', async () => {
  const faults = await faultsOf(`{
  "cloud": "mars",
  "clientid": "x",
  "allowedDomains": ["contoso.com", 7, "nodot"],
  "accounts": {
    "nobody": {},
    "a@b.c": { "signinas": "x@y.z", "tenant": 5 }
  },
  "custom": { "authority": "http://x", "imap": "a:1", "smtp": "a:1", "resources": { "outlook": "https://a/" } },
  "flows": ["password"],
  "manage": "none",
  "cloud": "mars"
}`);
  assert.deepEqual(faults.map(({ line, column, pointer }) => `${line}:${column} ${pointer}`), [
    '2:12 /cloud', '3:3 /clientid', '4:37 /allowedDomains/1', '4:40 /allowedDomains/2', '6:15 /accounts/nobody', '7:16 /accounts/a@b.c/signinas', '7:47 /accounts/a@b.c/tenant',
    '9:28 /custom/authority', '9:83 /custom/resources', '9:96 /custom/resources/outlook', '10:13 /flows/0', '11:13 /manage', '12:3 /cloud',
  ]);
  const messages = faults.map(({ message }) => message).join('\n');
  assert.match(messages, /\/cloud must be one of "worldwide", "usgov", "usgov-dod", "china", "custom"/);
  assert.match(messages, /\/clientid is not a known key: did you mean "clientId"\?/);
  assert.match(messages, /\/accounts\/a@b\.c\/signinas is not a known key: did you mean "signInAs"\?/);
  assert.match(messages, /\/cloud stands there twice/);
});

test('a key that resembles none gets no guess, and a long or hostile one does no harm', async () => {
  assert.doesNotMatch((await faultsOf('{"zzz": 1}'))[0].message, /did you mean/);
  assert.equal((await faultsOf(`{"${'x'.repeat(5000)}": 1}`)).length, 1);
  const path = await file('hostile.json', '{"a\\u001b[31m": 1, "b\\u0007": 2}');
  // eslint-disable-next-line no-control-regex
  assert.doesNotMatch((await policy(['check', path])).stderr, /[\u0007\u001b]/);
});

test('a file full of faults is told in bounded time and length', async () => {
  const faults = await faultsOf(`{"allowedDomains": [${'1,'.repeat(100_000)}1]}`);
  assert.equal(faults.length, 101);
  assert.match(faults[100].message, /There is more/);
});

test('what is no file, no JSON object or too large is a fault', async () => {
  for (const [path, cause] of /** @type {[string, RegExp][]} */ ([
    [join(folder, 'absent.json'), /No such file/], [folder, /regular/], [await file('large.json', Buffer.alloc(300_000, ' ')), /256 KiB/], [await file('list.json', '[]'), /must be an object/],
    [await file('latin1.json', Buffer.from('{"a": "\xe4"}', 'latin1')), /UTF-8/],
  ])) {
    const { code, stderr } = await policy(['check', path]);
    assert.equal(code, 78, path);
    assert.match(stderr, cause);
  }
});

test('an owner or a mode that would be refused is a warning', async () => {
  const path = await file('loose.json', '{}', 0o666);
  const { code, stderr } = await policy(['check', path]);
  assert.equal(code, 0);
  assert.match(stderr, /: warning: .*others than its owner may write/);
  if (process.getuid?.() === 0) {
    await chmod(path, 0o600);
    await chown(path, 1, 1);
    assert.match((await policy(['check', path])).stderr, /: warning: .*another user/);
  }
});

test('what will have no effect is a warning', async () => {
  const home = join(folder, 'own');
  await writeConfig(home, { recoveryPublicKey: RECOVERY_KEY, caFile: '/not/there.pem', cloud: 'worldwide', welcome: false });
  const path = join(home, '.config/thunderseal/config.json');
  const warnings = async (/** @type {string} */ of) => JSON.parse((await policy(['check', '--json', of], { home })).stdout).warnings.map((/** @type {any} */ { message }) => message).join('\n');
  assert.match(await warnings(path), /\/recoveryPublicKey is ignored.*\n\/caFile is ignored.*$/);
  assert.doesNotMatch(await warnings(await file('admins.json', JSON.stringify({ recoveryPublicKey: RECOVERY_KEY }))), /recoveryPublicKey/);
  assert.match(await warnings(await file('anchors.json', '{"caFile": "/not/there.pem"}')), /\/caFile names a file that cannot be read/);
  assert.match(await warnings(await file('custom.json', '{"cloud": "custom"}')), /no "custom"/);
});

test('a password for everybody to read, and a language that the add-on does not have, are warned of', async () => {
  /** @param {object} value @param {number} [mode] */
  const warned = async (value, mode = 0o644) => {
    const { code, stdout, stderr } = await policy(['check', await file('warned.json', JSON.stringify(value), mode)]);
    assert.deepEqual([code, stdout.endsWith(' is fine.\n')], [0, true], stderr);
    assert.ok(!stderr.includes('hunter2'));
    return stderr;
  };
  for (const proxy of ['http://ada:hunter2@proxy.test:3128', 'socks5h://ada:@proxy.test']) assert.match(await warned({ proxy }), /^\S+:1:\d+: warning: \/proxy has a password.*mode 600.*\n$/);
  assert.equal(await warned({ proxy: 'http://ada:hunter2@proxy.test:3128' }, 0o640), '');
  assert.match((await policy(['check', '-'], { input: '{"proxy": "http://ada:hunter2@proxy.test"}' })).stderr, /\/proxy has a password/);
  for (const proxy of ['http://proxy.test:3128', 'http://ada@proxy.test:3128', 'http://proxy.test:3128/a@b']) assert.equal(await warned({ proxy }), '', proxy);
  for (const locale of ['fr', 'e', 'english', 'x-en']) assert.match(await warned({ locale }), /warning: \/locale is no language.*"en".*"de"/, locale);
  for (const locale of [...await readdir(resolve(import.meta.dirname, '../../extension/_locales')), 'de-AT', 'EN-gb']) assert.equal(await warned({ locale }), '', locale);
});

test('what stands behind "policy" and is not understood is 64', async () => {
  for (const args of [['x'], ['check'], ['merge'], ['show', 'x'], ['check', 'a', 'b'], ['show', '--remove'], ['check', 'a', '--remove']]) {
    const { code, stdout, stderr } = await policy(args);
    assert.deepEqual([code, stdout], [64, ''], args.join(' '));
    assert.match(stderr, /^thunderseal: [^\n]+\n$/);
  }
});

test('policy show tells each value with its source, what is locked, the files and what is wrong with them', async () => {
  const { program, set, file: adminFile } = await building;
  const home = join(folder, 'shown');
  const userFile = join(home, '.config/thunderseal/config.json');
  await mkdir(home);
  const show = async () => JSON.parse((await policy(['--json'], { home, program })).stdout);
  await set({ tenant: 'contoso.com', manage: 'all' });
  await writeConfig(home, { tenant: 'fabrikam.com', clientId: 'mine', proxy: 'http://me:hunter2@proxy:1', clientid: 1 });
  const shown = await show();
  assert.deepEqual([shown.policy.tenant, shown.policy.clientId, shown.policy.proxy, shown.policy.cloud], ['contoso.com', 'mine', 'http://proxy:1', 'worldwide']);
  assert.deepEqual([shown.sources.tenant, shown.sources.clientId, shown.sources.cloud], ['admin', 'user', 'default']);
  assert.deepEqual(shown.locked.sort(), ['manage', 'tenant']);
  assert.deepEqual(shown.files, [{ path: adminFile, source: 'admin', state: 'read' }, { path: userFile, source: 'user', state: 'read' }]);
  assert.match(shown.warnings[0].cause, /\/clientid/);
  assert.match(shown.warnings[0].remedy, /clientId/);
  const { stdout } = await policy(['show'], { home, program });
  assert.match(stdout, /^tenant +"contoso\.com" {2}\(admin, locked\)$/m);
  assert.match(stdout, /^clientId +"mine" {2}\(user\)$/m);
  assert.match(stdout, /^custom +\(not set\)$/m);
  assert.match(stdout, /^warning: .*clientid/m);
  assert.doesNotMatch(stdout, /hunter2/);
  await set('{');
  await rm(userFile);
  assert.deepEqual((await show()).files.map((/** @type {any} */ { state }) => state), ['refused', 'absent']);
});

test('policy.get answers what policy show shows, with what Thunderbird set', async () => {
  const { program, set } = await building;
  await set({ tenant: 'contoso.com' });
  const home = join(folder, 'asked');
  await writeConfig(home, { clientId: 'mine', manage: 'domains' });
  const host = await Host.open({ home, program }, { managed: { manage: 'all' } });
  const { policy: values, sources } = await host.call('policy.get', {});
  assert.deepEqual(values, host.welcome.policy);
  assert.deepEqual([sources.tenant, sources.clientId, sources.manage, sources.cloud], ['admin', 'user', 'thunderbird', 'default']);
  assert.deepEqual(Object.keys(sources).sort(), Object.keys(values).sort());
  assert.equal((await host.refused('policy.get', { x: 1 })).kind, 'invalid-params');
  await host.end();
  assert.deepEqual(host.breaches, []);
});

test('the examples of packaging/policies are fine', async () => {
  const names = (await readdir(EXAMPLES)).filter((name) => name.endsWith('.policy.json'));
  assert.ok(names.length >= 4);
  for (const name of names) {
    const { code, stderr } = await policy(['check', join(EXAMPLES, name)]);
    assert.deepEqual([name, code, stderr], [name, 0, '']);
    assert.ok(isConfiguration(JSON.parse(await readFile(join(EXAMPLES, name), 'utf8'))), name);
  }
});
