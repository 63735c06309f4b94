// SPDX-License-Identifier: MPL-2.0

/** What went wrong with what the user asked for last; shown with the account until it has become untrue. */

/* global browser */

/** @typedef {import("./rpc_client.mjs").Problem} Problem */

/** The connection's own kinds have no words from the host. */
const OWN_TEXTS = new Map([["timeout", "problemTimeout"], ["disconnected", "problemDisconnected"]]);

export class Failures {
  /** @type {Map<string, Problem>} */
  #problems = new Map();

  /**
   * @param {string} account
   * @param {any} error what a request was rejected with
   */
  caught(account, { kind = "internal", message = "", data = {} }) {
    const own = OWN_TEXTS.get(kind);
    const cause = data.cause ?? (own ? browser.i18n.getMessage(own) : message);
    this.set(account, { kind, cause, remedy: data.remedy ?? "", adminRemedy: data.adminRemedy });
  }

  /**
   * @param {string} account
   * @param {Problem} problem
   */
  set(account, problem) {
    this.#problems.set(account.toLowerCase(), problem);
  }

  /**
   * @param {string} account
   * @returns {Problem|undefined}
   */
  get(account) {
    return this.#problems.get(account.toLowerCase());
  }

  /**
   * @param {string} account
   * @returns {boolean} whether there was one
   */
  forget(account) {
    return this.#problems.delete(account.toLowerCase());
  }
}
