// SPDX-License-Identifier: MPL-2.0

/** A page of the add-on as a test sees it, wherever Thunderbird shows it: text, keys, a picture. */

/* global Cc, ChromeUtils, Ci, OffscreenCanvas, Services, content, texts, until */

import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * @typedef {object} Place where the page's browser element is
 * @property {string} windowType
 * @property {string} selector
 */

/**
 * Runs in Thunderbird: runs a function inside the page's process; `content` is the page's window.
 * @param {Place} place
 * @param {string} body
 * @param {any[]} args
 * @param {number} deadlineMs
 */
async function inPage(place, body, args, deadlineMs) {
  const { clearTimeout, setTimeout } = ChromeUtils.importESModule("resource://gre/modules/Timer.sys.mjs");
  const browser = Services.wm.getMostRecentWindow(place.windowType)?.document.querySelector(place.selector);
  if (!browser) {
    throw new Error("the page is closed");
  }
  const evaluate = source => {
    const name = `thunderseal-test:${Services.uuid.generateUUID()}`;
    const script = `(async () => ${source})().then(
      value => sendAsyncMessage(${JSON.stringify(name)}, { value }),
      error => sendAsyncMessage(${JSON.stringify(name)}, { failure: String(error) }));`;
    const answer = new Promise((resolve, reject) => {
      browser.messageManager.addMessageListener(name, function listener({ data }) {
        browser.messageManager.removeMessageListener(name, listener);
        return data.failure ? reject(new Error(data.failure)) : resolve(data.value ?? null);
      });
    });
    browser.messageManager.loadFrameScript(`data:,${encodeURIComponent(script)}`, false);
    return answer;
  };
  // A tab begins in another process than the page's; with that goes what was loaded there.
  const moved = () => new Promise(resolve => {
    browser.addEventListener("DidChangeBrowserRemoteness", () => resolve("moved"), { once: true });
  });
  const late = Promise.withResolvers();
  const deadline = setTimeout(() => late.resolve("late"), deadlineMs);
  try {
    const ask = () => evaluate(`(${body})(...${JSON.stringify(args)})`).then(value => ({ value }));
    const next = () => Promise.race([ask(), late.promise, moved()]);
    let first = await next();
    while (first === "moved") {
      first = await next();
    }
    if (first === "late") {
      throw new Error(`not within ${deadlineMs} ms; the page shows: ${await evaluate("content.document.body?.innerText")}`);
    }
    return first.value;
  } finally {
    clearTimeout(deadline);
  }
}

/**
 * Runs in Thunderbird: the page as PNG, base64.
 * @param {Place} place
 * @param {{width: number, height: number}|null} size null: as much of it as can be seen
 */
async function drawPage(place, size) {
  const window = Services.wm.getMostRecentWindow(place.windowType);
  const browser = window.document.querySelector(place.selector);
  const area = size && new window.DOMRect(0, 0, size.width, size.height);
  const picture = await browser.browsingContext.currentWindowGlobal.drawSnapshot(area, 2, "white");
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  canvas.getContext("2d").drawImage(picture, 0, 0);
  const blob = await canvas.convertToBlob({ type: "image/png" });
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let binary = "";
  for (const byte of bytes) {
    binary += String.fromCharCode(byte);
  }
  return btoa(binary);
}

/** What a function that runs in the page can use; `until` looks again after every change of the page. */
const PAGE_TOOLS = `
  const texts = selector => [...content.document.querySelectorAll(selector)].filter(e => e.checkVisibility()).map(e => e.textContent.trim());
  const until = predicate => new Promise(resolve => {
    let observer;
    const look = () => {
      const value = content.document.documentElement && predicate();
      if (value) {
        observer.disconnect();
        removeEventListener("DOMContentLoaded", arrive, true);
        resolve(value);
      }
    };
    const arrive = () => {
      observer = new content.MutationObserver(look);
      observer.observe(content.document, { subtree: true, childList: true, characterData: true, attributes: true });
      look();
    };
    addEventListener("DOMContentLoaded", arrive, true);
    arrive();
  });`;

/** Nothing in a page takes this long; shorter than the limit of a script, to tell what it shows. */
const DEADLINE_MS = 45_000;

export class ExtensionPage {
  #marionette;
  #place;

  /**
   * @param {import("./marionette.mjs").Marionette} marionette
   * @param {Place} place
   */
  constructor(marionette, place) {
    this.#marionette = marionette;
    this.#place = place;
  }

  /** Waits until it is drawn. */
  async ready() {
    await this.run(() => until(() => content.document.documentElement.dataset.ready === "true"));
  }

  /**
   * @param {(...args: any[]) => any} body runs beside the page with `content`, `texts`, `until`
   * @param {...any} args
   * @returns {Promise<any>}
   */
  run(body, ...args) {
    return this.#marionette.chrome(inPage, this.#place, `async (...args) => { ${PAGE_TOOLS} return (${body})(...args); }`, args, DEADLINE_MS);
  }

  /** Everything that can be read in it. */
  text() {
    return this.run(() => content.document.body.innerText);
  }

  /**
   * Waits until an element is there and returns its text.
   * @param {string} selector
   */
  waitFor(selector) {
    return this.run(css => until(() => texts(css)[0]), selector);
  }

  /**
   * Presses keys as a person does, in whatever has the focus.
   * @param {...string} keys as in KeyboardEvent.key, or some that are held together such as "Shift+Tab"
   */
  async type(...keys) {
    await this.run(pressed => {
      const processor = Cc["@mozilla.org/text-input-processor;1"].createInstance(Ci.nsITextInputProcessor);
      if (!processor.beginInputTransactionForTests(content)) {
        throw new Error("somebody else types");
      }
      // A printable key has no code of its own here.
      const space = { code: "Space", keyCode: 32 };
      // Only after this has been answered: a key may close the page.
      Services.tm.dispatchToMainThread(() => {
        for (const held of pressed.map(keys => (keys.length > 1 ? keys.split("+") : [keys]))) {
          const events = held.map(key => new content.KeyboardEvent("", { key, ...(key === " " ? space : {}) }));
          events.forEach(event => processor.keydown(event));
          events.reverse().forEach(event => processor.keyup(event));
        }
      });
    }, keys);
  }

  /**
   * @param {string} file
   * @param {{whole?: boolean}} [options] `whole`: with what lies below the edge
   */
  async photograph(file, { whole = false } = {}) {
    const size = whole && (await this.run(() => {
      const { scrollWidth: width, scrollHeight: height } = content.document.documentElement;
      return { width, height };
    }));
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, Buffer.from(await this.#marionette.chrome(drawPage, this.#place, size || null), "base64"));
  }
}
