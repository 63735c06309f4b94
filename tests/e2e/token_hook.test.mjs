// SPDX-License-Identifier: MPL-2.0

/** The one function put into Thunderbird's mail code: it always settles, and touches nothing that is not ours. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { FakeThunderbird, MAIL, setUp } from "./fake_mail_code.mjs";
import { settled } from "./fakes.mjs";

const sha256 = (/** @type {string} */ text) => createHash("sha256").update(text).digest("hex");
const token = (/** @type {string} */ accessToken) => ({ accessToken, expiresAt: 2_000_000 });

test("a managed account gets its token from us, and refreshToken and scope stay as they are", async () => {
  /** @type {any[]} */
  const asked = [];
  const { account, originals, thunderbird } = setUp(async details => (asked.push(details), token("T1")));
  const oauth = account({ refreshToken: "" });
  await oauth.connect(true, false);
  assert.equal(oauth.accessToken, "T1");
  assert.equal(oauth.tokenExpires, 2_000_000_000);
  assert.equal(oauth.refreshToken, "");
  assert.equal(oauth.scope, MAIL);
  assert.deepEqual(originals, []);
  assert.equal(thunderbird.quitObservers.size, 0);
  assert.equal(thunderbird.timers.pending, 0);
  assert.equal(asked[0].resource, "mail");
  assert.equal(asked[0].ownToken, false);
});

test("every connect asks again, and a token nulled since is named as rejected", async () => {
  /** @type {any[]} */
  const asked = [];
  const { account, timers } = setUp(async details => (asked.push(details), token(`T${asked.length}`)));
  const oauth = account();
  await oauth.connect(true, false);
  await oauth.connect(true, false);
  assert.equal(oauth.accessToken, "T2");
  timers.advance(5_000);
  oauth.accessToken = null;
  await oauth.connect(true, false);
  assert.deepEqual(asked.map(({ rejected }) => rejected), [undefined, undefined, sha256("T2")]);
});

test("what is not ours goes to Thunderbird's own function with its arguments", async () => {
  const { account, originals } = setUp(async () => token("T"));
  const others = [
    { authorizationEndpoint: "https://accounts.google.com/o/oauth2/auth" },
    { authorizationEndpoint: "https://login.microsoftonline.com.evil.test/authorize" },
    { authorizationEndpoint: "https://login.microsoftonline.com@evil.test/authorize" },
    { authorizationEndpoint: "http://login.microsoftonline.com/authorize" },
    { authorizationEndpoint: "no address" },
    { username: "ben@contoso.test" },
    { username: "ada" },
    { username: null },
    { scope: "https://outlook.office.com/EAS.AccessAsUser.All offline_access" },
    { scope: "https://outlook.office.com/EWS.AccessAsUser.All offline_access" },
    { scope: `${MAIL} https://graph.microsoft.com/Mail.Send` },
    { scope: null },
  ];
  for (const fields of others) {
    assert.equal(await account(fields).connect(false, true), "original", JSON.stringify(fields));
  }
  assert.deepEqual(originals, others.map(() => [false, true]));
});

test("Graph scopes ask for the Graph token", async () => {
  /** @type {any[]} */
  const asked = [];
  const { account } = setUp(async details => (asked.push(details), token("T")));
  await account({ scope: "https://graph.microsoft.com/User.Read https://graph.microsoft.com/Mail.Send offline_access" }).connect(true, false);
  assert.equal(asked[0].resource, "graph");
});

test("a request before the background is there waits for it", async () => {
  const { hook, account } = setUp();
  const oauth = account();
  const waiting = oauth.connect(true, false);
  await settled();
  hook.setListener(async () => token("T"));
  await waiting;
  assert.equal(oauth.accessToken, "T");
});

test("without an answer it settles within ten seconds, and for a minute every request is decided at once", async () => {
  let asked = 0;
  const { account, timers, originals } = setUp(() => (asked++, new Promise(() => {})));
  const waiting = account().connect(true, false);
  await settled();
  timers.advance(10_000);
  await assert.rejects(waiting);
  await assert.rejects(account().connect(true, false));
  assert.equal(asked, 1, "the breaker is open");
  assert.deepEqual(originals, [], "no browser opens by accident");
  await assert.rejects(account({ refreshToken: "own" }).connect(true, false), "nor Thunderbird's dialog about a token left over");
  const living = account({ accessToken: "T", tokenExpires: timers.now() + 60_000 });
  await living.connect(true, false);
  timers.advance(60_001);
  account().connect(true, false).catch(() => {});
  await settled();
  assert.equal(asked, 2, "the breaker is closed");
});

test("a failure rejects and takes the old token away", async () => {
  const { account, originals } = setUp(async () => ({ failure: "sign-in-required" }));
  const oauth = account({ accessToken: "T", tokenExpires: Infinity });
  await assert.rejects(oauth.connect(true, false), (/** @type {any} */ reason) => JSON.parse(reason).error === "sign-in-required");
  assert.equal(oauth.accessToken, null);
  assert.deepEqual(originals, []);
});

test("connections that share a token do not have the new one refused for the old", async () => {
  /** @type {any[]} */
  const asked = [];
  let current = "T1";
  const { account, timers } = setUp(async details => (asked.push(details), token(current)));
  const oauth = account();
  const refuse = async () => {
    oauth.accessToken = null;
    await oauth.connect(true, false);
    return asked.at(-1).rejected;
  };
  await oauth.connect(true, false);
  current = "T2";
  assert.equal(await refuse(), sha256("T1"), "there was none before that could be meant");
  timers.advance(3_000);
  assert.equal(await refuse(), undefined);
  timers.advance(2_000);
  assert.equal(await refuse(), sha256("T2"), "a later refusal names it");
});

test("a failed IMAP login names its token to the host, once, and is worth another try", async () => {
  /** @type {any[]} */
  const asked = [];
  const { hook, account, timers } = setUp(async details => (asked.push(details), token("T")));
  const oauth = account();
  assert.equal(hook.loginFailed("ada@contoso.test"), false, "no login was made with a token of ours");
  await oauth.connect(true, false);
  assert.equal(hook.loginFailed("ben@contoso.test"), false);
  assert.equal(hook.loginFailed("ADA@contoso.test"), true);
  assert.equal(hook.loginFailed("ada@contoso.test"), true, "another connection was refused too");
  await oauth.connect(true, false);
  assert.equal(hook.loginFailed("ada@contoso.test"), false, "the host kept to it");
  await oauth.connect(true, false);
  assert.deepEqual(asked.map(({ rejected }) => rejected), [undefined, sha256("T"), undefined]);
  timers.advance(60_001);
  assert.equal(hook.loginFailed("ada@contoso.test"), false);
});

test("a login that fails just after the token was replaced, or long after it was given, says nothing about it", async () => {
  let current = "T1";
  const { hook, account, timers } = setUp(async () => token(current));
  const oauth = account();
  await oauth.connect(true, false);
  timers.advance(60_001);
  assert.equal(hook.loginFailed("ada@contoso.test"), false, "no login takes so long");
  current = "T2";
  await oauth.connect(true, false);
  timers.advance(4_999);
  assert.equal(hook.loginFailed("ada@contoso.test"), false, "it may have been made with the token before");
  timers.advance(1);
  assert.equal(hook.loginFailed("ada@contoso.test"), true);
});

test("a refused token is named until the host has heard of it", async () => {
  /** @type {any[]} */
  const answers = [token("T1"), { failure: "network" }, token("T2")];
  /** @type {any[]} */
  const asked = [];
  const { hook, account } = setUp(async details => (asked.push(details.rejected), answers[asked.length - 1]));
  const oauth = account();
  await oauth.connect(true, false);
  hook.loginFailed("ada@contoso.test");
  await assert.rejects(oauth.connect(true, false));
  await oauth.connect(true, false);
  assert.equal(oauth.accessToken, "T2");
  assert.deepEqual(asked, [undefined, sha256("T1"), sha256("T1")]);
});

test("the token for Graph has nothing to do with IMAP", async () => {
  const { hook, account } = setUp(async () => token("T"));
  await account({ scope: "https://graph.microsoft.com/Mail.Send offline_access" }).connect(true, false);
  assert.equal(hook.loginFailed("ada@contoso.test"), false);
});

test("a host that cannot be asked opens the breaker, and what still lives goes on", async () => {
  let asked = 0;
  const { account, originals, hook } = setUp(async () => (asked++, { failure: "timeout" }));
  const living = account({ accessToken: "T", tokenExpires: Infinity, refreshToken: "own" });
  await living.connect(true, false);
  assert.equal(living.accessToken, "T");
  await assert.rejects(account({ refreshToken: "own" }).connect(true, false));
  assert.equal(asked, 1, "the breaker is open");
  hook.closeBreaker();
  await assert.rejects(account().connect(true, false));
  assert.equal(asked, 2);
  assert.deepEqual(originals, []);
});

test("where Thunderbird goes on by itself our token is taken back, and one of its own is kept", async () => {
  /** @type {any} */
  let answer = token("T");
  const { account, originals, timers } = setUp(async () => answer);
  const oauth = account({ refreshToken: "own" });
  await oauth.connect(true, false);
  answer = { pass: true };
  oauth.tokenExpires = Infinity;
  assert.equal(await oauth.connect(true, false), "original");
  assert.equal(oauth.accessToken, null);
  assert.deepEqual(originals, [[true, false]]);
  const own = account({ accessToken: "own access", tokenExpires: timers.now() + 60_000 });
  await own.connect(true, false);
  assert.equal(own.accessToken, "own access");
  assert.equal(originals.length, 1);
});

test("a background that throws does not hang the prompt queue", async () => {
  const { account } = setUp(async () => {
    throw new Error("broken");
  });
  await assert.rejects(account().connect(true, false));
});

test("where the answer says so Thunderbird's own sign-in goes on", async () => {
  const { account, originals } = setUp(async () => ({ pass: true }));
  assert.equal(await account().connect(true, false), "original");
  assert.deepEqual(originals, [[true, false]]);
});

test("cancelling while waiting rejects, and the late answer changes nothing", async () => {
  /** @type {(answer: object) => void} */
  let answer = () => {};
  const { account, thunderbird } = setUp(() => new Promise(resolvePromise => (answer = resolvePromise)));
  const oauth = account();
  const waiting = oauth.connect(true, false);
  await settled();
  oauth.onAuthorizationFailed();
  oauth.finishAuthorizationRequest();
  await assert.rejects(waiting);
  answer(token("T"));
  await settled();
  assert.equal(oauth.accessToken, null);
  assert.equal(thunderbird.quitObservers.size, 0);
});

test("two requests of one account share one answer", async () => {
  let asked = 0;
  const { account } = setUp(async () => (asked++, token("T")));
  const oauth = account();
  await Promise.all([oauth.connect(true, false), oauth.connect(true, false)]);
  assert.equal(asked, 1);
});

test("a refresh token that was removed becomes the empty one, whose length can be read", async () => {
  const { account } = setUp(async () => token("T"));
  const oauth = account({ refreshToken: null });
  await oauth.connect(true, false);
  assert.equal(oauth.refreshToken, "");
});

test("uninstalling restores the original, unless another add-on has wrapped ours", async () => {
  const { hook, prototype, original, account, originals } = setUp();
  const waiting = account({ refreshToken: "own" }).connect(true, false);
  hook.uninstall();
  assert.equal(prototype.connect, original);
  assert.equal(await waiting, "original", "who waits is let go");

  const other = setUp(async () => token("T"));
  const ours = other.prototype.connect;
  const wrapper = function connect(/** @type {boolean} */ aWithUI, /** @type {boolean} */ aRefresh) {
    return ours.call(this, aWithUI, aRefresh);
  };
  other.prototype.connect = wrapper;
  other.hook.uninstall();
  assert.equal(other.prototype.connect, wrapper);
  assert.equal(await other.account().connect(true, false), "original");
  assert.equal(originals.length, 1);
});

test("a Thunderbird that works differently is told by what is missing", () => {
  const { TokenHook } = setUp();
  const { prototype } = setUp();
  assert.equal(TokenHook.obstacle(undefined), "OAuth2.connect");
  assert.equal(TokenHook.obstacle({ ...prototype, connect: (/** @type {any} */ options) => options }), "OAuth2.connect");
  assert.equal(TokenHook.obstacle({ connect: (/** @type {any} */ a, /** @type {any} */ b) => [a, b], accessToken: 1, refreshToken: 1 }), "OAuth2.tokenExpires");
  assert.equal(TokenHook.obstacle({ ...prototype }), "OAuth2.tokenExpired", "a getter that became a value");
});

test("managed names survive a restart, and a pref that someone edited does no harm", () => {
  const thunderbird = new FakeThunderbird([]);
  const { ManagedAccounts } = thunderbird.load("managed_accounts.js");
  new ManagedAccounts().save({ rule: "domains", names: [], domains: ["contoso.test"], providers: [{ issuer: "login.test" }] });
  const again = new ManagedAccounts();
  assert.equal(JSON.stringify(again.providers), JSON.stringify([{ issuer: "login.test" }]));
  assert.equal(again.isManaged("New@Contoso.test"), true);
  assert.equal(again.isManaged("new@contoso.test.evil"), false);
  thunderbird.preferences.set("extensions.thunderseal.managed", "{broken");
  assert.equal(new ManagedAccounts().isManaged("ada@contoso.test"), false);
});
