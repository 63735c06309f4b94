// SPDX-License-Identifier: MPL-2.0
/** Configuration files: which count, which do not, and how that is told (protocol section 5). */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, chown, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { adminProgram } from './admin_program.mjs';
import { configuration, World, writeConfig } from './world.mjs';

const world = await World.open();
after(() => world.close());

const RECOVERY_KEY = Buffer.alloc(32, 7).toString('base64');
const configFile = (/** @type {string} */ home) => join(home, '.config/thunderseal/config.json');

const building = adminProgram();

/** What hello warns of under this configuration. @param {object | string} change */
async function warningsOf(change) {
  const host = await world.host(await world.home(change));
  return { host, warnings: host.welcome.warnings, policy: host.welcome.policy };
}

/** @param {import('./host.mjs').Host} host whose configuration must count as absent */
async function countsAsAbsent(host, /** @type {RegExp} */ cause) {
  assert.equal(host.welcome.warnings.length, 1, JSON.stringify(host.welcome.warnings));
  const [warning] = host.welcome.warnings;
  assert.equal(warning.kind, 'misconfigured');
  assert.match(warning.cause, cause);
  assert.ok(warning.cause.includes(configFile(host.home)), 'the file is named');
  assert.ok(warning.remedy);
  assert.equal(host.welcome.policy.cloud, 'worldwide');
  assert.equal(host.welcome.policy.clientId, undefined);
  assert.equal((await host.refused('signIn.start', { account: 'ada@contoso.test' })).kind, 'misconfigured');
}

test('without a file there are the defaults, and sign-in says that the client id is missing', async () => {
  const host = await world.host(await world.home(null));
  assert.deepEqual(host.welcome.warnings, []);
  assert.deepEqual(host.welcome.policy, {
    cloud: 'worldwide', tenant: 'organizations', redirectHost: 'localhost', flows: ['browser'], allowedDomains: [], accounts: {}, keystore: 'auto',
    audit: { enabled: true, retentionDays: 365 }, renewAhead: true, manage: 'listed', migrate: 'offer', fallback: 'thunderbird', welcome: true,
  });
  assert.equal((await host.refused('signIn.start', { account: 'ada@contoso.test' })).kind, 'misconfigured');
});

const WRONG_VALUES = /** @type {[object, RegExp][]} */ ([
  [{ clientId: 5 }, /\/clientId/], [{ cloud: 'mars' }, /\/cloud/], [{ tenant: 'no tenant' }, /\/tenant/], [{ flows: [] }, /\/flows/],
  [{ allowedDomains: ['contoso.test', 7] }, /\/allowedDomains\/1/], [{ accounts: { 'ada@contoso.test': { signInAs: 5 } } }, /\/accounts\/ada@contoso\.test\/signInAs/],
  [{ custom: { authority: 'http://localhost', resources: { outlook: 'https://a', graph: 'https://b' }, imap: 'a:1', smtp: 'b:2' } }, /\/custom\/authority/],
  [{ custom: { authority: 'https://localhost', resources: { outlook: 'https://a/', graph: 'https://b' }, imap: 'a:1', smtp: 'b:2' } }, /\/custom\/resources\/outlook/],
  [{ audit: { retentionDays: 0 } }, /\/audit\/retentionDays/], [{ caFile: 'relative.pem' }, /\/caFile/],
]);

test('a wrong value makes the whole file count as absent, and its JSON pointer is told', async (t) => {
  for (const [change, pointer] of WRONG_VALUES) {
    await t.test(JSON.stringify(change), async () => countsAsAbsent((await warningsOf(change)).host, pointer));
  }
});

test('a syntax error is told with line and column, and never with the text', async () => {
  const { host } = await warningsOf('{\n  "cloud": "custom",\n  "clientId": "secret-looking" "tenant"\n}');
  await countsAsAbsent(host, /line 3, column \d+/);
  assert.doesNotMatch(host.welcome.warnings[0].cause, /secret-looking/);
  await countsAsAbsent((await warningsOf('{"cloud": "custom", "cloud": "worldwide"}')).host, /line 1, column \d+: a key stands there twice/);
  await countsAsAbsent((await warningsOf('[]')).host, /not an object/);
  await countsAsAbsent((await warningsOf('')).host, /line \d+, column \d+/);
  await countsAsAbsent((await warningsOf('{"cloud":"\u00ff'.padEnd(300_000, 'x'))).host, /larger/);
});

test('a file that others may write, or that is none, is not believed', async (t) => {
  const home = await world.home();
  const file = configFile(home);
  for (const mode of [0o660, 0o602, 0o666]) {
    await chmod(file, mode);
    await countsAsAbsent(await world.host(home), /write/);
  }
  await chmod(file, 0o600);
  assert.deepEqual((await world.host(home)).welcome.warnings, []);
  await t.test('a symbolic link counts as what it points to', async () => {
    await rename(file, `${file}.real`);
    await symlink(`${file}.real`, file);
    assert.deepEqual((await world.host(home)).welcome.warnings, []);
    await chmod(`${file}.real`, 0o666);
    await countsAsAbsent(await world.host(home), /write/);
    await rm(file);
    await symlink(file, file);
    await countsAsAbsent(await world.host(home), /./);
    await rm(file);
  });
  await t.test('a fifo does not hold the start up', async () => {
    execFileSync('mkfifo', [file]);
    await countsAsAbsent(await world.host(home), /regular/);
    await rm(file);
  });
  await t.test('a folder', async () => {
    await mkdir(file);
    await countsAsAbsent(await world.host(home), /regular/);
  });
});

test('a file of another user is not believed', async () => {
  const { caFile } = await world.ordinaryUser();
  const home = await world.home({ caFile });
  const user = await world.ordinaryUser(home);
  // Only root can give a file away.
  if (user.uid === undefined) {
    const host = await world.host(home);
    assert.deepEqual(host.welcome.warnings, []);
    return;
  }
  assert.deepEqual((await world.host(home, user)).welcome.warnings, []);
  await chown(configFile(home), 1, 0);
  await chmod(configFile(home), 0o644);
  await countsAsAbsent(await world.host(home, user), /another user/);
  await chown(configFile(home), 0, 0);
  assert.deepEqual((await world.host(home, user)).welcome.warnings, [], 'root\'s is');
});

test('an unknown key is a warning, and the rest counts', async () => {
  const { warnings, policy } = await warningsOf({ clientid: 'x', [`long${'x'.repeat(300)}`]: 1 });
  assert.equal(warnings.length, 2);
  assert.match(warnings[0].cause, /config\.json, \/clientid: /);
  assert.equal(policy.clientId, world.idp.clientId);
  assert.equal(policy.clientid, undefined);
  const inside = await warningsOf({ audit: { enabled: false, foo: 1 }, accounts: { 'ada@contoso.test': { foo: 1 } } });
  assert.deepEqual(inside.warnings.map((/** @type {any} */ { cause }) => /, (\/.*): the key is not known/.exec(cause)?.[1]), ['/audit/foo', '/accounts/ada@contoso.test/foo']);
  assert.deepEqual(inside.policy.audit, { enabled: false, retentionDays: 365 }, 'what is left out is as by default');
});

test('keys whose feature is not built are said to be so', async () => {
  const { warnings } = await warningsOf({ audit: { enabled: false }, renewAhead: false });
  assert.deepEqual(warnings, [], 'these are built');
  for (const change of [{ keystore: 'secret-service' }, { keystore: 'passphrase' }]) {
    const { kind, data } = await (await warningsOf(change)).host.refused('signIn.start', { account: 'ada@contoso.test' });
    assert.equal(kind, 'vault-locked', 'built, but there is no keyring here, and no passphrase was chosen');
    assert.doesNotMatch(data.cause, /not built yet/);
  }
});

test('keys that may not stand in the user\'s file are ignored with a warning', async () => {
  const recovery = await warningsOf({ recoveryPublicKey: RECOVERY_KEY });
  assert.match(recovery.warnings[0].cause, /\/recoveryPublicKey: ignored/);
  assert.equal(recovery.policy.recoveryPublicKey, undefined);
  assert.equal((await world.signIn(recovery.host, await world.user())).ok, true);
  const anchors = await warningsOf({ cloud: 'worldwide' });
  assert.match(anchors.warnings[0].cause, /\/caFile: ignored/);
  assert.equal(anchors.policy.caFile, undefined);
  const wrong = await warningsOf({ recoveryPublicKey: 5 });
  assert.deepEqual([wrong.warnings.length, wrong.policy.clientId], [1, world.idp.clientId], 'even with a wrong value the rest counts');
  const both = await warningsOf({ cloud: 'worldwide', caFile: 5, manage: 'all' });
  assert.deepEqual([both.warnings.length, both.policy.manage], [1, 'all']);
});

test('Thunderbird\'s policies set the add-on\'s keys, and nothing else', async () => {
  const managed = { manage: 'all', welcome: false, locale: 'de', fallback: 'none', clientId: 'other', nonsense: 1 };
  const host = await world.host(await world.home({ manage: 'domains' }), {}, { managed });
  const { policy, warnings } = host.welcome;
  assert.deepEqual([policy.manage, policy.welcome, policy.locale, policy.fallback, policy.clientId], ['all', false, 'de', 'none', world.idp.clientId]);
  assert.ok(warnings.some((/** @type {any} */ { cause }) => /\/clientId: ignored/.test(cause)));
  assert.ok(warnings.some((/** @type {any} */ { cause }) => /\/nonsense/.test(cause)));
  const wrong = await world.host(undefined, {}, { managed: { manage: 5, recoveryPublicKey: 5, migrate: 'off' } });
  assert.deepEqual([wrong.welcome.policy.manage, wrong.welcome.policy.migrate], ['listed', 'off']);
  assert.equal(wrong.welcome.warnings.length, 2);
  assert.equal((await world.signIn(wrong, await world.user())).ok, true, 'a wrong managed value breaks nothing else');
});

test('the environment names the folders, and a relative name is ignored', async () => {
  const home = await world.home(null);
  const elsewhere = join(home, 'elsewhere');
  await mkdir(join(elsewhere, 'config/thunderseal'), { recursive: true });
  await writeFile(join(elsewhere, 'config/thunderseal/config.json'), JSON.stringify(configuration(world.idp)), { mode: 0o600 });
  const host = await world.host(home, { env: { XDG_CONFIG_HOME: join(elsewhere, 'config'), XDG_STATE_HOME: join(elsewhere, 'state') } });
  assert.equal(host.welcome.policy.cloud, 'custom');
  assert.equal((await world.signIn(host, await world.user())).ok, true);
  execFileSync('test', ['-d', join(elsewhere, 'state/thunderseal/identities')]);
  await writeConfig(home, configuration(world.idp));
  const relative = await world.host(home, { env: { XDG_CONFIG_HOME: 'elsewhere/config' } });
  assert.equal(relative.welcome.policy.cloud, 'custom', 'read from the home');
});

test('the administrator\'s file wins over the user\'s and Thunderbird\'s', async (t) => {
  const { program, set, file } = await building;
  const usual = configuration(world.idp);
  const start = async (/** @type {object} */ user, hello = {}) => world.host(await world.home(user), { program }, hello);
  await t.test('key by key', async () => {
    await set({ ...usual, allowedDomains: ['contoso.test'], manage: 'domains' });
    const host = await start({ clientId: 'attacker', custom: { ...usual.custom, authority: 'https://attacker.example' }, allowedDomains: [], redirectHost: '127.0.0.1' }, { managed: { manage: 'all' } });
    assert.deepEqual([host.welcome.policy.clientId, host.welcome.policy.custom.authority, host.welcome.policy.manage], [world.idp.clientId, world.idp.authority, 'domains']);
    assert.equal(host.welcome.policy.redirectHost, '127.0.0.1', 'what it leaves open is the user\'s');
    assert.equal((await host.refused('account.add', { account: 'x@attacker.example' })).kind, 'policy-denied');
    assert.equal((await world.signIn(host, await world.user())).ok, true);
  });
  await t.test('its trust anchors need no custom cloud of the user\'s', async () => {
    await set({ caFile: usual.caFile });
    assert.equal((await start({ cloud: 'worldwide', caFile: undefined })).welcome.policy.caFile, usual.caFile);
  });
  await t.test('a recovery key is taken', async () => {
    await set({ recoveryPublicKey: RECOVERY_KEY });
    const host = await start({});
    assert.equal(host.welcome.policy.recoveryPublicKey, RECOVERY_KEY);
    assert.equal((await world.signIn(host, await world.user())).ok, true);
  });
  await t.test('broken, it stops sign-in, whatever the user\'s file says', async () => {
    await set('{');
    const host = await start({});
    assert.match(host.welcome.warnings[0].cause, new RegExp(file));
    assert.equal((await host.refused('signIn.start', { account: 'ada@contoso.test' })).kind, 'misconfigured');
  });
});
