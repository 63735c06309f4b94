// SPDX-License-Identifier: MPL-2.0

/**
 * Thunderbird knows the sign-in of Microsoft's worldwide cloud only: for a mail server of another it offers no OAuth2,
 * and asks no one for a token. Here it is told of the clouds in use. It then also can go on by itself without the host.
 */

/* exported SignInProviders */

const { OAuth2Providers } = ChromeUtils.importESModule("resource:///modules/OAuth2Providers.sys.mjs");

/** Parameters of registerProvider: Thunderbird 140 takes them one by one, later versions most of them in one object. */
const ONE_BY_ONE = 9;
const IN_AN_OBJECT = 3;

const HOST_NAME = /^[a-z0-9-]+(\.[a-z0-9-]+)+$/;
const CLIENT_ID = /^[\w.-]+$/;
const TENANT = /^[\w.-]+$/;

/** @param {string} address */
function originOf(address) {
  const uri = Services.io.newURI(address);
  return uri.schemeIs("https") ? uri.prePath : null;
}

/**
 * @param {SignInProvider} provider of the background, or of a pref that someone may have edited
 * @returns {boolean}
 */
function isValid(provider) {
  try {
    const { issuer, authority, tenant, clientId, redirectHost, resource, hosts } = provider;
    return (
      Boolean(issuer) &&
      originOf(authority) === authority &&
      originOf(resource) === resource &&
      TENANT.test(tenant) &&
      CLIENT_ID.test(clientId) &&
      ["localhost", "127.0.0.1"].includes(redirectHost) &&
      hosts.every(host => HOST_NAME.test(host))
    );
  } catch {
    return false;
  }
}

var SignInProviders = class {
  /** @type {SignInProvider[]} those that Thunderbird took */
  #registered = [];

  /** @returns {string|null} what this Thunderbird does differently, or null */
  static obstacle() {
    const fits = [ONE_BY_ONE, IN_AN_OBJECT].includes(OAuth2Providers.registerProvider?.length);
    return fits && OAuth2Providers.unregisterProvider ? null : "OAuth2Providers.registerProvider";
  }

  /**
   * Puts these in the place of those before.
   * @param {SignInProvider[]} providers
   */
  use(providers) {
    if (SignInProviders.obstacle()) {
      return;
    }
    this.withdraw();
    for (const provider of providers.filter(isValid)) {
      // What Thunderbird or another add-on knows stays as it is.
      const hosts = provider.hosts.filter(host => !OAuth2Providers.getHostnameDetails(host, "imap"));
      if (hosts.length && !OAuth2Providers.getIssuerDetails(provider.issuer)) {
        try {
          this.#register({ ...provider, hosts });
        } catch (error) {
          // One cloud less is no reason to leave the accounts of the others.
          console.error(error);
        }
      }
    }
  }

  #register(provider) {
    const { issuer, authority, tenant, clientId, redirectHost, resource, hosts } = provider;
    const endpoint = `${authority}/${tenant}/oauth2/v2.0`;
    const [authorize, token, redirect] = [`${endpoint}/authorize`, `${endpoint}/token`, `http://${redirectHost}`];
    const scopes = {
      imap: `${resource}/IMAP.AccessAsUser.All`,
      pop3: `${resource}/POP.AccessAsUser.All`,
      smtp: `${resource}/SMTP.Send`,
      // Under a name of its own it is asked for, but not looked for in the answer, in which Microsoft leaves it out.
      session: "offline_access",
    };
    if (OAuth2Providers.registerProvider.length === ONE_BY_ONE) {
      OAuth2Providers.registerProvider(issuer, clientId, undefined, authorize, token, redirect, true, hosts, scopes);
    } else {
      const details = { authorizationEndpoint: authorize, tokenEndpoint: token, redirectionEndpoint: redirect };
      OAuth2Providers.registerProvider({ name: issuer, clientId, ...details, usePKCE: true, useExternalBrowser: true }, hosts, scopes);
    }
    this.#registered.push(provider);
  }

  withdraw() {
    for (const { issuer } of this.#registered) {
      OAuth2Providers.unregisterProvider(issuer);
    }
    this.#registered = [];
  }

  /**
   * @param {string} origin
   * @returns {boolean} whether sign-ins for servers that we named go there
   */
  hasAuthority(origin) {
    return this.#registered.some(({ authority }) => authority === origin);
  }

  /**
   * @param {string} resource
   * @returns {boolean}
   */
  hasResource(resource) {
    return this.#registered.some(one => one.resource === resource);
  }

  /**
   * @param {string} issuer
   * @returns {boolean} whether it is one that we told Thunderbird of
   */
  hasIssuer(issuer) {
    return this.#registered.some(one => one.issuer === issuer);
  }

  /** @returns {string[]} */
  get issuers() {
    return this.#registered.map(({ issuer }) => issuer);
  }
};
