// SPDX-License-Identifier: MPL-2.0

/** Thunderbird's own sign-in goes on until there is one here that works: whoever tries Thunderseal loses no mail by it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Migration } from "../../extension/background/migration.mjs";
import { ADA, account, asking, started } from "./companion_world.mjs";
import { settled } from "./fakes.mjs";

const SIGNED_IN = { present: true };
const ENDED = { present: false };

/** A host that has no token for anybody. */
const refusing = (/** @type {string} */ kind) => ({ "token.get": () => Promise.reject({ kind }) });

test("mail is fetched with Thunderbird's own sign-in while the first one here is open in the browser", async () => {
  const { companion, host } = await started({ methods: refusing("sign-in-required") });
  await companion.actions.perform({ action: "signIn", account: ADA });
  host().notify("account.changed", { account: account("signing-in") });
  await settled();
  assert.deepEqual(await companion.answerToken(asking()), { pass: true });
  assert.deepEqual(await companion.answerToken(asking({ ownToken: false })), { failure: "sign-in-required" });
});

test("mail is fetched with Thunderbird's own sign-in after one here has failed, though the account stays on the list", async () => {
  for (const [state, kind] of [["attention", "consent-required"], ["attention", "wrong-account"], ["blocked", "blocked"]]) {
    const { companion, host } = await started({ policy: { manage: "all" }, accounts: [account("signed-out")], methods: refusing("sign-in-required") });
    await companion.actions.perform({ action: "signIn", account: ADA });
    host().notify("account.changed", { account: account(state, { refreshToken: null, problem: { kind, cause: "No." } }) });
    host().notify("signIn.finished", { signInId: "s1", account: ADA, ok: false, problem: { kind, cause: "No." } });
    await settled();
    assert.deepEqual(host().asked("account.remove"), []);
    assert.deepEqual(await companion.answerToken(asking()), { pass: true }, kind);
  }
});

test("Thunderbird's own sign-in, which would open a browser, does not stand in for one that was here or that cannot be read", async () => {
  const cases = /** @type {[string, any][]} */ ([
    ["attention", ENDED], ["attention", SIGNED_IN], ["blocked", SIGNED_IN], ["signing-in", SIGNED_IN], ["waiting", SIGNED_IN], ["locked", null], ["waiting", null],
  ]);
  for (const [state, refreshToken] of cases) {
    const { companion } = await started({ accounts: [account(state, { refreshToken })], methods: refusing("sign-in-required") });
    assert.deepEqual(await companion.answerToken(asking()), { failure: "sign-in-required" }, `${state} ${JSON.stringify(refreshToken)}`);
  }
});

test("with fallback “none” Thunderbird's own sign-in stands in for nothing", async () => {
  const { companion } = await started({ policy: { fallback: "none" }, accounts: [account("signing-in")], methods: refusing("sign-in-required") });
  assert.deepEqual(await companion.answerToken(asking()), { failure: "sign-in-required" });
});

const CLIENT = "6e1c4d2a-0000-4000-8000-000000000001";
const OWN_SIGN_IN = { clientId: CLIENT, authority: "https://login.microsoftonline.com" };

/**
 * Thunderbird has a sign-in of its own, for the same app, and the account is not on the list.
 * @param {(host: () => import("./fakes.mjs").FakeHost) => any} takeOver the host's answer to account.import
 * @param {{policy?: object, accounts?: object[], faults?: object}} [world]
 */
async function withOwnSignIn(takeOver, { policy = {}, accounts = [], faults = {} } = {}) {
  const known = /** @type {any[]} */ ([...accounts]);
  const methods = {
    ...refusing("sign-in-required"),
    hello: () => ({ protocol: 1, host: {}, policy: { clientId: CLIENT, ...policy }, accounts: known, more: false }),
    "account.import": () => takeOver(all.host),
  };
  const all = await started({ methods });
  const server = {
    key: "server1", direction: "incoming", type: "imap", hostname: "outlook.office365.com", port: 993, socketType: "tls",
    authMethod: "oauth2", username: ADA, addresses: [ADA], restart: false, ownSignIn: OWN_SIGN_IN, ...faults,
  };
  const bridge = { listSettings: async () => [server], settleSettings: async () => {}, ownRefreshToken: async () => "refresh" };
  const notices = { say: (/** @type {any[]} */ ...words) => all.said.push(words), withdraw() {} };
  const storage = { get: async () => ({}), set: async () => {} };
  const migration = new Migration(/** @type {any} */ ({ companion: all.companion, bridge, storage, notices, onChange() {}, openSection() {} }));
  return { ...all, known, migration };
}

/** What the host makes of a sign-in that it does not take over. @param {() => import("./fakes.mjs").FakeHost} host */
function wrongAccount(host) {
  const problem = { kind: "wrong-account", cause: "Ada's mailbox, and somebody else's sign-in." };
  host().notify("account.changed", { account: account("signing-in") });
  host().notify("account.changed", { account: account("attention", { refreshToken: null, problem }) });
  host().notify("attention", { account: ADA, problem });
  return Promise.reject(problem);
}

test("an account whose sign-in could not be taken over stays Thunderbird's, as it was", async () => {
  const { companion, migration, host, setManaged, withdrawn, view } = await withOwnSignIn(wrongAccount);
  await migration.takeOver(ADA);
  assert.equal((await migration.view()).accounts[0].problem?.kind, "wrong-account");
  assert.deepEqual(host().asked("account.remove"), [{ account: ADA }]);
  assert.deepEqual(setManaged.at(-1).names, []);
  assert.deepEqual([(await view()).state, (await view()).problem], ["unlisted", null]);
  assert.ok(withdrawn.includes(`account ${ADA}`), "nothing is wrong with it");
  assert.deepEqual((await migration.view()).accounts[0].actions, ["takeOver"], "it can be tried again");
  host().methods["token.get"] = () => Promise.reject({ kind: "unknown-account" });
  assert.deepEqual(await companion.answerToken(asking()), { pass: true });
});

test("“auto”, which tries it without a question, takes no account away from Thunderbird either", async () => {
  const { migration, host, setManaged, said } = await withOwnSignIn(wrongAccount, { policy: { migrate: "auto" }, faults: { port: 1993 } });
  await migration.consider();
  assert.equal(host().asked("account.remove").length, 1);
  assert.deepEqual(setManaged.at(-1).names, []);
  assert.equal(said.at(-1)[2], "migration_signInNotice");
});

test("an account that was on the list before stays on it when its sign-in cannot be taken over", async () => {
  const { companion, migration, host, setManaged } = await withOwnSignIn(wrongAccount, { accounts: [account("signed-out")] });
  await migration.takeOver(ADA);
  assert.deepEqual([host().asked("account.remove"), setManaged.at(-1).names], [[], [ADA]]);
  assert.deepEqual(await companion.answerToken(asking()), { pass: true });
});

test("an account whose sign-in was taken over stays on the list when a later one fails", async () => {
  const { companion, migration, host, setManaged } = await withOwnSignIn(async theHost => {
    theHost().notify("account.changed", { account: account("ready", { method: "import" }) });
    return { account: account("ready") };
  });
  await migration.takeOver(ADA);
  assert.deepEqual(setManaged.at(-1).names, [ADA]);
  await companion.actions.perform({ action: "signIn", account: ADA });
  await companion.actions.perform({ action: "cancelSignIn", account: ADA });
  assert.deepEqual(host().asked("account.remove"), []);
});

test("a host that is lost while it takes a sign-in over keeps the account only if it had saved it", async () => {
  for (const state of ["signed-out", "ready"]) {
    const { migration, companion, host, known, setManaged } = await withOwnSignIn(() => new Promise(() => {}));
    const taken = migration.takeOver(ADA);
    await settled();
    host().notify("account.changed", { account: account("signing-in") });
    await settled();
    known.push(account(state));
    host().lose();
    await taken;
    companion.host.retry();
    await settled();
    await settled();
    assert.equal((await migration.view()).accounts[0]?.problem?.cause, "problemDisconnected");
    assert.deepEqual([host().asked("account.remove").length, setManaged.at(-1).names], state === "ready" ? [0, [ADA]] : [1, []], state);
  }
});

test("a takeover ends a sign-in in the browser first, and keeps the account", async () => {
  const { companion, migration, host, setManaged } = await withOwnSignIn(async theHost => {
    theHost().notify("account.changed", { account: account("ready", { method: "import" }) });
    return { account: account("ready") };
  });
  await companion.actions.perform({ action: "signIn", account: ADA });
  await migration.takeOver(ADA);
  assert.deepEqual([host().asked("signIn.cancel").length, host().asked("account.remove"), setManaged.at(-1).names], [1, [], [ADA]]);
});

test("a takeover in whose place came a sign-in in the browser does not end that one", async () => {
  const { migration, companion, host } = await withOwnSignIn(async () => {
    await companion.actions.perform({ action: "signIn", account: ADA });
    return Promise.reject({ kind: "cancelled", cause: "Another one took its place." });
  });
  await migration.takeOver(ADA);
  assert.deepEqual(host().asked("account.remove"), []);
  await companion.actions.perform({ action: "cancelSignIn", account: ADA });
  assert.equal(host().asked("account.remove").length, 1, "it was the first one still");
});
