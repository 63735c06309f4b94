// SPDX-License-Identifier: MPL-2.0
/** The keyring asks for its password, and the user closes that window (DESIGN section 4): told once, in plain words, and nothing asks again. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, beforeEach, test } from 'node:test';
import { PROGRAM, runCommand, soon } from './host.mjs';
import { Keyring, Prompter } from './keyring.mjs';
import { filesBelow, stateFolder, World } from './world.mjs';

const world = await World.open();
const keyring = await Keyring.open(join(world.folder, 'keyring'));
after(async () => {
  await keyring.close();
  await world.close();
});

const start = { env: keyring.env };
const NOT_UNLOCKED = /keyring .*was not unlocked/;

/** @param {string} home */
const record = async (home) => JSON.parse(await readFile(join(stateFolder(home), 'vault.json'), 'utf8'));

/** A home whose key is in the keyring, with a signed-in account. */
const one = await (async () => {
  const home = await world.home();
  const host = await world.host(home, start);
  const { account, token } = await world.signedIn(host);
  await host.end();
  assert.equal((await record(home)).keystore, 'secret-service');
  return { home, account, token };
})();

async function copy() {
  const home = await world.home();
  await cp(stateFolder(one.home), stateFolder(home), { recursive: true });
  return home;
}

/** @type {Prompter} */
let prompter;
beforeEach(async () => {
  await keyring.unlock();
  await keyring.lock();
  prompter = new Prompter(keyring);
  await prompter.ready;
});
afterEach(() => prompter.close());

/** @param {any} data of an error */
function assertTold(data) {
  assert.equal(data.kind, 'vault-locked');
  assert.match(data.cause, NOT_UNLOCKED);
  assert.match(data.remedy, /Unlock your keyring/);
  assert.equal(data.retryable, true);
}

test('a window that is closed is told, is not opened again but by the user, and a later unlock is enough', async () => {
  const host = await world.host(await copy(), start);
  const waiting = host.refused('token.get', { account: one.account });
  await prompter.question(1);
  assert.ok((await host.call('account.list')).accounts.length, 'while it is open, everything else goes on');
  await prompter.dismiss(1);
  assertTold((await waiting).data);
  const unlocking = host.refused('vault.unlock');
  await prompter.dismiss(2);
  assertTold((await unlocking).data);
  // Each of these has the keyring asked again, silently; so does time.
  for (let turn = 0; turn < 3; turn += 1) {
    const { kind, data } = await host.refused('token.get', { account: one.account });
    assert.equal(kind, 'vault-locked');
    assert.match(data.remedy, /Unlock your keyring/);
  }
  assert.equal(prompter.asked, 2);
  const back = host.told('account.changed', (told) => told.account.account === one.account && told.account.state === 'ready');
  await keyring.unlock();
  await back;
  assert.equal((await host.call('token.get', { account: one.account })).accessToken, one.token);
  assert.equal(prompter.asked, 2);
});

/** At a terminal; what stands on it. @param {string[]} args @param {string} home */
async function atTerminal(args, home) {
  const child = spawn('script', ['-qec', `${PROGRAM} ${args.join(' ')}`, '/dev/null'], {
    env: { PATH: process.env.PATH, HOME: home, ...keyring.env }, stdio: ['ignore', 'pipe', 'inherit'],
  });
  let screen = '';
  child.stdout.setEncoding('utf8').on('data', (text) => { screen += text; });
  const [code] = await soon(once(child, 'close'), args.join(' '));
  return { code, screen };
}

test('a command at a terminal asks once and says what came of it; another one asks only to sign in', async () => {
  const home = await copy();
  const file = join(home, 'x');
  const commands = [['token', one.account], ['login', one.account, '--no-browser'], ['key', 'rotate'], ['backup', file, '--recipient', Buffer.alloc(32, 9).toString('base64')]];
  for (const args of commands) {
    const before = prompter.asked;
    const running = atTerminal(args, home);
    await prompter.dismiss();
    const { code, screen } = await running;
    assert.equal(code, 75, `${args.join(' ')}: ${screen}`);
    assert.match(screen, /^thunderseal: The keyring [^.]*was not unlocked\. Unlock your keyring;[^.]*\.\r\n$/, args.join(' '));
    assert.equal(prompter.asked - before, 1, args.join(' '));
  }
  assert.deepEqual((await runCommand(['token', one.account], { home, ...start })).code, 75);
  assert.equal(prompter.asked, commands.length, 'a timer has nobody to ask');
  const signingIn = runCommand(['login', one.account, '--no-browser'], { home, ...start });
  await prompter.dismiss();
  const { code, stdout, stderr } = await signingIn;
  assert.deepEqual([code, stdout], [75, ''], stderr);
  assert.match(stderr, NOT_UNLOCKED);
  assert.equal(prompter.asked, commands.length + 1);
  assert.deepEqual(await record(home), await record(one.home));
  assert.deepEqual((await readdir(home)).filter((name) => !name.startsWith('.')), []);
});

test('no vault yet: what the configuration wants in the keyring is refused; with auto it is a file, and says why', async () => {
  const home = await world.home({ keystore: 'secret-service' });
  const host = await world.host(home, start);
  const account = await world.user();
  for (const number of [1, 2]) {
    const starting = host.refused('signIn.start', { account });
    await prompter.dismiss(number);
    assertTold((await starting).data);
    assert.equal(prompter.asked, number, 'once for each time that the user says so');
  }
  assert.deepEqual((await filesBelow(stateFolder(home))).map(({ path }) => path), []);
  await keyring.unlock();
  await host.call('signIn.start', { account });
  assert.equal((await record(home)).keystore, 'secret-service');

  await keyring.lock();
  const auto = await world.home();
  const second = await world.host(auto, start);
  const starting = second.call('signIn.start', { account });
  await prompter.dismiss(3);
  await starting;
  assert.deepEqual([(await record(auto)).keystore, (await record(auto)).reason], ['file', 'keyring-locked']);
  assert.equal(prompter.asked, 3);
});

test('a move into a keyring that stays locked changes nothing', async () => {
  const home = await world.home({ keystore: 'file' });
  const host = await world.host(home, start);
  const { account, token } = await world.signedIn(host);
  const before = await record(home);
  const moving = runCommand(['key', 'move', '--to', 'secret-service'], { home, ...start });
  await prompter.dismiss();
  const { code, stderr } = await moving;
  assert.equal(code, 75, stderr);
  assert.match(stderr, NOT_UNLOCKED);
  assert.deepEqual(await record(home), before);
  assert.equal(prompter.asked, 1);
  assert.equal((await runCommand(['token', account], { home })).stdout, `${token}\n`);
});

test('a keyring that is to be made first, by a password that nobody gives', async () => {
  const fresh = await Keyring.open(join(world.folder, 'fresh'), { locked: true });
  const asking = new Prompter(fresh);
  try {
    await asking.ready;
    const host = await world.host(await world.home({ keystore: 'secret-service' }), { env: fresh.env });
    const starting = host.refused('signIn.start', { account: await world.user() });
    await asking.dismiss();
    assertTold((await starting).data);
    assert.equal(asking.asked, 1);
    await host.end();
  } finally {
    await asking.close();
    await fresh.close();
  }
});
