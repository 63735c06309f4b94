// SPDX-License-Identifier: MPL-2.0
/** thunderseal renew: for a timer, so that no sign-in ends for want of use (protocol section 4). */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { runCommand } from './host.mjs';
import { moment, sha256, World } from './world.mjs';

const world = await World.open();
after(() => world.close());

/** @param {string} home @param {string[]} [options] */
async function renew(home, options = []) {
  const result = await runCommand(['renew', ...options], { home });
  for (const { value } of world.idp.issued()) {
    assert.ok(!(result.stdout + result.stderr).includes(value.slice(0, 40)), 'no secret is printed');
  }
  return result;
}

/** A home with these accounts: their tokens have expired, or live. @param {('expired' | 'living')[]} kinds */
async function homeWith(...kinds) {
  const host = await world.host();
  const accounts = [];
  for (const kind of kinds) {
    await world.idp.control({ lifetimes: { accessToken: kind === 'expired' ? 1 : 4500 } });
    const account = await world.user();
    assert.equal((await world.signIn(host, account)).ok, true);
    accounts.push(account);
  }
  await world.idp.control({ lifetimes: { accessToken: 4500 } });
  const { accounts: listed } = await host.call('account.list');
  await moment(Math.min(...listed.map(({ tokens: [{ expiresAt }] }) => expiresAt)));
  await host.end();
  return { home: host.home, accounts };
}

test('what is due is renewed, what is not is left, and each is told', async () => {
  const { home, accounts: [due, fresh] } = await homeWith('expired', 'living');
  const { code, stdout, stderr } = await renew(home);
  assert.deepEqual([code, stderr], [0, '']);
  assert.deepEqual(stdout.trimEnd().split('\n').sort(), [`${due}  renewed`, `${fresh}  needs no renewal`].sort());
  assert.deepEqual([world.requestsOf(due).length, world.requestsOf(fresh).length], [1, 0]);
  assert.equal((await renew(home)).stdout, stdout.replace('renewed', 'needs no renewal'), 'once is enough');
  assert.equal(world.requestsOf(due).length, 1);
});

test('--json tells the same to programs', async () => {
  const { home, accounts: [due, fresh] } = await homeWith('expired', 'living');
  const { code, stdout } = await renew(home, ['--json']);
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(stdout), { renewals: [{ account: due, ok: true, renewed: true }, { account: fresh, ok: true, renewed: false }] });
});

test('a grant that is dead is 77, and all others are renewed', async () => {
  const { home, accounts: [first, dead, last] } = await homeWith('expired', 'living', 'expired');
  await world.idp.control({ revoke: dead });
  const host = await world.host(home);
  const token = /** @type {string} */ ((await host.call('token.get', { account: dead })).accessToken);
  await host.refused('token.get', { account: dead, rejected: sha256(token) });
  await host.end();
  const { code, stdout, stderr } = await renew(home, ['--all']);
  assert.equal(code, 77);
  assert.deepEqual(stdout.trimEnd().split('\n'), [`${first}  renewed`, `${last}  renewed`]);
  assert.match(stderr, new RegExp(`^thunderseal: ${dead}: .+\\. .+\n$`));
  const json = await renew(home, ['--all', '--json']);
  assert.equal(json.code, 77);
  assert.deepEqual(JSON.parse(json.stdout).renewals.map((/** @type {any} */ { account, ok }) => [account, ok]), [[first, true], [dead, false], [last, true]]);
  assert.equal(JSON.parse(json.stdout).renewals[1].problem.kind, 'sign-in-required');
  assert.equal(world.requestsOf(dead).length, 1);
});

test('a provider that is away is 69, and the next run succeeds', async () => {
  const { home, accounts: [due] } = await homeWith('expired');
  await world.idp.goAway();
  const { code, stdout, stderr } = await renew(home);
  await world.idp.comeBack();
  assert.deepEqual([code, stdout], [69, '']);
  assert.match(stderr, /^thunderseal: .+\n$/);
  assert.equal((await renew(home)).stdout, `${due}  renewed\n`);
});

test('addresses of one sign-in cost one request', async () => {
  const { home, accounts: [account] } = await homeWith('expired');
  const host = await world.host(home);
  await host.call('account.add', { account: 'info@contoso.test', signInAs: account });
  await host.end();
  const { code, stdout } = await renew(home);
  assert.equal(code, 0);
  assert.match(stdout, /^info@contoso\.test {2}renewed$/m);
  assert.equal(stdout.trimEnd().split('\n').length, 2);
  assert.equal(world.requestsOf(account).length, 1);
});

test('a running host goes on with what the command got', async () => {
  const { home, accounts: [account] } = await homeWith('expired');
  const host = await world.host(home);
  assert.equal((await renew(home)).code, 0);
  await host.told('account.changed', (told) => told.account.account === account && told.account.tokens[0]?.expiresAt > Date.now() / 1000);
  assert.equal((await host.call('token.get', { account })).source, 'cache');
  assert.equal(world.requestsOf(account).length, 1);
});

test('nothing to renew is no mistake, and who is signed out is passed over', async () => {
  assert.deepEqual(await renew(await world.home()), { code: 0, stdout: '', stderr: '' });
  const { home, accounts: [account] } = await homeWith('expired');
  await runCommand(['logout', account], { home });
  assert.deepEqual(await renew(home, ['--all']), { code: 0, stdout: '', stderr: '' });
  assert.deepEqual(JSON.parse((await renew(home, ['--json'])).stdout), { renewals: [] });
  assert.equal((await renew(home, ['ada@contoso.test'])).code, 64);
  assert.equal(world.requestsOf(account).length, 0);
});
