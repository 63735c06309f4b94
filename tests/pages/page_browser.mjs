// SPDX-License-Identifier: MPL-2.0

/** The add-on's pages in headless Chromium, each with a scene in the place of Thunderbird and the background. */

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { dirname, extname, join, normalize, resolve } from "node:path";
import { listenOnLoopback } from "../servers/loopback.mjs";
import { startChromium } from "../servers/chromium.mjs";
import { hostWords } from "./host_words.mjs";
import { installStub } from "./stub.mjs";

export const EXTENSION = resolve(import.meta.dirname, "../../extension");

/** Pages of the tests themselves lie below this path. */
const OURS = "/tests/pages/";

const TYPES = /** @type {Record<string, string>} */ ({
  ".html": "text/html; charset=utf-8", ".css": "text/css", ".mjs": "text/javascript", ".json": "application/json",
  ".svg": "image/svg+xml", ".png": "image/png",
});

/** Stricter than Thunderbird's own for add-ons: nothing inline, no style attributes, nothing from elsewhere. */
const POLICY = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'";

const PAGE_DEADLINE_MS = 20_000;

/**
 * @typedef {object} Scene what the page shows, and what was done with it before it is looked at
 * @property {string} [hash] of the page's address, such as "#health"
 * @property {any[]} messages that the background sends when the page opens
 * @property {any[]} [refreshed] messages in answer to a page that asks how things are now
 * @property {Record<string, Answer|Answer[]>} [orders] by the order's name; `ask NAME` for a method of the host; of several each once,
 *   the last one again and again
 * @property {any} [reply] to a message that is no order
 * @property {({click: string} | {waitFor: string})[]} [steps] selectors; both wait until the element is visible
 *
 * @typedef {{progress?: any[], result?: any, problem?: any}} Answer one without outcome stays open
 *
 * @typedef {object} Fixture of a page
 * @property {string} file below the add-on's folder
 * @property {number} width in CSS pixels, as Thunderbird shows it
 * @property {Record<string, Scene>} scenes
 *
 * @typedef {"light"|"dark"} Theme
 * @typedef {"en"|"de"} Language
 */

/** @param {string} path */
function fileOf(path) {
  return path.startsWith(OURS) ? join(import.meta.dirname, normalize(path.slice(OURS.length - 1))) : join(EXTENSION, normalize(path));
}

async function serve() {
  const answer = async (/** @type {import("node:http").IncomingMessage} */ request, /** @type {import("node:http").ServerResponse} */ response) => {
    const file = fileOf(new URL(request.url ?? "", "http://localhost").pathname);
    const body = await readFile(file).catch(() => null);
    // Chromium asks for an icon by itself.
    const missing = request.url === "/favicon.ico" ? 204 : 404;
    response.writeHead(body ? 200 : missing, { "content-type": TYPES[extname(file)] ?? "application/octet-stream", "content-security-policy": POLICY });
    response.end(body);
  };
  const { servers, port } = await listenOnLoopback(() => createServer(answer));
  return { origin: `http://127.0.0.1:${port}`, stop: () => servers.forEach(server => server.close()) };
}

/** Runs in the page: resolves when an element is there and visible, and clicks it. */
const AWAIT = `(selector, click) => new Promise(resolve => {
  const look = () => {
    const found = [...document.querySelectorAll(selector)].find(one => one.checkVisibility());
    if (found) {
      observer.disconnect();
      if (click) found.click();
      resolve(true);
    }
  };
  const observer = new MutationObserver(look);
  observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
  look();
})`;

/** Runs in the page: what reaches beyond its right or left edge, or is cut off inside. */
const OVERFLOWING = `(() => {
  const width = document.documentElement.clientWidth;
  const told = element => element.tagName.toLowerCase() + [...element.classList].map(one => "." + one).join("") + (element.id ? "#" + element.id : "");
  const seen = [...document.querySelectorAll("body, body *")].filter(one => one.checkVisibility() && !one.closest(".for-screen-readers"));
  const beyond = seen.filter(one => {
    const { left, right } = one.getBoundingClientRect();
    return right > width + 1 || left < -1;
  });
  const cut = seen.filter(one => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflowX === "hidden");
  return [...(document.documentElement.scrollWidth > width ? ["the page scrolls sideways"] : []), ...beyond.map(told), ...cut.map(one => told(one) + " is cut off")];
})()`;

export class PageBrowser {
  #chromium;
  #server;
  /** @type {import("../servers/chromium.mjs").Page} */
  #page;
  /** @type {string|null} */
  #script = null;
  /** In each address, as another hash alone would load nothing. */
  #opened = 0;
  /** @type {string[]} what the page complained about */
  #complaints = [];

  /**
   * @param {Awaited<ReturnType<typeof startChromium>>} chromium
   * @param {Awaited<ReturnType<typeof serve>>} server
   * @param {import("../servers/chromium.mjs").Page} page
   */
  constructor(chromium, server, page) {
    this.#chromium = chromium;
    this.#server = server;
    this.#page = page;
    const { tools } = chromium;
    tools.on("Runtime.exceptionThrown", ({ exceptionDetails: { text, exception } }) => this.#complaints.push(exception?.description ?? text));
    tools.on("Log.entryAdded", ({ entry: { level, text, url = "" } }) => level === "error" && this.#complaints.push(`${text} ${url}`));
  }

  static async start() {
    const server = await serve();
    const chromium = await startChromium();
    const page = await chromium.page();
    await Promise.all(["Page", "Runtime", "Log"].map(domain => page(`${domain}.enable`)));
    const source = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
    await page("Page.addScriptToEvaluateOnNewDocument", { source });
    return new PageBrowser(chromium, server, page);
  }

  async stop() {
    await this.#chromium.stop();
    this.#server.stop();
  }

  /**
   * @param {string} expression
   * @returns {Promise<any>} its value in the page, once it is settled
   */
  async evaluate(expression) {
    /** @type {NodeJS.Timeout|undefined} */
    let timer;
    const late = new Promise((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`the page does not come to an end: ${expression.slice(-200)}\n${this.#complaints.join("\n")}`)), PAGE_DEADLINE_MS);
    });
    const asked = this.#page("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true });
    const { result, exceptionDetails } = await Promise.race([asked, late]).finally(() => clearTimeout(timer));
    if (exceptionDetails) {
      throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    }
    return result.value;
  }

  /**
   * Opens a page and waits until the scene is on it.
   * @param {{file: string, width: number}} fixture
   * @param {Scene} scene
   * @param {Language} language
   */
  async open({ file, width }, { hash = "", messages, refreshed = [], orders = {}, reply, steps = [] }, language) {
    const texts = JSON.parse(await readFile(join(EXTENSION, `_locales/${language}/messages.json`), "utf8"));
    if (this.#script) {
      await this.#page("Page.removeScriptToEvaluateOnNewDocument", { identifier: this.#script });
    }
    const inWords = await hostWords(language);
    const scene = { language, texts, messages: inWords(messages), refreshed: inWords(refreshed), orders: inWords(orders), reply };
    const source = `(${installStub})(${JSON.stringify(scene)})`;
    this.#script = (await this.#page("Page.addScriptToEvaluateOnNewDocument", { source })).identifier;
    this.#complaints.length = 0;
    await this.resize(width);
    const loaded = new Promise(settled => this.#chromium.tools.once("Page.domContentEventFired", settled));
    await this.#page("Page.navigate", { url: `${this.#server.origin}/${file}?${++this.#opened}${hash}` });
    await Promise.race([loaded, this.#chromium.lost]);
    await this.#await(':root[data-ready="true"]', false);
    for (const step of steps) {
      await this.#await("click" in step ? step.click : step.waitFor, "click" in step);
    }
  }

  /**
   * @param {string} selector
   * @param {boolean} click
   */
  #await(selector, click) {
    return this.evaluate(`(${AWAIT})(${JSON.stringify(selector)}, ${click})`);
  }

  /** @param {string} selector @returns {Promise<boolean>} once such an element is there and visible */
  waitFor(selector) {
    return this.#await(selector, false);
  }

  /** @param {string} words in the place of what is selected, as the keyboard has them typed where the focus is */
  async type(words) {
    await this.#page("Input.insertText", { text: words });
  }

  /** @param {Theme} theme */
  async setTheme(theme) {
    await this.#page("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: theme }] });
  }

  /** @param {number} width in CSS pixels */
  async resize(width) {
    await this.#page("Emulation.setDeviceMetricsOverride", { width, height: 700, deviceScaleFactor: 1, mobile: false });
  }

  /** @param {number} factor by which text is larger than usual */
  async setTextSize(factor) {
    await this.evaluate(`document.body.style.fontSize = ${factor === 1 ? '""' : `getComputedStyle(document.body).fontSize.replace(/[\\d.]+/, size => size * ${factor})`}`);
  }

  /** @returns {Promise<string[]>} what the page logged as an error, or threw */
  async complaints() {
    await this.evaluate("new Promise(requestAnimationFrame)");
    return [...this.#complaints];
  }

  /** @returns {Promise<string[]>} what does not fit into the width */
  overflowing() {
    return this.evaluate(OVERFLOWING);
  }

  /** @returns {Promise<string[]>} what axe-core finds, each with the element */
  violations() {
    return this.evaluate(`axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) =>
      violations.flatMap(({ id, help, nodes }) => nodes.map(({ html, failureSummary }) => [id, help, html, failureSummary].join(": "))))`);
  }

  /** @param {string} file the whole page goes there, as PNG */
  async photograph(file) {
    const { cssContentSize } = await this.#page("Page.getLayoutMetrics");
    const clip = { ...cssContentSize, scale: 1 };
    const { data } = await this.#page("Page.captureScreenshot", { format: "png", captureBeyondViewport: true, clip });
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, Buffer.from(data, "base64"));
  }
}
