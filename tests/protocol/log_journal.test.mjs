// SPDX-License-Identifier: MPL-2.0
/** --log=journal, and what the native mode tells the journal without being asked (protocol section 4). */
import assert from 'node:assert/strict';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { adminProgram } from './admin_program.mjs';
import { assertFree } from './assert_free.mjs';
import { runCommand } from './host.mjs';
import { JournalSocket } from './journal_socket.mjs';
import { aLoggedLife, assertTold } from './log_life.mjs';
import { sha256, stateFolder, World } from './world.mjs';

const world = await World.open();
const { program } = await adminProgram(world.folder, `runstatedir=${world.folder}/run`);
const SOCKET = join(world.folder, 'run/systemd/journal/socket');
let journal = await JournalSocket.open(SOCKET);
after(async () => {
  await journal.close();
  await world.close();
});

test('--log=journal tells a whole life in fields of its own, and no secret or address in it', async () => {
  const { account, secrets, stderr, requests } = await aLoggedLife(world, await world.home(), ['--log=journal', '--log-level=debug'], program);
  const forgotten = await journal.next(({ THUNDERSEAL_EVENT: event }) => event === 'account-forgotten');
  await journal.next(({ THUNDERSEAL_EVENT: event }) => event === 'ended', journal.entries.indexOf(forgotten));
  const entries = [...journal.entries];
  assertFree(JSON.stringify(entries), [...secrets, account, 'contoso'], 'the journal');
  assert.doesNotMatch(stderr, /request_id/);
  assertTold(requests, entries.map(({ MESSAGE }) => MESSAGE));
  for (const entry of entries) {
    const { MESSAGE, PRIORITY, SYSLOG_IDENTIFIER, THUNDERSEAL_EVENT, THUNDERSEAL_VERSION, ...fields } = entry;
    assert.equal(SYSLOG_IDENTIFIER, 'thunderseal');
    assert.match(PRIORITY, /^[3467]$/);
    assert.match(THUNDERSEAL_VERSION, /^\d+\.\d+\.\d+$/);
    const told = Object.entries(fields).map(([name, value]) => ` ${name.replace('THUNDERSEAL_', '').toLowerCase()}=${value}`);
    assert.equal(MESSAGE, THUNDERSEAL_EVENT + told.join(''), 'the message says what the fields say');
  }
});

test('a host that Thunderbird started tells the journal what needs attention, and nothing else anywhere', async () => {
  const home = await world.home();
  const host = await world.host(home, { program });
  const from = journal.entries.length;
  const { account, token } = await world.signedIn(host);
  await world.idp.control({ nextToken: { entra: { error: 'invalid_grant', code: 50173, text: token }, match: { user: account } } });
  await host.refused('token.get', { account, rejected: sha256(token) });
  const told = await journal.next(({ THUNDERSEAL_EVENT: event }) => event === 'renewal-failed', from);
  assert.deepEqual([told.PRIORITY, told.THUNDERSEAL_KIND, told.THUNDERSEAL_AADSTS], ['4', 'sign-in-required', '50173']);
  assert.equal(told.THUNDERSEAL_REQUEST_ID, world.requestsOf(account).at(-1)?.headers['client-request-id']);
  assert.equal(journal.entries.length, from + 1, 'the sign-in went well: that is no warning');
  assertFree(JSON.stringify(told), [token, account], 'the journal');
  await host.end();
  assert.equal(host.stderr, '');
  assert.ok(!(await readdir(stateFolder(home))).includes('log'));
});

test('a configuration that is not believed is told too', async () => {
  const home = await world.home({ tenant: 17 });
  const from = journal.entries.length;
  const host = await world.host(home, { program });
  const { PRIORITY, MESSAGE } = await journal.next(() => true, from);
  assert.deepEqual([PRIORITY, MESSAGE], ['4', `settings-refused count=${host.welcome.warnings.length}`]);
});

test('a journal that does not read, or is not there, disturbs nothing', async () => {
  const home = await world.home();
  const run = async () => {
    const { code, stderr } = await runCommand(['accounts', '--log=journal', '--log-level=debug'], { home, program });
    assert.deepEqual([code, stderr], [0, '']);
  };
  journal.receiver.kill('SIGSTOP');
  // Each sends four; more than a socket's queue holds.
  const queue = Number(await readFile('/proc/sys/net/unix/max_dgram_qlen', 'utf8'));
  for (let sent = 0; sent <= queue + 4; sent += 4) await run();
  journal.receiver.kill('SIGCONT');
  await journal.close();
  await run(); // the socket is there, but nobody listens
  await rm(SOCKET);
  await run();
  journal = await JournalSocket.open(SOCKET);
  await run();
  await journal.next(({ THUNDERSEAL_EVENT: event }) => event === 'ended');
});
