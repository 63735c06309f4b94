// SPDX-License-Identifier: MPL-2.0

/** The key is under a passphrase: it is asked for in a window of its own, after a click, and stays nowhere. */

import assert from "node:assert/strict";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { environment } from "./home.mjs";
import { startProgram } from "./program.mjs";
import { findSecrets } from "./secrets.mjs";
import { UnlockWindow } from "./unlock_window.mjs";
import { ADA, HOST, World, letter } from "./world.mjs";

/* global Cc, Ci, Services, content, texts, until */

const PICTURES = resolve(HOST, "../e2e");
const PASSPHRASE = "seven blue whales sing at dawn";
const WRONG = "eight grey whales sing at noon";
const WINDOW = "mail:extensionPopup";

/**
 * Runs the program in the user's home; a passphrase goes in by a pipe.
 * @param {string} home
 * @param {string[]} args
 */
async function giveOnPipe(home, args) {
  const { process: program, gone } = startProgram(HOST, [...args, "--passphrase-fd", "3"], {
    env: environment(home, {}, {}),
    stdio: ["ignore", "ignore", "inherit", "pipe"],
  });
  /** @type {import("node:stream").Writable} */ (program.stdio[3]).end(`${PASSPHRASE}\n`);
  assert.equal((await gone)[0], 0, args.join(" "));
}

/** Runs in Thunderbird, or beside a page: which texts the process's console has, and what its pages logged. */
async function inConsole(/** @type {string[]} */ wanted) {
  const logged = Cc["@mozilla.org/consoleAPI-storage;1"].getService(Ci.nsIConsoleAPIStorage).getEvents();
  const all = [...Services.console.getMessageArray().map(String), ...logged.map(({ arguments: parts }) => parts.map(String).join(" "))];
  return wanted.filter(text => all.some(line => line.includes(text)));
}

/** @param {import("./thunderbird.mjs").Thunderbird} thunderbird */
const windowsOfOurs = async thunderbird => (await thunderbird.windows()).filter(type => type === WINDOW).length;

/** @param {UnlockWindow} window @param {string} text */
async function give(window, text) {
  await window.type(...text, "Enter");
}

test("a locked vault: told once, unlocked in a window, mail comes, and no trace of the passphrase", { timeout: 240_000 }, async t => {
  const world = await World.open();
  t.after(() => world.close());
  const { mail } = world;
  const { thunderbird: first } = await world.signedIn();
  await first.stop();
  await giveOnPipe(first.home, ["key", "move", "--to", "passphrase"]);
  await mail.deliver(ADA, letter({ subject: "Behind the passphrase" }));

  const thunderbird = await world.restart(first, { accounts: [world.account(ADA, { checkAtStartup: true })] });
  const { marionette, mailbox } = thunderbird;
  assert.equal(await windowsOfOurs(thunderbird), 0, "no window without a click");
  assert.match(await thunderbird.clickNotification("Your Office 365 sign-ins are locked"), /Click here/);
  const early = await UnlockWindow.opened(marionette);
  await early.type("Escape");
  await early.closed();

  const popup = await thunderbird.openPopup();
  assert.match(await popup.waitForState(ADA, "locked"), /[Ll]ocked/);
  await popup.photograph(join(PICTURES, "locked-popup.png"));
  await popup.press("unlock", ADA);
  const window = await UnlockWindow.opened(marionette);
  assert.deepEqual(await window.focused(), { id: "passphrase", type: "password", value: "", ariaInvalid: null });
  assert.equal(await window.run(() => content.document.querySelector("label").control.id), "passphrase");
  await window.photographIn("light", join(PICTURES, "unlock-light.png"));

  await give(window, "");
  assert.match(await window.problem(), /Type the passphrase/);
  await give(window, WRONG);
  await window.run(() => until(() => texts("#problem")[0]?.includes("wrong")));
  assert.deepEqual(await window.focused(), { id: "passphrase", type: "password", value: "", ariaInvalid: "true" });
  await window.photographIn("dark", join(PICTURES, "unlock-dark.png"));
  await popup.press("unlock", ADA);
  await popup.waitFor(`[data-account="${ADA}"] button[data-action="unlock"]:not([aria-disabled])`);
  assert.equal(await windowsOfOurs(thunderbird), 1, "the one that is open serves");

  await give(window, PASSPHRASE);
  await window.closed();
  await popup.waitForState(ADA, "ready");
  await mailbox.waitForMessage(ADA, "Behind the passphrase");
  assert.equal(world.identityProvider.counts().authorize, 1, "nobody had to sign in again");

  await popup.run(text => content.console.log(text), "seen");
  assert.deepEqual(await popup.run(inConsole, ["seen", PASSPHRASE, WRONG]), ["seen"], "the process of the add-on");
  assert.deepEqual(await marionette.chrome(inConsole, [PASSPHRASE, WRONG]), []);
  assert.deepEqual(await mailbox.storedLogins(), []);
  await thunderbird.stop();
  const secrets = [{ kind: "passphrase", value: PASSPHRASE }, { kind: "wrong passphrase", value: WRONG }];
  const { searched, found } = await findSecrets([join(thunderbird.home, "..")], secrets);
  assert.ok(searched > 50, `${searched} files`);
  assert.deepEqual(found, []);
});

test("where the key store is a passphrase that nobody has chosen, it is chosen before the first sign-in", { timeout: 120_000 }, async t => {
  const world = await World.open();
  t.after(() => world.close());
  const thunderbird = await world.startThunderbird({ hostConfiguration: { ...world.hostConfiguration, keystore: "passphrase" } });
  const popup = await thunderbird.openPopup();
  await popup.press("signIn", ADA);
  assert.match(await popup.waitFor(`[data-account="${ADA}"] .cause`), /none has been chosen/);
  await popup.press("unlock", ADA);
  const window = await UnlockWindow.opened(thunderbird.marionette);
  await window.photographIn("light", join(PICTURES, "choose-passphrase.png"));
  await window.type(...PASSPHRASE, "Tab", ...WRONG, "Enter");
  assert.match(await window.problem(), /not the same/);
  await window.type(...PASSPHRASE, "Tab", ...PASSPHRASE, "Enter");
  await window.closed();
  await popup.press("signIn", ADA);
  await popup.waitForState(ADA, "ready");
});
