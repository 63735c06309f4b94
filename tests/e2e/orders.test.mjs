// SPDX-License-Identifier: MPL-2.0

/** What pages can have done: of the host's methods those that some page asks for, and no other. */

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
