// SPDX-License-Identifier: MPL-2.0

/** Notifications: rare, each said once until its reason has gone. A click opens the popup, or what it is about. */

/* global browser */

import { Quiet } from "./quiet.mjs";

const ICON = "icons/thunderseal.svg";

const BADGE_COLOUR = "#b3261e";

/** @typedef {{title: string, text: string, onClick: () => void, onShown?: () => Promise<void>}} Notice */

export class Notices {
  #openPopup;
  #quiet;
  /** @type {Map<string, Notice>} what was said, by subject */
  #said = new Map();
  /** Subjects of what is said as soon as it is no longer quiet. */
  #held = new Set();

  /**
   * @param {() => void} openPopup what a click does where nothing else is said
   * @param {Quiet} [quiet]
   */
  constructor(openPopup, quiet = new Quiet()) {
    this.#openPopup = openPopup;
    this.#quiet = quiet;
    quiet.onEnd = () => this.#release();
    browser.notifications.onClicked.addListener(subject => (this.#said.get(subject)?.onClick ?? openPopup)());
  }

  /**
   * Says it as soon as it is not quiet.
   * @param {string} subject at most one notification is shown for it
   * @param {string} title
   * @param {string} text
   * @param {() => void} [onClick]
   * @param {() => Promise<void>} [onShown] what is held back may be withdrawn, or lost when Thunderbird ends
   */
  say(subject, title, text, onClick = this.#openPopup, onShown = undefined) {
    if (this.#isNew(subject, { title, text, onClick, onShown }) && !this.#quiet.holds) {
      this.#release();
    }
  }

  /**
   * Says what answers something that the user just did, whatever the time.
   * @param {string} subject
   * @param {string} title
   * @param {string} text
   * @param {() => void} [onClick]
   */
  answer(subject, title, text, onClick = this.#openPopup) {
    if (this.#isNew(subject, { title, text, onClick })) {
      this.#show(subject);
    }
  }

  /** @param {string} subject its reason has gone */
  withdraw(subject) {
    this.#held.delete(subject);
    if (this.#said.delete(subject)) {
      browser.notifications.clear(subject);
    }
  }

  /**
   * Marks the toolbar button.
   * @param {string} badge
   * @param {string} title
   */
  mark(badge, title) {
    browser.browserAction.setBadgeBackgroundColor({ color: BADGE_COLOUR });
    browser.browserAction.setBadgeText({ text: badge });
    browser.browserAction.setTitle({ title });
  }

  /**
   * @param {string} subject
   * @param {Notice} notice
   */
  #isNew(subject, notice) {
    const before = this.#said.get(subject);
    if (before?.title === notice.title && before.text === notice.text) {
      return false;
    }
    this.#said.set(subject, notice);
    this.#held.add(subject);
    return true;
  }

  #release() {
    this.#held.forEach(subject => this.#show(subject));
  }

  /** @param {string} subject */
  #show(subject) {
    const { title, text, onShown } = /** @type {Notice} */ (this.#said.get(subject));
    this.#held.delete(subject);
    const shown = browser.notifications.create(subject, { type: "basic", iconUrl: browser.runtime.getURL(ICON), title, message: text });
    Promise.resolve(shown).then(onShown).catch(error => console.error(error));
  }
}
