// SPDX-License-Identifier: MPL-2.0
/** Envelope v1, read and written from the text of host/vault/FORMAT.md alone. */
import * as sodium from './primitives.mjs';

const MAGIC = Buffer.from('TSEAL\x01', 'latin1');
const KEY_MAGIC = Buffer.from('TSKEY\x01', 'latin1');
const FILE_MAX = 256 * 1024;
const RECIPIENTS_MAX = 8;

/** @typedef {{ secretKey: Buffer, publicKey: Buffer, keyId: Buffer, macKey: Buffer }} DeviceKey */
/** @typedef {{ keyId: Buffer, box: Buffer }} Recipient */
/** @typedef {{ generation: bigint, header: Buffer, recipients: Recipient[], front: Buffer, nonce: Buffer, payload: Buffer, mac: Buffer, beforeMac: Buffer }} Parts */

/** The device secret in the file `key`. @param {Uint8Array} file */
export function readKeyFile(file) {
  const bytes = Buffer.from(file);
  if (bytes.length !== KEY_MAGIC.length + sodium.KEY_SIZE || !bytes.subarray(0, KEY_MAGIC.length).equals(KEY_MAGIC)) throw new Error('no key file');
  return bytes.subarray(KEY_MAGIC.length);
}

/** @param {Uint8Array} deviceSecret @returns {DeviceKey} */
export function deviceKey(deviceSecret) {
  const secretKey = sodium.derive(deviceSecret, 1, 'TSealBox');
  const publicKey = sodium.publicKeyOf(secretKey);
  return { secretKey, publicKey, keyId: sodium.keyIdOf(publicKey), macKey: sodium.derive(deviceSecret, 2, 'TSealMac') };
}

/** The base name of an identity's file. @param {string[]} parts authority host, client id, tenant, signInAs in lower case */
export function nameOf(parts) {
  const pieces = parts.flatMap((part) => {
    const bytes = Buffer.from(part);
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(bytes.length));
    return [length, bytes];
  });
  return sodium.blake2b(Buffer.concat(pieces), 16).toString('hex');
}

/** @param {DeviceKey} key @param {string} name @param {Uint8Array} beforeMac */
const macOf = (key, name, beforeMac) => sodium.blake2b(beforeMac, 32, sodium.blake2b(Buffer.from(name), 32, key.macKey));

/** The parts of an envelope, which prove nothing yet. @param {Uint8Array} bytes @returns {Parts} throws for any other shape */
export function parse(bytes) {
  if (bytes.length > FILE_MAX) throw new Error('too long');
  const cursor = new sodium.Cursor(bytes);
  if (!cursor.take(MAGIC.length).equals(MAGIC)) throw new Error('no envelope');
  const generation = cursor.take(8).readBigUInt64BE();
  const header = cursor.take(cursor.take(4).readUInt32BE());
  if (header.length < 2 || header[0] !== 0x7b || header.at(-1) !== 0x7d) throw new Error('the header is no JSON object');
  const count = cursor.take(1)[0];
  if (count < 1 || count > RECIPIENTS_MAX) throw new Error(`${count} recipients`);
  const recipients = Array.from({ length: count }, () => ({ keyId: cursor.take(sodium.KEY_ID_SIZE), box: cursor.take(sodium.BOX_SIZE) }));
  const front = cursor.all.subarray(0, cursor.at);
  const nonce = cursor.take(sodium.NONCE_SIZE);
  const mac = cursor.takeLast(32);
  const payload = cursor.rest();
  if (payload.length < sodium.TAG_SIZE) throw new Error('cut short');
  return { generation, header, recipients, front, nonce, payload, mac, beforeMac: cursor.all.subarray(0, cursor.end) };
}

/** @param {Parts} parts @param {{ secretKey: Buffer, keyId: Buffer }} key */
function openPayload(parts, key) {
  const recipient = parts.recipients.find(({ keyId }) => keyId.equals(key.keyId));
  if (!recipient) throw new Error('sealed to other keys');
  const dataKey = sodium.openBox(recipient.box, key.secretKey);
  return { generation: parts.generation, header: JSON.parse(parts.header.toString()), payload: sodium.decrypt(parts.payload, parts.front, parts.nonce, dataKey), dataKey };
}

/** As the device does: the MAC first. @param {Uint8Array} bytes @param {string} name @param {DeviceKey} key */
export function open(bytes, name, key) {
  const parts = parse(bytes);
  if (!macOf(key, name, parts.beforeMac).equals(parts.mac)) throw new Error('the MAC does not fit');
  return openPayload(parts, key);
}

/** As the organisation does, which cannot check the MAC. @param {Uint8Array} bytes @param {Buffer} recoverySecretKey */
export function openForRecovery(bytes, recoverySecretKey) {
  return openPayload(parse(bytes), { secretKey: recoverySecretKey, keyId: sodium.keyIdOf(sodium.publicKeyOf(recoverySecretKey)) });
}

/**
 * @param {{ name: string, generation: bigint | number, header: string, payload: Uint8Array | string, others?: Buffer[] }} content others: further public keys
 * @param {DeviceKey} key
 * @param {{ dataKey?: Buffer, oneTimeSecret?: Buffer, nonce?: Buffer }} [fixed] instead of random ones, for test vectors
 */
export function seal({ name, generation, header, payload, others = [] }, key, fixed = {}) {
  const dataKey = fixed.dataKey ?? sodium.random(sodium.KEY_SIZE);
  const nonce = fixed.nonce ?? sodium.random(sodium.NONCE_SIZE);
  const headerBytes = Buffer.from(header);
  const numbers = Buffer.alloc(12);
  numbers.writeBigUInt64BE(BigInt(generation));
  numbers.writeUInt32BE(headerBytes.length, 8);
  const keys = [key.publicKey, ...others];
  const recipients = keys.flatMap((publicKey) => [sodium.keyIdOf(publicKey), sodium.sealBox(dataKey, publicKey, fixed.oneTimeSecret)]);
  const front = Buffer.concat([MAGIC, numbers, headerBytes, Buffer.from([keys.length]), ...recipients]);
  const beforeMac = Buffer.concat([front, nonce, sodium.encrypt(Buffer.from(payload), front, nonce, dataKey)]);
  return Buffer.concat([beforeMac, macOf(key, name, beforeMac)]);
}
