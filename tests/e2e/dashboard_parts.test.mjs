// SPDX-License-Identifier: MPL-2.0

/** What the dashboard works out without a document: orders, times, values, words; and that no text of it is missing. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { PageTabs } from "../../extension/background/page_tabs.mjs";
import { detailsOf, eventWords } from "../../extension/dashboard/activity_words.mjs";
import { FILE_MAX, base64Of, bytesOf, fileName } from "../../extension/dashboard/backup_file.mjs";
import { GROUPS, SHOWN_ONLY, nameOf, read, valueIn, valueToSet, written } from "../../extension/dashboard/setting_list.mjs";
import { identitiesOf, timesOf, tracksOf } from "../../extension/dashboard/token_times.mjs";
import { plainValue } from "../../extension/shared/evidence.mjs";
import { fromNow, milliseconds } from "../../extension/shared/formats.mjs";
import { countsOf, groupsOf, keysOf } from "../../extension/shared/health_order.mjs";
import { passphraseFault } from "../../extension/shared/passphrase.mjs";
import { isLocked } from "../../extension/shared/policy_source.mjs";

const REPOSITORY = resolve(import.meta.dirname, "../..");
const json = (/** @type {string} */ file) => JSON.parse(readFileSync(join(REPOSITORY, file), "utf8"));
const messages = json("extension/_locales/en/messages.json");

/** @type {any[]} */
const spaces = [];
/** The window with the toolbar button. @type {number|null} */
let buttonWindow = null;
const browser = {
  i18n: { getUILanguage: () => "en-US", getMessage: (/** @type {string} */ key, /** @type {string[]} */ parts) => (messages[key]?.message ?? "").replace(/\$(\d)/g, (/** @type {string} */ _, /** @type {string} */ n) => parts[Number(n) - 1]) },
  runtime: { getURL: (/** @type {string} */ path) => `moz-extension://x/${path}` },
  spaces: {
    create: async (...given) => (spaces.push(["create", ...given]), { id: 7 }),
    open: async (...given) => (spaces.push(["open", ...given]), { id: 3 }),
    update: async (...given) => spaces.push(["update", ...given]),
  },
  windows: { getAll: async (...given) => (spaces.push(["windows", ...given]), [{ id: 4 }, { id: 5 }]) },
  browserAction: { openPopup: async ({ windowId }) => (spaces.push(["popup", windowId]), windowId === buttonWindow) },
  tabs: { create: async (...given) => spaces.push(["new tab", ...given]), update: async (...given) => spaces.push(["tab", ...given]) },
};
Object.assign(globalThis, { browser, messenger: browser });

/** @type {(id: string, account?: string|null, more?: object) => import("../../extension/shared/health_order.mjs").Check} */
const check = (id, account = null, more = {}) => ({ id, account, status: "ok", title: id, detail: "", ...more });

test("checks stand in the protocol's order whatever the order they came in, what belongs to no account first", () => {
  const came = [check("smtp", "Zoe@b.test"), check("deadlines", "ada@b.test"), check("authority"), check("imap", "ada@b.test"), check("of-a-later-version"), check("versions")];
  const groups = groupsOf(came).map(({ account, checks }) => [account, ...checks.map(({ id }) => id)]);
  assert.deepEqual(groups, [[null, "versions", "authority", "of-a-later-version"], ["ada@b.test", "imap", "deadlines"], ["Zoe@b.test", "smtp"]]);
});

test("two servers of an account are two checks, and each status is counted", () => {
  const [one, other] = ["a.test", "b.test"].map(hostname => check("imap", "ada@b.test", { evidence: { hostname, port: 993 } }));
  const keys = (/** @type {any[]} */ ...checks) => [...keysOf(checks).values()];
  assert.notEqual(...keys(one, other));
  assert.deepEqual(keys(one), keys({ ...one, status: "fail" }));
  const [skipped, again] = [1, 2].map(() => check("imap", "ada@b.test", { status: "skipped" }));
  assert.equal(new Set(keys(skipped, again, one)).size, 3, "skipped before it was known where");
  assert.deepEqual(countsOf([one, other, check("x", null, { status: "fail" })]), [["fail", 1], ["warn", 0], ["ok", 2], ["skipped", 0]]);
});

test("evidence: times are times, nothing is a dash", () => {
  assert.match(plainValue("expiresAt", 1_795_670_634), /2026/);
  assert.equal(plainValue("port", 1_795_670_634), "1795670634");
  assert.deepEqual([plainValue("x", null), plainValue("x", ""), plainValue("x", []), plainValue("x", ["a", "b"]), plainValue("x", false)], ["–", "–", "–", "a, b", "false"]);
});

test("times are told from now, rounded, in a unit that says enough", () => {
  assert.deepEqual([fromNow(1_000, 1_000), fromNow(4_700, 1_000), fromNow(940, 1_000), fromNow(89.9 * 86_400, 0)], ["now", "in 1 hour", "1 minute ago", "in 90 days"]);
  assert.deepEqual([fromNow(200 * 86_400, 0), fromNow(400 * 86_400, 0), fromNow(0, 1_075 * 86_400), fromNow(0, 100)], ["in 7 months", "in 13 months", "3 years ago", "2 minutes ago"]);
  assert.equal(milliseconds(1_234), "1,234 ms");
});

const account = (/** @type {object} */ more = {}) => ({
  account: "ada@b.test", signInAs: "ada@b.test", cloud: "worldwide", tenant: "common", nextRenewal: 1_900,
  tokens: [{ resource: "https://outlook.office.com", expiresAt: 2_000 }],
  refreshToken: { present: true, obtainedAt: 0, lastUsedAt: 1_000, idleExpiresAt: 10_000 }, ...more,
});

test("one sign-in is one picture, however many addresses it opens", () => {
  const shared = account({ account: "shared@b.test", signInAs: "ADA@b.test" });
  const found = identitiesOf([account(), shared, account({ tenant: "contoso.com" })]);
  assert.deepEqual(found.map(({ accounts }) => accounts), [["ada@b.test", "shared@b.test"], ["ada@b.test"]]);
});

test("a sign-in's bar goes from its beginning to its end, a token's from the last renewal; the marks stand between", () => {
  const [signIn, token] = tracksOf(account(), 1_500);
  assert.deepEqual([signIn.start, signIn.end, signIn.now, signIn.marks[0].place], [0, 10_000, 0.15, 0.1]);
  assert.deepEqual([token.resource, token.start, token.end, token.now, token.marks[0].place], ["outlook.office.com", 1_000, 2_000, 0.5, 0.9]);
  assert.equal(tracksOf(account(), 99_999)[0].now, 1, "over");
  assert.deepEqual(tracksOf(account({ refreshToken: null }), 0), []);
  assert.deepEqual(timesOf(account()).map(({ name }) => name), ["obtained", "lastUsed", "nextRenewal", "tokenEnds", "idleEnds"]);
});

test("of several access tokens only the ends are known: they stand in the table alone", () => {
  const both = account({ tokens: [{ resource: "https://outlook.office.com", expiresAt: 2_000 }, { resource: "https://graph.microsoft.com", expiresAt: 4_000 }] });
  assert.deepEqual(tracksOf(both, 1_500).map(({ name }) => name), ["signIn"]);
  assert.deepEqual(timesOf(both).map(({ name, at }) => [name, at]).slice(2), [["nextRenewal", 1_900], ["tokenEnds", 2_000], ["tokenEnds", 4_000], ["idleEnds", 10_000]]);
});

test("every setting of the configuration is there, once, with a name and what it is for in words", () => {
  const { properties } = json("manifest/policy.schema.json");
  const offered = GROUPS.flatMap(({ settings }) => settings);
  assert.deepEqual([...new Set([...offered.map(({ key }) => key), ...SHOWN_ONLY])].sort(), Object.keys(properties).sort());
  for (const setting of offered) {
    assert.ok(messages[`dashboard_setting_${nameOf(setting)}`] && messages[`dashboard_help_${nameOf(setting)}`], nameOf(setting));
    const choices = (setting.values ?? []).filter(value => typeof value === "string");
    assert.ok(choices.every(value => properties[setting.key].enum?.includes(value) ?? true), setting.key);
    for (const value of setting.key === "redirectHost" ? [] : (setting.values ?? [])) {
      const word = value === null ? "unset" : [value].flat().join("_").replaceAll(/\W/g, "_");
      assert.ok(messages[`dashboard_choice_${nameOf(setting)}_${word}`], `${setting.key} ${word}`);
    }
  }
});

test("what is typed becomes a value and back; an empty field is none", () => {
  const setting = (/** @type {any} */ control) => ({ key: "x", control });
  assert.deepEqual(read(setting("list"), " a.test,\n b.test;c.test "), ["a.test", "b.test", "c.test"]);
  assert.deepEqual([read(setting("list"), " "), read(setting("text"), " "), read(setting("number"), ""), read(setting("number"), "30")], [null, null, null, 30]);
  assert.equal(written(setting("list"), ["a", "b"]), "a\nb");
  const days = /** @type {any} */ ({ key: "audit", part: "retentionDays", control: "number" });
  const policy = { audit: { enabled: true, retentionDays: 365 } };
  assert.equal(valueIn(days, policy), 365);
  assert.deepEqual(valueToSet(days, 30, policy), { enabled: true, retentionDays: 30 });
  assert.deepEqual(valueToSet(days, null, { audit: { enabled: false, retentionDays: 30 } }), { enabled: false, retentionDays: 365 }, "a reset part leaves the other");
  assert.equal(valueToSet(days, null, { audit: { enabled: true, retentionDays: 30 } }), null, "nothing is left to be set");
  assert.deepEqual(["admin", "thunderbird", "user", "default"].map(isLocked), [true, true, false, false]);
});

test("a backup goes into a file and comes back; a passphrase is checked before anything is asked", () => {
  const bytes = Uint8Array.from({ length: 300 }, (_, index) => index % 256);
  assert.deepEqual(bytesOf(base64Of(bytes)), bytes);
  assert.equal(fileName(new Date(2026, 0, 5)), "thunderseal-2026-01-05.backup");
  assert.ok(Math.ceil(FILE_MAX / 3) * 4 < 1024 * 1024, "fits into a message of the protocol");
  assert.deepEqual([passphraseFault(""), passphraseFault("ü".repeat(513)), passphraseFault("a", "b"), passphraseFault("a", "a")], ["passphraseEmpty", "passphraseTooLong", "passphrasesDiffer", null]);
});

test("every event of the log has words, and one of a later version says its own name", () => {
  const sources = ["host/service/audit_events.c", "host/service/sign_in.c", "host/service/accounts.c", "host/vault/audit_append.c", "host/vault/audit_line.h", "host/vault/audit_walk.h"];
  const events = ["signed-in", "sign-in-started", "sign-in-refused", "account-added", "account-forgotten", "log-damaged", "vault-damaged", "events-lost", "health-checked", "renewal-failed", "key-changed"];
  const written_ = sources.map(file => readFileSync(join(REPOSITORY, file), "utf8")).join("");
  for (const event of events) {
    assert.notEqual(eventWords({ seq: 1, time: 1, event }), event);
  }
  assert.ok(events.filter(event => written_.includes(`"${event}"`)).length > 6);
  assert.equal(eventWords({ seq: 1, time: 1, event: "sun-rose" }), "sun-rose");
  assert.equal(detailsOf({ seq: 1, time: 1, event: "health-checked", what: "fail", count: 2, by: "command" }), "with faults · number: 2 · at the command line");
  assert.equal(detailsOf({ seq: 1, time: 1, event: "log-damaged", what: "missing", line: 2 }), "Entries were removed · Line 2");
  assert.equal(detailsOf({ seq: 1, time: 1, event: "renewal-failed", kind: "network", stage: "dns", aadsts: 50173, resource: "outlook" }), "for mail · the network connection · a name that cannot be found · AADSTS50173");
});

test("the space is made once, and opened at a section", async () => {
  const tabs = new PageTabs();
  await tabs.addButton();
  await tabs.addButton();
  await tabs.openDashboard({});
  await tabs.openDashboard({ section: "health" });
  assert.deepEqual(spaces.map(([what]) => what), ["create", "open", "open", "tab"]);
  assert.deepEqual(spaces.at(-1), ["tab", 3, { url: "moz-extension://x/dashboard/dashboard.html#health" }]);
});

test("the space is named anew when the policy's language is known, and once", async t => {
  const known = messages.dashboard_title;
  t.after(() => (messages.dashboard_title = known));
  const tabs = new PageTabs();
  await tabs.addButton();
  spaces.length = 0;
  await tabs.addButton();
  assert.deepEqual(spaces, [], "as it was");
  messages.dashboard_title = { message: "Anderswo" };
  await tabs.addButton();
  await tabs.addButton();
  assert.deepEqual(spaces, [["update", 7, { title: "Anderswo" }]]);
});

test("where Thunderbird takes no space the dashboard is a tab like any other, and the next change asks anew", async t => {
  const { create } = browser.spaces;
  t.after(() => Object.assign(browser.spaces, { create }));
  Object.assign(browser.spaces, { create: () => Promise.reject(new Error("too many")) });
  const tabs = new PageTabs();
  spaces.length = 0;
  await tabs.openDashboard({ section: "health" });
  assert.deepEqual(spaces, [["new tab", { url: "moz-extension://x/dashboard/dashboard.html#health" }]]);
  Object.assign(browser.spaces, { create });
  assert.equal(await tabs.addButton(), 7);
});

test("the popup opens in a main window that has its button; where none has, the dashboard does", async () => {
  const tabs = new PageTabs();
  const done = () => spaces.splice(0).map(([what, which]) => (what === "popup" ? which : what));
  buttonWindow = 4;
  spaces.length = 0;
  await tabs.openPopup();
  assert.deepEqual(done(), ["windows", 4]);
  buttonWindow = null;
  await tabs.openPopup();
  assert.deepEqual(done(), ["windows", 4, 5, "create", "open"]);
});
