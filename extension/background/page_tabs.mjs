// SPDX-License-Identifier: MPL-2.0

/** The add-on's popup, its pages as tabs of Thunderbird, and the button among its spaces that opens the dashboard. */

/* global browser, messenger */

import { text } from "../shared/texts.mjs";

const DASHBOARD = "dashboard/dashboard.html";

export class PageTabs {
  #title = "";
  /** @type {Promise<number>|null} */
  #space = null;

  /** The button is there, and says what it is in the language that is in force. */
  refresh() {
    const title = text("dashboard_title");
    if (title === this.#title) {
      return;
    }
    this.#title = title;
    const button = { title, defaultIcons: "icons/thunderseal.svg" };
    if (this.#space) {
      this.#space.then(id => messenger.spaces.update(id, button));
    } else {
      this.#space = messenger.spaces.create("thunderseal", browser.runtime.getURL(DASHBOARD), button).then((/** @type {{id: number}} */ { id }) => id);
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
   * Opens the dashboard, or raises the one that is open: a space has one tab.
   * @param {{section?: string}} where
   */
  async openDashboard({ section }) {
    this.refresh();
    const tab = await messenger.spaces.open(/** @type {number} */ (await this.#space));
    if (section) {
      await browser.tabs.update(/** @type {number} */ (tab.id), { url: browser.runtime.getURL(`${DASHBOARD}#${section}`) });
    }
  }
}
