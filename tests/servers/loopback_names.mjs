// SPDX-License-Identifier: MPL-2.0
/**
 * Preloaded by the Makefile: "localhost" leads to the loopback addresses without asking anybody, as RFC 6761 section 6.3
 * has it. A bare system has no /etc/hosts, and Node would ask a name server.
 */
import dns from 'node:dns';

const ADDRESSES = [{ address: '127.0.0.1', family: 4 }, { address: '::1', family: 6 }];

const lookup = dns.lookup;

/**
 * @param {string} hostname
 * @param {any} options
 * @param {any} [callback]
 */
function lookupLocalFirst(hostname, options, callback) {
  const answer = callback ?? options;
  const { family = 0, all = false } = typeof options === 'object' ? options : { family: Number(options) || 0 };
  if (hostname !== 'localhost') return lookup(hostname, options, callback);
  const found = ADDRESSES.filter((address) => !family || address.family === family);
  return process.nextTick(() => (all ? answer(null, found) : answer(null, found[0].address, found[0].family)));
}

dns.lookup = /** @type {any} */ (lookupLocalFirst);
