// SPDX-License-Identifier: MPL-2.0

/** What the pages do when something changes: they find out, and the keyboard's focus stays where the user is. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { overviewOf } from "./accounts.mjs";
import { PageBrowser } from "./page_browser.mjs";

const POPUP = { file: "popup/popup.html", width: 380 };
const DASHBOARD = { file: "dashboard/dashboard.html", width: 1000 };

const ADA = { account: "ada@contoso.test", state: "ready" };
const BEN = { account: "ben@contoso.test" };

/** @type {PageBrowser} */
let browser;

before(async () => {
  browser = await PageBrowser.start();
});

after(() => browser.stop());

/** Comes back to the page, which was in the background. */
const showAgain = () => browser.evaluate('document.dispatchEvent(new Event("visibilitychange"))');

/** @param {string} selector of a button that is pressed with the keyboard */
async function press(selector) {
  await browser.waitFor(selector);
  await browser.evaluate(`(button => { button.focus(); button.click(); })(document.querySelector(${JSON.stringify(selector)}))`);
}

/** @returns {Promise<string>} where the keyboard is */
const focused = () => browser.evaluate('(({ tagName, className, dataset }) => [tagName, className, dataset.action].filter(Boolean).join(" "))(document.activeElement)');

test("a page that comes into view again shows what was added meanwhile", async () => {
  await browser.open(POPUP, { messages: [{ overview: overviewOf([ADA]) }], refreshed: [{ overview: overviewOf([ADA, BEN]) }] }, "en");
  await showAgain();
  await browser.waitFor(`[data-account="${BEN.account}"]`);
  assert.deepEqual(await browser.complaints(), []);
});

test("the focus survives another try to start the program, and goes to the page's heading when the warning is gone", async () => {
  const missing = overviewOf([ADA], { hostState: "missing" });
  await browser.open(POPUP, { messages: [{ overview: missing }], refreshed: [{ overview: overviewOf([ADA]) }], orders: { act: { result: null } } }, "en");
  await press('[data-action="retryHost"]');
  await browser.waitFor('[data-action="retryHost"][aria-disabled="true"]');
  assert.equal(await focused(), "BUTTON retryHost");
  await showAgain();
  await browser.waitFor("#version");
  assert.equal(await focused(), "H1");
});

const SERVER = { hostname: "imap-mail.outlook.com", port: 143, socketType: "starttls", authMethod: "password", username: ADA.account };
const OFFERED = {
  account: ADA.account, switched: false, step: null, canTakeOver: false, restart: false, restored: false, problem: null, actions: ["switch"],
  servers: [{ type: "imap", faults: ["password"], before: SERVER, after: { ...SERVER, authMethod: "oauth2" } }],
};

test("the focus goes to the account's name when the button that began its switch is gone", async () => {
  const views = [OFFERED, { ...OFFERED, step: "signing-in", actions: [] }].map(account => ({ result: { mode: "offer", accounts: [account] } }));
  await browser.open(DASHBOARD, { messages: [{ overview: overviewOf([ADA]) }], orders: { "migration.view": views, "migration.switch": { result: null } } }, "en");
  assert.equal(await browser.evaluate('document.querySelector(".migration .step")?.textContent ?? ""'), "");
  await press('.migration [data-action="switch"]');
  await browser.waitFor(".migration .step:not(:empty)");
  assert.equal(await focused(), "H3 name");
});

test("live regions are there before they have something to say", async () => {
  const orders = {
    "migration.view": { result: { mode: "offer", accounts: [OFFERED] } },
    "ask policy.get": { result: { policy: { audit: { enabled: true, retentionDays: 365 } }, sources: {} } },
    "ask settings.set": { result: {} },
  };
  await browser.open(DASHBOARD, { hash: "#settings", messages: [{ overview: overviewOf([ADA]) }], orders }, "en");
  await browser.waitFor("#setting-fallback");
  const hidden = '[...document.querySelectorAll("[role=status], [role=alert]")].filter(one => one.hidden && !one.matches(".host-warning")).map(one => one.className)';
  assert.deepEqual(await browser.evaluate(hidden), []);
  await browser.evaluate('(box => { box.checked = !box.checked; box.dispatchEvent(new Event("change")); })(document.querySelector("#setting-audit_enabled"))');
  await browser.waitFor('[data-setting="audit_enabled"] .saved:not(:empty)');
});

test("a page to read links to no page of a cloud that is not the organisation's", async () => {
  const open = (/** @type {string} */ page, /** @type {string} */ cloud) =>
    browser.open({ file: `welcome/${page}.html`, width: 1000 }, { messages: [{ overview: overviewOf([]) }], orders: { "ask policy.get": { result: { policy: { cloud }, sources: {} } } } }, "en");
  const links = () => browser.evaluate('[...document.querySelectorAll("a[href^=https]")].filter(one => one.checkVisibility()).length');
  for (const [page, count] of /** @type {[string, number][]} */ ([["safely", 2], ["admins", 2]])) {
    await open(page, "worldwide");
    assert.equal(await links(), count, page);
    await open(page, "china");
    assert.equal(await links(), 0, page);
  }
  assert.deepEqual(await browser.evaluate('[...document.querySelectorAll("[data-cloud]")].filter(one => one.checkVisibility()).map(one => one.textContent)'), ["portal.azure.cn"]);
});

test("an open welcome page learns of an app that was chosen elsewhere", async () => {
  const configurations = [{}, { clientId: "11111111-2222-3333-4444-555555555555" }].map(policy => ({ result: { policy: { cloud: "worldwide", ...policy }, sources: {} } }));
  const overview = overviewOf([ADA]);
  await browser.open(
    { file: "welcome/welcome.html", width: 1000 },
    { messages: [{ overview }], refreshed: [{ overview }], orders: { "ask policy.get": configurations, "migration.view": { result: { accounts: [] } } }, steps: [{ click: '[data-step="app"]' }, { waitFor: "#app-form" }] },
    "en",
  );
  await showAgain();
  await browser.waitFor("#app-chosen");
  assert.equal(await browser.evaluate('document.querySelector("#app-form").checkVisibility()'), false);
});

test("“Sign out” says whom it signs out, where that is more than the mailbox it stands with", async () => {
  const shared = { account: "info@contoso.test", state: "ready", signInAs: ADA.account };
  const words = async (/** @type {any[]} */ accounts, /** @type {"en"|"de"} */ language) => {
    await browser.open(POPUP, { messages: [{ overview: overviewOf(accounts) }], steps: [{ click: `[data-account="${ADA.account}"] .more` }] }, language);
    await browser.waitFor('[data-action="signOut"]');
    return browser.evaluate('document.querySelector("[data-action=signOut]").textContent');
  };
  assert.equal(await words([ADA], "en"), "Sign out");
  assert.equal(await words([ADA, shared], "en"), "Sign out ada@contoso.test (2\u00a0mailboxes)");
  assert.equal(await words([ADA, shared], "de"), "ada@contoso.test abmelden (2\u00a0Postfächer)");
});

test("whoever wants another sign-in for a shared mailbox that works signs out, and is offered those at hand", async () => {
  const info = { account: "info@contoso.test", signInAs: "cleo@contoso.test" };
  const [before, after] = ["ready", "signed-out"].map(state => ({ overview: overviewOf([{ ...info, state }, ADA]) }));
  await browser.open(POPUP, { messages: [before], refreshed: [after], orders: { act: { result: null } } }, "en");
  const card = `[data-account="${info.account}"]`;
  await press(`${card} .more`);
  assert.equal(await browser.evaluate(`document.querySelector('${card} [data-action="openBy"]')?.checkVisibility() ?? false`), false);
  await press(`${card} .more-list [data-action="signOut"]`);
  await showAgain();
  await press(`${card} .actions [data-action="openBy"]`);
  await press(`${card} [data-name="${ADA.account}"]`);
  assert.deepEqual(await browser.complaints(), []);
});

test("what keeps this Thunderbird from being supported is among the versions, and nothing is where all is well", async () => {
  const orders = { "migration.view": { result: { accounts: [] } }, checkHealth: { result: { report: { checks: [] } } } };
  const about = async (/** @type {object} */ bridge) => {
    await browser.open(DASHBOARD, { hash: "#about", messages: [{ overview: overviewOf([ADA], { bridge }) }], orders }, "en");
    await browser.waitFor('[data-fact="thunderbird"]');
    return browser.evaluate('document.querySelector("[data-fact=obstacle]")?.textContent ?? ""');
  };
  assert.equal(await about({}), "");
  assert.equal(await about({ installed: false, obstacle: "OAuth2.connect" }), "OAuth2.connect");
});

test("that this Thunderbird cannot be told of a cloud that is in use is a warning above everything", async () => {
  await browser.open(POPUP, { messages: [{ overview: overviewOf([ADA], { bridge: { obstacle: "OAuth2Providers.registerProvider", lacksCloud: true } }) }] }, "en");
  assert.match(await browser.evaluate('document.querySelector(".host-warning").innerText'), /not fully supported/);
  assert.equal(await browser.evaluate('document.querySelector("[data-action=retryHost]").checkVisibility()'), false);
});

test("a health check names the servers that it could not include", async () => {
  const report = { startedAt: 1_790_000_000, finishedAt: 1_790_000_004, overall: "ok", checks: [] };
  const leftOut = [{ account: "anna@contoso.test\\team@contoso.test", hostname: "outlook.office365.com" }, { account: "@b.test", hostname: "smtp.office365.com" }];
  const words = async (/** @type {object} */ result) => {
    const orders = { "migration.view": { result: { accounts: [] } }, checkHealth: { result } };
    await browser.open(DASHBOARD, { hash: "#health", messages: [{ overview: overviewOf([ADA]) }], orders }, "en");
    await press('[data-action="checkHealth"]');
    await browser.waitFor('.health-report[data-state="done"]');
    return browser.evaluate('document.querySelector(".health-report .left-out").innerText');
  };
  assert.match(await words({ report, leftOut }), /^Not checked: anna@contoso\.test\\team@contoso\.test at outlook\.office365\.com and @b\.test at smtp\.office365\.com\. /);
  assert.equal(await words({ report, leftOut: [] }), "");
});

test("checks that were skipped for the same reason are as many as are counted", async () => {
  const skipped = { id: "imap", account: ADA.account, status: "skipped", title: "IMAP", detail: "This builds upon “Access token”." };
  const report = { startedAt: 1_790_000_000, finishedAt: 1_790_000_004, overall: "ok", checks: [skipped, { ...skipped, id: "smtp" }, skipped] };
  const progress = report.checks.map((check, index) => ({ done: index + 1, total: 3, check }));
  const orders = { "migration.view": { result: { accounts: [] } }, checkHealth: { progress, result: { report } } };
  await browser.open(DASHBOARD, { hash: "#health", messages: [{ overview: overviewOf([ADA]) }], orders }, "en");
  await press('[data-action="checkHealth"]');
  await browser.waitFor('.health-report[data-state="done"]');
  assert.deepEqual(await browser.evaluate('[...document.querySelectorAll(".health-check")].map(one => one.dataset.check)'), ["imap", "imap", "smtp"]);
  assert.match(await browser.evaluate('document.querySelector(".counts").textContent'), /^Skipped: 3/);
});

test("what a number field cannot read is said to be wrong, and nothing is saved", async () => {
  const policy = { audit: { enabled: true, retentionDays: 90 } };
  const orders = { "migration.view": { result: { accounts: [] } }, "ask policy.get": { result: { policy, sources: { audit: "user" } } }, "ask settings.set": { result: {} } };
  await browser.open(DASHBOARD, { hash: "#settings", messages: [{ overview: overviewOf([ADA]) }], orders }, "en");
  const field = "#setting-audit_retentionDays";
  await browser.waitFor(`${field}:enabled`);
  const enter = async (/** @type {string} */ days) => {
    await browser.evaluate(`(input => { input.focus(); input.select(); })(document.querySelector("${field}"))`);
    await browser.type(days);
    await browser.evaluate("document.activeElement.blur()");
  };
  const said = (/** @type {string} */ what) => browser.evaluate(`document.querySelector('[data-setting="audit_retentionDays"] ${what}').textContent`);
  await enter("1-2");
  assert.deepEqual([await said(".error"), await said(".saved")], ["Give a whole number of days from 1 to 36,500.", ""]);
  assert.equal(await browser.evaluate(`document.querySelector("${field}").ariaInvalid`), "true");
  await enter("30");
  await browser.waitFor('[data-setting="audit_retentionDays"] .saved:not(:empty)');
  assert.equal(await said(".error"), "");
});

test("what is wrong with the configuration stands above the settings until it is right", async () => {
  const warnings = [
    { kind: "misconfigured", cause: "/etc/thunderseal/policy.json, /tenants: the key is not known and has no effect.", remedy: "Check the spelling." },
    { kind: "misconfigured", cause: "/home/ada/.config/thunderseal/config.json cannot be used: /manage must be one of \"listed\", \"domains\", \"all\".", remedy: "Correct the file." },
  ];
  const overview = overviewOf([ADA]);
  const scene = {
    hash: "#settings",
    messages: [{ overview: { ...overview, host: { ...overview.host, warnings } } }],
    refreshed: [{ overview }],
    orders: { "migration.view": { result: { accounts: [] } }, "ask policy.get": { result: { policy: {}, sources: {} } } },
  };
  const shown = () => browser.evaluate('[...document.querySelectorAll(".warnings li")].filter(one => one.checkVisibility()).map(one => one.textContent)');
  await browser.open(DASHBOARD, scene, "en");
  await browser.waitFor(".warnings");
  assert.deepEqual(await shown(), warnings.map(({ cause, remedy }) => `${cause} ${remedy}`));
  assert.deepEqual(await browser.violations(), []);
  await showAgain();
  await browser.waitFor("#settings:has(.warnings[hidden])");
  assert.deepEqual(await shown(), []);
});

/** @param {number} lastUsedAt @param {string} [account] */
const signedIn = (lastUsedAt, account = ADA.account) => ({
  account, signInAs: account, state: "ready", cloud: "worldwide", tenant: "common", method: "browser", nextRenewal: lastUsedAt + 3_000,
  tokens: [{ resource: "https://outlook.office.com", expiresAt: lastUsedAt + 3_600 }],
  refreshToken: { present: true, obtainedAt: 1_790_000_000, lastUsedAt, idleExpiresAt: lastUsedAt + 7_776_000 },
});

/** Runs in the page: keeps in mind the elements of a selector, and counts them. @param {string} selector */
const note = selector => `(window.kept = [...document.querySelectorAll(${JSON.stringify(selector)})]).length`;
/** Runs in the page: how many of these are on it still. */
const STILL_THERE = "window.kept.filter(one => one.isConnected).length";

test("in the list of sign-ins only what has changed is drawn anew", async () => {
  const overview = overviewOf([ADA]);
  const lists = [[signedIn(1_795_000_000)], [signedIn(1_795_003_000), signedIn(1_795_001_000, BEN.account)]].map(accounts => ({ result: { accounts, more: false } }));
  const orders = { "migration.view": { result: { accounts: [] } }, "ask account.list": lists };
  await browser.open(DASHBOARD, { hash: "#signins", messages: [{ overview }], refreshed: [{ overview }], orders }, "en");
  await browser.waitFor(".identity .times");
  const used = () => browser.evaluate('document.querySelector("[data-time=lastUsed]").dataset.at');
  const before = await browser.evaluate(note(".identity, .identity *"));
  assert.equal(await used(), "1795000000");
  await browser.evaluate('getSelection().selectAllChildren(document.querySelector("[data-time=idleEnds] th"))');
  await showAgain();
  await browser.waitFor(`.identity[data-identity="${BEN.account}"] .times`);
  assert.equal(await used(), "1795003000");
  assert.equal(await browser.evaluate(STILL_THERE), before);
  assert.equal(await browser.evaluate("getSelection().toString()"), await browser.evaluate('document.querySelector("[data-time=idleEnds] th").textContent'), "where the user reads");
  assert.equal(await browser.evaluate('document.querySelectorAll(".identity").length'), 2);
  assert.deepEqual(await browser.complaints(), []);
});

test("in the list of activity what is there stays when more comes, and so do the choice of an account and its place", async () => {
  const overview = overviewOf([ADA]);
  const entry = (/** @type {number} */ seq, /** @type {string} */ account) => ({ seq, time: 1_795_000_000 + seq, event: "renewed", account });
  const logs = [[entry(1, "h1"), entry(2, "h2")], [entry(2, "h2"), entry(3, "h3"), entry(4, "h2")]].map(entries => ({ result: { entries, intact: true } }));
  const orders = { "migration.view": { result: { accounts: [] } }, "ask audit.read": logs, "ask audit.names": { result: { names: { h2: BEN.account } } } };
  await browser.open(DASHBOARD, { hash: "#activity", messages: [{ overview }], refreshed: [{ overview }], orders }, "en");
  await browser.waitFor('.activity [data-key="2"]');
  await browser.evaluate('(select => { select.focus(); select.value = "h2"; select.dispatchEvent(new Event("change")); })(document.querySelector("#activity-account"))');
  const kept = '.verified *, #activity-account option:not([value="h1"]), .activity [data-key="2"], .activity [data-key="2"] *';
  const before = await browser.evaluate(note(kept));
  await showAgain();
  await browser.waitFor('.activity [data-key="4"]');
  assert.equal(await browser.evaluate(STILL_THERE), before);
  assert.deepEqual(await browser.evaluate('[...document.querySelectorAll(".activity tbody tr")].map(one => one.dataset.key)'), ["4", "2"]);
  assert.deepEqual(await browser.evaluate('(({ value, options }) => [value, ...[...options].map(one => one.text)])(document.querySelector("#activity-account"))'), ["h2", "All", BEN.account, "h3"]);
  assert.equal(await browser.evaluate("document.activeElement.id"), "activity-account");
});
