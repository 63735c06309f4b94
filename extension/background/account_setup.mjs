// SPDX-License-Identifier: MPL-2.0

/**
 * Accounts that Thunderbird's account set-up tries out. No list has them yet, so only a notification leads to their
 * sign-in; set-up itself cannot wait for a person.
 */

/* global messenger */

import { sentences, subjectOf } from "./account_notices.mjs";
import { problemOf } from "./failures.mjs";
import { groupByAccount } from "./overview.mjs";
import { text } from "../shared/texts.mjs";

export class AccountSetup {
  #notices;
  #signIn;
  #unlock;
  /** @type {Set<string>} accounts whose sign-in can begin when the saved ones are unlocked */
  #waiting = new Set();

  /**
   * @param {import("./notices.mjs").Notices} notices
   * @param {{signIn: (account: string) => Promise<import("./rpc_client.mjs").Problem|undefined>, unlock: () => Promise<void>}} world
   *   `signIn` begins one, and gives what went wrong; `unlock` asks the user, and rejects where that cannot help
   */
  constructor(notices, { signIn, unlock }) {
    this.#notices = notices;
    this.#signIn = signIn;
    this.#unlock = unlock;
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
    if (problem?.kind === "vault-locked") {
      await this.#unlockFor(subject, account);
    } else if (problem) {
      this.#notices.say(subject, text("signInFailedTitle", account), sentences(problem));
    }
  }

  /**
   * No page has a button for that, as none has the account.
   * @param {string} subject
   * @param {string} account
   */
  async #unlockFor(subject, account) {
    this.#waiting.add(account);
    try {
      await this.#unlock();
    } catch (error) {
      this.#notices.withdraw(subject);
      this.#notices.say(subject, text("lockedTitle"), sentences(problemOf(error)), () => this.#unlockFor(subject, account));
    }
  }

  /** The browser opens by a click alone, which may be long ago: the user is asked for another one. */
  async unlocked() {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    await Promise.all(waiting.map(account => this.ask(account)));
  }
}
