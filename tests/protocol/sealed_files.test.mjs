// SPDX-License-Identifier: MPL-2.0
/** Sealed files and a second program (host/vault/FORMAT.md): each opens what the other made, and damage is found. */
import assert from 'node:assert/strict';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import * as envelopes from '../vault_reader/envelope.mjs';
import * as sodium from '../vault_reader/primitives.mjs';
import { runCommand } from './host.mjs';
import { sealedFiles, stateFolder, World } from './world.mjs';

const world = await World.open();
after(() => world.close());

/** @param {string} home */
const identities = (home) => join(stateFolder(home), 'identities');

/** @param {string} home */
const deviceKeyOf = async (home) => envelopes.deviceKey(envelopes.readKeyFile(await readFile(join(stateFolder(home), 'key'))));

/** @param {string} account */
const nameFor = (account) => envelopes.nameOf([world.idp.authority, world.idp.clientId, world.idp.tenant, account]);

/** A home with a user who signed in once and whose file was written twice; no host runs. */
async function saved() {
  const host = await world.host();
  const { account, token } = await world.signedIn(host);
  await host.call('account.add', { account: `shared-${account}`, signInAs: account });
  await host.end();
  const name = nameFor(account);
  const file = join(identities(host.home), `${name}.sealed`);
  return { home: host.home, account, token, name, file, bytes: await readFile(file) };
}

test('the second program opens what the first wrote, with the file of the key', async () => {
  const { home, account, name, bytes, token } = await saved();
  const { header, payload, generation } = envelopes.open(bytes, name, await deviceKeyOf(home));
  assert.deepEqual([header.addresses, header.signInAs, header.authority, header.tenant, header.clientId],
    [[account, `shared-${account}`], account, world.idp.authority, world.idp.tenant, world.idp.clientId]);
  assert.ok(generation >= 2n);
  const grant = JSON.parse(payload.toString());
  assert.equal(grant.access[0].accessToken, token);
  assert.ok(world.idp.issued().some(({ value, kind }) => kind === 'refresh_token' && value === grant.refreshToken));
  const record = JSON.parse(await readFile(join(stateFolder(home), 'vault.json'), 'utf8'));
  assert.equal(record.keyId, (await deviceKeyOf(home)).keyId.toString('hex'));
});

test('the first program takes a vault that the second made: key, sign-in and all', async () => {
  const { home, account, name, bytes } = await saved();
  const { header, payload } = envelopes.open(bytes, name, await deviceKeyOf(home));
  const secret = sodium.random(32);
  const elsewhere = await world.home();
  await mkdir(identities(elsewhere), { recursive: true, mode: 0o700 });
  for (const [file, content] of /** @type {[string, Buffer][]} */ ([['key', Buffer.concat([Buffer.from('TSKEY\x01', 'latin1'), secret])],
    [`identities/${name}.sealed`, envelopes.seal({ name, generation: 5, header: JSON.stringify(header), payload: JSON.stringify({ ...JSON.parse(payload.toString()), access: [] }) }, envelopes.deviceKey(secret))]])) {
    await writeFile(join(stateFolder(elsewhere), file), content, { mode: 0o600 });
  }
  const host = await world.host(elsewhere);
  assert.equal((await host.call('account.list')).accounts[0].state, 'ready');
  assert.equal((await host.call('token.get', { account })).source, 'renewed');
  await host.end();
  const written = envelopes.open(await readFile(join(identities(elsewhere), `${name}.sealed`)), name, envelopes.deviceKey(secret));
  assert.equal(written.generation, 6n, 'the first program counts on from there');
});

test('damage is found: set aside, told, and the copy before it used', async () => {
  const { home, account, token, bytes, file } = await saved();
  const headerAt = 18;
  const boxAt = headerAt + bytes.readUInt32BE(14) + 1;
  /** @type {[string, (bytes: Buffer) => Buffer][]} */
  const damages = [
    ['the magic', (copy) => { copy[0] ^= 1; return copy; }], ['the version', (copy) => { copy[5] = 2; return copy; }], ['the generation', (copy) => { copy[13] ^= 0x80; return copy; }],
    ['the header\'s length', (copy) => { copy[17] ^= 1; return copy; }], ['an address', (copy) => { copy[copy.indexOf(account)] ^= 1; return copy; }],
    ['the number of recipients', (copy) => { copy[boxAt - 1] = 9; return copy; }], ['a sealed box', (copy) => { copy[boxAt + 20] ^= 4; return copy; }],
    ['the payload', (copy) => { copy[copy.length - 60] ^= 0x20; return copy; }], ['the MAC', (copy) => { copy[copy.length - 1] ^= 1; return copy; }],
    ['half of it', (copy) => copy.subarray(0, copy.length / 2)], ['all of it', () => Buffer.alloc(0)], ['more behind it', (copy) => Buffer.concat([copy, Buffer.alloc(4)])],
  ];
  let aside = 0;
  for (const [what, damage] of damages) {
    await writeFile(file, damage(Buffer.from(bytes)));
    const host = await world.host(home);
    const warning = host.welcome.warnings.find((/** @type {any} */ { kind }) => kind === 'vault-damaged');
    assert.ok(warning?.cause && warning.remedy, what);
    assert.equal((await host.call('token.get', { account })).accessToken, token, `${what}: the copy before it serves`);
    aside += 1;
    assert.equal((await sealedFiles(home)).filter((name) => name.includes('.damaged-')).length, aside, 'nothing is deleted');
    await host.end();
  }
});

test('damage without a good copy keeps the account, in attention, until it signs in again', async () => {
  const { home, account, bytes, file } = await saved();
  const bad = Buffer.from(bytes);
  bad[bad.length - 1] ^= 1;
  await writeFile(file, bad);
  await writeFile(`${file}.prev`, bad);
  const host = await world.host(home);
  const [listed] = (await host.call('account.list')).accounts.filter((/** @type {any} */ each) => each.account === account);
  assert.deepEqual([listed.state, listed.problem.kind], ['attention', 'vault-damaged']);
  assert.ok(listed.problem.remedy);
  assert.equal((await host.refused('token.get', { account })).kind, 'vault-damaged');
  assert.equal((await runCommand(['token', account], { home })).code, 65);
  assert.equal((await world.signIn(host, account)).ok, true);
  assert.ok((await host.call('token.get', { account })).accessToken);
});

test('two identities cannot be swapped, and the public key is not enough to write', async () => {
  /** The copy before may be that of before the sign-in. @param {any} outcome */
  const isRefused = ({ kind }) => ['vault-damaged', 'sign-in-required'].includes(kind);
  const host = await world.host();
  const one = await world.signedIn(host);
  const two = await world.signedIn(host);
  await host.end();
  const [first, second] = [one, two].map(({ account }) => join(identities(host.home), `${nameFor(account)}.sealed`));
  const { publicKey, keyId } = await deviceKeyOf(host.home);
  await rename(first, `${first}.x`);
  await rename(second, first);
  await rename(`${first}.x`, second);
  const swapped = await world.host(host.home);
  for (const { account } of [one, two]) {
    const outcome = await swapped.call('token.get', { account }).catch((error) => error);
    assert.ok(isRefused(outcome) || [one, two].find((each) => each.account === account)?.token === outcome.accessToken, `never the other's token: ${outcome.kind}`);
  }
  await swapped.end();
  const forger = envelopes.deviceKey(sodium.random(32));
  const dataKey = sodium.random(32);
  const name = nameFor(one.account);
  const header = { version: 1, addresses: [one.account], signInAs: one.account, authority: world.idp.authority, tenant: world.idp.tenant, clientId: world.idp.clientId, obtainedAt: 1, lastUsedAt: 1 };
  const forged = envelopes.seal({ name, generation: 99, header: JSON.stringify(header), payload: '{"refreshToken":"attacker"}', others: [publicKey] }, forger, { dataKey });
  forged.set(keyId, envelopes.parse(forged).front.length - 2 * 88);
  await writeFile(first, forged);
  const next = await world.host(host.home);
  const outcome = await next.call('token.get', { account: one.account }).catch((error) => error);
  assert.ok(isRefused(outcome) || outcome.accessToken === one.token);
  assert.ok(!world.idp.requests().some((request) => JSON.stringify(request).includes('attacker')), 'nothing forged is ever sent');
});
