// SPDX-License-Identifier: MPL-2.0
/** The published schemas: valid, complete, and of one mind with the host about what a configuration is. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { isConfiguration, makeAjv, mayBeSent, policySchema, protocolSchema } from './contract.mjs';
import { World } from './world.mjs';

const world = await World.open();
after(() => world.close());

const CUSTOM = { authority: 'https://login.example', resources: { outlook: 'https://a.example', graph: 'https://b.example/x' }, imap: 'mail.example:993', smtp: 'mail.example:587/starttls' };

/** Values of each key that must be taken, and that must not. @type {Record<string, { good: unknown[], bad: unknown[] }>} */
const SAMPLES = {
  cloud: { good: ['worldwide', 'usgov', 'usgov-dod', 'china', 'custom'], bad: ['Worldwide', '', null, 1, ['custom']] },
  custom: {
    good: [CUSTOM, { ...CUSTOM, pop3: '10.0.0.1:995', graph: 'https://g.example/v1.0' }, { ...CUSTOM, authority: 'https://localhost:65535' }, { ...CUSTOM, imap: 'a:1/starttls' }],
    bad: [{}, null, 'https://x', { ...CUSTOM, authority: undefined }, { ...CUSTOM, authority: 'http://login.example' }, { ...CUSTOM, authority: 'https://login.example/' }, { ...CUSTOM, authority: 'https://login.example/tenant' },
      { ...CUSTOM, authority: 'https://user@login.example' }, { ...CUSTOM, authority: 'https://login.example:0' }, { ...CUSTOM, authority: 'https://login.example:65536' }, { ...CUSTOM, authority: 'https://' }, { ...CUSTOM, authority: 'https://[::1]:1' },
      { ...CUSTOM, imap: 'mail.example' }, { ...CUSTOM, imap: 'mail.example:99999' }, { ...CUSTOM, smtp: 'mail.example:25/tls' }, { ...CUSTOM, smtp: ':25' }, { ...CUSTOM, smtp: '-x:25' }, { ...CUSTOM, resources: { outlook: 'https://a.example' } },
      { ...CUSTOM, resources: { outlook: 'https://a.example/', graph: 'https://b.example' } }, { ...CUSTOM, resources: { outlook: 'a.example', graph: 'https://b.example' } }, { ...CUSTOM, resources: { ...CUSTOM.resources, teams: 'https://c.example' } },
      { ...CUSTOM, resources: [] }, { ...CUSTOM, jmap: 'x:1' }, { ...CUSTOM, graph: 'https://g.example/a b' }],
  },
  tenant: { good: ['common', 'organizations', 'consumers', '7a1f0c52-3f0b-4a57-9d5e-0c1b8d5f2e11', '7A1F0C52-3F0B-4A57-9D5E-0C1B8D5F2E11', 'contoso.test'], bad: ['', 'contoso', 'a/b.c', '../x.y', '7a1f0c52-3f0b-4a57-9d5e-0c1b8d5f2e1', '.contoso.test', 'contoso.test.', 'contoso..test', '..', 'contoso.test%2f', null, 5] },
  clientId: { good: ['5d3b1f0e-8c1a-4c5e-a5d4-2f6c7b9e0a13', 'x'.repeat(127), 'https://app.example/id'], bad: ['', 'a b', 'x'.repeat(128), 'a"b', 'a\\b', 'ä', 'a\u007fb', null, 5] },
  redirectHost: { good: ['localhost', '127.0.0.1'], bad: ['::1', '0.0.0.0', 'LOCALHOST', null] },
  flows: { good: [['browser'], ['device', 'browser'], ['device']], bad: [[], 'browser', ['password'], [null], { browser: true }] },
  allowedDomains: { good: [[], ['contoso.test', 'a.b-c.d'], ['CONTOSO.TEST']], bad: ['contoso.test', ['contoso'], ['*.contoso.test'], ['-x.test'], ['x.test.'], [5], ['a b.test'], [''], null] },
  accounts: {
    good: [{}, { 'ada@contoso.test': {} }, { '*@contoso.test': { signInAs: 'ask' } }, { 'info@contoso.test': { signInAs: 'ada@contoso.test', tenant: 'contoso.test', cloud: 'china' } }],
    bad: [[], { contoso: {} }, { 'a@b@c': {} }, { 'ada@contoso.test': null }, { 'ada@contoso.test': { signInAs: 'ada' } }, { 'ada@contoso.test': { signinas: 'a@b' } }, { 'ada@contoso.test': { cloud: 'mars' } }, { 'ada@contoso.test': { tenant: 'x y' } },
      { 'a\u0007@b': {} }, { [`${'a'.repeat(250)}@b.test`]: {} }],
  },
  keystore: { good: ['auto', 'secret-service', 'file', 'passphrase'], bad: ['none', '', null, true] },
  caFile: { good: [world.idp.caFile], bad: ['ca.pem', '', '~/ca.pem', null, ['/x'], `/${'x'.repeat(4096)}`] },
  proxy: { good: ['http://proxy.example:3128', 'socks5h://user:pass@[::1]:1080'], bad: ['proxy.example:3128', '', 'http://a b', null, 8080] },
  audit: { good: [{}, { enabled: false }, { retentionDays: 1 }, { enabled: true, retentionDays: 36500 }], bad: [true, [], { enabled: 'yes' }, { retentionDays: 0 }, { retentionDays: 36501 }, { retentionDays: 1.5 }, { days: 5 }] },
  renewAhead: { good: [true, false], bad: ['true', 1, null] },
  manage: { good: ['listed', 'domains', 'all'], bad: ['none', '', null, true] },
  migrate: { good: ['off', 'offer', 'auto'], bad: [false, 'on', null] },
  fallback: { good: ['thunderbird', 'none'], bad: ['host', null, false] },
  welcome: { good: [true, false], bad: ['false', 0, null] },
  locale: { good: ['de', 'pt-BR', 'zh-Hant-TW'], bad: ['', 'de_DE', '-de', 'x'.repeat(36), null, 5] },
};

test('both schemas are JSON Schema 2020-12, and every key explains itself', () => {
  const ajv = makeAjv();
  for (const schema of [policySchema, protocolSchema]) {
    assert.equal(schema.$schema, 'https://json-schema.org/draft/2020-12/schema');
    assert.ok(ajv.validateSchema(schema), JSON.stringify(ajv.errors));
  }
  for (const [key, schema] of Object.entries(policySchema.properties)) {
    assert.ok(schema.title && schema.description, key);
    if ('default' in schema) assert.ok(isConfiguration({ [key]: schema.default }), `the default of ${key} fits itself`);
  }
});

test('the defaults of the schema are those of the host', async () => {
  const host = await world.host(await world.home(null));
  const defaults = Object.fromEntries(Object.entries(policySchema.properties).filter(([, schema]) => 'default' in schema).map(([key, schema]) => [key, schema.default]));
  assert.deepEqual(host.welcome.policy, defaults);
});

test('the schema and the host take and refuse the same configurations', async (t) => {
  const known = Object.keys(policySchema.properties).filter((key) => key !== 'recoveryPublicKey');
  assert.deepEqual(Object.keys(SAMPLES).sort(), known.sort(), 'each key has samples');
  for (const [key, { good, bad }] of Object.entries(SAMPLES)) {
    await t.test(key, async () => {
      const samples = [...good.map((value) => ({ value, expected: true })), ...bad.map((value) => ({ value, expected: false }))];
      for (const { value, expected } of samples) {
        // Where caFile may stand is not a matter of its value.
        const content = JSON.stringify(key === 'cloud' || key === 'caFile' ? { cloud: 'custom', [key]: value } : { [key]: value });
        assert.equal(isConfiguration(JSON.parse(content)), expected, `schema: ${content}`);
        const host = await world.host(await world.home(content));
        const faults = host.welcome.warnings.filter((/** @type {any} */ { cause }) => !/not built yet/.test(cause));
        assert.equal(faults.length === 0, expected, `host: ${content} ${JSON.stringify(faults)}`);
        if (!expected) assert.ok(faults[0].cause.includes(`/${key}`), faults[0].cause);
        await host.kill();
      }
    });
  }
});

test('a recovery key is 32 bytes in base64', () => {
  const good = Buffer.alloc(32, 250).toString('base64');
  assert.ok(isConfiguration({ recoveryPublicKey: good }));
  for (const bad of [good.slice(1), `${good}A`, good.replace('=', ''), Buffer.alloc(31).toString('base64'), Buffer.alloc(33).toString('base64'), `${good.slice(0, 42)}B=`, '', null]) {
    assert.ok(!isConfiguration({ recoveryPublicKey: bad }), String(bad));
  }
  assert.ok(!isConfiguration({ unknown: 1 }));
  assert.ok(isConfiguration({ caFile: '/not/there.pem' }), 'a schema knows no files');
});

test('every method of the protocol has its parameters, its result, and an example that fits', () => {
  const examples = {
    hello: { protocol: 1, extension: { version: '1' }, thunderbird: { version: '140' }, later: true }, 'account.list': { after: 'a', limit: 5 }, 'account.add': { account: 'a@b', signInAs: 'c@d', tenant: 'common', cloud: 'custom' },
    'account.remove': { account: 'a@b' }, 'account.import': { account: 'a@b', refreshToken: 'x', clientId: 'y' }, 'token.get': { account: 'a@b', scopes: [], protocol: 'imap', minTtl: 0, rejected: 'a'.repeat(64) },
    'signIn.start': { account: 'a@b', flow: 'device', openBrowser: true, scopes: ['https://a/b'] }, 'signIn.cancel': { signInId: 'x' }, signOut: { account: 'a@b', everywhere: true },
    'health.check': { accounts: ['a@b'], checks: ['imap'], servers: [{ account: 'a@b', type: 'imap', hostname: 'h', port: 993, socketType: 'tls', authMethod: 'oauth2' }] },
    'vault.unlock': {}, 'settings.set': { key: 'welcome', value: false }, 'policy.get': {}, 'audit.read': { since: 0, limit: 1 }, 'audit.names': {}, 'audit.verify': {}, 'report.create': {}, 'backup.create': { recipient: 'x' }, 'backup.restore': { data: 'AAAA' },
  };
  assert.deepEqual(Object.keys(examples).sort(), protocolSchema.$defs.request.properties.method.enum.toSorted());
  for (const [method, params] of Object.entries(examples)) {
    assert.ok(protocolSchema.$defs[`${method}.result`], method);
    assert.ok(mayBeSent({ jsonrpc: '2.0', id: 1, method, params }), method);
    if (method !== 'hello') assert.ok(!mayBeSent({ jsonrpc: '2.0', id: 1, method, params: { ...params, unknownField: 1 } }), method);
  }
});
