// SPDX-License-Identifier: MPL-2.0

/** A test finds a screen to draw on wherever it runs, and says why when Thunderbird does not start. */

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openDisplay } from "./display.mjs";
import { startThunderbird } from "./thunderbird.mjs";
import { XPI } from "./world.mjs";

/**
 * @param {import("node:test").TestContext} t
 * @param {Record<string, string>} variables
 */
function setEnvironment(t, variables) {
  const before = { ...process.env };
  Object.assign(process.env, variables);
  t.after(() => {
    Object.keys(variables).forEach(name => delete process.env[name]);
    Object.assign(process.env, before);
  });
}

/**
 * A screen that takes connections and shows nothing, as one that wants a cookie.
 * @param {import("node:test").TestContext} t
 */
async function refusingScreen(t) {
  const server = createServer(socket => socket.destroy());
  await new Promise(resolve => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  t.after(() => server.close());
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return `127.0.0.1:${port - 6000}`;
}

test("a screen where nobody answers is not used", async t => {
  setEnvironment(t, { DISPLAY: ":59999" });
  const display = await openDisplay({ preferVisible: true });
  t.after(() => display.stop());
  assert.equal(display.visible, false);
  assert.notEqual(display.environment.DISPLAY, ":59999");
});

test("the cookie of the screen there is goes with it", async t => {
  const name = await refusingScreen(t);
  setEnvironment(t, { DISPLAY: name, XAUTHORITY: "/somewhere/cookies" });
  const { visible, environment } = await openDisplay({ preferVisible: true });
  assert.equal(visible, true);
  assert.deepEqual(environment, { DISPLAY: name, XAUTHORITY: "/somewhere/cookies" });
});

test("on a screen that refuses it Thunderbird starts unseen, and where that fails too its own words are told", { timeout: 60_000 }, async t => {
  const name = await refusingScreen(t);
  const folder = await mkdtemp(join(tmpdir(), "thunderseal-e2e-"));
  const cleanUps = [() => rm(folder, { recursive: true, force: true, maxRetries: 5 })];
  t.after(async () => {
    for (const cleanUp of cleanUps) {
      await cleanUp();
    }
  });
  setEnvironment(t, { DISPLAY: name });
  const failing = startThunderbird({ folder, xpi: XPI, environment: { DISPLAY: name } });
  await assert.rejects(failing, /cannot open display/);
  const thunderbird = await startThunderbird({ folder, xpi: XPI, preferVisible: true });
  // Before the folder that it writes to goes.
  cleanUps.unshift(() => thunderbird.stop());
  assert.equal(thunderbird.visible, false);
});
