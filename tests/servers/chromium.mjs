// SPDX-License-Identifier: MPL-2.0
/** A headless Chromium for tests, driven over a pipe. */
import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { chown, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endGroup } from "./processes.mjs";

const FLAGS = [
  "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--no-default-browser-check", "--disable-background-networking", "--disable-component-update", "--disable-sync",
  "--disable-breakpad", "--disable-dev-shm-usage", "--disable-extensions", "--disable-features=HttpsUpgrades,MediaRouter",
  "--password-store=basic", "--use-mock-keychain", "--remote-debugging-pipe", "about:blank",
];

/** @typedef {(method: string, params?: object) => Promise<any>} Page */

/** Chromium's DevTools protocol over its pipe: one JSON message after another, each ended by a zero byte. */
export class DevTools extends EventEmitter {
  #last = 0;

  /** @type {Map<number, { resolve: (value: any) => void, reject: (error: Error) => void }>} */
  #pending = new Map();

  /** @param {import('node:stream').Writable} output @param {import('node:stream').Readable} input */
  constructor(output, input) {
    super();
    this.output = output;
    let rest = "";
    input.setEncoding("utf8").on("data", (chunk) => {
      const messages = (rest + chunk).split("\0");
      rest = messages.pop() ?? "";
      messages.forEach((message) => this.#receive(JSON.parse(message)));
    });
    input.on("close", () => {
      for (const { reject } of this.#pending.values()) reject(new Error("the browser is gone"));
      this.emit("gone");
    });
    output.on("error", () => {}); // told by the close of the other pipe
  }

  /** @param {any} message */
  #receive({ id, result, error, method, params }) {
    if (id === undefined) {
      this.emit(method, params);
      return;
    }
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (error) pending?.reject(new Error(error.message));
    else pending?.resolve(result);
  }

  /** @param {string} method @param {object} [params] @param {string} [sessionId] @returns {Promise<any>} */
  send(method, params = {}, sessionId = undefined) {
    this.#last += 1;
    const id = this.#last;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.output.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    });
  }
}

/**
 * Starts one with a profile of its own; `stop` leaves no process and no file.
 * @param {{ folder?: string, uid?: number, flags?: string[] }} [options]
 *        `folder`: where the profile may be made; `uid`: whose browser it is, ours by default
 */
export async function startChromium({ folder = tmpdir(), uid, flags = [] } = {}) {
  const profile = await mkdtemp(join(folder, "browser-"));
  if (uid !== undefined) await chown(profile, uid, uid);
  const browser = spawn("chromium", [`--user-data-dir=${profile}`, ...flags, ...FLAGS], {
    detached: true, uid, gid: uid, stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
    env: { PATH: process.env.PATH, LANG: "C.UTF-8", HOME: profile, TMPDIR: profile, XDG_RUNTIME_DIR: profile },
  });
  const failed = once(browser, "error").then(([error]) => { throw error; });
  const tools = new DevTools(/** @type {any} */ (browser.stdio[3]), /** @type {any} */ (browser.stdio[4]));
  const gone = once(tools, "gone").then(() => { throw new Error("the browser ended by itself"); });
  [failed, gone].forEach((promise) => promise.catch(() => {}));
  return {
    tools,
    /** Rejects when the browser is not there any more. @type {Promise<never>} */
    lost: Promise.race([failed, gone]),
    /** Its one page. @returns {Promise<Page>} */
    page: async () => {
      const { targetInfos: targets } = await tools.send("Target.getTargets");
      const { targetId } = targets.find((/** @type {any} */ { type }) => type === "page");
      const { sessionId } = await tools.send("Target.attachToTarget", { targetId, flatten: true });
      return (method, params = {}) => tools.send(method, params, sessionId);
    },
    stop: async () => {
      if (browser.pid) {
        const ended = browser.exitCode === null ? once(browser, "exit") : undefined;
        await Promise.race([tools.send("Browser.close").catch(() => {}), ended]);
        await endGroup(browser.pid);
        await ended;
      }
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
