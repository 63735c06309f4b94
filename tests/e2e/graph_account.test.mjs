// SPDX-License-Identifier: MPL-2.0

/** An account that Thunderbird reads through Microsoft Graph: the same hook, another token. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { startGraph } from "../servers/mail/graph.mjs";
import { ADA, World } from "./world.mjs";

const PERMISSIONS = ["Mail.ReadWrite", "Mail.Send", "MailboxFolder.ReadWrite", "User.Read"];

/**
 * As Thunderbird's account set-up makes it.
 * @param {number} port
 */
function graphAccount(port) {
  return {
    "mail.graph.enabled": true,
    "mail.server.server2.type": "graph",
    "mail.server.server2.hostname": "graph.microsoft.com",
    "mail.server.server2.port": port,
    "mail.server.server2.socketType": 3,
    "mail.server.server2.ews_url": `https://graph.microsoft.com:${port}`,
    "mail.server.server2.authMethod": 10,
    "mail.server.server2.userName": ADA,
    "mail.server.server2.name": ADA,
    "mail.server.server2.login_at_startup": false,
    "mail.server.server2.check_new_mail": false,
    "mail.identity.id2.useremail": ADA,
    "mail.identity.id2.fullName": ADA,
    "mail.identity.id2.valid": true,
    "mail.account.account2.server": "server2",
    "mail.account.account2.identities": "id2",
    "mail.accountmanager.accounts": "account2,account1",
    "mail.accountmanager.defaultaccount": "account2",
  };
}

test("a Graph account signs in for Graph's permissions, and Thunderbird talks to Graph with that token", { timeout: 180_000 }, async t => {
  const world = await World.open();
  t.after(() => world.close());
  const { identityProvider } = world;
  const accepted = Promise.withResolvers();
  const graph = await startGraph({
    ...identityProvider.certificates.server,
    resource: identityProvider.graphResource,
    look: token => identityProvider.issued().find(({ value }) => value === token),
    onRequest: request => request.accepted && accepted.resolve(request.path),
  });
  t.after(() => graph.stop());
  const thunderbird = await world.startThunderbird({ accounts: [], preferences: graphAccount(graph.port) });
  const popup = await thunderbird.openPopup();
  await popup.press("signIn", ADA);
  await popup.waitForState(ADA, "ready");
  // The add-on lets Thunderbird look for mail.
  assert.match(await accepted.promise, /^\/v1\.0\/me/);
  assert.deepEqual(graph.requests.filter(request => !request.accepted), []);

  const [authorize] = identityProvider.requests().filter(({ endpoint }) => endpoint === "authorize");
  const asked = String(authorize.parameters.scope).split(" ").filter(scope => scope.includes("://")).sort();
  assert.deepEqual(asked, PERMISSIONS.map(permission => `${identityProvider.graphResource}/${permission}`));
  assert.equal(await thunderbird.mailbox.hasToken(ADA, { hostname: "graph.microsoft.com", type: "graph" }), true);
  assert.deepEqual(await thunderbird.mailbox.storedLogins(), []);

  await popup.press("newToken", ADA);
  await identityProvider.waitForRequest({ endpoint: "token", grant_type: "refresh_token", answered: true });
  await popup.waitForState(ADA, "ready");
});
