// SPDX-License-Identifier: MPL-2.0

/**
 * Stands in for OAuth2.prototype.connect, the one place where Thunderbird's mail code gets its tokens.
 * Thunderbird asks one account after the other, so every answer here comes within a deadline:
 * one that never came would hold up every other account, of other providers too.
 */

/* exported TokenHook */

const { clearTimeout, setTimeout } = ChromeUtils.importESModule("resource://gre/modules/Timer.sys.mjs");

/** No mail connection waits longer for us. The host answers within 8 s. */
const ANSWER_DEADLINE_MS = 10_000;

/** After a missed deadline every request is decided at once for this long. */
const BREAKER_MS = 60_000;

/** Connections of one account share a token: one refused late still means the token before. */
const SHARED_REFUSAL_MS = 5_000;

/** A login is over this long after it got its token. */
const LOGIN_MS = 60_000;

/** Kinds of failure that say nothing about the account: the host could not be asked. */
const UNANSWERED = new Set(["timeout", "disconnected"]);

const QUIT = "quit-application-granted";

/** @param {string} token ASCII */
function sha256Hex(token) {
  const hash = Cc["@mozilla.org/security/hash;1"].createInstance(Ci.nsICryptoHash);
  hash.init(Ci.nsICryptoHash.SHA256);
  hash.update(Array.from(token, character => character.charCodeAt(0)), token.length);
  return Array.from(hash.finish(false), byte => byte.charCodeAt(0).toString(16).padStart(2, "0")).join("");
}

/** @param {string} kind */
function rejection(kind) {
  return JSON.stringify({ error: kind });
}

/**
 * @typedef {object} Answer one of these is set
 * @property {string} [accessToken]
 * @property {number} [expiresAt] Unix seconds
 * @property {boolean} [pass] Thunderbird's own sign-in is to go on
 * @property {string} [failure] the kind of problem
 */

/**
 * @typedef {object} HandedOut
 * @property {string} hash
 * @property {number} since when it took the place of another; 0: of none
 * @property {number} last when it was given last
 * @property {"noticed"|"named"} [refusal] what is known of it, and whether the host was told
 */

var TokenHook = class {
  #managed;
  #prototype;
  #original;
  /** @type {Function|null} */
  #replacement = null;
  /** @type {((details: object) => Promise<Answer>)|null} */
  #listener = null;
  /** @type {PromiseWithResolvers<void>} */
  #listenerArrived = Promise.withResolvers();
  #breakerUntil = 0;
  /**
   * What an object was given last, to name it when a server refused it.
   * @type {WeakMap<object, HandedOut>}
   */
  #handedOut = new WeakMap();
  /** Which object last got the token for IMAP. @type {Map<string, WeakRef<object>>} by user name in lower case */
  #ofMail = new Map();
  /** @type {Map<object, {promise: Promise<void>, abandon: () => void}>} */
  #waiting = new Map();

  /**
   * @param {object} prototype OAuth2.prototype
   * @param {{isMicrosoftAuthority: Function, isManaged: Function, resourceOf: Function}} managed which requests are ours
   */
  constructor(prototype, managed) {
    this.#prototype = prototype;
    this.#original = prototype?.connect;
    this.#managed = managed;
  }

  /**
   * @param {any} prototype
   * @returns {string|null} what this Thunderbird does differently, or null
   */
  static obstacle(prototype) {
    if (typeof prototype?.connect !== "function" || prototype.connect.length !== 2) {
      return "OAuth2.connect";
    }
    for (const field of ["accessToken", "refreshToken", "tokenExpires", "finishAuthorizationRequest", "onAuthorizationFailed"]) {
      if (!(field in prototype)) {
        return `OAuth2.${field}`;
      }
    }
    return Object.getOwnPropertyDescriptor(prototype, "tokenExpired")?.get ? null : "OAuth2.tokenExpired";
  }

  install() {
    const hook = this;
    // Thunderbird and other add-ons look at the number of parameters.
    this.#replacement = function connect(aWithUI, aRefresh) {
      return hook.#connect(this, aWithUI, aRefresh);
    };
    this.#prototype.connect = this.#replacement;
  }

  /** Leaves the wrapper of another add-on alone; ours beneath it then only passes on. */
  uninstall() {
    if (this.#prototype.connect === this.#replacement) {
      this.#prototype.connect = this.#original;
    }
    this.#replacement = null;
    for (const { abandon } of this.#waiting.values()) {
      abandon();
    }
  }

  /** @param {((details: object) => Promise<Answer>)|null} listener */
  setListener(listener) {
    this.#listener = listener;
    if (listener) {
      this.#listenerArrived.resolve();
    } else {
      this.#listenerArrived = Promise.withResolvers();
    }
  }

  /**
   * An IMAP login failed. The token it was made with, where that is sure, is named to the host by the next connection.
   * @param {string} account
   * @returns {boolean} whether the next connection may fare better
   */
  loginFailed(account) {
    const oauth = this.#ofMail.get(account.toLowerCase())?.deref();
    const handedOut = oauth && this.#handedOut.get(oauth);
    const now = Date.now();
    if (!handedOut || handedOut.refusal === "named" || now - handedOut.since < SHARED_REFUSAL_MS || now - handedOut.last > LOGIN_MS) {
      return false;
    }
    handedOut.refusal = "noticed";
    return true;
  }

  #openBreaker() {
    this.#breakerUntil = Date.now() + BREAKER_MS;
  }

  /** The background has the host again. */
  closeBreaker() {
    this.#breakerUntil = 0;
  }

  #connect(oauth, withUI, refresh) {
    const resource = this.#resourceIfOurs(oauth);
    if (!resource) {
      return this.#original.call(oauth, withUI, refresh);
    }
    const already = this.#waiting.get(oauth);
    if (already) {
      return already.promise;
    }
    // After a saved sign-in was removed this is null, and the caller reads its length.
    oauth.refreshToken ??= "";
    return this.#wait(oauth, resource, { withUI, refresh });
  }

  #resourceIfOurs(oauth) {
    try {
      const { authorizationEndpoint, username, scope } = oauth;
      const ours = this.#replacement && this.#managed.isMicrosoftAuthority(authorizationEndpoint) && this.#managed.isManaged(username);
      return ours ? this.#managed.resourceOf(scope) : null;
    } catch (error) {
      // An exception out of connect() would stop the prompts of every account.
      console.error(error);
      return null;
    }
  }

  /** Puts up what the original would while it waits, so that cancelling and quitting work. */
  #wait(oauth, resource, manner) {
    const { promise, resolve, reject } = Promise.withResolvers();
    Object.assign(oauth, { _promise: promise, _resolve: resolve, _reject: reject });
    Services.obs.addObserver(oauth, QUIT);
    const finished = Promise.withResolvers();
    const deadline = setTimeout(() => {
      this.#openBreaker();
      finished.resolve(null);
    }, ANSWER_DEADLINE_MS);
    const done = () => {
      clearTimeout(deadline);
      if (this.#waiting.get(oauth)?.promise === promise) {
        this.#waiting.delete(oauth);
        removeQuitObserver(oauth);
      }
    };
    this.#waiting.set(oauth, { promise, abandon: () => finished.resolve({ pass: Boolean(oauth.refreshToken) }) });
    promise.then(done, done);
    this.#ask(oauth, resource).then(finished.resolve, () => finished.resolve(null));
    finished.promise.then(answer => {
      // Cancelled meanwhile: the caller has its rejection, and the object may serve another request.
      if (this.#waiting.get(oauth)?.promise === promise) {
        done();
        try {
          if (answer?.accessToken && resource === "mail") {
            this.#ofMail.set(oauth.username.toLowerCase(), new WeakRef(oauth));
          }
          this.#settle(oauth, answer, manner, { resolve, reject });
        } catch (error) {
          reject(error);
        }
      }
    });
    return promise;
  }

  /** @returns {Promise<Answer|null>} null: decide without the host */
  async #ask(oauth, resource) {
    if (Date.now() < this.#breakerUntil) {
      return null;
    }
    const details = { account: oauth.username, resource, ownToken: Boolean(oauth.refreshToken), deadline: Date.now() + ANSWER_DEADLINE_MS };
    const handedOut = this.#handedOut.get(oauth);
    const dropped = handedOut && !oauth.accessToken && Date.now() - handedOut.since >= SHARED_REFUSAL_MS;
    if (handedOut && (dropped || handedOut.refusal === "noticed")) {
      details.rejected = handedOut.hash;
    }
    await this.#listenerArrived.promise;
    const answer = await this.#listener?.(details);
    if (handedOut && details.rejected && answer?.accessToken) {
      handedOut.refusal = "named";
    }
    if (answer?.failure === "timeout") {
      this.#openBreaker();
    } else {
      this.#breakerUntil = 0;
    }
    return UNANSWERED.has(answer?.failure ?? "") ? null : (answer ?? null);
  }

  #settle(oauth, answer, { withUI, refresh }, { resolve, reject }) {
    const living = () => oauth.accessToken && !oauth.tokenExpired && !refresh;
    if (answer?.accessToken) {
      this.#handOver(oauth, answer);
      resolve();
    } else if (answer?.failure) {
      this.#takeBack(oauth);
      reject(rejection(answer.failure));
    } else if (answer?.pass) {
      if (this.#isOurs(oauth)) {
        this.#takeBack(oauth);
      }
      // For a living token the original returns `_promise`, which is the one that is being settled.
      resolve(living() ? undefined : this.#original.call(oauth, withUI, refresh));
    } else if (living()) {
      resolve();
    } else {
      // Thunderbird's own sign-in may open a browser or a dialog: only where the answer says so.
      reject(rejection("thunderseal_unavailable"));
    }
  }

  #handOver(oauth, { accessToken, expiresAt }) {
    const hash = sha256Hex(accessToken);
    const before = this.#handedOut.get(oauth);
    const last = Date.now();
    this.#handedOut.set(oauth, before?.hash === hash ? { ...before, last } : { hash, since: before ? last : 0, last });
    oauth.accessToken = accessToken;
    oauth.tokenExpires = expiresAt * 1000;
  }

  /** Where no server refused it, it is not to be named as refused. */
  #takeBack(oauth) {
    if (oauth.accessToken) {
      oauth.accessToken = null;
      if (this.#handedOut.get(oauth)?.refusal !== "noticed") {
        this.#handedOut.delete(oauth);
      }
    }
  }

  #isOurs(oauth) {
    return Boolean(oauth.accessToken) && this.#handedOut.get(oauth)?.hash === sha256Hex(oauth.accessToken);
  }
};

/** cancelPrompt() and the quit itself remove it too. */
function removeQuitObserver(oauth) {
  try {
    Services.obs.removeObserver(oauth, QUIT);
  } catch {
    // Gone already.
  }
}
