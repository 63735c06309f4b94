// SPDX-License-Identifier: MPL-2.0

/** Which servers and which proxy a Thunderbird made for the test has, and that a broken server hides no other. */

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

/** @param {any[]} servers @param {object|null} [proxy] nsIProxyInfo */
function setUp(servers, proxy = null) {
  const MailServices = { accounts: { allServers: [] }, outgoingServer: { servers } };
  const OAuth2Providers = { getHostnameDetails: (/** @type {string} */ host) => (host.endsWith("office365.com") ? { issuer: ISSUER } : undefined) };
  const proxyService = {
    asyncResolve: (/** @type {any} */ channel, /** @type {number} */ _flags, /** @type {any} */ { onProxyAvailable }) => onProxyAvailable(null, channel, proxy),
  };
  const scope = vm.createContext({
    ChromeUtils: { importESModule: () => ({ MailServices, OAuth2Providers }) },
    Cc: { "@mozilla.org/network/protocol-proxy-service;1": { getService: () => proxyService } },
    Ci: { nsMsgSocketType: { SSL: 3, alwaysSTARTTLS: 2 }, nsMsgAuthMethod: { OAuth2: 10 }, nsILoadInfo: {}, nsIContentPolicy: {} },
    Services: {
      logins: { isLoggedIn: false },
      io: { newURI: (/** @type {string} */ address) => address, newChannelFromURI: (/** @type {string} */ address) => address },
      scriptSecurityManager: { getSystemPrincipal() {} },
    },
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

test("the proxy is told as an address that says all of it, whatever its host", async () => {
  const found = (/** @type {object|null} */ proxy) => setUp([], proxy).proxyFor("https://login.microsoftonline.com/");
  assert.equal(await found({ type: "http", host: "proxy.contoso.test", port: 8080 }), "http://proxy.contoso.test:8080");
  assert.equal(await found({ type: "socks", host: "127.0.0.1", port: 1080 }), "socks5h://127.0.0.1:1080");
  assert.equal(await found({ type: "https", host: "2001:db8::1", port: 443 }), "https://[2001:db8::1]:443");
  assert.equal(await found({ type: "http", host: "[::1]", port: 8080 }), "http://[::1]:8080");
  assert.equal(await found({ type: "direct", host: "", port: -1 }), null);
  assert.equal(await found(null), null);
});
