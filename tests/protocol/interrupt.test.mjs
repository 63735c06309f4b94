// SPDX-License-Identifier: MPL-2.0
/** Ctrl-C and its kin at a command that waits (protocol sections 2 and 4; DESIGN section 3.3). */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { runCommand } from './host.mjs';
import { World } from './world.mjs';

/** @typedef {import('node:child_process').ChildProcess} ChildProcess */

const CANCELLED = 130;

// A refresh token that is used and whose successor is not saved is lost.
const world = await World.open({ strictRotation: true });
after(() => world.close());

/** A home whose accounts' tokens have expired. @param {number} count */
async function homeWithExpired(count) {
  const host = await world.host();
  const accounts = await world.expired(host, count);
  await host.end();
  return { home: host.home, accounts };
}

/** @param {string} account */
const renewalOf = (account) => world.idp.waitForRequest({ endpoint: 'token', grant_type: 'refresh_token', user: account });

/** Whether it waits, by the signals that it takes: 2 is SIGINT. @param {ChildProcess} child */
const catchesInterrupts = ({ pid }) => (parseInt(/SigCgt:.*(.)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? '', 16) & 2) !== 0;

/** A command that has begun. @param {string[]} args @param {string} home */
function begin(args, home) {
  /** @type {ChildProcess | undefined} */
  let started;
  const ended = runCommand(args, { home, onStart: (child) => { started = child; } });
  return { child: /** @type {ChildProcess} */ (/** @type {unknown} */ (started)), ended };
}

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  test(`${signal} while a token is fetched: the answer that is on its way is saved all the same`, async () => {
    const { home, accounts: [account] } = await homeWithExpired(1);
    await world.idp.control({ nextToken: { delayMs: 1000, match: { user: account, grant_type: 'refresh_token' } } });
    const { child, ended } = begin(['token', account], home);
    await renewalOf(account);
    child.kill(signal);
    assert.deepEqual(await ended, { code: CANCELLED, stdout: '', stderr: 'thunderseal: The request was cancelled. Ask again when you need it.\n' });
    const next = await runCommand(['token', account, '--json'], { home });
    assert.deepEqual([next.code, JSON.parse(next.stdout).source], [0, 'cache']);
    assert.equal(world.requestsOf(account).length, 1);
  });
}

test('a second one ends the command at once', async () => {
  const { home, accounts: [account] } = await homeWithExpired(1);
  await world.idp.control({ nextToken: { hang: true, match: { user: account, grant_type: 'refresh_token' } } });
  const { child, ended } = begin(['token', account], home);
  await renewalOf(account);
  child.kill('SIGINT');
  await once(/** @type {import('node:stream').Readable} */ (child.stderr), 'data');
  child.kill('SIGINT');
  assert.equal((await ended).code, null);
  assert.equal(child.signalCode, 'SIGINT');
  await world.idp.control({ releaseHung: true });
});

test('of several accounts the rest is not begun', async () => {
  const { home, accounts } = await homeWithExpired(2);
  const [first] = (await runCommand(['accounts', '--json'], { home }).then(({ stdout }) => JSON.parse(stdout).accounts)).map((/** @type {any} */ { account }) => account);
  const other = accounts.find((account) => account !== first);
  await world.idp.control({ nextToken: { delayMs: 1000, match: { user: first, grant_type: 'refresh_token' } } });
  const { child, ended } = begin(['renew'], home);
  await renewalOf(first);
  child.kill('SIGINT');
  const { code, stderr } = await ended;
  assert.equal(code, CANCELLED);
  assert.match(stderr, /^thunderseal: .*The request was cancelled\. .*\n$/);
  assert.deepEqual([world.requestsOf(first).length, world.requestsOf(other).length], [1, 0]);
});

test('a sign-in that waits for the browser is given up, and says so', async () => {
  const home = await world.home();
  const account = await world.user();
  const { code, stdout, stderr } = await runCommand(['login', account, '--no-browser'], {
    home,
    onStdout: async (text, child) => {
      if (!text.endsWith('\n')) return;
      // The address is told just before it waits.
      while (child.exitCode === null && !catchesInterrupts(child)) await new Promise((resolve) => { setImmediate(resolve); });
      child.kill('SIGINT');
    },
  });
  assert.equal(code, CANCELLED);
  assert.match(stdout, /^https:\/\/\S+\n$/);
  assert.match(stderr, /\nthunderseal: .*cancelled.*\n$/);
  assert.match((await runCommand(['status', account], { home })).stdout, / {2}signed-out\n/);
});
