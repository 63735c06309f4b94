// SPDX-License-Identifier: MPL-2.0

/** A token that has not expired and that a mail server refuses all the same. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as elapse } from "node:timers/promises";
import { ADA, World, letter } from "./world.mjs";

/** A refusal within this time of a change of tokens may mean the one before: token_hook.js. */
const SHARED_REFUSAL_MS = 5_000;

/** What is asked for while the connection of a failed login ends is lost with it: implementation.js. */
const CONNECTION_END_MS = 1_000;

test("a token that IMAP refuses is replaced once, by the mail check that finds out", { timeout: 120_000 }, async t => {
  const world = await World.open();
  t.after(() => world.close());
  const { mail } = world;
  const { thunderbird: { mailbox } } = await world.signedIn();
  /** @param {string} subject @param {(user: string) => Promise<any>} look */
  const fetch = async (subject, look) => {
    await mailbox.disconnect(ADA);
    await mail.deliver(ADA, letter({ subject }));
    await look.call(mailbox, ADA);
    await mailbox.waitForMessage(ADA, subject);
  };

  world.refuseTokens();
  await fetch("In the background", mailbox.check);
  assert.equal(world.renewals(), 1);
  await fetch("With the new token", mailbox.check);
  assert.equal(world.renewals(), 1, "a token that nobody refused is kept");
  await elapse(SHARED_REFUSAL_MS);
  world.refuseTokens();
  await fetch("Asked for by the user", mailbox.getMessages);
  assert.equal(world.renewals(), 2);
});

test("a token that SMTP refuses is replaced by “Retry”; a server that refuses all gets no storm of tokens", { timeout: 120_000 }, async t => {
  const world = await World.open();
  t.after(() => world.close());
  const { identityProvider, mail } = world;
  const { thunderbird } = await world.signedIn();
  const { mailbox } = thunderbird;
  // Thunderbird 140 says in no way that SMTP refused a token: there "Retry" tries the same again.
  const replaced = (await thunderbird.majorVersion()) >= 153 ? 1 : 0;

  mail.controlSmtp({ authAnswer: { responseCode: 535, message: "5.7.3 Authentication unsuccessful" }, authTimes: 1 });
  await mailbox.sendWithRetry(ADA, { to: "ben@contoso.test", subject: "Tried twice", text: "Hello." });
  await mail.waitForSent({ from: ADA, subject: "Tried twice" });
  assert.deepEqual(mail.logins().filter(({ protocol }) => protocol === "smtp").map(({ ok }) => ok), [false, true]);
  assert.equal(world.renewals(), replaced);

  await elapse(SHARED_REFUSAL_MS);
  await mail.deliver(ADA, letter({ subject: "Kept back" }));
  await identityProvider.control({ mailRefuses: true });
  const logins = () => identityProvider.counts().introspect ?? 0;
  const before = logins();
  for (let asked = 1; asked <= 4; asked++) {
    await mailbox.disconnect(ADA);
    await mailbox.getMessages(ADA);
    // The first refusal brings a new token and with it one more login.
    await identityProvider.waitForRequest({ endpoint: "introspect", count: before + asked + 1 });
    await elapse(CONNECTION_END_MS);
  }
  assert.equal(world.renewals(), replaced + 1);
  // How often Thunderbird itself connects for one request is its own affair; a storm would be another matter.
  assert.ok(logins() >= before + 5 && logins() <= before + 10, `${logins() - before} logins for four requests`);
  await identityProvider.control({ mailRefuses: false });
  await mailbox.disconnect(ADA);
  await mailbox.getMessages(ADA);
  await mailbox.waitForMessage(ADA, "Kept back");
  assert.equal(world.renewals(), replaced + 1);
});
