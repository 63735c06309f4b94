// SPDX-License-Identifier: MPL-2.0

/** Microsoft's clouds as the add-on has to know them: a part of the host's table, host/core/cloud.c. */

/** @typedef {{authority: string, outlook: string, graph: string, hosts: string[]}} Cloud `hosts`: of its mail servers */

/** @type {Record<string, Cloud>} */
export const CLOUDS = {
  worldwide: {
    authority: "https://login.microsoftonline.com",
    outlook: "https://outlook.office.com",
    graph: "https://graph.microsoft.com",
    hosts: ["outlook.office365.com", "smtp.office365.com", "smtp-mail.outlook.com"],
  },
  usgov: {
    authority: "https://login.microsoftonline.us",
    outlook: "https://outlook.office365.us",
    graph: "https://graph.microsoft.us",
    hosts: ["outlook.office365.us", "smtp.office365.us"],
  },
  "usgov-dod": {
    authority: "https://login.microsoftonline.us",
    outlook: "https://outlook.office365.us",
    graph: "https://dod-graph.microsoft.us",
    hosts: ["outlook-dod.office365.us", "webmail.apps.mil"],
  },
  china: {
    authority: "https://login.partner.microsoftonline.cn",
    outlook: "https://partner.outlook.cn",
    graph: "https://microsoftgraph.chinacloudapi.cn",
    hosts: ["partner.outlook.cn", "smtp.partner.outlook.cn"],
  },
};

/**
 * @param {string|undefined} text "host:port" or "host:port/starttls"
 * @returns {{host: string, port: number, socketType: "tls"|"starttls"}|undefined}
 */
export function endpointOf(text) {
  const [, host, port, starttls] = /^([\w.-]+):(\d+)(\/starttls)?$/.exec(text ?? "") ?? [];
  return host ? { host: host.toLowerCase(), port: Number(port), socketType: starttls ? "starttls" : "tls" } : undefined;
}

/**
 * @param {Record<string, any>} policy the host's effective policy
 * @returns {string[]} the mail servers of the policy's own cloud
 */
export function customHosts({ custom = {} }) {
  const hosts = [custom.imap, custom.pop3, custom.smtp].flatMap(text => endpointOf(text)?.host ?? []);
  return [...new Set(hosts)];
}

/**
 * @param {string} name as the policy has it
 * @param {Record<string, any>} policy
 * @returns {Cloud|undefined} undefined: unknown, or "custom" without its endpoints
 */
export function cloudNamed(name, policy) {
  if (name !== "custom") {
    return Object.hasOwn(CLOUDS, name) ? CLOUDS[name] : undefined;
  }
  const { authority, resources } = policy.custom ?? {};
  return authority && resources ? { authority, outlook: resources.outlook, graph: resources.graph, hosts: customHosts(policy) } : undefined;
}

/**
 * @typedef {object} SignInProvider what Thunderbird has to know to sign in by itself in a cloud that it does not know
 * @property {string} issuer a name that Thunderbird has for no other
 * @property {string} authority `https://host[:port]`
 * @property {string} tenant
 * @property {string} clientId
 * @property {string} redirectHost
 * @property {string} resource of which the mail scopes are
 * @property {string[]} hosts
 */

/**
 * Without a client id nobody can sign in there, so there is none either.
 * @param {Record<string, any>} policy the host's effective policy
 * @param {string[]} names of the clouds that are in use
 * @returns {SignInProvider[]}
 */
export function signInProviders(policy, names) {
  const { clientId, tenant = "organizations", redirectHost = "localhost" } = policy;
  if (!clientId) {
    return [];
  }
  return [...new Set(names)].filter(name => name !== "worldwide").flatMap(name => {
    const cloud = cloudNamed(name, policy);
    if (!cloud) {
      return [];
    }
    const { authority, outlook: resource, hosts } = cloud;
    const { host } = new URL(authority);
    // Two clouds share an authority.
    const issuer = name === "usgov-dod" ? `dod.${host}` : host;
    return [{ issuer, authority: new URL(authority).origin, tenant, clientId, redirectHost, resource, hosts }];
  });
}

/**
 * @param {Record<string, any>} policy
 * @param {{cloud?: string}[]} accounts as the host knows them
 * @returns {string[]} names of all clouds in which there may be an account
 */
export function cloudsInUse({ cloud = "worldwide", accounts: rules = {} }, accounts) {
  const named = [...Object.values(rules), ...accounts].flatMap(one => one.cloud ?? []);
  return [...new Set([cloud, ...named])];
}

/**
 * Thunderbird knows the worldwide cloud by itself.
 * @param {{installed: boolean, obstacle: string|null}} bridge
 * @param {string[]} names of the clouds that are in use
 * @returns {boolean} whether it cannot be told of one of them
 */
export function lacksCloud({ installed, obstacle }, names) {
  return installed && obstacle !== null && names.some(name => name !== "worldwide");
}
