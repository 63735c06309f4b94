// SPDX-License-Identifier: MPL-2.0

/**
 * What the servers of an account need: which permissions at sign-in, which token later. A sign-in takes the place of the
 * one before with all its permissions, so each asks for those of every account that the same name signs in for.
 */

/* global messenger */

import { cloudNamed } from "./clouds.mjs";
import { groupByAccount } from "./overview.mjs";

const GRAPH_PERMISSIONS = ["User.Read", "MailboxFolder.ReadWrite", "Mail.ReadWrite", "Mail.Send"];

/** By protocol of a server. The host asks by itself for what IMAP and SMTP need. */
const MAIL_PERMISSIONS = /** @type {Record<string, string[]>} */ ({
  imap: ["IMAP.AccessAsUser.All", "SMTP.Send"],
  pop3: ["POP.AccessAsUser.All", "SMTP.Send"],
  smtp: ["SMTP.Send"],
});

/**
 * @param {(name: string) => boolean} concerns by account in lower case
 * @returns {Promise<string[]>} each once
 */
async function protocolsWhere(concerns) {
  const groups = [...groupByAccount(await messenger.tokenBridge.listServers())];
  return [...new Set(groups.flatMap(([name, { protocols }]) => (concerns(name) ? protocols : [])))];
}

/**
 * @param {string[]} protocols
 * @returns {{outlook: string[], graph: string[]}|null} permissions by resource; null: those that the host asks for by itself
 */
function permissionsFor(protocols) {
  const usesGraph = protocols.includes("graph");
  if (!usesGraph && !protocols.includes("pop3")) {
    return null;
  }
  return { outlook: [...new Set(protocols.flatMap(protocol => MAIL_PERMISSIONS[protocol] ?? []))], graph: usesGraph ? GRAPH_PERMISSIONS : [] };
}

export class ServerNeeds {
  #host;
  #book;
  #settings;

  /**
   * @param {import("./host_connection.mjs").HostConnection} host
   * @param {import("./account_book.mjs").AccountBook} book
   * @param {import("./settings.mjs").Settings} settings
   */
  constructor(host, book, settings) {
    this.#host = host;
    this.#book = book;
    this.#settings = settings;
  }

  /**
   * @param {string} name in lower case
   * @param {string} signInAs
   */
  #isServed(name, signInAs) {
    return Boolean(this.#book.get(name)) && this.#book.signsInAs(name) === signInAs.toLowerCase();
  }

  /**
   * @param {string} signInAs
   * @returns {Promise<string[]>} what a sign-in by this name asks for now, without the resources
   */
  async permissions(signInAs) {
    const { outlook, graph } = permissionsFor(await protocolsWhere(name => this.#isServed(name, signInAs))) ?? { outlook: MAIL_PERMISSIONS.imap, graph: [] };
    return [...outlook, ...graph];
  }

  /**
   * @param {string} account
   * @param {string[]} [planned] protocols of servers that are set otherwise until the sign-in
   * @returns {Promise<string[]|undefined>} undefined: the host's default
   */
  async scopes(account, planned = []) {
    const signInAs = this.#book.signsInAs(account);
    const present = await protocolsWhere(name => name === account.toLowerCase() || this.#isServed(name, signInAs));
    const permissions = permissionsFor([...present, ...planned]);
    if (!permissions) {
      return undefined;
    }
    // Whose cloud it is in, the policy may say by name or by domain; the host knows.
    const { account: { cloud: name } } = await this.#host.request("account.add", { account });
    const cloud = cloudNamed(name, this.#settings.policy);
    const { outlook, graph } = permissions;
    return cloud && [...outlook.map(permission => `${cloud.outlook}/${permission}`), ...graph.map(permission => `${cloud.graph}/${permission}`)];
  }

  /**
   * @param {string} account
   * @returns {Promise<{account: string, protocol?: "graph"}>} parameters of token.get for the token that its servers take
   */
  async token(account) {
    const protocols = await protocolsWhere(name => name === account.toLowerCase());
    const alone = protocols.includes("graph") && !protocols.some(protocol => protocol in MAIL_PERMISSIONS);
    return { account, ...(alone ? { protocol: "graph" } : {}) };
  }
}
