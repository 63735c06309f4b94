// SPDX-License-Identifier: MPL-2.0

/** Tokens end while Thunderbird runs, and what stands in the way of new ones goes by. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as elapse } from "node:timers/promises";
import { ADA, World, letter } from "./world.mjs";

/** Enough to sign in and to fetch mail with it, and not worth renewing ahead. */
const SHORT_S = 8;
const LONG_S = 3600;

/** @param {World} world */
async function expired({ identityProvider }) {
  const last = identityProvider.issued().filter(({ kind }) => kind === "access_token").at(-1);
  await elapse((last?.expiresAt ?? 0) * 1000 - Date.now() + 1000);
}

test("an access token that is due is renewed unasked, one that expired by the next mail check, without a window", { timeout: 120_000 }, async t => {
  const world = await World.open();
  t.after(() => world.close());
  const { identityProvider, mail } = world;
  await identityProvider.control({
    lifetimes: { accessToken: LONG_S },
    refreshIn: 3,
    nextToken: { lifetimes: { accessToken: SHORT_S }, refreshIn: null, match: { grant_type: "refresh_token" } },
  });
  const { thunderbird } = await world.signedIn();
  const { mailbox } = thunderbird;
  const windows = await thunderbird.windows();

  await identityProvider.waitForRequest({ endpoint: "token", grant_type: "refresh_token", answered: true });
  await identityProvider.control({ refreshIn: null });
  await expired(world);
  assert.equal(world.renewals(), 1, "without a mail check nobody needs a token that lives so short");

  await mailbox.disconnect(ADA);
  await mail.deliver(ADA, letter({ subject: "After an hour" }));
  await mailbox.check(ADA);
  await mailbox.waitForMessage(ADA, "After an hour");
  await mailbox.send(ADA, { to: "ben@contoso.test", subject: "Re: After an hour", text: "Yes." });
  await mail.waitForLogin({ user: ADA, protocol: "smtp" });
  assert.equal(world.renewals(), 2, "one for both protocols");
  assert.deepEqual(mail.logins().filter(({ ok }) => !ok), []);
  assert.equal(identityProvider.counts().authorize, 1);
  assert.deepEqual(await thunderbird.windows(), windows);
});

test("while the identity provider is out of reach mail waits quietly, and comes when it is back", { timeout: 120_000 }, async t => {
  const world = await World.open();
  t.after(() => world.close());
  const { identityProvider, mail } = world;
  // Four times what signing in takes.
  await identityProvider.control({ lifetimes: { accessToken: LONG_S }, refreshIn: 12 });
  const { thunderbird, popup } = await world.signedIn();
  const { mailbox } = thunderbird;
  const windows = await thunderbird.windows();

  await identityProvider.goAway();
  await popup.waitForState(ADA, "waiting");

  await identityProvider.control({ lifetimes: { accessToken: SHORT_S }, refreshIn: null });
  await identityProvider.comeBack();
  await popup.waitForState(ADA, "ready");
  assert.equal(world.renewals(), 1, "nobody asked for it");
  await identityProvider.goAway();
  await expired(world);
  await mailbox.disconnect(ADA);
  await mail.deliver(ADA, letter({ subject: "While it was away" }));
  await mailbox.check(ADA);
  assert.match(await popup.waitForState(ADA, "waiting"), /cannot be reached/);
  assert.equal(await mailbox.hasToken(ADA, { withUI: true }), false);
  assert.deepEqual(await thunderbird.windows(), windows);

  await identityProvider.comeBack();
  await popup.press("tryAgain", ADA);
  await mailbox.waitForMessage(ADA, "While it was away");
  await popup.waitForState(ADA, "ready");
  assert.equal(identityProvider.counts().authorize, 1, "nobody had to sign in");
  assert.deepEqual(await thunderbird.windows(), windows);
});

test("an account that an administrator blocked and let in again works at “Try again”", { timeout: 120_000 }, async t => {
  const world = await World.open();
  t.after(() => world.close());
  const { identityProvider, mail } = world;
  await identityProvider.control({ lifetimes: { accessToken: SHORT_S } });
  const { thunderbird: { mailbox }, popup } = await world.signedIn();

  await identityProvider.control({ disable: ADA, lifetimes: { accessToken: LONG_S } });
  await expired(world);
  await mailbox.disconnect(ADA);
  await mail.deliver(ADA, letter({ subject: "For whoever is back" }));
  await mailbox.check(ADA);
  await popup.waitForState(ADA, "blocked");
  await identityProvider.control({ enable: ADA });
  await popup.press("tryAgain", ADA);
  await popup.waitForState(ADA, "ready");
  await mailbox.waitForMessage(ADA, "For whoever is back");
  assert.equal(identityProvider.counts().authorize, 1);
});
