// SPDX-License-Identifier: MPL-2.0

/**
 * What is said about accounts: a problem once, until it has healed; how a sign-in ended. And the mark on the button.
 * The host knows accounts that this Thunderbird has not, or no longer: nobody here is troubled with those.
 */

import { inOurWords, text } from "../shared/texts.mjs";

/** @typedef {import("./account_book.mjs").Account} Account */

/** @param {string} account */
export const subjectOf = account => `account ${account.toLowerCase()}`;

/** @param {any} problem */
export function sentences(problem) {
  const { cause, remedy } = inOurWords(problem);
  return [cause, remedy].filter(Boolean).join(" ");
}

export class AccountNotices {
  #notices;
  #book;
  /** The state that the end of a sign-in brings along, which is no reason to withdraw what was said of it; by subject. */
  #brought = new Map();
  /** The program does not work. */
  #aside = false;
  /** Accounts of this Thunderbird, in lower case. */
  #here = new Set();
  /** Problems of accounts that were not here when the host told of them. @type {Map<string, {account: string, problem: any}>} */
  #elsewhere = new Map();

  /**
   * @param {import("./notices.mjs").Notices} notices
   * @param {import("./account_book.mjs").AccountBook} book
   */
  constructor(notices, book) {
    this.#notices = notices;
    this.#book = book;
  }

  /** @param {string[]} accounts of this Thunderbird, as it has just been found */
  hereAre(accounts) {
    const before = this.#here;
    this.#here = new Set(accounts.map(account => account.toLowerCase()));
    [...before].filter(name => !this.#here.has(name)).forEach(name => this.#notices.withdraw(subjectOf(name)));
    for (const [name, { account, problem }] of this.#elsewhere) {
      if (this.#here.has(name)) {
        this.#elsewhere.delete(name);
        this.#say(account, problem);
      }
    }
    this.mark(this.#aside);
  }

  /**
   * @param {string} account
   * @param {any} problem
   */
  attention(account, problem) {
    const name = account.toLowerCase();
    if (this.#here.has(name)) {
      this.#say(account, problem);
    } else {
      // It may have been added since somebody looked.
      this.#elsewhere.set(name, { account, problem });
    }
  }

  /**
   * @param {string} account
   * @param {any} problem
   */
  #say(account, problem) {
    this.#brought.delete(subjectOf(account));
    this.#notices.say(subjectOf(account), text("attentionTitle", account), sentences(problem));
  }

  /** @param {Account} account as it is since a moment */
  changed({ account, state, problem }) {
    if (state === "ready" && problem) {
      // A mail server refuses good tokens, which the host says in no other way.
      this.attention(account, problem);
    } else if (state === "ready" || state === "signed-out") {
      this.#settled(account, state);
    }
  }

  /** @param {string} account of which the host knows nothing any more */
  dropped(account) {
    this.#settled(account, "signed-out");
  }

  /**
   * @param {string} account
   * @param {string} state in which there is no trouble
   */
  #settled(account, state) {
    const subject = subjectOf(account);
    this.#elsewhere.delete(account.toLowerCase());
    if (this.#brought.get(subject) !== state) {
      this.#notices.withdraw(subject);
    }
  }

  /**
   * @param {string} account
   * @param {string} state that comes with it
   * @param {string} title
   * @param {string} words
   */
  #ended(account, state, title, words) {
    const subject = subjectOf(account);
    this.#elsewhere.delete(account.toLowerCase());
    this.#brought.set(subject, state);
    // Whoever signs in once more is told once more.
    this.#notices.withdraw(subject);
    this.#notices.answer(subject, title, words);
  }

  /**
   * A mail connection got no token: now it matters what was wrong before Thunderbird started. An account that is being set
   * up is not here yet.
   * @param {string} account
   */
  notServed(account) {
    const { state = "", problem } = this.#book.get(account) ?? {};
    if (problem && (state === "attention" || state === "blocked")) {
      this.#say(account, problem);
    }
  }

  /**
   * @param {string} account
   * @param {string} words the key of what is said
   */
  signedIn(account, words) {
    this.#ended(account, "ready", text("signedInTitle"), text(words, account));
  }

  /**
   * @param {string} account
   * @param {any} problem
   */
  signInFailed(account, problem) {
    this.#ended(account, "signed-out", text("signInFailedTitle", account), sentences(problem));
  }

  /** @param {boolean} aside the program does not work */
  mark(aside) {
    this.#aside = aside;
    const troubled = this.#book.troubled().filter(name => this.#here.has(name)).length;
    const words = aside ? text("actionTitleAside") : text(troubled === 1 ? "actionTitleOne" : "actionTitleMany", String(troubled));
    this.#notices.mark(aside ? "!" : String(troubled || ""), aside || troubled ? words : text("actionTitle"));
  }
}
