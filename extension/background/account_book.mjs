// SPDX-License-Identifier: MPL-2.0

/** What the host knows about accounts, as it last said. Names compare without case. */

/**
 * @typedef {object} Account
 * @property {string} account
 * @property {string} signInAs
 * @property {"signed-out"|"signing-in"|"ready"|"renewing"|"waiting"|"attention"|"blocked"|"locked"} state
 * @property {string} cloud
 * @property {string} tenant
 * @property {"browser"|"device"|"import"|null} method how it was signed in
 * @property {{present: boolean}|null} [refreshToken] of the sign-in that is here, "present" until that has ended for good;
 *   null: there is none, or it cannot be read
 * @property {(import("./rpc_client.mjs").Problem & {resource?: string})|null} problem
 */

/** States in which the user or an administrator has something to do. */
const TROUBLED = new Set(["attention", "blocked", "locked"]);

/** States in which tokens are had without a person. */
const SIGNED_IN = new Set(["ready", "renewing", "waiting"]);

/** @param {Account} account */
const signInOf = ({ cloud, tenant, signInAs }) => JSON.stringify([cloud, tenant, signInAs.toLowerCase()]);

export class AccountBook {
  /** @type {Map<string, Account>} */
  #accounts = new Map();
  /** Names of which a new host has not spoken yet. @type {Set<string>} */
  #unmentioned = new Set();

  /**
   * A new host begins to say what it knows, in pages. What it changes meanwhile is newer than a page before, and older
   * than one after, so each is taken as it comes.
   * @param {(method: string, params: object) => Promise<any>} request
   * @param {{accounts: Account[], more: boolean}} page the first, which is in force when this returns
   * @returns {Promise<string[]>} when all are: the names that are gone, as the host does not know them
   */
  async replaceAll(request, page) {
    const unmentioned = new Set(this.names());
    this.#unmentioned = unmentioned;
    page.accounts.forEach(account => this.update(account));
    while (page.more && page.accounts.length) {
      const after = page.accounts[page.accounts.length - 1].account;
      page = await request("account.list", { after });
      page.accounts.forEach(account => this.update(account));
    }
    return this.#unmentioned === unmentioned ? [...unmentioned].filter(name => this.remove(name)) : [];
  }

  /** @param {Account} account */
  update(account) {
    const name = account.account.toLowerCase();
    this.#unmentioned.delete(name);
    this.#accounts.set(name, account);
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

  /**
   * @param {string} name
   * @returns {string} who signs in for it, in lower case
   */
  signsInAs(name) {
    return (this.get(name)?.signInAs ?? name).toLowerCase();
  }

  /** @returns {Map<string, number>} by name in lower case: how many mailboxes its sign-in opens, itself among them */
  mailboxCounts() {
    const groups = Map.groupBy(this.#accounts, ([, account]) => signInOf(account));
    return new Map([...groups.values()].flatMap(group => group.map(([name]) => /** @type {[string, number]} */ ([name, group.length]))));
  }

  /**
   * Whether its tokens are had without a person.
   * @param {string} name
   */
  isSignedIn(name) {
    return SIGNED_IN.has(this.get(name)?.state ?? "");
  }

  /** @returns {Account[]} */
  all() {
    return [...this.#accounts.values()];
  }

  /** @returns {string[]} in lower case */
  names() {
    return [...this.#accounts.keys()];
  }

  /**
   * A mail server may refuse tokens that are good.
   * @returns {string[]} in lower case, who needs somebody
   */
  troubled() {
    return this.names().filter(name => {
      const { state = "", problem } = this.get(name) ?? {};
      return TROUBLED.has(state) || (state === "ready" && problem);
    });
  }

  /** @returns {string[]} who is signed in, each once */
  signInNames() {
    const names = this.all().filter(({ state }) => SIGNED_IN.has(state)).map(({ signInAs }) => /** @type {[string, string]} */ ([signInAs.toLowerCase(), signInAs]));
    return [...new Map(names).values()];
  }

  /** Whether the key to a saved sign-in cannot be had. */
  isLocked() {
    return this.all().some(({ state }) => state === "locked");
  }
}
