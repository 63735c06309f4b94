// SPDX-License-Identifier: MPL-2.0
/** `thunderseal setup` and settings.set: a configuration written by questions, by options and by the add-on. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod, mkdir, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { adminProgram } from './admin_program.mjs';
import { PROGRAM, runCommand } from './host.mjs';
import { atTerminal } from './terminal.mjs';
import { sha256, World } from './world.mjs';

const world = await World.open();
after(() => world.close());

const THUNDERBIRD = '9e5f94bc-e8a4-4e73-b8be-63364c29d753';
const CLIENT_ID = '5d3b1f0e-8c1a-4c5e-a5d4-2f6c7b9e0a13';
const building = adminProgram();
const configFile = (/** @type {string} */ home) => join(home, '.config/thunderseal/config.json');
const written = async (/** @type {string} */ home) => JSON.parse(await readFile(configFile(home), 'utf8'));
const mode = async (/** @type {string} */ path) => (await stat(path)).mode & 0o7777;

/** @param {string[]} args @param {string} home @param {string} [program] */
const setup = (args, home, program) => runCommand(['setup', ...args], { home, program, input: '' });

test('options write the user\'s file, private, and say what comes next', async () => {
  const home = await world.home(null);
  const { code, stdout, stderr } = await setup(['--client-id', CLIENT_ID, '--tenant', 'contoso.test', '--domain', 'contoso.test', '--domain', 'fabrikam.test'], home);
  assert.equal(code, 0, stderr);
  assert.deepEqual(await written(home), { clientId: CLIENT_ID, tenant: 'contoso.test', allowedDomains: ['contoso.test', 'fabrikam.test'] });
  assert.deepEqual([await mode(configFile(home)), await mode(dirname(configFile(home)))], [0o600, 0o700]);
  const { stdout: consent } = await runCommand(['consent-url'], { home });
  assert.ok(stdout.includes(consent.trim()), 'the link for the administrator');
  for (const next of [/Restart Thunderbird/, /thunderseal login/, /thunderseal doctor/]) assert.match(stdout, next);
  assert.equal((await runCommand(['policy', 'check', configFile(home)], { home })).code, 0);
});

test('a second setup changes what it is told and leaves every other byte', async () => {
  const home = await world.home(null);
  const before = '{\n\t"proxy" : "http://proxy.test:3128",\n\t"clientId" : "old",\n\t"flows" : [ "browser" ]\n}\n';
  await mkdir(dirname(configFile(home)), { recursive: true });
  await writeFile(configFile(home), before, { mode: 0o640 });
  assert.equal((await setup(['--client-id', CLIENT_ID], home)).code, 0);
  assert.equal(await readFile(configFile(home), 'utf8'), before.replace('old', CLIENT_ID));
  assert.equal(await mode(configFile(home)), 0o640, 'its mode stays');
  assert.deepEqual(await readdir(dirname(configFile(home))), ['config.json'], 'no draft is left');
});

test('Thunderbird\'s public id is taken only when it is asked for', async () => {
  const home = await world.home(null);
  const nobody = await setup([], home);
  assert.deepEqual([nobody.code, nobody.stdout], [64, '']);
  assert.match(nobody.stderr, /nobody to ask.*--client-id/);
  const without = await setup(['--tenant', 'contoso.test'], home);
  assert.equal(without.code, 64);
  assert.match(without.stderr, /client id.*--client-id thunderbird/);
  assert.deepEqual(await readdir(home), [], 'nothing is written');
  const { code, stdout } = await setup(['--client-id', 'thunderbird'], home);
  assert.equal(code, 0);
  assert.deepEqual(await written(home), { clientId: THUNDERBIRD });
  assert.doesNotMatch(stdout, /adminconsent/, 'nobody can consent for somebody else\'s app');
});

test('a wrong answer names what it must be, and nothing is written', async () => {
  const home = await world.home(null);
  for (const [args, expected] of /** @type {[string[], RegExp][]} */ ([
    [['--tenant', 'no tenant'], /tenant must be/], [['--cloud', 'mars'], /cloud must be one of "worldwide", "usgov", "usgov-dod", "china"\. Nothing/], [['--cloud', 'custom'], /custom cloud.*config\.json/], [['--domain', 'a b'], /allowedDomains must be/],
    [['--keystore', 'paper'], /keystore must be/], [['--client-id', ''], /clientId must be/], [['--client-id', 'y'], /clientId must be the application \(client\) id/], [['--client-id', CLIENT_ID.slice(1)], /clientId must be/], [['--print', 'everything'], /--print takes/],
    [['--explain', 'nothing here'], /AADSTS/], [['--explain', '50011 or so'], /AADSTS/], [['--explain', '99999999999999999999'], /AADSTS/], [['--cloud', 'custom', '--print', 'az'], /custom cloud/],
  ])) {
    const { code, stderr } = await setup([...(args[0] === '--client-id' ? [] : ['--client-id', CLIENT_ID]), ...args], home);
    assert.equal(code, 64, `${args}: ${stderr}`);
    assert.match(stderr, expected);
  }
  assert.deepEqual(await readdir(home), []);
});

test('where the configuration has a custom cloud, its endpoints are used and its client ids are its own', async () => {
  const home = await world.home();
  const { custom } = await written(home);
  const { code, stderr } = await setup(['--client-id', 'mail-client', '--cloud', 'custom'], home);
  assert.equal(code, 0, stderr);
  const { clientId, cloud, custom: after } = await written(home);
  assert.deepEqual([clientId, cloud, after], ['mail-client', 'custom', custom]);
});

test('a file that does not count, or cannot be written, is left as it is', async () => {
  const home = await world.home(null);
  await mkdir(dirname(configFile(home)), { recursive: true });
  for (const [text, fileMode] of /** @type {[string, number][]} */ ([['{ "clientId": ', 0o600], ['{"tenant": 5}', 0o600], ['{}', 0o666], ['[]', 0o600]])) {
    await writeFile(configFile(home), text);
    await chmod(configFile(home), fileMode);
    const { code, stderr } = await setup(['--client-id', CLIENT_ID], home);
    assert.equal(code, 78, stderr);
    assert.ok(stderr.includes(configFile(home)), 'the file is named');
    assert.equal(await readFile(configFile(home), 'utf8'), text);
  }
  await rm(configFile(home));
  await symlink('/dev/full', configFile(home));
  assert.notEqual((await setup(['--client-id', CLIENT_ID], home)).code, 0);
  const nowhere = await runCommand(['setup', '--client-id', CLIENT_ID], { home, env: { HOME: '' } });
  assert.equal(nowhere.code, 78);
  assert.match(nowhere.stderr, /HOME/);
});

test('what the administrator has set is not for the user to set', async () => {
  const { program, set } = await building;
  await set({ clientId: CLIENT_ID });
  const home = await world.home(null);
  const { code, stderr } = await setup(['--client-id', 'thunderbird'], home, program);
  assert.equal(code, 77, stderr);
  assert.match(stderr, /"clientId" is set by your administrator/);
  assert.deepEqual(await readdir(home), []);
});

test('for everybody: the administrator\'s file, readable by all', async () => {
  const { program, file } = await building;
  await rm(dirname(file), { recursive: true });
  const home = await world.home(null);
  const { code, stdout, stderr } = await setup(['--for-everybody', '--client-id', CLIENT_ID, '--json'], home, program);
  assert.equal(code, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), { file, changed: { clientId: CLIENT_ID } });
  assert.deepEqual([await mode(file), await mode(dirname(file))], [0o644, 0o755]);
  assert.deepEqual(await readdir(home), [], 'nothing of the user\'s');
});

test('it prints how to register the app, and what the errors of a registration mean', async () => {
  const home = await world.home(null);
  const manifest = JSON.parse((await setup(['--tenant', 'contoso.test', '--print', 'manifest'], home)).stdout);
  assert.deepEqual([manifest.signInAudience, manifest.publicClient.redirectUris], ['AzureADMyOrg', ['http://localhost']]);
  const az = (await setup(['--tenant', 'contoso.test', '--cloud', 'usgov', '--print', 'az'], home)).stdout;
  assert.equal(spawnSync('/bin/bash', ['-n'], { input: az }).status, 0, 'a shell can read it');
  assert.match(az, /AzureUSGovernment[\s\S]*--tenant contoso\.test/);
  assert.match((await setup(['--print', 'powershell'], home)).stdout, /New-MgApplication/);
  assert.match((await setup(['--print', 'graph'], home)).stdout, /^POST https:\/\/graph\.microsoft\.com/);
  assert.deepEqual(JSON.parse((await setup(['--tenant', 'contoso.test', '--print', 'policy'], home)).stdout), { tenant: 'contoso.test' });
  for (const [number, remedy] of /** @type {[number, RegExp][]} */ ([
    [50011, /redirect URI http:\/\/localhost/], [7000218, /Allow public client flows/], [90002, /tenant/], [65001, /consent/], [700016, /app|client/i],
  ])) {
    const { code, stdout } = await setup(['--explain', `invalid_request: AADSTS${number}: some words of Microsoft's`], home);
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`^AADSTS${number}: .*\\n.*\\nFor the administrator: `));
    assert.match(stdout, remedy);
    assert.equal((await setup(['--explain', String(number)], home)).stdout, stdout, 'the number alone');
  }
  assert.deepEqual(await readdir(home), [], 'printing writes nothing');
});

test('at a terminal it asks, explains the choice of app, shows what it writes, and can be left', async () => {
  const home = await world.home(null);
  const root = process.getuid?.() === 0;
  const answers = [...(root ? ['no\n'] : []), '\n', 'not a tenant\n', 'contoso.test\n', '1\n', 'xyz\n', `${CLIENT_ID}\n`, 'contoso.test, fabrikam.test\n', '\n'];
  const made = atTerminal(PROGRAM, home, answers, ['setup']);
  assert.equal(made.code, 0, made.screen);
  assert.deepEqual(await written(home), { cloud: 'worldwide', tenant: 'contoso.test', clientId: CLIENT_ID, allowedDomains: ['contoso.test', 'fabrikam.test'] });
  for (const text of [/own app/, /Thunderbird's public id/, /It must be "common"/, /It must be the application \(client\) id/, /adminconsent/]) assert.match(made.screen, text);
  const other = await world.home(null);
  const left = atTerminal(PROGRAM, other, [...(root ? ['no\n'] : []), '\n', '\n', '2\n', '\n', 'no\n'], ['setup']);
  assert.equal(left.code, 64, left.screen);
  assert.ok(left.screen.includes(THUNDERBIRD), 'it is shown before it would be written');
  const none = atTerminal(PROGRAM, other, [...(root ? ['no\n'] : []), '\n', '\n', '1\n', '\n'], ['setup']);
  assert.equal(none.code, 64, 'no client id is no answer');
  const ended = atTerminal(PROGRAM, other, [...(root ? ['no\n'] : []), '\u0004'], ['setup']);
  assert.equal(ended.code, 64, ended.screen);
  assert.deepEqual(await readdir(other), []);
});

test('settings.set writes the user\'s file and is in force at once', async () => {
  const home = await world.home(null);
  const host = await world.host(home);
  const account = await world.user();
  assert.equal((await host.refused('signIn.start', { account })).kind, 'misconfigured');
  assert.equal((await host.call('settings.set', { key: 'clientId', value: CLIENT_ID })).policy.clientId, CLIENT_ID);
  assert.deepEqual(await written(home), { clientId: CLIENT_ID });
  const { authorizationUrl } = await host.call('signIn.start', { account });
  assert.match(authorizationUrl, new RegExp(CLIENT_ID));
  await host.call('settings.set', { key: 'welcome', value: false });
  const { policy, sources } = await host.call('policy.get');
  assert.deepEqual([policy.welcome, sources.welcome, sources.clientId], [false, 'user', 'user']);
  assert.equal((await host.call('settings.set', { key: 'welcome', value: null })).policy.welcome, true, 'null gives the default back');
  await host.call('settings.set', { key: 'caFile', value: null });
  assert.deepEqual(await written(home), { clientId: CLIENT_ID });
});

test('settings.set of what renewals were waiting for lets them go on', async () => {
  const home = await world.home();
  const before = await world.host(home);
  const { account, token } = await world.signedIn(before);
  await before.end();
  await world.configure(home, { clientId: undefined });
  const host = await world.host(home);
  const rejected = sha256(token);
  assert.equal((await host.refused('token.get', { account, rejected })).kind, 'sign-in-required');
  await host.call('settings.set', { key: 'clientId', value: world.idp.clientId });
  assert.equal((await host.call('account.list')).accounts[0].state, 'ready');
  assert.equal((await host.call('token.get', { account, rejected })).source, 'renewed');
});

test('settings.set refuses what is wrong, unknown, or for the administrator to say', async () => {
  const { program, set } = await building;
  await set({ tenant: 'contoso.test' });
  const host = await world.host(await world.home(null), { program }, { managed: { manage: 'all' } });
  const refused = async (/** @type {object} */ params) => {
    const { kind, data } = await host.refused('settings.set', params);
    return data.field === undefined ? kind : `${kind} ${data.field}`;
  };
  assert.equal(await refused({ key: 'colour', value: 1 }), 'invalid-params key');
  assert.equal(await refused({ key: 'cloud', value: 'mars' }), 'invalid-params value');
  assert.equal(await refused({ key: 'cloud' }), 'invalid-params value');
  assert.equal(await refused({ key: 'cloud', value: 'usgov', more: 1 }), 'invalid-params more');
  assert.equal(await refused({ key: 'audit', value: { enabled: true, colour: 1 } }), 'invalid-params value');
  assert.equal(await refused({ key: 'accounts', value: { 'ada@contoso.test': { signinas: 'x@contoso.test' } } }), 'invalid-params value');
  assert.match((await host.refused('settings.set', { key: 'cloud', value: 'mars' })).message, /one of "worldwide", "usgov", "usgov-dod", "china", "custom"/);
  assert.equal(await refused({ key: 'tenant', value: 'other.test' }), 'policy-denied');
  assert.equal(await refused({ key: 'manage', value: 'listed' }), 'policy-denied');
  assert.equal(await refused({ key: 'recoveryPublicKey', value: Buffer.alloc(32, 7).toString('base64') }), 'policy-denied');
  assert.equal(await refused({ key: 'caFile', value: '/etc/ssl/mine.pem' }), 'policy-denied');
  assert.equal(await refused({ key: 'custom', value: { ...world.custom(), authority: 'https://login.microsoftonline.com' } }), 'policy-denied');
  assert.deepEqual(await readdir(host.home), [], 'nothing is written');
  const many = Array.from({ length: 20_000 }, (_each, i) => `domain-${i}.contoso.test`);
  assert.equal(await refused({ key: 'allowedDomains', value: many }), 'storage', 'nobody would read it again');
  assert.deepEqual(await readdir(dirname(configFile(host.home))), []);
});
