// SPDX-License-Identifier: MPL-2.0

/** Which words and which buttons an account has; one of them helps. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { AccountBook } from "../../extension/background/account_book.mjs";
import { accountViews } from "../../extension/background/overview.mjs";

const ADA = "ada@contoso.test";
const BEN = "ben@contoso.test";
const CONNECTED = { hostState: "connected", takesTokens: true, fallback: "thunderbird", manage: "listed", migrate: "offer", policy: {} };

/**
 * @param {object} account as the host has it
 * @param {{others?: object[], situation?: object, open?: {problem: any}, failure?: any, server?: object}} [world]
 */
function viewOf(account, { others = [], situation = {}, open, failure, server = {} } = {}) {
  const book = new AccountBook();
  [account, ...others].forEach(one => book.update(/** @type {any} */ ({ account: ADA, signInAs: ADA, problem: null, ...one })));
  const known = {
    book,
    failures: { get: () => failure },
    signIns: { of: () => open, isOpening: () => false },
    listing: { mayRemove: () => true },
  };
  const servers = [{ account: ADA, type: "imap", hostname: "outlook.office365.com", port: 993, socketType: "tls", authMethod: "oauth2", ownLogin: false, ...server }];
  return accountViews(servers, /** @type {any} */ (known), { ...CONNECTED, ...situation })[0];
}

const SIGNED_IN = { present: true };

const problem = (/** @type {string} */ kind, /** @type {object} */ more = {}) => ({ kind, cause: "It is so.", remedy: "Do this.", ...more });

test("the one button that helps, by state and by what is wrong", () => {
  const admin = { adminRemedy: "Set-It -So" };
  const cases = /** @type {[object, string|null][]} */ ([
    [{ state: "signed-out" }, "signIn"],
    [{ state: "ready" }, null],
    [{ state: "renewing" }, null],
    [{ state: "ready", problem: problem("blocked", admin) }, "askAdmin"],
    [{ state: "ready", problem: problem("blocked") }, "newToken"],
    [{ state: "waiting", problem: problem("network") }, "tryAgain"],
    [{ state: "waiting", problem: problem("storage", admin) }, "tryAgain"],
    [{ state: "attention", problem: problem("sign-in-required", admin) }, "signIn"],
    [{ state: "attention", problem: problem("interaction-required", admin) }, "signIn"],
    [{ state: "attention", problem: problem("consent-required", admin) }, "askAdmin"],
    [{ state: "attention", problem: problem("consent-required") }, "signIn"],
    [{ state: "attention", problem: problem("misconfigured", admin) }, "askAdmin"],
    [{ state: "attention", problem: problem("wrong-account", { signedInAs: BEN }) }, "useName"],
    [{ state: "attention", problem: problem("wrong-account") }, "signIn"],
    [{ state: "attention", signInAs: BEN, problem: problem("wrong-account", { signedInAs: "Ben@contoso.test" }) }, "signIn"],
    [{ state: "attention", problem: problem("vault-damaged") }, "signIn"],
    [{ state: "blocked", refreshToken: SIGNED_IN, problem: problem("blocked", admin) }, "askAdmin"],
    [{ state: "blocked", refreshToken: SIGNED_IN, problem: problem("blocked") }, "tryAgain"],
    [{ state: "blocked", problem: problem("blocked", admin) }, "askAdmin"],
    [{ state: "blocked", problem: problem("blocked") }, "signIn"],
    [{ state: "locked", problem: problem("vault-locked") }, "unlock"],
    [{ state: "signing-in" }, null],
  ]);
  for (const [account, expected] of cases) {
    const { primary, actions } = viewOf(account);
    assert.equal(primary, expected, JSON.stringify(account));
    assert.ok(!primary || actions.includes(primary));
  }
});

test("where a blocked account has no sign-in to try again, or has lost it, it can be signed in", () => {
  const choices = (/** @type {object} */ account, /** @type {any} */ failure) =>
    viewOf({ state: "blocked", problem: problem("blocked"), ...account }, { failure }).actions.filter(action => ["signIn", "tryAgain"].includes(action));
  assert.deepEqual(choices({ refreshToken: SIGNED_IN }, undefined), ["tryAgain"]);
  assert.deepEqual(choices({ refreshToken: SIGNED_IN }, problem("network")), ["tryAgain"]);
  assert.deepEqual(choices({ refreshToken: SIGNED_IN }, problem("sign-in-required")), ["signIn"], "a try said so");
  assert.deepEqual(choices({ refreshToken: { present: false } }, undefined), ["signIn"]);
  assert.deepEqual(choices({ refreshToken: null }, undefined), ["signIn"]);
});

test("who signed in instead can be taken for the sign-in name while the sign-in is still open", () => {
  const open = { problem: problem("wrong-account", { signedInAs: BEN }) };
  const { primary, actions, words } = viewOf({ state: "signing-in" }, { open });
  assert.equal(primary, "useName");
  assert.deepEqual(actions, ["useName", "cancelSignIn"]);
  assert.equal(words, "state_signing_in", "it can also be finished");
});

test("a problem's sentence takes the place of the state's own, but for what holds beside it", () => {
  assert.equal(viewOf({ state: "attention", problem: problem("sign-in-required") }).words, null);
  assert.equal(viewOf({ state: "signed-out" }, { failure: problem("network") }).words, null);
  const aside = viewOf({ state: "attention", problem: problem("sign-in-required") }, { situation: { hostState: "missing" } });
  assert.deepEqual([aside.label, aside.words, aside.actions], ["label_aside", "state_aside", []]);
  assert.equal(viewOf({ state: "signed-out" }, { server: { authMethod: "password" } }).words, "state_password");
});

const INFO = "info@contoso.test";

test("where this Thunderbird does not ask here for tokens it signs in by itself, and a sign-in that is here can be ended", () => {
  const viewIn = (/** @type {string} */ state, /** @type {object} */ situation = {}) => {
    const { label, words, actions, primary } = viewOf({ state, problem: state === "attention" ? problem("sign-in-required") : null }, { situation: { takesTokens: false, ...situation } });
    assert.deepEqual([label, words, primary], ["label_aside", "state_aside", null], state);
    return actions;
  };
  for (const state of ["ready", "attention", "waiting", "blocked", "locked"]) {
    assert.deepEqual(viewIn(state), ["signOut"], state);
  }
  assert.deepEqual(viewIn("signed-out"), []);
  assert.deepEqual(viewIn("ready", { hostState: "missing", fallback: "none" }), [], "nothing keeps it from that");
});

test("a switch from the password is spoken of where it is offered, and else what the user can do by hand", () => {
  const words = (/** @type {object} */ situation, /** @type {object} */ server = {}) =>
    viewOf({ state: "signed-out" }, { situation, server: { authMethod: "password", ...server } });
  for (const situation of [{}, { migrate: "auto" }, { policy: { allowedDomains: ["contoso.test"] } }]) {
    assert.equal(words(situation).words, "state_password", JSON.stringify(situation));
  }
  assert.equal(words({}, { account: `CONTOSO.TEST\\${ADA}`, hostname: "imap-mail.outlook.com" }).words, "state_password");
  for (const situation of [{ migrate: "off" }, { takesTokens: false }, { policy: { allowedDomains: ["other.test"] } }, { policy: { cloud: "custom" } }, { hostState: "missing" }, { hostState: "missing", fallback: "none" }]) {
    const { label, words: key } = words(situation);
    assert.deepEqual([label, key], ["label_password", "state_password_by_hand"], JSON.stringify(situation));
  }
  assert.equal(words({ hostState: "connecting" }).words, "state_connecting", "nobody knows yet");
});

test("a state that only a newer host knows has words, and can be ended", () => {
  for (const state of ["paused", "toString"]) {
    const { label, words, actions, primary } = viewOf({ state });
    assert.deepEqual([label, words, actions, primary], ["label_unknown", "state_unknown", ["signOut"], null], state);
  }
  assert.equal(viewOf({ state: "paused", problem: problem("throttled") }).words, null, "the problem says more");
});

test("another sign-in is not offered where the account's own works, as it would end that one before it has succeeded", () => {
  const offers = (/** @type {object} */ account) => viewOf(account).actions.includes("openBy");
  for (const state of ["ready", "renewing"]) {
    assert.deepEqual([offers({ state }), offers({ state, signInAs: "Ada@contoso.test" })], [false, false], state);
  }
  for (const state of ["signed-out", "attention", "blocked"]) {
    assert.ok(offers({ state }), state);
  }
  assert.ok(viewOf({ account: BEN, signInAs: BEN, state: "ready" }).actions.includes("openBy"), "unlisted");
});

test("nor where a shared mailbox is the only one that its sign-in opens, which would go with it, but after a sign-out", () => {
  const ben = { account: BEN, signInAs: BEN, state: "ready" };
  const shared = (/** @type {string} */ state, /** @type {object[]} */ others = []) =>
    viewOf({ account: INFO, signInAs: ADA, state }, { others: [...others, ben], server: { account: INFO } });
  for (const state of ["ready", "renewing"]) {
    const only = shared(state);
    assert.deepEqual([only.actions.includes("openBy"), only.actions.includes("signOut")], [false, true], state);
    for (const account of [ADA, "sales@contoso.test"]) {
      assert.ok(shared(state, [{ account, signInAs: ADA, state }]).actions.includes("openBy"), `${state}: Ada's sign-in stays for ${account}`);
    }
    assert.ok(!shared(state, [{ account: "sales@contoso.test", signInAs: ADA, state, tenant: "fabrikam.test" }]).actions.includes("openBy"), "another of Ada's");
  }
  const { actions, otherNames } = shared("signed-out");
  assert.deepEqual([actions, otherNames], [["signIn", "openBy", "letThunderbird"], [BEN]]);
});

test("a mailbox can be opened by whoever is signed in, each named once, and not by who opens it already", () => {
  const others = [
    { account: BEN, signInAs: BEN, state: "ready" },
    { account: "info@contoso.test", signInAs: "Ben@contoso.test", state: "waiting" },
    { account: "cleo@contoso.test", signInAs: "cleo@contoso.test", state: "locked" },
  ];
  assert.deepEqual(viewOf({ state: "signed-out" }, { others }).otherNames, ["Ben@contoso.test"]);
  const shared = viewOf({ state: "ready", signInAs: BEN }, { others });
  assert.deepEqual([shared.signInAs, shared.otherNames], [BEN, []]);
});

test("how many mailboxes one sign-in opens is known beside the button that ends it", () => {
  const others = [
    { account: "info@contoso.test", signInAs: "Ada@contoso.test", state: "ready" },
    { account: "sales@contoso.test", signInAs: ADA, state: "ready", tenant: "fabrikam.test" },
    { account: BEN, signInAs: BEN, state: "ready" },
  ];
  assert.equal(viewOf({ state: "ready" }, { others }).mailboxes, 2);
  assert.equal(viewOf({ state: "ready" }).mailboxes, 1);
});
