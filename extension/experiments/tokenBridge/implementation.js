// SPDX-License-Identifier: MPL-2.0

/** The privileged part of the add-on: as little as possible, and no decision but "is it ours". */

/* global ExtensionAPI, ExtensionCommon */

"use strict";

this.tokenBridge = class extends ExtensionAPI {
  /** The scripts beside this one, in a scope of their own: this global belongs to all add-ons. */
  #parts = {};
  #managed;
  #hook = null;
  /** @type {string|null} */
  #obstacle = null;

  /** Runs before the background page: on most starts the first mail check comes before that one is ready. */
  onStartup() {
    for (const file of ["managed_accounts.js", "token_hook.js", "mail_servers.js"]) {
      const address = this.extension.rootURI.resolve(`experiments/tokenBridge/${file}`);
      Services.scriptloader.loadSubScriptWithOptions(address, { target: this.#parts, ignoreCache: true, allowUnsafeURL: true });
    }
    const { ManagedAccounts, TokenHook } = this.#parts;
    this.#managed = new ManagedAccounts();
    try {
      const { OAuth2 } = ChromeUtils.importESModule("resource:///modules/OAuth2.sys.mjs");
      this.#obstacle = TokenHook.obstacle(OAuth2.prototype);
      if (!this.#obstacle) {
        this.#hook = new TokenHook(OAuth2.prototype, this.#managed);
        this.#hook.install();
      }
    } catch (error) {
      this.#obstacle = String(error);
    }
  }

  onShutdown(isAppShutdown) {
    if (!isAppShutdown) {
      this.#hook?.uninstall();
    }
  }

  getAPI(context) {
    const hook = this.#hook;
    const { MailServers } = this.#parts;
    return {
      tokenBridge: {
        onTokenRequest: new ExtensionCommon.EventManager({
          context,
          name: "tokenBridge.onTokenRequest",
          register(fire) {
            hook?.setListener(details => fire.async(details));
            return () => hook?.setListener(null);
          },
        }).api(),
        getStatus: async () => ({ installed: Boolean(hook), obstacle: this.#obstacle }),
        setManaged: async settings => {
          this.#managed.save(settings);
          hook?.closeBreaker();
        },
        listServers: async () => MailServers.list(),
        checkMail: async account => MailServers.check(account),
        disconnect: async account => MailServers.disconnect(account),
        proxyFor: address => MailServers.proxyFor(address),
      },
    };
  }
};
