// SPDX-License-Identifier: MPL-2.0

/**
 * A native host that speaks other versions of the protocol than any there is: `other_version.mjs [VERSION…]`.
 * Refuses every request as the real host refuses a protocol that it does not know.
 */

import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { argv, execPath, stdin, stdout } from "node:process";

/**
 * @param {string} folder where the program is written
 * @param {number[]} versions
 * @returns {Promise<string>} the program
 */
export async function makeHostOfVersions(folder, versions) {
  const program = join(folder, "host-of-another-version");
  await writeFile(program, `#!/bin/sh\nexec '${execPath}' '${import.meta.filename}' ${versions.join(" ")}\n`);
  await chmod(program, 0o755);
  return program;
}

/** @param {object} message */
function send(message) {
  const body = Buffer.from(JSON.stringify(message));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(body.length);
  stdout.write(Buffer.concat([length, body]));
}

async function refuseAll() {
  const supported = argv.slice(2).map(Number);
  let buffered = Buffer.alloc(0);
  for await (const chunk of stdin) {
    buffered = Buffer.concat([buffered, chunk]);
    while (buffered.length >= 4 && buffered.length >= 4 + buffered.readUInt32LE()) {
      const end = 4 + buffered.readUInt32LE();
      const { id } = JSON.parse(buffered.subarray(4, end).toString("utf8"));
      buffered = buffered.subarray(end);
      send({ jsonrpc: "2.0", id, error: { code: -32000, message: "No common protocol.", data: { kind: "protocol-unsupported", retryable: false, supported } } });
    }
  }
}

if (argv[1] === import.meta.filename) {
  await refuseAll();
}
