// SPDX-License-Identifier: MPL-2.0

/** The privileged part of the add-on: as little as possible, and no decision but "is it ours". */

"use strict";

const { AddonManager } = ChromeUtils.importESModule("resource://gre/modules/AddonManager.sys.mjs");
const { setTimeout } = ChromeUtils.importESModule("resource://gre/modules/Timer.sys.mjs");

/** A mail check that comes while the connection of a failed login ends is put on that one, and lost with it. */
const CONNECTION_END_MS = 1_000;

/** @type {any} the global of the script */ (this).tokenBridge = class extends ExtensionAPI {
  // Classes of the scripts that are loaded.
  /** @type {any} */
  #managed = null;
  /** @type {any} */
  #providers = null;
  /** @type {any} */
  #mailServers = null;
  /** @type {any} */
  #changes = null;
  /** @type {any} */
  #changeRecord = null;
  /** @type {any} */
  #hook = null;
  /** @type {any} */
  #refusedLogins = null;
  /** @type {string|null} */
  #obstacle = null;
  #uninstalling = false;
  /** The static onUninstall is never called for an API that an add-on brings along. */
  #watcher = {
    onUninstalling: ({ id }) => (this.#uninstalling ||= id === this.extension.id),
    onOperationCancelled: ({ id }) => (this.#uninstalling &&= id !== this.extension.id),
  };

  /** Runs before the background page: on most starts the first mail check comes before that one is ready. */
  onStartup() {
    try {
      const { ManagedAccounts } = this.#load("managed_accounts.js");
      const { TokenHook } = this.#load("token_hook.js");
      const { SignInProviders } = this.#load("sign_in_providers.js");
      const { MailServers } = this.#load("mail_servers.js");
      this.#providers = new SignInProviders();
      this.#mailServers = new MailServers(this.#providers);
      this.#managed = new ManagedAccounts(this.#providers);
      this.#changes = this.#serverChanges();
      AddonManager.addAddonListener(this.#watcher);
      const { OAuth2 } = ChromeUtils.importESModule("resource:///modules/OAuth2.sys.mjs");
      this.#obstacle = TokenHook.obstacle(OAuth2.prototype);
      if (!this.#obstacle) {
        // Where this alone is different, the worldwide cloud's accounts still are served.
        this.#obstacle = SignInProviders.obstacle();
        this.#providers.use(this.#managed.providers);
        this.#hook = new TokenHook(OAuth2.prototype, this.#managed);
        this.#hook.install();
        this.#refusedLogins = this.#watchLogins();
      }
    } catch (error) {
      this.#obstacle = String(error);
    }
  }

  /**
   * Loads a script beside this one into a scope of its own: the global here belongs to all add-ons.
   * @param {string} file
   * @returns {Record<string, any>} what it declares with `var`
   */
  #load(file) {
    const target = {};
    const address = this.extension.rootURI.resolve(`experiments/tokenBridge/${file}`);
    Services.scriptloader.loadSubScriptWithOptions(address, { target, ignoreCache: true, allowUnsafeURL: true });
    return target;
  }

  #serverChanges() {
    const { ServerSettings, setUserValue } = this.#load("server_settings.js");
    const { socketTypeName, authMethodName } = this.#load("mail_servers.js");
    const { ServerChanges } = this.#load("server_changes.js");
    const { ChangeRecord } = this.#load("change_record.js");
    this.#changeRecord = new ChangeRecord();
    return new ServerChanges({
      record: this.#changeRecord,
      servers: ServerSettings,
      logins: this.#load("stored_logins.js").StoredLogins,
      folders: this.#load("folder_references.js").FolderReferences,
      setUserValue,
      isMicrosoftAuthority: endpoint => this.#managed.isMicrosoftAuthority(endpoint),
      describe: ({ socketType, authMethod, ...settings }) => ({ ...settings, socketType: socketTypeName(socketType), authMethod: authMethodName(authMethod) }),
    });
  }

  /** A token that was refused is replaced at once, and not when the user looks for mail the next time. */
  #watchLogins() {
    const { RefusedLogins } = this.#load("refused_logins.js");
    const toCheck = new Set();
    const refusedLogins = new RefusedLogins(account => {
      if (this.#hook.loginFailed(account) && !toCheck.has(account)) {
        toCheck.add(account);
        setTimeout(() => {
          toCheck.delete(account);
          this.#mailServers.check(account);
        }, CONNECTION_END_MS);
      }
    });
    refusedLogins.watch();
    return refusedLogins;
  }

  onShutdown(isAppShutdown) {
    if (isAppShutdown) {
      return;
    }
    this.#refusedLogins?.stop();
    this.#hook?.uninstall();
    this.#providers?.withdraw();
    AddonManager.removeAddonListener(this.#watcher);
    if (this.#uninstalling) {
      this.#managed?.forget();
      this.#changeRecord?.forget();
    }
  }

  getAPI(context) {
    const hook = this.#hook;
    const managed = this.#managed;
    const providers = this.#providers;
    const servers = this.#mailServers;
    const changes = this.#changes;
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
        getStatus: async () => ({ installed: Boolean(hook), obstacle: this.#obstacle, fallback: managed?.fallback ?? null }),
        setManaged: async settings => {
          managed?.save(settings);
          if (hook) {
            providers.use(managed.providers);
            hook.closeBreaker();
          }
        },
        listServers: async () => servers?.list() ?? [],
        checkMail: async account => servers?.check(account),
        disconnect: async account => servers?.disconnect(account),
        listSettings: async customHosts => changes?.list(customHosts) ?? [],
        changeSettings: async (wanted, customHosts) => changes?.apply(wanted, customHosts),
        restoreSettings: async keys => changes?.restore(keys),
        revertSettings: async keys => changes?.revert(keys),
        settleSettings: async () => changes?.settle(),
        checkSettings: async keys => changes?.check(keys) ?? false,
        deletePasswords: async keys => changes?.deletePasswords(keys),
        ownRefreshToken: async (account, app) => changes?.ownRefreshToken(account, app) ?? null,
        deleteOwnSignIn: async account => changes?.deleteOwnSignIn(account),
        proxyFor: async address => servers?.proxyFor(address) ?? null,
      },
    };
  }
};
