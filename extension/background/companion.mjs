// SPDX-License-Identifier: MPL-2.0

/** The add-on's own state and its reactions: to the host, to Thunderbird's mail code, to the user. */

/* global browser, messenger */

import { AccountActions } from "./account_actions.mjs";
import { AccountBook } from "./account_book.mjs";
import { AccountListing } from "./account_listing.mjs";
import { AccountNotices } from "./account_notices.mjs";
import { AccountSetup } from "./account_setup.mjs";
import { adminText } from "./admin_text.mjs";
import { cloudsInUse, lacksCloud } from "./clouds.mjs";
import { Failures, problemOf } from "./failures.mjs";
import { greeting, managedSettings } from "./greeting.mjs";
import { HostConnection } from "./host_connection.mjs";
import { HostNotice } from "./host_notice.mjs";
import { accountViews } from "./overview.mjs";
import { ServerNeeds } from "./server_needs.mjs";
import { Settings } from "./settings.mjs";
import { SignIns } from "./sign_ins.mjs";
import { chooseLanguage, text } from "../shared/texts.mjs";
import { TokenRequests } from "./token_requests.mjs";
import { Unlocking } from "./unlocking.mjs";
import { VaultNotice } from "./vault_notice.mjs";

const NATIVE_NAME = "thunderseal";

/** States of the connection in which the add-on steps aside. */
const ASIDE = new Set(["missing", "broken", "crashing", "outdated", "newer"]);

export class Companion {
  #book = new AccountBook();
  #settings = new Settings();
  #failures = new Failures();
  #host;
  #listing;
  #signIns;
  #tokenRequests;
  #accountSetup;
  #accountNotices;
  #hostNotice;
  #vaultNotice;
  #notices;
  #onChange;
  /** Accounts whose mail check came to nothing for want of a token, in lower case. */
  #unserved = new Set();
  /** What the host says of itself, and what it found wrong. @type {{version: string, protocol: number, features: string[], warnings: any[]}} */
  #hello = { version: "", protocol: 0, features: [], warnings: [] };
  /** @type {{installed: boolean, obstacle: string|null}} */
  #bridge = { installed: true, obstacle: null };
  /** What can be known without the host is known. */
  #started = Promise.withResolvers();
  unlocking;
  actions;

  /**
   * @param {import("./notices.mjs").Notices} notices
   * @param {() => void} onChange what the pages show is no longer right
   */
  constructor(notices, onChange) {
    this.#notices = notices;
    this.#onChange = onChange;
    this.#host = new HostConnection({
      connect: () => browser.runtime.connectNative(NATIVE_NAME),
      greeting,
      onState: (state, detail) => this.#afterwards(this.#hostChanged(state, detail)),
      onNotification: (method, params) => this.#afterwards(this.#notified(method, params)),
    });
    this.#accountNotices = new AccountNotices(notices, this.#book);
    this.#hostNotice = new HostNotice(notices);
    this.#listing = new AccountListing(this.#host, this.#book, this.#settings, account => this.#dropped(account));
    const openBrowser = (/** @type {string} */ address) => messenger.windows.openDefaultBrowser(address);
    this.#signIns = new SignIns(this.#host, openBrowser, (one, other) => this.#book.signsInAs(one) === this.#book.signsInAs(other));
    this.unlocking = new Unlocking(this.#host, {
      language: () => this.#settings.locale,
      onUnlocked: () => this.#unlocked(),
    });
    this.actions = new AccountActions({
      host: this.#host,
      book: this.#book,
      listing: this.#listing,
      signIns: this.#signIns,
      failures: this.#failures,
      needs: new ServerNeeds(this.#host, this.#book, this.#settings),
      unlocking: this.unlocking,
      onChange,
    });
    this.#vaultNotice = new VaultNotice(notices, () => this.unlocking.begin());
    this.#tokenRequests = new TokenRequests(this.#host, this.#book, this.#settings, {
      onSuccess: account => this.#served(account),
      onFailure: (account, kind) => this.#notServed(account, kind),
      onUnknown: account => this.#listing.unknown(account),
    });
    this.#accountSetup = new AccountSetup(notices, { signIn: account => this.#signInForSetup(account), unlock: () => this.unlocking.begin() });
  }

  async start() {
    this.#host.start();
    const [{ fallback, ...bridge }, managed] = await Promise.all([messenger.tokenBridge.getStatus(), managedSettings()]);
    this.#settings.remember(managed, fallback);
    await chooseLanguage(this.#settings.locale);
    this.#bridge = bridge;
    this.#started.resolve(undefined);
    if (!bridge.installed) {
      this.#notices.say("bridge", text("bridgeMissingTitle"), text("bridgeMissing"));
    }
    this.#changed();
  }

  /** @param {import("./token_requests.mjs").TokenRequest} request */
  async answerToken(request) {
    await this.#started.promise;
    return this.#tokenRequests.answer(request);
  }

  /** @param {string} account */
  #served(account) {
    this.#unserved.delete(account.toLowerCase());
    const isOver = this.#failures.get(account)?.kind !== this.#book.get(account)?.problem?.kind;
    // What the host still finds wrong while its cache lasts is kept as it was said with the refusal: that has more to it.
    if (isOver && this.#failures.forget(account)) {
      this.#changed();
    }
  }

  /**
   * @param {string} account
   * @param {string} kind
   */
  #notServed(account, kind) {
    this.#unserved.add(account.toLowerCase());
    this.#accountNotices.notServed(account);
    if (kind === "sign-in-required") {
      this.#accountSetup.ask(account).catch(error => console.error(error));
    }
  }

  /** The connection to the host, for orders that are not about the add-on's own state. */
  get host() {
    return this.#host;
  }

  get settings() {
    return this.#settings;
  }

  get book() {
    return this.#book;
  }

  /** Nothing keeps Thunderbird from signing in by itself where it does not ask here. */
  get #fallback() {
    return this.#bridge.installed ? this.#settings.fallback : "thunderbird";
  }

  /** @returns {import("./account_view.mjs").Situation} */
  get situation() {
    const { manage, migrate, policy } = this.#settings;
    return { hostState: this.#host.state, takesTokens: this.#bridge.installed, fallback: this.#fallback, manage, migrate, policy };
  }

  /**
   * What all pages show. Which accounts are here may have changed, of which nobody told.
   * @returns {Promise<import("./overview.mjs").Overview>}
   */
  async overview() {
    const servers = await messenger.tokenBridge.listServers();
    const { locale, policy } = this.#settings;
    const { situation } = this;
    this.#accountNotices.hereAre(servers.map(({ account }) => account));
    const known = { book: this.#book, signIns: this.#signIns, failures: this.#failures, listing: this.#listing };
    return {
      language: locale,
      host: { state: situation.hostState, fallback: situation.fallback, ...this.#hello },
      bridge: { ...this.#bridge, lacksCloud: lacksCloud(this.#bridge, cloudsInUse(policy, this.#book.all())) },
      accounts: accountViews(servers, known, situation),
    };
  }

  /**
   * What the user sends to the administrator about an account.
   * @param {{account: string}} params
   */
  adminText({ account }) {
    const { clientId } = this.#settings.policy;
    return adminText(this.#host, { account, problem: this.actions.problemOf(account) ?? {}, clientId, version: this.#hello.version });
  }

  /** @param {string} account */
  async #signInForSetup(account) {
    await this.actions.perform({ action: "signIn", account });
    return this.#failures.get(account);
  }

  /**
   * @param {string} state
   * @param {Record<string, any>} detail
   */
  async #hostChanged(state, detail) {
    this.#hostNotice.changed(state);
    if (state !== "connected") {
      this.unlocking.hostLost();
      this.#signIns.clear().forEach(account => this.#signInFailed(account, problemOf({ kind: "disconnected" })));
    }
    if (ASIDE.has(state)) {
      await this.#started.promise;
    }
    if (ASIDE.has(state) && this.#host.state === state) {
      this.#hostNotice.say(state, this.#fallback);
    }
    if (state === "connected") {
      const { host, protocol, features = [], warnings = [] } = detail.welcome;
      this.#hello = { version: host?.version ?? "", protocol, features, warnings };
      this.#settings.learn(detail.welcome.policy ?? {});
      // At once: what changes from now on comes after this.
      await Promise.all([this.#listing.refresh(detail.welcome), chooseLanguage(this.#settings.locale)]);
      this.#failures.forgetKind("disconnected", account => this.#book.isSignedIn(account));
      this.#tellWhenLocked().catch(error => console.error(error));
    }
  }

  /**
   * A setting was changed here, which the host has taken.
   * @param {Record<string, any>} policy as it is now
   */
  async policyChanged(policy) {
    this.#settings.learn(policy);
    await chooseLanguage(this.#settings.locale);
    await this.#listing.settingsChanged();
    this.#changed();
  }

  /** Most keyrings open without the user, who is told only of one that does not. */
  async #tellWhenLocked() {
    const concerned = async () => (await this.overview()).accounts.some(({ state }) => state === "locked");
    if ((await concerned()) && (await this.unlocking.staysLocked())) {
      this.#vaultNotice.say();
    }
  }

  #unlocked() {
    this.#failures.forgetKind("vault-locked");
    this.#accountSetup.unlocked().catch(error => console.error(error));
    this.#changed();
  }

  /** @param {string} account */
  #dropped(account) {
    this.#accountNotices.dropped(account);
    this.#changed();
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
        if (this.#bridge.installed) {
          this.#accountNotices.attention(params.account, params.problem);
        }
        break;
      case "signIn.retry":
        this.#signIns.retried(/** @type {any} */ (params));
        break;
      case "signIn.finished":
        await this.#signInFinished(/** @type {any} */ (params));
        break;
    }
  }

  /** @param {import("./account_book.mjs").Account} account */
  async #accountChanged(account) {
    const before = this.#book.get(account.account)?.state;
    this.#accountNotices.changed(account);
    if (account.state === "ready" && before !== "ready") {
      this.#failures.forget(account.account);
    }
    // Before anything is waited for: the next change may be here already.
    await this.#listing.update(account);
    if (account.state === "ready") {
      await this.#listing.signInEnded(account.account, true);
    }
    if (account.state === "signed-out" && before && before !== "signed-out") {
      // Wherever the user did it: connections made with the tokens that went are to go too.
      await messenger.tokenBridge.disconnect(account.account);
    }
    if (account.state === "ready" && this.#unserved.delete(account.account.toLowerCase())) {
      // Thunderbird's own next check may be ten minutes away.
      await messenger.tokenBridge.checkMail(account.account);
    }
  }

  /** @param {{signInId: string, account: string, ok: boolean, problem?: any}} outcome */
  async #signInFinished({ signInId, account, ok, problem }) {
    const awaited = this.#signIns.finished({ signInId });
    if (ok) {
      this.#failures.forget(account);
      const isSetUp = !this.#signIns.end(account, { ok }) && (await this.#accountSetup.concerns(account));
      this.#accountNotices.signedIn(account, isSetUp ? "signedInForSetUp" : "signedIn");
      await this.#listing.signInEnded(account, true);
      await messenger.tokenBridge.checkMail(account);
    } else if (awaited && problem && (problem.kind !== "cancelled" || !this.#signIns.goesOn(account))) {
      this.#signIns.end(account, { ok, problem });
      this.#signInFailed(account, problem);
      await this.#listing.signInEnded(account, false);
    }
  }

  /**
   * @param {string} account
   * @param {any} problem
   */
  #signInFailed(account, problem) {
    this.#failures.set(account, problem);
    this.#accountNotices.signInFailed(account, problem);
  }

  /** @param {Promise<void>} reaction to what came from the host; what is shown is no longer right, however it went */
  async #afterwards(reaction) {
    await reaction.catch(error => console.error(error));
    this.#changed();
  }

  #changed() {
    if (!this.#book.isLocked()) {
      this.#vaultNotice.withdraw();
    }
    this.#accountNotices.mark(!this.#bridge.installed || ASIDE.has(this.#host.state));
    this.#onChange();
  }
}
