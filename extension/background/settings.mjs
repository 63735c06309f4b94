// SPDX-License-Identifier: MPL-2.0

/** The policy keys that concern the add-on, from wherever they are known. */

/**
 * @param {Record<string, any>} policy
 * @returns {Record<string, any>} with domains in lower case, as those of names are when they are compared
 */
function comparable({ allowedDomains, ...others }) {
  return { ...others, ...(Array.isArray(allowedDomains) ? { allowedDomains: allowedDomains.map(domain => String(domain).toLowerCase()) } : {}) };
}

export class Settings {
  /** @type {Record<string, any>|null} the host's effective policy, since it was greeted */
  #effective = null;
  /** @type {Record<string, any>} Thunderbird's enterprise policies */
  #managed = {};
  /** @type {string|null} */
  #lastFallback = null;

  /**
   * What is known before the host answers, and all that is where there is none.
   * @param {Record<string, any>} managed
   * @param {string|null} lastFallback what the host said in an earlier session
   */
  remember(managed, lastFallback) {
    this.#managed = comparable(managed);
    this.#lastFallback = lastFallback;
  }

  /** @param {Record<string, any>} policy of the host's answer to hello */
  learn(policy) {
    this.#effective = comparable(policy);
  }

  /**
   * @param {string} key
   * @param {any} otherwise
   */
  #value(key, otherwise) {
    return this.#effective?.[key] ?? this.#managed[key] ?? otherwise;
  }

  /** @returns {Record<string, any>} for what only the host's policy can say */
  get policy() {
    return this.#effective ?? {};
  }

  /** @returns {"listed"|"domains"|"all"} */
  get manage() {
    return this.#value("manage", "listed");
  }

  /** @returns {"off"|"offer"|"auto"} whether settings of mail servers are put right */
  get migrate() {
    return this.#value("migrate", "offer");
  }

  /** @returns {string|undefined} a language tag, where the policy has one */
  get locale() {
    return this.#value("locale", undefined);
  }

  /** @returns {string[]} in lower case */
  get domains() {
    return this.#value("allowedDomains", []);
  }

  /** @returns {"thunderbird"|"none"} whether Thunderbird's own sign-in stands in for a host that does not work */
  get fallback() {
    if (this.#effective?.fallback) {
      return this.#effective.fallback;
    }
    // The administrator's file may have said so, which wins over everything that can be read here.
    return this.#lastFallback === "none" ? "none" : (this.#managed.fallback ?? "thunderbird");
  }

  /** @param {string} account */
  names(account) {
    const name = account.toLowerCase();
    return Object.keys(this.policy.accounts ?? {}).some(key => key.toLowerCase() === name);
  }
}
