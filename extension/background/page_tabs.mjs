// SPDX-License-Identifier: MPL-2.0

/** The add-on's popup, its pages as tabs of Thunderbird, and the button among its spaces that opens the dashboard. */

/* global browser, messenger */

import { text } from "../shared/texts.mjs";

const DASHBOARD = "dashboard/dashboard.html";

export class PageTabs {
  /** @type {Promise<number>|null} */
  #space = null;

  /**
   * Puts the button where it is not yet.
   * @returns {Promise<number|null>} null: Thunderbird did not take it, and is asked again the next time
   */
  async addButton() {
    this.#space ??= this.#createSpace();
    try {
      return await this.#space;
    } catch (error) {
      console.error(error);
      this.#space = null;
      return null;
    }
  }

  /** @returns {Promise<number>} */
  async #createSpace() {
    const button = { title: text("dashboard_title"), defaultIcons: "icons/thunderseal.svg" };
    return (await messenger.spaces.create("thunderseal", browser.runtime.getURL(DASHBOARD), button)).id;
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
