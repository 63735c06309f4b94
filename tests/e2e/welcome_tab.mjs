// SPDX-License-Identifier: MPL-2.0

/** The welcome page in its tab, as a test sees it: by eye and keyboard. */

/* global Cc, Ci, Services, content, until */

import { ExtensionPage } from "./extension_page.mjs";

const PLACE = { windowType: "mail:3pane", selector: ".contentTabInstance browser[id^='contentTabBrowser']" };

/** More than the page has places for the keyboard. */
const TABS = 60;

/**
 * Runs in Thunderbird: a tab with a page of the add-on is there.
 * @param {{windowType: string, selector: string}} place
 */
async function untilOpen({ windowType, selector }) {
  const main = Services.wm.getMostRecentWindow(windowType);
  await new Promise(resolve => {
    const look = () => {
      if (main.document.querySelector(selector)?.contentTitle) {
        observer.disconnect();
        main.removeEventListener("pagetitlechanged", look, true);
        resolve(undefined);
      }
    };
    const observer = new main.MutationObserver(look);
    observer.observe(main.document, { subtree: true, childList: true });
    main.addEventListener("pagetitlechanged", look, true);
    look();
  });
}

/**
 * Runs in Thunderbird: what is typed goes to the page.
 * @param {{windowType: string, selector: string}} place
 */
async function focusPage({ windowType, selector }) {
  const main = Services.wm.getMostRecentWindow(windowType);
  main.focus();
  main.document.querySelector(selector).focus();
}

/**
 * Runs in Thunderbird.
 * @param {{windowType: string, selector: string}} place
 * @returns {Promise<string[]>} the addresses of the pages that are open
 */
async function addresses({ windowType, selector }) {
  const main = Services.wm.getMostRecentWindow(windowType);
  return [...main.document.querySelectorAll(selector)].map(({ currentURI }) => currentURI.filePath);
}

/**
 * Runs in Thunderbird: closes the tab that is shown, as the user does.
 * @param {{windowType: string, selector: string}} place
 */
async function closeTab({ windowType }) {
  Services.wm.getMostRecentWindow(windowType).document.getElementById("tabmail").removeCurrentTab();
}

/**
 * Runs in Thunderbird: the page sees these colours.
 * @param {{windowType: string, selector: string}} place
 * @param {"light"|"dark"} scheme
 */
async function setColours({ windowType, selector }, scheme) {
  Services.wm.getMostRecentWindow(windowType).document.querySelector(selector).browsingContext.prefersColorSchemeOverride = scheme;
}

export class WelcomeTab extends ExtensionPage {
  #marionette;

  /** @param {import("./marionette.mjs").Marionette} marionette */
  constructor(marionette) {
    super(marionette, PLACE);
    this.#marionette = marionette;
  }

  /**
   * Waits until it has opened.
   * @param {import("./marionette.mjs").Marionette} marionette
   */
  static async opened(marionette) {
    await marionette.chrome(untilOpen, PLACE);
    const tab = new WelcomeTab(marionette);
    await tab.ready();
    await marionette.chrome(focusPage, PLACE);
    await tab.run(() => content.document.hasFocus() || new Promise(resolve => content.addEventListener("focus", resolve, { once: true })));
    return tab;
  }

  /**
   * @param {import("./marionette.mjs").Marionette} marionette
   * @returns {Promise<string[]>} the paths of the add-on's pages that are open in tabs
   */
  static open(marionette) {
    return marionette.chrome(addresses, PLACE);
  }

  /**
   * Goes to an element with the Tab key alone.
   * @param {string} selector
   */
  async reach(selector) {
    const reached = await this.run(
      async (css, most) => {
        const processor = Cc["@mozilla.org/text-input-processor;1"].createInstance(Ci.nsITextInputProcessor);
        processor.beginInputTransactionForTests(content);
        const tab = new content.KeyboardEvent("", { key: "Tab" });
        for (let n = 0; n < most && !content.document.activeElement?.matches(css); n++) {
          processor.keydown(tab);
          processor.keyup(tab);
          await new Promise(resolve => content.requestAnimationFrame(resolve));
        }
        return content.document.activeElement?.matches(css) ?? false;
      },
      selector,
      TABS,
    );
    if (!reached) {
      throw new Error(`the keyboard does not get to ${selector}`);
    }
  }

  /**
   * Reaches a button or a link and presses it.
   * @param {string} selector
   */
  async press(selector) {
    await this.reach(selector);
    await this.type("Enter");
  }

  /** @param {string} selector of what the mouse presses */
  async click(selector) {
    await this.run(css => content.document.querySelector(css).click(), selector);
  }

  /** @param {string} step which is then the current one */
  waitForStep(step) {
    return this.run(name => until(() => content.document.querySelector(`[data-step="${name}"][aria-current="step"]`) && !content.document.getElementById(name).hidden), step);
  }

  /**
   * @param {"light"|"dark"} scheme
   * @param {string} file
   */
  async photographIn(scheme, file) {
    await this.#marionette.chrome(setColours, PLACE, scheme);
    await this.run(wanted => until(() => content.matchMedia(`(prefers-color-scheme: ${wanted})`).matches), scheme);
    await this.photograph(file, { whole: true });
  }

  close() {
    return this.#marionette.chrome(closeTab, PLACE);
  }
}
