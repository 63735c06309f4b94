// SPDX-License-Identifier: MPL-2.0

/** The servers that a health check is about: as the host takes them, so that one of them hides no other. */

/* global messenger */

/** As host/core/account_name.c has it: one "@" with something on both sides, no control characters. */
const ACCOUNT_NAME = /^[^@\p{Cc}]+@[^@\p{Cc}]+$/u;

/** In bytes, of a user name and of a host name. */
const ACCOUNT_NAME_MAX = 254;
const HOST_NAME_MAX = 253;
const PORT_MAX = 65_535;

/** @param {string} name */
const bytes = name => new TextEncoder().encode(name).length;

/** @param {{account: string, hostname: string, port: number}} server */
function isTaken({ account, hostname, port }) {
  const isNamed = ACCOUNT_NAME.test(account) && bytes(account) <= ACCOUNT_NAME_MAX && bytes(hostname) <= HOST_NAME_MAX;
  return isNamed && port > 0 && port <= PORT_MAX;
}

/** @typedef {{account: string, hostname: string}} LeftOut a server that the host would refuse, and all others with it */

/**
 * @param {string[]} [accounts] in lower case; absent: all
 * @returns {Promise<{servers: object[], leftOut: LeftOut[]}>} the servers of this Thunderbird
 */
export async function checkedServers(accounts) {
  const all = /** @type {any[]} */ (await messenger.tokenBridge.listServers());
  const concerned = all.filter(({ account }) => !accounts || accounts.includes(account.toLowerCase()));
  return {
    servers: concerned.filter(isTaken).map(({ ownLogin: _, ...server }) => server),
    leftOut: concerned.filter(server => !isTaken(server)).map(({ account, hostname }) => ({ account, hostname })),
  };
}
