// SPDX-License-Identifier: MPL-2.0

/** What the host knows about accounts, as it last said. Names compare without case. */

/**
 * @typedef {object} Account
 * @property {string} account
 * @property {string} signInAs
 * @property {"signed-out"|"signing-in"|"ready"|"renewing"|"waiting"|"attention"|"blocked"|"locked"} state
 * @property {string} cloud
 * @property {"browser"|"device"|"import"|null} method how it was signed in
 * @property {(import("./rpc_client.mjs").Problem & {resource?: string})|null} problem
 */

/** States in which the user or an administrator has something to do. */
const TROUBLED = new Set(["attention", "blocked", "locked"]);

/** States that only an account with a saved sign-in has. */
const SAVED = new Set(["ready", "renewing", "waiting", "locked"]);

/** @param {Account} account whose tokens are had without a person */
export function isSignedIn({ state }) {
  return SAVED.has(state) && state !== "locked";
}

export class AccountBook {
  /** @type {Map<string, Account>} */
  #accounts = new Map();

  /** @param {Account[]} accounts */
  replaceAll(accounts) {
    this.#accounts.clear();
    accounts.forEach(account => this.update(account));
  }

  /** @param {Account} account */
  update(account) {
    this.#accounts.set(account.account.toLowerCase(), account);
  }

  /**
   * @param {string} name
   * @returns {boolean} whether it was there
   */
  remove(name) {
    return this.#accounts.delete(name.toLowerCase());
  }

  /**
   * @param {string} name
   * @returns {Account|undefined}
   */
  get(name) {
    return this.#accounts.get(name.toLowerCase());
  }

  /** @returns {Account[]} */
  all() {
    return [...this.#accounts.values()];
  }

  /** @returns {string[]} in lower case */
  names() {
    return [...this.#accounts.keys()];
  }

  /** How many need somebody; a mail server may refuse tokens that are good. */
  troubled() {
    return this.all().filter(({ state, problem }) => TROUBLED.has(state) || (state === "ready" && problem)).length;
  }

  /** @returns {string[]} who is signed in, each once */
  signInNames() {
    const names = this.all().filter(isSignedIn).map(({ signInAs }) => /** @type {[string, string]} */ ([signInAs.toLowerCase(), signInAs]));
    return [...new Map(names).values()];
  }

  /** Whether a sign-in is certain to be saved for one of them. */
  holdsSignIn() {
    return this.all().some(({ state }) => SAVED.has(state));
  }

  /** Whether the key to a saved sign-in cannot be had. */
  isLocked() {
    return this.all().some(({ state }) => state === "locked");
  }
}

/**
 * hello carries only the first page.
 * @param {(method: string, params: object) => Promise<any>} request
 * @param {{accounts: Account[], more: boolean}} page
 * @returns {Promise<Account[]>}
 */
export async function allPages(request, page) {
  const accounts = [...page.accounts];
  while (page.more && page.accounts.length) {
    const after = page.accounts[page.accounts.length - 1].account;
    page = await request("account.list", { after });
    accounts.push(...page.accounts);
  }
  return accounts;
}
