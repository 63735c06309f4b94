// SPDX-License-Identifier: MPL-2.0
/** What is forgotten is gone: no byte of address or tokens stays below the state folder (DESIGN section 4). */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { nameOf } from '../vault_reader/envelope.mjs';
import { runCommand } from './host.mjs';
import { filesBelow, sealedFiles, sha256, stateFolder, World } from './world.mjs';

const world = await World.open();
after(() => world.close());

/** base64 of a text that stands at any offset: what is the same whatever surrounds it. @param {Buffer} bytes */
const base64Cores = (bytes) => [0, 1, 2].map((lead) => {
  const text = Buffer.concat([Buffer.alloc(lead), bytes]).toString('base64').replaceAll('=', '');
  return text.slice(Math.ceil((lead * 8) / 6), Math.floor(((lead + bytes.length) * 8) / 6) - 1);
});

/** Every form in which a text might stand in a file or its name. @param {string} text @returns {Buffer[]} */
function forms(text) {
  const bytes = Buffer.from(text);
  const utf16 = Buffer.from(text, 'utf16le');
  return [bytes, utf16, Buffer.from(utf16).swap16(), Buffer.from(bytes.toString('hex')), Buffer.from(bytes.toString('hex').toUpperCase()),
    Buffer.from(encodeURIComponent(text)), ...base64Cores(bytes).flatMap((core) => [core, core.replaceAll('+', '-').replaceAll('/', '_')]).map((core) => Buffer.from(core))];
}

/** Fails when a text stands anywhere, in a file or in a name. @param {string} home @param {string[]} texts */
async function assertFree(home, texts) {
  const state = stateFolder(home);
  const names = await readdir(state, { recursive: true });
  for (const { path, bytes } of [...await filesBelow(state), { path: 'the names', bytes: Buffer.from(names.join('\n')) }]) {
    const lower = Buffer.from(bytes.toString('latin1').toLowerCase(), 'latin1');
    for (const text of texts) {
      for (const form of forms(text)) assert.ok(!bytes.includes(form), `${text.slice(0, 40)} stands in ${path}`);
      assert.ok(!lower.includes(Buffer.from(text.toLowerCase())), `${text.slice(0, 40)} stands in ${path}, in other letters`);
    }
  }
}

/** The name of the identity's files: a hash without a key, by which one could find out whom it stands for. @param {string} account */
const nameFor = (account) => nameOf([world.idp.authority, world.idp.clientId, world.idp.tenant, account.toLowerCase()]);

test('the search finds what is there, in every form', async () => {
  const home = await world.home();
  await mkdir(join(stateFolder(home), 'identities'), { recursive: true });
  const file = join(stateFolder(home), 'identities/x');
  for (const form of forms('ada@contoso.test')) {
    await writeFile(file, Buffer.concat([Buffer.from('abc'), form, Buffer.from('d')]));
    await assert.rejects(assertFree(home, ['ada@contoso.test']));
  }
  for (const lead of ['', 'a', 'ab']) {
    await writeFile(file, Buffer.from(`${lead}ada@contoso.test and more`).toString('base64'));
    await assert.rejects(assertFree(home, ['ada@contoso.test']), `after ${lead.length} bytes`);
  }
});

test('forget leaves no byte of address or tokens, whatever had become of the files', async () => {
  const home = await world.home();
  const host = await world.host(home);
  const account = await world.user('vanishing');
  await world.signedIn(host, account);
  const shared = `box-of-${account}`;
  await host.call('account.add', { account: shared, signInAs: account });
  await host.end();
  const identities = join(stateFolder(home), 'identities');
  const sealed = join(identities, `${nameFor(account)}.sealed`);
  const good = await readFile(sealed);
  const bad = Buffer.from(good);
  bad[bad.length - 1] ^= 1;
  await writeFile(sealed, bad);
  await writeFile(`${sealed}.tmp-0123456789abcdef`, good, { mode: 0o600 });
  await (await world.host(home)).end();
  await writeFile(sealed, bad, { mode: 0o600 });
  await writeFile(`${sealed}.prev.tmp-0123456789abcdef`, good, { mode: 0o600 });
  await (await world.host(home)).end();
  assert.deepEqual((await sealedFiles(home)).sort().map((name) => name.slice(32)), ['.sealed.damaged-1', '.sealed.damaged-2', '.sealed.prev']);

  assert.equal((await runCommand(['forget', account], { home })).code, 0);
  await assertFree(home, [account, shared, 'vanishing', nameFor(account), ...world.idp.issued().map(({ value }) => value)]);
  assert.deepEqual(await sealedFiles(home), []);
  const locks = await readdir(join(stateFolder(home), 'locks'));
  assert.deepEqual(locks.filter((name) => !/^0+\.lock$/.test(name)), [], 'but for the lock of the audit log');
});

test('with several hosts at work, and a request on the wire, it is gone when they are', async () => {
  const home = await world.home();
  const [one, two] = [await world.host(home), await world.host(home)];
  const { account, token } = await world.signedIn(one);
  await two.call('token.get', { account });
  await world.idp.control({ nextToken: { delayMs: 800, match: { user: account, grant_type: 'refresh_token' } } });
  one.send({ jsonrpc: '2.0', id: 'late', method: 'token.get', params: { account, rejected: sha256(token) } });
  await world.idp.waitForRequest({ endpoint: 'token', grant_type: 'refresh_token', user: account });
  await two.call('account.remove', { account });
  await one.answer('late');
  await Promise.all([one.end(), two.end()]);
  await assertFree(home, [account, nameFor(account), ...world.idp.issued().map(({ value }) => value)]);
});

test('an address that moved leaves nothing under the old name', async () => {
  const home = await world.home();
  const host = await world.host(home);
  const { account } = await world.signedIn(host);
  const other = await world.user();
  await host.call('account.add', { account, signInAs: other });
  await host.end();
  await assertFree(home, [nameFor(account)]);
  assert.ok((await sealedFiles(home)).includes(`${nameFor(other)}.sealed`));
});
