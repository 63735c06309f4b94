// SPDX-License-Identifier: MPL-2.0
/** `thunderseal doctor`: faults of an installation, each found with its fix, and the fix then works (PROTOCOL section 4). */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { chmod, mkdir, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeCertificates } from '../servers/certificates.mjs';
import { startRawServer } from '../servers/raw_https.mjs';
import { makeAjv, policySchema, protocolSchema } from './contract.mjs';
import { PROGRAM, runCommand, soon } from './host.mjs';
import { commandOf, editJson, EXTENSION_ID, fileOf, Installation, membersOf } from './installation.mjs';

const here = await Installation.open();
after(() => here.close());

/** @typedef {import('./installation.mjs').Check} Check */
/** @typedef {import('./installation.mjs').Findings} Findings */

/** The protocol's Check, but that `doctor` has ids of its own. */
const ajv = makeAjv();
ajv.addSchema(policySchema);
ajv.addSchema({ ...protocolSchema, $defs: { ...protocolSchema.$defs, checkId: { type: 'string', pattern: '^[a-z]+(-[a-z]+)*$' } } });
const isCheck = /** @type {import('ajv').ValidateFunction} */ (ajv.getSchema(`${protocolSchema.$id}#/$defs/check`));

/** @param {Findings} findings @param {string} id */
function one({ checks }, id) {
  const found = checks.filter((check) => check.id === id);
  assert.equal(found.length, 1, `one check ${id}`);
  return found[0];
}

/** @param {Findings} findings */
const trouble = ({ checks }) => checks.filter(({ status }) => status !== 'ok').map(({ id, status, detail }) => `${id} ${status}: ${detail}`);

/** @param {Record<string, string>} [env] */
async function assertHealthy(env) {
  const findings = await here.look(env);
  assert.deepEqual([trouble(findings), findings.overall, findings.code], [[], 'ok', 0]);
}

/**
 * A fault: how it comes, what is found, and how whoever reads the remedy mends it.
 * @typedef {object} Fault
 * @property {() => Promise<Record<string, string> | void>} plant may give an environment in which it is looked for
 * @property {string} id
 * @property {'warn' | 'fail'} status
 * @property {RegExp} says detail and remedy, in one line
 * @property {(check: Check) => Promise<unknown>} [mend] default: runs the command at the end of the remedy
 */

/** @param {any} content */
const writeManifest = (content) => writeFile(here.manifest, typeof content === 'string' ? content : JSON.stringify(content));
const manifest = { name: 'thunderseal', description: 'x', path: PROGRAM, type: 'stdio', allowed_extensions: [EXTENSION_ID] };

/** @param {(add_on: any, content: any) => void} change */
const editAddOn = (change) => editJson(here.extensions, (content) => change(content.addons.find((/** @type {any} */ each) => each.id === EXTENSION_ID), content));

/** Puts a file back as it was, as its writer does who knows better now. @param {string} file */
async function remember(file) {
  const content = await readFile(file);
  return () => writeFile(file, content);
}

const restore = Object.fromEntries(await Promise.all(['config', 'policies', 'extensions'].map(async (name) => (
  [name, await remember(/** @type {any} */ (here)[name])]))));

const iniFile = join(here.application, 'application.ini');

/** The remedy's JSON, where it says. @param {string} where @returns {(check: Check) => Promise<void>} */
const writeMembers = (where) => (check) => editJson(fileOf(check), ({ policies }) => { Object.assign(policies[where] ??= {}, membersOf(check)); });

/** @type {Record<string, Fault>} */
const FAULTS = {
  'no native manifest': { plant: () => rm(here.manifest), id: 'native-manifest', status: 'fail', says: /finds no native manifest.*Run: mkdir/ },
  'a native manifest that is not JSON': { plant: () => writeManifest('{"name": '), id: 'native-manifest', status: 'fail', says: /line 1, column \d+: not valid JSON.*Run: / },
  'a native manifest with another name': { plant: () => writeManifest({ ...manifest, name: 'thunder-seal' }), id: 'native-manifest', status: 'fail', says: /"name" is not/ },
  'a native manifest of another type': { plant: () => writeManifest({ ...manifest, type: 'pkcs11' }), id: 'native-manifest', status: 'fail', says: /"type" is not "stdio"/ },
  'a native manifest for another add-on': { plant: () => writeManifest({ ...manifest, allowed_extensions: ['other@example.test'] }), id: 'native-manifest', status: 'fail', says: /not among its "allowed_extensions"/ },
  'a native manifest with a relative path': { plant: () => writeManifest({ ...manifest, path: 'thunderseal' }), id: 'native-manifest', status: 'fail', says: /not an absolute path/ },
  'a native manifest whose program is gone': { plant: () => writeManifest({ ...manifest, path: '/nowhere/thunderseal' }), id: 'native-manifest', status: 'fail', says: /\/nowhere\/thunderseal, which is not there/ },
  'a native manifest whose program may not be executed': {
    plant: async () => writeManifest({ ...manifest, path: await here.otherProgram(0o644) }),
    id: 'native-manifest', status: 'fail', says: /may not be executed.*Run: chmod 755 /,
    async mend(check) {
      await here.obey(commandOf(check));
      const next = one(await here.look(), 'native-manifest');
      assert.match(`${next.status} ${next.detail}`, /^warn Thunderbird starts .*\/other, by /);
      await here.obey(commandOf(next));
    },
  },
  'a native manifest that starts another program': { plant: async () => writeManifest({ ...manifest, path: await here.otherProgram(0o755) }), id: 'native-manifest', status: 'warn', says: /Thunderbird starts .*other, by .*thunderseal\.json; this program is / },
  'a native manifest that others may change': { plant: () => chmod(here.manifest, 0o666), id: 'native-manifest', status: 'fail', says: /Others than its owner may write.*Run: chmod go-w / },
  'a configuration that others may change': { plant: () => chmod(here.config, 0o620), id: 'policy', status: 'fail', says: /Others than its owner may write to .*config\.json.*Run: chmod go-w / },
  'a configuration that is not JSON': { plant: () => writeFile(here.config, '{\n  "tenant": contoso\n}'), id: 'policy', status: 'fail', says: /config\.json cannot be used: line 2, column \d+.*Correct the file/, mend: restore.config },
  'a configuration with a wrong value': { plant: () => editJson(here.config, (config) => { config.redirectHost = '0.0.0.0'; }), id: 'policy', status: 'fail', says: /\/redirectHost must be/, mend: restore.config },
  'no client id': { plant: () => editJson(here.config, (config) => { delete config.clientId; }), id: 'policy', status: 'fail', says: /No client id.*thunderseal setup --client-id ID/, mend: () => editJson(here.config, (config) => { config.clientId = here.world.idp.clientId; }) },
  'a key of the configuration that is misspelt': { plant: () => editJson(here.config, (config) => { config.tenent = 'contoso.test'; }), id: 'policy', status: 'warn', says: /\/tenent: the key is not known.*Did you mean "tenant"/, mend: () => editJson(here.config, (config) => { delete config.tenent; }) },
  'saved sign-ins that others may open': { plant: () => chmod(here.state, 0o755), id: 'vault', status: 'fail', says: /can be opened by other users.*Run: chmod -R go-rwx / },
  'a saved file that others may read': { plant: () => chmod(join(here.state, 'vault.json'), 0o644), id: 'vault', status: 'fail', says: /vault\.json can be opened by other users.*Run: chmod -R go-rwx / },
  'a damaged file that was set aside': { plant: () => writeFile(join(here.state, 'identities/0123.sealed.damaged-1'), 'x', { mode: 0o600 }), id: 'vault', status: 'warn', says: /set aside: .*damaged-1.*Run: rm / },
  'a keyring that is locked': { plant: async () => { await here.keyring.lock(); }, id: 'key-store', status: 'warn', says: /keyring .* is locked\. Unlock your keyring/, mend: () => here.keyring.unlock() },
  'a keyring that has ended': { plant: () => here.keyring.kill(), id: 'key-store', status: 'fail', says: /No keyring answers.*Start your keyring/, mend: () => here.keyring.start() },
  'enterprise policies that are not JSON': { plant: () => writeFile(here.policies, '{"policies": {},}'), id: 'enterprise-policies', status: 'fail', says: /none of them: .*line 1, column \d+: not valid JSON\. Correct \//, mend: restore.policies },
  'enterprise policies without policies': { plant: () => writeFile(here.policies, '{"Policies": {}}'), id: 'enterprise-policies', status: 'fail', says: /no object "policies"/, mend: restore.policies },
  'enterprise policies that block the add-on': { plant: () => editJson(here.policies, ({ policies }) => { policies.ExtensionSettings[EXTENSION_ID] = { installation_mode: 'blocked' }; }), id: 'enterprise-policies', status: 'fail', says: /blocks the add-on/, mend: writeMembers('ExtensionSettings') },
  'enterprise policies that block all add-ons': { plant: () => editJson(here.policies, ({ policies }) => { policies.ExtensionSettings = { '*': { installation_mode: 'blocked' } }; }), id: 'enterprise-policies', status: 'fail', says: /blocks all add-ons that it does not name/, mend: writeMembers('ExtensionSettings') },
  'enterprise policies that uninstall the add-on': { plant: () => editJson(here.policies, ({ policies }) => { policies.Extensions = { Uninstall: [EXTENSION_ID] }; }), id: 'enterprise-policies', status: 'fail', says: /uninstalls the add-on/, mend: (check) => editJson(fileOf(check), ({ policies }) => { policies.Extensions.Uninstall = []; }) },
  'enterprise policies that install the add-on from nowhere': {
    plant: () => editJson(here.policies, ({ policies }) => { policies.ExtensionSettings[EXTENSION_ID] = { installation_mode: 'force_installed', install_url: 'file:///nowhere.xpi' }; }),
    id: 'enterprise-policies', status: 'fail', says: /file:\/\/\/nowhere\.xpi, which is not there/, mend: restore.policies,
  },
  'settings for the add-on under the wrong letter case': {
    plant: () => editJson(here.policies, ({ policies }) => { policies['3rdparty'] = { extensions: { [EXTENSION_ID]: { manage: 'all' } } }; }),
    id: 'enterprise-policies', status: 'warn', says: /under "extensions".*capital E/,
    mend: (check) => editJson(fileOf(check), ({ policies }) => { policies['3rdparty'] = { Extensions: policies['3rdparty'].extensions }; }),
  },
  'a setting for the add-on that only the program may have': { plant: () => editJson(here.policies, ({ policies }) => { policies['3rdparty'] = { Extensions: { [EXTENSION_ID]: { tenant: 'contoso.test' } } }; }), id: 'enterprise-policies', status: 'warn', says: /\/tenant: ignored.*policy\.json/, mend: restore.policies },
  'experiments suppressed': { plant: () => writeFile(join(here.profile, 'user.js'), 'user_pref("extensions.experiments.suppressed", true);\nuser_pref("extensions.experiments.allowed", "a@b, c@d");\n', { flag: 'a' }), id: 'experiments', status: 'fail', says: /extensions\.experiments\.suppressed.*Run: printf .*a@b, c@d,companion@thunderseal/ },
  'experiments suppressed by policy': {
    plant: () => editJson(here.policies, ({ policies }) => { policies.Preferences = { 'extensions.experiments.suppressed': { Value: true, Status: 'locked' }, 'extensions.experiments.allowed': { Value: 'x@y', Status: 'locked' } }; }),
    id: 'experiments', status: 'fail', says: /under policies, Preferences, write: .*"x@y,companion@thunderseal"/, mend: writeMembers('Preferences'),
  },
  'an add-on that is switched off': { plant: () => editAddOn((addOn) => Object.assign(addOn, { active: false, userDisabled: true })), id: 'add-on', status: 'fail', says: /switched off.*switch Thunderseal on/, mend: restore.extensions },
  'an add-on that Thunderbird blocks': { plant: () => editAddOn((addOn) => Object.assign(addOn, { active: false, appDisabled: true, blocklistState: 2 })), id: 'add-on', status: 'fail', says: /blocks the add-on.*"experiments"/, mend: restore.extensions },
  'an add-on of another version': { plant: () => editAddOn((addOn) => { addOn.version = '0.0.9'; }), id: 'add-on', status: 'warn', says: /version 0\.0\.9, this program is \d.*Restart Thunderbird/, mend: restore.extensions },
  'no add-on': { plant: () => editAddOn((addOn, content) => { content.addons.splice(content.addons.indexOf(addOn), 1); }), id: 'add-on', status: 'fail', says: /not in the profile.*make install/, mend: restore.extensions },
  'a Thunderbird that is too old': {
    plant: async () => {
      const text = await readFile(iniFile, 'utf8');
      await unlink(iniFile); // a link to the real one
      await writeFile(iniFile, text.replace(/^Version=.*$/m, 'Version=128.14.0'));
    },
    id: 'thunderbird', status: 'fail', says: /version 128\.14\.0; Thunderseal needs 140.*Update Thunderbird/,
    mend: async () => writeFile(iniFile, (await readFile(iniFile, 'utf8')).replace('Version=128.14.0', 'Version=153.7.0')),
  },
  'a Flatpak beside it': {
    plant: async () => { await mkdir(join(here.home, '.local/share/flatpak/app/org.mozilla.Thunderbird'), { recursive: true }); },
    id: 'sandbox', status: 'warn', says: /is a Flatpak: it cannot start programs outside its sandbox\. The command line works\. Use the other Thunderbird/,
    mend: () => rm(join(here.home, '.local/share/flatpak'), { recursive: true }),
  },
  'a browser that is not there': { plant: async () => ({ BROWSER: 'no-such-browser' }), id: 'browser', status: 'warn', says: /BROWSER names "no-such-browser".*Run: unset BROWSER/, mend: async () => {} },
  'a session bus that has ended': { plant: async () => ({ DBUS_SESSION_BUS_ADDRESS: `unix:path=${here.folder}/no-bus` }), id: 'session-bus', status: 'warn', says: /does not answer/, mend: async () => {} },
  'a proxy that is not there': { plant: async () => ({ HTTPS_PROXY: 'http://127.0.0.1:9' }), id: 'authority', status: 'fail', says: /The proxy did not let the request through\. Check the proxy settings/, mend: async () => {} },
  'a sign-in service with no such name': { plant: () => editJson(here.config, (config) => { config.custom.authority = 'https://login.thunderseal.invalid'; }), id: 'authority', status: 'fail', says: /name .* cannot be found/, mend: restore.config },
  'a sign-in service that cannot be reached': { plant: () => editJson(here.config, (config) => { config.custom.authority = 'https://127.0.0.1:9'; }), id: 'authority', status: 'fail', says: /cannot be reached.*firewall/, mend: restore.config },
  'a tenant that the sign-in service does not know': { plant: () => editJson(here.config, (config) => { config.tenant = 'fabrikam.test'; }), id: 'authority', status: 'fail', says: /does not know the tenant "fabrikam\.test".*Set "tenant"/, mend: restore.config },
};

test('a healthy installation has no fault, and doctor leaves it as it is', async () => {
  const before = await here.inventory();
  const findings = await here.look();
  assert.deepEqual([trouble(findings), findings.overall, findings.code], [[], 'ok', 0]);
  assert.deepEqual(await here.inventory(), before);
  for (const check of findings.checks) assert.ok(isCheck(check), `${JSON.stringify(check)}: ${ajv.errorsText(isCheck.errors)}`);
  assert.match(one(findings, 'native-manifest').detail, /starts this program/);
  assert.match(one(findings, 'key-store').detail, /key can be had/);
  assert.equal(one(findings, 'key-store').evidence.store, 'secret-service');
  assert.match(one(findings, 'add-on').detail, /^Version \S+ is on in the profile/);
  assert.ok(one(findings, 'thunderbird').evidence.installations.some((/** @type {any} */ { folder }) => folder === here.application));
});

for (const [name, { plant, id, status, says, mend }] of Object.entries(FAULTS)) {
  test(`found and mended: ${name}`, async () => {
    const env = await plant() ?? {};
    const before = await here.inventory();
    const findings = await here.look(env);
    assert.deepEqual(await here.inventory(), before, 'doctor changes nothing');
    const check = one(findings, id);
    assert.equal(check.status, status, JSON.stringify(check));
    assert.match(`${check.detail} ${check.remedy}`.replaceAll('\n', ' '), says);
    assert.ok(isCheck(check), ajv.errorsText(isCheck.errors));
    assert.equal(findings.code, findings.checks.some((each) => each.status === 'fail') ? 1 : 0);
    if (status === 'fail') assert.equal(findings.overall, 'fail');
    await (mend ?? ((/** @type {Check} */ found) => here.obey(commandOf(found))))(check);
    await assertHealthy();
  });
}

/**
 * With a server of bytes in the provider's place.
 * @param {Partial<Parameters<typeof startRawServer>[0]>} place @returns {Promise<Findings>}
 */
async function withServer(place) {
  const { idp } = here.world;
  await idp.goAway();
  const server = await startRawServer({ certificate: idp.certificates.server, port: idp.port, ...place });
  try {
    return await here.look();
  } finally {
    await server.stop();
    await idp.comeBack();
  }
}

/** An answer by a clock that differs. @param {number} seconds */
const timed = (seconds) => withServer({
  answer: (socket) => socket.end(`HTTP/1.1 200 OK\r\nDate: ${new Date(Date.now() + seconds * 1000).toUTCString()}\r\nContent-Length: 22\r\n\r\n{"token_endpoint":"x"}`),
});

test('a clock that is wrong is told by how much, and what sets it', async () => {
  for (const [seconds, status, words] of /** @type {[number, string, RegExp][]} */ ([[0, 'ok', /agrees/], [-30, 'ok', /agrees/], [120, 'warn', /behind/], [-120, 'warn', /ahead of/], [4000, 'fail', /behind/], [-4000, 'fail', /ahead of/]])) {
    const findings = await timed(seconds);
    const check = one(findings, 'clock');
    assert.equal(check.status, status, `${seconds} s: ${check.detail}`);
    assert.match(check.detail, words);
    assert.ok(Math.abs(check.evidence.aheadSeconds + seconds) <= 3, `${check.evidence.aheadSeconds}`);
    if (status !== 'ok') assert.equal(commandOf(check), 'sudo timedatectl set-ntp true');
    assert.equal(one(findings, 'authority').status, 'ok');
  }
  await assertHealthy();
});

test('a sign-in service that cannot be verified, is silent, or is something else, is told apart', async () => {
  const stranger = await makeCertificates({ folder: join(here.world.folder, 'stranger') });
  const tls = await withServer({ certificate: stranger.server });
  assert.deepEqual([one(tls, 'authority').status, one(tls, 'authority').causes?.[0], one(tls, 'clock').status], ['fail', 'tls', 'skipped']);
  assert.match(one(tls, 'authority').remedy ?? '', /clock.*caFile/);
  const started = performance.now();
  const silent = await withServer({});
  assert.ok(performance.now() - started < 10_000);
  assert.deepEqual([one(silent, 'authority').status, one(silent, 'authority').causes?.[0]], ['fail', 'timeout']);
  const portal = await withServer({ answer: (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n<html></html>') });
  assert.equal(one(portal, 'authority').status, 'warn');
  assert.match(one(portal, 'authority').remedy ?? '', /proxy/);
  await assertHealthy();
});

test('a keyring that hangs does not hold doctor up', async () => {
  here.keyring.daemon?.kill('SIGSTOP');
  const started = performance.now();
  const findings = await here.look();
  assert.ok(performance.now() - started < 10_000);
  assert.match(one(findings, 'key-store').detail, /did not answer in time/);
  here.keyring.daemon?.kill('SIGCONT');
  await assertHealthy();
});

/** How the key store of a home is found. @param {string} home @param {Record<string, string>} [env] */
async function keyStore(home, env = {}) {
  const { stdout } = await runCommand(['doctor', '--json'], { home, env });
  const { status, detail, remedy = '', evidence } = one({ code: null, ...JSON.parse(stdout) }, 'key-store');
  return `${status}: ${evidence.store}: ${detail} ${remedy}`;
}

/** A home with an account that is signed in. @param {string} keystore @param {(host: import('./host.mjs').Host) => Promise<unknown>} [prepare] */
async function homeWith(keystore, prepare = async () => {}) {
  const host = await here.world.host(await here.world.home({ keystore }));
  await prepare(host);
  await here.world.signedIn(host);
  await host.end();
  return host.home;
}

test('a key file is looked at where there is one, and missed where it is gone', async () => {
  assert.match(await keyStore(await here.world.home({ keystore: 'file' })), /^ok: file: The first sign-in makes the key/);
  const home = await homeWith('file');
  const key = join(home, '.local/state/thunderseal/key');
  assert.match(await keyStore(home), /^ok: file: The key can be had/);
  await rename(key, `${key}.away`);
  assert.match(await keyStore(home), /^fail: file: The key file .* is missing.* Restore the file "key" from a backup/);
  await rename(`${key}.away`, key);
  assert.match(await keyStore(home), /^ok: file: The key can be had/);
});

test('a keyring that the configuration wants must be there for the first sign-in', async () => {
  const home = await here.world.home({ keystore: 'secret-service' });
  assert.match(await keyStore(home), /^fail: secret-service: No keyring answers.* Start your keyring.*"auto" as keystore/);
  assert.match(await keyStore(home, here.keyring.env), /^ok: secret-service: The first sign-in makes the key/);
  assert.match(await keyStore(await here.world.home()), /^ok: file: The first sign-in makes the key/);
});

test('a passphrase is not asked for', async () => {
  const home = await homeWith('passphrase', (host) => host.call('vault.unlock', { passphrase: 'correct horse' }));
  assert.match(await keyStore(home), /^ok: passphrase: The key is under a passphrase/);
});

test('the command is right for a path that a shell would take apart', async () => {
  const home = join(here.world.folder, "it's $HOME; `a` \"b\"");
  await mkdir(home);
  const look = async () => {
    const { stdout } = await runCommand(['doctor', '--json'], { home });
    return one({ code: null, ...JSON.parse(stdout) }, 'native-manifest');
  };
  await here.obey(commandOf(await look()));
  assert.equal((await look()).status, 'ok');
  await chmod(join(home, '.mozilla/native-messaging-hosts/thunderseal.json'), 0o606);
  await here.obey(commandOf(await look()));
  assert.equal((await look()).status, 'ok');
});

test('without a home, an environment or a network it says so, and ends', async () => {
  for (const env of [{}, { HOME: 'relative' }, { HOME: '/nowhere' }, { HOME: '/dev/null', PATH: '', XDG_STATE_HOME: '/nowhere', DBUS_SESSION_BUS_ADDRESS: 'nonsense', BROWSER: '/' }]) {
    const child = spawn(PROGRAM, ['doctor', '--json'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text) => { stdout += text; });
    const [code] = await soon(once(child, 'close'), 'doctor', 10_000);
    assert.equal(code, 1);
    const findings = { code, ...JSON.parse(stdout) };
    assert.equal(findings.overall, 'fail');
    if (!env.HOME?.startsWith('/')) assert.match(one(findings, 'vault').detail, /HOME is not set/);
  }
});

test('files of nonsense are told, not believed, and crash nothing', async () => {
  const home = await here.world.home();
  const profile = join(home, '.thunderbird/p');
  await mkdir(profile, { recursive: true });
  await writeFile(join(home, '.thunderbird/profiles.ini'), `[Profile0\n=\n[]\n[Profile0]\nPath=p\nIsRelative=1\nPath\n[Profile1]\nPath=${'x'.repeat(9000)}\n[Profile2]\nPath=../../..\nIsRelative=1`);
  for (const bytes of ['', 'null', '[]', '{"addons": 5}', '{"addons": [5, null, {"id": 5}]}', `{"addons": [{"id": "${EXTENSION_ID}", "version": [], "active": 1}]}`, '[['.repeat(5000), '\u0000\u00ff']) {
    await writeFile(join(profile, 'extensions.json'), bytes, 'latin1');
    await writeFile(join(profile, 'user.js'), `user_pref(\nuser_pref("extensions.experiments.suppressed"\nuser_pref("extensions.experiments.allowed", "${'a'.repeat(9000)}\n${bytes}`, 'latin1');
    await writeFile(join(profile, 'compatibility.ini'), `LastPlatformDir=${bytes}\nLastPlatformDir=/`, 'latin1');
    const { code, stdout } = await runCommand(['doctor', '--json'], { home });
    assert.equal(code, 1);
    const found = JSON.parse(stdout).checks.filter((/** @type {Check} */ { id }) => id === 'add-on');
    assert.equal(found.length, 1);
    assert.notEqual(found[0].status, 'ok', bytes);
  }
});

test('it prints a table: in colour on a terminal, without where nobody wants it', async () => {
  const plain = await here.run([], { BROWSER: 'no-such-browser' });
  assert.equal(plain.code, 0);
  assert.ok(!plain.stdout.includes('\u001b'));
  const lines = plain.stdout.trimEnd().split('\n');
  assert.ok(lines.every((line) => /^(?:(?:ok|warn|fail|skipped) +| {30})\S/.test(line)), plain.stdout);
  const titles = lines.filter((line) => !line.startsWith(' '));
  assert.deepEqual(new Set(titles.map((line) => line.slice(9, 30).length)), new Set([21]));
  assert.match(plain.stdout, /^warn {5}Browser {14}BROWSER names "no-such-browser".*\n {30}Set BROWSER to one program.*Run: unset BROWSER$/m);
  for (const [env, coloured] of /** @type {[Record<string, string>, boolean][]} */ ([[{ TERM: 'xterm' }, true], [{ TERM: 'xterm', NO_COLOR: '1' }, false], [{ TERM: 'dumb' }, false]])) {
    const child = spawn('script', ['-qec', `${PROGRAM} doctor`, '/dev/null'], {
      env: { PATH: process.env.PATH, HOME: here.home, SHELL: '/bin/sh', ...here.keyring.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'],
    });
    let screen = '';
    child.stdout.setEncoding('utf8').on('data', (text) => { screen += text; });
    await soon(once(child, 'close'), 'doctor on a terminal');
    assert.equal(screen.includes('\u001b[32mok'), coloured, JSON.stringify([env, screen.slice(0, 200)]));
    assert.match(screen, /Native manifest/);
  }
});

test('it takes --json and nothing else', async () => {
  for (const args of [['ada@contoso.test'], ['--all'], ['--passphrase-fd', '0']]) assert.equal((await here.run(args)).code, 64);
});
