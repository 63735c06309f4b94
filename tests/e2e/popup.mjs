// SPDX-License-Identifier: MPL-2.0

/** The add-on's toolbar popup as a test sees it: accounts and their buttons. */

/* global Services, content, until */

import { ExtensionPage } from "./extension_page.mjs";

const PLACE = { windowType: "mail:3pane", selector: "panel#webextension-remote-preload-panel browser" };

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

/** Runs in Thunderbird: waits until the panel is open, which something else than its button may do. */
async function panelOpened() {
  const main = Services.wm.getMostRecentWindow("mail:3pane");
  const id = "webextension-remote-preload-panel";
  if (main.document.getElementById(id)?.state !== "open") {
    await new Promise(resolve => {
      main.addEventListener("popupshown", function look({ target }) {
        if (target.id === id) {
          main.removeEventListener("popupshown", look);
          resolve(undefined);
        }
      });
    });
  }
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

export class Popup extends ExtensionPage {
  #marionette;

  /** @param {import("./marionette.mjs").Marionette} marionette */
  constructor(marionette) {
    super(marionette, PLACE);
    this.#marionette = marionette;
  }

  /**
   * @param {import("./marionette.mjs").Marionette} marionette
   * @param {string} extensionId
   */
  static async open(marionette, extensionId) {
    await marionette.chrome(openPanel, extensionId);
    return Popup.opened(marionette);
  }

  /**
   * Waits until it is open, whatever opened it.
   * @param {import("./marionette.mjs").Marionette} marionette
   */
  static async opened(marionette) {
    await marionette.chrome(panelOpened);
    const popup = new Popup(marionette);
    await popup.ready();
    return popup;
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
   * Presses a button of an account as a person would: only one that is visible and enabled, if need be behind "More".
   * @param {string} action
   * @param {string} [account]
   */
  async press(action, account) {
    const card = account ? `[data-account="${account.toLowerCase()}"] ` : "";
    await this.run(async (place, name) => {
      const visible = css => [...content.document.querySelectorAll(place + css)].find(one => one.checkVisibility() && !one.disabled && one.ariaDisabled !== "true");
      const wanted = `button[data-action="${name}"]`;
      const button = await until(() => visible(wanted) ?? (visible('.more[aria-expanded="false"]')?.click(), visible(wanted)));
      button.click();
    }, card, action);
  }

  close() {
    return this.#marionette.chrome(closePanel);
  }
}
