// SPDX-License-Identifier: MPL-2.0

/** What needs somebody is said once, by a notification that opens the popup; an administrator is asked by one button. */

import assert from "node:assert/strict";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { EXTENSION_ID } from "./home.mjs";
import { ADA, HOST, World } from "./world.mjs";

/* global Cc, Ci, Services, content, until */

const PICTURES = resolve(HOST, "../e2e");

/** Runs in Thunderbird. */
function clipboardText() {
  const transferable = Cc["@mozilla.org/widget/transferable;1"].createInstance(Ci.nsITransferable);
  transferable.init(null);
  transferable.addDataFlavor("text/plain");
  Services.clipboard.getData(transferable, Ci.nsIClipboard.kGlobalClipboard);
  const data = {};
  transferable.getTransferData("text/plain", data);
  return data.value.QueryInterface(Ci.nsISupportsString).data;
}

/** Runs in Thunderbird: what the toolbar button says, seen and heard. */
function toolbarButton(/** @type {string} */ id) {
  const button = Services.wm.getMostRecentWindow("mail:3pane").document.querySelector(`#unifiedToolbarContent button[extension="${id}"]`);
  return { badge: button.querySelector(".badge")?.textContent ?? button.getAttribute("badge") ?? "", title: button.title };
}

/** Runs in Thunderbird. */
const notifications = () => [...Services.wm.getEnumerator("alert:alert")].length;

/** Runs in Thunderbird. */
function setOffline(/** @type {boolean} */ offline) {
  Services.io.offline = offline;
}

test("a missing consent is told once; the popup then has a text for the administrator", { timeout: 180_000 }, async t => {
  const world = await World.open();
  t.after(() => world.close());
  const { identityProvider } = world;
  const { thunderbird, popup } = await world.signedIn();
  const { marionette } = thunderbird;
  await identityProvider.control({ nextToken: { entra: { error: "invalid_grant", code: 65001, suberror: "consent_required" }, match: { user: ADA } } });
  await popup.press("newToken", ADA);
  await popup.waitForState(ADA, "attention");
  await popup.close();

  assert.match(await thunderbird.clickNotification(`Office 365: ${ADA}`), /Nobody has allowed the app/);
  const again = await thunderbird.openedPopup();
  assert.deepEqual(await marionette.chrome(toolbarButton, EXTENSION_ID), { badge: "1", title: "Office 365 sign-in: one account needs you" });
  await again.waitFor(`[data-account="${ADA}"] .actions [data-action="askAdmin"].primary`);
  await again.run(() => content.document.querySelector('.actions [data-action="askAdmin"]').focus());
  await again.type("Enter");
  assert.match(await again.waitFor(".copied:not(:empty)"), /^Copied/);
  const text = await marionette.chrome(clipboardText);
  assert.match(text, /65001/);
  assert.match(text, /adminconsent\?/);
  assert.match(text, new RegExp(identityProvider.clientId));
  assert.match(text, /Correlation id: [0-9a-f-]{36}/);
  const secrets = identityProvider.issued().map(({ value }) => value).filter(value => text.includes(value));
  assert.deepEqual(secrets, []);
  await again.photograph(join(PICTURES, "popup-ask-admin.png"));

  await again.press("signIn", ADA);
  await again.waitForState(ADA, "ready");
  await again.run(() => until(() => !content.document.querySelector(".cause").checkVisibility()));
  assert.deepEqual(await marionette.chrome(toolbarButton, EXTENSION_ID), { badge: "", title: "Office 365 sign-in" });
});

test("while Thunderbird is offline nothing is said; it is when the network is there", { timeout: 120_000 }, async t => {
  const world = await World.open();
  t.after(() => world.close());
  // 3: it starts offline, whatever it was when it ended.
  const thunderbird = await world.startThunderbird({ host: null, preferences: { "offline.startup_state": 3 } });
  const popup = await thunderbird.openPopup();
  await popup.waitFor('.host-warning[data-state="missing"]');
  assert.equal(await thunderbird.marionette.chrome(notifications), 0);
  await thunderbird.marionette.chrome(setOffline, false);
  assert.ok(await thunderbird.notification("The Thunderseal program is not installed"));
});
