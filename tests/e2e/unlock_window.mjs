// SPDX-License-Identifier: MPL-2.0

/** The window in which the add-on asks for the passphrase, as a test sees it. */

/* global Services, content, until */

import { ExtensionPage } from "./extension_page.mjs";

const PLACE = { windowType: "mail:extensionPopup", selector: "#requestFrame" };

/**
 * Runs in Thunderbird: the window is there and its page has given it a title.
 * @param {{windowType: string, selector: string}} place
 */
function untilOpen({ windowType, selector }) {
  return new Promise(resolve => {
    const watch = window => {
      const look = () => {
        const { documentElement } = window.document;
        const page = documentElement?.getAttribute("windowtype") === windowType && window.document.querySelector(selector);
        if (page?.contentTitle) {
          Services.ww.unregisterNotification(watch);
          resolve(undefined);
        }
      };
      // The root is there before the document is, and stays when that comes.
      ["load", "pagetitlechanged"].forEach(type => window.windowRoot.addEventListener(type, look, true));
      look();
    };
    Services.ww.registerNotification(watch);
    [...Services.ww.getWindowEnumerator()].forEach(watch);
  });
}

/**
 * Runs in Thunderbird.
 * @param {string} windowType
 */
async function untilClosed(windowType) {
  const window = Services.wm.getMostRecentWindow(windowType);
  if (window) {
    await new Promise(resolve => window.addEventListener("unload", resolve, { once: true }));
  }
}

/**
 * Runs in Thunderbird: the pages that follow the desktop's colours see these.
 * @param {{windowType: string, selector: string}} place
 * @param {"light"|"dark"} scheme
 */
async function setColours({ windowType, selector }, scheme) {
  Services.wm.getMostRecentWindow(windowType).document.querySelector(selector).browsingContext.prefersColorSchemeOverride = scheme;
}

export class UnlockWindow extends ExtensionPage {
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
    const window = new UnlockWindow(marionette);
    await window.ready();
    return window;
  }

  closed() {
    return this.#marionette.chrome(untilClosed, PLACE.windowType);
  }

  /** What is wrong, as the window says it; waits until it says something. */
  problem() {
    return this.waitFor("#problem:not(:empty)");
  }

  /** Where what is typed goes, and what stands there. */
  focused() {
    return this.run(() => {
      const { id, type, value, ariaInvalid } = content.document.activeElement;
      return { id, type, value, ariaInvalid };
    });
  }

  /**
   * @param {"light"|"dark"} scheme
   * @param {string} file
   */
  async photographIn(scheme, file) {
    await this.#marionette.chrome(setColours, PLACE, scheme);
    await this.run(wanted => until(() => content.matchMedia(`(prefers-color-scheme: ${wanted})`).matches), scheme);
    await this.photograph(file);
  }
}
