// SPDX-License-Identifier: MPL-2.0
/** Accounts: listing, adding, removing, names, and what stays of them (protocol section 3). */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { configuration, filesBelow, moment, sealedFiles, stateFolder, World, writeConfig } from './world.mjs';

const world = await World.open();
after(() => world.close());

const MAX_ACCOUNTS = 1000;
const names = (/** @type {{ accounts: { account: string }[] }} */ { accounts }) => accounts.map(({ account }) => account);

/** @param {import('./host.mjs').Host} host @param {string[]} accounts */
const add = (host, ...accounts) => Promise.all(accounts.map((account) => host.call('account.add', { account })));

test('an added account is signed out, signs in as itself, and has what the configuration says', async () => {
  const host = await world.host();
  const { account } = await host.call('account.add', { account: 'Ada@Contoso.test' });
  assert.deepEqual(account, {
    account: 'Ada@Contoso.test', signInAs: 'Ada@Contoso.test', state: 'signed-out', tenant: world.idp.tenant, cloud: 'custom', method: null,
    homeAccountId: null, problem: null, tokens: [], refreshToken: null, nextRenewal: null,
  });
  const changed = await host.told('account.changed');
  assert.deepEqual(changed.account, account);
});

test('the list is sorted by lower-case name, and paged by limit and an exclusive after', async () => {
  const host = await world.host();
  await add(host, 'Zoe@contoso.test', 'adam@contoso.test', 'BEN@contoso.test', 'ben@a.test', 'Émile@contoso.test');
  const all = ['adam@contoso.test', 'ben@a.test', 'BEN@contoso.test', 'Zoe@contoso.test', 'Émile@contoso.test'];
  assert.deepEqual(names(await host.call('account.list')), all);
  const first = await host.call('account.list', { limit: 2 });
  assert.deepEqual(names(first), all.slice(0, 2));
  assert.equal(first.more, true);
  const second = await host.call('account.list', { limit: 2, after: 'BEN@A.TEST' });
  assert.deepEqual(names(second), all.slice(2, 4));
  assert.equal(second.more, true);
  const last = await host.call('account.list', { limit: 1, after: 'Zoe@contoso.test' });
  assert.deepEqual([names(last), last.more], [all.slice(4), false]);
  const exact = await host.call('account.list', { limit: 5 });
  assert.equal(exact.more, false);
  assert.deepEqual(names(await host.call('account.list', { after: 'b' })), all.slice(1), 'after need not exist');
  assert.deepEqual(names(await host.call('account.list', { after: 'x'.repeat(5000) })), all.slice(3));
  assert.deepEqual(names(await host.call('account.list', { after: 'é'.repeat(300) })), []);
});

test('what hello shows is told as a change only when it changes', async () => {
  const first = await world.host();
  await add(first, 'kept@contoso.test');
  await first.end();
  const host = await world.host(first.home);
  assert.deepEqual(names(host.welcome), ['kept@contoso.test']);
  await host.call('account.list');
  assert.deepEqual(host.toldSoFar('account.changed'), []);
  await add(host, 'new@contoso.test');
  assert.equal((await host.told('account.changed')).account.account, 'new@contoso.test');
});

test('adding again changes nothing, whatever the case, and keeps the name as first written', async () => {
  const host = await world.host();
  await add(host, 'First@contoso.test');
  const before = (await filesBelow(stateFolder(host.home))).find(({ path }) => path.endsWith('.sealed'));
  const { account } = await host.call('account.add', { account: 'FIRST@CONTOSO.TEST' });
  assert.equal(account.account, 'First@contoso.test');
  assert.deepEqual(names(await host.call('account.list')), ['First@contoso.test']);
  const now = (await filesBelow(stateFolder(host.home))).find(({ path }) => path.endsWith('.sealed'));
  assert.ok(before && now && before.bytes.equals(now.bytes), 'nothing was written');
  const moved = await host.call('account.add', { account: 'FIRST@contoso.test', signInAs: 'ben@contoso.test' });
  assert.equal(moved.account.account, 'First@contoso.test');
  const { report } = await host.call('health.check', { accounts: ['fIRST@contoso.test'], checks: ['sign-in'] });
  assert.equal(report.checks[0].account, 'First@contoso.test');
  await host.end();
  assert.deepEqual(names((await world.host(host.home)).welcome), ['First@contoso.test'], 'even when it moves to another identity');
});

test('a sign-in under another spelling keeps the name as first written', async () => {
  const host = await world.host();
  const account = await world.user();
  const first = account.toUpperCase();
  await add(host, first);
  const finished = await world.signIn(host, account);
  assert.deepEqual([finished.ok, finished.account], [true, first]);
  assert.deepEqual(names(await host.call('account.list')), [first]);
});

test('signInAs may be another name, and several addresses may share one', async () => {
  const host = await world.host();
  const { account } = await host.call('account.add', { account: 'info@contoso.test', signInAs: 'Ada@contoso.test' });
  assert.equal(account.signInAs.toLowerCase(), 'ada@contoso.test');
  await host.call('account.add', { account: 'sales@contoso.test', signInAs: 'ada@contoso.test' });
  await host.call('account.add', { account: 'ada@contoso.test' });
  assert.equal((await sealedFiles(host.home)).filter((name) => name.endsWith('.sealed')).length, 1, 'one identity, one file');
  const again = await host.call('account.add', { account: 'info@contoso.test' });
  assert.equal(again.account.signInAs.toLowerCase(), 'ada@contoso.test', 'what is not named stays');
  const changed = await host.call('account.add', { account: 'info@contoso.test', signInAs: 'ben@contoso.test' });
  assert.equal(changed.account.signInAs, 'ben@contoso.test');
  assert.deepEqual(names(await host.call('account.list')), ['ada@contoso.test', 'info@contoso.test', 'sales@contoso.test']);
  const tenant = await host.call('account.add', { account: 'info@contoso.test', tenant: 'contoso.test' });
  assert.deepEqual([tenant.account.tenant, tenant.account.signInAs], ['contoso.test', 'ben@contoso.test']);
});

const AT_LIMIT = `${'a'.repeat(241)}@contoso.test`;
const NAMES = {
  good: [AT_LIMIT, 'a@b', `${'é'.repeat(120)}b@contoso.test`, 'user name@contoso.test', 'o\'hara+x@contoso.test', '"quoted"@contoso.test', 'ü@bücher.test', 'a\\b@c'],
  bad: [`a${AT_LIMIT}`, `${'é'.repeat(121)}@contoso.test`, '', '@', 'a@', '@b', 'ab', 'a@b@c', 'a@b\n', 'a\0@b', 'a\u007f@b', 'a\u0085@b', '\u009f@b', '\t@b', 5, null, true, ['a@b'], {}],
};

test('an account name has 254 bytes at most, one @, and no control characters', async () => {
  const host = await world.host();
  for (const account of NAMES.good) assert.equal((await host.call('account.add', { account })).account.account, account);
  for (const account of NAMES.bad) {
    const { kind, data } = await host.refused('account.add', { account });
    assert.deepEqual([kind, data.field], ['invalid-params', 'account'], JSON.stringify(account));
  }
  assert.equal((await host.call('account.list')).accounts.length, NAMES.good.length);
  for (const method of ['account.remove', 'token.get', 'signIn.start', 'signOut']) {
    assert.equal((await host.refused(method, { account: 'a@b@c' })).data.field, 'account');
  }
});

test('accounts and their order outlive the host', async () => {
  const host = await world.host();
  await add(host, 'ben@contoso.test', 'Ada@contoso.test');
  await host.call('account.add', { account: 'info@contoso.test', signInAs: 'cleo@contoso.test', tenant: 'contoso.test' });
  const before = await host.call('account.list');
  assert.equal((await host.end()).code, 0);
  const restarted = await world.host(host.home);
  assert.deepEqual(await restarted.call('account.list'), before);
  assert.deepEqual(restarted.welcome.accounts, before.accounts);
  assert.equal(restarted.welcome.more, false);
});

test('a removed account is gone from memory and disk, with every generation of its file', async () => {
  const host = await world.host();
  const { account } = await world.signedIn(host);
  await add(host, 'other@contoso.test');
  await host.call('account.add', { account: 'shared@contoso.test', signInAs: account });
  assert.ok((await sealedFiles(host.home)).some((name) => name.endsWith('.prev')));

  assert.deepEqual(await host.call('account.remove', { account: 'SHARED@contoso.test' }), {});
  assert.ok((await host.call('token.get', { account })).accessToken, 'the identity still serves its other address');
  for (const { path, bytes } of await filesBelow(stateFolder(host.home))) {
    assert.ok(!bytes.includes('shared@contoso.test'), `no trace of the address: ${path}`);
  }
  assert.deepEqual(await host.call('account.remove', { account }), {});
  for (const { path, bytes } of await filesBelow(stateFolder(host.home))) assert.ok(!bytes.includes(account), path);
  assert.equal((await sealedFiles(host.home)).filter((name) => name.includes('.sealed')).length, 1);
  assert.equal((await host.refused('token.get', { account })).kind, 'unknown-account');
  assert.equal((await host.refused('account.remove', { account })).kind, 'unknown-account');
  assert.equal((await host.refused('signOut', { account })).kind, 'unknown-account');
  await host.end();
  assert.deepEqual(names(await (await world.host(host.home)).call('account.list')), ['other@contoso.test']);
});

test('removing an account ends its sign-in', async () => {
  const host = await world.host();
  const account = await world.user();
  const { signInId, authorizationUrl } = await host.call('signIn.start', { account });
  await host.call('account.remove', { account });
  const finished = await host.told('signIn.finished');
  assert.deepEqual([finished.signInId, finished.ok, finished.problem.kind], [signInId, false, 'cancelled']);
  await assert.rejects(world.answer(authorizationUrl), 'nobody listens any more');
  assert.deepEqual(await host.call('account.list'), { accounts: [], more: false });
});

test('accounts of the policy exist without being added, and come back when removed', async () => {
  const home = await world.home({
    accounts: { 'ada@contoso.test': {}, 'info@contoso.test': { signInAs: 'ada@contoso.test' }, '*@contoso.test': { tenant: 'contoso.test' } },
  });
  const host = await world.host(home);
  assert.deepEqual(names(host.welcome), ['ada@contoso.test', 'info@contoso.test']);
  assert.deepEqual(host.welcome.accounts.map((/** @type {any} */ { signInAs, state }) => [signInAs, state]), [['ada@contoso.test', 'signed-out'], ['ada@contoso.test', 'signed-out']]);
  assert.deepEqual(await sealedFiles(home), [], 'nothing is written for them');
  const added = await host.call('account.add', { account: 'ben@contoso.test' });
  assert.equal(added.account.tenant, 'contoso.test', 'the domain\'s entry counts');
  const overruled = await host.call('account.add', { account: 'info@contoso.test', signInAs: 'ben@contoso.test' });
  assert.equal(overruled.account.signInAs, 'ada@contoso.test', 'the policy\'s name wins');
  await host.call('account.remove', { account: 'info@contoso.test' });
  assert.deepEqual(names(await host.call('account.list')), ['ada@contoso.test', 'ben@contoso.test', 'info@contoso.test']);
});

test('domains that the policy does not allow are policy-denied and leave no account', async () => {
  const host = await world.host(await world.home({ allowedDomains: ['contoso.test', 'Fabrikam.test'] }));
  await add(host, 'a@contoso.test', 'a@CONTOSO.TEST', 'a@fabrikam.test');
  for (const params of [{ account: 'a@other.test' }, { account: 'b@contoso.test', signInAs: 'b@other.test' }, { account: 'b@other.test', signInAs: 'b@contoso.test' },
    { account: 'a@sub.contoso.test' }, { account: 'a@notcontoso.test' }]) {
    assert.equal((await host.refused('account.add', params)).kind, 'policy-denied', JSON.stringify(params));
  }
  assert.equal((await host.refused('signIn.start', { account: 'a@other.test' })).kind, 'policy-denied');
  assert.equal((await host.refused('token.get', { account: 'a@other.test' })).kind, 'policy-denied');
  assert.deepEqual(names(await host.call('account.list')), ['a@contoso.test', 'a@fabrikam.test']);
});

test('since when the policy denies an account is told alike each time', async () => {
  const first = await world.host();
  await add(first, 'ada@contoso.test');
  await first.end();
  await writeConfig(first.home, { ...configuration(world.idp), allowedDomains: ['other.test'] });
  const host = await world.host(first.home);
  const [{ state, problem }] = host.welcome.accounts;
  assert.deepEqual([state, problem.kind], ['blocked', 'policy-denied']);
  await moment(problem.since + 1);
  assert.equal((await host.call('account.list')).accounts[0].problem.since, problem.since);
});

test('there are 1,000 accounts at most, 200 to a page, and one more is policy-denied', async () => {
  const accounts = Object.fromEntries(Array.from({ length: MAX_ACCOUNTS - 1 }, (_, index) => [`u${String(index).padStart(4, '0')}@contoso.test`, {}]));
  const host = await world.host(await world.home({ accounts }));
  assert.equal(host.welcome.accounts.length, 200);
  assert.equal(host.welcome.more, true);
  await add(host, 'v@contoso.test');
  const { kind, data } = await host.refused('account.add', { account: 'w@contoso.test' });
  assert.equal(kind, 'policy-denied');
  assert.match(data.cause, /1,000/);
  assert.equal((await host.refused('signIn.start', { account: 'w@contoso.test' })).kind, 'policy-denied');
  assert.ok(await host.call('account.add', { account: 'V@contoso.test' }), 'a known one is no further one');
  const seen = [];
  for (let after = '', more = true; more;) {
    const page = await host.call('account.list', { after });
    assert.ok(page.accounts.length <= 200);
    seen.push(...names(page));
    ({ more } = page);
    after = seen.at(-1) ?? '';
  }
  assert.equal(new Set(seen).size, MAX_ACCOUNTS);
  assert.deepEqual(seen, [...seen].sort());
});
