// SPDX-License-Identifier: MPL-2.0

/** What the pages show: the accounts of this Thunderbird beside what the host knows about them. */

import { actionsFor, wordsFor } from "./account_view.mjs";

/**
 * @typedef {object} Server an incoming or outgoing server as the experiment describes it
 * @property {string} account
 * @property {string} type
 * @property {string} authMethod
 * @property {boolean} ownLogin Thunderbird has a sign-in of its own stored
 */

/**
 * @typedef {object} AccountView
 * @property {string} account
 * @property {string[]} protocols
 * @property {string} state as it is shown
 * @property {string} words the key of the text about the state
 * @property {string|null} signInAs another name that signs in for it
 * @property {import("./rpc_client.mjs").Problem|null} problem
 * @property {string[]} actions which buttons it has
 */

/**
 * @typedef {object} Overview
 * @property {string} [language] the policy's choice; else Thunderbird's own is right
 * @property {{state: string, version: string, fallback: "thunderbird"|"none"}} host
 * @property {{installed: boolean, obstacle: string|null}} bridge
 * @property {AccountView[]} accounts
 */

/**
 * Distinct user names of incoming and outgoing servers, each with its protocols.
 * @param {Server[]} servers
 * @returns {Map<string, {account: string, protocols: string[], passwordOnly: boolean, ownLogin: boolean}>}
 */
export function groupByAccount(servers) {
  const groups = new Map();
  for (const { account, type, authMethod, ownLogin = false } of servers) {
    const name = account.toLowerCase();
    const group = groups.get(name) ?? { account, protocols: [], passwordOnly: true, ownLogin: false };
    if (!group.protocols.includes(type)) {
      group.protocols.push(type);
    }
    group.passwordOnly &&= authMethod !== "oauth2";
    group.ownLogin ||= ownLogin;
    groups.set(name, group);
  }
  return groups;
}

/**
 * @param {Server[]} servers
 * @param {{
 *   book: import("./account_book.mjs").AccountBook,
 *   signIns: import("./sign_ins.mjs").SignIns,
 *   failures: import("./failures.mjs").Failures,
 *   listing: import("./account_listing.mjs").AccountListing,
 * }} known
 * @param {import("./account_view.mjs").Situation} situation
 * @returns {AccountView[]}
 */
export function accountViews(servers, { book, signIns, failures, listing }, situation) {
  return [...groupByAccount(servers)].map(([name, { account, protocols, passwordOnly, ownLogin }]) => {
    const known = book.get(name);
    const open = signIns.of(name);
    const problem = /** @type {any} */ (failures.get(name) ?? open?.problem ?? known?.problem ?? null);
    const facts = {
      state: known?.state ?? "unlisted",
      passwordOnly,
      ownLogin,
      signIn: open ? /** @type {const} */ ("here") : signIns.isOpening(name) ? /** @type {const} */ ("opening") : null,
      vaultLocked: known?.state === "locked" || problem?.kind === "vault-locked",
      removable: situation.fallback !== "none" && listing.mayRemove(name),
    };
    return {
      account,
      protocols,
      state: facts.signIn ? "signing-in" : facts.state,
      words: wordsFor(facts, situation),
      signInAs: known && known.signInAs.toLowerCase() !== name ? known.signInAs : null,
      problem,
      actions: actionsFor(facts, situation),
    };
  });
}
