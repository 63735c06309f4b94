// SPDX-License-Identifier: MPL-2.0

/** What the buttons of an account do. What goes wrong is shown with the account. */

/* global messenger */

import { changeSignInName } from "./sign_in_name.mjs";
import { replaceToken } from "./token_requests.mjs";

/** The host takes a sign-in over after one renewal. */
const IMPORT_DEADLINE_MS = 30_000;

export class AccountActions {
  #host;
  #book;
  #listing;
  #signIns;
  #failures;
  #needs;
  #unlocking;
  #onChange;

  /**
   * @param {object} parts
   * @param {import("./host_connection.mjs").HostConnection} parts.host
   * @param {import("./account_book.mjs").AccountBook} parts.book
   * @param {import("./account_listing.mjs").AccountListing} parts.listing
   * @param {import("./sign_ins.mjs").SignIns} parts.signIns
   * @param {import("./failures.mjs").Failures} parts.failures
   * @param {import("./server_needs.mjs").ServerNeeds} parts.needs
   * @param {import("./unlocking.mjs").Unlocking} parts.unlocking
   * @param {() => void} parts.onChange what the pages show is no longer right
   */
  constructor({ host, book, listing, signIns, failures, needs, unlocking, onChange }) {
    this.#host = host;
    this.#book = book;
    this.#listing = listing;
    this.#signIns = signIns;
    this.#failures = failures;
    this.#needs = needs;
    this.#unlocking = unlocking;
    this.#onChange = onChange;
  }

  /**
   * Signs in as the button does.
   * @param {string} account
   * @param {string[]} protocols that its servers will speak, whatever they are set to
   * @returns {Promise<import("./sign_ins.mjs").Outcome>} when it has ended
   */
  async signInToEnd(account, protocols) {
    // A start anew ends every wait: this one begins after it.
    this.#readAnewAfter(this.problemOf(account)?.kind);
    const end = this.#signIns.awaitEnd(account);
    await this.perform({ action: "signIn", account, protocols });
    return end;
  }

  /**
   * Gives the host a sign-in of Thunderbird's own, which goes on where the host does not take it: an account that gets on the
   * list by this stays on it only if that succeeds.
   * @param {{account: string, refreshToken: string, clientId: string}} signIn
   */
  async takeOver(signIn) {
    const { account } = signIn;
    // The host would end one in the browser for it, and that end would take the account off the list in the middle of this.
    await this.#signIns.cancel(account);
    this.#listing.signInBegins(account);
    try {
      await this.#host.request("account.import", signIn, IMPORT_DEADLINE_MS);
    } catch (error) {
      // Where the host was lost, the next one says whether it was saved just before.
      if (/** @type {{kind?: string}} */ (error).kind !== "disconnected" && !this.#signIns.isUnderWay(account)) {
        await this.#listing.signInEnded(account, false);
      }
      throw error;
    }
    await this.#listing.signInEnded(account, true);
  }

  /**
   * Does what a button says; a failure is shown with the account.
   * @param {{action: string, account?: string, signInAs?: string, protocols?: string[]}} order
   */
  async perform({ action, account = "", signInAs = "", protocols }) {
    const before = this.problemOf(account);
    this.#failures.forget(account);
    try {
      switch (action) {
        case "signIn":
          await this.#signIn(account, before?.kind, protocols);
          break;
        case "openBy":
          await this.#openBy(account, signInAs, before?.kind);
          break;
        case "cancelSignIn":
          await this.#signIns.cancel(account);
          await this.#listing.signInEnded(account, false);
          break;
        case "signOut":
          await this.#host.request("signOut", { account });
          break;
        case "letThunderbird":
          await this.#listing.remove(account);
          break;
        case "newToken":
          await replaceToken(this.#host, await this.#needs.token(account));
          await messenger.tokenBridge.checkMail(account);
          break;
        case "tryAgain":
          if (before?.kind === "network" || this.#book.get(account)?.state === "blocked") {
            // The host waits ever longer, and an hour for an administrator, but for its first try.
            this.#startHostAnewByItself();
          }
          await this.#host.request("token.get", await this.#needs.token(account));
          await messenger.tokenBridge.checkMail(account);
          break;
        case "unlock":
          await this.#unlocking.begin();
          break;
        case "retryHost":
          this.#host.retry();
          break;
      }
    } catch (error) {
      await this.#failed(account, error);
    }
    this.#onChange();
  }

  /**
   * @param {string} account
   * @returns {Record<string, any>|null|undefined} what is wrong with it
   */
  problemOf(account) {
    return this.#failures.get(account) ?? this.#signIns.of(account)?.problem ?? this.#book.get(account)?.problem;
  }

  /**
   * @param {string} account
   * @param {string|undefined} failedBefore the kind of what went wrong last
   * @param {string[]} [protocols] others than its servers are set to
   */
  async #signIn(account, failedBefore, protocols) {
    this.#readAnewAfter(failedBefore);
    this.#listing.signInBegins(account);
    const started = this.#signIns.start(account, await this.#needs.scopes(account, protocols));
    this.#onChange();
    await started;
  }

  /**
   * @param {string} account
   * @param {string} signInAs
   * @param {string|undefined} failedBefore the kind of what went wrong last
   */
  async #openBy(account, signInAs, failedBefore) {
    const parts = { host: this.#host, book: this.#book, listing: this.#listing, signIns: this.#signIns, needs: this.#needs };
    if (await changeSignInName(parts, account, signInAs)) {
      await this.#signIn(account, failedBefore);
    }
  }

  /** @param {string|undefined} kind of what went wrong: the configuration may have been changed since the host read it */
  #readAnewAfter(kind) {
    if (kind === "misconfigured" || kind === "policy-denied") {
      this.#startHostAnewByItself();
    }
  }

  /** Not where that would lock every account: the user gave the passphrase for more than this. */
  #startHostAnewByItself() {
    if (!this.#unlocking.wouldAskAgain) {
      this.startHostAnew();
    }
  }

  /** @returns {boolean} whether it could be: a sign-in that is under way would be lost */
  startHostAnew() {
    return !this.#signIns.accounts.length && this.#host.restartIfIdle();
  }

  /**
   * @param {string} account
   * @param {any} error
   */
  async #failed(account, error) {
    if (error.kind === "unknown-account") {
      await this.#listing.drop(account);
      return;
    }
    this.#failures.caught(account, error);
    if (!this.#signIns.isUnderWay(account)) {
      this.#signIns.end(account, { ok: false, problem: this.#failures.get(account) });
      await this.#listing.signInEnded(account, false);
    }
  }
}
