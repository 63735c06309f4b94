// SPDX-License-Identifier: MPL-2.0
/** The device key under a passphrase (DESIGN section 4): chosen, asked for, wrong, changed; and nowhere to be read. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { PROGRAM, runCommand, soon } from './host.mjs';
import { filesBelow, stateFolder, World } from './world.mjs';

const world = await World.open();
after(() => world.close());

const PASSPHRASE = 'correct horse bätterie staple';
const OTHER = 'another one of the kind';

/** @param {string} home */
const record = async (home) => JSON.parse(await readFile(join(stateFolder(home), 'vault.json'), 'utf8'));

/** Runs a command with passphrases on a descriptor of their own. @param {string} home @param {string[]} args @param {string[]} lines */
async function withDescriptor(home, args, lines) {
  const child = spawn(PROGRAM, [...args, '--passphrase-fd', '3'], {
    env: { PATH: process.env.PATH, HOME: home, LANG: 'C.UTF-8' }, stdio: ['ignore', 'pipe', 'pipe', 'pipe'], cwd: '/',
  });
  const output = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text) => { output.stdout += text; });
  child.stderr?.setEncoding('utf8').on('data', (text) => { output.stderr += text; });
  const pipe = /** @type {import('node:stream').Writable} */ (child.stdio[3]);
  pipe.on('error', () => {});
  pipe.end(lines.map((line) => `${line}\n`).join(''));
  const [code] = await soon(once(child, 'close'), args.join(' '), 30_000);
  return { code, ...output };
}

/** Runs a command in a terminal, where somebody types. @param {string} home @param {string} command @param {string[]} lines */
async function onTerminal(home, command, lines) {
  const child = spawn('script', ['-qec', `${PROGRAM} ${command}`, '/dev/null'], {
    env: { PATH: process.env.PATH, HOME: home, LANG: 'C.UTF-8', SHELL: '/bin/sh' }, stdio: ['pipe', 'pipe', 'inherit'], cwd: '/',
  });
  let screen = '';
  let prompts = 0;
  child.stdout.setEncoding('utf8').on('data', (text) => {
    screen += text;
    const seen = screen.match(/passphrase[^\n]*: |again: /gi)?.length ?? 0;
    while (prompts < seen && prompts < lines.length) {
      child.stdin.write(`${lines[prompts]}\n`);
      prompts += 1;
    }
  });
  const [code] = await soon(once(child, 'close'), command, 30_000);
  return { code, screen };
}

/** A home whose key was put under the passphrase by the add-on's way, with a signed-in account. */
async function signedIn() {
  const home = await world.home({ keystore: 'passphrase' });
  const host = await world.host(home);
  const account = await world.user();
  const refusal = await host.refused('signIn.start', { account });
  assert.equal(refusal.kind, 'vault-locked');
  assert.match(refusal.data.cause, /none has been chosen/);
  const locked = await host.refused('vault.unlock');
  assert.equal(locked.data.field, 'passphrase');
  assert.equal(locked.data.texts.cause.id, 't9ef3786a', 'by which the add-on has one chosen');
  assert.deepEqual(await filesBelow(stateFolder(home)), [], 'nothing is made without it');
  await host.call('vault.unlock', { passphrase: PASSPHRASE });
  const { token } = await world.signedIn(host, account);
  await host.end();
  return { home, account, token };
}

const one = await signedIn();

test('the vault says which store it has, and what that protects against', async () => {
  assert.deepEqual([(await record(one.home)).keystore, (await record(one.home)).reason], ['passphrase', 'configured']);
  const status = await runCommand(['status', '--json'], { home: one.home });
  const { keystore, accounts } = JSON.parse(status.stdout);
  assert.equal(keystore.name, 'passphrase');
  assert.match(keystore.protection, /without it, nobody can read/);
  assert.equal(accounts[0].state, 'locked', 'listed from the clear header, without a question');
});

test('locked until vault.unlock: listed at once, refused with a next step, then ready by itself', async () => {
  const host = await world.host(one.home);
  assert.equal(host.welcome.accounts[0].state, 'locked');
  const refusal = await host.refused('token.get', { account: one.account });
  assert.deepEqual([refusal.kind, refusal.data.retryable], ['vault-locked', true]);
  assert.match(refusal.data.cause, /under a passphrase/);
  const wrong = await host.refused('vault.unlock', { passphrase: 'wrong' });
  assert.equal(wrong.kind, 'vault-locked');
  assert.match(wrong.data.cause, /passphrase is wrong/);
  assert.equal(wrong.data.field, 'passphrase');
  const without = await host.refused('vault.unlock', {});
  assert.deepEqual([without.kind, without.data.field], ['vault-locked', 'passphrase'], 'a client learns that one is needed');
  for (const passphrase of ['', 'x'.repeat(1025), 1]) assert.equal((await host.refused('vault.unlock', { passphrase })).kind, 'invalid-params');
  assert.equal((await host.refused('vault.unlock', { pass: 'x' })).kind, 'invalid-params');
  // While Argon2id works, the loop goes on, and a token asked for meanwhile waits for the key.
  const unlocked = host.call('vault.unlock', { passphrase: PASSPHRASE });
  const began = performance.now();
  const token = host.call('token.get', { account: one.account }).catch((refused) => refused);
  await host.call('account.list');
  assert.equal(host.messages.some(({ result }) => result && !Object.keys(result).length), false, 'the key is still on its way');
  await unlocked;
  await host.told('account.changed', (told) => told.account.account === one.account && told.account.state === 'ready');
  // It is answered within 8 s, and Argon2id takes longer on a busy computer; nobody is then told of the wrong passphrase of before.
  const waited = await token;
  if (performance.now() - began < 4_000) assert.equal(waited.accessToken, one.token);
  else assert.ok(waited.accessToken === one.token || /under a passphrase/.test(waited.data.cause), String(waited));
  await host.end();
  assert.ok(!(await readdir(join(stateFolder(one.home), 'identities'))).some((name) => name.includes('damaged')));
});

test('--passphrase-fd: the right one, a wrong one, none', async () => {
  const { code, stdout, stderr } = await withDescriptor(one.home, ['token', one.account], [PASSPHRASE]);
  assert.deepEqual([code, stdout], [0, `${one.token}\n`], stderr);
  const wrong = await withDescriptor(one.home, ['accounts'], ['wrong']);
  assert.deepEqual([wrong.code, wrong.stdout], [75, '']);
  assert.match(wrong.stderr, /passphrase is wrong/);
  const longer = await withDescriptor(one.home, ['token', one.account], [`${PASSPHRASE}\0and more`]);
  assert.deepEqual([longer.code, longer.stdout], [75, ''], 'it is not cut at a NUL');
  assert.match(longer.stderr, /one line of 1 to 1,024 bytes/);
  assert.equal((await withDescriptor(one.home, ['token', one.account], [`${PASSPHRASE}\r`])).code, 0, 'a line may end as it does elsewhere');
  const none = await runCommand(['token', one.account], { home: one.home });
  assert.deepEqual([none.code, none.stdout], [75, '']);
  assert.match(none.stderr, /--passphrase-fd/);
  for (const bad of ['x', '-1', '99', '']) assert.equal((await runCommand(['accounts', '--passphrase-fd', bad], { home: one.home })).code, 64, bad);
});

test('another passphrase, chosen on the terminal without echo, seals nothing anew; a rotation does', async () => {
  const home = await world.home();
  await cp(stateFolder(one.home), stateFolder(home), { recursive: true });
  const sealed = async () => (await filesBelow(join(stateFolder(home), 'identities'))).map(({ bytes }) => bytes.toString('base64'));
  const before = await sealed();
  const { keyId } = await record(home);
  const { code, screen } = await onTerminal(home, 'key move --to passphrase', ['wrong', PASSPHRASE, OTHER, 'not the same', OTHER, OTHER]);
  assert.equal(code, 0, screen);
  assert.match(screen, /passphrase is wrong/);
  assert.match(screen, /two are not the same/);
  for (const typed of ['wrong\r', PASSPHRASE, OTHER, 'not the same\r']) assert.ok(!screen.includes(typed), 'nothing typed is shown');
  assert.deepEqual([await sealed(), (await record(home)).keyId], [before, keyId]);
  assert.equal((await withDescriptor(home, ['token', one.account], [PASSPHRASE])).code, 75);
  // Rotated, it is another key, under the same passphrase.
  const rotated = await withDescriptor(home, ['key', 'rotate', '--json'], [OTHER]);
  assert.equal(rotated.code, 0, rotated.stderr);
  assert.notEqual((await record(home)).keyId, keyId);
  assert.equal(JSON.parse(rotated.stdout).keyId, (await record(home)).keyId);
  assert.ok((await sealed()).every((each) => !before.includes(each)));
  assert.equal((await withDescriptor(home, ['token', one.account], [OTHER])).stdout, `${one.token}\n`);
});

test('neither passphrase nor key stands in arguments, environments or files', async () => {
  const host = await world.host(one.home);
  const unlocked = host.call('vault.unlock', { passphrase: PASSPHRASE });
  let seen = 0;
  for (let turn = 0; turn < 20; turn += 1) {
     
    for (const pid of [host.pid, ...(await readFile(`/proc/${host.pid}/task/${host.pid}/children`, 'utf8')).split(' ').filter(Boolean)]) {
      for (const name of ['cmdline', 'environ']) {
         
        const text = await readFile(`/proc/${pid}/${name}`).catch(() => Buffer.alloc(0));
        if (text.length) assert.ok(!text.includes(PASSPHRASE), `${name} of ${pid}`);
        if (text.includes('--key-child')) seen += 1;
      }
    }
  }
  await unlocked;
  assert.ok(seen > 0, 'the child was looked at');
  assert.equal(host.stderr, '');
  for (const message of host.messages) assert.ok(!JSON.stringify(message).includes(PASSPHRASE));
  for (const { path, bytes } of await filesBelow(one.home)) assert.ok(!bytes.includes(PASSPHRASE), path);
});

test('a key file that was cut short or whose cost was raised is refused at once, and nothing is renamed', async () => {
  const file = join(stateFolder(one.home), 'key');
  const good = await readFile(file);
  const greedy = Buffer.from(good);
  greedy.writeUInt32BE(0xffffffff, 18);
  for (const bad of [good.subarray(0, -1), greedy]) {
     
    await writeFile(file, bad);
     
    const { code, stderr } = await withDescriptor(one.home, ['token', one.account], [PASSPHRASE]);
    assert.equal(code, 75);
    assert.match(stderr, /damaged/);
  }
  const swapped = Buffer.from(good);
  swapped[60] ^= 1;
  await writeFile(file, swapped);
  assert.match((await withDescriptor(one.home, ['token', one.account], [PASSPHRASE])).stderr, /wrong, or the key file was changed/);
  await writeFile(file, good);
});

test('a child that is killed leaves the vault locked, and the next try opens it', async () => {
  const host = await world.host(one.home);
  const refused = host.refused('vault.unlock', { passphrase: PASSPHRASE });
  for (let turn = 0; turn < 200; turn += 1) {
     
    const [child] = (await readFile(`/proc/${host.pid}/task/${host.pid}/children`, 'utf8')).split(' ').filter(Boolean);
    if (child) {
      process.kill(Number(child), 'SIGKILL');
      break;
    }
  }
  const refusal = await refused;
  assert.equal(refusal.kind, 'vault-locked');
  assert.match(refusal.data.cause, /did not finish/);
  await host.call('vault.unlock', { passphrase: PASSPHRASE });
  assert.equal((await host.call('token.get', { account: one.account })).accessToken, one.token);
});

test('a host that ends takes its child with it', async () => {
  const host = await world.host(one.home);
  host.send({ jsonrpc: '2.0', id: 'u', method: 'vault.unlock', params: { passphrase: PASSPHRASE } });
  let child = '';
  while (!child) {
     
    [child] = (await readFile(`/proc/${host.pid}/task/${host.pid}/children`, 'utf8')).split(' ').filter(Boolean);
  }
  await host.kill();
  for (let turn = 0; turn < 100; turn += 1) {
     
    const status = await readFile(`/proc/${child}/stat`, 'utf8').catch(() => '');
    if (!status || / Z /.test(status)) break;
    assert.ok(turn < 99, 'the child lives on');
     
    await new Promise((done) => { setTimeout(done, 10); });
  }
});
