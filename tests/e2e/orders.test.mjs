// SPDX-License-Identifier: MPL-2.0

/** What pages can have done: of the host's methods those that some page asks for, and no other; and what these are asked with. */

import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { ordersOf } from "../../extension/background/orders.mjs";

const REPOSITORY = resolve(import.meta.dirname, "../..");

/** @returns {string[]} all methods of the protocol */
function methods() {
  const schema = JSON.parse(readFileSync(join(REPOSITORY, "manifest/protocol.schema.json"), "utf8"));
  return Object.keys(schema.$defs).flatMap(name => /^(.*)\.params$/.exec(name)?.[1] ?? []);
}

/** @returns {string} the scripts of all pages */
function scriptsOfPages() {
  const files = globSync("{dashboard,popup,shared,unlock,welcome}/*.mjs", { cwd: join(REPOSITORY, "extension") });
  return files.map(file => readFileSync(join(REPOSITORY, "extension", file), "utf8")).join("");
}

test("a page can ask the host for what the pages need, and for nothing else", async () => {
  /** @type {string[]} */
  const asked = [];
  const host = { request: async (/** @type {string} */ method) => (asked.push(method), { policy: {} }) };
  const companion = { host, policyChanged() {} };
  const { ask } = ordersOf(/** @type {any} */ (companion), /** @type {any} */ ({}));
  const pages = scriptsOfPages();
  for (const method of [...methods(), "toString"]) {
    await ask({ method, params: {} }, /** @type {any} */ ({})).catch((/** @type {Error} */ error) => assert.match(error.message, /not for pages/));
  }
  assert.ok(asked.length > 5);
  assert.deepEqual(asked, methods().filter(method => method.includes(".") && pages.includes(`"${method}"`)));
});

const SERVER = { account: "ada@contoso.test", type: "imap", hostname: "outlook.office365.com", port: 993, socketType: "tls", authMethod: "oauth2" };

/** @param {object[]} listed by Thunderbird */
function checker(listed) {
  /** @type {any[]} */
  const asked = [];
  const host = { request: async (/** @type {string} */ _method, /** @type {any} */ params) => (asked.push(params), { report: { checks: [] } }) };
  Object.assign(globalThis, { messenger: { tokenBridge: { listServers: async () => listed.map(server => ({ ...server, ownLogin: false })) } } });
  const { checkHealth } = ordersOf(/** @type {any} */ ({ host }), /** @type {any} */ ({}));
  return { asked, checkHealth: (/** @type {object} */ params = {}) => checkHealth(params, /** @type {any} */ ({})) };
}

test("a server that the host would refuse is left out of the health check, and named", async () => {
  const longest = `${"ü".repeat(120)}@contoso.test`;
  const taken = [SERVER, { ...SERVER, account: "Ben@Contoso.test" }, { ...SERVER, account: longest }];
  const refused = [
    ...["anna@x\\team@x", "@contoso.test", "ada@", "a\u0085da@contoso.test", `ab${longest}`].map(account => ({ ...SERVER, account })),
    { ...SERVER, hostname: `${"a".repeat(240)}.office365.com` },
    { ...SERVER, port: -1 },
  ];
  const { asked, checkHealth } = checker([...refused, ...taken]);
  const answer = await checkHealth();
  assert.deepEqual(asked, [{ servers: taken }]);
  assert.deepEqual(answer, { report: { checks: [] }, leftOut: refused.map(({ account, hostname }) => ({ account, hostname })) });
});

test("the health check of one account is about its servers, whatever the case of its name", async () => {
  const { asked, checkHealth } = checker([SERVER, { ...SERVER, account: "ben@contoso.test" }]);
  await checkHealth({ account: "Ada@contoso.test", checks: ["imap"] });
  assert.deepEqual(asked, [{ accounts: ["Ada@contoso.test"], checks: ["imap"], servers: [SERVER] }]);
});
