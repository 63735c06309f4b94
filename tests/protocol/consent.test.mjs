// SPDX-License-Identifier: MPL-2.0
/** The administrator's consent: `consent-url` (protocol section 4) and `consentUrl` in an error (section 2). */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { after, test } from 'node:test';
import { runCommand } from './host.mjs';
import { sha256, World } from './world.mjs';

const world = await World.open();
after(() => world.close());

const CLIENT_ID = '5d3b1f0e-8c1a-4c5e-a5d4-2f6c7b9e0a13';

/** @param {string} outlook @param {string} graph */
const scopesOf = (outlook, graph) => [`${outlook}/IMAP.AccessAsUser.All`, `${outlook}/POP.AccessAsUser.All`, `${outlook}/SMTP.Send`, `${graph}/User.Read`, 'offline_access', 'openid', 'profile'];

/** @param {string} text */
function parts(text) {
  const url = new URL(text);
  const { scope, ...query } = Object.fromEntries(url.searchParams);
  return { place: url.origin + url.pathname, scopes: scope.split(' '), query };
}

/** `consent-url` under a configuration that is this and nothing else. @param {object} configuration @param {string[]} args */
async function consent(configuration, ...args) {
  const home = await world.home(JSON.stringify(configuration));
  return { home, ...await runCommand(['consent-url', ...args], { home }) };
}

test('consent-url prints one address and needs neither vault nor network', async () => {
  const { home, code, stdout, stderr } = await consent({ clientId: CLIENT_ID, tenant: 'contoso.test', proxy: 'http://127.0.0.1:1', keystore: 'passphrase' });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^https:\/\/\S+\n$/);
  assert.match(stderr, /administrator/);
  assert.deepEqual(parts(stdout.trim()), {
    place: 'https://login.microsoftonline.com/contoso.test/v2.0/adminconsent', scopes: scopesOf('https://outlook.office.com', 'https://graph.microsoft.com'),
    query: { client_id: CLIENT_ID, redirect_uri: 'http://localhost', state: 'admin-consent' },
  });
  assert.deepEqual(await readdir(home), ['.config'], 'nothing is written');
  const nowhere = await runCommand(['consent-url'], { home, env: { HOME: '', XDG_CONFIG_HOME: `${home}/.config` } });
  assert.deepEqual([nowhere.code, nowhere.stdout], [0, stdout], 'there need be no place for a vault');
});

test('consent-url --json tells the scopes, the tenant and the cloud', async () => {
  const { code, stdout, stderr } = await consent({ clientId: CLIENT_ID, cloud: 'china', redirectHost: '127.0.0.1' }, '--json');
  assert.deepEqual([code, stderr], [0, '']);
  const { consentUrl, ...rest } = JSON.parse(stdout);
  const scopes = scopesOf('https://partner.outlook.cn', 'https://microsoftgraph.chinacloudapi.cn');
  assert.deepEqual(rest, { scopes, tenant: 'organizations', cloud: 'china' });
  assert.deepEqual(parts(consentUrl), {
    place: 'https://login.partner.microsoftonline.cn/organizations/v2.0/adminconsent', scopes, query: { client_id: CLIENT_ID, redirect_uri: 'http://127.0.0.1', state: 'admin-consent' },
  });
});

test('consent-url goes to the custom cloud\'s authority, and to an organisation where the tenant names none', async () => {
  const custom = { authority: 'https://login.example:8443', resources: { outlook: 'https://mail.example/api', graph: 'https://graph.example' }, imap: 'mail.example:993', smtp: 'mail.example:587/starttls' };
  for (const tenant of ['common', 'consumers']) {
    const { consentUrl, cloud } = JSON.parse((await consent({ clientId: CLIENT_ID, cloud: 'custom', custom, tenant }, '--json')).stdout);
    const { place, scopes } = parts(consentUrl);
    assert.deepEqual([cloud, place], ['custom', 'https://login.example:8443/organizations/v2.0/adminconsent']);
    assert.deepEqual(scopes, scopesOf('https://mail.example/api', 'https://graph.example'));
  }
});

test('it contains every scope that a sign-in asks for', async () => {
  const host = await world.host();
  const { signInId, authorizationUrl } = await host.call('signIn.start', { account: await world.user() });
  await host.call('signIn.cancel', { signInId });
  const { stdout } = await runCommand(['consent-url'], { home: host.home });
  const { scopes } = parts(stdout.trim());
  for (const scope of new URL(authorizationUrl).searchParams.get('scope')?.split(' ') ?? ['none']) assert.ok(scopes.includes(scope), scope);
});

test('what stands in the way is one line on stderr with the next step, and exit status 78', async () => {
  for (const [configuration, cause] of /** @type {[object, RegExp][]} */ ([[{}, /client id.*clientId in policy\.json/], [{ cloud: 'usgov' }, /portal\.azure\.us/], [{ clientId: CLIENT_ID, cloud: 'custom' }, /custom/],
    [{ clientId: CLIENT_ID, cloud: 'usgov', tenant: 'consumers' }, /personal accounts/], [{ clientId: CLIENT_ID, tenant: 'contoso.test/../x' }, /config\.json.*\/tenant/], [{ clientId: 'a b' }, /\/clientId/]])) {
    for (const args of [[], ['--json']]) {
      const { code, stdout, stderr } = await consent(configuration, ...args);
      assert.deepEqual([code, stdout], [78, ''], JSON.stringify(configuration));
      assert.match(stderr, /^thunderseal: [^\n]+\n$/);
      assert.match(stderr, cause);
    }
  }
  assert.equal((await consent({ clientId: CLIENT_ID }, 'ada@contoso.test')).code, 64);
  assert.equal((await consent({ clientId: CLIENT_ID }, '--device')).code, 64);
});

test('an error that consent would cure names the address, for the identity\'s own tenant and cloud', async () => {
  const host = await world.host(await world.home({ tenant: 'organizations', accounts: { '*@contoso.test': { tenant: world.idp.tenant } } }));
  const { account, token } = await world.signedIn(host);
  const { idp } = world;
  const expected = { place: `${idp.authority}/${idp.tenant}/v2.0/adminconsent`, scopes: scopesOf(idp.outlookResource, idp.graphResource), query: { client_id: idp.clientId, redirect_uri: 'http://localhost', state: 'admin-consent' } };
  const ungranted = await host.refused('token.get', { account, protocol: 'graph' });
  assert.equal(ungranted.kind, 'consent-required');
  assert.deepEqual(parts(ungranted.data.consentUrl), expected);
  const { stdout } = await runCommand(['consent-url'], { home: host.home });
  assert.match(stdout, /\/organizations\/v2\.0\/adminconsent/, 'the organisation\'s own, where no account is meant');
  await idp.control({ nextToken: { entra: { error: 'invalid_grant', code: 65001, suberror: 'consent_required' }, match: { user: account } } });
  const withdrawn = await host.refused('token.get', { account, minTtl: 0, rejected: sha256(token) });
  assert.equal(withdrawn.kind, 'consent-required');
  assert.deepEqual(parts(withdrawn.data.consentUrl), expected);
  const { accounts } = await host.call('account.list');
  assert.equal(accounts[0].problem.kind, 'consent-required');
  assert.equal(accounts[0].problem.consentUrl, undefined);
});

test('the address in an error is the identity\'s, though its first account should go elsewhere by now', async () => {
  const home = await world.home();
  const host = await world.host(home);
  const { account } = await world.signedIn(host);
  const second = account.replace('@contoso.test', '@fabrikam.test');
  await host.call('account.add', { account: second, signInAs: account });
  await host.end();
  await world.configure(home, { accounts: { [account]: { tenant: 'elsewhere.test' } } });
  const changed = await world.host(home);
  const { data } = await changed.refused('token.get', { account: second, protocol: 'graph' });
  assert.equal(parts(data.consentUrl).place, `${world.idp.authority}/${world.idp.tenant}/v2.0/adminconsent`);
});

test('no other error names it', async () => {
  const host = await world.host();
  for (const [method, params] of /** @type {[string, object][]} */ ([['token.get', { account: 'nobody@contoso.test' }], ['token.get', { account: 5 }]])) {
    assert.equal((await host.refused(method, params)).data.consentUrl, undefined);
  }
  const { account } = await world.signedIn(host);
  await host.call('signOut', { account });
  const { kind, data } = await host.refused('token.get', { account });
  assert.deepEqual([kind, data.consentUrl], ['sign-in-required', undefined]);
});
