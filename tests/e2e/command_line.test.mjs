// SPDX-License-Identifier: MPL-2.0

/** The user signs out and in at a terminal while Thunderbird runs: both share what is on disk. */

import assert from "node:assert/strict";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { ADA, BROWSER_PROGRAM, HOST, World, letter } from "./world.mjs";
import { environment } from "./home.mjs";
import { startProgram } from "./program.mjs";

/** Long for a change on disk to show, short for somebody who looks from the terminal to the popup. */
const NOTICED_MS = 1_000;

/**
 * @param {World} world
 * @param {import("./thunderbird.mjs").Thunderbird} thunderbird
 */
async function terminal(world, thunderbird) {
  const browser = join(world.folder, "terminal-browser");
  await writeFile(browser, `#!/bin/sh\nexec '${process.execPath}' '${BROWSER_PROGRAM}' "$1"\n`);
  await chmod(browser, 0o755);
  const env = environment(thunderbird.home, {}, { BROWSER: browser, ...world.browserEnvironment(ADA) });
  return async (/** @type {string[]} */ ...args) => {
    const { gone } = startProgram(HOST, args, { env, stdio: ["ignore", "ignore", "inherit"] });
    const [code] = await gone;
    assert.equal(code, 0, args.join(" "));
  };
}

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
