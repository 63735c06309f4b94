// SPDX-License-Identifier: MPL-2.0

/** What is wrong with the settings of mail servers at Microsoft, and what they should be. Changes nothing. */

import { cloudNamed, endpointOf } from "./clouds.mjs";

/** @typedef {{host: string, port: number, socketType: "tls"|"starttls", also: string[]}} Endpoint `also`: names that work, too */

/** @typedef {Partial<Record<string, Endpoint>>} MailServers by protocol */

/**
 * @param {string} host
 * @param {string} smtp
 * @param {string[]} also
 * @returns {MailServers}
 */
const exchange = (host, smtp, also = []) => ({
  imap: { host, port: 993, socketType: "tls", also },
  pop3: { host, port: 995, socketType: "tls", also },
  smtp: { host: smtp, port: 587, socketType: "starttls", also: [host, ...also] },
});

/**
 * By cloud, as in host/core/cloud.c.
 * @type {Record<string, MailServers>}
 */
export const MAIL_SERVERS = {
  worldwide: exchange("outlook.office365.com", "smtp.office365.com"),
  usgov: exchange("outlook.office365.us", "smtp.office365.us"),
  "usgov-dod": exchange("outlook-dod.office365.us", "outlook-dod.office365.us", ["webmail.apps.mil"]),
  china: exchange("partner.outlook.cn", "smtp.partner.outlook.cn"),
};

/** Accounts that belong to a person and to no organisation. */
const PERSONAL_SMTP = /** @type {Endpoint} */ ({ host: "smtp-mail.outlook.com", port: 587, socketType: "starttls", also: ["smtp.office365.com"] });
const PERSONAL_DOMAINS = /^(outlook|hotmail|live|msn)(\.[a-z]{2,3}){1,2}$/;

/**
 * @typedef {object} ServerSettings as the experiment describes them
 * @property {string} key
 * @property {"incoming"|"outgoing"} direction
 * @property {string} type
 * @property {string} hostname
 * @property {number} port
 * @property {string} socketType
 * @property {string} authMethod
 * @property {string} username
 * @property {string[]} addresses
 * @property {boolean} restart
 * @property {{clientId: string, authority: string}} [ownSignIn] for which app Thunderbird has a sign-in of its own
 * @property {{before: any, flowed: boolean, hasPassword: boolean}} [change] what was changed here
 */

/** @typedef {{hostname: string, port: number, socketType: "tls"|"starttls", authMethod: "oauth2", username: string}} Planned */

/** @typedef {"password"|"host"|"port"|"encryption"|"user-name"} Fault */

/** @typedef {{server: ServerSettings, planned: Planned, faults: Fault[]}} ServerPlan */

/** @typedef {{account: string, cloud: string, servers: ServerPlan[], faults: Fault[]}} AccountPlan */

/**
 * Whether settings of mail servers may be put right: where the program signs in for Thunderbird, and the policy lets it.
 * @param {Pick<import("./account_view.mjs").Situation, "hostState"|"takesTokens"|"migrate">} situation
 */
export const isOffered = ({ hostState, takesTokens, migrate }) => hostState === "connected" && takesTokens && migrate !== "off";

/**
 * An outgoing server without a port of its own has that which Thunderbird then sends by; as in mail_servers.js.
 * @param {ServerSettings} server
 */
const portOf = ({ port, socketType }) => port || (socketType === "tls" ? 465 : 587);

/** @param {string} address */
const domainOf = address => address.slice(address.lastIndexOf("@") + 1).toLowerCase();

/**
 * @param {string} account
 * @param {Record<string, any>} policy
 * @returns {string} the name of its cloud
 */
export function cloudOf(account, { cloud = "worldwide", accounts = {} }) {
  const rules = Object.fromEntries(Object.entries(accounts).map(([key, rule]) => [key.toLowerCase(), rule]));
  return rules[account.toLowerCase()]?.cloud ?? rules[`*@${domainOf(account)}`]?.cloud ?? cloud;
}

/** @param {string|undefined} text as the policy has it @returns {Endpoint|undefined} */
function customEndpoint(text) {
  const endpoint = endpointOf(text);
  return endpoint && { ...endpoint, also: [] };
}

/**
 * @param {string} account
 * @param {string} cloud
 * @param {Record<string, any>} policy
 * @returns {MailServers|undefined} undefined: a cloud of which nothing is known here
 */
function mailServersFor(account, cloud, { custom = {}, tenant }) {
  if (cloud === "custom") {
    return Object.fromEntries(["imap", "pop3", "smtp"].map(protocol => [protocol, customEndpoint(custom[protocol])]));
  }
  const known = Object.hasOwn(MAIL_SERVERS, cloud) ? MAIL_SERVERS[cloud] : undefined;
  const isPersonal = cloud === "worldwide" && (tenant === "consumers" || PERSONAL_DOMAINS.test(domainOf(account)));
  return known && isPersonal ? { ...known, smtp: PERSONAL_SMTP } : known;
}

/** @param {string} name */
const isAddress = name => /^[^@\s\\]+@[^@\s\\]+$/.test(name);

/**
 * The address that signs in. Old settings name the user without a domain, or as "user\mailbox".
 * @param {ServerSettings} server
 * @returns {string|undefined} undefined: nothing in the settings says it
 */
function addressOf({ username, addresses }) {
  const last = username.slice(username.lastIndexOf("\\") + 1);
  return isAddress(last) ? last : addresses.find(isAddress);
}

/**
 * @param {ServerSettings} server
 * @param {string} account
 * @param {MailServers} cloud
 * @returns {ServerPlan|undefined}
 */
function planServer(server, account, cloud) {
  const endpoint = cloud[server.type];
  if (!endpoint) {
    return undefined;
  }
  const { host, port, socketType, also } = endpoint;
  const hostname = also.includes(server.hostname.toLowerCase()) ? server.hostname.toLowerCase() : host;
  const isNamed = server.username.toLowerCase() === account.toLowerCase();
  const faults = /** @type {[Fault, boolean][]} */ ([
    ["password", server.authMethod !== "oauth2"],
    ["host", server.hostname.toLowerCase() !== hostname],
    ["port", portOf(server) !== port],
    ["encryption", server.socketType !== socketType],
    ["user-name", !isNamed],
  ]).flatMap(([fault, is]) => (is ? [fault] : []));
  return { server, planned: { hostname, port, socketType, authMethod: "oauth2", username: isNamed ? server.username : account }, faults };
}

/**
 * @param {ServerSettings} server
 * @returns {ServerPlan|undefined} of one that was changed here, whose old settings can be put back whatever the policy says
 */
function leaveChanged(server) {
  const { hostname, port, socketType, username } = server;
  const planned = /** @type {Planned} */ ({ hostname, port, socketType, authMethod: "oauth2", username });
  return server.change && { server, planned, faults: [] };
}

/**
 * @param {ServerSettings[]} servers
 * @returns {AccountPlan[]} where nothing is to be offered: those that were changed here, with nothing to do
 */
export function planChanged(servers) {
  return byAccount(servers, () => ({ cloud: "", plan: undefined }));
}

/**
 * @param {ServerSettings[]} servers
 * @param {Record<string, any>} policy as Settings has it
 * @returns {AccountPlan[]} by account, those with nothing to do too; of what the policy keeps away, only what was changed here
 */
export function planFor(servers, policy) {
  const { allowedDomains: domains = [] } = policy;
  return byAccount(servers, (server, account) => {
    if (domains.length && !domains.includes(domainOf(account))) {
      return { cloud: "", plan: undefined };
    }
    const cloud = cloudOf(account, policy);
    const mailServers = mailServersFor(account, cloud, policy);
    return { cloud, plan: mailServers && planServer(server, account, mailServers) };
  });
}

/**
 * The app and authority that the host has for an account, where Thunderbird's own sign-in is of the same.
 * @param {AccountPlan} plan
 * @param {Record<string, any>} policy as Settings has it
 * @returns {{clientId: string, authority: string}|null}
 */
export function sharedApp({ cloud, servers }, policy) {
  const { clientId } = policy;
  const known = cloudNamed(cloud, policy);
  const authority = known && new URL(known.authority).origin;
  const own = servers.some(({ server: { ownSignIn } }) => ownSignIn?.clientId === clientId && ownSignIn?.authority === authority);
  return own && authority ? { clientId, authority } : null;
}

/**
 * @param {ServerSettings[]} servers
 * @param {(server: ServerSettings, account: string) => {cloud: string, plan: ServerPlan|undefined}} planOf
 * @returns {AccountPlan[]}
 */
function byAccount(servers, planOf) {
  /** @type {Map<string, AccountPlan>} */
  const plans = new Map();
  for (const server of servers) {
    const account = addressOf(server);
    if (!account) {
      continue;
    }
    const { cloud, plan = leaveChanged(server) } = planOf(server, account);
    if (plan) {
      const name = account.toLowerCase();
      const all = plans.get(name) ?? { account, cloud, servers: [], faults: [] };
      plans.set(name, { ...all, servers: [...all.servers, plan], faults: [...new Set([...all.faults, ...plan.faults])] });
    }
  }
  return [...plans.values()];
}
