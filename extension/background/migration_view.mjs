// SPDX-License-Identifier: MPL-2.0

/** What the pages show of an account whose settings can be put right, or were. */

/** @typedef {"signing-in"|"probing"|"changing"|"checking"|"restoring"} Step */

/**
 * What of a server is changed, and shown.
 * @typedef {Pick<import("./migration_plan.mjs").ServerSettings, "hostname"|"port"|"socketType"|"authMethod"|"username">} Settings
 */

/**
 * @typedef {object} AccountMigration
 * @property {string} account
 * @property {boolean} switched its settings were changed here
 * @property {Step|null} step what is being done
 * @property {{type: string, faults: string[], before: Settings, after: Settings}[]} servers that change or were changed
 * @property {boolean} canTakeOver Thunderbird's own sign-in can be taken over
 * @property {boolean} restart its folders get their new addresses by a restart
 * @property {boolean} restored the old settings were just put back
 * @property {import("./rpc_client.mjs").Problem|null} problem why the last try came to nothing
 * @property {string[]} actions
 */

/** @typedef {{mode: "off"|"offer"|"auto", accounts: AccountMigration[]}} MigrationView */

/**
 * @typedef {object} Facts
 * @property {Step|null} step
 * @property {import("./rpc_client.mjs").Problem|null} problem
 * @property {boolean} restored
 * @property {boolean} offered settings may be put right, and a sign-in be taken over
 * @property {boolean} canTakeOver
 * @property {boolean} tookOver the host has the sign-in that was Thunderbird's, and uses it
 */

/**
 * @param {Settings} settings or more
 * @returns {Settings}
 */
export function settingsOf({ hostname, port, socketType, authMethod, username }) {
  return { hostname, port, socketType, authMethod, username };
}

/**
 * @param {import("./migration_plan.mjs").AccountPlan} plan
 * @param {Facts} facts
 * @returns {AccountMigration}
 */
export function accountMigration(plan, facts) {
  const { account, servers } = plan;
  const { step, problem, restored, canTakeOver } = facts;
  const shown = servers.filter(({ server, faults }) => server.change || faults.length);
  return {
    account,
    switched: servers.some(({ server }) => server.change),
    step,
    servers: shown.map(({ server, planned, faults }) => {
      const now = settingsOf(server);
      return { type: server.type, faults, before: server.change?.before ?? now, after: faults.length ? planned : now };
    }),
    canTakeOver,
    restart: servers.some(({ server }) => server.restart),
    restored,
    problem,
    actions: step ? [] : actionsOf(plan, facts),
  };
}

/**
 * @param {import("./migration_plan.mjs").AccountPlan} plan
 * @param {Facts} facts
 * @returns {string[]}
 */
function actionsOf({ servers, faults }, { offered, canTakeOver, tookOver }) {
  const changes = servers.flatMap(({ server: { change } }) => change ?? []);
  return [
    ...(faults.length && offered ? ["switch"] : []),
    ...(canTakeOver && !faults.length && offered ? ["takeOver"] : []),
    ...(changes.length ? ["undo"] : []),
    ...(changes.some(({ hasPassword }) => hasPassword) && changes.every(({ flowed }) => flowed) ? ["deletePassword"] : []),
    ...(tookOver && servers.some(({ server }) => server.ownSignIn) ? ["deleteOwnSignIn"] : []),
  ];
}

/** @param {AccountMigration} account */
export function isWorthShowing({ actions, step, problem, restored }) {
  return actions.length > 0 || Boolean(step || problem) || restored;
}
