// SPDX-License-Identifier: MPL-2.0

/** A profile with passwords and wrong settings is switched to secure sign-in, and back. */

import assert from "node:assert/strict";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { startSocksProxy } from "../servers/socks_proxy.mjs";
import { Dashboard } from "./dashboard.mjs";
import { EXTENSION_ID } from "./home.mjs";
import { ADA, HOST, World, letter } from "./world.mjs";

/* global Cc, Ci, Services, content, until */

const PICTURES = resolve(HOST, "../e2e");

/** What the addresses of its folders begin with. */
const OLD_URI = "imap://ada%40contoso.test@imap-mail.outlook.com";

/** Settings as they were written down years ago. @param {World} world */
function oldAccount(world) {
  const account = world.account(ADA);
  return {
    ...account,
    imap: { hostname: "imap-mail.outlook.com", port: 143, socketType: /** @type {const} */ ("starttls"), authMethod: /** @type {const} */ ("password") },
    smtp: { hostname: "smtp-mail.outlook.com", port: 25, socketType: /** @type {const} */ ("starttls"), authMethod: /** @type {const} */ ("password") },
  };
}

/** What Thunderbird notes at the first login of an account: this one has been in use for years. */
const USED = {
  "mail.identity.id1.draft_folder": `${OLD_URI}/Drafts`,
  "mail.identity.id1.drafts_folder_picker_mode": "1",
  "mail.identity.id1.fcc_folder": `${OLD_URI}/Sent`,
  "mail.identity.id1.fcc_folder_picker_mode": "1",
  "mail.server.server1.max_cached_connections": 5,
  "mail.server.server1.spamActionTargetAccount": OLD_URI,
  "mail.server.server1.storeContractID": "@mozilla.org/msgstore/berkeleystore;1",
  "mail.server.server1.timeout": 29,
  "mail.server.server1.trash_folder_name": "Trash",
};

/** Runs in Thunderbird: stores passwords as it does itself. */
async function storePasswords(/** @type {string} */ user, /** @type {string[]} */ origins) {
  for (const origin of origins) {
    const login = Cc["@mozilla.org/login-manager/loginInfo;1"].createInstance(Ci.nsILoginInfo);
    login.init(origin, null, origin, user, "Passw0rd!", "", "");
    await Services.logins.addLoginAsync(login);
  }
}

/** Runs in Thunderbird: every preference about mail that has a value of the user's, with its type. */
async function mailPreferences() {
  // Counts the changes of the address book, which collects to whom a message is sent.
  const counter = "mail.displayname.version";
  const names = Services.prefs.getChildList("mail.").filter(name => Services.prefs.prefHasUserValue(name) && name !== counter).sort();
  return names.map(name => {
    switch (Services.prefs.getPrefType(name)) {
      case Ci.nsIPrefBranch.PREF_INT:
        return [name, Services.prefs.getIntPref(name)];
      case Ci.nsIPrefBranch.PREF_BOOL:
        return [name, Services.prefs.getBoolPref(name)];
      default:
        return [name, Services.prefs.getStringPref(name)];
    }
  });
}

/** Runs in Thunderbird: closes the dashboard, which the next start would open again. */
async function closeTabs() {
  const tabmail = Services.wm.getMostRecentWindow("mail:3pane").document.getElementById("tabmail");
  tabmail.closeOtherTabs(tabmail.tabInfo[0]);
}

const ITEM = `#migration [data-account="${ADA}"]`;

/** @param {Dashboard} dashboard @param {string} state */
const waitForState = (dashboard, state) => dashboard.waitFor(`${ITEM}[data-state="${state}"] .name`);

test("passwords and wrong settings become secure sign-in, mail flows, and every preference can be had back", { timeout: 300_000 }, async t => {
  const world = await World.open();
  t.after(() => world.close());
  const { mail } = world;
  // The cloud's names lead to the test's servers for Thunderbird, and by this proxy for the host.
  const proxy = await startSocksProxy();
  t.after(() => proxy.stop());
  const hostConfiguration = { ...world.hostConfiguration, proxy: proxy.url };
  const thunderbird = await world.startThunderbird({ accounts: [oldAccount(world)], preferences: USED, hostConfiguration });
  const { marionette, mailbox } = thunderbird;
  await marionette.chrome(storePasswords, ADA, ["imap://imap-mail.outlook.com", "smtp://smtp-mail.outlook.com"]);
  const storedLogins = async () => (await mailbox.storedLogins()).sort();
  const passwords = await storedLogins();
  const { dashboard } = await Dashboard.open(marionette, EXTENSION_ID);
  await waitForState(dashboard, "offered");
  for (const scheme of /** @type {const} */ (["light", "dark"])) {
    await dashboard.photographIn(scheme, join(PICTURES, `migration-offered-${scheme}.png`));
  }
  const before = await marionette.chrome(mailPreferences);

  await dashboard.press(`${ITEM} [data-action="switch"]`);
  await dashboard.waitFor(`${ITEM} .step:not(:empty)`);
  await waitForState(dashboard, "switched");
  await dashboard.waitFor(`${ITEM} [data-action="deletePassword"]`);
  await dashboard.photographIn("light", join(PICTURES, "migration-switched.png"));
  await mail.deliver(ADA, letter({ subject: "Over the new server" }));
  await mailbox.check(ADA);
  await mailbox.waitForMessage(ADA, "Over the new server");
  await mailbox.send(ADA, { to: "ben@contoso.test", subject: "Sent securely", text: "Hello." });
  await mail.waitForSent({ from: ADA, subject: "Sent securely" });
  assert.deepEqual(new Set(mail.logins().map(({ ok, method }) => `${method} ${ok}`)), new Set(["XOAUTH2 true"]));
  assert.deepEqual(await storedLogins(), passwords, "passwords are kept until the user says otherwise");

  await dashboard.press(`${ITEM} [data-action="undo"]`);
  await waitForState(dashboard, "offered");
  assert.deepEqual(await marionette.chrome(mailPreferences), before);
  assert.deepEqual(await storedLogins(), passwords);

  await dashboard.press(`${ITEM} [data-action="switch"]`);
  await dashboard.press(`${ITEM} [data-action="deletePassword"]`);
  await dashboard.run(css => until(() => content.document.querySelector(css).hidden), `${ITEM} [data-action="deletePassword"]`);
  assert.deepEqual(await storedLogins(), []);
  const opened = world.identityProvider.counts()["token:authorization_code"];
  assert.equal(opened, 1, "whoever is signed in is not asked again");

  const restarted = await afterRestart(world, thunderbird, { ...hostConfiguration, locale: "de" });
  await undone(world, restarted, before);
});

/**
 * What a restart brings.
 * @param {World} world
 * @param {import("./thunderbird.mjs").Thunderbird} thunderbird
 * @param {object} hostConfiguration
 */
async function afterRestart(world, thunderbird, hostConfiguration) {
  await thunderbird.marionette.chrome(closeTabs);
  // What Thunderbird notes is what it has noted, and not given to it anew.
  const again = await world.restart(thunderbird, { accounts: [world.account(ADA)], preferences: {}, hostConfiguration });
  const { marionette, mailbox } = again;
  const { dashboard } = await Dashboard.open(marionette, EXTENSION_ID);
  await waitForState(dashboard, "switched");
  await dashboard.photographIn("light", join(PICTURES, "migration-switched-de.png"));
  const preferences = Object.fromEntries(await marionette.chrome(mailPreferences));
  assert.equal(preferences["mail.identity.id1.fcc_folder"], "imap://ada%40contoso.test@outlook.office365.com/Sent", "folders go by the new server");
  await world.mail.deliver(ADA, letter({ subject: "After the restart" }));
  await mailbox.check(ADA);
  await mailbox.waitForMessage(ADA, "After the restart");
  return again;
}

/**
 * An undo when folders have their new addresses already, and the way back to Thunderbird's own sign-in.
 * @param {World} world
 * @param {import("./thunderbird.mjs").Thunderbird} thunderbird with the dashboard open
 * @param {[string, any][]} before the preferences
 */
async function undone(world, thunderbird, before) {
  const { dashboard: earlier } = await Dashboard.open(thunderbird.marionette, EXTENSION_ID);
  await earlier.press(`${ITEM} [data-action="undo"]`);
  await waitForState(earlier, "offered");
  await earlier.photographIn("light", join(PICTURES, "migration-restored-de.png"));
  // Until Thunderbird ends folders keep the addresses of now.
  const others = (/** @type {[string, any][]} */ preferences) => preferences.filter(([, value]) => !/^imap:/.test(value));
  assert.deepEqual(others(await thunderbird.marionette.chrome(mailPreferences)), others(before));
  await thunderbird.marionette.chrome(closeTabs);
  const again = await world.restart(thunderbird, { accounts: [oldAccount(world)] });
  const { marionette, mailbox } = again;
  const { dashboard } = await Dashboard.open(marionette, EXTENSION_ID);
  await waitForState(dashboard, "offered");
  assert.deepEqual(await marionette.chrome(mailPreferences), before, "folders' addresses are the old ones again, too");
  await dashboard.press(`${ITEM} [data-action="switch"]`);
  await waitForState(dashboard, "switched");

  // The toolbar of the dashboard has no button for it.
  await marionette.chrome(closeTabs);
  const popup = await again.openPopup();
  await popup.press("signOut", ADA);
  await popup.waitForState(ADA, "signed-out");
  assert.equal(await mailbox.hasToken(ADA), false);
  await popup.press("letThunderbird", ADA);
  await popup.waitForState(ADA, "unlisted");
  assert.equal(Object.fromEntries(await marionette.chrome(mailPreferences))["mail.server.server1.authMethod"], 10, "it stays with OAuth2");
}

/** Runs in Thunderbird: stores a sign-in as its own does. */
async function storeOwnSignIn(/** @type {string} */ user, /** @type {string} */ origin, /** @type {string} */ refreshToken) {
  const login = Cc["@mozilla.org/login-manager/loginInfo;1"].createInstance(Ci.nsILoginInfo);
  login.init(origin, null, "https://outlook.office.com/IMAP.AccessAsUser.All offline_access", user, refreshToken, "", "");
  await Services.logins.addLoginAsync(login);
}

test("a sign-in of Thunderbird's own is taken over without a browser, and its copy goes when the user says so", { timeout: 180_000 }, async t => {
  const world = await World.open();
  t.after(() => world.close());
  const { identityProvider, mail, hostConfiguration } = world;
  // Servers of one's own, of whose sign-in Thunderbird knows from the add-on: so both have the same app.
  const hostname = "127.0.0.1";
  const custom = { ...hostConfiguration.custom, imap: `${hostname}:${mail.imap.port}`, smtp: `${hostname}:${mail.smtp.port}/starttls` };
  const account = world.account(ADA);
  const accounts = [{ ...account, imap: { ...account.imap, hostname }, smtp: { hostname, port: mail.smtp.port, socketType: /** @type {const} */ ("starttls") } }];
  const { thunderbird, popup } = await world.signedIn({ accounts, hostConfiguration: { ...hostConfiguration, custom } });
  const { marionette, mailbox } = thunderbird;
  await popup.press("signOut", ADA);
  await popup.waitForState(ADA, "signed-out");
  const [{ value }] = identityProvider.issued().filter(({ kind }) => kind === "refresh_token");
  await marionette.chrome(storeOwnSignIn, ADA, `oauth://${new URL(identityProvider.authority).host}`, value);

  const { dashboard } = await Dashboard.open(marionette, EXTENSION_ID);
  await dashboard.press(`${ITEM} [data-action="takeOver"]`);
  await dashboard.waitFor(`#accounts .cards [data-account="${ADA}"][data-state="ready"] .name`);
  assert.equal(identityProvider.counts()["token:authorization_code"], 1, "no browser");
  assert.equal((await mailbox.storedLogins()).length, 1);
  await dashboard.photographIn("light", join(PICTURES, "migration-taken-over.png"));
  await dashboard.press(`${ITEM} [data-action="deleteOwnSignIn"]`);
  await dashboard.run(css => until(() => !content.document.querySelector(css)), ITEM);
  assert.deepEqual(await mailbox.storedLogins(), []);
  await mailbox.disconnect(ADA);
  await mail.deliver(ADA, letter({ subject: "With the sign-in taken over" }));
  await mailbox.check(ADA);
  await mailbox.waitForMessage(ADA, "With the sign-in taken over");
});
