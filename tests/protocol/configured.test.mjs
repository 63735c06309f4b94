// SPDX-License-Identifier: MPL-2.0
/** What a configuration says of an account is kept to for each address; what it contains harms no session (protocol section 5). */
import assert from 'node:assert/strict';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { PROGRAM } from './host.mjs';
import { World } from './world.mjs';

const world = await World.open();
after(() => world.close());

/** A home with an identity that serves two addresses, and no host. */
async function twoAddresses() {
  const home = await world.home();
  const host = await world.host(home);
  const { account, token } = await world.signedIn(host);
  const second = account.replace('@contoso.test', '@fabrikam.test');
  await host.call('account.add', { account: second, signInAs: account });
  assert.equal((await host.call('token.get', { account: second })).accessToken, token);
  await host.end();
  return { home, account, second, token };
}

test('allowedDomains is judged for each address of an identity', async () => {
  const { home, account, second, token } = await twoAddresses();
  await world.configure(home, { allowedDomains: ['contoso.test'] });
  const host = await world.host(home);
  assert.equal((await host.refused('token.get', { account: second })).kind, 'policy-denied');
  assert.equal((await host.call('token.get', { account })).accessToken, token);
});

test('who signs in by the policy is judged for each address of an identity', async () => {
  const { home, account, second, token } = await twoAddresses();
  const other = await world.user();
  for (const name of [second, '*@fabrikam.test']) {
    await world.configure(home, { accounts: { [name]: { signInAs: other } } });
    const host = await world.host(home);
    assert.equal((await host.refused('token.get', { account: second })).kind, 'sign-in-required', name);
    assert.equal((await host.call('token.get', { account })).accessToken, token);
    await host.end();
  }
});

test('where the policy says "ask", the account itself is presumed until the user says who signs in', async () => {
  const home = await world.home({ accounts: { '*@contoso.test': { signInAs: 'ask' }, 'info@contoso.test': { signInAs: 'ask' } } });
  const host = await world.host(home);
  assert.deepEqual(host.welcome.accounts.map((/** @type {any} */ each) => [each.account, each.signInAs, each.state]), [['info@contoso.test', 'info@contoso.test', 'signed-out']]);
  // Without a hint the user chooses on the provider's page.
  const [name, owner] = [await world.user(), await world.user()];
  await world.idp.control({ autoLogin: name });
  const { account, token } = await world.signedIn(host, name);
  await world.idp.control({ autoLogin: true });
  await host.call('account.add', { account: 'info@contoso.test', signInAs: owner });
  const { token: shared } = await world.signedIn(host, 'info@contoso.test');
  assert.equal(world.idp.introspect(shared).username, owner);
  await host.end();
  const again = await world.host(home);
  assert.equal((await again.call('token.get', { account })).accessToken, token);
  assert.equal((await again.call('token.get', { account: 'info@contoso.test' })).accessToken, shared, 'what the user said is remembered');
});

test('nine thousand keys that nobody knows are no reason to refuse hello', async () => {
  const managed = Object.fromEntries(Array.from({ length: 9000 }, (_, index) => [`key${index}`, 1]));
  const host = await world.host(undefined, {}, { managed: { ...managed, manage: 'all' } });
  assert.equal(host.welcome.policy.manage, 'all', 'a key behind them counts');
  assert.ok(host.welcome.warnings.length > 0 && host.welcome.warnings.length < 1000);
  assert.equal((await world.signIn(host, await world.user())).ok, true);
});

test('the user and the password of a proxy are not shown', async () => {
  for (const [proxy, shown] of [
    ['http://someone:hunter2@proxy.contoso.test:3128', 'http://proxy.contoso.test:3128'],
    ['http://some@one:hunt@er2@proxy.contoso.test:3128', 'http://proxy.contoso.test:3128'],
    ['http://proxy.contoso.test:3128', 'http://proxy.contoso.test:3128'],
  ]) {
    const host = await world.host(await world.home({ proxy }), {}, { proxy: 'http://else:hunter3@other.contoso.test:3128' });
    assert.equal(host.welcome.policy.proxy, shown);
    assert.doesNotMatch(JSON.stringify(host.welcome), /hunt|one:|else:/);
  }
});

test('a configuration whose path is no UTF-8 leaves no request without an answer', async () => {
  const home = await world.home(null);
  const folder = Buffer.concat([Buffer.from(`${home}/conf`), Buffer.from([0xff, 0xe9]), Buffer.from('ig')]);
  await mkdir(Buffer.concat([folder, Buffer.from('/thunderseal')]), { recursive: true });
  await writeFile(Buffer.concat([folder, Buffer.from('/thunderseal/config.json')]), '{ "cloud": ', { mode: 0o600 });
  // An environment with such bytes cannot be given to a process from here: a shell makes it.
  const program = join(home, 'start');
  await writeFile(program, `#!/bin/sh\nXDG_CONFIG_HOME="$(printf '${home}/conf\\377\\351ig')" exec '${PROGRAM}' "$@"\n`);
  await chmod(program, 0o755);
  const host = await world.host(home, { program });
  assert.match(host.welcome.warnings[0].cause, /config\.json/);
  const { kind, data } = await host.refused('signIn.start', { account: 'anybody@contoso.test' });
  assert.equal(kind, 'misconfigured');
  assert.match(data.cause, /config\.json/);
  assert.deepEqual((await host.call('account.list')).accounts, []);
});
