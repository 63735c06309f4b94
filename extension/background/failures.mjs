// SPDX-License-Identifier: MPL-2.0

/** What went wrong with what the user asked for last; shown with the account until it has become untrue. */

import { text } from "../shared/texts.mjs";

/** @typedef {import("./rpc_client.mjs").Problem} Problem */

/** The connection's own kinds have no words from the host. */
const OWN_TEXTS = new Map([["timeout", "problemTimeout"], ["disconnected", "problemDisconnected"]]);

/**
 * @param {any} error what a request was rejected with
 * @returns {Problem} as it is shown
 */
export function problemOf({ kind = "internal", message = "", data = {} }) {
  const own = OWN_TEXTS.get(kind);
  const cause = data.cause ?? (own ? text(own) : message);
  return { ...data, kind, cause, remedy: data.remedy ?? "" };
}

export class Failures {
  /** @type {Map<string, Problem>} */
  #problems = new Map();

  /**
   * @param {string} account
   * @param {any} error what a request was rejected with
   */
  caught(account, error) {
    this.set(account, problemOf(error));
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

  /**
   * @param {string} kind of which none is true any more
   * @param {(account: string) => boolean} [where] whatever the account, where nothing else is said
   */
  forgetKind(kind, where = () => true) {
    [...this.#problems].filter(([name, problem]) => problem.kind === kind && where(name)).forEach(([name]) => this.#problems.delete(name));
  }
}
