// SPDX-License-Identifier: MPL-2.0

/** What the pages can have done, by name: the add-on's own orders, and the host's methods that need nothing of it. */

import { checkedServers } from "./checked_servers.mjs";
import { openWebPage } from "./web_pages.mjs";

/** The host answers within these; more than its own deadline, so that its answer comes first. */
const HEALTH_DEADLINE_MS = 40_000;
/** Sealing and opening with a passphrase is slow on purpose. */
const BACKUP_DEADLINE_MS = 40_000;

/** Methods of the host that a page may ask for, with the deadline of each. */
const HOST_METHODS = /** @type {Record<string, number>} */ ({
  "account.list": 15_000,
  "audit.names": 15_000,
  "audit.read": 15_000,
  "audit.verify": 15_000,
  "backup.create": BACKUP_DEADLINE_MS,
  "backup.restore": BACKUP_DEADLINE_MS,
  "policy.get": 15_000,
  "report.create": 15_000,
  "settings.set": 15_000,
});

/**
 * @param {import("./companion.mjs").Companion} companion
 * @param {{
 *   tabs: import("./page_tabs.mjs").PageTabs,
 *   migration: import("./migration.mjs").Migration,
 *   welcome: import("./welcome.mjs").Welcome,
 * }} parts
 * @returns {Record<string, import("./pages.mjs").Order>}
 */
export function ordersOf(companion, { tabs, migration, welcome }) {
  const { host } = companion;
  return {
    /** A button of an account; what goes wrong is shown with the account. */
    act: ({ action, account, signInAs }) => companion.actions.perform({ action, account, signInAs }),

    /** What the user sends to the administrator about an account. */
    adminText: ({ account }) => companion.adminText({ account }),

    /** A section by its name, or wherever the user was. */
    openDashboard: ({ section }) => tabs.openDashboard({ section }),

    /** The welcome page, or one of those beside it. */
    openWelcome: ({ page }) => welcome.open(page),

    /** A page of Microsoft's, in the system's browser. */
    openWebPage: ({ address }) => openWebPage(address),

    /** Asks the host as it is. */
    ask: async ({ method, params }, context) => {
      if (!Object.hasOwn(HOST_METHODS, method)) {
        throw new Error(`${method}: not for pages`);
      }
      const result = await host.request(method, params, HOST_METHODS[method], context);
      if (method === "settings.set") {
        await companion.policyChanged(result.policy);
      }
      return result;
    },

    /** For settings that are read at its start. Whether it was started anew: not while it is at work. */
    restartHost: () => companion.actions.startHostAnew(),

    /**
     * The health check of this Thunderbird's accounts and servers, or of one account; all checks, or those named.
     * `leftOut` beside the report: servers that the host does not take.
     */
    checkHealth: async ({ account, checks }, context) => {
      const { servers, leftOut } = await checkedServers(account ? [account.toLowerCase()] : undefined);
      const params = { ...(account ? { accounts: [account] } : {}), ...(checks ? { checks } : {}), servers };
      return { ...(await host.request("health.check", params, HEALTH_DEADLINE_MS, context)), leftOut };
    },

    /** Settings that can be put right, and those that were. */
    "migration.view": () => migration.view(),
    "migration.switch": ({ account }) => migration.switch(account),
    "migration.takeOver": ({ account }) => migration.takeOver(account),
    "migration.undo": ({ account }) => migration.undo(account),
    "migration.deletePassword": ({ account }) => migration.deletePassword(account),
    "migration.deleteOwnSignIn": ({ account }) => migration.deleteOwnSignIn(account),
  };
}
