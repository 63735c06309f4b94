// SPDX-License-Identifier: MPL-2.0
/** FORMAT.md's test vectors, by a program that was written from its text (host/vault/FORMAT.md). */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import * as backups from './backup.mjs';
import * as envelopes from './envelope.mjs';

const format = await readFile(new URL('../../host/vault/FORMAT.md', import.meta.url), 'utf8');

/** One of FORMAT.md's vectors: its table, and its bytes. @param {string} title */
function vector(title) {
  const section = format.split(/^## /m).find((text) => text.startsWith(`Test vector: ${title}\n`)) ?? '';
  const table = Object.fromEntries([...section.matchAll(/^\| ([^|]+) \| `?(.*?)`? \|$/gm)].map(([, name, value]) => [name.trim(), value]));
  const bytes = Buffer.from(/```\n([0-9a-f\n]+)```/.exec(section)?.[1].replaceAll('\n', '') ?? '', 'hex');
  assert.ok(bytes.length > 100, title);
  return { section, bytes, text: (/** @type {string} */ name) => table[name] ?? assert.fail(`no ${name}`), hex: (/** @type {string} */ name) => Buffer.from(table[name] ?? assert.fail(`no ${name}`), 'hex') };
}

const { bytes, hex, text, section } = vector('envelope');
const key = envelopes.deviceKey(hex('device secret'));

test('the keys of the vector follow from its device secret', () => {
  assert.deepEqual([key.secretKey, key.publicKey, key.keyId, key.macKey], ['X25519 secret key', 'public key', 'key id', 'MAC key'].map(hex));
});

test('the envelope of the vector is opened', () => {
  const { generation, header, payload, dataKey } = envelopes.open(bytes, text('NAME'), key);
  assert.deepEqual([generation, header, payload.toString(), dataKey], [7n, JSON.parse(text('header')), text('payload'), hex('data key')]);
  assert.ok(section.includes(`${bytes.length} bytes`));
});

test('the envelope of the vector is made, byte by byte', () => {
  const made = envelopes.seal({ name: text('NAME'), generation: 7, header: text('header'), payload: text('payload') }, key,
    { dataKey: hex('data key'), oneTimeSecret: hex('secret key of the box\'s one-time pair'), nonce: hex('nonce') });
  assert.equal(made.toString('hex'), bytes.toString('hex'));
});

test('each flipped bit and each truncation of it is refused here too', () => {
  let flips = 0;
  for (let bit = 0; bit < bytes.length * 8; bit += 1, flips += 1) {
    const damaged = Buffer.from(bytes);
    damaged[bit >> 3] ^= 1 << (bit & 7);
    assert.throws(() => envelopes.open(damaged, text('NAME'), key), `bit ${bit}`);
  }
  for (let length = 0; length < bytes.length; length += 1) assert.throws(() => envelopes.open(bytes.subarray(0, length), text('NAME'), key), `${length} bytes`);
  assert.throws(() => envelopes.open(bytes, text('NAME').replace('0', '1'), key), 'another identity\'s name');
  console.log(`# ${flips} flipped bits and ${bytes.length} truncations refused`);
});

test('the name of the vector follows from its parts', () => {
  const sentence = /the parts (.*?) give `([0-9a-f]{32})`/s.exec(section) ?? assert.fail('no name');
  assert.equal(envelopes.nameOf([...sentence[1].matchAll(/`([^`]+)`/g)].map(([, part]) => part)), sentence[2]);
});

test('the backup of the vector is opened, and made byte by byte', () => {
  const backup = vector('backup');
  const [passes, kibibytes] = backup.text('passes, KiB').split(', ').map(Number);
  assert.deepEqual(backups.open(backup.bytes, { passphrase: backup.text('passphrase') }), JSON.parse(backup.text('content')));
  const made = backups.sealWithPassphrase(backup.text('content'), backup.text('passphrase'), { passes, kibibytes, salt: backup.hex('salt'), nonce: backup.hex('nonce') });
  assert.equal(made.toString('hex'), backup.bytes.toString('hex'));
  assert.ok(backup.section.includes(`${backup.bytes.length} bytes`));
});
