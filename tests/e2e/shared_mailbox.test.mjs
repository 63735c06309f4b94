// SPDX-License-Identifier: MPL-2.0

/** Mailboxes that somebody else's sign-in opens, by IMAP and by SMTP: found out in the browser, or said beforehand. */

import assert from "node:assert/strict";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { ADA, HOST, World, letter } from "./world.mjs";

/* global content, until */

const PICTURES = resolve(HOST, "../e2e");
const OFFICE = "office@contoso.test";
const INFO = "info@contoso.test";

/**
 * Presses Tab until the focus is on an element, with Shift where that comes before what has it.
 * @param {import("./popup.mjs").Popup} popup
 * @param {string} selector
 */
async function tabTo(popup, selector) {
  const back = await popup.run(css => {
    const { activeElement, body } = content.document;
    const place = activeElement.compareDocumentPosition(content.document.querySelector(css));
    return activeElement !== body && (place & content.Node.DOCUMENT_POSITION_PRECEDING) !== 0;
  }, selector);
  for (let presses = 0; presses < 30; presses++) {
    await popup.type(back ? "Shift+Tab" : "Tab");
    // The key is pressed after the answer; the next question comes after it.
    if (await popup.run(css => content.document.activeElement?.matches(css), selector)) {
      return;
    }
  }
  assert.fail(`no Tab leads to ${selector}`);
}

/**
 * @param {World} world
 * @param {import("./thunderbird.mjs").Thunderbird} thunderbird
 * @param {string} mailbox
 */
async function mailFlows({ mail }, { mailbox: thunderbirds }, mailbox) {
  await mail.deliver(mailbox, letter({ subject: `To ${mailbox}`, to: mailbox }));
  await thunderbirds.check(mailbox);
  await thunderbirds.waitForMessage(mailbox, `To ${mailbox}`);
  await mail.waitForLogin({ user: mailbox, protocol: "imap" });
  await thunderbirds.send(mailbox, { to: "ben@contoso.test", subject: `From ${mailbox}`, text: "Hello." });
  await mail.waitForSent({ from: mailbox, subject: `From ${mailbox}` });
  await mail.waitForLogin({ user: mailbox, protocol: "smtp" });
}

test("a shared mailbox is opened by its user's sign-in, with the keyboard alone", { timeout: 240_000 }, async t => {
  const world = await World.open({ sharedMailboxes: { [OFFICE]: [ADA], [INFO]: [ADA] } });
  t.after(() => world.close());
  const { identityProvider } = world;
  const thunderbird = await world.startThunderbird({ accounts: [world.account(OFFICE), world.account(INFO)] });
  const popup = await thunderbird.openPopup();

  await tabTo(popup, `[data-account="${OFFICE}"] [data-action="signIn"]`);
  await popup.type("Enter");
  const words = await popup.waitFor(`[data-account="${OFFICE}"] .actions [data-action="useName"]`);
  assert.equal(words, `${ADA} is my sign-in name`);
  await popup.photograph(join(PICTURES, "popup-wrong-account.png"));
  await tabTo(popup, `[data-account="${OFFICE}"] [data-action="useName"]`);
  await popup.type(" ");
  await popup.waitForState(OFFICE, "ready");
  assert.match(await popup.waitFor(`[data-account="${OFFICE}"] .as`), /ada@contoso\.test/);
  await mailFlows(world, thunderbird, OFFICE);
  assert.equal(identityProvider.counts()["token:authorization_code"], 2, "the second sign-in is Ada's");

  await popup.waitFor(`[data-account="${INFO}"] .actions [data-action="openBy"]`);
  await tabTo(popup, `[data-account="${INFO}"] [data-action="openBy"]`);
  await popup.type("Enter");
  await popup.run(name => until(() => content.document.activeElement?.dataset.name === name), ADA);
  await popup.photograph(join(PICTURES, "popup-names.png"));
  await popup.type("Enter");
  await popup.waitForState(INFO, "ready");
  await mailFlows(world, thunderbird, INFO);
  assert.equal(identityProvider.counts()["token:authorization_code"], 2, "nobody had to sign in");
  await popup.photograph(join(PICTURES, "popup-shared.png"));
});
