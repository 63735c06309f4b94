// SPDX-License-Identifier: MPL-2.0

/** Which servers of a Thunderbird made for the test are listed, and that a broken one hides no other. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import vm from "node:vm";

const SCRIPT = resolve(import.meta.dirname, "../../extension/experiments/tokenBridge/mail_servers.js");
const ADA = "ada@contoso.test";
const ISSUER = "login.microsoftonline.com";

/** @param {string} hostname @param {object} [more] */
const smtp = (hostname, more) => ({
  type: "smtp", username: ADA, hostname, port: 587, socketType: 2, authMethod: 10, ...more,
  get serverURI() {
    return { host: new URL(`smtp://${hostname}`).hostname };
  },
  QueryInterface() {
    return this;
  },
});

/** @param {any[]} servers */
function setUp(servers) {
  const MailServices = { accounts: { allServers: [] }, outgoingServer: { servers } };
  const OAuth2Providers = { getHostnameDetails: (/** @type {string} */ host) => (host.endsWith("office365.com") ? { issuer: ISSUER } : undefined) };
  const scope = vm.createContext({
    ChromeUtils: { importESModule: () => ({ MailServices, OAuth2Providers }) },
    Ci: { nsMsgSocketType: { SSL: 3, alwaysSTARTTLS: 2 }, nsMsgAuthMethod: { OAuth2: 10 } },
    Services: { logins: { isLoggedIn: false } },
  });
  vm.runInContext(readFileSync(SCRIPT, "utf8"), scope);
  const { MailServers } = /** @type {any} */ (scope);
  return new MailServers({ hasIssuer: () => false, issuers: [] });
}

test("an outgoing server whose name is none hides no other", async () => {
  const listed = await setUp([smtp("smtp office365.com:"), smtp("smtp.office365.com"), smtp("mail.example.org")]).list();
  assert.deepEqual([...listed].map(server => ({ ...server })), [
    { account: ADA, type: "smtp", hostname: "smtp.office365.com", port: 587, socketType: "starttls", authMethod: "oauth2", ownLogin: false },
  ]);
});

test("an outgoing server without a port of its own has that which Thunderbird sends by", async () => {
  const [NONE, STARTTLS, TLS] = [0, 2, 3];
  const servers = [NONE, STARTTLS, TLS].map(socketType => smtp("smtp.office365.com", { port: 0, socketType }));
  const listed = await setUp([...servers, smtp("smtp.office365.com", { port: 2525 })]).list();
  assert.deepEqual([...listed].map(({ port }) => port), [587, 587, 465, 2525]);
});
