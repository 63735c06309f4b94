// SPDX-License-Identifier: MPL-2.0

/** What went wrong with what the user asked for last; shown with the account until it has become untrue. */

import { text } from "../shared/texts.mjs";

/** @typedef {import("./rpc_client.mjs").Problem} Problem */

/** What did not come from the host has no words from it. */
const OWN_TEXTS = new Map([
  ["timeout", "problemTimeout"],
  ["disconnected", "problemDisconnected"],
  ["cancelled", "problemCancelled"],
  ["insecure-page", "problemInsecurePage"],
  ["no-browser", "problemNoBrowser"],
]);

/**
 * @param {any} error
 * @returns {string} what is shown of one without a cause
 */
function ownWords(error) {
  const key = OWN_TEXTS.get(error.kind);
  if (!key) {
    console.error(error);
  }
  return text(key ?? "problemInternal");
}

/**
 * @param {any} error what a request was rejected with
 * @returns {Problem} as it is shown
 */
export function problemOf(error) {
  const { kind = "internal", data = {} } = error;
  return { ...data, kind, cause: data.cause ?? ownWords(error), remedy: data.remedy ?? "" };
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
