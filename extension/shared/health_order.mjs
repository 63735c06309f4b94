// SPDX-License-Identifier: MPL-2.0

/** The checks of a health report: their order, their groups, what they come to. */

/**
 * @typedef {object} Check
 * @property {string} id
 * @property {string|null} account
 * @property {"ok"|"warn"|"fail"|"skipped"} status
 * @property {string} title
 * @property {string} detail
 * @property {string[]} [causes] likeliest first
 * @property {string} [remedy]
 * @property {string} [adminRemedy]
 * @property {number} [latencyMs]
 * @property {Record<string, any>} [evidence]
 */

/** @typedef {{startedAt: number, finishedAt: number, overall: "ok"|"warn"|"fail", checks: Check[]}} Report */

/** As the protocol lists them: from this computer outwards. */
const IDS = [
  "versions", "policy", "vault", "audit", "clock", "authority", "sign-in", "token", "scopes", "settings", "imap", "pop3", "smtp", "graph",
  "offline-copy", "deadlines",
];

/** @param {Check} check one of a later version comes last */
function rank({ id }) {
  const index = IDS.indexOf(id);
  return index < 0 ? IDS.length : index;
}

/** @param {Check} check what it is about; a skipped one says only a part of that */
function subjectOf({ id, account, evidence = {} }) {
  return JSON.stringify([account, id, evidence.hostname ?? evidence.authority ?? null, evidence.port ?? null]);
}

/**
 * What tells each check from all others of a report: those about the same are numbered.
 * @param {Check[]} checks
 * @returns {Map<Check, string>}
 */
export function keysOf(checks) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  return new Map(checks.map(check => {
    const subject = subjectOf(check);
    const number = counts.get(subject) ?? 0;
    counts.set(subject, number + 1);
    return [check, `${subject} ${number}`];
  }));
}

/**
 * @param {Check[]} checks in the order in which they were done
 * @returns {{account: string|null, checks: Check[]}[]} what belongs to no account first, then account by account
 */
export function groupsOf(checks) {
  /** @type {Map<string, {account: string|null, checks: Check[]}>} */
  const groups = new Map();
  for (const check of checks) {
    const name = check.account?.toLowerCase() ?? "";
    const group = groups.get(name) ?? { account: check.account, checks: [] };
    group.checks.push(check);
    groups.set(name, group);
  }
  const sorted = [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
  sorted.forEach(group => group.checks.sort((a, b) => rank(a) - rank(b)));
  return sorted;
}

/**
 * @param {Check[]} checks
 * @returns {[string, number][]} how many have each status, the worst first
 */
export function countsOf(checks) {
  return ["fail", "warn", "ok", "skipped"].map(status => [status, checks.filter(check => check.status === status).length]);
}
