// SPDX-License-Identifier: MPL-2.0

/** The add-on's popup, its pages as tabs of Thunderbird, and the button among its spaces that opens the dashboard. */

/* global browser, messenger */

import { text } from "../shared/texts.mjs";

const DASHBOARD = "dashboard/dashboard.html";

export class PageTabs {
  /** @type {Promise<number>|null} */
  #space = null;
  /** What the button says. */
  #title = "";

  /**
   * Puts the button where it is not yet, with its title in the language that is in force.
   * @returns {Promise<number|null>} null: Thunderbird did not take it, and is asked again the next time
   */
  async addButton() {
    this.#space ??= this.#createSpace();
    try {
      const space = await this.#space;
      await this.#nameSpace(space);
      return space;
    } catch (error) {
      console.error(error);
      this.#space = null;
      return null;
    }
  }

  /** @returns {Promise<number>} */
  async #createSpace() {
    this.#title = text("dashboard_title");
    const button = { title: this.#title, defaultIcons: "icons/thunderseal.svg" };
    return (await messenger.spaces.create("thunderseal", browser.runtime.getURL(DASHBOARD), button)).id;
  }

  /**
   * The policy's language is known later than Thunderbird's, and may change.
   * @param {number} space
   */
  async #nameSpace(space) {
    const title = text("dashboard_title");
    if (title !== this.#title) {
      this.#title = title;
      await messenger.spaces.update(space, { title }).catch(error => console.error(error));
    }
  }

  /** Opens the popup at its button, or the dashboard where no main window has that button. */
  async openPopup() {
    // Named, since the last window may be the notification itself, or one that somebody writes in.
    for (const { id } of await browser.windows.getAll({ windowTypes: ["normal"] })) {
      if (await browser.browserAction.openPopup({ windowId: id })) {
        return;
      }
    }
    await this.openDashboard({});
  }

  /**
   * Opens the dashboard, or raises the one that is open: a space has one tab, and any other place has as many as are opened.
   * @param {{section?: string}} where
   */
  async openDashboard({ section }) {
    const space = await this.addButton();
    if (space === null) {
      await browser.tabs.create({ url: browser.runtime.getURL(section ? `${DASHBOARD}#${section}` : DASHBOARD) });
      return;
    }
    const tab = await messenger.spaces.open(space);
    if (section) {
      await browser.tabs.update(/** @type {number} */ (tab.id), { url: browser.runtime.getURL(`${DASHBOARD}#${section}`) });
    }
  }
}
