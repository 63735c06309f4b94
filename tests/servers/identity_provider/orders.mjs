// SPDX-License-Identifier: MPL-2.0
/**
 * What a test has ordered: lasting settings, and special answers for the next requests to an endpoint.
 */

/**
 * @typedef {object} Answer  how to answer one request; without any of these: as usual
 * @property {boolean} [hang]             no answer, until `releaseHung` or the end
 * @property {boolean} [dropConnection]   the connection is cut
 * @property {number} [delayMs]           before whatever else is done
 * @property {boolean} [hold]             whatever else is done waits for `releaseHung`
 * @property {number} [status]
 * @property {Record<string, string>} [headers]
 * @property {string | object} [body]     an object is sent as JSON
 * @property {{ error: string, code: number, text?: string, suberror?: string, claims?: string }} [entra]  an error in Entra's shape
 * @property {boolean} [afterProcessing]  the request is carried out first (so a refresh token rotates), only its answer is lost
 * @property {Partial<Lifetimes>} [lifetimes]  of what is granted, instead of the settings'
 * @property {number | null} [refreshIn]  instead of the setting
 * @property {{ grant_type?: string, resource?: string, user?: string }} [match]  only for such a request
 * @property {number} [times]             for so many requests; 1
 */

/** @typedef {{ accessToken: number, refreshToken: number, authorizationCode: number, deviceCode: number, idToken: number }} Lifetimes  in seconds */

/** Entra's own: access tokens live 60 to 90 minutes, refresh tokens 90 days, codes ten minutes. @type {Lifetimes} */
const DEFAULT_LIFETIMES = {
  accessToken: 75 * 60, refreshToken: 90 * 86400, authorizationCode: 600, deviceCode: 900, idToken: 3600,
};

const defaultSettings = () => ({
  lifetimes: DEFAULT_LIFETIMES,
  /** @type {string | boolean | null} a user who is signed in without a form; true: whoever `login_hint` names */
  autoLogin: null,
  userDenies: false,
  /** @type {string[]} */
  missingConsent: [],
  /** @type {'refuse' | 'omit'} whether sign-in fails for such a scope, or leaves it out of the grant */
  missingConsentAnswer: "refuse",
  withoutRefreshToken: false,
  /** @type {number | null} */
  refreshIn: null,
  /** @type {boolean | { uid: string, utid: string }} sent when asked for; false: never; an object: these values */
  clientInfo: true,
  expiresInAsString: false,
  /** @type {string | false | null} what the answer says instead of the scopes granted; false: nothing */
  scopeInAnswer: null,
  /** @type {boolean | number} of so many random bytes; true: 600 */
  opaqueAccessTokens: false,
  /** @type {string | null} */
  preferredUsername: null,
  /** @type {Record<string, unknown> | null} claims put over the id token's; null removes one */
  idTokenClaims: null,
  strictRotation: false,
  /** whether the mail servers refuse every token, good ones too */
  mailRefuses: false,
  /** seconds, in the answer to a device request */
  deviceInterval: 5,
});

/** @typedef {ReturnType<typeof defaultSettings>} Settings */

export class Orders {
  /** @type {Settings} */
  settings = defaultSettings();

  /** @type {Map<string, Answer[]>} */
  #next = new Map();

  /** @type {Map<string, Answer>} */
  #always = new Map();

  /** @type {Set<() => void>} */
  #hung = new Set();

  #stopped = new AbortController();

  /** @param {Record<string, any>} change names of settings; an unknown one is the caller's mistake */
  set(change) {
    for (const [name, value] of Object.entries(change)) {
      if (!(name in this.settings)) throw new TypeError(`no such control: ${name}`);
      const merged = name === "lifetimes" ? { ...this.settings.lifetimes, ...value } : value;
      this.settings = { ...this.settings, [name]: merged };
    }
  }

  /** Puts answers behind those already ordered; null forgets them. @param {string} endpoint @param {Answer | Answer[] | null} answers */
  next(endpoint, answers) {
    const queue = answers === null ? [] : [...(this.#next.get(endpoint) ?? []), ...[answers].flat()];
    this.#next.set(endpoint, queue.map((answer) => ({ ...answer })));
  }

  /** @param {string} endpoint @param {Answer | null} answer for every request that no other order fits; null ends it */
  always(endpoint, answer) {
    if (answer === null) this.#always.delete(endpoint);
    else this.#always.set(endpoint, answer);
  }

  /**
   * @param {string} endpoint
   * @param {{ grant_type?: string, resource?: string, user?: string }} request
   * @returns {Answer | undefined}
   */
  take(endpoint, request) {
    const fits = (/** @type {Answer} */ answer) => Object.entries(answer.match ?? {})
      .every(([name, value]) => request[/** @type {'user'} */ (name)] === value);
    const queue = this.#next.get(endpoint) ?? [];
    const found = queue.findIndex(fits);
    if (found >= 0) {
      const answer = queue[found];
      answer.times = (answer.times ?? 1) - 1;
      if (answer.times <= 0) queue.splice(found, 1);
      return answer;
    }
    const standing = this.#always.get(endpoint);
    return standing && fits(standing) ? standing : undefined;
  }

  /** Answers that wait to be taken. */
  pending() {
    return Object.fromEntries([...this.#next].map(([endpoint, queue]) => [endpoint, queue.length]));
  }

  /** @param {number} milliseconds */
  delay(milliseconds) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds, undefined);
      this.#stopped.signal.addEventListener("abort", () => { clearTimeout(timer); resolve(undefined); }, { once: true });
    });
  }

  /** Resolves on `releaseHung`. @returns {Promise<void>} */
  hang() {
    return new Promise((resolve) => { this.#hung.add(resolve); });
  }

  releaseHung() {
    for (const release of this.#hung) release();
    this.#hung.clear();
  }

  stop() {
    this.#stopped.abort();
    this.releaseHung();
  }
}
