// SPDX-License-Identifier: MPL-2.0

/** A missing or broken host never stands in the way of Thunderbird's own sign-in, and the user is told what to do. */

import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { makeHostOfVersions } from "./other_version.mjs";
import { makeRecordingBrowser } from "./recording_browser.mjs";
import { ADA, World } from "./world.mjs";

/**
 * A Thunderbird whose account was managed by a host that has gone since.
 * @param {import("node:test").TestContext} t
 * @param {(folder: string) => Promise<string|null>} makeHost
 */
async function thunderbirdThatLostItsHost(t, makeHost) {
  const world = await World.open();
  t.after(() => world.close());
  const folder = join(world.folder, "other");
  await mkdir(folder);
  const browser = await makeRecordingBrowser(folder);
  const thunderbird = await world.startThunderbird({
    host: await makeHost(folder),
    systemBrowser: browser.command,
    preferences: { "extensions.thunderseal.managed": JSON.stringify({ rule: "listed", names: [ADA], domains: [] }) },
  });
  return { thunderbird, browser };
}

const cases = [
  {
    name: "a host that is not installed",
    makeHost: async () => null,
    title: "The Thunderseal program is not installed",
    remedy: /install the program/,
  },
  {
    name: "a host that cannot be executed",
    async makeHost(/** @type {string} */ folder) {
      const file = join(folder, "not-a-program");
      await writeFile(file, "text\n", { mode: 0o644 });
      return file;
    },
    title: "The Thunderseal program cannot be started",
    remedy: /thunderseal doctor/,
  },
  {
    name: "a host that ends at once",
    makeHost: async () => "/bin/false",
    title: "The Thunderseal program keeps stopping",
    remedy: /thunderseal doctor/,
  },
  {
    name: "a host that does not speak the protocol",
    // It stays: one that ends at once is a host that ends at once, whatever it has said.
    async makeHost(/** @type {string} */ folder) {
      const file = join(folder, "other-program");
      await writeFile(file, "#!/bin/sh\necho Hello there.\nexec cat >/dev/null\n", { mode: 0o755 });
      return file;
    },
    title: "The Thunderseal program cannot be started",
    remedy: /thunderseal doctor/,
  },
  {
    name: "a host that is too old",
    makeHost: (/** @type {string} */ folder) => makeHostOfVersions(folder, [0]),
    title: "The Thunderseal program is too old for this add-on",
    remedy: /Update the Thunderseal program/,
  },
  {
    name: "a host that is too new",
    makeHost: (/** @type {string} */ folder) => makeHostOfVersions(folder, [2, 3]),
    title: "The Thunderseal program is too new for this add-on",
    remedy: /Update the Thunderseal add-on/,
  },
];

for (const { name, makeHost, title, remedy } of cases) {
  test(`with ${name} Thunderbird signs in by itself, and popup and notification say what to do`, { timeout: 120_000 }, async t => {
    const { thunderbird, browser } = await thunderbirdThatLostItsHost(t, makeHost);
    assert.match(await thunderbird.notification(title), remedy);

    const popup = await thunderbird.openPopup();
    assert.equal(await popup.waitFor(".host-warning h2"), title);
    assert.match(await popup.waitFor(".host-warning p"), remedy);
    assert.match(await popup.text(), /Thunderbird signs in by itself/);

    // Nobody answers the sign-in page; its address is enough to see that Thunderbird opened it.
    const ownWindow = thunderbird.ownSignInWindow();
    const asking = thunderbird.mailbox.hasToken(ADA, { withUI: true });
    [ownWindow, asking].forEach(promise => promise.catch(() => {}));
    const address = new URL(await Promise.race([browser.firstAddress(), ownWindow]));
    assert.equal(address.origin, "https://login.microsoftonline.com");
    assert.equal(address.searchParams.get("login_hint"), ADA);
  });
}
