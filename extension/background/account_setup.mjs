// SPDX-License-Identifier: MPL-2.0

/**
 * Accounts that Thunderbird's account set-up tries out. No list has them yet, so only a notification leads to their
 * sign-in; set-up itself cannot wait for a person.
 */

/* global messenger */

import { subjectOf } from "./account_notices.mjs";
import { groupByAccount } from "./overview.mjs";
import { text } from "../shared/texts.mjs";

export class AccountSetup {
  #notices;
  #signIn;

  /**
   * @param {import("./notices.mjs").Notices} notices
   * @param {(account: string) => Promise<string>} signIn begins one; gives what went wrong, in words, or ""
   */
  constructor(notices, signIn) {
    this.#notices = notices;
    this.#signIn = signIn;
  }

  /**
   * @param {string} account
   * @returns {Promise<boolean>} whether no account of this Thunderbird has this user name
   */
  async concerns(account) {
    return !groupByAccount(await messenger.tokenBridge.listServers()).has(account.toLowerCase());
  }

  /**
   * A login came to nothing for want of a sign-in.
   * @param {string} account
   */
  async ask(account) {
    if (await this.concerns(account)) {
      const subject = subjectOf(account);
      // Whoever tries again is told again.
      this.#notices.withdraw(subject);
      this.#notices.say(subject, text("setUpTitle", account), text("setUp"), () => this.#begin(subject, account));
    }
  }

  /**
   * @param {string} subject
   * @param {string} account
   */
  async #begin(subject, account) {
    const problem = await this.#signIn(account);
    if (problem) {
      this.#notices.say(subject, text("signInFailedTitle", account), problem);
    }
  }
}
