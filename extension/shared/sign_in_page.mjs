// SPDX-License-Identifier: MPL-2.0

/** Where the genuine sign-in page is, which people compare with what they see. */

/** Host names by cloud. */
const HOSTS = /** @type {Record<string, string>} */ ({
  "worldwide": "login.microsoftonline.com",
  "usgov": "login.microsoftonline.us",
  "usgov-dod": "login.microsoftonline.us",
  "china": "login.partner.microsoftonline.cn",
});

/**
 * @param {Record<string, any>} policy what is known of it; nothing means the worldwide cloud
 * @returns {string} a host name, with the port where it has one
 */
export function signInHost({ cloud = "worldwide", custom }) {
  // Without an authority of its own nobody can sign in there; the page then shows the usual one.
  return custom?.authority && cloud === "custom" ? new URL(custom.authority).host : (HOSTS[cloud] ?? HOSTS.worldwide);
}
