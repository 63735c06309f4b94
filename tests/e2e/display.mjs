// SPDX-License-Identifier: MPL-2.0

/** The screen that Thunderbird draws on: the one there is, or a virtual one of our own. */

import { startProgram } from "./program.mjs";

const SCREEN = "1280x900x24";
const DISPLAY_DESCRIPTOR = 3;

/**
 * @typedef {object} Display
 * @property {string} name what belongs into DISPLAY
 * @property {boolean} visible whether a person can see it
 * @property {() => Promise<void>} stop
 */

/**
 * @param {{preferVisible?: boolean}} [options] `preferVisible`: use $DISPLAY where it is set
 * @returns {Promise<Display>}
 */
export async function openDisplay({ preferVisible = false } = {}) {
  if (preferVisible && process.env.DISPLAY) {
    return { name: process.env.DISPLAY, visible: true, stop: async () => {} };
  }
  const { process: server, gone, end } = startProgram(
    "Xvfb",
    ["-displayfd", String(DISPLAY_DESCRIPTOR), "-screen", "0", SCREEN, "-nolisten", "tcp", "-noreset"],
    { stdio: ["ignore", "ignore", "pipe", "pipe"] },
  );
  let complaint = "";
  server.stderr?.on("data", text => (complaint += text));
  const number = await firstLine(server, gone, () => complaint);
  return { name: `:${number}`, visible: false, stop: end };
}

/**
 * Xvfb writes the number of the display when it accepts connections.
 * @param {import("node:child_process").ChildProcess} server
 * @param {Promise<unknown>} gone
 * @param {() => string} complaint
 * @returns {Promise<string>}
 */
function firstLine(server, gone, complaint) {
  return new Promise((resolve, reject) => {
    let text = "";
    const pipe = /** @type {import("node:stream").Readable} */ (server.stdio[DISPLAY_DESCRIPTOR]);
    pipe.on("data", chunk => {
      text += chunk;
      if (text.includes("\n")) {
        resolve(text.trim());
      }
    });
    server.on("error", reject);
    gone.then(() => reject(new Error(`Xvfb ended: ${complaint()}`)), reject);
  });
}
