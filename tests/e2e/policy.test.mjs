// SPDX-License-Identifier: MPL-2.0

/** What an administrator sets by Thunderbird's enterprise policies. */

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { EXTENSION_ID } from "./home.mjs";
import { makeRecordingBrowser } from "./recording_browser.mjs";
import { ADA, World } from "./world.mjs";

test("an add-on forced by policy signs in from the first start", { timeout: 120_000 }, async t => {
  const world = await World.open();
  t.after(() => world.close());
  const thunderbird = await world.startThunderbird({ install: "policy" });
  const popup = await thunderbird.openPopup();
  await popup.press("signIn", ADA);
  await popup.waitForState(ADA, "ready");
  await world.mail.waitForLogin({ user: ADA, protocol: "imap" });
});

test("with fallback “none” a missing host opens no browser", { timeout: 120_000 }, async t => {
  const world = await World.open();
  t.after(() => world.close());
  const folder = join(world.folder, "other");
  await mkdir(folder);
  const browser = await makeRecordingBrowser(folder);
  const thunderbird = await world.startThunderbird({
    host: null,
    systemBrowser: browser.command,
    policies: { "3rdparty": { Extensions: { [EXTENSION_ID]: { fallback: "none" } } } },
    preferences: { "extensions.thunderseal.managed": JSON.stringify({ rule: "listed", names: [ADA], domains: [] }) },
  });
  const popup = await thunderbird.openPopup();
  await popup.waitFor(".host-warning h2");
  assert.equal(await thunderbird.mailbox.hasToken(ADA, { withUI: true }), false);
  assert.deepEqual(await browser.addresses(), []);
});
