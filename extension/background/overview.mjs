// SPDX-License-Identifier: MPL-2.0

/** What the pages show: the accounts of this Thunderbird beside what the host knows about them. */

import { actionsFor, primaryFor, wordsFor } from "./account_view.mjs";
import { isOffered, planFor } from "./migration_plan.mjs";

/** More would have to be read through; any other can be typed. */
const OTHER_NAMES_MAX = 6;

/**
 * @typedef {object} Server an incoming or outgoing server as the experiment describes it
 * @property {string} account
 * @property {string} type
 * @property {string} hostname
 * @property {number} port
 * @property {string} socketType
 * @property {string} authMethod
 * @property {boolean} ownLogin Thunderbird has a sign-in of its own stored
 */

/**
 * @typedef {object} AccountView
 * @property {string} account
 * @property {string[]} protocols
 * @property {string} state as it is shown
 * @property {string} label the key of the text that names how things stand
 * @property {string|null} words the key of a sentence about it; null: the problem's own says it
 * @property {string|null} signInAs another name that signs in for it
 * @property {number} mailboxes that its sign-in opens, itself among them
 * @property {string[]} otherNames that are signed in and could open it
 * @property {import("./rpc_client.mjs").Problem|null} problem
 * @property {string[]} actions which buttons it has
 * @property {string|null} primary the one of them that helps
 */

/**
 * @typedef {object} Overview
 * @property {string} [language] the policy's choice; else Thunderbird's own is right
 * @property {{state: string, fallback: "thunderbird"|"none", version: string, protocol: number, features: string[],
 *   warnings?: import("./rpc_client.mjs").Problem[]}} host `warnings`: what it found wrong at its start
 * @property {{installed: boolean, obstacle: string|null, lacksCloud: boolean}} bridge `obstacle`: what this Thunderbird has not
 *   as we need it; `lacksCloud`: an account may be in a cloud whose accounts cannot be signed in for that
 * @property {AccountView[]} accounts
 */

/**
 * Distinct user names of incoming and outgoing servers, each with its protocols.
 * @param {Server[]} servers
 * @returns {Map<string, {account: string, protocols: string[], passwordOnly: boolean, ewsOnly: boolean, ownLogin: boolean}>}
 */
export function groupByAccount(servers) {
  const groups = new Map();
  for (const { account, type, authMethod, ownLogin = false } of servers) {
    const name = account.toLowerCase();
    const group = groups.get(name) ?? { account, protocols: [], passwordOnly: true, ewsOnly: true, ownLogin: false };
    if (!group.protocols.includes(type)) {
      group.protocols.push(type);
    }
    group.passwordOnly &&= authMethod !== "oauth2";
    group.ewsOnly &&= type === "ews";
    group.ownLogin ||= ownLogin;
    groups.set(name, group);
  }
  return groups;
}

/**
 * As migration.mjs does, of servers with a password.
 * @param {Server[]} servers
 * @param {import("./account_view.mjs").Situation} situation
 * @returns {Set<string>} names, in lower case, for which it is offered to switch them to a secure sign-in
 */
function switchableNames(servers, situation) {
  if (!isOffered(situation)) {
    return new Set();
  }
  const known = servers.filter(({ authMethod }) => authMethod !== "oauth2").map(server => ({ ...server, username: server.account, addresses: [] }));
  const planned = planFor(/** @type {any[]} */ (known), situation.policy).flatMap(plan => plan.servers);
  return new Set(planned.map(({ server: { username } }) => username.toLowerCase()));
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
  const names = book.signInNames();
  const counts = book.mailboxCounts();
  const switchable = switchableNames(servers, situation);
  return [...groupByAccount(servers)].map(([name, { account, protocols, passwordOnly, ewsOnly, ownLogin }]) => {
    const known = book.get(name);
    const open = signIns.of(name);
    const problem = /** @type {any} */ (failures.get(name) ?? open?.problem ?? known?.problem ?? null);
    const signInAs = known && known.signInAs.toLowerCase() !== name ? known.signInAs : null;
    const facts = {
      state: known?.state ?? "unlisted",
      signInAs: known?.signInAs ?? account,
      ownSignIn: !signInAs,
      mailboxes: counts.get(name) ?? 0,
      renewable: known?.refreshToken?.present ?? false,
      problem,
      passwordOnly,
      switchable: switchable.has(name),
      ewsOnly,
      ownLogin,
      signIn: open ? /** @type {const} */ ("here") : signIns.isOpening(name) ? /** @type {const} */ ("opening") : null,
      vaultLocked: known?.state === "locked" || problem?.kind === "vault-locked",
      removable: situation.fallback !== "none" && listing.mayRemove(name),
    };
    const actions = actionsFor(facts, situation);
    return {
      account,
      protocols,
      state: facts.signIn ? "signing-in" : facts.state,
      ...wordsFor(facts, situation),
      signInAs,
      mailboxes: facts.mailboxes,
      otherNames: names.filter(one => one.toLowerCase() !== (signInAs ?? account).toLowerCase()).slice(0, OTHER_NAMES_MAX),
      problem,
      actions,
      primary: primaryFor(facts, actions),
    };
  });
}
