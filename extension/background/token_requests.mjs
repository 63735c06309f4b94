// SPDX-License-Identifier: MPL-2.0

/** Answers the token requests of Thunderbird's mail code out of the host's tokens. */

/** Left of the mail connection's patience for the way back. */
const RETURN_MS = 300;

/** States in which there may be a sign-in here that cannot be read now. */
const UNREAD = new Set(["locked", "waiting"]);

/**
 * @typedef {object} TokenRequest
 * @property {string} account
 * @property {"mail"|"graph"} resource
 * @property {boolean} ownToken Thunderbird could fetch mail with a sign-in of its own
 * @property {number} deadline milliseconds since 1970
 * @property {string} [rejected]
 */

/**
 * @typedef {{accessToken: string, expiresAt: number} | {pass: true} | {failure: string}} TokenAnswer
 */

/**
 * @typedef {object} Listener
 * @property {(account: string) => void} onSuccess the host gave a token
 * @property {(account: string, kind: string) => void} onFailure a mail connection got none
 * @property {(account: string) => Promise<boolean>} onUnknown the host does not know the account; whether it is to be signed in here
 */

export class TokenRequests {
  #host;
  #book;
  #settings;
  #listener;

  /**
   * @param {import("./host_connection.mjs").HostConnection} host
   * @param {import("./account_book.mjs").AccountBook} book
   * @param {import("./settings.mjs").Settings} settings
   * @param {Listener} listener
   */
  constructor(host, book, settings, listener) {
    this.#host = host;
    this.#book = book;
    this.#settings = settings;
    this.#listener = listener;
  }

  /**
   * @param {TokenRequest} request
   * @returns {Promise<TokenAnswer>}
   */
  async answer({ account, resource, ownToken, deadline, rejected }) {
    const params = { account, ...(resource === "graph" ? { protocol: resource } : {}), ...(rejected ? { rejected } : {}) };
    try {
      const { accessToken, expiresAt } = await this.#request(params, deadline - RETURN_MS);
      this.#listener.onSuccess(account);
      return { accessToken, expiresAt };
    } catch (error) {
      const kind = await this.#kindOf(error, account);
      if (this.#mayPass(kind, account, ownToken)) {
        return { pass: true };
      }
      this.#listener.onFailure(account, kind);
      return { failure: kind };
    }
  }

  /**
   * @param {{kind?: string}} error
   * @param {string} account
   */
  async #kindOf({ kind = "internal" }, account) {
    const isToSignIn = kind === "unknown-account" && (await this.#listener.onUnknown(account));
    return isToSignIn ? "sign-in-required" : kind;
  }

  /**
   * A host that dies under the request is back in a moment; asking for a token twice does no harm.
   * @param {object} params
   * @param {number} until milliseconds since 1970
   * @returns {Promise<{accessToken: string, expiresAt: number}>}
   */
  async #request(params, until) {
    for (;;) {
      const remaining = Math.max(1, until - Date.now());
      try {
        return await this.#host.request("token.get", params, remaining);
      } catch (error) {
        const { kind } = /** @type {{kind?: string}} */ (error);
        if (kind !== "disconnected" || this.#host.state !== "connecting" || Date.now() >= until) {
          throw error;
        }
      }
    }
  }

  /**
   * Thunderbird's own sign-in goes on where we cannot work at all, and where it has a token and there is no sign-in here,
   * be it that one is under way or has failed. Everything else, a slow host too, would open a browser out of the blue: what
   * ended a sign-in here has mostly ended Thunderbird's own as well.
   * @param {string} kind
   * @param {string} account
   * @param {boolean} ownToken
   */
  #mayPass(kind, account, ownToken) {
    if (this.#settings.fallback !== "thunderbird" || kind === "timeout") {
      return false;
    }
    if (kind === "disconnected") {
      return this.#host.state !== "connecting" && this.#host.state !== "connected";
    }
    if (kind === "unknown-account" || kind === "policy-denied") {
      return true;
    }
    const known = this.#book.get(account);
    return ownToken && !known?.refreshToken && !UNREAD.has(known?.state ?? "");
  }
}

/**
 * @param {string} text
 * @returns {Promise<string>} hexadecimal SHA-256
 */
async function sha256Hex(text) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), byte => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Replaces the token at hand by a new one, for a user whose mail server refuses it.
 * @param {import("./host_connection.mjs").HostConnection} host
 * @param {{account: string, protocol?: "graph"}} params of token.get
 */
export async function replaceToken(host, params) {
  const { accessToken, source } = await host.request("token.get", params);
  if (source !== "renewed") {
    await host.request("token.get", { ...params, rejected: await sha256Hex(accessToken) });
  }
}
