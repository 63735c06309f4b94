// SPDX-License-Identifier: MPL-2.0

/** Notifications: rare, each said once until its reason has gone. A click opens the popup, or what it is about. */

/* global browser */

const ICON = "icons/thunderseal.svg";

const openPopup = () => browser.browserAction.openPopup();

export class Notices {
  /** @type {Map<string, {text: string, onClick: () => void}>} what was said, by subject */
  #said = new Map();

  constructor() {
    browser.notifications.onClicked.addListener(subject => (this.#said.get(subject)?.onClick ?? openPopup)());
  }

  /**
   * @param {string} subject at most one notification is shown for it
   * @param {string} title
   * @param {string} text
   * @param {() => void} [onClick]
   */
  say(subject, title, text, onClick = openPopup) {
    if (this.#said.get(subject)?.text === text) {
      return;
    }
    this.#said.set(subject, { text, onClick });
    browser.notifications.create(subject, { type: "basic", iconUrl: browser.runtime.getURL(ICON), title, message: text });
  }

  /** @param {string} subject its reason has gone */
  withdraw(subject) {
    if (this.#said.delete(subject)) {
      browser.notifications.clear(subject);
    }
  }
}
