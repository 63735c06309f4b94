// SPDX-License-Identifier: MPL-2.0

/**
 * Which accounts are the host's to sign in. For those Thunderbird's own sign-in is off,
 * so an account gets on the list for good only when a sign-in here succeeded.
 */

/* global messenger */

import { cloudsInUse, signInProviders } from "./clouds.mjs";
import { groupByAccount } from "./overview.mjs";

export class AccountListing {
  #host;
  #book;
  #settings;
  #onDrop;
  /** Names whose first sign-in here has not ended yet, in lower case. */
  #firstSignIns = new Set();

  /**
   * @param {import("./host_connection.mjs").HostConnection} host
   * @param {import("./account_book.mjs").AccountBook} book
   * @param {import("./settings.mjs").Settings} settings
   * @param {(account: string) => void} onDrop the host does not know one any more
   */
  constructor(host, book, settings, onDrop) {
    this.#host = host;
    this.#book = book;
    this.#settings = settings;
    this.#onDrop = onDrop;
  }

  /** @param {{accounts: import("./account_book.mjs").Account[], more: boolean}} welcome the host's answer to hello */
  async refresh(welcome) {
    const gone = await this.#book.replaceAll((method, params) => this.#host.request(method, params), welcome);
    gone.forEach(name => this.#onDrop(name));
    for (const name of this.#book.names().filter(name => this.#firstSignIns.has(name))) {
      // The sign-in went with the host that was lost; it may have been saved just before.
      await this.signInEnded(name, this.#book.get(name)?.state !== "signed-out");
    }
    await this.#addManagedAccounts();
    await this.#tellBridge();
  }

  /** Which accounts are the host's may be another question now. */
  async settingsChanged() {
    await this.#addManagedAccounts();
    await this.#tellBridge();
  }

  /** @param {import("./account_book.mjs").Account} account as it is since a moment */
  async update(account) {
    const isNew = !this.#book.get(account.account);
    this.#book.update(account);
    if (isNew) {
      await this.#tellBridge();
    }
  }

  /** @param {string} account */
  signInBegins(account) {
    if (!this.#book.get(account)) {
      this.#firstSignIns.add(account.toLowerCase());
    }
  }

  /**
   * @param {string} account
   * @param {boolean} successful
   */
  async signInEnded(account, successful) {
    const wasFirst = this.#firstSignIns.delete(account.toLowerCase());
    if (wasFirst && !successful && this.mayRemove(account)) {
      await this.remove(account).catch(() => {});
    }
  }

  /**
   * Whether it is on the list because the user said so, and nobody else.
   * @param {string} account
   */
  mayRemove(account) {
    return this.#settings.manage === "listed" && !this.#settings.names(account);
  }

  /**
   * Gives an account back to Thunderbird.
   * @param {string} account
   */
  async remove(account) {
    try {
      await this.#host.request("account.remove", { account });
    } catch (error) {
      if (/** @type {{kind?: string}} */ (error).kind !== "unknown-account") {
        throw error;
      }
    }
    await this.drop(account);
  }

  /**
   * The host does not know it any more.
   * @param {string} account
   */
  async drop(account) {
    if (this.#book.remove(account)) {
      this.#onDrop(account);
      await this.#tellBridge();
    }
  }

  /**
   * The host does not know an account for which it was asked.
   * @param {string} account
   * @returns {Promise<boolean>} whether the policy puts it here all the same
   */
  async unknown(account) {
    await this.drop(account);
    await this.#addManagedAccounts();
    return this.#isManaged(account.toLowerCase());
  }

  /** @param {string} name in lower case */
  #isManaged(name) {
    const { manage, domains } = this.#settings;
    const inDomain = !domains.length || domains.includes(name.slice(name.lastIndexOf("@") + 1));
    return manage === "all" || (manage === "domains" && inDomain);
  }

  /** Where the policy manages more than the listed accounts, the host is to know the others too. */
  async #addManagedAccounts() {
    if (this.#settings.manage === "listed") {
      return;
    }
    for (const [name, { account }] of groupByAccount(await messenger.tokenBridge.listServers())) {
      if (!this.#book.get(name) && this.#isManaged(name)) {
        const added = await this.#host.request("account.add", { account }).catch(() => null);
        if (added) {
          this.#book.update(added.account);
        }
      }
    }
  }

  #tellBridge() {
    const { manage, domains, fallback, policy } = this.#settings;
    const providers = signInProviders(policy, cloudsInUse(policy, this.#book.all()));
    return messenger.tokenBridge.setManaged({ rule: manage, names: this.#book.names(), domains, fallback, providers });
  }
}
