// SPDX-License-Identifier: MPL-2.0

/** Switching an account, with a host and a Thunderbird made for the test: what fails changes nothing. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Migration } from "../../extension/background/migration.mjs";
import { settled } from "./fakes.mjs";

const ADA = "ada@contoso.test";
const CLIENT = "6e1c4d2a-0000-4000-8000-000000000001";
const AUTHORITY = "https://login.microsoftonline.com";

Object.assign(globalThis, { browser: { i18n: { getMessage: (/** @type {string} */ key) => key, getUILanguage: () => "en" } } });

const imap = (/** @type {object} */ more = {}) => ({
  key: "server1", direction: "incoming", type: "imap", hostname: "outlook.office365.com", port: 993, socketType: "tls",
  authMethod: "password", username: ADA, addresses: [ADA], restart: false, ...more,
});
const smtp = (/** @type {object} */ more = {}) =>
  imap({ key: "smtp1", direction: "outgoing", type: "smtp", hostname: "smtp.office365.com", port: 587, socketType: "starttls", ...more });

/** Thunderbird's settings: a change is in force at once, and what was there is kept. */
class FakeBridge {
  flows = true;
  refuses = false;
  /** @type {string[]} */
  calls = [];
  /** @type {any[]} */
  servers;
  /** @type {any[]} the servers before the last change */
  last = [];
  ownToken = "refresh";

  /** @param {any[]} servers */
  constructor(servers) {
    this.servers = servers;
  }

  listSettings = async () => structuredClone(this.servers);
  settleSettings = async () => this.calls.push("settle");

  changeSettings = async (/** @type {any[]} */ changes) => {
    if (this.refuses) {
      throw new Error("no");
    }
    this.calls.push("change");
    this.last = structuredClone(this.servers);
    for (const { key, ...settings } of changes) {
      const server = this.servers.find(one => one.key === key);
      const change = server.change ?? { before: structuredClone(server), flowed: false, hasPassword: true };
      Object.assign(server, settings, { authMethod: "oauth2", change });
    }
  };

  revertSettings = async (/** @type {string[]} */ keys) => {
    this.calls.push("revert");
    this.servers = this.servers.map(server => (keys.includes(server.key) ? this.last.find(one => one.key === server.key) : server));
  };

  restoreSettings = async (/** @type {string[]} */ keys) => {
    this.calls.push("restore");
    this.servers = this.servers.map(server => (keys.includes(server.key) && server.change ? server.change.before : server));
  };

  checkSettings = async (/** @type {string[]} */ keys) => {
    this.calls.push("check");
    this.servers.filter(({ key }) => keys.includes(key)).forEach(({ change }) => (change.flowed = this.flows));
    return this.flows;
  };

  deletePasswords = async (/** @type {string[]} */ keys) => {
    this.calls.push(`delete ${keys}`);
    this.servers.forEach(({ change }) => change && (change.hasPassword = false));
  };

  ownRefreshToken = async () => this.ownToken;
  deleteOwnSignIn = async () => this.calls.push("deleteOwnSignIn");
}

const good = (/** @type {any} */ { servers }) => ({ report: { checks: servers.map((/** @type {any} */ { type }) => ({ id: type, status: "ok" })) } });

/**
 * @param {{servers?: any[], policy?: object, methods?: Record<string, (params: any) => any>, state?: string, signsIn?: any, hostState?: string, takesTokens?: boolean, stored?: object}} [world]
 */
function setUp({ servers = [imap(), smtp()], policy = {}, methods = {}, state = "signed-out", signsIn = { ok: true }, hostState = "connected", takesTokens = true, stored = {} } = {}) {
  const bridge = new FakeBridge(servers);
  /** @type {[string, any][]} */
  const asked = [];
  const account = { account: ADA, state, method: "browser" };
  const book = { get: () => account, isSignedIn: () => account.state === "ready" };
  /** @type {string[][]} */
  const signIns = [];
  /** @type {any[][]} */
  const said = [];
  const all = /** @type {Record<string, (params: any) => any>} */ ({ "health.check": good, "account.import": () => ({}), ...methods });
  const companion = {
    host: {
      state: hostState,
      request: async (/** @type {string} */ method, /** @type {any} */ params) => {
        asked.push([method, params]);
        return await all[method](params);
      },
    },
    settings: { policy: { clientId: CLIENT, ...policy }, migrate: "offer", ...policy },
    get situation() {
      return { hostState: this.host.state, takesTokens, migrate: this.settings.migrate };
    },
    book,
    actions: {
      takeOver: async (/** @type {any} */ signIn) => {
        asked.push(["account.import", signIn]);
        await all["account.import"](signIn);
        Object.assign(account, { state: "ready", method: "import" });
      },
      signInToEnd: async (/** @type {string} */ _name, /** @type {string[]} */ protocols) => {
        signIns.push(protocols);
        account.state = signsIn.ok ? "ready" : account.state;
        return signsIn;
      },
    },
  };
  const kept = /** @type {Record<string, any>} */ ({ ...stored });
  const storage = { get: async () => structuredClone(kept), set: async (/** @type {object} */ values) => Object.assign(kept, values) };
  /** @type {string[]} */
  const withdrawn = [];
  const notices = {
    holds: false,
    say(/** @type {any[]} */ ...words) {
      said.push(words);
      return this.holds || words[4]?.();
    },
    withdraw: (/** @type {string} */ subject) => withdrawn.push(subject),
  };
  /** @type {(string|null)[]} */
  const steps = [];
  const migration = new Migration(/** @type {any} */ ({
    companion, bridge, storage, notices, openSection() {},
    onChange: async () => steps.push((await migration.view()).accounts[0]?.step ?? null),
  }));
  const view = async () => (await migration.view()).accounts[0];
  return { migration, bridge, companion, account, asked, signIns, notices, said, withdrawn, kept, steps, view };
}

const authMethods = (/** @type {FakeBridge} */ { servers }) => servers.map(({ authMethod }) => authMethod);

test("an account is switched after sign-in and probe; the old password is offered for deletion once mail flowed", async () => {
  const { migration, bridge, asked, signIns, steps, view } = setUp({ servers: [imap({ hostname: "imap-mail.outlook.com" }), smtp({ authMethod: "oauth2" })] });
  const before = structuredClone(bridge.servers);
  assert.deepEqual((await view()).actions, ["switch"]);
  await migration.switch(ADA);
  await settled();
  assert.deepEqual(signIns, [["imap", "smtp"]]);
  const [, { accounts, servers }] = asked[0];
  assert.deepEqual(accounts, [ADA]);
  assert.deepEqual(servers[0], { account: ADA, type: "imap", hostname: "outlook.office365.com", port: 993, socketType: "tls", authMethod: "oauth2" });
  assert.equal(servers.length, 2, "those that are right are tried, too");
  assert.deepEqual([...new Set(steps)], ["signing-in", "probing", "changing", "checking", null]);
  assert.deepEqual(bridge.calls, ["change", "check"]);
  const { switched, actions, problem } = await view();
  assert.deepEqual([switched, actions, problem], [true, ["undo", "deletePassword"], null]);

  await migration.deletePassword(ADA);
  assert.deepEqual(bridge.calls.at(-1), "delete server1");
  assert.deepEqual((await view()).actions, ["undo"]);
  await migration.undo(ADA);
  assert.deepEqual(bridge.servers, before);
  assert.equal((await view()).restored, true);
});

test("a sign-in that fails, or is given up, changes nothing and says why", async () => {
  for (const [signsIn, cause] of /** @type {[any, string][]} */ ([
    [{ ok: false, problem: { kind: "blocked", cause: "Disabled.", remedy: "Ask." } }, "Disabled."],
    [{ ok: false, problem: { kind: "disconnected" } }, "problemDisconnected"],
    [{ ok: false }, "migration_givenUp"],
  ])) {
    const { migration, bridge, asked, view } = setUp({ signsIn });
    await migration.switch(ADA);
    assert.equal((await view()).problem?.cause, cause);
    assert.deepEqual([bridge.calls, asked], [[], []]);
    assert.deepEqual((await view()).actions, ["switch"], "it can be tried again");
  }
});

test("a probe that fails, or a host that is lost in the middle, changes nothing and says why", async () => {
  const failing = (/** @type {any[]} */ ...checks) => ({ "health.check": () => ({ report: { checks } }) });
  const lost = { "health.check": () => Promise.reject(Object.assign(new Error("gone"), { kind: "disconnected" })) };
  const smtpDisabled = { id: "smtp", status: "fail", detail: "Disabled for the mailbox.", remedy: "Ask.", adminRemedy: "Enable it." };
  for (const [methods, cause] of /** @type {[any, string][]} */ ([
    [failing({ id: "imap", status: "ok" }, smtpDisabled), "Disabled for the mailbox."],
    [failing({ id: "imap", status: "skipped", detail: "Not tried." }, { id: "token", status: "fail", detail: "No token." }, { id: "smtp", status: "skipped", detail: "" }), "No token."],
    [failing({ id: "imap", status: "ok" }), ""],
    [lost, "problemDisconnected"],
  ])) {
    const { migration, bridge, view } = setUp({ methods });
    await migration.switch(ADA);
    assert.equal((await view()).problem?.cause, cause);
    assert.deepEqual(bridge.calls, []);
    assert.deepEqual(authMethods(bridge), ["password", "password"]);
  }
});

test("settings that Thunderbird refuses, or that the user changed during the probe, are left as they are", async () => {
  const refused = setUp();
  refused.bridge.refuses = true;
  await refused.migration.switch(ADA);
  assert.equal((await refused.view()).problem?.cause, "migration_refused");
  assert.deepEqual(authMethods(refused.bridge), ["password", "password"]);

  const changed = setUp({ methods: { "health.check": params => (changed.bridge.servers[0].port = 1993, good(params)) } });
  await changed.migration.switch(ADA);
  assert.equal((await changed.view()).problem?.cause, "migration_changed");
  assert.deepEqual(changed.bridge.calls, []);
});

test("if no mail flows over the new settings, the old ones come back by themselves", async () => {
  const { migration, bridge, view } = setUp();
  bridge.flows = false;
  await migration.switch(ADA);
  assert.deepEqual(bridge.calls, ["change", "check", "revert"]);
  assert.deepEqual(authMethods(bridge), ["password", "password"]);
  const { problem, actions } = await view();
  assert.deepEqual([problem?.cause, actions], ["migration_noFlow", ["switch"]]);
});

test("if no mail flows after a second switch, the settings of the first come back, and an undo still goes to the oldest", async () => {
  const change = { before: imap(), flowed: true, hasPassword: false };
  const working = imap({ authMethod: "oauth2", port: 1993, change });
  const { migration, bridge, view } = setUp({ servers: [structuredClone(working)], state: "ready" });
  bridge.flows = false;
  await migration.switch(ADA);
  assert.deepEqual(bridge.calls, ["change", "check", "revert"]);
  assert.deepEqual(bridge.servers, [working]);
  assert.deepEqual((await view()).actions, ["switch", "undo"]);
  await migration.undo(ADA);
  assert.deepEqual(bridge.servers, [imap()]);
});

test("a click on a button that was pressed already does nothing", async () => {
  const { migration, bridge, signIns } = setUp();
  await Promise.all([migration.switch(ADA), migration.switch(ADA.toUpperCase())]);
  assert.equal(signIns.length, 1);
  assert.deepEqual(bridge.calls, ["change", "check"]);
});

test("a start after Thunderbird ended in the middle is settled first, and mail is looked for before a password may go", async () => {
  const change = { before: {}, flowed: false, hasPassword: true };
  const { migration, bridge, view } = setUp({ servers: [imap({ authMethod: "oauth2", change })], state: "ready" });
  assert.deepEqual((await view()).actions, ["undo"]);
  await migration.start();
  await migration.consider();
  await settled();
  assert.deepEqual(bridge.calls, ["settle", "check"]);
  assert.deepEqual((await view()).actions, ["undo", "deletePassword"]);
});

test("until a start has settled what was cut off nothing is read or changed, whoever asks for it", async () => {
  for (const begin of /** @type {((world: ReturnType<typeof setUp>) => any)[]} */ ([
    ({ migration }) => migration.consider(),
    ({ migration }) => migration.view(),
    ({ migration }) => migration.switch(ADA),
    ({ migration }) => migration.undo(ADA),
  ])) {
    const change = { before: imap(), flowed: true, hasPassword: false };
    const world = setUp({ servers: [imap({ change }), smtp()], policy: { migrate: "auto" }, state: "ready" });
    const { migration, bridge } = world;
    const { promise: idle, resolve: becomeIdle } = /** @type {PromiseWithResolvers<void>} */ (Promise.withResolvers());
    const { listSettings, settleSettings } = bridge;
    Object.assign(bridge, {
      settleSettings: () => idle.then(settleSettings),
      listSettings: () => (bridge.calls.push("list"), listSettings()),
    });
    migration.start();
    const done = begin(world);
    await settled();
    assert.deepEqual(bridge.calls, [], String(begin));
    becomeIdle();
    await done;
    assert.deepEqual(bridge.calls.slice(0, 2), ["settle", "list"], String(begin));
  }
});

test("a start that finds no mail flowing says so, beside the undo", async () => {
  const outcomes = [async () => false, () => Promise.reject(new Error("x"))];
  for (const [index, cause] of ["migration_unverified", "migration_failed"].entries()) {
    const change = { before: imap(), flowed: false, hasPassword: true };
    const { migration, bridge, view } = setUp({ servers: [imap({ authMethod: "oauth2", change })], state: "ready" });
    Object.assign(bridge, { checkSettings: outcomes[index] });
    await migration.consider();
    await settled();
    const { problem, actions } = await view();
    assert.deepEqual([problem?.cause, actions], [cause, ["undo"]]);
    await migration.undo(ADA);
    assert.equal((await view()).problem, null);
  }
});

test("of many changes that come at once not each one has the settings read", async () => {
  const { migration, bridge } = setUp();
  let read = 0;
  const { listSettings } = bridge;
  bridge.listSettings = () => (read++, listSettings());
  for (let n = 0; n < 10; n++) {
    migration.consider();
  }
  await settled();
  assert.equal(read, 1);
  migration.consider();
  await settled();
  assert.equal(read, 2);
});

test("a start at which nothing could be settled goes on all the same", async () => {
  const { migration, bridge, said } = setUp();
  Object.assign(bridge, { settleSettings: () => Promise.reject(new Error("x")) });
  await migration.start();
  await settled();
  assert.equal(said.length, 1);
});

test("“off” shows and does nothing; “offer” says it once, ever", async () => {
  const off = setUp({ policy: { migrate: "off" }, state: "ready" });
  await off.migration.consider();
  assert.deepEqual(await off.migration.view(), { mode: "off", accounts: [] });
  assert.deepEqual([off.said, off.bridge.calls], [[], []]);

  const offer = setUp({ state: "ready" });
  await offer.migration.consider();
  await offer.migration.consider();
  assert.equal(offer.said.length, 1);
  assert.deepEqual(offer.bridge.calls, [], "only by a click");
  const later = setUp({ stored: offer.kept });
  await later.migration.consider();
  assert.deepEqual(later.said, []);
});

test("an offer that was held back until Thunderbird ended is made after the next start", async () => {
  const { migration, notices, said, kept } = setUp({ state: "ready" });
  notices.holds = true;
  await migration.consider();
  assert.deepEqual([said.length, kept], [1, {}]);
  const later = setUp({ stored: kept });
  await later.migration.consider();
  assert.deepEqual([later.said.length, later.kept], [1, { migrationOffered: true }]);
});

test("“auto” switches who is signed in, asks the others for the sign-in, and obeys an undo", async () => {
  const ready = setUp({ policy: { migrate: "auto" }, state: "ready" });
  await ready.migration.consider();
  await settled();
  await ready.migration.consider();
  await settled();
  assert.deepEqual(ready.bridge.calls, ["change", "check"]);
  await ready.migration.undo(ADA);
  const later = setUp({ policy: { migrate: "auto" }, state: "ready", stored: ready.kept });
  await later.migration.consider();
  await settled();
  assert.deepEqual(later.bridge.calls, []);

  const signedOut = setUp({ policy: { migrate: "auto" } });
  await signedOut.migration.consider();
  await settled();
  assert.deepEqual([signedOut.signIns, signedOut.bridge.calls], [[], []], "no browser without a click");
  const [[, , words, onClick]] = signedOut.said;
  assert.equal(words, "migration_signInNotice");
  await onClick();
  assert.deepEqual(signedOut.bridge.calls, ["change", "check"]);
});

test("of undos at once each is kept in mind, so that “auto” switches none of the accounts again", async () => {
  const names = [ADA, "ben@contoso.test", "cleo@contoso.test"];
  const change = { before: imap(), flowed: true, hasPassword: false };
  const servers = names.map((username, n) => imap({ key: `server${n}`, username, addresses: [username], authMethod: "oauth2", change }));
  const { migration, kept } = setUp({ servers });
  await Promise.all(names.map(name => migration.undo(name)));
  assert.deepEqual(kept.migrationDeclined.toSorted(), names);
});

test("“auto” asks once for the sign-in of each account, and only what succeeded is withdrawn", async () => {
  const ben = "ben@contoso.test";
  const { migration, said, withdrawn } = setUp({
    servers: [imap(), imap({ key: "server2", username: ben, addresses: [ben] })],
    policy: { migrate: "auto" },
  });
  await migration.consider();
  await migration.consider();
  assert.deepEqual(said.map(([subject]) => subject), [`migration ${ADA}`, `migration ${ben}`]);
  await said[0][3]();
  assert.ok(withdrawn.includes(`migration ${ADA}`));
  assert.ok(!withdrawn.includes(`migration ${ben}`));
});

test("“auto” leaves a locked account alone until it is unlocked", async () => {
  const { migration, account, bridge, said, signIns } = setUp({ policy: { migrate: "auto" }, state: "locked" });
  await migration.consider();
  await settled();
  assert.deepEqual([said, signIns, bridge.calls], [[], [], []]);
  account.state = "ready";
  await migration.consider();
  await settled();
  assert.deepEqual(bridge.calls, ["change", "check"]);
});

test("without the host, or where Thunderbird takes no tokens from it, nothing is offered, and what was changed can be put back", async () => {
  for (const lack of [{ hostState: "missing" }, { takesTokens: false }, { takesTokens: false, policy: { migrate: "auto" } }]) {
    const change = { before: imap(), flowed: true, hasPassword: false };
    const { migration, bridge, signIns, said, view } = setUp({ servers: [imap({ authMethod: "oauth2", hostname: "mail.contoso.test", change }), smtp()], ...lack });
    await migration.start();
    assert.deepEqual([signIns, said], [[], []], JSON.stringify(lack));
    assert.deepEqual((await view()).actions, ["undo"], JSON.stringify(lack));
    await migration.undo(ADA);
    assert.deepEqual(authMethods(bridge), ["password", "password"]);
  }
});

test("what was changed can be put back whatever the policy says by now, and nothing else is offered", async () => {
  const ownSignIn = { clientId: CLIENT, authority: AUTHORITY };
  for (const policy of [{ migrate: "off" }, { allowedDomains: ["other.test"] }, { cloud: "custom" }]) {
    const change = { before: imap(), flowed: true, hasPassword: false };
    const changed = imap({ authMethod: "oauth2", hostname: "mail.contoso.test", ownSignIn, change });
    const { migration, bridge, signIns, view } = setUp({ servers: [changed, smtp()], policy });
    assert.deepEqual((await view()).actions, ["undo"], JSON.stringify(policy));
    await migration.switch(ADA);
    assert.deepEqual([signIns, bridge.calls], [[], []]);
    await migration.undo(ADA);
    assert.deepEqual(authMethods(bridge), ["password", "password"]);
    assert.equal(bridge.servers[0].hostname, "outlook.office365.com");
  }
});

test("what cannot be deleted is said, and nothing is deleted while something else is being done", async () => {
  const change = { before: imap(), flowed: true, hasPassword: true };
  const ownSignIn = { clientId: CLIENT, authority: AUTHORITY };
  const { migration, account, bridge, view } = setUp({ servers: [imap({ authMethod: "oauth2", change, ownSignIn }), smtp()], state: "ready" });
  account.method = "import";
  const { deletePasswords, deleteOwnSignIn } = bridge;
  Object.assign(bridge, { deletePasswords: () => Promise.reject(new Error("x")), deleteOwnSignIn: () => Promise.reject(new Error("x")) });
  for (const action of /** @type {const} */ (["deletePassword", "deleteOwnSignIn"])) {
    await migration[action](ADA);
    const { problem, actions } = await view();
    assert.deepEqual([problem?.cause, problem?.remedy], ["migration_failed", "migration_failed_remedy"]);
    assert.ok(actions.includes(action), "it can be tried again");
  }
  Object.assign(bridge, { deletePasswords, deleteOwnSignIn });
  await Promise.all([migration.switch(ADA), migration.deletePassword(ADA), migration.deleteOwnSignIn(ADA)]);
  assert.deepEqual(bridge.calls, ["change", "check"]);
  await migration.deletePassword(ADA);
  assert.equal((await view()).problem, null);
});

test("Thunderbird's own sign-in is taken over once, where app and authority are the same, and then its copy may go", async () => {
  const ownSignIn = { clientId: CLIENT, authority: AUTHORITY };
  const { migration, bridge, asked, signIns, view } = setUp({ servers: [imap({ authMethod: "oauth2", ownSignIn })] });
  assert.deepEqual((await view()).actions, ["takeOver"]);
  await migration.deleteOwnSignIn(ADA);
  assert.deepEqual(bridge.calls, [], "not before the host has it");
  await migration.takeOver(ADA);
  assert.deepEqual(asked, [["account.import", { account: ADA, refreshToken: "refresh", clientId: CLIENT }]]);
  assert.deepEqual((await view()).actions, ["deleteOwnSignIn"]);
  await migration.deleteOwnSignIn(ADA);
  assert.deepEqual([bridge.calls, signIns], [["deleteOwnSignIn"], []]);
  assert.doesNotMatch(JSON.stringify(await migration.view()), /refresh/, "no token reaches a page");

  for (const other of [{ ...ownSignIn, clientId: "9e5f94bc-e8a4-4e73-b8be-63364c29d753" }, { ...ownSignIn, authority: "https://login.microsoftonline.us" }]) {
    assert.equal(await setUp({ servers: [imap({ authMethod: "oauth2", ownSignIn: other })] }).view(), undefined);
  }
});

test("while Thunderbird signs in by itself, its copy of a sign-in that was taken over is not deleted", async () => {
  const ownSignIn = { clientId: CLIENT, authority: AUTHORITY };
  const { migration, bridge, companion, view } = setUp({ servers: [imap({ hostname: "outlook.com", authMethod: "oauth2", ownSignIn })] });
  await migration.switch(ADA);
  assert.ok((await view()).actions.includes("deleteOwnSignIn"));
  const { situation } = companion;
  for (const lack of [{ hostState: "missing" }, { takesTokens: false }]) {
    Object.defineProperty(companion, "situation", { value: { ...situation, ...lack }, configurable: true });
    assert.ok(!(await view()).actions.includes("deleteOwnSignIn"), JSON.stringify(lack));
    await migration.deleteOwnSignIn(ADA);
  }
  assert.ok(!bridge.calls.includes("deleteOwnSignIn"));
});

test("a switch takes Thunderbird's own sign-in first, and asks the user where the host does not take it", async () => {
  const servers = () => [imap({ hostname: "outlook.com", authMethod: "oauth2", ownSignIn: { clientId: CLIENT, authority: AUTHORITY } })];
  const taken = setUp({ servers: servers() });
  await taken.migration.switch(ADA);
  assert.deepEqual([taken.signIns, taken.bridge.calls], [[], ["change", "check"]]);
  const refused = setUp({ servers: servers(), methods: { "account.import": () => Promise.reject(new Error("expired")) } });
  await refused.migration.switch(ADA);
  assert.deepEqual([refused.signIns, refused.bridge.calls], [[["imap"]], ["change", "check"]]);
});

test("“auto” takes Thunderbird's own sign-in without a question, and asks where the host does not take it", async () => {
  const servers = () => [imap({ hostname: "outlook.com", authMethod: "oauth2", ownSignIn: { clientId: CLIENT, authority: AUTHORITY } })];
  const taken = setUp({ servers: servers(), policy: { migrate: "auto" } });
  await taken.migration.consider();
  await settled();
  assert.deepEqual([taken.said, taken.signIns, taken.bridge.calls], [[], [], ["change", "check"]]);
  const refused = setUp({ servers: servers(), policy: { migrate: "auto" }, methods: { "account.import": () => Promise.reject(new Error("expired")) } });
  await refused.migration.consider();
  await settled();
  await refused.migration.consider();
  assert.deepEqual([refused.signIns, refused.bridge.calls, refused.asked.length], [[], [], 1], "no browser without a click");
  await refused.said[0][3]();
  assert.deepEqual([refused.signIns, refused.bridge.calls], [[["imap"]], ["change", "check"]]);
});
