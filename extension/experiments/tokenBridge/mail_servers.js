// SPDX-License-Identifier: MPL-2.0

/** The mail servers of this Thunderbird that sign in at Microsoft, and what no WebExtension API does with them. */

/* exported MailServers */

const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const { OAuth2Providers } = ChromeUtils.importESModule("resource:///modules/OAuth2Providers.sys.mjs");

const MICROSOFT_ISSUER = "login.microsoftonline.com";

const SUBMISSION_PORT = 587;
const SMTPS_PORT = 465;

const INCOMING_TYPES = new Set(["imap", "pop3", "ews", "graph"]);

/** Thunderbird 140 spells it with a capital N. @param {any} server nsIMsgIncomingServer */
function hostnameOf(server) {
  return server.hostname ?? server.hostName;
}

/** @param {number} type */
function socketTypeName(type) {
  switch (type) {
    case Ci.nsMsgSocketType.SSL:
      return "tls";
    case Ci.nsMsgSocketType.alwaysSTARTTLS:
      return "starttls";
    default:
      return "plain";
  }
}

/** @param {number} method */
function authMethodName(method) {
  switch (method) {
    case Ci.nsMsgAuthMethod.OAuth2:
      return "oauth2";
    case Ci.nsMsgAuthMethod.passwordCleartext:
    case Ci.nsMsgAuthMethod.passwordEncrypted:
      return "password";
    default:
      return "other";
  }
}

/** @param {any} server nsIMsgIncomingServer */
function describeIncoming(server) {
  return {
    account: server.username,
    type: server.type,
    hostname: hostnameOf(server),
    port: server.port,
    socketType: socketTypeName(server.socketType),
    authMethod: authMethodName(server.authMethod),
    ...(server.type === "imap" ? { offlineCopy: server.QueryInterface(Ci.nsIImapIncomingServer).offlineDownload } : {}),
  };
}

/** @param {any} server nsISmtpServer; without a port of its own it has that which Thunderbird then sends by */
function portOf({ port, socketType }) {
  return port || (socketType === Ci.nsMsgSocketType.SSL ? SMTPS_PORT : SUBMISSION_PORT);
}

/** @param {any} server nsISmtpServer */
function describeOutgoing(server) {
  return {
    account: server.username,
    type: server.type,
    hostname: server.hostname,
    port: portOf(server),
    socketType: socketTypeName(server.socketType),
    authMethod: authMethodName(server.authMethod),
  };
}

/** @param {string} host a name or an address, as it stands in a URL: that of IPv6 in brackets, which a user may have typed */
function inUrl(host) {
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}

/** @param {any} server nsIMsgIncomingServer; account set-up tries one that belongs to no account yet */
function isOnTrial(server) {
  return !MailServices.accounts.findAccountForServer(server);
}

var MailServers = class {
  #providers;

  /** @param {{hasIssuer: (issuer: string) => boolean, issuers: string[]}} providers of clouds that Thunderbird does not know */
  constructor(providers) {
    this.#providers = providers;
  }

  /**
   * @param {string} hostname
   * @param {string} type
   */
  #signsInAtMicrosoft(hostname, type) {
    const issuer = hostname && OAuth2Providers.getHostnameDetails(hostname, type)?.issuer;
    return issuer === MICROSOFT_ISSUER || this.#providers.hasIssuer(issuer);
  }

  /** @returns {any[]} nsIMsgIncomingServer */
  #incoming() {
    return MailServices.accounts.allServers.filter(
      server => INCOMING_TYPES.has(server.type) && this.#signsInAtMicrosoft(hostnameOf(server), server.type),
    );
  }

  /** @param {string} account */
  #incomingOf(account) {
    const name = account.toLowerCase();
    return this.#incoming().filter(server => server.username.toLowerCase() === name);
  }

  /** @returns {Promise<Set<string>>} user names in lower case for which Thunderbird has a sign-in of its own */
  async #ownLogins() {
    if (!Services.logins.isLoggedIn) {
      // Looking would ask the user for the primary password.
      return new Set();
    }
    const issuers = [MICROSOFT_ISSUER, ...this.#providers.issuers];
    const found = await Promise.all(issuers.map(issuer => Services.logins.searchLoginsAsync({ origin: `oauth://${issuer}` })));
    return new Set(found.flat().map(({ username }) => username.toLowerCase()));
  }

  /** @returns {Promise<object[]>} incoming and outgoing servers whose user name is an address */
  async list() {
    const own = await this.#ownLogins();
    const incoming = this.#incoming().filter(server => !isOnTrial(server)).map(describeIncoming);
    // A serverURI has no host where the name is none, and throws.
    const outgoing = MailServices.outgoingServer.servers
      .filter(({ type }) => type === "smtp")
      .map(server => server.QueryInterface(Ci.nsISmtpServer))
      .filter(server => this.#signsInAtMicrosoft(server.hostname, server.type))
      .map(describeOutgoing);
    const addresses = [...incoming, ...outgoing].filter(({ account }) => account.includes("@"));
    return addresses.map(server => ({ ...server, ownLogin: own.has(server.account.toLowerCase()) }));
  }

  /**
   * Looks for new mail as Thunderbird's own timer does: no alert when it fails.
   * @param {string} account
   */
  check(account) {
    for (const server of this.#incomingOf(account)) {
      server.performBiff(null);
    }
  }

  /**
   * Closes the connections that were made with tokens that are to be used no longer.
   * @param {string} account
   */
  disconnect(account) {
    for (const server of this.#incomingOf(account)) {
      server.closeCachedConnections();
    }
  }

  /**
   * The proxy that Thunderbird would use, which may stand in a script that only it can read.
   * @param {string} address
   * @returns {Promise<string|null>}
   */
  proxyFor(address) {
    const { promise, resolve } = Promise.withResolvers();
    const service = Cc["@mozilla.org/network/protocol-proxy-service;1"].getService(Ci.nsIProtocolProxyService);
    const channel = Services.io.newChannelFromURI(
      Services.io.newURI(address),
      null,
      Services.scriptSecurityManager.getSystemPrincipal(),
      null,
      Ci.nsILoadInfo.SEC_ALLOW_CROSS_ORIGIN_SEC_CONTEXT_IS_NULL,
      Ci.nsIContentPolicy.TYPE_OTHER,
    );
    service.asyncResolve(channel, 0, {
      onProxyAvailable(_request, _channel, proxy) {
        const scheme = { http: "http", https: "https", socks: "socks5h", socks4: "socks4a" }[proxy?.type];
        resolve(scheme ? `${scheme}://${inUrl(proxy.host)}:${proxy.port}` : null);
      },
    });
    return promise;
  }
};
