// SPDX-License-Identifier: MPL-2.0

/** The host may die at any moment: mail goes on. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { ADA, World, letter } from "./world.mjs";

test("mail goes on after the host is killed", { timeout: 180_000 }, async t => {
  const world = await World.open();
  t.after(() => world.close());
  const { identityProvider, mail } = world;
  await mail.deliver(ADA, letter({ subject: "Before" }));
  const thunderbird = await world.startThunderbird();
  const popup = await thunderbird.openPopup();
  await popup.press("signIn", ADA);
  await popup.waitForState(ADA, "ready");
  // A connection that is cut before it has done its work looks like one whose token was refused.
  await thunderbird.mailbox.waitForMessage(ADA, "Before");

  const killed = await thunderbird.hostPid();
  assert.ok(killed);
  process.kill(killed, "SIGKILL");
  assert.equal(await thunderbird.mailbox.hasToken(ADA), true);
  const successor = await thunderbird.hostPid();
  assert.ok(successor && successor !== killed);

  await thunderbird.mailbox.disconnect(ADA);
  await mail.deliver(ADA, letter({ subject: "Still here" }));
  await thunderbird.mailbox.check(ADA);
  await thunderbird.mailbox.waitForMessage(ADA, "Still here");
  await popup.waitForState(ADA, "ready");
  assert.equal(identityProvider.counts()["token:refresh_token"] ?? 0, 0, "the sealed token was still good");
});
