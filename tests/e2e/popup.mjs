// SPDX-License-Identifier: MPL-2.0

/** The add-on's toolbar popup as a test sees it: text, buttons, a picture. */

/* global ChromeUtils, OffscreenCanvas, Services, content, texts, until */

import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Runs in Thunderbird: clicks the toolbar button and waits for the page inside the panel.
 * @param {string} id
 */
async function openPanel(id) {
  const main = Services.wm.getMostRecentWindow("mail:3pane");
  main.focus();
  const panel = main.document.getElementById("webextension-remote-preload-panel");
  if (panel?.state === "open") {
    return;
  }
  const shown = new Promise(resolve => main.addEventListener("popupshown", resolve, { once: true }));
  main.document.querySelector(`#unifiedToolbarContent button[extension="${id}"]`).click();
  await shown;
}

/**
 * Runs in Thunderbird: runs a function inside the popup's process; `content` is the popup's window.
 * @param {string} body
 * @param {any[]} args
 * @param {number} deadlineMs
 */
async function inPopup(body, args, deadlineMs) {
  const { clearTimeout, setTimeout } = ChromeUtils.importESModule("resource://gre/modules/Timer.sys.mjs");
  const main = Services.wm.getMostRecentWindow("mail:3pane");
  const browser = main.document.querySelector("panel#webextension-remote-preload-panel browser");
  if (!browser) {
    throw new Error("the popup is closed");
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
  const late = Promise.withResolvers();
  const deadline = setTimeout(() => late.resolve("late"), deadlineMs);
  try {
    const answer = evaluate(`(${body})(...${JSON.stringify(args)})`).then(value => ({ value }));
    const first = await Promise.race([answer, late.promise]);
    if (first === "late") {
      throw new Error(`not within ${deadlineMs} ms; the popup shows: ${await evaluate("content.document.body?.innerText")}`);
    }
    return first.value;
  } finally {
    clearTimeout(deadline);
  }
}

/** Runs in Thunderbird: the popup as PNG, base64. */
async function drawPopup() {
  const main = Services.wm.getMostRecentWindow("mail:3pane");
  const browser = main.document.querySelector("panel#webextension-remote-preload-panel browser");
  const picture = await browser.browsingContext.currentWindowGlobal.drawSnapshot(null, 2, "white");
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

/** Runs in Thunderbird. */
async function closePanel() {
  const main = Services.wm.getMostRecentWindow("mail:3pane");
  const panel = main.document.getElementById("webextension-remote-preload-panel");
  if (panel && panel.state !== "closed") {
    const hidden = new Promise(resolve => panel.addEventListener("popuphidden", resolve, { once: true }));
    panel.hidePopup();
    await hidden;
  }
}

/** What a function that runs in the popup can use; `until` looks again after every change of the page. */
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

/** Nothing in the popup takes this long; shorter than the limit of a script, to tell what it shows. */
const DEADLINE_MS = 45_000;

export class Popup {
  #marionette;

  /** @param {import("./marionette.mjs").Marionette} marionette */
  constructor(marionette) {
    this.#marionette = marionette;
  }

  /**
   * @param {import("./marionette.mjs").Marionette} marionette
   * @param {string} extensionId
   */
  static async open(marionette, extensionId) {
    await marionette.chrome(openPanel, extensionId);
    const popup = new Popup(marionette);
    await popup.run(() => until(() => content.document.documentElement.dataset.ready === "true"));
    return popup;
  }

  /**
   * @param {(...args: any[]) => any} body runs beside the popup with `content`, `texts`, `until`
   * @param {...any} args
   * @returns {Promise<any>}
   */
  run(body, ...args) {
    return this.#marionette.chrome(inPopup, `async (...args) => { ${PAGE_TOOLS} return (${body})(...args); }`, args, DEADLINE_MS);
  }

  /** Everything that can be read in it. */
  text() {
    return this.run(() => content.document.body.innerText);
  }

  /**
   * Waits until an account's row shows a state.
   * @param {string} account
   * @param {string} state a state of the protocol
   */
  waitForState(account, state) {
    return this.run(
      (name, wanted) => until(() => content.document.querySelector(`[data-account="${name}"][data-state="${wanted}"]`)?.innerText),
      account.toLowerCase(),
      state,
    );
  }

  /**
   * Waits until an element is there and returns its text.
   * @param {string} selector
   */
  waitFor(selector) {
    return this.run(css => until(() => texts(css)[0]), selector);
  }

  /**
   * Presses a button of an account as a person would: only one that is visible and enabled.
   * @param {string} action
   * @param {string} [account]
   */
  async press(action, account) {
    const selector = account ? `[data-account="${account.toLowerCase()}"] button[data-action="${action}"]` : `button[data-action="${action}"]`;
    await this.run(async css => {
      const button = await until(() => {
        const found = content.document.querySelector(css);
        return found?.checkVisibility() && !found.disabled ? found : null;
      });
      button.click();
    }, selector);
  }

  /** @param {string} file */
  async photograph(file) {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, Buffer.from(await this.#marionette.chrome(drawPopup), "base64"));
  }

  close() {
    return this.#marionette.chrome(closePanel);
  }
}
