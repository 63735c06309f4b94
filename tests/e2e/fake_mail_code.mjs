// SPDX-License-Identifier: MPL-2.0

/** Thunderbird's mail code and its parent process in the hands of a test of the hook. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import vm from "node:vm";
import { FakeTimers } from "./fakes.mjs";

const SCRIPTS = resolve(import.meta.dirname, "../../extension/experiments/tokenBridge");
const MICROSOFT = "https://login.microsoftonline.com/common/oauth2/v2.0/authorize";
export const MAIL = "https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/SMTP.Send offline_access";

/** Thunderbird's table of who signs in where, in the part that is used. */
class FakeProviders {
  issuers = new Map([["login.microsoftonline.com", { authorizationEndpoint: MICROSOFT }]]);
  hosts = new Map([["office365.com", "login.microsoftonline.com"]]);

  /** @param {string} host @returns {{issuer: string}|undefined} */
  getHostnameDetails(host) {
    const known = [...this.hosts.keys()].find(name => host === name || host.endsWith(`.${name}`));
    return known ? { issuer: /** @type {string} */ (this.hosts.get(known)) } : undefined;
  }

  /** @param {string} issuer */
  getIssuerDetails(issuer) {
    return this.issuers.get(issuer);
  }

  /** @param {{name: string}} details @param {string[]} hosts @param {object} scopes */
  registerProvider({ name, ...details }, hosts, scopes) {
    this.issuers.set(name, { ...details, scopes });
    hosts.forEach(host => this.hosts.set(host, name));
  }

  /** @param {string} issuer */
  unregisterProvider(issuer) {
    this.issuers.delete(issuer);
    [...this.hosts].filter(([, name]) => name === issuer).forEach(([host]) => this.hosts.delete(host));
  }
}

/** What the scripts find in Thunderbird's parent process. */
export class FakeThunderbird {
  timers = new FakeTimers();
  providers = new FakeProviders();
  preferences = new Map();
  quitObservers = new Set();

  /** @param {string[]} names in lower case */
  constructor(names = ["ada@contoso.test"]) {
    this.preferences.set("extensions.thunderseal.managed", JSON.stringify({ rule: "listed", names }));
  }

  /**
   * @param {string} file
   * @returns {any} what it declares
   */
  load(file) {
    const now = this.timers.now;
    class FakeDate extends Date {
      static now = now;
    }
    const scope = vm.createContext({
      console: { error() {} },
      Date: FakeDate,
      ChromeUtils: { importESModule: () => ({ setTimeout: this.timers.setTimeout, clearTimeout: this.timers.clearTimeout, OAuth2Providers: this.providers }) },
      Ci: { nsICryptoHash: { SHA256: 1 } },
      Cc: { "@mozilla.org/security/hash;1": { createInstance: () => new FakeHash() } },
      Services: this.#services(),
    });
    vm.runInContext(readFileSync(join(SCRIPTS, file), "utf8"), scope);
    return scope;
  }

  #services() {
    const { preferences, quitObservers } = this;
    return {
      io: {
        newURI: (/** @type {string} */ text) => {
          const { protocol, host, username } = new URL(text);
          const prePath = `${protocol}//${username ? `${username}@` : ""}${host}`;
          return { prePath, schemeIs: (/** @type {string} */ scheme) => protocol === `${scheme}:` };
        },
      },
      prefs: {
        getStringPref: (/** @type {string} */ name, /** @type {string} */ otherwise) => preferences.get(name) ?? otherwise,
        setStringPref: (/** @type {string} */ name, /** @type {string} */ value) => preferences.set(name, value),
        clearUserPref: (/** @type {string} */ name) => preferences.delete(name),
      },
      obs: {
        addObserver: (/** @type {object} */ observer) => quitObservers.add(observer),
        removeObserver: (/** @type {object} */ observer) => {
          if (!quitObservers.delete(observer)) {
            throw new Error("NS_ERROR_FAILURE");
          }
        },
      },
    };
  }
}

class FakeHash {
  #hash = createHash("sha256");
  init() {}
  /** @param {number[]} bytes */
  update(bytes) {
    this.#hash.update(Buffer.from(bytes));
  }
  finish() {
    return this.#hash.digest("latin1");
  }
}

/**
 * The hook in a mail code that only notes what reaches it.
 * @param {(details: any) => Promise<any>} [listener]
 */
export function setUp(listener) {
  const thunderbird = new FakeThunderbird();
  const { TokenHook } = thunderbird.load("token_hook.js");
  const { ManagedAccounts } = thunderbird.load("managed_accounts.js");
  const { SignInProviders } = thunderbird.load("sign_in_providers.js");
  const providers = new SignInProviders();
  /** @type {any[]} */
  const originals = [];
  const prototype = {
    accessToken: null,
    refreshToken: null,
    tokenExpires: 0,
    /** @param {boolean} aWithUI @param {boolean} aRefresh */
    connect(aWithUI, aRefresh) {
      originals.push([aWithUI, aRefresh]);
      return Promise.resolve("original");
    },
    get tokenExpired() {
      return this.tokenExpires < thunderbird.timers.now();
    },
    onAuthorizationFailed() {
      /** @type {any} */ (this)._reject("cancelled");
    },
    finishAuthorizationRequest() {
      thunderbird.quitObservers.delete(this);
    },
  };
  const original = prototype.connect;
  assert.equal(TokenHook.obstacle(prototype), null);
  const hook = new TokenHook(prototype, new ManagedAccounts(providers));
  hook.install();
  if (listener) {
    hook.setListener(listener);
  }
  const account = (/** @type {object} */ fields = {}) =>
    Object.assign(Object.create(prototype), { authorizationEndpoint: MICROSOFT, username: "Ada@contoso.test", scope: MAIL, ...fields });
  return { hook, prototype, original, originals, account, providers, TokenHook, thunderbird, timers: thunderbird.timers };
}
