// SPDX-License-Identifier: MPL-2.0

/** The user signs out and in at a terminal while Thunderbird runs: both share what is on disk. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { terminal } from "./terminal.mjs";
import { ADA, World, letter } from "./world.mjs";

/** Ten times what a busy machine takes, short for somebody who looks from the terminal to the popup. */
const NOTICED_MS = 3_000;

test("signing out and in at a terminal takes effect in the Thunderbird that runs", { timeout: 120_000 }, async t => {
  const world = await World.open();
  t.after(() => world.close());
  const { identityProvider, mail } = world;
  const { thunderbird, popup } = await world.signedIn();
  const { mailbox } = thunderbird;
  const thunderseal = await terminal(world, thunderbird);
  await mail.deliver(ADA, letter({ subject: "Before" }));
  await mailbox.check(ADA);
  await mailbox.waitForMessage(ADA, "Before");
  const logins = () => mail.logins().filter(({ protocol }) => protocol === "imap").length;

  await thunderseal("logout", ADA);
  const signedOut = Date.now();
  await popup.waitForState(ADA, "signed-out");
  assert.ok(Date.now() - signedOut < NOTICED_MS, `${Date.now() - signedOut} ms`);
  assert.equal(await mailbox.hasToken(ADA), false);
  assert.equal(await mailbox.hasToken(ADA, { withUI: true }), false);
  const loginsBefore = logins();
  await mail.deliver(ADA, letter({ subject: "Not for whoever signed out" }));
  await mailbox.check(ADA);
  assert.equal(identityProvider.counts().authorize, 1, "no browser opened by itself");

  await thunderseal("login", ADA);
  const signedIn = Date.now();
  await popup.waitForState(ADA, "ready");
  assert.ok(Date.now() - signedIn < NOTICED_MS, `${Date.now() - signedIn} ms`);
  await mailbox.waitForMessage(ADA, "Not for whoever signed out");
  assert.ok(logins() > loginsBefore, "the connection that there was did not fetch it");
  assert.equal(identityProvider.counts().authorize, 2);
  assert.equal(world.renewals(), 0, "the token of the terminal's sign-in serves Thunderbird too");
});
