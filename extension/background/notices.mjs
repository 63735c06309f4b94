// SPDX-License-Identifier: MPL-2.0

/** Notifications: rare, each said once until its reason has gone. A click opens the popup. */

/* global browser */

const ICON = "icons/thunderseal.svg";

export class Notices {
  /** @type {Map<string, string>} what was said, by subject */
  #said = new Map();

  constructor() {
    browser.notifications.onClicked.addListener(() => browser.browserAction.openPopup());
  }

  /**
   * @param {string} subject at most one notification is shown for it
   * @param {string} title
   * @param {string} text
   */
  say(subject, title, text) {
    if (this.#said.get(subject) === text) {
      return;
    }
    this.#said.set(subject, text);
    browser.notifications.create(subject, { type: "basic", iconUrl: browser.runtime.getURL(ICON), title, message: text });
  }

  /** @param {string} subject its reason has gone */
  withdraw(subject) {
    if (this.#said.delete(subject)) {
      browser.notifications.clear(subject);
    }
  }
}
