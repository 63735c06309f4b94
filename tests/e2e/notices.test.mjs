// SPDX-License-Identifier: MPL-2.0

/** Notifications: once per problem until it has healed, and none while nobody wants any. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { AccountBook } from "../../extension/background/account_book.mjs";
import { AccountNotices } from "../../extension/background/account_notices.mjs";
import { Notices } from "../../extension/background/notices.mjs";
import { Quiet } from "../../extension/background/quiet.mjs";
import { FakeTimers, settled } from "./fakes.mjs";

const ADA = "ada@contoso.test";
const PROBLEM = { kind: "sign-in-required", cause: "Your sign-in has ended.", remedy: "Sign in again." };

function setUp() {
  const timers = new FakeTimers();
  let online = true;
  let slept = 0;
  let becameOnline = () => {};
  const quiet = new Quiet({
    now: () => timers.now() + slept,
    setTimeout: timers.setTimeout,
    isOnline: () => online,
    onOnline: callback => {
      becameOnline = callback;
    },
  });
  /** @type {string[]} */
  const shown = [];
  /** @type {string[]} */
  const cleared = [];
  const marks = { badge: "", title: "" };
  let clicked = (/** @type {string} */ _subject) => {};
  let popups = 0;
  const browser = {
    i18n: { getMessage: (/** @type {string} */ key) => key, getUILanguage: () => "en" },
    runtime: { getURL: (/** @type {string} */ path) => path },
    notifications: {
      onClicked: { addListener: (/** @type {any} */ listener) => (clicked = listener) },
      create: (/** @type {string} */ _subject, /** @type {{message: string}} */ { message }) => shown.push(message),
      clear: (/** @type {string} */ subject) => cleared.push(subject),
    },
    browserAction: {
      setBadgeBackgroundColor() {},
      setBadgeText: (/** @type {{text: string}} */ { text }) => (marks.badge = text),
      setTitle: (/** @type {{title: string}} */ { title }) => (marks.title = title),
    },
  };
  Object.assign(globalThis, { browser });
  const notices = new Notices(() => popups++, quiet);
  const book = new AccountBook();
  const accounts = new AccountNotices(notices, book);
  accounts.hereAre([ADA]);
  /** @param {string} state @param {any} [problem] */
  const become = (state, problem = null) => {
    const account = /** @type {any} */ ({ account: ADA, signInAs: ADA, state, problem });
    book.update(account);
    accounts.changed(account);
  };
  return {
    timers, notices, accounts, become, shown, cleared, marks,
    popups: () => popups,
    click: (/** @type {string} */ subject) => clicked(subject),
    sleep: (/** @type {number} */ ms) => (slept += ms),
    goOffline: () => (online = false),
    goOnline: () => {
      online = true;
      becameOnline();
    },
  };
}

test("a problem is told once until it has healed, whoever tells of it and however the account's name is written", () => {
  const { accounts, become, shown, cleared } = setUp();
  become("attention", PROBLEM);
  assert.deepEqual(shown, [], "the host says when");
  accounts.attention(ADA, PROBLEM);
  accounts.attention("Ada@contoso.test", PROBLEM);
  accounts.notServed(ADA);
  become("renewing", PROBLEM);
  become("attention", PROBLEM);
  assert.equal(shown.length, 1);
  assert.deepEqual(cleared, []);
  become("ready");
  assert.deepEqual(cleared, [`account ${ADA}`]);
  accounts.attention(ADA, PROBLEM);
  assert.equal(shown.length, 2, "it came again");
  become("signed-out");
  assert.equal(cleared.length, 2, "the user ended it");
});

test("how a sign-in ended can be read though the account's state says the same", () => {
  const { accounts, become, shown, cleared } = setUp();
  accounts.signedIn(ADA, "signedIn");
  become("ready");
  accounts.signInFailed(ADA, PROBLEM);
  become("signed-out");
  accounts.dropped(ADA);
  assert.deepEqual([shown, cleared.length], [["signedIn", "Your sign-in has ended. Sign in again."], 1], "the one took the other's place");
  become("ready");
  assert.equal(cleared.length, 2, "that is no longer true");
  accounts.signedIn(ADA, "signedIn");
  accounts.signedIn(ADA, "signedIn");
  assert.equal(shown.length, 4, "each time");
  accounts.attention(ADA, PROBLEM);
  become("ready");
  assert.equal(cleared.length, 4, "trouble that has healed");
});

test("an account that Thunderbird has not troubles nobody, until it has it", () => {
  const { accounts, become, shown, cleared, marks } = setUp();
  const look = (/** @type {string[]} */ ...here) => {
    accounts.hereAre(here);
    return [marks.badge, shown.length, cleared.length];
  };
  become("attention", PROBLEM);
  assert.deepEqual(look(), ["", 0, 0], "another Thunderbird's");
  accounts.attention(ADA, PROBLEM);
  assert.deepEqual(look(), ["", 0, 0]);
  assert.deepEqual(look("Ada@contoso.test"), ["1", 1, 0], "it was added since somebody looked");
  assert.deepEqual(look("Ada@contoso.test"), ["1", 1, 0]);
  assert.deepEqual(look("ben@contoso.test"), ["", 1, 1], "it was deleted");
  assert.equal(cleared.at(-1), `account ${ADA}`);
  accounts.attention(ADA, PROBLEM);
  become("ready");
  assert.deepEqual(look(ADA)[1], 1, "it healed before it came");
});

test("what account set-up tries out is told of though it is not here yet", () => {
  const { accounts, become, shown, cleared } = setUp();
  accounts.hereAre([]);
  become("blocked", PROBLEM);
  const before = cleared.length;
  accounts.notServed(ADA);
  accounts.hereAre([]);
  assert.deepEqual([shown.length, cleared.length], [1, before]);
});

test("what was wrong before Thunderbird started is told when a mail connection finds no token", () => {
  const { accounts, become, shown } = setUp();
  become("waiting", { kind: "network", cause: "No network." });
  accounts.notServed(ADA);
  become("locked", { kind: "vault-locked", cause: "Locked." });
  accounts.notServed(ADA);
  assert.deepEqual(shown, [], "passing trouble, and what has a notification of its own");
  become("attention", PROBLEM);
  accounts.notServed(ADA);
  assert.deepEqual(shown, ["Your sign-in has ended. Sign in again."]);
});

test("a click opens the popup, or what the notification is about; nothing opens without one", () => {
  const { notices, accounts, click, popups } = setUp();
  accounts.attention(ADA, PROBLEM);
  let unlocked = 0;
  notices.say("vault", "Locked", "Click here.", () => unlocked++);
  assert.deepEqual([popups(), unlocked], [0, 0]);
  click(`account ${ADA}`);
  click("vault");
  assert.deepEqual([popups(), unlocked], [1, 1]);
});

test("offline nothing is said; what still holds is said when the network is back", () => {
  const { notices, accounts, become, shown, goOffline, goOnline } = setUp();
  goOffline();
  accounts.attention(ADA, PROBLEM);
  notices.say("host", "Gone", "The program is gone.");
  assert.deepEqual(shown, []);
  become("ready");
  goOnline();
  assert.deepEqual(shown, ["The program is gone."]);
  goOnline();
  assert.equal(shown.length, 1);
});

test("who wants to know that something was shown hears it then, not when it is held back or withdrawn", async () => {
  const { notices, goOffline, goOnline } = setUp();
  /** @type {string[]} */
  const heard = [];
  const say = (/** @type {string} */ subject) => notices.say(subject, "Title", subject, undefined, async () => void heard.push(subject));
  say("now");
  await settled();
  assert.deepEqual(heard, ["now"]);
  goOffline();
  say("later");
  say("never");
  notices.withdraw("never");
  await settled();
  assert.deepEqual(heard, ["now"]);
  goOnline();
  await settled();
  assert.deepEqual(heard, ["now", "later"]);
});

test("for 30 s after the machine slept nothing is said but what answers the user", () => {
  const { timers, notices, shown, sleep } = setUp();
  timers.advance(60_000);
  notices.say("before", "Before", "before");
  assert.deepEqual(shown, ["before"], "an idle machine is awake");
  sleep(3_600_000);
  notices.say("host", "Gone", "gone");
  notices.answer("account", "Signed in", "signed in");
  assert.deepEqual(shown, ["before", "signed in"]);
  timers.advance(29_000);
  notices.say("vault", "Locked", "locked");
  assert.deepEqual(shown, ["before", "signed in"]);
  notices.withdraw("vault");
  timers.advance(11_000);
  assert.deepEqual(shown, ["before", "signed in", "gone"]);
});

test("the button says how many accounts need somebody, a refused good token among them", () => {
  const { accounts, become, marks } = setUp();
  const after = (/** @type {string} */ state, /** @type {any} */ problem = null, aside = false) => {
    become(state, problem);
    accounts.mark(aside);
    return [marks.badge, marks.title];
  };
  assert.deepEqual(after("ready"), ["", "actionTitle"]);
  assert.deepEqual(after("waiting", { kind: "network" }), ["", "actionTitle"]);
  assert.deepEqual(after("attention", PROBLEM), ["1", "actionTitleOne"]);
  assert.deepEqual(after("ready", { kind: "blocked", cause: "Refused." }), ["1", "actionTitleOne"]);
  assert.deepEqual(after("ready", null, true), ["!", "actionTitleAside"]);
  accounts.hereAre([]);
  assert.equal(marks.badge, "!", "whoever is here");
});
