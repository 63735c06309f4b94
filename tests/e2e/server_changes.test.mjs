// SPDX-License-Identifier: MPL-2.0

/** Changing the settings of mail servers: what is refused, what is undone by itself, what is kept to be put back. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import vm from "node:vm";
import { FakeTimers, settled } from "./fakes.mjs";

const SCRIPTS = resolve(import.meta.dirname, "../../extension/experiments/tokenBridge");
const RECORD = "extensions.thunderseal.migration";
const ADA = "ada@contoso.test";

/** Preferences that have a value of the user's. */
class FakePreferences extends Map {
  saved = 0;
  getStringPref = (/** @type {string} */ name, /** @type {string} */ otherwise) => this.get(name) ?? otherwise;
  setStringPref = (/** @type {string} */ name, /** @type {string} */ value) => this.set(name, value);
  clearUserPref = (/** @type {string} */ name) => this.delete(name);
  savePrefFile = () => this.saved++;
  getChildList = (/** @type {string} */ branch) => [...this.keys()].filter(name => name.startsWith(branch));
}

/** @param {FakePreferences} preferences @param {string} file @param {FakeTimers} timers */
function load(preferences, file, { setTimeout, clearTimeout }) {
  const scope = vm.createContext({
    console: { error() {} },
    ChromeUtils: { importESModule: () => ({ ExtensionUtils: { ExtensionError: Error }, MailServices: { accounts: { allServers: [] } }, setTimeout, clearTimeout }) },
    Ci: { nsMsgSocketType: { SSL: 3, alwaysSTARTTLS: 2 }, nsMsgAuthMethod: { OAuth2: 10 }, nsMsgFilterAction: {} },
    Services: { prefs: preferences },
  });
  vm.runInContext(readFileSync(join(SCRIPTS, file), "utf8"), scope);
  return /** @type {any} */ (scope);
}

/** A server as Thunderbird has it, whose settings stand in preferences. */
class FakeServer {
  flows = true;
  fails = false;

  /** @param {FakePreferences} preferences @param {string} key @param {object} [more] */
  constructor(preferences, key, more = {}) {
    this.preferences = preferences;
    this.key = key;
    this.incoming = key.startsWith("server");
    this.type = this.incoming ? "imap" : "smtp";
    this.addresses = [ADA];
    this.change({ hostname: "imap-mail.outlook.com", port: 143, socketType: 0, authMethod: 3, username: ADA, ...more });
    this.sessionUri = this.uri;
  }

  /** @param {string} name */
  pref(name) {
    return `mail.${this.incoming ? "server" : "smtpserver"}.${this.key}.${name}`;
  }

  /** @returns {any} */
  get settings() {
    const names = ["hostname", "port", "socketType", "authMethod", "username"];
    return Object.fromEntries(names.map(name => [name, this.preferences.get(this.pref(name)) ?? (name === "port" ? 143 : "")]));
  }

  get prefs() {
    const names = ["hostname", "port", "socketType", "authMethod", "username", "name"].map(name => this.pref(name));
    return Object.fromEntries(names.map(name => [name, this.preferences.get(name) ?? null]));
  }

  get uri() {
    return this.incoming ? `imap://${this.settings.username}@${this.settings.hostname}` : null;
  }

  /** @param {Record<string, any>} settings */
  change(settings) {
    Object.entries(settings).forEach(([name, value]) => this.preferences.set(this.pref(name), value));
    if (this.fails && settings.authMethod === 10) {
      throw new Error("not this one");
    }
  }

  async settle() {}

  isTaken = (/** @type {string} */ hostname, /** @type {string} */ username) => hostname === "outlook.office365.us" && username === ADA;

  /** @param {(works: boolean) => void} onEnd */
  check = onEnd => onEnd(this.flows);
}

/** @param {FakePreferences} [preferences] @param {FakeServer[]} [servers] */
function setUp(preferences = new FakePreferences(), servers = [new FakeServer(preferences, "server1"), new FakeServer(preferences, "smtp1")]) {
  /** @type {any[]} */
  const deleted = [];
  const timers = new FakeTimers();
  const { ChangeRecord } = load(preferences, "change_record.js", timers);
  const { ServerChanges } = load(preferences, "server_changes.js", timers);
  const { FolderReferences } = load(preferences, "folder_references.js", timers);
  const changes = new ServerChanges({
    record: new ChangeRecord(),
    servers: { all: () => servers },
    logins: {
      keep: async (/** @type {any} */ _servers, /** @type {() => void} */ change) => change(),
      holdPassword: async () => true,
      deletePasswords: async (/** @type {any[]} */ named) => deleted.push(...named),
      appOf: () => null,
    },
    folders: FolderReferences,
    setUserValue: (/** @type {string} */ name, /** @type {any} */ value) => (value === null ? preferences.delete(name) : preferences.set(name, value)),
    isMicrosoftAuthority: () => false,
    describe: (/** @type {any} */ settings) => settings,
  });
  return { preferences, servers, changes, deleted, timers };
}

const wanted = (/** @type {string} */ key, /** @type {object} */ more = {}) =>
  ({ key, hostname: "outlook.office365.com", port: 993, socketType: "tls", username: ADA, ...more });

/** @param {FakePreferences} preferences */
const mailPrefs = preferences => [...preferences].filter(([name]) => name.startsWith("mail.")).sort();

test("nothing but a mail server of Microsoft's or of the policy can be set, nor a server of somebody else be changed", async () => {
  const { changes, preferences, servers } = setUp();
  servers.push(new FakeServer(preferences, "server2", { hostname: "mail.example.org" }));
  const before = [...preferences];
  const wrong = [
    wanted("server2"),
    wanted("server9"),
    wanted("__proto__"),
    wanted("server1", { hostname: "mail.evil.test" }),
    wanted("server1", { hostname: "outlook.office365.com.evil.test" }),
    wanted("server1", { port: 0 }),
    wanted("server1", { port: 65_536 }),
    wanted("server1", { socketType: "plain" }),
    wanted("server1", { socketType: "constructor" }),
    wanted("server1", { username: "ada" }),
    wanted("server1", { username: "CONTOSO\\ada@contoso.test" }),
    wanted("server1", { username: "a\u0000@contoso.test" }),
    wanted("server1", { hostname: "outlook.office365.us" }),
  ];
  for (const change of wrong) {
    await assert.rejects(changes.apply([wanted("smtp1"), change], []), undefined, JSON.stringify(change));
  }
  await assert.rejects(changes.apply([wanted("server1", { hostname: "*" })], ["*"]));
  assert.deepEqual([...preferences], before);
  await changes.apply([wanted("server1", { hostname: "mail.contoso.test" })], ["Mail.contoso.test"]);
  assert.equal(servers[0].settings.hostname, "mail.contoso.test");
});

test("a relay that takes an organisation's mail without a sign-in is left alone", async () => {
  const preferences = new FakePreferences();
  const hosts = ["contoso-test.mail.protection.outlook.com", "contoso-test.mail.protection.office365.us", "contoso-test.mail.protection.partner.outlook.cn", "smtp.outlook.com"];
  const { changes } = setUp(preferences, hosts.map((hostname, n) => new FakeServer(preferences, `smtp${n}`, { hostname, port: 25, authMethod: 1 })));
  assert.deepEqual([...await changes.list([])].map(({ hostname }) => hostname), ["smtp.outlook.com"]);
  await assert.rejects(changes.apply([wanted("smtp0")], []));
});

test("what was changed is put back as it was, also where there was no value", async () => {
  const { changes, preferences, servers } = setUp();
  preferences.delete("mail.server.server1.port");
  const before = mailPrefs(preferences);
  await changes.apply([wanted("server1"), wanted("smtp1")], []);
  assert.deepEqual(servers.map(({ settings }) => settings.authMethod), [10, 10]);
  preferences.set("mail.server.server1.name", "Thunderbird's doing");
  // A second change keeps the oldest settings.
  await changes.apply([wanted("server1", { port: 1993 })], []);
  await changes.restore(["server1", "smtp1", "server7"]);
  assert.deepEqual(mailPrefs(preferences), before);
  assert.equal(preferences.has(RECORD), false);
});

test("if one server does not take its settings, all are put back", async () => {
  const { changes, preferences, servers } = setUp();
  const before = mailPrefs(preferences);
  servers[1].fails = true;
  await assert.rejects(changes.apply([wanted("server1"), wanted("smtp1")], []));
  assert.deepEqual(mailPrefs(preferences), before);
  assert.equal(preferences.has(RECORD), false);
});

test("where the administrator locked a setting nothing is changed", async () => {
  const { changes, preferences, servers } = setUp();
  const before = mailPrefs(preferences);
  const { change } = servers[0];
  servers[0].change = ({ authMethod: _, ...others }) => change.call(servers[0], others);
  await assert.rejects(changes.apply([wanted("smtp1"), wanted("server1")], []));
  assert.deepEqual(mailPrefs(preferences), before);
  assert.equal(preferences.has(RECORD), false);
});

test("a second change that comes to nothing leaves the first in force, and the oldest settings can still be put back", async () => {
  const { changes, preferences, servers } = setUp();
  const oldest = mailPrefs(preferences);
  await changes.apply([wanted("server1"), wanted("smtp1")], []);
  assert.equal(await changes.check(["server1", "smtp1"]), true);
  const working = mailPrefs(preferences);
  const second = [wanted("server1", { hostname: "outlook.office.test", port: 1993 }), wanted("smtp1", { port: 1587 })];
  const own = ["outlook.office.test"];

  const change = servers[1].change;
  servers[1].change = settings => {
    servers[1].change = change;
    throw new Error(`not ${settings.port}`);
  };
  await assert.rejects(changes.apply(second, own));
  assert.deepEqual(mailPrefs(preferences), working, "refused");

  await changes.apply(second, own);
  assert.notDeepEqual(mailPrefs(preferences), working);
  await changes.revert(["server1", "smtp1"]);
  assert.deepEqual(mailPrefs(preferences), working, "no mail flowed");
  const described = await changes.list([]);
  assert.deepEqual([...described].map((/** @type {any} */ one) => [one.change.before.port, one.change.flowed]), [[143, true], [143, true]]);

  const cutOff = new FakePreferences();
  const { savePrefFile } = preferences;
  preferences.savePrefFile = () => (cutOff.size || preferences.forEach((value, name) => cutOff.set(name, value)), savePrefFile());
  await changes.apply(second, own);
  cutOff.set(servers[1].pref("port"), 1587);
  const found = servers.map(({ key, type, incoming }) => Object.assign(Object.create(FakeServer.prototype), { preferences: cutOff, key, type, incoming }));
  const later = setUp(cutOff, found).changes;
  await later.settle();
  assert.deepEqual(mailPrefs(cutOff), working, "cut off");
  await later.restore(["server1", "smtp1"]);
  assert.deepEqual(mailPrefs(cutOff), oldest);
  assert.equal(cutOff.has(RECORD), false);
});

test("a second change over which mail flows is not taken back by a start, and an undo goes to the oldest settings", async () => {
  const { changes, preferences, servers } = setUp();
  const oldest = mailPrefs(preferences);
  await changes.apply([wanted("server1")], []);
  await changes.apply([wanted("server1", { port: 1993 })], []);
  await changes.check(["server1"]);
  assert.doesNotMatch(preferences.get(RECORD), /earlier/);
  const later = setUp(preferences, servers).changes;
  await later.settle();
  assert.equal(servers[0].settings.port, 1993);
  await later.restore(["server1"]);
  assert.deepEqual(mailPrefs(preferences), oldest);
});

test("a change that Thunderbird's end cut off is undone at the next start", async () => {
  const first = setUp();
  const before = mailPrefs(first.preferences);
  const preferences = new FakePreferences();
  const { change } = first.servers[1];
  first.servers[1].change = settings => {
    // The power goes: what stands in the file now is what the next start finds.
    first.preferences.forEach((value, name) => preferences.set(name, value));
    change.call(first.servers[1], settings);
  };
  await first.changes.apply([wanted("server1"), wanted("smtp1")], []);
  assert.notDeepEqual(mailPrefs(preferences), before);
  const servers = first.servers.map(({ key, type, incoming }) => Object.assign(Object.create(FakeServer.prototype), { preferences, key, type, incoming }));
  await setUp(preferences, servers).changes.settle();
  assert.deepEqual(mailPrefs(preferences), before);
});

test("a key that went to another account is not restored, and the record of it goes", async () => {
  const { changes, preferences, servers } = setUp();
  await changes.apply([wanted("server1")], []);
  servers[0] = new FakeServer(preferences, "server1", { username: "ben@contoso.test", hostname: "outlook.office365.com" });
  const before = mailPrefs(preferences);
  await changes.restore(["server1"]);
  assert.deepEqual(mailPrefs(preferences), before);
  const [described] = await changes.list([]);
  assert.equal(described.change, undefined);
  await changes.settle();
  assert.equal(preferences.has(RECORD), false);
});

test("a record that someone edited puts back nothing that is not about mail", async () => {
  const entry = { state: "changing", type: "imap", before: { hostname: "a", username: "b" }, after: { hostname: "a", username: ADA }, folders: { from: "x", to: "x" } };
  for (const text of ["junk", "5", "null", JSON.stringify({ server1: 5 }), JSON.stringify({ server1: { ...entry, prefs: { "security.evil": 1 } } }), JSON.stringify({ server1: { state: "changing", prefs: {} } }),
    JSON.stringify({ server1: { ...entry, prefs: {}, earlier: { settings: entry.before, prefs: { "security.evil": 1 }, entry: { ...entry, state: "changed", prefs: {} } } } }),
    JSON.stringify({ server1: { ...entry, prefs: {}, earlier: { settings: entry.before, prefs: {}, entry: { ...entry, state: "changed", prefs: { "security.evil": 1 } } } } })]) {
    const preferences = new FakePreferences();
    const servers = [new FakeServer(preferences, "server1")];
    preferences.set(RECORD, text);
    const before = mailPrefs(preferences);
    const { changes } = setUp(preferences, servers);
    await changes.settle();
    await changes.restore(["server1"]);
    assert.deepEqual(mailPrefs(preferences), before, text);
    assert.equal(preferences.has("security.evil"), false);
  }
});

test("an entry of the record that someone broke leaves the others to be put back", async () => {
  const { changes, preferences, servers } = setUp();
  const before = mailPrefs(preferences);
  await changes.apply([wanted("server1")], []);
  for (const broken of [null, 5, {}, { state: "changed", type: "imap" }]) {
    preferences.set(RECORD, JSON.stringify({ ...JSON.parse(preferences.get(RECORD)), server2: broken }));
    const [described] = await setUp(preferences, servers).changes.list([]);
    assert.ok(described.change, JSON.stringify(broken));
  }
  await setUp(preferences, servers).changes.restore(["server1"]);
  assert.deepEqual(mailPrefs(preferences), before);
});

test("a stored password is deleted only after mail was seen to flow", async () => {
  const { changes, deleted, servers } = setUp();
  await changes.deletePasswords(["server1"]);
  await changes.apply([wanted("server1"), wanted("smtp1")], []);
  await changes.deletePasswords(["server1", "smtp1"]);
  servers[1].flows = false;
  assert.equal(await changes.check(["server1", "smtp1"]), false);
  await changes.deletePasswords(["server1", "smtp1"]);
  assert.deepEqual(deleted, []);
  servers[1].flows = true;
  assert.equal(await changes.check(["server1", "smtp1"]), true);
  await changes.deletePasswords(["smtp1"]);
  assert.ok(deleted.length > 0 && deleted.every(({ type }) => type === "smtp"));
  assert.ok(deleted.some(({ hostname }) => hostname === "imap-mail.outlook.com"), "under the old name, too");
});

test("a server that does not answer is asked again, and given up after a minute", async () => {
  const { changes, servers, timers } = setUp();
  await changes.apply([wanted("server1"), wanted("smtp1")], []);
  let asked = 0;
  servers[0].check = onEnd => {
    asked++;
    if (asked === 2) {
      onEnd(true);
    }
  };
  const checked = changes.check(["server1", "smtp1"]);
  await settled();
  timers.advance(10_000);
  assert.equal(await checked, true);
  await settled();
  assert.deepEqual([asked, timers.pending], [2, 0]);
  servers[0].check = () => {};
  const givenUp = changes.check(["server1", "smtp1"]);
  await settled();
  timers.advance(60_000);
  assert.equal(await givenUp, false);
  assert.equal(timers.pending, 0);
});

test("servers are asked one after the other, those for sending first", async () => {
  const { changes, servers } = setUp();
  await changes.apply([wanted("server1"), wanted("smtp1")], []);
  const [incoming, outgoing] = ["server1", "smtp1"].map(key => servers.find(server => server.key === key));
  /** @type {string[]} */
  const order = [];
  /** @type {(works: boolean) => void} */
  let end = () => {};
  outgoing.check = onEnd => {
    order.push("smtp1");
    end = onEnd;
  };
  incoming.check = onEnd => {
    order.push("server1");
    onEnd(true);
  };
  const checked = changes.check(["server1", "smtp1"]);
  const another = changes.check(["server1"]);
  await settled();
  assert.deepEqual(order, ["smtp1"]);
  end(true);
  assert.deepEqual(await Promise.all([checked, another]), [true, true]);
  assert.deepEqual(order, ["smtp1", "server1", "server1"]);
});

test("what names folders follows them at the start after a change, and goes back after an undo", async () => {
  const { changes, preferences, servers } = setUp();
  const [server] = servers;
  const sent = "mail.identity.id1.fcc_folder";
  const old = `imap://${ADA}@imap-mail.outlook.com`;
  const others = { "mail.identity.id2.fcc_folder": `${old}.example/Sent`, "mail.identity.id1.htmlSigText": `${old}/Sent` };
  preferences.set(sent, `${old}/Sent`);
  Object.entries(others).forEach(([name, value]) => preferences.set(name, value));
  const before = mailPrefs(preferences);
  await changes.apply([wanted("server1")], []);
  await changes.settle();
  assert.equal(preferences.get(sent), `${old}/Sent`, "until Thunderbird ends the folders have their old addresses");
  const [described] = await changes.list([]);
  assert.equal(described.restart, true);

  server.sessionUri = server.uri;
  await setUp(preferences, servers).changes.settle();
  assert.equal(preferences.get(sent), `imap://${ADA}@outlook.office365.com/Sent`);
  Object.entries(others).forEach(([name, value]) => assert.equal(preferences.get(name), value));

  const later = setUp(preferences, servers).changes;
  await later.restore(["server1"]);
  assert.equal(preferences.get(sent), `imap://${ADA}@outlook.office365.com/Sent`);
  server.sessionUri = server.uri;
  await setUp(preferences, servers).changes.settle();
  assert.deepEqual(mailPrefs(preferences), before);
  assert.equal(preferences.has(RECORD), false);
});
