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
import { realpathSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { startChromium } from "./chromium.mjs";

const TIME_LIMIT_MS = 60_000;

/**
 * @typedef {{ user?: string, password?: string, cancel?: boolean, screenshot?: string, folder?: string, uid?: number, timeoutMs?: number }} Person
 *          `cancel`: refuses at the sign-in page; `screenshot`: a PNG of the last page; `folder`: where the profile may be made;
 *          `uid`: whose browser it is, ours by default
 * @typedef {{ url: string, title: string, text: string }} LastPage
 */

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
 * @param {import('./chromium.mjs').DevTools} tools
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

/**
 * Drives the page to the loopback address.
 * @param {Awaited<ReturnType<typeof startChromium>>} browser @param {string} url @param {Person} person @returns {Promise<LastPage>}
 */
async function walk(browser, url, person) {
  const page = await browser.page();
  const inPage = async (/** @type {string} */ expression) => (
    (await page("Runtime.evaluate", { expression, returnByValue: true })).result.value);

  const nextLoad = loadEvents(browser.tools);
  await page("Page.enable");
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
  const browser = await startChromium({ folder, uid, flags: ["--ignore-certificate-errors", "--window-size=900,700"] });
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`the sign-in took more than ${timeoutMs} ms`)), timeoutMs);
  });
  late.catch(() => {});
  try {
    return await Promise.race([walk(browser, url, person), browser.lost, late]);
  } finally {
    clearTimeout(timer);
    await browser.stop();
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
