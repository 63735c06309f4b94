// SPDX-License-Identifier: MPL-2.0

/**
 * Which token requests of Thunderbird are ours: by authority, by user name, by scopes.
 * Read synchronously in the middle of a mail check, so everything needed stands in one pref.
 */

/* exported ManagedAccounts */

const MANAGED_PREF = "extensions.thunderseal.managed";

/** The sign-in services of Microsoft's clouds; compared as a whole with everything before the path. */
const AUTHORITY_ORIGINS = new Set([
  "https://login.microsoftonline.com",
  "https://login.microsoftonline.us",
  "https://login.partner.microsoftonline.cn",
  "https://login.chinacloudapi.cn",
]);

const MAIL_RESOURCES = new Set([
  "https://outlook.office.com",
  "https://outlook.office365.com",
  "https://outlook.office365.us",
  "https://outlook-dod.office365.us",
  "https://partner.outlook.cn",
]);

const GRAPH_RESOURCES = new Set([
  "https://graph.microsoft.com",
  "https://graph.microsoft.us",
  "https://dod-graph.microsoft.us",
  "https://microsoftgraph.chinacloudapi.cn",
]);

/** EWS is not among them: Microsoft has turned it off for what is not its own. */
const MAIL_PERMISSIONS = new Set(["IMAP.AccessAsUser.All", "POP.AccessAsUser.All", "SMTP.Send"]);
const GRAPH_PERMISSIONS = new Set(["User.Read", "MailboxFolder.ReadWrite", "Mail.ReadWrite", "Mail.Send"]);

/** They ask for no resource. */
const OPENID_SCOPES = new Set(["offline_access", "openid", "profile", "email"]);

/**
 * @typedef {object} ManagedSettings
 * @property {"listed"|"domains"|"all"} rule
 * @property {string[]} names user names in lower case, for "listed"
 * @property {string[]} domains for "domains"; none means every domain
 * @property {"thunderbird"|"none"} [fallback] what the host's policy said when it was last heard
 * @property {object[]} [providers] of the clouds in use, as sign_in_providers.js takes them
 */

var ManagedAccounts = class {
  /** @type {ManagedSettings} */
  #settings = { rule: "listed", names: [], domains: [] };
  #names = new Set();
  #providers;

  /** @param {{hasAuthority: Function, hasResource: Function}} providers of clouds that Thunderbird does not know */
  constructor(providers) {
    this.#providers = providers;
    try {
      this.#use(JSON.parse(Services.prefs.getStringPref(MANAGED_PREF, "{}")));
    } catch {
      // Someone edited the pref; the background writes it again after its first talk with the host.
      Services.prefs.clearUserPref(MANAGED_PREF);
    }
  }

  /** @param {Partial<ManagedSettings>} settings */
  #use({ rule = "listed", names = [], domains = [], fallback, providers = [] }) {
    this.#names = new Set(names);
    this.#settings = { rule, names, domains, fallback, providers: [...providers] };
  }

  /** @param {ManagedSettings} settings */
  save(settings) {
    this.#use(settings);
    Services.prefs.setStringPref(MANAGED_PREF, JSON.stringify(this.#settings));
  }

  /** Nothing of the add-on stays behind. */
  forget() {
    Services.prefs.clearUserPref(MANAGED_PREF);
  }

  /** @returns {object[]} */
  get providers() {
    return this.#settings.providers ?? [];
  }

  /** @returns {"thunderbird"|"none"|null} null: no host was heard yet */
  get fallback() {
    return this.#settings.fallback ?? null;
  }

  /**
   * @param {string|null|undefined} username
   * @returns {boolean}
   */
  isManaged(username) {
    const name = String(username ?? "").toLowerCase();
    const at = name.lastIndexOf("@");
    if (at < 1) {
      return false;
    }
    switch (this.#settings.rule) {
      case "all":
        return true;
      case "domains":
        return !this.#settings.domains.length || this.#settings.domains.includes(name.slice(at + 1));
      default:
        return this.#names.has(name);
    }
  }

  /**
   * @param {string} endpoint an authorization endpoint
   * @returns {boolean}
   */
  isMicrosoftAuthority(endpoint) {
    try {
      const origin = Services.io.newURI(endpoint).prePath;
      return AUTHORITY_ORIGINS.has(origin) || this.#providers.hasAuthority(origin);
    } catch {
      return false;
    }
  }

  /**
   * One access token serves one resource, so the scopes must all be of one.
   * @param {string|null} scopes separated by spaces
   * @returns {"mail"|"graph"|null} null: not wholly known
   */
  resourceOf(scopes) {
    const wanted = String(scopes ?? "").split(" ").filter(scope => scope && !OPENID_SCOPES.has(scope));
    const resources = new Set(wanted.map(scope => this.#resourceOfScope(scope)));
    const [resource = null] = resources;
    return resources.size === 1 ? resource : null;
  }

  /**
   * @param {string} scope
   * @returns {"mail"|"graph"|null} null: not one that we can answer for
   */
  #resourceOfScope(scope) {
    const slash = scope.lastIndexOf("/");
    const resource = scope.slice(0, slash);
    const permission = scope.slice(slash + 1);
    if (MAIL_PERMISSIONS.has(permission) && (MAIL_RESOURCES.has(resource) || this.#providers.hasResource(resource))) {
      return "mail";
    }
    return GRAPH_RESOURCES.has(resource) && GRAPH_PERMISSIONS.has(permission) ? "graph" : null;
  }
};
