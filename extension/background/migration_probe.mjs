// SPDX-License-Identifier: MPL-2.0

/** Tries settings out before they are made: the host logs in to the servers just as they are planned. */

/** More than the host needs for all of these checks, so that its answer comes first. */
const DEADLINE_MS = 40_000;

const BASE = ["sign-in", "token", "scopes", "settings"];

/**
 * @param {Pick<import("./host_connection.mjs").HostConnection, "request">} host
 * @param {import("./migration_plan.mjs").AccountPlan} plan
 * @returns {Promise<void>} rejects with a problem that says what does not work
 */
export async function probe(host, { account, servers }) {
  const planned = servers.map(({ server: { type }, planned: { username: _, ...settings } }) => ({ account, type, ...settings }));
  const types = [...new Set(planned.map(({ type }) => type))];
  const checks = [...BASE, ...types];
  const { report } = await host.request("health.check", { accounts: [account], servers: planned, checks }, DEADLINE_MS);
  /** @type {any[]} */
  const results = report.checks.filter((/** @type {any} */ { id }) => checks.includes(id));
  const works = types.every(type => isGood(results.filter(({ id }) => id === type)));
  if (!works) {
    // The first that failed is the cause of those that were skipped for it.
    const { detail = "", remedy, adminRemedy } = results.find(({ status }) => status === "fail") ?? results.find(({ status }) => status === "skipped") ?? {};
    throw Object.assign(new Error(detail), { kind: "probe", data: { kind: "probe", cause: detail, remedy, adminRemedy } });
  }
}

/** @param {{status: string}[]} results of one protocol */
function isGood(results) {
  return results.length > 0 && results.every(({ status }) => status === "ok" || status === "warn");
}
