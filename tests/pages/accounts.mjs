// SPDX-License-Identifier: MPL-2.0

/** Accounts for the pages to show: as the background makes them of what the host and Thunderbird say. */

import { AccountBook } from "../../extension/background/account_book.mjs";
import { accountViews } from "../../extension/background/overview.mjs";

/** States of an account whose sign-in here has not succeeded yet, or cannot be read. */
const NO_REFRESH_TOKEN = ["signed-out", "signing-in", "locked"];

/**
 * @typedef {object} AccountState
 * @property {string} account
 * @property {string} [state] a state of the protocol; none: the host does not know it
 * @property {any} [problem]
 * @property {string} [signInAs]
 * @property {{present: boolean}|null} [refreshToken] absent: as is usual in the state
 * @property {string[]} [types] of its servers
 * @property {string} [authMethod]
 * @property {boolean} [ownLogin]
 * @property {{problem: any}|"opening"} [signIn] one that is open in the browser, or not yet
 * @property {any} [failure] what the user asked for last and did not get
 */

/**
 * @param {AccountState[]} accounts
 * @param {{hostState?: string, fallback?: "thunderbird"|"none", migrate?: "off"|"offer"|"auto", bridge?: object}} [situation]
 * @returns {import("../../extension/background/overview.mjs").Overview}
 */
export function overviewOf(accounts, { hostState = "connected", fallback = "thunderbird", migrate = "offer", bridge = {} } = {}) {
  const book = new AccountBook();
  for (const { account, state, problem = null, signInAs = account, refreshToken } of accounts) {
    if (state) {
      const usual = NO_REFRESH_TOKEN.includes(state) ? null : { present: true };
      book.update(/** @type {any} */ ({ account, signInAs, state, problem, refreshToken: refreshToken === undefined ? usual : refreshToken, cloud: "worldwide" }));
    }
  }
  const find = (/** @type {string} */ name) => accounts.find(({ account }) => account.toLowerCase() === name.toLowerCase());
  const known = {
    book,
    failures: { get: (/** @type {string} */ name) => find(name)?.failure },
    signIns: {
      of: (/** @type {string} */ name) => (typeof find(name)?.signIn === "object" ? find(name)?.signIn : undefined),
      isOpening: (/** @type {string} */ name) => find(name)?.signIn === "opening",
    },
    listing: { mayRemove: () => true },
  };
  const allOfBridge = { installed: true, obstacle: null, lacksCloud: false, ...bridge };
  const servers = accounts.flatMap(({ account, types = ["imap", "smtp"], authMethod = "oauth2", ownLogin = false }) =>
    types.map(type => ({ account, type, hostname: "outlook.office365.com", port: 993, socketType: "tls", authMethod, ownLogin })));
  return {
    host: { state: hostState, version: "0.1.0", fallback },
    bridge: allOfBridge,
    accounts: accountViews(servers, /** @type {any} */ (known), { hostState, takesTokens: allOfBridge.installed, fallback, manage: "listed", migrate, policy: {} }),
  };
}
