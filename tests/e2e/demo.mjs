// SPDX-License-Identifier: MPL-2.0

/**
 * The main job, shown: a real Thunderbird with an Office 365 account, one sign-in in a browser, mail in and out.
 * Leaves two pictures; everything else it made is gone at the end.
 */

import { join, resolve } from "node:path";
import { findSecrets } from "./secrets.mjs";
import { ADA, HOST, World, letter } from "./world.mjs";

const PICTURES = resolve(HOST, "../demo");
const SUBJECT = "Welcome to the meeting on Monday";
const TEXT = "Dear Ada,\r\n\r\nthis message was fetched with a token that Thunderseal handed over.\r\n\r\nBen";

const started = performance.now();
const seconds = () => ((performance.now() - started) / 1000).toFixed(1).padStart(5);

/** Ctrl-C: what is being waited for is given up, what was opened is closed. */
const interruption = Promise.withResolvers();
interruption.promise.catch(() => {});
process.on("SIGINT", () => interruption.reject(new Error("interrupted")));
process.on("SIGTERM", () => interruption.reject(new Error("interrupted")));

let current = "";

/**
 * @template Result
 * @param {string} name
 * @param {() => Promise<Result>} action
 * @param {{mustFinish?: boolean}} [options] `mustFinish`: it opens what has to be closed again
 * @returns {Promise<Result>}
 */
async function step(name, action, { mustFinish = false } = {}) {
  current = name;
  const result = await (mustFinish ? action() : Promise.race([action(), interruption.promise]));
  process.stdout.write(`${seconds()} s  ${name}\n`);
  return result;
}

/** @param {World} world */
async function mainJob(world) {
  const { identityProvider, mail } = world;
  await mail.deliver(ADA, letter({ subject: SUBJECT, text: TEXT, from: "Ben Jonson <ben@contoso.test>" }));
  const thunderbird = await step(
    "Thunderbird is running with the account ada@contoso.test (IMAP and SMTP, OAuth2) and the add-on",
    () => world.startThunderbird({ preferVisible: true }),
    { mustFinish: true },
  );
  const popup = await step("The add-on's popup lists the account", () => thunderbird.openPopup());
  await step("“Sign in” is pressed; the system browser opens the provider's page, name and password are typed", async () => {
    await popup.press("signIn", ADA);
    await identityProvider.waitForRequest({ endpoint: "token", grant_type: "authorization_code", answered: true });
  });
  await step("The popup says: signed in", () => popup.waitForState(ADA, "ready"));
  await step("Thunderbird logs in to IMAP by XOAUTH2 and fetches the message", async () => {
    await thunderbird.mailbox.waitForMessage(ADA, SUBJECT);
    await mail.waitForLogin({ user: ADA, protocol: "imap" });
  });
  await step("Thunderbird sends a message by SMTP with the same token", async () => {
    await thunderbird.mailbox.send(ADA, { to: "ben@contoso.test", subject: `Re: ${SUBJECT}`, text: "I will be there. Ada" });
    await mail.waitForSent({ from: ADA, subject: `Re: ${SUBJECT}` });
  });
  await step(`Pictures: ${join(PICTURES, "popup.png")} and main-window.png`, async () => {
    await popup.photograph(join(PICTURES, "popup.png"));
    await popup.close();
    await thunderbird.mailbox.open(ADA, SUBJECT);
    await thunderbird.photograph(join(PICTURES, "main-window.png"));
  });
  await step("Thunderbird's password store is empty", async () => {
    const logins = await thunderbird.mailbox.storedLogins();
    if (logins.length) {
      throw new Error(`it holds ${logins.join(", ")}`);
    }
  });
  await step("Thunderbird ends", () => thunderbird.stop(), { mustFinish: true });
  await step("No file of the profile or the home directory contains a secret that was issued", async () => {
    const { found } = await findSecrets([thunderbird.home, thunderbird.profile], identityProvider.issued());
    if (found.length) {
      throw new Error(found.join(", "));
    }
  });
}

/** @returns {Promise<number>} the exit status */
async function main() {
  let world;
  let failure = null;
  try {
    const opening = "An organisation on this machine: identity provider and mail servers are running";
    world = await step(opening, () => World.open(), { mustFinish: true });
    await mainJob(world);
  } catch (error) {
    failure = /** @type {Error} */ (error);
  }
  try {
    await world?.close();
  } catch (error) {
    failure ??= /** @type {Error} */ (error);
  }
  if (failure) {
    process.stdout.write(`\nDemo failed after ${seconds().trim()} s at “${current}”: ${failure.message}\n`);
    return 1;
  }
  process.stdout.write(`\nDemo passed in ${seconds().trim()} s: signed in once, one message fetched, one sent, no secret in Thunderbird's files.\n`);
  return 0;
}

process.exitCode = await main();
