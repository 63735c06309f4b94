// SPDX-License-Identifier: MPL-2.0
/**
 * What the identity provider was asked and what it gave out. Secrets stand in the request list by their hash only;
 * those issued are kept in clear, so that tests can look for them where they must not be.
 */
import { createHash } from "node:crypto";
import { EventEmitter } from "node:events";

const SECRET_PARAMETERS = new Set([
  "code", "code_verifier", "refresh_token", "device_code", "client_secret", "client_assertion", "passwd",
]);
const RECORDED_HEADERS = ["origin", "user-agent", "client-request-id", "content-type", "accept", "accept-language"];
const WAIT_LIMIT_MS = 60_000;

/**
 * @typedef {{ at: number, endpoint: string, tenant: string | undefined, method: string, grant_type?: string, scope?: string,
 *             user?: string, parameters: Record<string, string>, headers: Record<string, string>, status?: number,
 *             answered: boolean }} RecordedRequest
 * @typedef {{ kind: 'access_token' | 'refresh_token' | 'code' | 'id_token' | 'device_code', value: string, user?: string,
 *             audience?: string, scopes?: string[], expiresAt?: number, revoked: boolean }} Issued
 */

/** @param {string} value */
export const sha256 = (value) => createHash("sha256").update(value).digest("hex");

export class Journal {
  /** @type {RecordedRequest[]} */
  requests = [];

  /** @type {Map<string, Issued>} by value */
  #issued = new Map();

  #changes = new EventEmitter().setMaxListeners(0);

  /**
   * @param {{ endpoint: string, tenant?: string, method: string, user?: string, parameters: URLSearchParams,
   *           headers: import('node:http').IncomingHttpHeaders }} request
   */
  record({ parameters, headers, ...request }) {
    const shown = [...parameters].map(([name, value]) => [name, SECRET_PARAMETERS.has(name) ? `sha256:${sha256(value)}` : value]);
    /** @type {RecordedRequest} */
    const entry = {
      at: Date.now(),
      tenant: undefined,
      ...request,
      grant_type: parameters.get("grant_type") ?? undefined,
      scope: parameters.get("scope") ?? undefined,
      parameters: Object.fromEntries(shown),
      headers: Object.fromEntries(RECORDED_HEADERS.filter((name) => name in headers).map((name) => [name, String(headers[name])])),
      answered: false,
    };
    this.requests.push(entry);
    this.#changes.emit("change");
    return entry;
  }

  /** @param {RecordedRequest} entry @param {number | undefined} status undefined: the connection ended without an answer */
  finish(entry, status) {
    entry.status = status;
    entry.answered = status !== undefined;
    this.#changes.emit("change");
  }

  counts() {
    /** @type {Record<string, number>} */
    const counts = { authorize: 0, token: 0, discovery: 0, keys: 0, devicecode: 0, logout: 0, introspect: 0 };
    for (const { endpoint, grant_type: grantType } of this.requests) {
      counts[endpoint] = (counts[endpoint] ?? 0) + 1;
      if (endpoint === "token") counts[`token:${grantType}`] = (counts[`token:${grantType}`] ?? 0) + 1;
    }
    return counts;
  }

  /** @param {Omit<Issued, 'revoked'>} issued */
  issue(issued) {
    this.#issued.set(issued.value, { ...issued, revoked: false });
  }

  issued() {
    return [...this.#issued.values()];
  }

  /** @param {string | null | undefined} value */
  find(value) {
    return value ? this.#issued.get(value) : undefined;
  }

  /** Forgets requests and counts, not what was issued. */
  clear() {
    this.requests = [];
  }

  /**
   * Waits until so many requests of the kind have come (or been answered).
   * @param {{ endpoint?: string, grant_type?: string, user?: string, count?: number, answered?: boolean, timeoutMs?: number }} wanted
   * @returns {Promise<RecordedRequest[]>}
   */
  waitFor({ endpoint, grant_type: grantType, user, count = 1, answered = false, timeoutMs = WAIT_LIMIT_MS }) {
    const matching = () => this.requests.filter((entry) => (!endpoint || entry.endpoint === endpoint)
      && (!grantType || entry.grant_type === grantType) && (!user || entry.user === user) && (!answered || entry.answered));
    return new Promise((resolve, reject) => {
      const finish = (/** @type {() => void} */ settle) => {
        clearTimeout(timer);
        this.#changes.removeListener("change", look);
        settle();
      };
      const look = () => { if (matching().length >= count) finish(() => resolve(matching())); };
      const timer = setTimeout(() => finish(() => reject(new Error(
        `${matching().length} of ${count} requests (${endpoint ?? "any"} ${grantType ?? ""}) after ${timeoutMs} ms`,
      ))), timeoutMs);
      this.#changes.on("change", look);
      look();
    });
  }
}
