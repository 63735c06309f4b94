// SPDX-License-Identifier: MPL-2.0

/** The add-on's own state and its reactions: to the host, to Thunderbird's mail code, to the user. */

/* global browser */

import { AccountBook, allPages } from "./account_book.mjs";
import { HostConnection } from "./host_connection.mjs";
import { accountViews, groupByAccount } from "./overview.mjs";
import { SignIns, scopesFor } from "./sign_ins.mjs";
import { TokenRequests, replaceToken } from "./token_requests.mjs";

const NATIVE_NAME = "thunderseal";

/** For which address Thunderbird's proxy settings are asked. */
const DEFAULT_AUTHORITY = "https://login.microsoftonline.com/";

const HOST_SUBJECT = "host";

/** States of the connection in which the add-on steps aside. */
const ASIDE = new Set(["missing", "broken", "crashing", "incompatible"]);

const text = (/** @type {string} */ key, /** @type {string[]} */ ...parts) => browser.i18n.getMessage(key, parts);

export class Companion {
  #book = new AccountBook();
  #host;
  #signIns;
  #tokenRequests;
  #notices;
  #onChange;
  /** @type {Record<string, any>} the host's effective policy */
  #policy = {};
  #hostVersion = "";
  /** @type {Record<string, any>} */
  #managed = {};
  /** @type {{installed: boolean, obstacle: string|null}} */
  #bridge = { installed: true, obstacle: null };
  /** @type {Map<string, any>} */
  #failures = new Map();

  /**
   * @param {import("./notices.mjs").Notices} notices
   * @param {() => void} onChange what the popup shows is no longer right
   */
  constructor(notices, onChange) {
    this.#notices = notices;
    this.#onChange = onChange;
    this.#host = new HostConnection({
      connect: () => browser.runtime.connectNative(NATIVE_NAME),
      greeting: () => this.#greeting(),
      onState: (state, detail) => this.#hostChanged(state, detail),
      onNotification: (method, params) => this.#notified(method, params),
    });
    this.#signIns = new SignIns(this.#host, address => browser.windows.openDefaultBrowser(address));
    this.#tokenRequests = new TokenRequests(this.#host, this.#book, () => this.#setting("fallback", "thunderbird"));
  }

  async start() {
    this.#host.start();
    this.#bridge = await browser.tokenBridge.getStatus();
    if (!this.#bridge.installed) {
      this.#notices.say("bridge", text("bridgeMissingTitle"), text("bridgeMissing"));
    }
    this.#onChange();
  }

  /** @param {import("./token_requests.mjs").TokenRequest} request */
  answerToken(request) {
    return this.#tokenRequests.answer(request);
  }

  /** Everything that the popup shows. */
  async overview() {
    const servers = await browser.tokenBridge.listServers();
    return {
      host: { state: this.#host.state, version: this.#hostVersion },
      bridge: this.#bridge,
      accounts: accountViews(servers, this.#book, this.#signIns, this.#failures),
    };
  }

  /**
   * Does what a button says; a failure is shown with the account.
   * @param {{action: string, account?: string}} order
   */
  async perform({ action, account = "" }) {
    this.#failures.delete(account.toLowerCase());
    try {
      switch (action) {
        case "signIn":
          await this.#signIns.start(account, scopesFor(await this.#protocolsOf(account), this.#policy));
          break;
        case "cancelSignIn":
          await this.#signIns.cancel(account);
          break;
        case "signOut":
          await this.#host.request("signOut", { account });
          await browser.tokenBridge.disconnect(account);
          break;
        case "newToken":
          await replaceToken(this.#host, account);
          await browser.tokenBridge.checkMail(account);
          break;
        case "retryHost":
          this.#host.retry();
          break;
      }
    } catch (error) {
      this.#failures.set(account.toLowerCase(), problemOf(error));
    }
    this.#onChange();
  }

  /** @param {string} account */
  async #protocolsOf(account) {
    return groupByAccount(await browser.tokenBridge.listServers()).get(account.toLowerCase())?.protocols ?? [];
  }

  /** The parameters of hello. */
  async #greeting() {
    const [{ version }, proxy, managed] = await Promise.all([
      browser.runtime.getBrowserInfo(),
      browser.tokenBridge.proxyFor(DEFAULT_AUTHORITY),
      // Rejects where the administrator set nothing.
      browser.storage.managed.get().catch(() => ({})),
    ]);
    this.#managed = managed;
    return {
      extension: { version: browser.runtime.getManifest().version },
      thunderbird: { version },
      locale: browser.i18n.getUILanguage(),
      ...(proxy ? { proxy } : {}),
      ...(Object.keys(managed).length ? { managed } : {}),
    };
  }

  /**
   * @param {string} key
   * @param {any} otherwise
   */
  #setting(key, otherwise) {
    return this.#policy[key] ?? this.#managed[key] ?? otherwise;
  }

  /**
   * @param {string} state
   * @param {Record<string, any>} detail
   */
  async #hostChanged(state, detail) {
    if (state !== "connected") {
      this.#signIns.clear();
    }
    if (ASIDE.has(state)) {
      this.#notices.say(HOST_SUBJECT, text(`host_${state}_title`), text(`host_${state}_remedy`));
    }
    if (state === "connected") {
      this.#notices.withdraw(HOST_SUBJECT);
      await this.#welcomed(detail.welcome);
    }
    this.#changed();
  }

  /** @param {Record<string, any>} welcome the host's answer to hello */
  async #welcomed(welcome) {
    this.#policy = welcome.policy ?? {};
    this.#hostVersion = welcome.host?.version ?? "";
    const request = (/** @type {string} */ method, /** @type {object} */ params) => this.#host.request(method, params);
    this.#book.replaceAll(await allPages(request, welcome));
    await this.#addManagedAccounts();
    await this.#tellBridge();
  }

  /** Where the policy manages more than the listed accounts, the host is to know the others too. */
  async #addManagedAccounts() {
    const rule = this.#setting("manage", "listed");
    if (rule === "listed") {
      return;
    }
    const domains = this.#setting("allowedDomains", []);
    for (const [name, { account }] of groupByAccount(await browser.tokenBridge.listServers())) {
      const inDomain = !domains.length || domains.includes(name.slice(name.lastIndexOf("@") + 1));
      if (!this.#book.get(name) && (rule === "all" || inDomain)) {
        const added = await this.#host.request("account.add", { account }).catch(() => null);
        if (added) {
          this.#book.update(added.account);
        }
      }
    }
  }

  #tellBridge() {
    return browser.tokenBridge.setManaged({
      rule: this.#setting("manage", "listed"),
      names: this.#book.names(),
      domains: this.#setting("allowedDomains", []),
    });
  }

  /**
   * @param {string} method
   * @param {Record<string, any>} params
   */
  async #notified(method, params) {
    switch (method) {
      case "account.changed":
        await this.#accountChanged(params.account);
        break;
      case "attention":
        this.#notices.say(`account ${params.account}`, text("attentionTitle", params.account), sentences(params.problem));
        break;
      case "signIn.retry":
        this.#signIns.retried(/** @type {any} */ (params));
        break;
      case "signIn.finished":
        await this.#signInFinished(/** @type {any} */ (params));
        break;
    }
    this.#changed();
  }

  /** @param {import("./account_book.mjs").Account} account */
  async #accountChanged(account) {
    const isNew = !this.#book.get(account.account);
    this.#book.update(account);
    if (account.state === "ready") {
      this.#notices.withdraw(`account ${account.account}`);
    }
    if (isNew) {
      await this.#tellBridge();
    }
  }

  /** @param {{signInId: string, account: string, ok: boolean, problem?: any}} outcome */
  async #signInFinished({ signInId, account, ok, problem }) {
    const awaited = this.#signIns.finished({ signInId });
    if (ok) {
      this.#notices.say(`account ${account}`, text("signedInTitle"), text("signedIn", account));
      await this.#tellBridge();
      await browser.tokenBridge.checkMail(account);
    } else if (awaited && problem) {
      this.#failures.set(account.toLowerCase(), problem);
      this.#notices.say(`account ${account}`, text("signInFailedTitle", account), sentences(problem));
    }
  }

  #changed() {
    const aside = ASIDE.has(this.#host.state);
    const troubled = this.#book.troubled();
    browser.browserAction.setBadgeBackgroundColor({ color: "#b3261e" });
    browser.browserAction.setBadgeText({ text: aside ? "!" : troubled ? String(troubled) : "" });
    this.#onChange();
  }
}

/** @param {any} problem */
function sentences({ cause = "", remedy = "" }) {
  return [cause, remedy].filter(Boolean).join(" ");
}

/**
 * @param {any} error
 * @returns {import("./rpc_client.mjs").Problem}
 */
function problemOf({ kind = "internal", message = "", data = {} }) {
  const own = { timeout: "problemTimeout", disconnected: "problemDisconnected" }[/** @type {string} */ (kind)];
  return { kind, cause: data.cause ?? (own ? text(own) : message), remedy: data.remedy ?? "", adminRemedy: data.adminRemedy };
}
