// SPDX-License-Identifier: MPL-2.0

/** The dashboard, section by section, in one Thunderbird; of each section a picture in English and light, and one in German and dark. */

import assert from "node:assert/strict";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { startSocksProxy } from "../servers/socks_proxy.mjs";
import { Dashboard } from "./dashboard.mjs";
import { EXTENSION_ID, environment } from "./home.mjs";
import { startProgram } from "./program.mjs";
import { findSecrets } from "./secrets.mjs";
import { ADA, HOST, World } from "./world.mjs";

/* global ChromeUtils, Ci, Services, content, texts, until */

const PICTURES = resolve(HOST, "../e2e");
const PASSPHRASE = "four red herons stand in the reeds";
const WRONG = "five grey herons stand in the reeds";
/** Longer than it takes to look at another section, shorter than the host waits. */
const RENEWAL_MS = 4_000;
const SECTIONS = ["accounts", "health", "signins", "activity", "settings", "backup", "about"];

/** What only Thunderbird can tell: at a terminal there is none. */
const TOLD_BY_THUNDERBIRD = ["settings", "offline-copy"];

/** @typedef {{id: string, account: string|null, status: string, title: string, detail: string, word?: string}} Check */

/**
 * Runs the program in the user's home.
 * @param {string} home
 * @param {...string} args
 */
async function atTerminal(home, ...args) {
  const { process: program, gone } = startProgram(HOST, args, { env: environment(home, {}, {}), stdio: ["ignore", "pipe", "inherit"] });
  const chunks = [];
  for await (const chunk of /** @type {import("node:stream").Readable} */ (program.stdout)) {
    chunks.push(chunk);
  }
  assert.deepEqual(await gone, [0, null], args.join(" "));
  return Buffer.concat(chunks).toString("utf8");
}

/**
 * What a reader sees of each check; how far the log has gone differs from run to run.
 * @param {Check[]} checks
 */
const comparable = checks => checks
  .filter(({ id }) => !TOLD_BY_THUNDERBIRD.includes(id))
  .map(({ id, account, status, title, detail }) => ({ id, account, status, title, detail: id === "audit" ? detail.replace(/\d+/, "N") : detail }));

/** Runs in the page: the report as it stands there. */
function shownReport() {
  const words = (/** @type {Element|null} */ element) => element?.textContent ?? "";
  return [...content.document.querySelectorAll("#health .groups > section")].flatMap((section, index) =>
    [...section.querySelectorAll(".health-check")].map(check => ({
      id: check.dataset.check,
      account: index === 0 ? null : words(section.querySelector("h3")),
      status: check.dataset.status,
      title: words(check.querySelector("h4")),
      detail: words(check.querySelector(".detail")),
      word: words(check.querySelector(".word")),
    })));
}

/** Runs in Thunderbird. */
const clipboard = () => Services.wm.getMostRecentWindow("mail:3pane").navigator.clipboard.readText();

/**
 * Runs in Thunderbird: adds outgoing servers, which have no port of their own.
 * @param {string[]} users
 */
function addOutgoing(users) {
  const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
  return users.map(username => {
    const server = MailServices.outgoingServer.createServer("smtp").QueryInterface(Ci.nsISmtpServer);
    Object.assign(server, { hostname: "smtp.office365.com", username, socketType: Ci.nsMsgSocketType.alwaysSTARTTLS, authMethod: Ci.nsMsgAuthMethod.OAuth2 });
    return server.port;
  });
}

/** Runs in Thunderbird: takes the last of its outgoing servers away. @param {number} count */
function removeOutgoing(count) {
  const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
  MailServices.outgoingServer.servers.slice(-count).forEach(server => MailServices.outgoingServer.deleteServer(server));
}

/** Runs in the page: the user chooses a file. */
function chooseFile(/** @type {string} */ base64) {
  const bytes = Uint8Array.from(content.atob(base64), character => character.charCodeAt(0));
  const file = new content.File([bytes], "some.backup");
  content.document.querySelector("#restore-file").mozSetFileArray([file]);
}

test("the dashboard", { timeout: 300_000 }, async t => {
  const world = await World.open();
  t.after(() => world.close());
  // The cloud's names lead to the test's servers for Thunderbird, and by this proxy for the host.
  const proxy = await startSocksProxy();
  t.after(() => proxy.stop());
  const downloads = join(world.folder, "machine/home/Saved");
  const { thunderbird } = await world.signedIn({
    hostConfiguration: { ...world.hostConfiguration, proxy: proxy.url },
    policies: { "3rdparty": { Extensions: { [EXTENSION_ID]: { fallback: "thunderbird" } } } },
    preferences: { "browser.download.folderList": 2, "browser.download.dir": downloads, "browser.download.useDownloadDir": true },
  });
  const { marionette, home } = thunderbird;
  const { dashboard, title, tabs } = await Dashboard.open(marionette, EXTENSION_ID);
  const picture = (/** @type {string} */ name, /** @type {"light"|"dark"} */ colours = "light") =>
    dashboard.photographIn(colours, join(PICTURES, `dashboard-${name}-${colours}.png`));

  await t.test("opens from the spaces, once; the sections are found by link, keyboard and screen reader", async () => {
    assert.equal(title, "Thunderseal");
    assert.equal((await Dashboard.open(marionette, EXTENSION_ID)).tabs, tabs, "one tab, raised");
    assert.match(await dashboard.waitFor(`#accounts [data-account="${ADA}"][data-state="ready"]`), /Signed in/);
    await picture("accounts");
    assert.deepEqual(await dashboard.run(() => [...content.document.querySelectorAll("nav a")].map(({ hash }) => hash.slice(1))), SECTIONS);
    await dashboard.run(() => content.document.querySelector('nav a[href="#health"]').focus());
    await dashboard.type("Enter");
    const now = () => ({ hash: content.location.hash, at: content.document.activeElement.id, current: [...content.document.querySelectorAll("nav [aria-current=page]")].map(({ hash }) => hash) });
    await dashboard.run(() => until(() => content.document.activeElement.id === "health-title"));
    assert.deepEqual(await dashboard.run(now), { hash: "#health", at: "health-title", current: ["#health"] });
  });

  await t.test("health: checks appear as they come, can be cancelled, and are those of the command line", async () => {
    await dashboard.show("health");
    const release = proxy.hold();
    await dashboard.press('[data-action="checkHealth"]');
    assert.match(await dashboard.waitForWords('.health-report[data-state="running"] .counts', /done/), /^\d+ of \d+ done$/);
    await dashboard.waitFor('[data-check="vault"]');
    await picture("health-running");
    await dashboard.press('[data-action="cancelHealth"]');
    await dashboard.waitForWords('.health-report[data-state="cancelled"] .verdict', /cancelled/);
    release();

    await dashboard.press('[data-action="checkHealth"]');
    await dashboard.waitForWords('.health-report[data-state="done"] .verdict', /in order/);
    const shown = /** @type {Check[]} */ (await dashboard.run(shownReport));
    const { checks } = JSON.parse(await atTerminal(home, "check", "--json"));
    assert.deepEqual(comparable(shown), comparable(checks));
    assert.deepEqual(shown.map(({ id }) => id), checks.map((/** @type {Check} */ { id }) => id), "and in this order");
    const order = ["token", "settings", "imap", "smtp"].map(id => shown.find(check => check.id === id));
    assert.deepEqual(order.map(check => [check?.status, check?.word]), Array(4).fill(["ok", "In order"]));

    await dashboard.run(() => content.document.querySelector('[data-check="imap"] summary').click());
    assert.match(await dashboard.waitForWords('[data-check="imap"] .evidence', /outlook\.office365\.com/), /hostname/);
    await dashboard.press('[data-action="copyReport"]');
    await dashboard.waitForWords(".copied", /clipboard/);
    const report = await marionette.chrome(clipboard);
    assert.match(report, /^Thunderseal report/);
    assert.doesNotMatch(report, new RegExp(ADA));
    assert.equal(await dashboard.run(() => content.document.querySelector(".report").value), report);
    await picture("health");
  });

  await t.test("health: a server without a port is checked where Thunderbird sends by it, one with an odd user name is named", async () => {
    const odd = "anna@contoso.test\\team@contoso.test";
    assert.deepEqual(await marionette.chrome(addOutgoing, [ADA, odd]), [0, 0]);
    await dashboard.press('[data-action="checkHealth"]');
    assert.match(await dashboard.waitForWords('.health-report[data-state="done"] .left-out', /./), /^Not checked: anna@contoso\.test\\team@contoso\.test at smtp\.office365\.com\. /);
    const ports = () => [...content.document.querySelectorAll('[data-check="smtp"] details > .evidence')].map(one => /port(\d+)/.exec(one.textContent)?.[1]);
    const { port } = world.mail.smtp;
    assert.deepEqual((await dashboard.run(ports)).sort(), [String(port), "587"].sort());
    await marionette.chrome(removeOutgoing, 2);
  });

  await t.test("sign-ins: the times of each as picture and table, new ones as they come", async () => {
    await dashboard.show("signins");
    await dashboard.waitFor(".timeline");
    const rows = await dashboard.run(() => [...content.document.querySelectorAll(".times tr")].map(({ dataset }) => [dataset.time, Number(dataset.at)]));
    assert.deepEqual(rows.map(([name]) => name), ["obtained", "lastUsed", "now", "nextRenewal", "tokenEnds", "idleEnds"]);
    const [{ refreshToken, tokens }] = JSON.parse(await atTerminal(home, "status", "--json")).accounts;
    const times = Object.fromEntries(rows);
    assert.deepEqual([times.obtained, times.tokenEnds, times.idleEnds], [refreshToken.obtainedAt, tokens[0].expiresAt, refreshToken.idleExpiresAt]);
    const labels = await dashboard.run(() => [...content.document.querySelectorAll("svg.track")].map(({ ariaLabel }) => ariaLabel));
    assert.match(labels[0], /^Sign-in: from .* to .*, 0 % of it gone/);
    assert.match(labels[1], /^Access token for outlook\.office\.com: .*Next renewal: /);
    await picture("signins");
    // The answer comes when the section has long been in view, and brings itself in.
    await world.identityProvider.control({ nextToken: { delayMs: RENEWAL_MS } });
    await dashboard.show("accounts");
    await dashboard.press("#accounts .more");
    await dashboard.press('#accounts .more-list [data-action="newToken"]');
    await dashboard.show("signins");
    await dashboard.run(before => until(() => Number(content.document.querySelector('[data-time="tokenEnds"]')?.dataset.at) === before), times.tokenEnds);
    await dashboard.run(before => until(() => Number(content.document.querySelector('[data-time="tokenEnds"]')?.dataset.at) > before), times.tokenEnds);
  });

  await t.test("activity: what happened in plain words, by account, and whether the log is intact", async () => {
    await dashboard.show("activity");
    await dashboard.waitForWords(".verified", /as it was written/);
    await dashboard.waitForWords('[data-event="signed-in"]', new RegExp(`Signed in.*${ADA}`));
    await picture("activity");
    const everybody = await dashboard.run(() => content.document.querySelectorAll(".activity tbody tr").length);
    await dashboard.run(() => {
      const select = content.document.querySelector("#activity-account");
      select.selectedIndex = 1;
      select.dispatchEvent(new content.Event("change"));
    });
    const hers = await dashboard.run(() => [...content.document.querySelectorAll(".activity tbody tr")].map(row => row.querySelector(".who").textContent));
    assert.ok(hers.length < everybody && hers.every((/** @type {string} */ who) => who === ADA), String(hers));
    await dashboard.enter("#activity-since", "2999-01-01");
    await dashboard.waitForWords(".none", /Nothing/);
    await dashboard.enter("#activity-since", "");
    await dashboard.waitFor('[data-event="signed-in"]');
  });

  await t.test("settings: each with its source, locked where it is another's, wrong ones told at the field", async () => {
    await dashboard.show("settings");
    const setting = (/** @type {string} */ name) => `[data-setting="${name}"]`;
    await dashboard.waitForWords(`${setting("fallback")} .source`, /Locked.*Thunderbird's policies/);
    assert.equal(await dashboard.run(() => content.document.querySelector("#setting-fallback").disabled), true);
    await dashboard.waitForWords(`${setting("clientId")} .source`, /Set by you/);
    await dashboard.waitForWords(`${setting("flows")} .source`, /Default/);
    await dashboard.enter("#setting-tenant", "not a tenant");
    await dashboard.waitForWords(`${setting("tenant")} .error`, /A tenant is a domain/);
    await picture("settings");
    await dashboard.enter("#setting-tenant", "organizations");
    await dashboard.waitForWords(`${setting("tenant")} .saved`, /^Saved\.$/);
    await dashboard.enter("#setting-allowedDomains", "contoso.test\ncontoso.com");
    await dashboard.waitForWords(`${setting("allowedDomains")} .source`, /Set by you/);
    await dashboard.enter("#setting-audit_retentionDays", "30");
    await dashboard.waitForWords(`${setting("audit_retentionDays")} .saved`, /starts again/);
    const file = async () => JSON.parse(await readFile(join(home, ".config/thunderseal/config.json"), "utf8"));
    const { tenant, allowedDomains, audit } = await file();
    assert.deepEqual([tenant, allowedDomains, audit], ["organizations", ["contoso.test", "contoso.com"], { enabled: true, retentionDays: 30 }]);
    await dashboard.press(`${setting("allowedDomains")} .reset`);
    await dashboard.waitForWords(`${setting("allowedDomains")} .source`, /Default/);
    assert.equal("allowedDomains" in (await file()), false);
  });

  await t.test("backup: made under a passphrase, saved as a file, and brought back", async () => {
    await dashboard.show("backup");
    const fill = (/** @type {Record<string, string>} */ values) =>
      dashboard.run(all => Object.entries(all).forEach(([id, value]) => Object.assign(content.document.getElementById(id), { value })), values);
    await fill({ "backup-passphrase": PASSPHRASE, "backup-again": WRONG });
    await dashboard.press("#backup button");
    await dashboard.waitForWords("#backup .error", /not the same/);
    await picture("backup");
    await fill({ "backup-passphrase": PASSPHRASE, "backup-again": PASSPHRASE });
    await dashboard.press("#backup button");
    assert.deepEqual(await dashboard.run(() => [...content.document.querySelectorAll("input[type=password]")].map(({ value }) => value)), ["", "", ""]);
    const [name] = /thunderseal-.*\.backup/.exec(await dashboard.waitForWords("#backup .done", /ready/)) ?? [];
    await marionette.chrome(saved, downloads, name);
    assert.deepEqual(await readdir(downloads), [name]);
    const bytes = await readFile(join(downloads, name ?? ""));

    await atTerminal(home, "forget", ADA);
    await dashboard.run(chooseFile, Buffer.from(bytes).toString("base64"));
    await fill({ "restore-passphrase": WRONG });
    await dashboard.press("#restore button");
    await dashboard.waitForWords("#restore .error", /passphrase is wrong/);
    await fill({ "restore-passphrase": PASSPHRASE });
    await dashboard.press("#restore button");
    await dashboard.waitForWords("#restore .done", new RegExp(`came back: ${ADA}`));
    await dashboard.run(chooseFile, Buffer.alloc(751 * 1024).toString("base64"));
    await dashboard.press("#restore button");
    await dashboard.waitForWords("#restore .error", /larger than 750 KiB.*thunderseal restore/);
    await dashboard.show("accounts");
    await dashboard.waitFor(`#accounts [data-account="${ADA}"][data-state="ready"]`);
  });

  await t.test("versions: all that works together, and what the key store is worth", async () => {
    await dashboard.show("about");
    const { version } = JSON.parse(await readFile(resolve(import.meta.dirname, "../../extension/manifest.json"), "utf8"));
    assert.equal(await dashboard.waitFor('[data-fact="addon"]'), version);
    assert.equal(await dashboard.waitFor('[data-fact="thunderbird"]'), await marionette.chrome(() => Services.appinfo.version));
    assert.match(await dashboard.waitFor('[data-fact="libraries"]'), /libcurl \S+ .*libsodium.*jansson/);
    assert.match(await dashboard.waitFor('[data-fact="protection"]'), /Other users of this computer cannot/);
    await picture("about");
  });

  await t.test("in German at once, and after the program has started again; a damaged log is told, with its place", async () => {
    await dashboard.show("settings");
    await dashboard.enter("#setting-locale", '"de"');
    await dashboard.run(() => until(() => content.document.documentElement.lang === "de"));
    await dashboard.waitForWords("#settings h2", /Einstellungen/);
    await dashboard.enter("#setting-audit_retentionDays", "31");
    await dashboard.waitForWords('[data-setting="audit_retentionDays"] .saved', /neu startet/);
    await dashboard.press(".pending button");
    await dashboard.run(() => until(() => content.document.querySelector(".pending").hidden));
    const log = join(home, ".local/state/thunderseal/audit.jsonl");
    await writeFile(log, (await readFile(log, "utf8")).split("\n").toSpliced(1, 1).join("\n"));
    await dashboard.show("health");
    await dashboard.press('[data-action="checkHealth"]');
    await dashboard.waitForWords('.health-report[data-state="done"] .verdict', /funktioniert nicht/);
    assert.match(await dashboard.waitFor('[data-check="audit"] .advice h5'), /Was Sie tun können/);
    for (const section of SECTIONS) {
      await dashboard.show(section);
      if (section === "activity") {
        await dashboard.waitForWords(".verified", /nicht mehr so.*Zeile 2/);
      }
      await dashboard.run(() => until(() => !texts("main > section").some(words => /^\s*$/.test(words))));
      await picture(`${section}-german`, "dark");
    }
  });

  await t.test("no passphrase is left anywhere", async () => {
    await thunderbird.stop();
    const { searched, found } = await findSecrets([join(home, "..")], [{ kind: "passphrase", value: PASSPHRASE }, { kind: "wrong passphrase", value: WRONG }]);
    assert.ok(searched > 50, `${searched} files`);
    assert.deepEqual(found, []);
  });
});

/** Runs in Thunderbird: waits until the download is there as a whole. */
async function saved(/** @type {string} */ folder, /** @type {string} */ name) {
  const { Downloads } = ChromeUtils.importESModule("resource://gre/modules/Downloads.sys.mjs");
  const list = await Downloads.getList(Downloads.ALL);
  await new Promise(resolve => {
    const look = download => download.target.path.endsWith(`${folder}/${name}`) && download.succeeded && resolve(undefined);
    list.addView({ onDownloadAdded: look, onDownloadChanged: look });
  });
}
