// SPDX-License-Identifier: MPL-2.0
/** The audit log outlives a change of the device key (DESIGN section 4). */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { runCommand } from './host.mjs';
import { sha256, World } from './world.mjs';

const world = await World.open();
after(() => world.close());

/** @param {string} home @param {string[]} command */
async function ask(home, ...command) {
  const { code, stdout, stderr } = await runCommand([...command, '--json'], { home });
  assert.equal(code, 0, `${command.join(' ')}: ${stderr}`);
  return JSON.parse(stdout);
}

test('after key rotate the log is whole, names the accounts, and goes on in a host that runs', async () => {
  const home = await world.home();
  const host = await world.host(home);
  const { account, token } = await world.signedIn(host);
  const before = (await ask(home, 'audit', 'show')).entries.length;
  await ask(home, 'key', 'rotate');
  assert.equal((await host.call('token.get', { account, rejected: sha256(token) })).source, 'renewed');
  await host.call('account.list'); // by its answer, the entry is in the log
  const { entries } = await ask(home, 'audit', 'show');
  assert.ok(entries.length > before);
  for (const event of ['signed-in', 'key-changed', 'renewed']) assert.ok(entries.some((/** @type {any} */ each) => each.event === event), event);
  const named = entries.filter((/** @type {any} */ each) => each.event === 'signed-in' || each.event === 'renewed');
  assert.ok(named.every((/** @type {any} */ each) => each.account === account), JSON.stringify(named));
  assert.equal((await ask(home, 'audit', 'verify')).intact, true);
  assert.equal((await host.call('audit.read')).intact, true);
});

test('a host that has not looked at the disk since the key was changed calls the log intact, too', async () => {
  const home = await world.home();
  const host = await world.host(home);
  await world.signedIn(host);
  await host.call('account.list'); // by its answer, the log's lock is free
  host.process.kill('SIGSTOP');
  await ask(home, 'key', 'rotate');
  host.process.kill('SIGCONT');
  const { intact, entries } = await host.call('audit.read');
  assert.equal(intact, true);
  assert.ok(entries.some((/** @type {any} */ { event }) => event === 'signed-in'));
});
