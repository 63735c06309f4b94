// SPDX-License-Identifier: MPL-2.0

/** The user's terminal, beside the Thunderbird that runs. */

import assert from "node:assert/strict";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { environment } from "./home.mjs";
import { startProgram } from "./program.mjs";
import { ADA, BROWSER_PROGRAM, HOST } from "./world.mjs";

/**
 * @param {import("./world.mjs").World} world
 * @param {import("./thunderbird.mjs").Thunderbird} thunderbird
 * @returns {Promise<(...args: string[]) => Promise<void>>} runs `thunderseal` with these arguments
 */
export async function terminal(world, thunderbird) {
  const browser = join(world.folder, "terminal-browser");
  await writeFile(browser, `#!/bin/sh\nexec '${process.execPath}' '${BROWSER_PROGRAM}' "$1"\n`);
  await chmod(browser, 0o755);
  const env = environment(thunderbird.home, {}, { BROWSER: browser, ...world.browserEnvironment(ADA) });
  return async (/** @type {string[]} */ ...args) => {
    const { gone } = startProgram(HOST, args, { env, stdio: ["ignore", "ignore", "inherit"] });
    const [code] = await gone;
    assert.equal(code, 0, args.join(" "));
  };
}
