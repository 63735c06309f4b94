// SPDX-License-Identifier: MPL-2.0

/** The add-on's decisions, with a host and a Thunderbird made for the test. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { ADA, SERVER, account, asking, setUp, started } from "./companion_world.mjs";
import { FakeHost, FakePort, settled } from "./fakes.mjs";

test("a first sign-in that is given up leaves Thunderbird's own sign-in on", async () => {
  const { companion, host, setManaged, view } = await started();
  await companion.actions.perform({ action: "signIn", account: ADA });
  host().notify("account.changed", { account: account("signing-in") });
  await settled();
  assert.deepEqual((await view()).actions, ["cancelSignIn"]);
  await companion.actions.perform({ action: "cancelSignIn", account: ADA });
  assert.deepEqual(host().asked("account.remove"), [{ account: ADA }]);
  assert.deepEqual(setManaged.at(-1).names, []);
  assert.equal((await view()).state, "unlisted");
});

test("a sign-in that ended just before it was cancelled is no trouble", async () => {
  const methods = { "signIn.cancel": () => Promise.reject({ kind: "invalid-params", cause: "There is no such sign-in.", field: "signInId" }) };
  const { companion, host, view } = await started({ methods });
  await companion.actions.perform({ action: "signIn", account: ADA });
  await companion.actions.perform({ action: "cancelSignIn", account: ADA });
  assert.equal((await view()).problem, null);
  assert.equal(host().asked("account.remove").length, 1);
});

test("a first sign-in that fails is taken off the list, and what went wrong stays to be read", async () => {
  const { companion, host, view } = await started();
  await companion.actions.perform({ action: "signIn", account: ADA });
  host().notify("account.changed", { account: account("signing-in") });
  host().notify("signIn.finished", { signInId: "s1", account: ADA, ok: false, problem: { kind: "blocked", cause: "No." } });
  await settled();
  assert.equal(host().asked("account.remove").length, 1);
  const { state, problem } = await view();
  assert.equal(state, "unlisted");
  assert.equal(problem?.cause, "No.");
});

test("a sign-in page that is not secure is not opened, and whatever goes wrong here is said in the reader's language", async () => {
  let address = "http://login.test/";
  const { companion, browser, host, view } = await started({ methods: { "signIn.start": () => ({ signInId: "s1", authorizationUrl: address }) } });
  browser.windows.openDefaultBrowser = async () => assert.fail("opened");
  for (const cause of ["problemInsecurePage", "problemInternal"]) {
    await companion.actions.perform({ action: "signIn", account: ADA });
    assert.equal((await view()).problem?.cause, cause);
    address = "no address";
  }
  assert.equal(host().asked("signIn.cancel").length, 1);
});

test("a sign-in whose page the browser does not open has ended, and says so", async () => {
  const { companion, browser, host, said, view } = await started();
  browser.windows.openDefaultBrowser = () => Promise.reject(new Error("no browser"));
  const end = companion.actions.signInToEnd(ADA, ["imap"]);
  await settled();
  assert.deepEqual(host().asked("signIn.cancel"), [{ signInId: "s1" }]);
  host().notify("signIn.finished", { signInId: "s1", account: ADA, ok: false, problem: { kind: "cancelled", cause: "Cancelled." } });
  await settled();
  const { state, actions, problem } = await view();
  assert.deepEqual([state, problem?.cause], ["unlisted", "problemNoBrowser"]);
  assert.ok(actions.includes("signIn"));
  assert.equal((await end).problem?.kind, "no-browser");
  assert.deepEqual(said, [], "it is shown where the button is");
});

test("a sign-in that was given up while its page was being opened has nothing more to say", async () => {
  const { companion, browser, view } = await started();
  const opened = Promise.withResolvers();
  browser.windows.openDefaultBrowser = () => /** @type {any} */ (opened.promise);
  const signIn = companion.actions.perform({ action: "signIn", account: ADA });
  await settled();
  await companion.actions.perform({ action: "cancelSignIn", account: ADA });
  opened.reject(new Error("no browser"));
  await signIn;
  assert.equal((await view()).problem, null);
});

test("a first sign-in that the host refuses to begin is taken off the list too", async () => {
  const refusal = { kind: "vault-locked", cause: "Locked." };
  const { companion, host } = await started({ methods: { "signIn.start": () => Promise.reject(refusal) } });
  await companion.actions.perform({ action: "signIn", account: ADA });
  assert.equal(host().asked("account.remove").length, 1);
});

test("a first sign-in in whose place came that of another mailbox of the same person is not taken for given up", async () => {
  const shared = account("signing-in", { account: "info@contoso.test" });
  const cancelled = { signInId: "s1", account: ADA, ok: false, problem: { kind: "cancelled", cause: "Another sign-in took its place." } };
  const methods = { "signIn.start": (/** @type {any} */ { account: name }) => ({ signInId: name === ADA ? "s1" : "s2", authorizationUrl: "https://login.test/" }) };
  const { companion, host, said, view } = await started({ accounts: [shared], methods });
  const begin = async () => {
    await companion.actions.perform({ action: "signIn", account: ADA });
    host().notify("account.changed", { account: account("signing-in") });
    const second = companion.actions.perform({ action: "signIn", account: shared.account });
    await settled();
    host().notify("signIn.finished", cancelled);
    await second;
  };
  await begin();
  assert.deepEqual([said, host().asked("account.remove"), (await view()).problem], [[], [], null]);
  host().notify("signIn.finished", { signInId: "s2", account: shared.account, ok: true });
  host().notify("account.changed", { account: account("ready") });
  await settled();
  await companion.actions.perform({ action: "signIn", account: ADA });
  await companion.actions.perform({ action: "cancelSignIn", account: ADA });
  assert.deepEqual(host().asked("account.remove"), [], "it has been signed in");

  await companion.actions.perform({ action: "signIn", account: ADA });
  host().notify("signIn.finished", cancelled);
  assert.equal((await view()).problem?.kind, "cancelled", "nothing took its place");
});

test("an account that was on the list before, or that the policy names, stays on it", async () => {
  const worlds = [{ accounts: [account("signed-out")] }, { policy: { accounts: { "Ada@contoso.test": {} } } }, { policy: { manage: "all" } }];
  for (const world of worlds) {
    const { companion, host } = await started({ ...world, methods: { "account.add": () => ({ account: account("signed-out") }) } });
    await companion.actions.perform({ action: "signIn", account: ADA });
    await companion.actions.perform({ action: "cancelSignIn", account: ADA });
    assert.deepEqual(host().asked("account.remove"), [], JSON.stringify(world));
  }
});

test("an account that succeeded once is kept when a later sign-in fails", async () => {
  const { companion, host } = await started();
  await companion.actions.perform({ action: "signIn", account: ADA });
  host().notify("signIn.finished", { signInId: "s1", account: ADA, ok: true });
  host().notify("account.changed", { account: account("attention") });
  await settled();
  await companion.actions.perform({ action: "signIn", account: ADA });
  await companion.actions.perform({ action: "cancelSignIn", account: ADA });
  assert.deepEqual(host().asked("account.remove"), []);
});

test("“Let Thunderbird sign in” gives a signed-out account back", async () => {
  const { companion, host, setManaged, view } = await started({ accounts: [account("signed-out")] });
  assert.deepEqual((await view()).actions, ["signIn", "openBy", "letThunderbird"]);
  await companion.actions.perform({ action: "letThunderbird", account: ADA });
  assert.deepEqual(host().asked("account.remove"), [{ account: ADA }]);
  assert.deepEqual(setManaged.at(-1).names, []);
});

test("an account that the host no longer knows is Thunderbird's again", async () => {
  const methods = { "token.get": () => Promise.reject({ kind: "unknown-account" }) };
  const { companion, setManaged, withdrawn, changes } = await started({ accounts: [account("ready")], methods });
  const before = changes();
  assert.deepEqual(await companion.answerToken(asking()), { pass: true });
  assert.deepEqual(setManaged.at(-1).names, []);
  assert.ok(withdrawn.includes(`account ${ADA}`), "what was said of it");
  assert.ok(changes() > before, "what the pages and the button show");
});

test("an account that set-up tries out is signed in here where the policy says so, after a click on the notification", async () => {
  const methods = { "token.get": () => Promise.reject({ kind: "unknown-account" }), "account.add": () => ({ account: account("signed-out") }) };
  const { companion, said, host, setManaged } = await started({ policy: { manage: "domains", allowedDomains: ["Contoso.TEST"] }, methods });
  assert.deepEqual(setManaged.at(-1).domains, ["contoso.test"], "in whatever case the policy has it");
  const asked = asking({ account: "new@contoso.test", ownToken: false });
  assert.deepEqual(await companion.answerToken(asked), { failure: "sign-in-required" });
  await settled();
  const [subject, title, , click] = said.at(-1);
  assert.deepEqual([subject, title], ["account new@contoso.test", "setUpTitle"]);
  assert.deepEqual(host().asked("account.add").map(({ account: name }) => name), [ADA], "set-up may be given up again");
  assert.deepEqual(host().asked("signIn.start"), []);
  await click();
  assert.deepEqual(host().asked("signIn.start"), [{ account: "new@contoso.test" }]);
  host().notify("signIn.finished", { signInId: "s1", account: "new@contoso.test", ok: true });
  await settled();
  assert.equal(said.at(-1)[2], "signedInForSetUp");

  assert.deepEqual(await companion.answerToken({ ...asked, account: "new@elsewhere.test" }), { pass: true });
  const count = said.length;
  assert.deepEqual(await companion.answerToken(asking({ ownToken: false })), { failure: "sign-in-required" });
  await settled();
  assert.equal(said.length, count, "the popup has the button for an account that is there");
});

test("where it cannot be seen whether set-up asks, the login is answered all the same", async () => {
  const { companion, browser } = await started({ methods: { "token.get": () => Promise.reject({ kind: "sign-in-required" }) } });
  browser.tokenBridge.listServers = () => Promise.reject(new Error("x"));
  assert.deepEqual(await companion.answerToken(asking({ ownToken: false })), { failure: "sign-in-required" });
  await settled();
});

test("an account that Thunderbird reads by Exchange Web Services is left to it, and the page says so", async () => {
  const { view } = await started({ server: { type: "ews" } });
  const { words, actions } = await view();
  assert.deepEqual([words, actions], ["state_ews", []]);
});

test("a sign-in for set-up that cannot begin says why", async () => {
  const methods = {
    "token.get": () => Promise.reject({ kind: "sign-in-required" }),
    "signIn.start": () => Promise.reject({ kind: "misconfigured", cause: "No client id.", remedy: "Set one." }),
  };
  const { companion, said } = await started({ methods });
  await companion.answerToken(asking({ account: "new@contoso.test", ownToken: false }));
  await settled();
  await said.at(-1)[3]();
  assert.deepEqual(said.at(-1).slice(1), ["signInFailedTitle", "No client id. Set one."]);
});

test("a sign-in for set-up that finds the saved sign-ins locked leads to their passphrase, and then to the sign-in", async () => {
  const NEW = "new@contoso.test";
  let locked = true;
  const lock = () => Promise.reject({ kind: "vault-locked", cause: "Locked.", field: "passphrase" });
  const methods = {
    "token.get": () => Promise.reject({ kind: "unknown-account" }),
    "account.add": () => ({ account: account("signed-out") }),
    "signIn.start": () => (locked ? lock() : { signInId: "s1", authorizationUrl: "https://login.test/" }),
    "vault.unlock": (/** @type {any} */ { passphrase }) => {
      locked &&= !passphrase;
      return locked ? lock() : {};
    },
  };
  const { companion, browser, said, host } = await started({ policy: { manage: "all" }, methods });
  /** @type {any[]} */
  const windows = [];
  Object.assign(browser.runtime, { getURL: (/** @type {string} */ path) => path });
  Object.assign(browser.windows, { create: async (/** @type {any} */ window) => (windows.push(window), { id: 1 }) });
  await companion.answerToken(asking({ account: NEW, ownToken: false }));
  await settled();
  const count = said.length;
  await said.at(-1)[3]();
  assert.deepEqual(windows.map(({ url }) => url), ["unlock/unlock.html"]);
  assert.equal(said.length, count, "nothing failed");
  const port = new FakePort();
  companion.unlocking.attend(port);
  port.receive({ passphrase: "correct horse battery" });
  await settled();
  await settled();
  const [subject, title, , click] = said.at(-1);
  assert.deepEqual([said.length, subject, title], [count + 1, `account ${NEW}`, "setUpTitle"]);
  await click();
  assert.deepEqual(host().asked("signIn.start").map(({ account: name }) => name), [NEW, NEW]);
  assert.equal((await companion.overview()).accounts[0].problem, null);
});

test("a keyring that is not unlocked for set-up can be tried again, and what is wrong is said each time", async () => {
  const methods = {
    "token.get": () => Promise.reject({ kind: "sign-in-required" }),
    "signIn.start": () => Promise.reject({ kind: "vault-locked", cause: "Locked." }),
    "vault.unlock": () => Promise.reject({ kind: "vault-locked", cause: "Not unlocked.", remedy: "Unlock it." }),
  };
  const { companion, said, host } = await started({ methods });
  await companion.answerToken(asking({ account: "new@contoso.test", ownToken: false }));
  await settled();
  for (const tries of [1, 2]) {
    await said.at(-1)[3]();
    assert.deepEqual(said.at(-1).slice(1, 3), ["lockedTitle", "Not unlocked. Unlock it."]);
    assert.equal(host().asked("vault.unlock").length, tries);
  }
});

test("what the host found wrong with the configuration is among what pages show, as long as it is so", async () => {
  const warnings = [{ kind: "misconfigured", cause: "/etc/thunderseal/policy.json cannot be used: not JSON.", remedy: "Correct it." }];
  const answers = [{ warnings }, {}];
  const methods = { hello: () => ({ protocol: 1, host: { version: "0.1.0" }, policy: {}, accounts: [], more: false, ...answers.shift() }) };
  const { companion, host } = await started({ methods });
  assert.deepEqual((await companion.overview()).host.warnings, warnings);
  host().lose();
  await companion.actions.perform({ action: "retryHost" });
  await settled();
  await settled();
  assert.deepEqual((await companion.overview()).host.warnings, []);
});

test("a slow host opens no dialog for an account that is signed in here, a missing one lets Thunderbird go on", async () => {
  const { companion, timers } = await started({ accounts: [account("ready")], methods: { "token.get": () => new Promise(() => {}) } });
  const answer = companion.answerToken(asking());
  await settled();
  timers.advance(9_700);
  assert.deepEqual(await answer, { failure: "timeout" });
  const without = await started({ registered: false });
  assert.deepEqual(await without.companion.answerToken(asking({ ownToken: false })), { pass: true });
});

test("a signed-out account goes on with the sign-in that Thunderbird has itself, and the popup says so", async () => {
  const methods = { "token.get": () => Promise.reject({ kind: "sign-in-required" }) };
  const { companion, view } = await started({ accounts: [account("signed-out")], methods, server: { ownLogin: true } });
  assert.deepEqual(await companion.answerToken(asking()), { pass: true });
  assert.equal((await view()).words, "state_signed_out_own_login");
});

test("fallback “none” is remembered for sessions in which the host is not heard", async () => {
  const { setManaged } = await started({ policy: { fallback: "none" } });
  assert.equal(setManaged.at(-1).fallback, "none");
  const { companion, view, said } = await started({ registered: false, bridge: { fallback: "none" } });
  assert.deepEqual(await companion.answerToken(asking()), { failure: "disconnected" });
  assert.equal((await view()).words, "state_no_mail");
  assert.match(said[0][2], /until_none/);
});

test("where this Thunderbird does not ask here for tokens nobody is told to sign in, or that no mail comes", async () => {
  const bridge = { installed: false, obstacle: "OAuth2.connect" };
  const problem = { kind: "sign-in-required", cause: "Ended.", remedy: "Sign in again." };
  const { companion, host, said, badges } = await started({ bridge, policy: { fallback: "none" }, accounts: [account("attention", { problem })] });
  const { accounts: [{ words, actions }], host: { fallback } } = await companion.overview();
  assert.deepEqual([words, actions, fallback], ["state_aside", ["signOut"], "thunderbird"]);
  host().notify("attention", { account: ADA, problem });
  await settled();
  assert.deepEqual([said.map(([subject]) => subject), badges.at(-1)], [["bridge"], "!"]);
  const missing = await started({ bridge, policy: { fallback: "none" }, managed: { fallback: "none" }, registered: false });
  assert.match(missing.said.find(([subject]) => subject === "host")[2], /until_thunderbird/);
  assert.equal((await missing.view()).words, "state_aside");
});

test("a failure is shown until the account works again", async () => {
  let works = false;
  const methods = { "token.get": () => (works ? { accessToken: "T", expiresAt: 1, source: "renewed" } : Promise.reject({ kind: "network", cause: "Far away." })) };
  const { companion, host, view } = await started({ accounts: [account("waiting")], methods });
  const fail = async () => {
    works = false;
    await companion.actions.perform({ action: "tryAgain", account: ADA });
    assert.equal((await view()).problem?.cause, "Far away.");
    works = true;
  };
  await fail();
  await companion.answerToken(asking());
  assert.equal((await view()).problem, null, "a token was had");
  await fail();
  host().notify("account.changed", { account: account("ready") });
  assert.equal((await view()).problem, null, "the account became ready");
  await fail();
  host().notify("signIn.finished", { signInId: "other", account: ADA, ok: true });
  assert.equal((await view()).problem, null, "someone signed in");
});

test("where consent is missing, the address for it outlasts a token of before that mail is still fetched with", async () => {
  let refuses = true;
  const consentUrl = "https://login.test/adminconsent";
  const methods = { "token.get": () => (refuses ? Promise.reject({ kind: "consent-required", consentUrl }) : { accessToken: "T", expiresAt: 1, source: "cache" }) };
  const { companion } = await started({ accounts: [account("attention", { problem: { kind: "consent-required" } })], methods });
  await companion.actions.perform({ action: "newToken", account: ADA });
  refuses = false;
  await companion.answerToken(asking());
  assert.equal(companion.actions.problemOf(ADA)?.consentUrl, consentUrl);
});

test("“Try again” fetches mail when there is a token", async () => {
  const { companion, checked, view } = await started({ accounts: [account("blocked")] });
  assert.deepEqual((await view()).actions, ["tryAgain", "openBy", "signOut"]);
  await companion.actions.perform({ action: "tryAgain", account: ADA });
  assert.deepEqual(checked, [ADA]);
});

test("“Try again” lets the host try anew what it has put off, unless a sign-in is under way", async () => {
  const accounts = [account("blocked", { problem: { kind: "blocked", cause: "Disabled." } })];
  const { companion, host, hosts, checked } = await started({ accounts });
  await companion.actions.perform({ action: "tryAgain", account: ADA });
  assert.equal(hosts.length, 2);
  assert.deepEqual(host().asked("token.get"), [{ account: ADA }]);
  assert.deepEqual(checked, [ADA]);
  await companion.actions.perform({ action: "signIn", account: "ben@contoso.test" });
  await companion.actions.perform({ action: "tryAgain", account: ADA });
  assert.equal(hosts.length, 2);
});

test("what a passphrase opened is not locked again by a button, only by who wants the host started anew", async () => {
  const accounts = [account("blocked", { problem: { kind: "blocked", cause: "Disabled." } })];
  const { companion, hosts } = await started({ accounts, methods: { "vault.unlock": () => ({}) } });
  const window = new FakePort();
  companion.unlocking.attend(window);
  window.receive({ passphrase: "open sesame" });
  await settled();
  await companion.actions.perform({ action: "tryAgain", account: ADA });
  assert.equal(hosts.length, 1);
  assert.equal(companion.actions.startHostAnew(), true);
  await settled();
  assert.equal(hosts.length, 2);
  await companion.actions.perform({ action: "tryAgain", account: ADA });
  assert.equal(hosts.length, 3, "that one has its key from elsewhere");
});

test("a sign-in that is lost with the host says so, until the account is signed in", async () => {
  let state = "signing-in";
  const methods = { hello: () => ({ protocol: 1, host: {}, policy: {}, accounts: [account(state)], more: false }) };
  const { companion, host, said, view } = await started({ methods });
  const restart = async () => {
    host().lose();
    await settled();
    companion.host.retry();
    await settled();
    await settled();
  };
  await companion.actions.perform({ action: "signIn", account: ADA });
  state = "signed-out";
  await restart();
  assert.equal((await view()).problem?.cause, "problemDisconnected");
  assert.deepEqual(said.at(-1).slice(1), ["signInFailedTitle", "problemDisconnected"]);
  await companion.actions.perform({ action: "signIn", account: ADA });
  state = "ready";
  await restart();
  assert.equal((await view()).problem, null, "it was saved just before");
});

test("a sign-in that another program started cannot be cancelled here", async () => {
  const { view } = await started({ accounts: [account("signing-in")] });
  const { actions, words } = await view();
  assert.deepEqual(actions, []);
  assert.equal(words, "state_signing_in_elsewhere");
});

test("a sign-out closes the connections, wherever the user did it, and a first sign-in closes none", async () => {
  const { host, disconnected, view } = await started({ accounts: [account("ready")] });
  host().notify("account.changed", { account: account("signed-out") });
  await settled();
  assert.deepEqual(disconnected, [ADA]);
  assert.equal((await view()).state, "signed-out");
  host().notify("account.changed", { account: account("signed-out") });
  await settled();
  assert.deepEqual(disconnected, [ADA]);
});

test("of two changes that come at once the later one holds", async () => {
  const { browser, host, view } = await started({ accounts: [account("ready")] });
  const closed = Promise.withResolvers();
  browser.tokenBridge.disconnect = () => /** @type {any} */ (closed.promise);
  host().notify("account.changed", { account: account("signed-out") });
  host().notify("account.changed", { account: account("ready") });
  closed.resolve(undefined);
  await settled();
  assert.equal((await view()).state, "ready");
});

test("a mail check that got no token is made up for as soon as the account is ready", async () => {
  let reply = () => Promise.reject({ kind: "network" });
  const { companion, host, checked } = await started({ accounts: [account("ready")], methods: { "token.get": () => reply() } });
  const change = async (/** @type {string} */ state) => {
    host().notify("account.changed", { account: account(state) });
    await settled();
  };
  await change("ready");
  assert.deepEqual(checked, []);
  await companion.answerToken(asking());
  await change("waiting");
  assert.deepEqual(checked, []);
  await change("ready");
  assert.deepEqual(checked, [ADA]);
  await change("ready");
  assert.deepEqual(checked, [ADA], "once");
  await companion.answerToken(asking());
  reply = () => /** @type {any} */ (Promise.resolve({ accessToken: "T", expiresAt: 2_000_000_000 }));
  await companion.answerToken(asking());
  await change("ready");
  assert.deepEqual(checked, [ADA], "a later one got it");
});

test("a server that refuses good tokens is told of though the account is ready", async () => {
  const problem = { kind: "blocked", cause: "The mail server refuses tokens.", remedy: "Ask your administrator." };
  const { host, said, withdrawn, view } = await started({ accounts: [account("ready", { problem })] });
  const { label, problem: shown } = await view();
  assert.equal(label, "label_ready");
  assert.equal(shown, problem);
  host().notify("account.changed", { account: account("ready", { problem }) });
  await settled();
  assert.deepEqual(said.map(([, , words]) => words), ["The mail server refuses tokens. Ask your administrator."]);
  host().notify("account.changed", { account: account("ready") });
  await settled();
  assert.deepEqual(withdrawn.filter(subject => subject !== "vault"), [said[0][0]]);
});

test("the permissions of POP and Graph are asked for where a server uses them, in the cloud where the host sees the account", async () => {
  const resources = { outlook: "https://outlook.test", graph: "https://graph.test" };
  const policy = { cloud: "worldwide", custom: { authority: "https://login.test", resources } };
  const scopesIn = async (/** @type {string} */ cloud, /** @type {string} */ type) => {
    const methods = { "account.add": () => ({ account: account("signed-out", { cloud }) }) };
    const { companion, host } = await started({ policy, methods, server: { type } });
    await companion.actions.perform({ action: "signIn", account: ADA });
    return host().asked("signIn.start").map(({ scopes }) => scopes);
  };
  assert.deepEqual(await scopesIn("worldwide", "imap"), [undefined]);
  assert.deepEqual(await scopesIn("worldwide", "pop3"), [["https://outlook.office.com/POP.AccessAsUser.All", "https://outlook.office.com/SMTP.Send"]]);
  assert.deepEqual(await scopesIn("china", "pop3"), [["https://partner.outlook.cn/POP.AccessAsUser.All", "https://partner.outlook.cn/SMTP.Send"]]);
  assert.deepEqual(await scopesIn("custom", "pop3"), [["https://outlook.test/POP.AccessAsUser.All", "https://outlook.test/SMTP.Send"]]);
  const graph = ["User.Read", "MailboxFolder.ReadWrite", "Mail.ReadWrite", "Mail.Send"];
  assert.deepEqual(await scopesIn("usgov-dod", "graph"), [graph.map(permission => `https://dod-graph.microsoft.us/${permission}`)]);
  assert.deepEqual(await scopesIn("custom", "graph"), [graph.map(permission => `https://graph.test/${permission}`)]);
  assert.deepEqual(await scopesIn("one we have not heard of", "pop3"), [undefined]);
});

const OFFICE = "office@contoso.test";

/**
 * Ada is signed in, and the office's mailbox is to be opened with her sign-in.
 * @param {string[]} hers protocols of the servers
 * @param {string[]} offices
 */
async function openOffice(hers, offices) {
  const methods = { "account.add": (/** @type {any} */ { account: name }) => ({ account: account("ready", { account: name }) }) };
  const all = await started({ accounts: [account("ready")], methods });
  const servers = Object.entries({ [ADA]: hers, [OFFICE]: offices });
  all.browser.tokenBridge.listServers = async () => servers.flatMap(([name, types]) => types.map(type => ({ ...SERVER, account: name, type })));
  await all.companion.actions.perform({ action: "openBy", account: OFFICE, signInAs: ADA });
  const asked = () => all.host().asked("signIn.start").map(({ scopes }) => scopes.map((/** @type {string} */ scope) => scope.split("/").at(-1)).sort());
  return { ...all, asked };
}

test("a sign-in asks for what all accounts need that the same name signs in for, as it takes nothing over from the one before", async () => {
  const graph = ["User.Read", "MailboxFolder.ReadWrite", "Mail.ReadWrite", "Mail.Send"];
  const mail = ["IMAP.AccessAsUser.All", "SMTP.Send"];
  for (const [hers, offices, all] of [
    [["graph"], ["imap", "smtp"], [...graph, ...mail]],
    [["imap", "smtp"], ["graph"], [...graph, ...mail]],
    [["pop3", "smtp"], ["imap", "smtp"], [...mail, "POP.AccessAsUser.All"]],
  ]) {
    const { companion, host, asked } = await openOffice(hers, offices);
    assert.deepEqual(asked(), [all.toSorted()], `${hers} before, ${offices} now`);
    host().notify("signIn.finished", { signInId: "s1", account: OFFICE, ok: true });
    await companion.actions.perform({ action: "signIn", account: ADA });
    assert.deepEqual(asked()[1], all.toSorted(), "whoever of them signs in next");
  }
});

test("nobody has to sign in for a mailbox that needs nothing more than the sign-in has that opens it", async () => {
  for (const [hers, offices] of [[["imap", "smtp"], ["imap"]], [["graph", "imap"], ["imap"]], [["graph"], ["graph"]], [["imap"], ["smtp"]]]) {
    const { host, checked } = await openOffice(hers, offices);
    assert.deepEqual([host().asked("signIn.start"), checked], [[], [OFFICE]], `${hers} before, ${offices} now`);
  }
});

test("an account that Thunderbird signs in by itself adds nothing to what the sign-in of its name asks for", async () => {
  const methods = { "account.add": () => ({ account: account("signed-out", { account: OFFICE }) }) };
  const { companion, browser, host } = await started({ methods });
  browser.tokenBridge.listServers = async () => [{ ...SERVER, type: "graph" }, { ...SERVER, account: OFFICE }];
  await companion.actions.perform({ action: "openBy", account: OFFICE, signInAs: ADA });
  assert.deepEqual(host().asked("signIn.start"), [{ account: OFFICE }]);
});

test("where Thunderbird cannot be told of other clouds, that is known to matter only to those who use one", async () => {
  const lacks = async (/** @type {Parameters<typeof setUp>[0]} */ world) => (await (await started(world)).companion.overview()).bridge.lacksCloud;
  const bridge = { obstacle: "OAuth2Providers.registerProvider" };
  assert.equal(await lacks({ bridge }), false);
  assert.equal(await lacks({ bridge, policy: { cloud: "china" } }), true);
  assert.equal(await lacks({ bridge, accounts: [account("ready", { cloud: "usgov" })] }), true);
  assert.equal(await lacks({ policy: { cloud: "china" } }), false);
});

test("a vault that stays locked is told of once, and one that its keyring opens is not", async () => {
  const accounts = [account("locked", { problem: { kind: "vault-locked", cause: "Locked." } })];
  const refusal = { kind: "vault-locked", cause: "Locked.", field: "passphrase" };
  const { said, view } = await started({ accounts, methods: { "vault.unlock": () => Promise.reject(refusal) } });
  assert.deepEqual(said.map(([subject]) => subject), ["vault"]);
  assert.deepEqual((await view()).actions, ["unlock", "signOut"]);
  const dismissed = { kind: "vault-locked", cause: "Dismissed.", remedy: "Click again." };
  const byKeyring = await started({ accounts, methods: { "vault.unlock": () => Promise.reject(dismissed) } });
  for (let n = 0; n < 2; n++) {
    await byKeyring.said.at(-1)[3]();
    assert.deepEqual(byKeyring.said.at(-1).slice(0, 3), ["vault", "lockedTitle", "Dismissed. Click again."]);
  }
  assert.equal(byKeyring.said.length, 3, "each click is answered");
  const opened = await started({ accounts, methods: { "vault.unlock": () => ({}) } });
  assert.equal(opened.host().asked("vault.unlock").length, 1);
  assert.deepEqual(opened.said, []);
  const others = await started({ accounts: [{ ...accounts[0], account: "ben@contoso.test" }], methods: { "vault.unlock": () => Promise.reject(refusal) } });
  assert.deepEqual(others.said, [], "no account of this Thunderbird");
});

test("where a sign-in finds the vault locked, “Unlock” takes its place until that is done", async () => {
  let open = false;
  const methods = {
    "signIn.start": () => Promise.reject({ kind: "vault-locked", cause: "Locked." }),
    "vault.unlock": () => (open ? {} : Promise.reject({ kind: "vault-locked", cause: "Dismissed." })),
  };
  const { companion, view } = await started({ methods });
  await companion.actions.perform({ action: "signIn", account: ADA });
  assert.deepEqual((await view()).actions, ["unlock"]);
  await companion.actions.perform({ action: "unlock", account: ADA });
  assert.deepEqual([(await view()).actions, (await view()).problem?.cause], [["unlock"], "Dismissed."]);
  open = true;
  await companion.actions.perform({ action: "unlock", account: ADA });
  assert.deepEqual([(await view()).actions, (await view()).problem], [["signIn", "openBy"], null]);
});

test("what changes while the accounts are still being listed is not overwritten by the list", async () => {
  const ben = account("ready", { account: "ben@contoso.test", signInAs: "ben@contoso.test" });
  const second = Promise.withResolvers();
  const methods = {
    hello: () => ({ protocol: 1, host: {}, policy: {}, accounts: [account("waiting")], more: true }),
    "account.list": () => second.promise,
  };
  const { companion, host, setManaged, view } = await started({ methods });
  assert.equal((await view()).state, "waiting", "the first page is in force");
  host().notify("account.changed", { account: account("ready") });
  second.resolve({ accounts: [ben], more: false });
  await settled();
  assert.equal((await view()).state, "ready");
  assert.deepEqual(host().asked("account.list"), [{ after: ADA }]);
  assert.deepEqual(setManaged.at(-1).names, [ADA, ben.account]);

  Object.assign(methods, { hello: () => ({ protocol: 1, host: {}, policy: {}, accounts: [ben], more: false }) });
  host().lose();
  await settled();
  companion.host.retry();
  await settled();
  await settled();
  assert.deepEqual(setManaged.at(-1).names, [ben.account], "what the new host does not know is gone");
});

test("while the host starts nobody claims that Thunderbird signs in by itself", async () => {
  const { companion, view } = setUp({ methods: { hello: () => new Promise(() => {}) } });
  companion.start();
  await settled();
  assert.equal((await view()).words, "state_connecting");
});

test("after a wrong configuration “Sign in” lets the host read it again", async () => {
  let corrected = false;
  const methods = {
    hello: () => ({ protocol: 1, host: {}, policy: {}, accounts: [], more: false }),
    "signIn.start": () => (corrected ? { signInId: "s1", authorizationUrl: "https://login.test/" } : Promise.reject({ kind: "misconfigured", cause: "No client id." })),
  };
  const { companion, hosts, view } = await started({ methods });
  await companion.actions.perform({ action: "signIn", account: ADA });
  assert.equal((await view()).problem?.cause, "No client id.");
  corrected = true;
  await companion.actions.perform({ action: "signIn", account: ADA });
  assert.equal(hosts.length, 2);
  assert.equal(hosts[0].disconnected, true);
  assert.deepEqual((await view()).actions, ["cancelSignIn"]);
  await companion.actions.perform({ action: "cancelSignIn", account: ADA });
  assert.equal(hosts[1].asked("account.remove").length, 1, "it was the first sign-in still");
});

test("after a refusal by the policy “Sign in” lets the host read it again", async () => {
  const accounts = [account("blocked", { refreshToken: null, problem: { kind: "policy-denied", cause: "Not this domain." } })];
  const { companion, hosts, host, view } = await started({ accounts });
  assert.deepEqual((await view()).actions, ["signIn", "openBy", "signOut"]);
  await companion.actions.perform({ action: "signIn", account: ADA });
  assert.deepEqual([hosts.length, host().asked("signIn.start").length], [2, 1]);
});

test("who waits for the end of a sign-in waits beyond the start anew that a wrong configuration needs", async () => {
  const accounts = [account("attention", { problem: { kind: "misconfigured", cause: "No client id." } })];
  const { companion, host, hosts } = await started({ accounts });
  const end = companion.actions.signInToEnd(ADA, ["imap"]);
  await settled();
  await settled();
  assert.equal(hosts.length, 2, "started anew, and once");
  assert.equal(host().asked("signIn.start").length, 1);
  host().notify("signIn.finished", { signInId: "s1", account: ADA, ok: true });
  assert.deepEqual(await end, { ok: true });
});

const BEN = "ben@contoso.test";

/**
 * Somebody waits for the end of Ada's sign-in, at which Ben signed in, and takes his for the sign-in name.
 * @param {(params: any) => any} add the host's answer
 */
async function takeBen(add) {
  let count = 0;
  const methods = { "account.add": add, "signIn.start": () => ({ signInId: `s${++count}`, authorizationUrl: "https://login.test/" }) };
  const all = await started({ accounts: [account("signed-out")], methods });
  const end = all.companion.actions.signInToEnd(ADA, ["imap"]);
  await settled();
  all.host().notify("signIn.retry", { signInId: "s1", problem: { kind: "wrong-account", cause: "Ben.", signedInAs: BEN } });
  await all.companion.actions.perform({ action: "openBy", account: ADA, signInAs: BEN });
  all.host().notify("signIn.finished", { signInId: "s1", account: ADA, ok: false, problem: { kind: "cancelled", cause: "Cancelled." } });
  assert.deepEqual(all.host().asked("signIn.cancel"), [{ signInId: "s1" }]);
  return { ...all, end };
}

test("who waits for the end of a sign-in goes on when another name is taken for it", async () => {
  for (const ok of [true, false]) {
    const { host, end } = await takeBen(({ signInAs }) => ({ account: account("signed-out", { signInAs }) }));
    const problem = ok ? undefined : { kind: "blocked", cause: "Disabled." };
    host().notify("signIn.finished", { signInId: "s2", account: ADA, ok, problem });
    const outcome = await end;
    assert.deepEqual([outcome.ok, outcome.problem], [ok, problem], "the second one's outcome");
  }
  const signedIn = await takeBen(({ signInAs }) => ({ account: account("ready", { signInAs }) }));
  assert.deepEqual(await signedIn.end, { ok: true }, "nobody had to sign in");
  const refused = await takeBen(() => Promise.reject({ kind: "policy-denied", cause: "Not Ben." }));
  assert.equal((await refused.end).problem?.cause, "Not Ben.");
});

/** Somebody waits for Ada's sign-in, which that of another mailbox of hers took the place of. */
async function replaced() {
  const office = account("signed-out", { account: OFFICE });
  const methods = { "signIn.start": (/** @type {any} */ { account: name }) => ({ signInId: name === ADA ? "s1" : "s2", authorizationUrl: "https://login.test/" }) };
  const all = await started({ accounts: [account("signed-out"), office], methods });
  const end = all.companion.actions.signInToEnd(ADA, ["imap"]);
  await settled();
  const second = all.companion.actions.perform({ action: "signIn", account: OFFICE });
  await settled();
  all.host().notify("signIn.finished", { signInId: "s1", account: ADA, ok: false, problem: { kind: "cancelled", cause: "Another took its place." } });
  await second;
  return { ...all, end, second: { signInId: "s2", account: OFFICE } };
}

test("who waits for the end of a sign-in waits for the one of the same person that took its place", async () => {
  const succeeded = await replaced();
  succeeded.host().notify("signIn.finished", { ...succeeded.second, ok: true });
  assert.deepEqual(await succeeded.end, { ok: true });

  const failed = await replaced();
  const problem = { kind: "blocked", cause: "Disabled." };
  failed.host().notify("signIn.finished", { ...failed.second, ok: false, problem });
  assert.deepEqual(await failed.end, { ok: false, problem });

  const givenUp = await replaced();
  await givenUp.companion.actions.perform({ action: "cancelSignIn", account: OFFICE });
  assert.deepEqual(await givenUp.end, { ok: false });

  const renamed = await replaced();
  renamed.host().methods["account.add"] = ({ signInAs }) => ({ account: account("signed-out", { account: OFFICE, signInAs }) });
  await renamed.companion.actions.perform({ action: "openBy", account: OFFICE, signInAs: BEN });
  assert.deepEqual(await renamed.end, { ok: false }, "it is for somebody else now");
});

test("who waits for a sign-in that is still open is not told of one that could not take its place", async () => {
  const methods = { "signIn.start": (/** @type {any} */ { account: name }) => (name === ADA ? { signInId: "s1", authorizationUrl: "https://login.test/" } : Promise.reject({ kind: "vault-locked", cause: "Locked." })) };
  const { companion, host } = await started({ accounts: [account("signed-out"), account("signed-out", { account: OFFICE })], methods });
  const end = companion.actions.signInToEnd(ADA, ["imap"]);
  await settled();
  await companion.actions.perform({ action: "signIn", account: OFFICE });
  host().notify("signIn.finished", { signInId: "s1", account: ADA, ok: true });
  assert.deepEqual(await end, { ok: true });
});

test("what goes wrong with a reaction to the host keeps nothing from being shown", async () => {
  const { companion, browser, view, changes, host, timers } = setUp({ accounts: [account("ready")] });
  browser.tokenBridge.setManaged = browser.tokenBridge.disconnect = () => Promise.reject(new Error("x"));
  await companion.start();
  await settled();
  let before = changes();
  host().notify("account.changed", { account: account("signed-out") });
  await settled();
  assert.ok(changes() > before);
  before = changes();
  host().lose();
  timers.advance(0);
  await settled();
  await settled();
  assert.ok(changes() > before + 1, "lost, and there again");
  assert.equal((await view()).state, "ready");
});

test("a proxy script that never comes does not hold up the host", async () => {
  const { companion, browser, host, timers } = setUp();
  browser.tokenBridge.proxyFor = () => new Promise(() => {});
  companion.start();
  await settled();
  timers.advance(1_500);
  await settled();
  assert.equal(host().asked("hello").length, 1);
});

test("the button counts the accounts that the pages show, and no deleted one after the next look", async () => {
  const { companion, browser, host, said, badges, withdrawn } = await started({ accounts: [account("attention"), account("attention", { account: "ben@contoso.test" })] });
  await companion.overview();
  assert.equal(badges.at(-1), "1");
  const problem = { kind: "sign-in-required", cause: "Ended.", remedy: "" };
  host().notify("attention", { account: "ben@contoso.test", problem });
  host().notify("attention", { account: ADA, problem });
  await settled();
  await companion.overview();
  assert.deepEqual(said.map(([subject]) => subject), [`account ${ADA}`]);
  browser.tokenBridge.listServers = async () => [];
  await companion.overview();
  assert.deepEqual([badges.at(-1), withdrawn.at(-1)], ["", `account ${ADA}`]);
});

const aboutHost = (/** @type {any[]} */ list) => list.filter(one => [one].flat()[0] === "host").length;

test("a host that says hello and ends, again and again, is one problem until it has stayed for a while", async t => {
  const { companion, host, said, withdrawn, timers } = await started();
  t.mock.method(Date, "now", timers.now);
  const pass = async (/** @type {number} */ ms) => {
    timers.advance(ms);
    await settled();
    await settled();
  };
  const crash = async () => {
    for (const delay of [0, 1_000, 0]) {
      host().lose();
      await pass(delay);
    }
    assert.equal(companion.host.state, "crashing");
  };
  await crash();
  assert.equal(aboutHost(said), 1);
  for (let round = 0; round < 2; round++) {
    await pass(60_000);
    assert.equal(companion.host.state, "connected", "it is looked at again");
    await pass(50_000);
    await crash();
  }
  await pass(60_000);
  assert.equal(aboutHost(withdrawn), 0, "what was said of it stands, so that it is not said anew");
  await pass(60_000);
  assert.equal(aboutHost(withdrawn), 1);
  await crash();
  assert.deepEqual([aboutHost(said) > 1, aboutHost(withdrawn)], [true, 1], "a problem of its own");
});

test("a program that was missing is not complained of as soon as it is there", async () => {
  const { companion, browser, said, withdrawn } = await started({ registered: false });
  assert.deepEqual([companion.host.state, aboutHost(said), aboutHost(withdrawn)], ["missing", 1, 0]);
  browser.runtime.connectNative = () => new FakeHost({ hello: () => ({ protocol: 1, host: {}, policy: {}, accounts: [], more: false }) });
  companion.host.retry();
  await settled();
  await settled();
  assert.deepEqual([companion.host.state, aboutHost(withdrawn)], ["connected", 1]);
});
