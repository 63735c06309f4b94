// SPDX-License-Identifier: MPL-2.0

/** An account that Thunderbird reads through Microsoft Graph: the same hook, another token. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { startGraph } from "../servers/mail/graph.mjs";
import { ADA, World } from "./world.mjs";

/* global content, until */

const OFFICE = "office@contoso.test";
const PERMISSIONS = ["Mail.ReadWrite", "Mail.Send", "MailboxFolder.ReadWrite", "User.Read"];

/**
 * As Thunderbird's account set-up makes it.
 * @param {number} port
 * @param {number} [others] how many accounts there are besides, the local folders apart
 */
function graphAccount(port, others = 0) {
  const n = others + 2;
  const server = `mail.server.server${n}`;
  const numbers = [n, ...Array.from({ length: others + 1 }, (_, index) => index + 1)];
  return {
    "mail.graph.enabled": true,
    [`${server}.type`]: "graph",
    [`${server}.hostname`]: "graph.microsoft.com",
    [`${server}.port`]: port,
    [`${server}.socketType`]: 3,
    [`${server}.ews_url`]: `https://graph.microsoft.com:${port}`,
    [`${server}.authMethod`]: 10,
    [`${server}.userName`]: ADA,
    [`${server}.name`]: ADA,
    [`${server}.login_at_startup`]: false,
    [`${server}.check_new_mail`]: false,
    [`mail.identity.id${n}.useremail`]: ADA,
    [`mail.identity.id${n}.fullName`]: ADA,
    [`mail.identity.id${n}.valid`]: true,
    [`mail.account.account${n}.server`]: `server${n}`,
    [`mail.account.account${n}.identities`]: `id${n}`,
    "mail.accountmanager.accounts": numbers.map(number => `account${number}`).join(),
    "mail.accountmanager.defaultaccount": `account${n}`,
  };
}

/**
 * @param {import("node:test").TestContext} t
 * @param {World} world
 * @param {(path: string) => void} [onAccepted]
 */
async function openGraph(t, { identityProvider }, onAccepted = () => {}) {
  const graph = await startGraph({
    ...identityProvider.certificates.server,
    resource: identityProvider.graphResource,
    look: token => identityProvider.issued().find(({ value }) => value === token),
    onRequest: request => request.accepted && onAccepted(request.path),
  });
  t.after(() => graph.stop());
  return graph;
}

/** @param {World} world @returns {string[]} what the last sign-in asked for */
function askedLast({ identityProvider }) {
  const authorize = identityProvider.requests().filter(({ endpoint }) => endpoint === "authorize").at(-1);
  return String(authorize?.parameters.scope).split(" ").filter(scope => scope.includes("://")).sort();
}

test("a Graph account signs in for Graph's permissions, and Thunderbird talks to Graph with that token", { timeout: 180_000 }, async t => {
  const world = await World.open();
  t.after(() => world.close());
  const { identityProvider } = world;
  const accepted = Promise.withResolvers();
  const graph = await openGraph(t, world, accepted.resolve);
  const thunderbird = await world.startThunderbird({ accounts: [], preferences: graphAccount(graph.port) });
  const popup = await thunderbird.openPopup();
  await popup.press("signIn", ADA);
  await popup.waitForState(ADA, "ready");
  // The add-on lets Thunderbird look for mail.
  assert.match(await accepted.promise, /^\/v1\.0\/me/);
  assert.deepEqual(graph.requests.filter(request => !request.accepted), []);

  assert.deepEqual(askedLast(world), PERMISSIONS.map(permission => `${identityProvider.graphResource}/${permission}`));
  assert.equal(await thunderbird.mailbox.hasToken(ADA, { hostname: "graph.microsoft.com", type: "graph" }), true);
  assert.deepEqual(await thunderbird.mailbox.storedLogins(), []);

  await popup.press("newToken", ADA);
  await identityProvider.waitForRequest({ endpoint: "token", grant_type: "refresh_token", answered: true });
  await popup.waitForState(ADA, "ready");
});

test("a sign-in that Graph uses opens a shared mailbox by IMAP, too, and goes on to serve Graph", { timeout: 180_000 }, async t => {
  const world = await World.open({ sharedMailboxes: { [OFFICE]: [ADA] } });
  t.after(() => world.close());
  const { identityProvider, mail } = world;
  const graph = await openGraph(t, world);
  const thunderbird = await world.startThunderbird({ accounts: [world.account(OFFICE)], preferences: graphAccount(graph.port, 1) });
  const popup = await thunderbird.openPopup();
  await popup.press("signIn", ADA);
  await popup.waitForState(ADA, "ready");

  await popup.press("openBy", OFFICE);
  await popup.run(async (account, name) => (await until(() => content.document.querySelector(`[data-account="${account}"] [data-name="${name}"]`))).click(), OFFICE, ADA);
  // The add-on lets Thunderbird look for mail.
  await mail.waitForLogin({ user: OFFICE, protocol: "imap" });
  const { graphResource, outlookResource } = identityProvider;
  const forMail = ["IMAP.AccessAsUser.All", "SMTP.Send"].map(permission => `${outlookResource}/${permission}`);
  assert.deepEqual(askedLast(world), [...forMail, ...PERMISSIONS.map(permission => `${graphResource}/${permission}`)].sort());
  for (const account of [ADA, OFFICE]) {
    await popup.waitForState(account, "ready");
  }
  assert.equal(await thunderbird.mailbox.hasToken(ADA, { hostname: "graph.microsoft.com", type: "graph" }), true);
  assert.equal(identityProvider.counts()["token:authorization_code"], 2, "nobody was asked once more");
});
