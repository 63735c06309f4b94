// SPDX-License-Identifier: MPL-2.0

/** The first start: the welcome page opens once, and leads from an account without an app to mail, by the keyboard alone. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { ADA, HOST, World, letter } from "./world.mjs";
import { WelcomeTab } from "./welcome_tab.mjs";

/* global content, texts, until */

const PICTURES = resolve(HOST, "../e2e");
const picture = (/** @type {string} */ name) => join(PICTURES, `welcome-${name}.png`);

test("a first start leads to mail, and is told from the second", { timeout: 180_000 }, async t => {
  const world = await World.open();
  t.after(() => world.close());
  const { clientId, welcome: _, ...configuration } = world.hostConfiguration;
  await world.mail.deliver(ADA, letter({ subject: "First of all" }));
  const thunderbird = await world.startThunderbird({ hostConfiguration: configuration });
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
  assert.match(await welcome.run(name => until(() => texts(`[data-account="${name}"][data-state="signing-in"] .state`)[0]), ADA), /browser/);
  await welcome.run(name => until(() => texts(`[data-account="${name}"][data-state="ready"]`)[0]), ADA);
  await mailbox.waitForMessage(ADA, "First of all");
  await welcome.photograph(picture("accounts"));

  await welcome.press("#next");
  await welcome.press("#check-run");
  await welcome.waitFor("#check-end");
  await welcome.photograph(picture("check"));

  // Left open, Thunderbird would bring it back as it does with every tab.
  await welcome.close();
  await world.mail.deliver(ADA, letter({ subject: "The morning after" }));
  const again = await world.restart(thunderbird, { hostConfiguration: undefined, accounts: [world.account(ADA, { checkAtStartup: true })] });
  await again.mailbox.waitForMessage(ADA, "The morning after");
  assert.deepEqual(await WelcomeTab.open(again.marionette), []);
});
