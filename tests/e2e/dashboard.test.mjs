// SPDX-License-Identifier: MPL-2.0

/** The dashboard, section by section. */

import assert from "node:assert/strict";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { startSocksProxy } from "../servers/socks_proxy.mjs";
import { Dashboard } from "./dashboard.mjs";
import { EXTENSION_ID, environment } from "./home.mjs";
import { startProgram } from "./program.mjs";
import { ADA, HOST, World } from "./world.mjs";

/* global content, until */

const PICTURES = resolve(HOST, "../e2e");

/** What only Thunderbird can tell: at a terminal there is none. */
const TOLD_BY_THUNDERBIRD = ["settings", "offline-copy"];

/**
 * The health report of the command line, in the same home.
 * @param {string} home
 */
async function reportAtTerminal(home) {
  const { process: program, gone } = startProgram(HOST, ["check", "--json"], { env: environment(home, {}, {}), stdio: ["ignore", "pipe", "inherit"] });
  const chunks = [];
  for await (const chunk of /** @type {import("node:stream").Readable} */ (program.stdout)) {
    chunks.push(chunk);
  }
  assert.deepEqual(await gone, [0, null]);
  return JSON.parse(Buffer.concat(chunks).toString("utf8"));
}

/**
 * What a reader sees of each check; how long it took and how far the log has gone differ from run to run.
 * @param {{id: string, account: string|null, status: string, title: string, detail: string}[]} checks
 */
const comparable = checks => checks
  .filter(({ id }) => !TOLD_BY_THUNDERBIRD.includes(id))
  .map(({ id, account, status, title, detail }) => ({ id, account, status, title, detail: id === "audit" ? detail.replace(/\d+/, "N") : detail }));

/** Runs in the page: the report as it stands there. */
function shownReport() {
  const words = (/** @type {Element|null} */ element) => element?.textContent ?? "";
  return [...content.document.querySelectorAll("#health .groups > section")].flatMap((section, index) =>
    [...section.querySelectorAll(".health-check")].map(check => ({
      id: check.dataset.check,
      account: index === 0 ? null : words(section.querySelector("h3")),
      status: check.dataset.status,
      title: words(check.querySelector("h4")),
      detail: words(check.querySelector(".detail")),
      word: words(check.querySelector(".word")),
    })));
}

test("the dashboard opens from the spaces, once, and shows the health report of the command line", { timeout: 180_000 }, async t => {
  const world = await World.open();
  t.after(() => world.close());
  // The cloud's names lead to the test's servers for Thunderbird, and by this proxy for the host.
  const proxy = await startSocksProxy();
  t.after(() => proxy.stop());
  const { thunderbird } = await world.signedIn({ hostConfiguration: { ...world.hostConfiguration, proxy: proxy.url } });
  const { marionette, home } = thunderbird;

  const { dashboard, title, tabs } = await Dashboard.open(marionette, EXTENSION_ID);
  assert.equal(title, "Thunderseal");
  assert.equal((await Dashboard.open(marionette, EXTENSION_ID)).tabs, tabs, "one tab, raised");
  assert.match(await dashboard.waitFor(`#accounts [data-account="${ADA}"][data-state="ready"]`), /Signed in/);

  await dashboard.show("health");
  await dashboard.press('[data-action="checkHealth"]');
  await dashboard.run(() => until(() => content.document.querySelector('.health-report[data-state="done"]')));
  await dashboard.photographIn("light", join(PICTURES, "dashboard-health-light.png"));
  const [shown, atTerminal] = [await dashboard.run(shownReport), await reportAtTerminal(home)];
  assert.deepEqual(comparable(shown), comparable(atTerminal.checks));
  assert.ok(["imap", "smtp", "token"].every(id => shown.some((/** @type {any} */ check) => check.id === id && check.status === "ok" && check.word === "In order")));
  assert.deepEqual(shown.map((/** @type {any} */ { id }) => id), atTerminal.checks.map((/** @type {any} */ { id }) => id), "and in this order");
  const settings = shown.find((/** @type {any} */ { id }) => id === "settings");
  assert.equal(settings.status, "ok", "Thunderbird's own servers");
});
