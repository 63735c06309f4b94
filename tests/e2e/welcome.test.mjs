// SPDX-License-Identifier: MPL-2.0

/** The first start: the welcome page opens once, and leads from an account without an app to mail, by the keyboard alone. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { startSocksProxy } from "../servers/socks_proxy.mjs";
import { ADA, HOST, World, letter } from "./world.mjs";
import { WelcomeTab } from "./welcome_tab.mjs";

/* global content, texts, until */

const PICTURES = resolve(HOST, "../e2e");
const picture = (/** @type {string} */ name) => join(PICTURES, `welcome-${name}.png`);

/**
 * Goes through the page, where everything is done, and through those beside it.
 * @param {WelcomeTab} page
 */
async function readInGerman(page) {
  await page.waitForStep("check");
  assert.equal(await page.run(() => content.document.documentElement.lang), "de");
  for (const step of ["signin", "app", "accounts", "check"]) {
    await page.click(`[data-step="${step}"]`);
    await page.waitForStep(step);
    await page.photographIn(step === "accounts" ? "dark" : "light", picture(`${step}-de`));
  }
  assert.deepEqual(await page.run(() => texts(".done")), ["Was geschieht", "Die App", "Ihre Konten"]);
  for (const [link, ready, name] of [["safely", "#genuine", "safely"], ["admins", "#scopes", "admins"]]) {
    await page.click(`footer a[href="${link}.html"]`);
    await page.waitFor(ready);
    await page.ready();
    await page.photographIn("light", picture(`${name}-de`));
    await page.photographIn("dark", picture(`${name}-dark-de`));
  }
}

test("a first start leads to mail, and is told from the second", { timeout: 300_000 }, async t => {
  const world = await World.open();
  t.after(() => world.close());
  const { clientId, welcome: _, ...configuration } = world.hostConfiguration;
  await world.mail.deliver(ADA, letter({ subject: "First of all" }));
  // The cloud's names lead to the test's servers for Thunderbird, and by this proxy for the host.
  const proxy = await startSocksProxy();
  t.after(() => proxy.stop());
  const thunderbird = await world.startThunderbird({ hostConfiguration: { ...configuration, proxy: proxy.url } });
  const { marionette, home, mailbox } = thunderbird;

  const welcome = await WelcomeTab.opened(marionette);
  await welcome.waitForStep("signin");
  assert.match(await welcome.text(), /Microsoft's sign-in page/);
  for (const scheme of /** @type {const} */ (["dark", "light"])) {
    await welcome.photographIn(scheme, picture(`signin-${scheme}`));
  }

  await welcome.press("#next");
  await welcome.waitForStep("app");
  assert.equal(await welcome.run(() => content.document.activeElement.id), "app-title", "the keyboard goes along");
  await welcome.press("#app-form [type=submit]");
  assert.match(await welcome.waitFor("#app-problem:not(:empty)"), /Choose one/);
  // The arrows choose: down to the other one and up again.
  await welcome.type("ArrowDown", "ArrowUp", "Tab", ..."not an id", "Enter");
  await welcome.run(() => until(() => texts("#client-id-problem")[0]?.includes("not an app's ID")));
  assert.deepEqual(await welcome.run(() => [content.document.activeElement.id, content.document.activeElement.ariaInvalid]), ["client-id", "true"]);
  await welcome.photographIn("dark", picture("app-dark"));
  await welcome.photographIn("light", picture("app-light"));
  await welcome.run(() => content.document.activeElement.select());
  await welcome.type(...clientId, "Enter");

  await welcome.waitForStep("accounts");
  assert.equal(JSON.parse(await readFile(join(home, ".config/thunderseal/config.json"), "utf8")).clientId, clientId);
  await welcome.press(`[data-account="${ADA}"] [data-action="signIn"]`);
  assert.match(await welcome.run(name => until(() => texts(`[data-account="${name}"][data-state="signing-in"] .sentence`)[0]), ADA), /browser/);
  await welcome.run(name => until(() => texts(`[data-account="${name}"][data-state="ready"]`)[0]), ADA);
  await mailbox.waitForMessage(ADA, "First of all");
  await welcome.photographIn("light", picture("accounts"));

  await welcome.press("#next");
  await welcome.press('[data-action="checkHealth"]');
  await welcome.waitFor("#check-end");
  assert.equal(await welcome.run(() => content.document.querySelectorAll('[data-check="imap"][data-status="ok"], [data-check="smtp"][data-status="ok"]').length), 2);
  await welcome.photographIn("light", picture("check"));

  // Left open, Thunderbird would bring it back as it does with every tab.
  await welcome.close();
  await world.mail.deliver(ADA, letter({ subject: "The morning after" }));
  const again = await world.restart(thunderbird, {
    hostConfiguration: { ...configuration, clientId, proxy: proxy.url, locale: "de" },
    accounts: [world.account(ADA, { checkAtStartup: true })],
  });
  await again.mailbox.waitForMessage(ADA, "The morning after");
  assert.deepEqual(await WelcomeTab.open(again.marionette), []);

  const popup = await again.openPopup();
  await popup.press("welcome");
  await readInGerman(await WelcomeTab.opened(again.marionette));
});
