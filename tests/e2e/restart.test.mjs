// SPDX-License-Identifier: MPL-2.0

/** The second start is the fast one: mail without a single question to the identity provider. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { ADA, World, letter } from "./world.mjs";

/** The mail server asks for a token's validity; that is no question of ours. */
function questions({ introspect: _introspect, ...counts }) {
  return counts;
}

test("after a restart mail comes with the token at hand, without asking the identity provider", { timeout: 180_000 }, async t => {
  const world = await World.open();
  t.after(() => world.close());
  const { identityProvider, mail } = world;
  await mail.deliver(ADA, letter({ subject: "Before" }));
  const first = await world.startThunderbird();
  const popup = await first.openPopup();
  await popup.press("signIn", ADA);
  await popup.waitForState(ADA, "ready");
  await first.mailbox.waitForMessage(ADA, "Before");

  const asked = questions(identityProvider.counts());
  await mail.deliver(ADA, letter({ subject: "After" }));
  const second = await world.restart(first, { accounts: [world.account(ADA, { checkAtStartup: true })] });
  await second.mailbox.waitForMessage(ADA, "After");
  assert.deepEqual(questions(identityProvider.counts()), asked);
  assert.deepEqual(mail.logins().filter(({ ok }) => !ok), []);
  assert.deepEqual(await second.mailbox.storedLogins(), []);
});
