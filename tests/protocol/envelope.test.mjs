// SPDX-License-Identifier: MPL-2.0
/** JSON-RPC 2.0 as the protocol bounds it (section 2). */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { mayBeSent } from './contract.mjs';
import { HELLO, Host } from './host.mjs';
import { sha256, World } from './world.mjs';

const world = await World.open();
after(() => world.close());

const MAX_IN_FLIGHT = 1024;
const request = (/** @type {object} */ change) => ({ jsonrpc: '2.0', id: 1, method: 'account.list', ...change });
const host = await world.host();

const NO_REQUEST = {
  'an array': [request({})], 'an empty array': [], 'a text': 'hello', 'a number': 7, null: null, 'an empty object': {},
  'no jsonrpc': { id: 1, method: 'account.list' }, 'jsonrpc 1.0': request({ jsonrpc: '1.0' }), 'jsonrpc as a number': request({ jsonrpc: 2.0 }),
  'jsonrpc with a NUL': request({ jsonrpc: '2.0\0' }),
  'no method': { jsonrpc: '2.0', id: 1 }, 'a method that is no text': request({ method: 5 }), 'a method null': request({ method: null }),
  'a reply': { jsonrpc: '2.0', id: 1, result: {} },
  'id null': request({ id: null }), 'id a fraction': '{"jsonrpc":"2.0","id":1.5,"method":"account.list"}', 'id 1.0': '{"jsonrpc":"2.0","id":1.0,"method":"account.list"}',
  'id true': request({ id: true }), 'id an object': request({ id: {} }), 'id of 65 bytes': request({ id: 'x'.repeat(65) }),
  'id of 65 bytes in 33 characters': request({ id: `${'é'.repeat(32)}x` }), 'id with a NUL': request({ id: 'a\0b' }),
};

test('a method with a NUL is not taken for what stands before it, and its request is answered', async () => {
  host.send({ jsonrpc: '2.0', id: 'nul', method: 'account.list\0' });
  assert.equal((await host.answer('nul')).error.data.kind, 'method-not-found');
});

test('what is no request is invalid-request with id null', async (t) => {
  for (const [what, message] of Object.entries(NO_REQUEST)) {
    await t.test(what, async () => {
      await host.send(typeof message === 'string' && message.startsWith('{') ? message : JSON.stringify(message));
      const { error } = await host.answer(null);
      assert.equal(error.code, -32600);
      assert.equal(error.data.kind, 'invalid-request');
    });
  }
});

test('ids are integers, or texts of up to 64 bytes, and come back as they are', async () => {
  for (const id of [0, -1, 9007199254740991, '', '1', 'x'.repeat(64), 'é'.repeat(32), '\u{1f511}', '"\\']) {
    await host.send(request({ id }));
    assert.deepEqual((await host.answer(id)).result, { accounts: [], more: false });
  }
  await host.send('{"jsonrpc":"2.0","id":9223372036854775807,"method":"account.list"}');
  const raw = await host.next((message) => message.id > 9e18, 'the answer to the largest integer');
  assert.ok(raw.result);
});

test('absent params are {}, and params go by name only', async () => {
  for (const [params, field] of [[[], 'params'], [null, 'params'], ['x', 'params'], [5, 'params']]) {
    const { kind, data } = await host.refused('account.list', params);
    assert.equal(kind, 'invalid-params');
    assert.equal(data.field, field);
  }
  assert.ok(await host.call('account.list', {}));
  assert.ok(await host.call('account.list'));
});

test('unknown methods are method-not-found, whatever their params', async () => {
  for (const method of ['account.List', 'account.list ', '', 'cancel', 'rpc.discover', 'x'.repeat(5000)]) {
    const { code, kind, data } = await host.refused(method, ['any']);
    assert.equal(code, -32601, JSON.stringify(method));
    assert.equal(kind, 'method-not-found');
    assert.equal(data.retryable, false);
  }
});

const ACCOUNT = 'nobody@contoso.test';
/** Method, params, and the field that is wrong. @type {[string, any, string][]} */
const WRONG_PARAMS = [
  ['account.list', { limit: 0 }, 'limit'], ['account.list', { limit: 201 }, 'limit'], ['account.list', { limit: '5' }, 'limit'],
  ['account.list', { limit: 1.5 }, 'limit'], ['account.list', { limit: null }, 'limit'], ['account.list', { after: 5 }, 'after'],
  ['account.list', { page: 1 }, 'page'], ['account.add', {}, 'account'], ['account.add', { account: 5 }, 'account'],
  ['account.add', { account: ACCOUNT, signInAs: 'no name' }, 'signInAs'], ['account.add', { account: ACCOUNT, signInAs: null }, 'signInAs'],
  ['account.add', { account: ACCOUNT, tenant: 'a b' }, 'tenant'], ['account.add', { account: ACCOUNT, tenant: '' }, 'tenant'],
  ['account.add', { account: ACCOUNT, cloud: 'mars' }, 'cloud'], ['account.add', { account: ACCOUNT, password: 'x' }, 'password'],
  ['account.remove', {}, 'account'], ['account.remove', { account: ACCOUNT, all: true }, 'all'],
  ['token.get', {}, 'account'], ['token.get', { account: ACCOUNT, minTtl: -1 }, 'minTtl'], ['token.get', { account: ACCOUNT, minTtl: 1801 }, 'minTtl'],
  ['token.get', { account: ACCOUNT, minTtl: '120' }, 'minTtl'], ['token.get', { account: ACCOUNT, protocol: 'ews' }, 'protocol'],
  ['token.get', { account: ACCOUNT, protocol: 'IMAP' }, 'protocol'], ['token.get', { account: ACCOUNT, rejected: 'abc' }, 'rejected'],
  ['token.get', { account: ACCOUNT, rejected: `${'0'.repeat(63)}g` }, 'rejected'], ['token.get', { account: ACCOUNT, scopes: 'x' }, 'scopes'],
  ['token.get', { account: ACCOUNT, scopes: [5] }, 'scopes'], ['token.get', { account: ACCOUNT, scopes: ['IMAP.AccessAsUser.All'] }, 'scopes'],
  ['token.get', { account: ACCOUNT, scopes: ['https://outlook.office.com/SMTP.Send', 'https://graph.microsoft.com/User.Read'] }, 'scopes'],
  ['token.get', { account: ACCOUNT, scopes: ['https://outlook.office.com/SMTP.Send'], protocol: 'graph' }, 'protocol'],
  ['token.get', { account: ACCOUNT, force: true }, 'force'],
  ['signIn.start', {}, 'account'], ['signIn.start', { account: ACCOUNT, flow: 'password' }, 'flow'], ['signIn.start', { account: ACCOUNT, flow: 1 }, 'flow'],
  ['signIn.start', { account: ACCOUNT, openBrowser: 'yes' }, 'openBrowser'], ['signIn.start', { account: ACCOUNT, scopes: [] }, 'scopes'],
  ['signIn.start', { account: ACCOUNT, scopes: ['User.Read'] }, 'scopes'], ['signIn.start', { account: ACCOUNT, prompt: 'login' }, 'prompt'],
  ['signIn.cancel', {}, 'signInId'], ['signIn.cancel', { signInId: 7 }, 'signInId'], ['signIn.cancel', { signInId: 'unknown' }, 'signInId'],
  ['signOut', {}, 'account'], ['signOut', { account: ACCOUNT, everywhere: 1 }, 'everywhere'], ['signOut', { account: ACCOUNT, now: true }, 'now'],
];

test('wrong types, missing, unknown and out-of-range fields are invalid-params that name the field', async (t) => {
  for (const [method, params, field] of WRONG_PARAMS) {
    await t.test(`${method} ${JSON.stringify(params)}`, async () => {
      const { code, kind, data } = await host.refused(method, params);
      assert.equal(kind, 'invalid-params');
      assert.equal(code, -32602);
      assert.equal(data.field, field);
    });
  }
  assert.deepEqual(await host.call('account.list'), { accounts: [], more: false }, 'what was refused has changed nothing');
});

test('a hostile field name comes back shortened, as text', async () => {
  for (const name of ['é'.repeat(400), 'a"b\\c\n', '%s%n%d', '\u{1f4a3}'.repeat(40)]) {
    const { kind, data } = await host.refused('account.list', { [name]: 1 });
    assert.equal(kind, 'invalid-params');
    assert.ok(Buffer.byteLength(data.field) <= 64);
    assert.ok(name.startsWith(data.field.slice(0, 5)));
  }
});

test('before hello every method answers hello-required', async () => {
  const bare = world.watch(new Host({ home: await world.home() }));
  for (const method of ['account.list', 'token.get', 'no.such.method']) {
    const { code, kind } = await bare.refused(method, { account: ACCOUNT });
    assert.equal(kind, 'hello-required');
    assert.equal(code, -32000);
  }
  await bare.notify('cancel', { id: 1 });
  assert.equal((await bare.call('hello', HELLO)).protocol, 1);
});

test('hello with another protocol says which are supported, and another hello may follow', async () => {
  const bare = world.watch(new Host({ home: await world.home() }));
  for (const protocol of [0, 2, -1, 1000000]) {
    const { code, kind, data } = await bare.refused('hello', { ...HELLO, protocol });
    assert.equal(kind, 'protocol-unsupported');
    assert.equal(code, -32000);
    assert.deepEqual(data.supported, [1]);
  }
  for (const [change, field] of [[{ protocol: '1' }, 'protocol'], [{ extension: 'x' }, 'extension'], [{ thunderbird: {} }, 'thunderbird'],
    [{ locale: 5 }, 'locale'], [{ proxy: [] }, 'proxy'], [{ managed: 'all' }, 'managed']]) {
    assert.equal((await bare.refused('hello', { ...HELLO, ...change })).data.field, field);
  }
  const welcome = await bare.call('hello', { ...HELLO, fromTheFuture: { any: ['thing'] }, extension: { version: '9', channel: 'x' } });
  assert.deepEqual(welcome.accounts, []);
  assert.ok(Array.isArray(welcome.features));
  const second = await bare.refused('hello', HELLO);
  assert.equal(second.kind, 'invalid-request');
  assert.equal(second.code, -32600);
  assert.ok(await bare.call('account.list'), 'the session goes on');
});

test('notifications are never answered and have no effect', async () => {
  const before = host.messages.length;
  await host.notify('account.add', { account: 'silent@contoso.test' });
  await host.notify('no.such.method', {});
  await host.notify('hello', HELLO);
  await host.notify('cancel', { id: 'nothing runs by this id' });
  for (const params of [undefined, null, [], {}, { id: null }, { id: {} }, { id: 'x'.repeat(100) }, { id: 1.5 }]) await host.notify('cancel', params);
  assert.deepEqual(await host.call('account.list'), { accounts: [], more: false });
  assert.equal(host.messages.length, before + 1);
});

test('every error has a kind, says whether to retry, and gives a cause with a next step', () => {
  const errors = host.messages.filter(({ error }) => error).map(({ error }) => error);
  assert.ok(errors.length > 50);
  for (const error of errors) {
    assert.equal(typeof error.data.kind, 'string');
    assert.equal(typeof error.data.retryable, 'boolean');
    assert.equal(error.data.cause, error.message);
    assert.match(error.message, /^[A-Z"h].*\.$/s);
    assert.ok(error.data.remedy.length > 10);
  }
});

test('the schema takes what the host takes, and refuses what it refuses', () => {
  for (const [method, params] of WRONG_PARAMS) {
    // Two rules are beyond a schema: scopes of one resource, and scopes that agree with the protocol.
    if (params.scopes?.some?.((/** @type {unknown} */ scope) => typeof scope === 'string') || params.signInId === 'unknown') continue;
    assert.equal(mayBeSent({ jsonrpc: '2.0', id: 1, method, params }), false, `${method} ${JSON.stringify(params)}`);
  }
  assert.ok(mayBeSent({ jsonrpc: '2.0', method: 'cancel', params: { id: 7 } }));
});

test('requests in flight: the same id is refused, cancel answers cancelled, fast overtakes slow, 1,024 is the bound', async () => {
  const { account, token } = await world.signedIn(host);
  await world.idp.control({ nextToken: { hang: true, match: { user: account } } });
  const slow = (/** @type {unknown} */ id) => host.send(request({ id, method: 'token.get', params: { account, rejected: sha256(token) } }));
  await slow(7);
  await world.idp.waitForRequest({ endpoint: 'token', grant_type: 'refresh_token', user: account });

  await slow(7);
  assert.equal((await host.answer(null)).error.data.kind, 'invalid-request');
  await host.send(request({ id: 7 }));
  assert.equal((await host.answer(null)).error.data.kind, 'invalid-request');
  await slow('7');
  assert.equal((await host.call('account.list')).accounts.length, 1, 'a fast request does not wait');
  await host.notify('cancel', { id: '7' });
  const { error } = await host.answer('7');
  assert.equal(error.code, 1010);
  assert.equal(error.data.kind, 'cancelled');
  assert.ok(!host.messages.some(({ id }) => id === 7), 'cancel meant the text, not the number');

  // All are there long before the first of them would be answered late.
  await Promise.all(Array.from({ length: MAX_IN_FLIGHT + 5 }, (_, id) => slow(`many ${id}`)));
  const refusals = await Promise.all(Array.from({ length: 6 }, () => host.next(
    (message) => message.error && String(message.id).startsWith('many'), 'a refusal',
  )));
  for (const refusal of refusals) {
    assert.equal(refusal.error.data.kind, 'throttled');
    assert.equal(refusal.error.code, 1005);
    assert.ok(refusal.error.data.retryAfter >= 1);
    assert.equal(refusal.error.data.retryable, true);
  }
  assert.ok(await host.call('account.list'), 'what needs no waiting is still served');

  await host.notify('cancel', { id: 7 });
  assert.equal((await host.answer(7)).error.data.kind, 'cancelled');
  await world.idp.control({ releaseHung: true });
  const answers = [];
  for (let id = 0; id < MAX_IN_FLIGHT - 1; id += 1) answers.push(await host.answer(`many ${id}`));
  assert.equal(new Set(answers.map(({ result, error: each }) => result?.accessToken ?? each.data.kind)).size, 1, 'one answer for all');
});
