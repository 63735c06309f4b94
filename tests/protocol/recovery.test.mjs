// SPDX-License-Identifier: MPL-2.0
/** The organisation's recovery key: it opens every sign-in, and writes none (DESIGN section 4, host/vault/FORMAT.md). */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import * as envelopes from '../vault_reader/envelope.mjs';
import * as sodium from '../vault_reader/primitives.mjs';
import { adminProgram } from './admin_program.mjs';
import { runCommand } from './host.mjs';
import { sealedFiles, stateFolder, World } from './world.mjs';

const world = await World.open();
after(() => world.close());

const format = await readFile(new URL('../../host/vault/FORMAT.md', import.meta.url), 'utf8');
/** Made by the commands of FORMAT.md. */
const recovery = await (async () => {
  const commands = format.match(/^ {4}openssl .*$/gm) ?? [];
  const { stdout } = await promisify(execFile)('/bin/sh', ['-ec', commands.join('\n')], { cwd: world.folder });
  return { publicKey: Buffer.from(stdout, 'base64'), secretKey: Buffer.from(await readFile(join(world.folder, 'recovery.key'), 'utf8'), 'base64') };
})();
const { program, set } = await adminProgram();
const policy = { recoveryPublicKey: recovery.publicKey.toString('base64') };
await set(policy);

/** @param {string} home @param {string} [suffix] @returns {Promise<{ path: string, name: string, bytes: Buffer }>} the only identity */
async function sealed(home, suffix = '.sealed') {
  const file = (await sealedFiles(home)).find((name) => name.endsWith(suffix));
  const path = join(stateFolder(home), 'identities', String(file));
  return { path, name: String(file).slice(0, 32), bytes: await readFile(path) };
}

/** @param {string} home */
const deviceKeyOf = async (home) => envelopes.deviceKey(envelopes.readKeyFile(await readFile(join(stateFolder(home), 'key'))));

/** @param {Buffer} payload @param {string} account */
const isGrantOf = (payload, account) => {
  const { refreshToken } = JSON.parse(payload.toString());
  return world.idp.issued().some(({ value, kind, user }) => kind === 'refresh_token' && value === refreshToken && (user === undefined || user === account));
};

test('with a recovery key every sign-in opens with its secret key, and with the device key', async () => {
  const host = await world.host(undefined, { program });
  const { account } = await world.signedIn(host);
  const { bytes, name } = await sealed(host.home);
  const opened = envelopes.openForRecovery(bytes, recovery.secretKey);
  assert.deepEqual(opened.header.addresses, [account]);
  assert.ok(isGrantOf(opened.payload, account));
  assert.deepEqual(envelopes.open(bytes, name, await deviceKeyOf(host.home)).payload, opened.payload);
  assert.throws(() => envelopes.openForRecovery(bytes, sodium.random(32)), /other keys/);
});

test('the recipe of FORMAT.md opens it with nothing but Python and libsodium', async () => {
  const host = await world.host(undefined, { program });
  const { account } = await world.signedIn(host);
  const { path } = await sealed(host.home);
  const recipe = /```python\n(.*?)```/s.exec(format)?.[1] ?? '';
  assert.ok(recipe.length > 200, 'FORMAT.md has the recipe');
  await writeFile(join(host.home, 'open_sealed.py'), recipe);
  const { stdout } = await promisify(execFile)('/usr/bin/python3', [join(host.home, 'open_sealed.py'), join(world.folder, 'recovery.key'), path]);
  assert.ok(isGrantOf(Buffer.from(stdout), account));
});

test('what it opens can be brought to another computer as a backup', async () => {
  const host = await world.host(undefined, { program });
  const { account } = await world.signedIn(host);
  await host.end();
  const { path } = await sealed(host.home);
  const [keyFile, file] = [join(world.folder, 'recovery.key'), join(host.home, 'new.backup')];
  const tool = new URL('../vault_reader/to_backup.mjs', import.meta.url).pathname;
  const child = promisify(execFile)(process.execPath, [tool, keyFile, file, path]);
  child.child.stdin?.end('for the new computer\n');
  await child;
  const home = await world.home();
  const { code, stdout, stderr } = await runCommand(['restore', file, '--passphrase-fd', '0'], { home, input: 'for the new computer' });
  assert.equal(code, 0, stderr);
  assert.match(stdout, new RegExp(`${account}  is back`));
  assert.equal((await runCommand(['token', account], { home })).code, 0);
});

test('a sign-in from before is sealed to the recovery key at the next start, and no longer once it is withdrawn; so is the copy before it', async () => {
  const home = await world.home();
  const before = await world.host(home);
  const { account, token } = await world.signedIn(before);
  await before.call('account.add', { account: `shared-${account}`, signInAs: account });
  await before.end();
  const both = async () => Promise.all(['.sealed', '.prev'].map((suffix) => sealed(home, suffix)));
  const key = await deviceKeyOf(home);
  const files = await both();
  assert.deepEqual(files.map(({ bytes }) => envelopes.parse(bytes).recipients.length), [1, 1]);
  const host = await world.host(home, { program });
  const anew = await both();
  anew.forEach(({ bytes, name }, i) => {
    const opened = envelopes.openForRecovery(bytes, recovery.secretKey);
    assert.ok(isGrantOf(opened.payload, account));
    assert.deepEqual(opened.payload, envelopes.open(files[i].bytes, name, key).payload);
    const [parsed, old] = [envelopes.parse(bytes), envelopes.parse(files[i].bytes)];
    assert.deepEqual([parsed.generation, parsed.header], [old.generation, old.header], 'nothing else has changed');
  });
  assert.equal((await host.call('token.get', { account })).accessToken, token);
  await host.end();
  await (await world.host(home, { program })).end();
  assert.deepEqual(await both(), anew, 'once is enough');
  const without = await world.host(home);
  for (const { bytes, name } of await both()) {
    assert.equal(envelopes.parse(bytes).recipients.length, 1);
    assert.throws(() => envelopes.openForRecovery(bytes, recovery.secretKey), /other keys/);
    assert.ok(isGrantOf(envelopes.open(bytes, name, key).payload, account));
  }
  assert.equal((await without.call('token.get', { account })).accessToken, token);
});

test('a copy that serves because the current one is damaged follows a change of the recovery key, too', async () => {
  const host = await world.host(undefined, { program });
  const { account } = await world.signedIn(host);
  await host.call('account.add', { account: `shared-${account}`, signInAs: account });
  await host.end();
  const { path } = await sealed(host.home);
  await writeFile(path, 'broken');
  const without = await world.host(host.home);
  assert.equal(envelopes.parse((await sealed(host.home, '.prev')).bytes).recipients.length, 1);
  assert.ok((await without.call('token.get', { account })).accessToken);
});

test('a broken administrator\'s file withdraws nothing', async () => {
  const host = await world.host(undefined, { program });
  await world.signedIn(host);
  await host.end();
  const { bytes } = await sealed(host.home);
  await set('{');
  try {
    await (await world.host(host.home, { program })).end();
    assert.deepEqual((await sealed(host.home)).bytes, bytes);
  } finally {
    await set(policy);
  }
});

test('whoever has the recovery key can open, but not write: every forgery is set aside and the good copy used', async () => {
  const host = await world.host(undefined, { program });
  const { account } = await world.signedIn(host);
  await host.call('account.add', { account: `shared-${account}`, signInAs: account });
  const { account: other } = await world.signedIn(host);
  await host.end();
  const files = (await sealedFiles(host.home)).filter((file) => file.endsWith('.sealed'));
  const [mine, theirs] = await Promise.all([account, other].map(async (who) => {
    const found = (await Promise.all(files.map(async (file) => ({ file, bytes: await readFile(join(stateFolder(host.home), 'identities', file)) }))))
      .find(({ bytes }) => JSON.parse(envelopes.parse(bytes).header.toString()).addresses.includes(who));
    return { path: join(stateFolder(host.home), 'identities', String(found?.file)), bytes: found?.bytes ?? Buffer.alloc(0) };
  }));
  const parts = envelopes.parse(mine.bytes);
  const { dataKey, payload } = envelopes.openForRecovery(mine.bytes, recovery.secretKey);
  const forged = JSON.parse(payload.toString());
  forged.refreshToken = 'attacker';
  const name = mine.path.slice(-39, -7);
  const attacker = envelopes.deviceKey(sodium.random(32));
  const device = envelopes.parse(mine.bytes).recipients[0];
  /** Everything that the holder can compute, under a MAC that is not theirs to make. @param {Buffer} front */
  const resealed = (front) => Buffer.concat([front, parts.nonce, sodium.encrypt(Buffer.from(JSON.stringify(forged)), front, parts.nonce, dataKey)]);
  const attempts = {
    'another payload under the old MAC': Buffer.concat([resealed(parts.front), parts.mac]),
    'another payload without a MAC': Buffer.concat([resealed(parts.front), Buffer.alloc(32)]),
    'an envelope of their own, with our box': (() => {
      const own = envelopes.seal({ name, generation: 99, header: parts.header.toString(), payload: JSON.stringify(forged), others: [recovery.publicKey] }, attacker, { dataKey });
      const at = envelopes.parse(own).front.length - 2 * 88;
      own.set(device.keyId, at);
      own.set(device.box, at + 8);
      return own;
    })(),
    'another identity\'s file': theirs.bytes,
  };
  for (const [what, bytes] of Object.entries(attempts)) {
    await writeFile(mine.path, bytes);
    const next = await world.host(host.home, { program });
    const state = (await next.call('account.list')).accounts.find((/** @type {any} */ each) => each.account === account);
    assert.equal(state.state, 'ready', `${what}: the copy before it serves`);
    assert.ok(next.welcome.warnings.some((/** @type {any} */ { kind, remedy }) => kind === 'vault-damaged' && remedy), what);
    assert.ok(!JSON.stringify(next.messages).includes('attacker'));
    assert.ok((await next.call('token.get', { account })).accessToken);
    // A write, so that there is a file and a copy before it again.
    await next.call('account.add', { account: `a${Object.keys(attempts).indexOf(what)}-${account}`, signInAs: account });
    await next.call('account.add', { account: `b${Object.keys(attempts).indexOf(what)}-${account}`, signInAs: account });
    await next.end();
  }
  const aside = (await sealedFiles(host.home)).filter((file) => file.includes('.damaged-'));
  assert.equal(aside.length, Object.keys(attempts).length, 'nothing is deleted');
});
