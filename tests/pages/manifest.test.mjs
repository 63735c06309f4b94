// SPDX-License-Identifier: MPL-2.0

/** What the add-on may do: no more than its manifest needs, and each of it with its reason in README.md. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { EXTENSION } from "./page_browser.mjs";

const manifest = JSON.parse(await readFile(join(EXTENSION, "manifest.json"), "utf8"));
const readme = await readFile(join(EXTENSION, "../README.md"), "utf8");

/** Files of the add-on, and nothing else: no script or style in a page, no address in any network, no frame. */
const CONTENT_SECURITY_POLICY = {
  "default-src": ["'none'"],
  "script-src": ["'self'"],
  "style-src": ["'self'"],
  "img-src": ["'self'"],
  "connect-src": ["'self'"],
  "base-uri": ["'none'"],
  "form-action": ["'none'"],
  "frame-ancestors": ["'none'"],
};

/** Further ways for an add-on to reach pages, hosts or other add-ons, or to be reached by them. */
const UNUSED = [
  "optional_permissions", "host_permissions", "content_scripts", "web_accessible_resources", "externally_connectable", "protocol_handlers",
];

/** @returns {Map<string, string>} the reasons by what the first column names */
function reasonsInReadme() {
  const [, table] = /^### What the add-on may do\n\n\| permission \| for \|\n\|---\|---\|\n((?:\|.*\n)+)/m.exec(readme) ?? assert.fail("no table");
  const rows = table.trim().split("\n").map(row => row.split("|").map(cell => cell.trim()));
  return new Map(rows.map(([, permission, reason]) => [/`(\w+)`/.exec(permission)?.[1] ?? permission, reason]));
}

test("the pages load files of the add-on, and nothing else", () => {
  const directives = manifest.content_security_policy.split(";").map((/** @type {string} */ directive) => directive.trim().split(/\s+/));
  assert.equal(new Set(directives.map(([name]) => name)).size, directives.length, "only the first of a name would count");
  assert.deepEqual(Object.fromEntries(directives.map(([name, ...sources]) => [name, sources])), CONTENT_SECURITY_POLICY);
});

test("the permissions are those that README.md gives a reason for, and none besides", () => {
  const reasons = reasonsInReadme();
  assert.deepEqual([...reasons.keys()].sort(), [...manifest.permissions, ...Object.keys(manifest.experiment_apis)].sort());
  for (const [permission, reason] of reasons) {
    assert.match(reason, /\p{L}+ \p{L}+/u, permission);
  }
  assert.deepEqual(UNUSED.filter(key => key in manifest), []);
});
