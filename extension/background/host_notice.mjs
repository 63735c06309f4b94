// SPDX-License-Identifier: MPL-2.0

/** The notification that the program does not work: once per problem, however often it is tried meanwhile. */

import { CRASH_WINDOW_MS } from "./host_connection.mjs";
import { text } from "../shared/texts.mjs";

const SUBJECT = "host";

/** States that a program comes back to which says hello and ends all the same. */
const AFTER_HELLO = new Set(["broken", "crashing"]);

export class HostNotice {
  #notices;
  /** The state of which was told last. */
  #told = "";
  /** Runs while the program has yet to show that it lasts. @type {any} */
  #proof = null;

  /** @param {import("./notices.mjs").Notices} notices */
  constructor(notices) {
    this.#notices = notices;
  }

  /**
   * @param {string} state of the connection
   * @param {"thunderbird"|"none"} fallback
   */
  say(state, fallback) {
    this.#told = state;
    this.#notices.say(SUBJECT, text(`host_${state}_title`), `${text(`host_${state}_remedy`)} ${text(`until_${fallback}`)}`);
  }

  /** @param {string} state of the connection, since a moment */
  changed(state) {
    clearTimeout(this.#proof);
    if (state !== "connected" || !this.#told) {
      return;
    }
    if (AFTER_HELLO.has(this.#told)) {
      this.#proof = setTimeout(() => this.#withdraw(), CRASH_WINDOW_MS);
    } else {
      this.#withdraw();
    }
  }

  #withdraw() {
    this.#told = "";
    this.#notices.withdraw(SUBJECT);
  }
}
