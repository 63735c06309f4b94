// SPDX-License-Identifier: MPL-2.0

/** The screen that Thunderbird draws on: the one there is, or a virtual one of our own. */

import { existsSync } from "node:fs";
import { connect } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import { startProgram } from "./program.mjs";

const SCREEN = "1280x900x24";
const DISPLAY_DESCRIPTOR = 3;

/**
 * @typedef {object} Display
 * @property {Record<string, string>} environment what leads a program to it
 * @property {boolean} visible whether a person can see it
 * @property {() => Promise<void>} stop
 */

/** The port of display 0 over TCP. */
const FIRST_PORT = 6000;

/**
 * Whether somebody listens there; a server that then wants a cookie is found out only by a program that draws.
 * @param {string} name as in DISPLAY
 * @returns {Promise<boolean>}
 */
async function answers(name) {
  const [, host, number] = /^(.*):(\d+)(?:\.\d+)?$/.exec(name) ?? [];
  if (number === undefined) {
    return false;
  }
  const file = `/tmp/.X11-unix/X${number}`;
  const places = host && host !== "unix" ? [{ host, port: FIRST_PORT + Number(number) }] : [{ path: file }, { path: `\0${file}` }];
  const opened = await Promise.all(places.map(canConnect));
  return opened.includes(true);
}

/**
 * @param {import("node:net").NetConnectOpts} place
 * @returns {Promise<boolean>}
 */
function canConnect(place) {
  return new Promise(resolve => {
    const socket = connect(place);
    socket.on("error", () => resolve(false));
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
  });
}

/** The cookie lies in the user's real home, which the programs under test do not see. */
function visibleEnvironment(/** @type {string} */ name) {
  const usual = join(homedir(), ".Xauthority");
  const cookies = process.env.XAUTHORITY ?? (existsSync(usual) ? usual : null);
  return { DISPLAY: name, ...(cookies ? { XAUTHORITY: cookies } : {}) };
}

/**
 * @param {{preferVisible?: boolean}} [options] `preferVisible`: use $DISPLAY where somebody answers there
 * @returns {Promise<Display>}
 */
export async function openDisplay({ preferVisible = false } = {}) {
  const visible = process.env.DISPLAY;
  if (preferVisible && visible && (await answers(visible))) {
    return { environment: visibleEnvironment(visible), visible: true, stop: async () => {} };
  }
  const { process: server, gone, end } = startProgram(
    "Xvfb",
    ["-displayfd", String(DISPLAY_DESCRIPTOR), "-screen", "0", SCREEN, "-nolisten", "tcp", "-noreset"],
    { stdio: ["ignore", "ignore", "pipe", "pipe"] },
  );
  let complaint = "";
  server.stderr?.on("data", text => (complaint += text));
  const number = await firstLine(server, gone, () => complaint);
  return { environment: { DISPLAY: `:${number}` }, visible: false, stop: end };
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
