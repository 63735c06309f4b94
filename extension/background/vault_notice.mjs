// SPDX-License-Identifier: MPL-2.0

/** The notification that the saved sign-ins are locked. A click unlocks them, or says why that came to nothing. */

import { sentences } from "./account_notices.mjs";
import { problemOf } from "./failures.mjs";
import { text } from "../shared/texts.mjs";

const SUBJECT = "vault";

export class VaultNotice {
  #notices;
  #unlock;

  /**
   * @param {import("./notices.mjs").Notices} notices
   * @param {() => Promise<void>} unlock rejects where nothing could be opened
   */
  constructor(notices, unlock) {
    this.#notices = notices;
    this.#unlock = unlock;
  }

  say() {
    this.#notices.say(SUBJECT, text("lockedTitle"), text("lockedNotice"), () => this.#begin());
  }

  withdraw() {
    this.#notices.withdraw(SUBJECT);
  }

  async #begin() {
    try {
      await this.#unlock();
    } catch (error) {
      // Whoever clicks again is told again.
      this.withdraw();
      this.#notices.answer(SUBJECT, text("lockedTitle"), sentences(problemOf(error)), () => this.#begin());
    }
  }
}
