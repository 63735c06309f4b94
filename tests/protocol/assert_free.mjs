// SPDX-License-Identifier: MPL-2.0
/** Looks for secrets where none may stand. */
import assert from 'node:assert/strict';

/** Every form in which a secret might stand somewhere. @param {string} value */
const forms = (value) => [
  value, encodeURIComponent(value), Buffer.from(value).toString('base64').replace(/=+$/, ''), Buffer.from(value).toString('base64url'),
  Buffer.from(value).toString('hex'), value.slice(0, 40), value.slice(-40),
];

/** Fails when one of the secrets stands in the bytes. @param {Buffer | string} bytes @param {string[]} secrets @param {string} where */
export function assertFree(bytes, secrets, where) {
  const buffer = Buffer.from(bytes);
  for (const secret of secrets) {
    for (const form of forms(secret)) assert.ok(!buffer.includes(form), `a secret stands in ${where}`);
  }
}
