// SPDX-License-Identifier: MPL-2.0

/** What the popup shows: the accounts of this Thunderbird beside what the host knows about them. */

/**
 * @typedef {object} Server an incoming or outgoing server as the experiment describes it
 * @property {string} account
 * @property {string} type
 * @property {string} authMethod
 */

/**
 * @typedef {object} AccountView
 * @property {string} account
 * @property {string[]} protocols
 * @property {string} state a state of the protocol, or "unlisted": nobody signed in here
 * @property {string|null} signInAs another name that signs in for it
 * @property {import("./rpc_client.mjs").Problem|null} problem
 * @property {boolean} inBrowser a sign-in is open in the browser
 * @property {boolean} passwordOnly its servers use a password, so no token is ever asked for
 */

/**
 * Distinct user names of incoming and outgoing servers, each with its protocols.
 * @param {Server[]} servers
 * @returns {Map<string, {account: string, protocols: string[], passwordOnly: boolean}>}
 */
export function groupByAccount(servers) {
  const groups = new Map();
  for (const { account, type, authMethod } of servers) {
    const name = account.toLowerCase();
    const group = groups.get(name) ?? { account, protocols: [], passwordOnly: true };
    if (!group.protocols.includes(type)) {
      group.protocols.push(type);
    }
    group.passwordOnly &&= authMethod !== "oauth2";
    groups.set(name, group);
  }
  return groups;
}

/**
 * @param {Server[]} servers
 * @param {import("./account_book.mjs").AccountBook} book
 * @param {import("./sign_ins.mjs").SignIns} signIns
 * @param {Map<string, import("./rpc_client.mjs").Problem>} failures of what the user last asked for, by name in lower case
 * @returns {AccountView[]}
 */
export function accountViews(servers, book, signIns, failures) {
  return [...groupByAccount(servers).entries()].map(([name, group]) => {
    const known = book.get(name);
    const open = signIns.of(name);
    return {
      ...group,
      state: known?.state ?? "unlisted",
      signInAs: known && known.signInAs.toLowerCase() !== name ? known.signInAs : null,
      problem: /** @type {any} */ (failures.get(name) ?? open?.problem ?? known?.problem ?? null),
      inBrowser: Boolean(open),
    };
  });
}
