// SPDX-License-Identifier: MPL-2.0

/** From the package to mail, as an administrator and a user do it: nothing but what is installed, and two files. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { EXTENSION_ID } from "../e2e/home.mjs";
import { letter } from "../e2e/world.mjs";
import { ADA, Office } from "./office.mjs";
import { builtPackage } from "./root.mjs";

/* global Services, WebExtensionPolicy */

/**
 * Runs in Thunderbird: where the add-on lies, and from where add-ons need the user's consent (3: not from there).
 * @param {string} id
 */
function describeAddOn(id) {
  const { extension } = WebExtensionPolicy.getByID(id);
  return { place: extension.rootURI.spec, autoDisabled: Services.prefs.getIntPref("extensions.autoDisableScopes") };
}

test("apt install, one policy.json and one policies.json: the user signs in once, and mail flows", { timeout: 600_000 }, async t => {
  const office = await Office.open();
  t.after(() => office.close());
  const { root, browser, world: { identityProvider, mail } } = office;
  await root.install(await builtPackage("current"));
  await office.writePolicy();
  await mail.deliver(ADA, letter({ subject: "Before lunch" }));

  const first = await office.startThunderbird();
  assert.deepEqual(await first.marionette.chrome(describeAddOn, EXTENSION_ID), {
    place: "jar:file:///usr/lib/thunderbird/extensions/companion@thunderseal.xpi!/", autoDisabled: 3,
  });
  const popup = await first.openPopup();
  await popup.press("signIn", ADA);
  await office.signIn(await browser.firstAddress());
  await popup.waitForState(ADA, "ready");
  await first.mailbox.waitForMessage(ADA, "Before lunch");
  await first.mailbox.send(ADA, { to: "ben@contoso.test", subject: "Re: Before lunch", text: "At noon." });
  await mail.waitForSent({ from: ADA, subject: "Re: Before lunch" });
  assert.match(await office.thunderseal("status"), new RegExp(ADA));

  await mail.deliver(ADA, letter({ subject: "After lunch" }));
  const second = await office.world.restart(first, { accounts: [office.world.account(ADA, { checkAtStartup: true })] });
  await second.mailbox.waitForMessage(ADA, "After lunch");
  assert.equal(identityProvider.counts().authorize, 1);
  assert.equal((await browser.addresses()).length, 1, "what opened in the user's browser");
  assert.deepEqual((await second.windows()), ["mail:3pane"]);
});
