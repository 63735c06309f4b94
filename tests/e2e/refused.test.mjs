// SPDX-License-Identifier: MPL-2.0

/** A token that has not expired and that the mail server refuses all the same. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { ADA, World, letter } from "./world.mjs";

test("a token that the IMAP server refuses is replaced, once, by the mail check that finds out", { timeout: 120_000 }, async t => {
  const world = await World.open();
  t.after(() => world.close());
  const { mail } = world;
  const { thunderbird: { mailbox } } = await world.signedIn();

  world.refuseTokens();
  await mail.deliver(ADA, letter({ subject: "Asked for by the user" }));
  await mailbox.disconnect(ADA);
  await mailbox.getMessages(ADA);
  await mailbox.waitForMessage(ADA, "Asked for by the user");
  assert.equal(world.renewals(), 1);

  await mail.deliver(ADA, letter({ subject: "With the token at hand" }));
  await mailbox.disconnect(ADA);
  await mailbox.check(ADA);
  await mailbox.waitForMessage(ADA, "With the token at hand");
  assert.equal(world.renewals(), 1, "a token that nobody refused is kept");
  console.log(mail.logins());
});
