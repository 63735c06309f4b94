// SPDX-License-Identifier: MPL-2.0

/** Program and add-on are two halves that change at different moments: mail flows whichever is the newer. */

import assert from "node:assert/strict";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { EXTENSION_ID } from "../e2e/home.mjs";
import { letter } from "../e2e/world.mjs";
import { ADA, Office } from "./office.mjs";
import { builtPackage, unpack } from "./root.mjs";

/* global WebExtensionPolicy */

const OLD = "0.0.9";

/** @param {import("../e2e/thunderbird.mjs").Thunderbird} thunderbird @returns {Promise<string>} */
const addOnVersion = thunderbird => thunderbird.marionette.chrome(id => WebExtensionPolicy.getByID(id).extension.version, EXTENSION_ID);

/**
 * The version of the program that the add-on talks to, once it is another than before.
 * @param {import("../e2e/popup.mjs").Popup} popup
 * @param {string} before
 */
const programVersion = (popup, before) => popup.run((/** @type {string} */ old) => (
  /* global texts, until */
  until(() => texts("#version").find((/** @type {string} */ one) => /\d/.test(one) && !one.includes(old)))), before);

/**
 * @param {Office} office
 * @param {import("../e2e/thunderbird.mjs").Thunderbird} thunderbird
 * @param {string} subject
 */
async function mailFlows({ world: { mail } }, thunderbird, subject) {
  await mail.deliver(ADA, letter({ subject }));
  await thunderbird.mailbox.disconnect(ADA);
  await thunderbird.mailbox.forgetToken(ADA);
  await thunderbird.mailbox.check(ADA);
  await thunderbird.mailbox.waitForMessage(ADA, subject);
}

test("an upgrade under a running Thunderbird, and one that brought the add-on alone, cost no mail and no sign-in", { timeout: 600_000 }, async t => {
  const office = await Office.open();
  t.after(() => office.close());
  const { root, browser, world } = office;
  const [old, current] = await Promise.all([builtPackage("old"), builtPackage("current")]);
  await root.install(old);
  await office.writePolicy();
  await office.login();
  const before = await office.startThunderbird();
  assert.equal(await addOnVersion(before), OLD);
  await mailFlows(office, before, "Both old");

  await root.install(current);
  const [pid, popup] = [await before.hostPid(), await before.openPopup()];
  process.kill(Number(pid), "SIGTERM");
  const version = /\d[\w.~+-]*/.exec(await programVersion(popup, OLD))?.[0] ?? "";
  assert.notEqual(version, OLD);
  assert.equal(await addOnVersion(before), OLD);
  await mailFlows(office, before, "New program, old add-on");

  const after = await world.restart(before);
  assert.equal(await addOnVersion(after), version, "the new add-on is at work after the next start");
  await mailFlows(office, after, "Both new");

  const parts = join(world.folder, "old-package");
  await unpack(old, parts);
  const program = "usr/bin/thunderseal";
  await after.stop();
  await copyFile(join(parts, program), join(root.path, program));
  const mixed = await office.startThunderbird();
  const mixedPopup = await mixed.openPopup();
  assert.match(await programVersion(mixedPopup, version), /\b0\.0\.9\b/);
  assert.equal(await addOnVersion(mixed), version);
  await mailFlows(office, mixed, "Old program, new add-on");

  assert.equal(world.identityProvider.counts().authorize, 1, "one sign-in");
  assert.deepEqual(await browser.addresses(), []);
});
