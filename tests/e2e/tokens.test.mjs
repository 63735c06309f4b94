// SPDX-License-Identifier: MPL-2.0

/** What happens around a token: a server refuses it, the user wants another, the user never gets one. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { ADA, World, letter } from "./world.mjs";

/** @param {import("node:test").TestContext} t */
async function signedIn(t) {
  const world = await World.open();
  t.after(() => world.close());
  const thunderbird = await world.startThunderbird();
  const popup = await thunderbird.openPopup();
  await popup.press("signIn", ADA);
  await popup.waitForState(ADA, "ready");
  await world.mail.waitForLogin({ user: ADA, protocol: "imap" });
  return { world, thunderbird, popup };
}

test("“Get a new token” renews, and mail goes on with the new one", { timeout: 120_000 }, async t => {
  const { world, thunderbird, popup } = await signedIn(t);
  const { identityProvider, mail } = world;
  await popup.press("newToken", ADA);
  await identityProvider.waitForRequest({ endpoint: "token", grant_type: "refresh_token", answered: true });
  await thunderbird.mailbox.disconnect(ADA);
  await mail.deliver(ADA, letter({ subject: "With the new token" }));
  await thunderbird.mailbox.check(ADA);
  await thunderbird.mailbox.waitForMessage(ADA, "With the new token");
  assert.deepEqual(await thunderbird.mailbox.storedLogins(), []);
});

test("a sign-in that the user refuses ends with a cause, a next step and no token", { timeout: 120_000 }, async t => {
  const world = await World.open();
  t.after(() => world.close());
  const thunderbird = await world.startThunderbird({ environment: world.browserEnvironment(ADA, { cancel: true }) });
  const popup = await thunderbird.openPopup();
  await popup.press("signIn", ADA);
  assert.ok(await popup.waitFor(`[data-account="${ADA}"] .cause`));
  assert.ok(await popup.waitFor(`[data-account="${ADA}"] .remedy`));
  assert.ok(await popup.waitFor(`[data-account="${ADA}"] button[data-action="signIn"]`), "one can try again");
  assert.equal(await thunderbird.mailbox.hasToken(ADA), false);
  assert.equal(world.identityProvider.counts().token, 0);
});

test("a token that the mail server refuses is replaced without the user, once", { timeout: 120_000 }, async t => {
  const { world, thunderbird } = await signedIn(t);
  const { identityProvider } = world;
  const renewals = () => identityProvider.counts()["token:refresh_token"] ?? 0;
  // The first seconds belong to connections that were refused with the token before.
  while (renewals() === 0) {
    await thunderbird.mailbox.forgetToken(ADA);
    assert.equal(await thunderbird.mailbox.hasToken(ADA), true);
  }
  assert.equal(renewals(), 1);
  assert.equal(await thunderbird.mailbox.hasToken(ADA), true);
  assert.equal(renewals(), 1, "a token that nobody refused is kept");
});
