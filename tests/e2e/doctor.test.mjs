// SPDX-License-Identifier: MPL-2.0

/** What `thunderseal doctor` says of a profile is what a real Thunderbird has noted there, and its fix convinces Thunderbird. */

/* global ChromeUtils, Services */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { watch } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { EXTENSION_ID } from "./home.mjs";
import { HOST, World } from "./world.mjs";

const ALLOWED = "extensions.experiments.allowed";

/**
 * @param {import("./thunderbird.mjs").Thunderbird} thunderbird
 * @returns {Promise<Record<string, {status: string, detail: string, remedy?: string}>>} the checks by id
 */
async function doctor({ home }) {
  const text = await new Promise((resolve, reject) => {
    execFile(HOST, ["doctor", "--json"], { cwd: "/", env: { PATH: process.env.PATH, HOME: home } }, (error, stdout) => {
      if (error && error.code !== 1) {
        reject(error);
      } else {
        resolve(stdout);
      }
    });
  });
  return Object.fromEntries(JSON.parse(text).checks.map((/** @type {any} */ check) => [check.id, check]));
}

/**
 * Waits until Thunderbird has written that the add-on is on, or is off.
 * @param {import("./thunderbird.mjs").Thunderbird} thunderbird
 * @param {boolean} wanted
 */
async function written({ profile }, wanted) {
  const stop = new AbortController();
  await new Promise(resolve => {
    const look = () => readFile(join(profile, "extensions.json"), "utf8").then(text => {
      const addOn = JSON.parse(text).addons.find((/** @type {any} */ each) => each.id === EXTENSION_ID);
      if (addOn?.active === wanted) {
        resolve(undefined);
      }
    }).catch(() => {}); // it is being replaced
    watch(profile, { signal: stop.signal, persistent: false }, look);
    look();
  });
  stop.abort();
}

/** Runs in Thunderbird. @param {string} id @param {boolean} on */
async function switchAddOn(id, on) {
  const { AddonManager } = ChromeUtils.importESModule("resource://gre/modules/AddonManager.sys.mjs");
  const addOn = await AddonManager.getAddonByID(id);
  await (on ? addOn.enable() : addOn.disable());
}

/** Runs in Thunderbird: what it does at its start, when its blocklist has once been fetched. */
async function suppressExperiments() {
  const { Blocklist } = ChromeUtils.importESModule("resource://gre/modules/Blocklist.sys.mjs");
  const { checkInstalledExtensions } = ChromeUtils.importESModule("resource:///modules/ExtensionUtilities.sys.mjs");
  Blocklist.ExtensionBlocklist.ensureInitialized();
  await (await Blocklist.ExtensionBlocklist._client.db).importChanges({}, 1, [], { clear: true });
  Services.prefs.setBoolPref("extensions.experiments.suppressed", true);
  await checkInstalledExtensions();
  Services.prefs.savePrefFile(null);
}

/**
 * A Thunderbird whose profile `doctor` finds.
 * @param {World} world
 */
async function started(world) {
  const thunderbird = await world.startThunderbird();
  await mkdir(join(thunderbird.home, ".thunderbird"), { recursive: true });
  await writeFile(join(thunderbird.home, ".thunderbird/profiles.ini"), `[Profile0]\nName=default\nIsRelative=0\nPath=${thunderbird.profile}\nDefault=1\n`);
  await written(thunderbird, true);
  return thunderbird;
}

test("doctor reads a real profile", { timeout: 240_000 }, async t => {
  const world = await World.open();
  t.after(() => world.close());
  const thunderbird = await started(world);
  const healthy = await doctor(thunderbird);
  for (const id of ["native-manifest", "thunderbird", "add-on", "experiments", "policy"]) {
    assert.equal(healthy[id].status, "ok", healthy[id].detail);
  }

  await thunderbird.marionette.chrome(switchAddOn, EXTENSION_ID, false);
  await written(thunderbird, false);
  const off = await doctor(thunderbird);
  assert.match(`${off["add-on"].status}: ${off["add-on"].detail}`, /^fail: The add-on is switched off/);
  await thunderbird.marionette.chrome(switchAddOn, EXTENSION_ID, true);
  await written(thunderbird, true);
  assert.equal((await doctor(thunderbird))["add-on"].status, "ok");

});

test("where Thunderbird blocks experiments doctor says so, and what it says to do convinces Thunderbird", { timeout: 240_000 }, async t => {
  const world = await World.open();
  t.after(() => world.close());
  const thunderbird = await started(world);
  await thunderbird.marionette.chrome(suppressExperiments);
  if ((await thunderbird.majorVersion()) < 153) {
    // It has the preference, but blocks nothing.
    assert.equal((await doctor(thunderbird))["add-on"].status, "ok");
    return;
  }
  await written(thunderbird, false);
  const suppressed = await doctor(thunderbird);
  assert.match(suppressed["add-on"].detail, /^Thunderbird blocks the add-on/);
  assert.equal(suppressed.experiments.status, "fail");
  const command = /Run: (.*)$/s.exec(suppressed.experiments.remedy ?? "")?.[1] ?? "";
  await new Promise((resolve, reject) => {
    execFile("/bin/sh", ["-c", command], error => (error ? reject(error) : resolve(undefined)));
  });
  assert.equal((await doctor(thunderbird)).experiments.status, "ok");
  const allowed = new RegExp(`"${ALLOWED}", "(.*)"`).exec(await readFile(join(thunderbird.profile, "user.js"), "utf8"))?.[1] ?? "";
  // The restart writes user.js anew.
  const again = await world.restart(thunderbird, { preferences: { "extensions.experiments.suppressed": true, [ALLOWED]: allowed } });
  await written(again, true);
  const mended = await doctor(again);
  assert.deepEqual([mended["add-on"].status, mended.experiments.status], ["ok", "ok"], JSON.stringify(mended));
});
