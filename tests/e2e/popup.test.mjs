// SPDX-License-Identifier: MPL-2.0

/** The popup with many accounts, and what a user does who tries the add-on and leaves it again. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { EXTENSION_ID, writeHostConfiguration } from "./home.mjs";
import { ADA, World } from "./world.mjs";

/* global Cc, ChromeUtils, Ci, Services, content */

/** Runs in Thunderbird: stores a login as its own sign-in does. */
async function storeOwnLogin(/** @type {string} */ user) {
  const login = Cc["@mozilla.org/login-manager/loginInfo;1"].createInstance(Ci.nsILoginInfo);
  login.init("oauth://login.microsoftonline.com", null, "https://outlook.office.com/IMAP.AccessAsUser.All", user, "refresh", "", "");
  await Services.logins.addLoginAsync(login);
}

/** Runs in Thunderbird. */
async function removeAddOn(/** @type {string} */ id) {
  const { AddonManager } = ChromeUtils.importESModule("resource://gre/modules/AddonManager.sys.mjs");
  await (await AddonManager.getAddonByID(id)).uninstall();
}

/** Runs in Thunderbird. */
async function managedPreference() {
  return Services.prefs.getStringPref("extensions.thunderseal.managed", "");
}

test("a corrected configuration, a sign-in given up, many accounts, and nothing left behind", { timeout: 120_000 }, async t => {
  const world = await World.open();
  t.after(() => world.close());
  const others = Array.from({ length: 6 }, (_, n) => `user${n}@contoso.test`);
  const thunderbird = await world.startThunderbird({
    hostConfiguration: { welcome: false },
    accounts: [ADA, ...others].map(user => world.account(user)),
    // A scrollbar that takes room, as most desktops have it.
    preferences: { "ui.useOverlayScrollbars": 0 },
  });
  const { marionette } = thunderbird;
  const popup = await thunderbird.openPopup();
  const { bar, needed, body, visible } = await popup.run(() => ({
    bar: content.innerWidth - content.document.documentElement.clientWidth,
    needed: content.document.documentElement.scrollWidth,
    body: content.document.body.offsetWidth,
    visible: content.document.documentElement.clientWidth,
  }));
  assert.ok(bar > 0);
  assert.deepEqual([needed, body], [visible, visible], "nothing is cut off, nothing is left empty");
  const known = await popup.run(() => content.wrappedJSObject.browser.extension.getBackgroundPage().lastOverview().accounts.map(({ account }) => account));
  assert.deepEqual(known, [ADA, ...others], "the next page that opens has them to show at once");

  await popup.press("signIn", ADA);
  assert.ok(await popup.waitFor(`[data-account="${ADA}"] .cause`), "no client id");
  await popup.waitForState(ADA, "unlisted");
  await writeHostConfiguration(thunderbird.home, world.hostConfiguration);
  await popup.press("signIn", ADA);
  await popup.waitForState(ADA, "ready");
  assert.match(await marionette.chrome(managedPreference), /ada@contoso\.test/);

  await marionette.chrome(storeOwnLogin, ADA);
  await popup.press("signOut", ADA);
  assert.match(await popup.waitForState(ADA, "signed-out"), /a sign-in of its own/);
  await popup.press("letThunderbird", ADA);
  await popup.waitForState(ADA, "unlisted");
  assert.doesNotMatch(await marionette.chrome(managedPreference), /ada@contoso\.test/);

  await marionette.chrome(removeAddOn, EXTENSION_ID);
  assert.equal(await marionette.chrome(managedPreference), "");
});
