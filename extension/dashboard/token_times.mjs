// SPDX-License-Identifier: MPL-2.0

/** From when to when sign-ins and access tokens are good, and where on the way we are. No document in here. */

/**
 * @typedef {object} Identity one sign-in, whatever the number of addresses that it opens
 * @property {string} signInAs
 * @property {string[]} accounts
 * @property {any} newest what the host says of it
 */

/**
 * @typedef {object} Track
 * @property {"signIn"|"token"} name
 * @property {string} resource host name; "" of the sign-in
 * @property {number} start Unix time
 * @property {number} end
 * @property {number} now from 0 to 1
 * @property {{name: "lastUsed"|"nextRenewal", at: number, place: number}[]} marks
 */

/**
 * @param {any[]} accounts as account.list has them
 * @returns {Identity[]}
 */
export function identitiesOf(accounts) {
  /** @type {Map<string, Identity>} */
  const found = new Map();
  for (const account of accounts) {
    const key = JSON.stringify([account.cloud, account.tenant, account.signInAs.toLowerCase()]);
    /** @type {Identity} */
    const identity = found.get(key) ?? { signInAs: account.signInAs, accounts: [], newest: account };
    identity.accounts.push(account.account);
    found.set(key, identity);
  }
  return [...found.values()];
}

/** @param {string} resource */
export function resourceName(resource) {
  try {
    return new URL(resource).hostname;
  } catch {
    return resource;
  }
}

/** @param {number} value @param {number} start @param {number} end */
function place(value, start, end) {
  return end > start ? Math.min(1, Math.max(0, (value - start) / (end - start))) : 1;
}

/**
 * The only access token came with the last use of the sign-in. Of several nobody knows which one did, nor which is renewed next:
 * these have no bar.
 * @param {any} account
 * @param {number} now Unix time
 * @returns {Track[]}
 */
export function tracksOf({ refreshToken, tokens, nextRenewal }, now) {
  if (!refreshToken?.present) {
    return [];
  }
  const { obtainedAt, lastUsedAt, idleExpiresAt } = refreshToken;
  const signIn = {
    name: /** @type {const} */ ("signIn"),
    resource: "",
    start: obtainedAt,
    end: idleExpiresAt,
    now: place(now, obtainedAt, idleExpiresAt),
    marks: lastUsedAt > obtainedAt ? [{ name: /** @type {const} */ ("lastUsed"), at: lastUsedAt, place: place(lastUsedAt, obtainedAt, idleExpiresAt) }] : [],
  };
  const known = tokens.length === 1 ? tokens : [];
  return [signIn, ...known.map((/** @type {{resource: string, expiresAt: number}} */ { resource, expiresAt }) => ({
    name: "token",
    resource: resourceName(resource),
    start: Math.min(lastUsedAt, expiresAt),
    end: expiresAt,
    now: place(now, lastUsedAt, expiresAt),
    marks: nextRenewal && nextRenewal < expiresAt ? [{ name: "nextRenewal", at: nextRenewal, place: place(nextRenewal, lastUsedAt, expiresAt) }] : [],
  }))];
}

/**
 * What the picture shows, for whoever reads it.
 * @param {any} account
 * @returns {{name: string, resource: string, at: number}[]} in the order of time
 */
export function timesOf({ refreshToken, tokens, nextRenewal }) {
  if (!refreshToken?.present) {
    return [];
  }
  const rows = [
    { name: "obtained", resource: "", at: refreshToken.obtainedAt },
    { name: "lastUsed", resource: "", at: refreshToken.lastUsedAt },
    ...(nextRenewal ? [{ name: "nextRenewal", resource: "", at: nextRenewal }] : []),
    ...tokens.map((/** @type {any} */ { resource, expiresAt }) => ({ name: "tokenEnds", resource: resourceName(resource), at: expiresAt })),
    { name: "idleEnds", resource: "", at: refreshToken.idleExpiresAt },
  ];
  return rows.sort((a, b) => a.at - b.at);
}
