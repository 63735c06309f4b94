// SPDX-License-Identifier: MPL-2.0

/** Thunderbird's own account set-up logs in with our token: its window, its fields, its buttons. */

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { AccountHub, mailConfiguration } from "./account_hub.mjs";
import { EXTENSION_ID } from "./home.mjs";
import { makeRecordingBrowser } from "./recording_browser.mjs";
import { terminal } from "./terminal.mjs";
import { ADA, World, letter } from "./world.mjs";

/* global ChromeUtils, Services */

const NOTHING = { servers: [], outgoing: [], prompts: [], inProgress: 0, preferences: [] };

/**
 * Thunderbird without an account, which finds the servers of the organisation by itself.
 * @param {World} world
 * @param {{imapHost: string, smtpHost: string, policy?: object, options?: object}} place
 */
function thunderbirdWithoutAccount(world, { imapHost, smtpHost, policy, options }) {
  const { mail, hostConfiguration } = world;
  const [imap, smtp] = [{ hostname: imapHost, port: mail.imap.port }, { hostname: smtpHost, port: mail.smtp.port }];
  return world.startThunderbird({
    accounts: [],
    hostConfiguration: {
      ...hostConfiguration,
      custom: { ...hostConfiguration.custom, imap: `${imapHost}:${imap.port}`, smtp: `${smtpHost}:${smtp.port}/starttls` },
      ...policy,
    },
    applicationFiles: { "isp/contoso.test.xml": mailConfiguration({ domain: "contoso.test", imap, smtp }) },
    preferences: { "mail.accounthub.enabled": true },
    ...options,
  });
}

/**
 * Runs in Thunderbird: waits until the add-on has said that an account is signed in by the host.
 * @param {string} name
 */
async function waitUntilManaged(name) {
  const preference = "extensions.thunderseal.managed";
  const said = () => Services.prefs.getStringPref(preference, "").includes(name);
  await new Promise(resolve => {
    const look = () => {
      if (said()) {
        Services.prefs.removeObserver(preference, look);
        resolve(undefined);
      }
    };
    Services.prefs.addObserver(preference, look);
    look();
  });
}

/**
 * Runs in Thunderbird: takes the add-on away, and says whether it still knows how a server signs in.
 * @param {string} id
 * @param {string} hostname
 */
async function knowsWithoutAddOn(id, hostname) {
  const { AddonManager } = ChromeUtils.importESModule("resource://gre/modules/AddonManager.sys.mjs");
  const { OAuth2Providers } = ChromeUtils.importESModule("resource:///modules/OAuth2Providers.sys.mjs");
  const before = Boolean(OAuth2Providers.getHostnameDetails(hostname, "imap"));
  await (await AddonManager.getAddonByID(id)).uninstall();
  return [before, Boolean(OAuth2Providers.getHostnameDetails(hostname, "imap"))];
}

test("account set-up can be cancelled, leads to a sign-in, and then gets its token", { timeout: 240_000 }, async t => {
  const world = await World.open();
  t.after(() => world.close());
  const { identityProvider, mail } = world;
  await mail.deliver(ADA, letter({ subject: "Welcome" }));
  const thunderbird = await thunderbirdWithoutAccount(world, { imapHost: "outlook.office365.com", smtpHost: "smtp.office365.com", policy: { manage: "all" } });
  const hub = new AccountHub(thunderbird.marionette);
  await hub.begin("Ada", ADA);

  const host = await thunderbird.hostPid();
  assert.ok(host);
  process.kill(host, "SIGSTOP");
  await hub.press("forward");
  await hub.waitForPrompt();
  assert.deepEqual((await hub.traces()).servers, [`imap ${ADA}`], "one on trial");
  // Earlier versions have no "Cancel" for a login that is under way.
  if ((await thunderbird.majorVersion()) >= 153) {
    await hub.press("back");
    await hub.waitForStep("emailConfigFoundSubview");
    assert.deepEqual(await hub.traces(), NOTHING);
    process.kill(host, "SIGCONT");
    await hub.press("forward");
  } else {
    process.kill(host, "SIGCONT");
  }
  await hub.waitForStep("emailConfigFoundSubview", "error");
  assert.deepEqual(await hub.traces(), NOTHING);
  assert.deepEqual(identityProvider.counts().authorize ?? 0, 0, "no browser opens by itself");

  await thunderbird.clickNotification(`Sign in ${ADA} to go on`);
  assert.match(await thunderbird.notification("Signed in"), /account set-up/);
  await hub.press("forward");
  await hub.waitForAccount();
  await thunderbird.mailbox.waitForMessage(ADA, "Welcome");
  const { servers, outgoing, prompts } = await hub.traces();
  assert.deepEqual([servers, outgoing, prompts], [[`imap ${ADA}`], [`smtp ${ADA}`], []]);
  assert.equal(identityProvider.counts()["token:authorization_code"], 1);
  assert.deepEqual(await thunderbird.mailbox.storedLogins(), []);
});

test("in a national cloud account set-up gets its token too, and later Thunderbird goes on there without the host", { timeout: 240_000 }, async t => {
  const world = await World.open();
  t.after(() => world.close());
  const { identityProvider, mail } = world;
  const [imapHost, smtpHost] = ["outlook.office365.us", "smtp.office365.us"];
  await mail.deliver(ADA, letter({ subject: "Welcome" }));
  const thunderbird = await thunderbirdWithoutAccount(world, { imapHost, smtpHost });
  const thunderseal = await terminal(world, thunderbird);
  await thunderseal("login", ADA);
  await thunderbird.marionette.chrome(waitUntilManaged, ADA);

  const hub = new AccountHub(thunderbird.marionette);
  await hub.begin("Ada", ADA);
  await hub.press("forward");
  await hub.waitForAccount();
  await thunderbird.mailbox.waitForMessage(ADA, "Welcome");
  await thunderbird.mailbox.send(ADA, { to: "ben@contoso.test", subject: "Re: Welcome", text: "Thank you." });
  await mail.waitForSent({ from: ADA, subject: "Re: Welcome" });
  assert.equal(identityProvider.counts().authorize, 1);
  assert.deepEqual(await thunderbird.mailbox.storedLogins(), []);
  const popup = await thunderbird.openPopup();
  await popup.waitForState(ADA, "ready");

  const folder = join(world.folder, "other");
  await mkdir(folder);
  const browser = await makeRecordingBrowser(folder);
  const again = await world.restart(thunderbird, { host: null, systemBrowser: browser.command });
  const ownWindow = again.ownSignInWindow();
  const asking = again.mailbox.hasToken(ADA, { withUI: true, hostname: imapHost });
  [ownWindow, asking].forEach(promise => promise.catch(() => {}));
  const address = new URL(await Promise.race([browser.firstAddress(), ownWindow]));
  assert.equal(address.origin, identityProvider.authority);
  assert.equal(address.searchParams.get("client_id"), identityProvider.clientId);
  assert.equal(address.searchParams.get("code_challenge_method"), "S256");
  assert.deepEqual(await again.marionette.chrome(knowsWithoutAddOn, EXTENSION_ID, imapHost), [true, false]);
});
