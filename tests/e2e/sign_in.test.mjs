// SPDX-License-Identifier: MPL-2.0

/** The main promise: one sign-in in the browser, and Thunderbird fetches and sends mail without knowing a secret. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { findSecrets } from "./secrets.mjs";
import { ADA, World, letter } from "./world.mjs";

test("a sign-in in the browser lets Thunderbird fetch and send, and leaves no token in any file", { timeout: 180_000 }, async t => {
  const world = await World.open();
  t.after(() => world.close());
  const { identityProvider, mail } = world;
  await mail.deliver(ADA, letter({ subject: "Minutes of Monday" }));
  const thunderbird = await world.startThunderbird();
  const popup = await thunderbird.openPopup();

  await popup.press("signIn", ADA);
  await popup.waitForState(ADA, "ready");
  await thunderbird.mailbox.waitForMessage(ADA, "Minutes of Monday");
  const [login] = await mail.waitForLogin({ user: ADA, protocol: "imap" });
  assert.equal(login.method, "XOAUTH2");

  await thunderbird.mailbox.send(ADA, { to: "ben@contoso.test", subject: "Re: Minutes", text: "Thank you." });
  const [sent] = await mail.waitForSent({ from: ADA, subject: "Re: Minutes" });
  assert.deepEqual(sent.to, ["ben@contoso.test"]);
  await mail.waitForLogin({ user: ADA, protocol: "smtp" });

  assert.equal(identityProvider.counts()["token:authorization_code"], 1);
  assert.equal(identityProvider.counts()["token:refresh_token"] ?? 0, 0, "one token serves IMAP and SMTP");
  assert.deepEqual(await thunderbird.mailbox.storedLogins(), []);

  await popup.press("signOut", ADA);
  await popup.waitForState(ADA, "signed-out");
  assert.equal(await thunderbird.mailbox.hasToken(ADA), false);

  await thunderbird.stop();
  const issued = identityProvider.issued();
  assert.ok(issued.some(({ kind }) => kind === "refresh_token"));
  const { searched, found } = await findSecrets([thunderbird.home, thunderbird.profile], issued);
  assert.ok(searched > 20);
  assert.deepEqual(found, []);
});
