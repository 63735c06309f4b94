// SPDX-License-Identifier: MPL-2.0

/** A system browser that only writes down which address it was to open. */

import { watch } from "node:fs";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * @param {string} folder
 * @returns {Promise<{command: string, addresses: () => Promise<string[]>, firstAddress: () => Promise<string>}>}
 */
export async function makeRecordingBrowser(folder) {
  const program = join(folder, "recording-browser");
  const record = join(folder, "addresses");
  await writeFile(record, "");
  await writeFile(program, `#!/bin/sh\nprintf '%s\\n' "$1" >> '${record}'\n`);
  await chmod(program, 0o755);
  const addresses = async () => (await readFile(record, "utf8")).split("\n").filter(Boolean);
  return {
    command: program,
    addresses,
    async firstAddress() {
      const stop = new AbortController();
      try {
        return await new Promise(resolve => {
          // The folder may go before anything was opened; who waits then has what it wanted from elsewhere.
          const look = () => addresses().then(([first]) => first && resolve(first), () => {});
          watch(folder, { signal: stop.signal, persistent: false }, look);
          look();
        });
      } finally {
        stop.abort();
      }
    },
  };
}
