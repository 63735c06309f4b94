// SPDX-License-Identifier: MPL-2.0

/** What Thunderbird's password store holds for mail servers: kept over a change of their settings, deleted when told so. */

/* exported StoredLogins */

const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const { OAuth2Providers } = ChromeUtils.importESModule("resource:///modules/OAuth2Providers.sys.mjs");

/** Under which scheme passwords are stored; those of POP stood under its own name in old profiles. */
const SCHEMES = { imap: ["imap"], pop3: ["mailbox", "pop3"], smtp: ["smtp"] };

/** In the realm of a sign-in stand its permissions, each with the address of the service. */
const MAIL_PERMISSION = /(^|\/)(IMAP\.AccessAsUser\.All|POP\.AccessAsUser\.All|SMTP\.Send)$/i;
const EWS_PERMISSION = /(^|\/)EWS\.AccessAsUser\.All$/i;

/**
 * @typedef {object} Named a server as it is or was
 * @property {string} type
 * @property {string} hostname
 * @property {string} username
 */

/** @param {string} address */
function originOf(address) {
  return Services.io.newURI(address).prePath;
}

/** @param {Named} server @returns {string|undefined} with whom Thunderbird itself would sign in */
function issuerOf({ hostname, type }) {
  return OAuth2Providers.getHostnameDetails(hostname, type)?.issuer;
}

/** @param {string} origin */
function loginsOf(origin) {
  return Services.logins.searchLoginsAsync({ origin });
}

/** @param {any} login nsILoginInfo */
function guidOf(login) {
  return login.QueryInterface(Ci.nsILoginMetaInfo).guid;
}

/** Thunderbird 140 has but the older form. @param {any} login nsILoginInfo */
async function remove(login) {
  const { logins } = Services;
  await ("removeLoginAsync" in logins ? logins.removeLoginAsync(login) : logins.removeLogin(login));
}

/** Thunderbird 140 has but the older form. @param {any} login nsILoginInfo @param {any} wanted nsILoginInfo */
async function modify(login, wanted) {
  const { logins } = Services;
  await ("modifyLoginAsync" in logins ? logins.modifyLoginAsync(login, wanted) : logins.modifyLogin(login, wanted));
}

/** @param {Named} server */
function passwordOriginsOf({ type, hostname }) {
  return (SCHEMES[type] ?? []).map(scheme => `${scheme}://${hostname}`);
}

/** @param {Named} server */
async function passwordsOf(server) {
  const found = await Promise.all(passwordOriginsOf(server).map(loginsOf));
  return found.flat().filter(({ username }) => username === server.username);
}

/** @param {Named} server */
async function signInsOf(server) {
  const issuer = issuerOf(server);
  const logins = issuer ? await loginsOf(`oauth://${issuer}`) : [];
  return logins.filter(({ username }) => username.toLowerCase() === server.username.toLowerCase());
}

/** @param {Named} server @returns {boolean} whether the same user has an account of Exchange Web Services, which signs in by itself */
function hasExchange({ username }) {
  const name = username.toLowerCase();
  return MailServices.accounts.allServers.some(one => one.type === "ews" && one.username.toLowerCase() === name);
}

/** @param {Named} server @returns {Promise<any[]>} Thunderbird's own sign-ins for mail, without those that something else needs as well */
async function mailSignInsOf(server) {
  const isShared = hasExchange(server);
  return (await signInsOf(server)).filter(({ httpRealm }) => {
    const permissions = (httpRealm ?? "").split(" ");
    const has = (/** @type {RegExp} */ pattern) => permissions.some(one => pattern.test(one));
    return has(MAIL_PERMISSION) && !(isShared && has(EWS_PERMISSION));
  });
}

var StoredLogins = class {
  /** @returns {boolean} whether looking asks the user for the primary password */
  static get locked() {
    return !Services.logins.isLoggedIn;
  }

  /**
   * Thunderbird drops or moves the login of a server whose name changes. Here it stays where it was until the user
   * says otherwise.
   * @param {Named[]} servers as they are before
   * @param {() => void} change
   */
  static async keep(servers, change) {
    const found = await Promise.all(servers.flatMap(server => [passwordsOf(server), signInsOf(server)]));
    const before = new Map(found.flat().map(login => [guidOf(login), login.clone()]));
    try {
      change();
    } finally {
      const origins = new Set([...[...before.values()].map(({ origin }) => origin), ...servers.flatMap(passwordOriginsOf)]);
      const after = new Map((await Promise.all([...origins].map(loginsOf))).flat().map(login => [guidOf(login), login]));
      for (const [guid, login] of before) {
        const now = after.get(guid);
        if (!now) {
          await Services.logins.addLoginAsync(login);
        } else if (!now.equals(login)) {
          await modify(now, login);
        }
      }
    }
  }

  /**
   * @param {Named[]} servers
   * @returns {Promise<boolean>} false where it cannot be seen without asking the user
   */
  static async holdPassword(servers) {
    if (StoredLogins.locked) {
      return false;
    }
    return (await Promise.all(servers.map(passwordsOf))).flat().length > 0;
  }

  /** @param {Named[]} servers */
  static async deletePasswords(servers) {
    for (const login of (await Promise.all(servers.map(passwordsOf))).flat()) {
      await remove(login).catch(whenGone);
    }
  }

  /**
   * @param {Named} server
   * @returns {{clientId: string, tokenEndpoint: string}|null} as what Thunderbird itself would sign in, and where
   */
  static appOf(server) {
    const issuer = issuerOf(server);
    return issuer ? OAuth2Providers.getIssuerDetails(issuer) : null;
  }

  /**
   * @param {Named} server
   * @returns {Promise<{clientId: string, authority: string}|null>} for which app Thunderbird has a sign-in of its own for mail
   */
  static async ownSignIn(server) {
    const app = StoredLogins.appOf(server);
    if (!app || StoredLogins.locked || !(await mailSignInsOf(server)).length) {
      return null;
    }
    return { clientId: app.clientId, authority: originOf(app.tokenEndpoint) };
  }

  /**
   * @param {Named} server
   * @returns {Promise<string>} Thunderbird's own refresh token, of several that of most permissions
   */
  static async ownRefreshToken(server) {
    const logins = await mailSignInsOf(server);
    logins.sort((one, other) => other.httpRealm.length - one.httpRealm.length);
    return logins[0].password;
  }

  /** @param {Named} server */
  static async deleteOwnSignIns(server) {
    for (const login of await mailSignInsOf(server)) {
      await remove(login).catch(whenGone);
    }
  }
};

/** Two servers share a login; it was deleted with the first. @param {any} error */
function whenGone(error) {
  if (!/not found|doesn't exist|No matching/i.test(String(error))) {
    throw error;
  }
}
