// SPDX-License-Identifier: MPL-2.0
/** Microsoft's clouds: each signs in at its own authority, for its own resource, and hosts come from nowhere else (protocol section 5, DESIGN section 5). */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { World } from './world.mjs';

const world = await World.open();
after(() => world.close());

const CLIENT_ID = '5d3b1f0e-8c1a-4c5e-a5d4-2f6c7b9e0a13';
const ACCOUNT = 'ada@agency.test';

/** Authority and mail resource by cloud. @type {Record<string, [string, string]>} */
const CLOUDS = {
  worldwide: ['https://login.microsoftonline.com', 'https://outlook.office.com'],
  usgov: ['https://login.microsoftonline.us', 'https://outlook.office365.us'],
  'usgov-dod': ['https://login.microsoftonline.us', 'https://outlook.office365.us'],
  china: ['https://login.partner.microsoftonline.cn', 'https://partner.outlook.cn'],
};

/** A host whose whole configuration this is. @param {object} configuration */
const hostOf = async (configuration) => world.host(await world.home(JSON.stringify({ clientId: CLIENT_ID, ...configuration })));

/** The address for the browser, of a sign-in that is given up at once. @param {import('./host.mjs').Host} host @param {string} account */
async function authorization(host, account) {
  const { signInId, authorizationUrl } = await host.call('signIn.start', { account });
  await host.call('signIn.cancel', { signInId });
  const url = new URL(authorizationUrl);
  return { place: url.origin + url.pathname, query: Object.fromEntries(url.searchParams) };
}

const mailScopes = (/** @type {string} */ resource) => `${resource}/IMAP.AccessAsUser.All ${resource}/SMTP.Send offline_access openid profile`;

for (const [cloud, [authority, resource]] of Object.entries(CLOUDS)) {
  test(`${cloud}: the sign-in goes to its authority for its mail resource`, async () => {
    const host = await hostOf({ cloud, tenant: 'agency.test' });
    assert.deepEqual(host.welcome.warnings, []);
    const { place, query } = await authorization(host, ACCOUNT);
    assert.equal(place, `${authority}/agency.test/oauth2/v2.0/authorize`);
    assert.deepEqual([query.scope, query.client_id], [mailScopes(resource), CLIENT_ID]);
    const { accounts: [account] } = await host.call('account.list');
    assert.deepEqual([account.cloud, account.tenant], [cloud, 'agency.test']);
  });
}

test('one host serves accounts of several clouds: by policy, by domain, and by account.add', async () => {
  const host = await hostOf({ accounts: { 'eve@agency.test': { cloud: 'usgov', tenant: 'common' }, '*@mil.test': { cloud: 'usgov-dod' } } });
  await host.call('account.add', { account: 'wei@firma.test', cloud: 'china', tenant: 'firma.test' });
  await host.call('account.add', { account: 'sam@mil.test', cloud: 'china' });
  for (const [account, cloud, tenant] of [['eve@agency.test', 'usgov', 'common'], ['bob@mil.test', 'usgov-dod', 'organizations'], ['sam@mil.test', 'usgov-dod', 'organizations'], ['wei@firma.test', 'china', 'firma.test'], ['ida@firma.test', 'worldwide', 'organizations']]) {
    const { place, query } = await authorization(host, account);
    assert.equal(place, `${CLOUDS[cloud][0]}/${tenant}/oauth2/v2.0/authorize`, account);
    assert.equal(query.scope, mailScopes(CLOUDS[cloud][1]), account);
  }
});

test('no national cloud has personal accounts: that is told before any URL, with what to set', async () => {
  for (const cloud of ['usgov', 'usgov-dod', 'china']) {
    const { kind, data } = await (await hostOf({ cloud, tenant: 'consumers' })).refused('signIn.start', { account: ACCOUNT });
    assert.equal(kind, 'misconfigured');
    assert.ok(data.cause.includes(`"${cloud}"`), data.cause);
    assert.match(data.remedy, /organizations/);
  }
  assert.match((await authorization(await hostOf({ tenant: 'consumers' }), ACCOUNT)).place, /\/consumers\//);
});

test('a client of the host cannot name another authority by a cloud or a tenant', async () => {
  const host = await hostOf({ cloud: 'usgov' });
  for (const field of ['cloud', 'tenant']) {
    for (const value of ['', '..', '../common', 'agency.test/', 'agency.test%2f..', 'https://attacker.example', 'attacker.example#', 'attacker.example?x', 'attacker.example:443', 'agency.test.', 'agency..test', 'custom\u0000', '\u00e4.test', 5]) {
      const { kind, data } = await host.refused('account.add', { account: ACCOUNT, [field]: value });
      assert.deepEqual([kind, data.field], ['invalid-params', field], JSON.stringify(value));
    }
  }
  await host.call('account.add', { account: ACCOUNT, tenant: '7A1F0C52-3F0B-4A57-9D5E-0C1B8D5F2E11' });
  assert.match((await authorization(host, ACCOUNT)).place, /^https:\/\/login\.microsoftonline\.us\/7A1F0C52-3F0B-4A57-9D5E-0C1B8D5F2E11\/oauth2/);
  await host.call('account.add', { account: ACCOUNT, cloud: 'custom' });
  assert.equal((await host.refused('signIn.start', { account: ACCOUNT })).kind, 'misconfigured', 'no endpoints are configured');
});
