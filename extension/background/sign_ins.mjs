// SPDX-License-Identifier: MPL-2.0

/** Signing in and out: the host makes the address, the system browser shows it, a notification ends it. */

/** The host talks to nobody before it answers, but its key store may ask the user. */
const START_DEADLINE_MS = 65_000;

/** @typedef {{ok: boolean, problem?: any}} Outcome how a sign-in ended; given up where it failed without a problem */

/** It ended just before it was cancelled. @param {any} error */
function whenEnded(error) {
  if (error.kind !== "invalid-params") {
    throw error;
  }
}

export class SignIns {
  #host;
  #openBrowser;
  #sharesSignIn;
  /** @type {Map<string, {account: string, problem: object|null}>} by sign-in id */
  #running = new Map();
  /** Who waits for the end of a sign-in, by name in lower case. @type {Map<string, ((outcome: Outcome) => void)[]>} */
  #awaited = new Map();
  /** Names whose address the host is still making, in lower case. */
  #opening = new Set();

  /**
   * @param {import("./host_connection.mjs").HostConnection} host
   * @param {(address: string) => Promise<void>} openBrowser
   * @param {(account: string, other: string) => boolean} sharesSignIn whether one name signs in for both
   */
  constructor(host, openBrowser, sharesSignIn) {
    this.#host = host;
    this.#openBrowser = openBrowser;
    this.#sharesSignIn = sharesSignIn;
  }

  /**
   * @param {string} account
   * @param {string[]} [scopes]
   */
  async start(account, scopes) {
    const name = account.toLowerCase();
    const params = { account, ...(scopes ? { scopes } : {}) };
    // The host ends an older one for it; nobody waits for that any more.
    this.#forget(account);
    this.#opening.add(name);
    const answer = this.#host.request("signIn.start", params, START_DEADLINE_MS);
    const { signInId, authorizationUrl } = await answer.finally(() => this.#opening.delete(name));
    if (new URL(authorizationUrl).protocol !== "https:") {
      await this.#host.request("signIn.cancel", { signInId });
      throw Object.assign(new Error("the sign-in page is not https"), { kind: "insecure-page" });
    }
    this.#running.set(signInId, { account, problem: null });
    await this.#openBrowser(authorizationUrl).catch(error => this.#notOpened(signInId, error));
  }

  /**
   * Nobody can finish a sign-in whose page is nowhere.
   * @param {string} signInId
   * @param {unknown} error
   */
  async #notOpened(signInId, error) {
    console.error(error);
    if (this.#running.delete(signInId)) {
      await this.#host.request("signIn.cancel", { signInId }).catch(whenEnded);
      throw Object.assign(new Error("the sign-in page could not be opened"), { kind: "no-browser" });
    }
  }

  /**
   * @param {string} account
   * @param {{another?: boolean}} [options] another: the account signs in by another name instead, and who waits for it goes on
   */
  async cancel(account, { another = false } = {}) {
    this.#waitingFor(account)
      .filter(name => !another || name !== account.toLowerCase())
      .forEach(name => this.#tell(name, { ok: false }));
    for (const signInId of this.#forget(account)) {
      await this.#host.request("signIn.cancel", { signInId }).catch(whenEnded);
    }
  }

  /**
   * @param {string} account
   * @returns {Promise<Outcome>} of the sign-in that is open or that comes next
   */
  awaitEnd(account) {
    const name = account.toLowerCase();
    return new Promise(resolve => this.#awaited.set(name, [...(this.#awaited.get(name) ?? []), resolve]));
  }

  /**
   * A sign-in of one account serves all that the same name signs in for, and takes the place of theirs.
   * @param {string} account
   * @returns {string[]} whose wait ends with its sign-in, in lower case
   */
  #waitingFor(account) {
    const own = account.toLowerCase();
    const isServed = (/** @type {string} */ name) => this.#sharesSignIn(name, own) && !this.isUnderWay(name);
    return [...this.#awaited.keys()].filter(name => name === own || isServed(name));
  }

  /**
   * @param {string} name in lower case
   * @param {Outcome} outcome
   */
  #tell(name, outcome) {
    this.#awaited.get(name)?.forEach(resolve => resolve(outcome));
    this.#awaited.delete(name);
  }

  /**
   * Tells whoever waits.
   * @param {string} account
   * @param {Outcome} outcome
   * @returns {boolean} whether somebody did, for this account
   */
  end(account, outcome) {
    const names = this.#waitingFor(account);
    names.forEach(name => this.#tell(name, outcome));
    return names.includes(account.toLowerCase());
  }

  /**
   * @param {string} account
   * @returns {string[]} the sign-ins that were open for it
   */
  #forget(account) {
    const name = account.toLowerCase();
    const open = [...this.#running].filter(([, running]) => running.account.toLowerCase() === name).map(([signInId]) => signInId);
    open.forEach(signInId => this.#running.delete(signInId));
    return open;
  }

  /**
   * A try failed; the browser page may be used again.
   * @param {{signInId: string, problem: object}} notification
   */
  retried({ signInId, problem }) {
    const running = this.#running.get(signInId);
    if (running) {
      running.problem = problem;
    }
  }

  /**
   * @param {{signInId: string}} notification
   * @returns {boolean} whether somebody still waits for it; false: the user gave it up here
   */
  finished({ signInId }) {
    return this.#running.delete(signInId);
  }

  /**
   * The host is gone, and every open sign-in with it.
   * @returns {string[]} the accounts that lost one
   */
  clear() {
    const lost = [...this.#running.values()].map(({ account }) => account);
    this.#running.clear();
    [...this.#awaited.keys()].forEach(name => this.#tell(name, { ok: false, problem: { kind: "disconnected" } }));
    return lost;
  }

  /** @returns {string[]} the accounts at which one is under way */
  get accounts() {
    return [...[...this.#running.values()].map(({ account }) => account), ...this.#opening];
  }

  /** @param {string} account whether one that serves it, too, took the place of its own */
  goesOn(account) {
    return this.accounts.some(other => this.#sharesSignIn(other, account));
  }

  /** @param {string} account */
  isOpening(account) {
    return this.#opening.has(account.toLowerCase());
  }

  /** @param {string} account */
  isUnderWay(account) {
    return this.isOpening(account) || Boolean(this.of(account));
  }

  /**
   * @param {string} account
   * @returns {{problem: object|null}|undefined} the sign-in that is open in the browser
   */
  of(account) {
    return [...this.#running.values()].find(running => running.account.toLowerCase() === account.toLowerCase());
  }
}
