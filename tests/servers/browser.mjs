// SPDX-License-Identifier: MPL-2.0
/**
 * A person with a browser: headless Chromium opens the sign-in page, types name and password, and leaves once the
 * loopback page has loaded. Used by tests as a function, and as the system browser as a program:
 *
 *   browser.mjs [SETTINGS.json] URL
 *
 * SETTINGS.json holds `user`, `password`, `cancel`, `screenshot`, `folder`; without it they come from TS_BROWSER_USER,
 * TS_BROWSER_PASSWORD, TS_BROWSER_CANCEL, TS_BROWSER_SCREENSHOT and TS_BROWSER_FOLDER.
 */
import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { realpathSync } from "node:fs";
import { chown, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { endGroup } from "./processes.mjs";

const TIME_LIMIT_MS = 60_000;
const FLAGS = [
  "--headless=new", "--no-sandbox", "--ignore-certificate-errors", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--no-default-browser-check", "--disable-background-networking", "--disable-component-update", "--disable-sync",
  "--disable-breakpad", "--disable-dev-shm-usage", "--disable-extensions", "--disable-features=HttpsUpgrades,MediaRouter",
  "--password-store=basic", "--use-mock-keychain", "--remote-debugging-pipe", "--window-size=900,700", "about:blank",
];

/**
 * @typedef {{ user?: string, password?: string, cancel?: boolean, screenshot?: string, folder?: string, uid?: number, timeoutMs?: number }} Person
 *          `cancel`: refuses at the sign-in page; `screenshot`: a PNG of the last page; `folder`: where the profile may be made;
 *          `uid`: whose browser it is, ours by default
 * @typedef {{ url: string, title: string, text: string }} LastPage
 */

/** Chromium's DevTools protocol over its pipe: one JSON message after another, each ended by a zero byte. */
class DevTools extends EventEmitter {
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

/** What the page is: runs in the page. */
const LOOK = `(() => {
  const form = document.querySelector('form input[name=passwd]')?.form;
  return { url: location.href, title: document.title, text: document.body?.innerText ?? '', isForm: Boolean(form),
    name: form?.elements.loginfmt.value, problem: document.querySelector('[role=alert]')?.textContent ?? '' };
})()`;

/** @param {Person} person the script that answers the form: runs in the page */
const answerForm = ({ user, password, cancel }) => `(() => {
  const form = document.querySelector('form input[name=passwd]').form;
  if (${JSON.stringify(user ?? null)} !== null) form.elements.loginfmt.value = ${JSON.stringify(user ?? "")};
  form.elements.passwd.value = ${JSON.stringify(password ?? "")};
  form.querySelector(${cancel ? "'#idBtn_Back'" : "'#idSIButton9'"}).click();
})()`;

/** @param {string} url a page served by the program that waits for the redirect */
const isLoopback = (url) => /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])[:/]/.test(url);

/**
 * The page's load events one by one, also those that came before they were waited for.
 * @param {DevTools} tools
 */
function loadEvents(tools) {
  let waiting = 0;
  let wake = () => {};
  tools.on("Page.loadEventFired", () => { waiting += 1; wake(); });
  return async () => {
    while (waiting === 0) await new Promise((resolve) => { wake = () => resolve(undefined); });
    waiting -= 1;
  };
}

/** Drives the page to the loopback address. @param {DevTools} tools @param {string} url @param {Person} person @returns {Promise<LastPage>} */
async function walk(tools, url, person) {
  const { targetInfos: targets } = await tools.send("Target.getTargets");
  const { targetId } = targets.find((/** @type {any} */ { type }) => type === "page");
  const { sessionId } = await tools.send("Target.attachToTarget", { targetId, flatten: true });
  const page = (/** @type {string} */ method, /** @type {object} */ params) => tools.send(method, params, sessionId);
  const inPage = async (/** @type {string} */ expression) => (
    (await page("Runtime.evaluate", { expression, returnByValue: true })).result.value);

  const nextLoad = loadEvents(tools);
  await page("Page.enable", {});
  const { errorText } = await page("Page.navigate", { url });
  if (errorText) throw new Error(`the browser cannot open the page: ${errorText}`);
  for (let answered = false; ;) {
    await nextLoad();
    const { isForm, problem, name, ...seen } = await inPage(LOOK);
    if (seen.url === "about:blank") continue;
    if (isLoopback(seen.url)) {
      if (person.screenshot) {
        const { data } = await page("Page.captureScreenshot", { format: "png" });
        await mkdir(dirname(person.screenshot), { recursive: true });
        await writeFile(person.screenshot, Buffer.from(data, "base64"));
      }
      return seen;
    }
    if (seen.url.startsWith("chrome-error:")) throw new Error(`the browser shows an error: ${seen.text}`);
    if (answered && problem) throw new Error(`the sign-in page says: ${problem} (${name})`);
    if (!isForm) throw new Error(`no sign-in page: ${seen.url} ${seen.text}`);
    answered = true;
    await inPage(answerForm(person));
  }
}

/**
 * Opens the URL, signs in, and ends when the loopback page has loaded; no process and no file is left.
 * @param {string} url @param {Person} person @returns {Promise<LastPage>} the page that the user sees last
 */
export async function signInWithBrowser(url, { folder = tmpdir(), uid, timeoutMs = TIME_LIMIT_MS, ...person }) {
  const profile = await mkdtemp(join(folder, "browser-"));
  if (uid !== undefined) await chown(profile, uid, uid);
  const browser = spawn("chromium", [`--user-data-dir=${profile}`, ...FLAGS], {
    detached: true, uid, gid: uid, stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
    env: { PATH: process.env.PATH, LANG: "C.UTF-8", HOME: profile, TMPDIR: profile, XDG_RUNTIME_DIR: profile },
  });
  const failed = once(browser, "error").then(([error]) => { throw error; });
  const tools = new DevTools(/** @type {any} */ (browser.stdio[3]), /** @type {any} */ (browser.stdio[4]));
  const gone = once(tools, "gone").then(() => { throw new Error("the browser ended by itself"); });
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`the sign-in took more than ${timeoutMs} ms`)), timeoutMs);
  });
  [failed, gone, late].forEach((promise) => promise.catch(() => {}));
  try {
    return await Promise.race([walk(tools, url, person), failed, gone, late]);
  } finally {
    clearTimeout(timer);
    if (browser.pid) {
      const ended = browser.exitCode === null ? once(browser, "exit") : undefined;
      await Promise.race([tools.send("Browser.close").catch(() => {}), ended]);
      await endGroup(browser.pid);
      await ended;
    }
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** @param {string[]} args */
async function main(args) {
  const url = args.at(-1);
  if (!url || args.length > 2) throw new Error("usage: browser.mjs [SETTINGS.json] URL");
  const { TS_BROWSER_USER, TS_BROWSER_PASSWORD, TS_BROWSER_CANCEL, TS_BROWSER_SCREENSHOT, TS_BROWSER_FOLDER } = process.env;
  const settings = args.length === 2 ? JSON.parse(await readFile(args[0], "utf8")) : {
    user: TS_BROWSER_USER, password: TS_BROWSER_PASSWORD, cancel: TS_BROWSER_CANCEL === "1",
    screenshot: TS_BROWSER_SCREENSHOT, folder: TS_BROWSER_FOLDER,
  };
  const { url: last, title } = await signInWithBrowser(url, settings);
  process.stdout.write(`${new URL(last).origin} ${title}\n`);
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  main(process.argv.slice(2)).catch((error) => {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  });
}
