// SPDX-License-Identifier: MPL-2.0

/** Looks for secrets in files, in every shape in which they travel: clear, base64 at any offset, UTF-16, hexadecimal. */

import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";

/**
 * Base64 of a text depends on how many bytes stand before it, modulo three; the first and last
 * characters also carry neighbouring bits and are cut off.
 * @param {string} secret
 * @returns {string[]}
 */
function base64Forms(secret) {
  return [0, 1, 2].map(before => {
    const encoded = Buffer.from(`${"x".repeat(before)}${secret}`).toString("base64").replaceAll("=", "");
    return encoded.slice(4, -4);
  });
}

/**
 * @param {string} secret
 * @returns {Buffer[]}
 */
function forms(secret) {
  return [
    Buffer.from(secret),
    Buffer.from(secret, "utf16le"),
    Buffer.from(Buffer.from(secret).toString("hex")),
    Buffer.from(encodeURIComponent(secret)),
    ...base64Forms(secret).map(form => Buffer.from(form)),
  ];
}

/**
 * @param {string} folder
 * @returns {Promise<string[]>} regular files, however deep
 */
async function filesBelow(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name));
}

/**
 * @param {string[]} folders
 * @param {{kind: string, value: string}[]} secrets
 * @returns {Promise<{searched: number, found: string[]}>} `found` names kind and file, never the secret
 */
export async function findSecrets(folders, secrets) {
  const wanted = secrets.map(({ kind, value }) => ({ kind, forms: forms(value) }));
  const files = (await Promise.all(folders.map(filesBelow))).flat();
  const found = [];
  for (const file of files) {
    const content = await readFile(file).catch(() => Buffer.alloc(0));
    found.push(...wanted.filter(secret => secret.forms.some(form => content.includes(form))).map(({ kind }) => `${kind} in ${file}`));
  }
  return { searched: files.length, found };
}
