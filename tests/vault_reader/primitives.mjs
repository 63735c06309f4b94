// SPDX-License-Identifier: MPL-2.0
/** The few primitives that FORMAT.md names, from libsodium's build for JavaScript; nothing here knows the C program. */
import sodium from 'libsodium-wrappers-sumo';

await sodium.ready;

export const KEY_SIZE = 32;
export const KEY_ID_SIZE = 8;
export const BOX_SIZE = 80;
export const NONCE_SIZE = 24;
export const TAG_SIZE = 16;

/** @param {Uint8Array} bytes @param {number} [size] @param {Uint8Array | null} [key] BLAKE2b @returns {Buffer} */
export const blake2b = (bytes, size = 32, key = null) => Buffer.from(sodium.crypto_generichash(size, bytes, key));

/** crypto_kdf_derive_from_key. @param {Uint8Array} secret @param {number} number @param {string} context @returns {Buffer} */
export const derive = (secret, number, context) => Buffer.from(sodium.crypto_kdf_derive_from_key(KEY_SIZE, number, context, secret));

/** @param {Uint8Array} secretKey @returns {Buffer} */
export const publicKeyOf = (secretKey) => Buffer.from(sodium.crypto_scalarmult_base(secretKey));

/** The first bytes of the hash of a public key. @param {Uint8Array} publicKey */
export const keyIdOf = (publicKey) => blake2b(publicKey).subarray(0, KEY_ID_SIZE);

/** @param {Uint8Array} message @param {Uint8Array} publicKey @param {Uint8Array} [oneTimeSecret] instead of a random one, for test vectors @returns {Buffer} */
export function sealBox(message, publicKey, oneTimeSecret) {
  if (!oneTimeSecret) return Buffer.from(sodium.crypto_box_seal(message, publicKey));
  const oneTimePublic = publicKeyOf(oneTimeSecret);
  const nonce = blake2b(Buffer.concat([oneTimePublic, publicKey]), NONCE_SIZE);
  return Buffer.concat([oneTimePublic, sodium.crypto_box_easy(message, nonce, publicKey, oneTimeSecret)]);
}

/** @param {Uint8Array} box @param {Uint8Array} secretKey @returns {Buffer} throws when it was sealed to another */
export const openBox = (box, secretKey) => Buffer.from(sodium.crypto_box_seal_open(box, publicKeyOf(secretKey), secretKey));

/** XChaCha20-Poly1305. @param {Uint8Array} plain @param {Uint8Array} front additional data @param {Uint8Array} nonce @param {Uint8Array} key @returns {Buffer} */
export const encrypt = (plain, front, nonce, key) => Buffer.from(sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(plain, front, null, nonce, key));

/** @param {Uint8Array} sealed @param {Uint8Array} front @param {Uint8Array} nonce @param {Uint8Array} key @returns {Buffer} throws when anything was changed */
export const decrypt = (sealed, front, nonce, key) => Buffer.from(sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(null, sealed, front, nonce, key));

/** @param {number} size @returns {Buffer} */
export const random = (size) => Buffer.from(sodium.randombytes_buf(size));

/** Argon2id. @param {string | Uint8Array} passphrase @param {Uint8Array} salt @param {number} passes @param {number} kibibytes @returns {Buffer} */
export const argon2id = (passphrase, salt, passes, kibibytes) => Buffer.from(sodium.crypto_pwhash(KEY_SIZE, passphrase, salt, passes, kibibytes * 1024, sodium.crypto_pwhash_ALG_ARGON2ID13));

/** Takes a file apart, from the front and from the end; never beyond what is left. */
export class Cursor {
  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.all = Buffer.from(bytes);
    this.at = 0;
    this.end = this.all.length;
  }

  /** @param {number} size */
  take(size) {
    if (size > this.end - this.at) throw new Error('cut short');
    this.at += size;
    return this.all.subarray(this.at - size, this.at);
  }

  /** @param {number} size */
  takeLast(size) {
    if (size > this.end - this.at) throw new Error('cut short');
    this.end -= size;
    return this.all.subarray(this.end, this.end + size);
  }

  rest() {
    return this.take(this.end - this.at);
  }
}
