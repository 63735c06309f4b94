// SPDX-License-Identifier: MPL-2.0

/** What the servers of an account need: which permissions at sign-in, which token later. */

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
 * @param {string} account
 * @returns {Promise<string[]>}
 */
async function protocolsOf(account) {
  return groupByAccount(await messenger.tokenBridge.listServers()).get(account.toLowerCase())?.protocols ?? [];
}

export class ServerNeeds {
  #host;
  #settings;

  /**
   * @param {import("./host_connection.mjs").HostConnection} host
   * @param {import("./settings.mjs").Settings} settings
   */
  constructor(host, settings) {
    this.#host = host;
    this.#settings = settings;
  }

  /**
   * @param {string} account
   * @param {string[]} [planned] protocols of servers that are set otherwise until the sign-in
   * @returns {Promise<string[]|undefined>} undefined: the host's default
   */
  async scopes(account, planned = []) {
    const protocols = [...new Set([...(await protocolsOf(account)), ...planned])];
    const usesGraph = protocols.includes("graph");
    if (!usesGraph && !protocols.includes("pop3")) {
      return undefined;
    }
    // Whose cloud it is in, the policy may say by name or by domain; the host knows.
    const { account: { cloud: name } } = await this.#host.request("account.add", { account });
    const cloud = cloudNamed(name, this.#settings.policy);
    const mail = new Set(protocols.flatMap(protocol => MAIL_PERMISSIONS[protocol] ?? []));
    const graph = usesGraph ? GRAPH_PERMISSIONS : [];
    return cloud && [...[...mail].map(permission => `${cloud.outlook}/${permission}`), ...graph.map(permission => `${cloud.graph}/${permission}`)];
  }

  /**
   * @param {string} account
   * @returns {Promise<{account: string, protocol?: "graph"}>} parameters of token.get for the token that its servers take
   */
  async token(account) {
    const protocols = await protocolsOf(account);
    const alone = protocols.includes("graph") && !protocols.some(protocol => protocol in MAIL_PERMISSIONS);
    return { account, ...(alone ? { protocol: "graph" } : {}) };
  }
}
