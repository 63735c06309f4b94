// SPDX-License-Identifier: MPL-2.0
/** What a command or another host does to a sign-in counts in a running host at once (DESIGN sections 3.2 and 3.3). */
import assert from 'node:assert/strict';
import { chmod, cp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runCommand } from './host.mjs';
import { sealedFiles, sha256, stateFolder, World } from './world.mjs';

const world = await World.open();
after(() => world.close());

const RACES = 15;

/** `thunderseal login`, whose redirect is pasted back. @param {string} home @param {string} account */
function login(home, account) {
  let asked = false;
  return runCommand(['login', '--no-browser', account], {
    home,
    onStdout: async (text, child) => {
      if (asked || !text.includes('\n')) return;
      asked = true;
      child.stdin?.write(`${await world.redirectOf(text.trim())}\n`);
    },
  });
}

test('a running host hands nothing out within a second of logout', async () => {
  const host = await world.host();
  const { account } = await world.signedIn(host);
  const { code } = await runCommand(['logout', account], { home: host.home });
  const started = performance.now();
  assert.equal(code, 0);
  assert.equal((await host.refused('token.get', { account })).kind, 'sign-in-required');
  assert.ok(performance.now() - started < 5000, `${performance.now() - started} ms`);
  await host.told('account.changed', (told) => told.account.account === account && told.account.state === 'signed-out');
});

test('a logout while a renewal is on the wire of the host: its answer brings nothing back', async () => {
  const host = await world.host();
  const { account, token } = await world.signedIn(host);
  await world.idp.control({ nextToken: { hold: true, match: { user: account } } });
  const asked = host.refused('token.get', { account, rejected: sha256(token) });
  await world.idp.waitForRequest({ endpoint: 'token', grant_type: 'refresh_token', user: account });
  assert.equal((await runCommand(['logout', account], { home: host.home })).code, 0);
  await world.idp.control({ releaseHung: true });
  assert.equal((await asked).kind, 'sign-in-required');
  await world.idp.waitForRequest({ endpoint: 'token', grant_type: 'refresh_token', user: account, answered: true });
  await host.end();
  const next = await world.host(host.home);
  assert.equal((await next.refused('token.get', { account })).kind, 'sign-in-required');
});

test('a running host hands out the token of a login beside it, also after its own grant has died', async () => {
  const host = await world.host();
  const { account, token } = await world.signedIn(host);
  await world.idp.control({ revoke: account });
  assert.equal((await host.refused('token.get', { account, rejected: sha256(token) })).kind, 'sign-in-required');
  const { code, stderr } = await login(host.home, account);
  assert.equal(code, 0, stderr);
  const { accessToken, source } = await host.call('token.get', { account });
  assert.notEqual(accessToken, token);
  assert.equal(source, 'cache');
  assert.equal(world.idp.introspect(accessToken).username, account);
  const [{ state, problem }] = (await host.call('account.list')).accounts;
  assert.deepEqual([state, problem], ['ready', null]);
  assert.equal((await host.call('token.get', { account, rejected: sha256(accessToken) })).source, 'renewed');
});

test('a login while a renewal of the older grant is on the wire of the host wins', async () => {
  const host = await world.host();
  const { account, token } = await world.signedIn(host);
  await world.idp.control({ nextToken: { delayMs: 1500, match: { user: account, grant_type: 'refresh_token' } } });
  const asked = host.call('token.get', { account, rejected: sha256(token) });
  await world.idp.waitForRequest({ endpoint: 'token', grant_type: 'refresh_token', user: account });
  assert.equal((await login(host.home, account)).code, 0);
  await asked;
  await world.idp.waitForRequest({ endpoint: 'token', grant_type: 'refresh_token', user: account, answered: true });
  const { stdout } = await runCommand(['token', account], { home: host.home });
  assert.equal(`${(await host.call('token.get', { account })).accessToken}\n`, stdout);
  assert.equal((await host.call('account.list')).accounts[0].state, 'ready');
});

test('the first sign-in of all, by another process, is told to a host that started without any folder', async () => {
  const home = await world.home();
  await rm(join(home, '.local'), { recursive: true, force: true });
  const host = await world.host(home);
  const account = await world.user();
  const { code, stderr } = await login(home, account);
  assert.equal(code, 0, stderr);
  const told = await host.told('account.changed', (each) => each.account.state === 'ready');
  assert.equal(told.account.account, account);
  assert.equal((await host.call('token.get', { account })).source, 'cache');
});

test('a state folder that is moved away, and another one in its place, are noticed without a request', async () => {
  const host = await world.host();
  const folder = stateFolder(host.home);
  const { account, token } = await world.signedIn(host);
  await rename(folder, `${folder}.away`);
  const other = await world.user();
  assert.equal((await login(host.home, other)).code, 0);
  await host.told('account.changed', (each) => each.account.account === other && each.account.state === 'ready');
  assert.equal((await host.refused('token.get', { account })).kind, 'unknown-account');
  await rename(folder, `${folder}.other`);
  await rename(`${folder}.away`, folder);
  assert.equal((await host.call('token.get', { account })).accessToken, token);
  assert.equal((await host.refused('token.get', { account: other })).kind, 'unknown-account');
  assert.equal((await runCommand(['logout', account], { home: host.home })).code, 0);
  await host.told('account.changed', (each) => each.account.account === account && each.account.state === 'signed-out');
});

test('a folder of sealed files that was put back as a copy is watched as the first one was', async () => {
  const host = await world.host();
  const folder = join(stateFolder(host.home), 'identities');
  const { account, token } = await world.signedIn(host);
  await cp(folder, `${folder}.copy`, { recursive: true });
  await chmod(`${folder}.copy`, 0o700);
  await rename(folder, `${folder}.away`);
  await rename(`${folder}.copy`, folder);
  assert.equal((await host.call('token.get', { account })).accessToken, token);
  assert.equal((await runCommand(['logout', account], { home: host.home })).code, 0);
  await host.told('account.changed', (each) => each.account.account === account && each.account.state === 'signed-out');
  assert.equal((await host.refused('token.get', { account })).kind, 'sign-in-required');
});

test(`an account that is removed while another process renews it never comes back, ${RACES} times`, async () => {
  const home = await world.home();
  const [one, two] = [await world.host(home), await world.host(home)];
  for (let race = 0; race < RACES; race += 1) {
    const { account, token } = await world.signedIn(one);
    await two.call('token.get', { account });
    if (race % 3 === 1) await world.idp.control({ nextToken: { delayMs: 20, match: { user: account } } });
    const asked = one.call('token.get', { account, rejected: sha256(token) }).catch(({ kind }) => kind);
    if (race % 3 !== 0) await world.idp.waitForRequest({ endpoint: 'token', grant_type: 'refresh_token', user: account, answered: race % 3 === 2 });
    await two.call('account.remove', { account });
    const answer = await asked;
    assert.ok(answer.accessToken || ['sign-in-required', 'unknown-account'].includes(answer), `race ${race}: ${JSON.stringify(answer)}`);
    for (const host of [one, two]) assert.deepEqual((await host.call('account.list')).accounts, [], `race ${race}`);
  }
  await one.end();
  await two.end();
  assert.deepEqual(await sealedFiles(home), []);
  assert.deepEqual(JSON.parse((await runCommand(['accounts', '--json'], { home })).stdout), { accounts: [] });
});
