// SPDX-License-Identifier: MPL-2.0

/** Every state and every kind of problem has its appearance. The pictures of all of them are left in build/pages/. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { problemOf } from "../../extension/background/failures.mjs";
import { overviewOf } from "./accounts.mjs";
import { PROBLEMS, problem, REFUSED } from "./host_problems.mjs";
import { hostWords } from "./host_words.mjs";
import { EXTENSION, PageBrowser } from "./page_browser.mjs";

const REPOSITORY = resolve(import.meta.dirname, "../..");
const PICTURES = join(REPOSITORY, "build/pages");
const PAGE = { file: "tests/pages/states/states.html", width: 1120 };

/** In which state the host shows an account with a problem of this kind: host/core/identity_state.c. */
const PASSING = new Set(["network", "throttled", "identity-provider", "storage"]);
const BLOCKING = new Set(["blocked", "policy-denied"]);

/** Of a request or of the program, and so of no account; `unknown-account` takes one off the list. */
const OF_NO_ACCOUNT = [
  "parse-error", "invalid-request", "message-too-large", "result-too-large", "method-not-found", "invalid-params", "hello-required",
  "protocol-unsupported", "unknown-account",
];

/** @param {string} kind */
function stateWith(kind) {
  if (kind === "vault-locked") {
    return "locked";
  }
  return BLOCKING.has(kind) ? "blocked" : PASSING.has(kind) ? "waiting" : "attention";
}

/** @param {string} name */
const named = name => `${name}@contoso.test`;

/** The add-on itself says these, in words of its own: background/failures.mjs. */
const OWN_KINDS = ["timeout", "disconnected", "cancelled", "insecure-page", "no-browser"];

const accounts = [
  { account: named("unlisted") },
  ...["signed-out", "signing-in", "ready", "renewing", "waiting", "attention", "blocked", "locked"].map(state => ({ account: named(state), state })),
  { account: named("blocked.never"), state: "blocked", refreshToken: null },
  { account: named("unknown"), state: "a newer one" },
  { account: named("signed-out.own"), state: "signed-out", ownLogin: true },
  { account: named("signing-in.opening"), state: "signed-out", signIn: /** @type {const} */ ("opening") },
  { account: named("signing-in.here"), state: "signing-in", signIn: { problem: null } },
  { account: named("signing-in.wrong"), state: "signing-in", signIn: { problem: problem("wrong-account") } },
  { account: named("ready.shared"), state: "ready", signInAs: named("ready"), types: ["imap", "smtp", "graph"] },
  { account: named("ready.refused"), state: "ready", problem: REFUSED },
  { account: named("unlisted.cancelled"), failure: problem("cancelled") },
  { account: named("password"), state: "signed-out", authMethod: "password" },
  { account: named("ews"), types: ["ews"] },
  ...Object.keys(PROBLEMS).map(kind => ({ account: named(`kind.${kind}`), state: stateWith(kind), problem: problem(kind) })),
];

/** What holds for all accounts while the program does not work or does not do everything, and so for one of each here. */
const SITUATIONS = /** @type {const} */ ([
  ["connecting", { hostState: "connecting" }, {}],
  ["aside", { hostState: "missing" }, {}],
  ["no_mail", { hostState: "missing", fallback: "none" }, {}],
  ["no-hook", { bridge: { installed: false } }, {}],
  ["password.by-hand", { migrate: "off" }, { authMethod: "password" }],
]);

/** @param {"en"|"de"} language @returns {Promise<import("../../extension/background/overview.mjs").Overview>} */
async function overviewIn(language) {
  const texts = JSON.parse(await readFile(join(EXTENSION, `_locales/${language}/messages.json`), "utf8"));
  Object.assign(globalThis, { browser: { i18n: { getMessage: (/** @type {string} */ key) => texts[key].message } } });
  const own = OWN_KINDS.map(kind => ({ account: named(`own.${kind}`), state: "signed-out", failure: problemOf({ kind }) }));
  const overview = overviewOf([...accounts, ...own]);
  const others = SITUATIONS.flatMap(([name, situation, more]) => overviewOf([{ account: named(name), state: "ready", ...more }], situation).accounts);
  return { ...overview, accounts: [...overview.accounts, ...others] };
}

async function kindsOfHost() {
  const source = await readFile(join(REPOSITORY, "host/core/problem.c"), "utf8");
  return [...source.matchAll(/\[PROBLEM_\w+\] = \{"([a-z-]+)"/g)].map(([, kind]) => kind);
}

test("each kind of problem is an account's, and has an appearance, or is none's", async () => {
  assert.deepEqual([...Object.keys(PROBLEMS), ...OF_NO_ACCOUNT].sort(), (await kindsOfHost()).sort());
});

test("each kind of problem that the add-on has words for has an appearance", async () => {
  const source = await readFile(join(EXTENSION, "background/failures.mjs"), "utf8");
  assert.deepEqual([...source.matchAll(/\["([a-z-]+)", "problem\w+"\]/g)].map(([, kind]) => kind), OWN_KINDS);
});

test("each label has an appearance", async () => {
  const keys = Object.keys(JSON.parse(await readFile(join(EXTENSION, "_locales/en/messages.json"), "utf8")));
  const shown = new Set((await overviewIn("en")).accounts.map(({ label }) => label));
  assert.deepEqual([...shown].sort(), keys.filter(key => key.startsWith("label_")).sort());
});

test("each state of the protocol has an appearance", async () => {
  const schema = JSON.parse(await readFile(join(REPOSITORY, "manifest/protocol.schema.json"), "utf8"));
  const states = findStates(schema);
  assert.ok(states.length >= 8, "the schema lists them");
  const shown = new Set(accounts.map(({ state }) => state));
  assert.deepEqual(states.filter(state => !shown.has(state)), []);
});

/** @param {any} node @returns {string[]} */
function findStates(node) {
  if (!node || typeof node !== "object") {
    return [];
  }
  const own = node.state?.enum ?? [];
  return own.includes?.("signed-out") ? own : Object.values(node).flatMap(findStates);
}

test("the sentences are the host's: its catalogue has each of them", async () => {
  const inGerman = await hostWords("de");
  for (const said of [...Object.values(PROBLEMS), REFUSED]) {
    const told = inGerman(said);
    for (const field of ["cause", "remedy", "adminRemedy"]) {
      assert.ok(!said[field] || told[field] !== said[field], `the host does not say: ${said[field]}`);
    }
  }
});

test("all appearances on one page, without a barrier", async t => {
  const browser = await PageBrowser.start();
  t.after(() => browser.stop());
  for (const language of /** @type {const} */ (["en", "de"])) {
    await browser.open(PAGE, { messages: [{ overview: await overviewIn(language) }] }, language);
    for (const theme of /** @type {const} */ (["light", "dark"])) {
      await browser.setTheme(theme);
      await browser.photograph(join(PICTURES, `states-${theme}-${language}.png`));
      assert.deepEqual(await browser.violations(), [], `${theme} ${language}`);
    }
    assert.deepEqual(await browser.overflowing(), []);
    assert.deepEqual(await browser.complaints(), []);
  }
});
