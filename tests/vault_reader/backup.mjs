// SPDX-License-Identifier: MPL-2.0
/** Backups, version 1, read and written from the text of host/vault/FORMAT.md alone. */
import * as sodium from './primitives.mjs';

const MAGIC = Buffer.from('TSBAK\x01', 'latin1');
const BY_PASSPHRASE = 1;
const BY_RECIPIENT = 2;

/** @param {number} number */
const u32 = (number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(number);
  return bytes;
};

/** What stands at the end. @param {Uint8Array} bytes */
export const hashOf = (bytes) => sodium.blake2b(bytes);

/** @param {Buffer} front @param {Buffer} key @param {string} content @param {Buffer} nonce */
function seal(front, key, content, nonce) {
  const bytes = Buffer.concat([front, nonce, sodium.encrypt(Buffer.from(content), front, nonce, key)]);
  return Buffer.concat([bytes, sodium.blake2b(bytes)]);
}

/**
 * @param {string} content @param {string} passphrase
 * @param {{ passes?: number, kibibytes?: number, salt?: Buffer, nonce?: Buffer }} [fixed]
 */
export function sealWithPassphrase(content, passphrase, { passes = 3, kibibytes = 256 * 1024, salt = sodium.random(16), nonce = sodium.random(sodium.NONCE_SIZE) } = {}) {
  const front = Buffer.concat([MAGIC, Buffer.from([BY_PASSPHRASE]), u32(passes), u32(kibibytes), salt]);
  return seal(front, sodium.argon2id(passphrase, salt, passes, kibibytes), content, nonce);
}

/** @param {string} content @param {Buffer} publicKey */
export function sealForRecipient(content, publicKey) {
  const key = sodium.random(sodium.KEY_SIZE);
  const front = Buffer.concat([MAGIC, Buffer.from([BY_RECIPIENT]), sodium.keyIdOf(publicKey), sodium.sealBox(key, publicKey)]);
  return seal(front, key, content, sodium.random(sodium.NONCE_SIZE));
}

/** @param {Uint8Array} bytes @param {{ passphrase?: string, secretKey?: Buffer }} by @returns {any} the content */
export function open(bytes, { passphrase, secretKey }) {
  const cursor = new sodium.Cursor(bytes);
  if (!cursor.takeLast(32).equals(sodium.blake2b(cursor.all.subarray(0, cursor.end)))) throw new Error('damaged');
  if (!cursor.take(MAGIC.length).equals(MAGIC)) throw new Error('no backup');
  const way = cursor.take(1)[0];
  let key;
  if (way === BY_PASSPHRASE && passphrase !== undefined) {
    const [passes, kibibytes] = [cursor.take(4).readUInt32BE(), cursor.take(4).readUInt32BE()];
    key = sodium.argon2id(passphrase, cursor.take(16), passes, kibibytes);
  } else if (way === BY_RECIPIENT && secretKey) {
    cursor.take(sodium.KEY_ID_SIZE);
    key = sodium.openBox(cursor.take(sodium.BOX_SIZE), secretKey);
  } else {
    throw new Error(`way ${way} needs another key`);
  }
  const front = cursor.all.subarray(0, cursor.at);
  const nonce = cursor.take(sodium.NONCE_SIZE);
  return JSON.parse(sodium.decrypt(cursor.rest(), front, nonce, key).toString());
}
