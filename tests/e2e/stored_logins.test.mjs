// SPDX-License-Identifier: MPL-2.0

/** Which of the sign-ins that a Thunderbird made for the test has stored are taken over and deleted: those for mail. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import vm from "node:vm";

const SCRIPT = resolve(import.meta.dirname, "../../extension/experiments/tokenBridge/stored_logins.js");
const ADA = "ada@contoso.test";
const ORIGIN = "oauth://login.microsoftonline.com";
const CLIENT = "9e5f94bc-0000-4000-8000-000000000001";
const SERVER = { type: "imap", hostname: "outlook.office365.com", username: ADA };

const OUTLOOK = "https://outlook.office.com";
const MAIL = `${OUTLOOK}/IMAP.AccessAsUser.All ${OUTLOOK}/POP.AccessAsUser.All ${OUTLOOK}/SMTP.Send offline_access`;
const SMTP = "https://partner.outlook.cn/SMTP.Send offline_access";
const EWS = `${OUTLOOK}/EWS.AccessAsUser.All offline_access`;
const GRAPH = "https://graph.microsoft.com/Mail.ReadWrite https://graph.microsoft.com/Mail.Send offline_access";

/**
 * @param {string[]} realms of the sign-ins that are stored, whose refresh tokens are called after their places
 * @param {string[]} [types] of the user's servers
 */
function setUp(realms, types = ["imap"]) {
  let stored = realms.map((httpRealm, index) => ({ origin: ORIGIN, httpRealm, username: "Ada@contoso.test", password: `refresh ${index}` }));
  const logins = {
    isLoggedIn: true,
    searchLoginsAsync: async (/** @type {{origin: string}} */ { origin }) => stored.filter(login => login.origin === origin),
    removeLoginAsync: async (/** @type {any} */ login) => {
      stored = stored.filter(one => one !== login);
    },
  };
  const OAuth2Providers = {
    getHostnameDetails: () => ({ issuer: "login.microsoftonline.com" }),
    getIssuerDetails: () => ({ clientId: CLIENT, tokenEndpoint: "https://login.microsoftonline.com/common/oauth2/v2.0/token" }),
  };
  const MailServices = { accounts: { allServers: types.map(type => ({ type, username: ADA })) } };
  const scope = vm.createContext({
    ChromeUtils: { importESModule: () => ({ MailServices, OAuth2Providers }) },
    Services: { logins, io: { newURI: (/** @type {string} */ address) => ({ prePath: new URL(address).origin }) } },
  });
  vm.runInContext(readFileSync(SCRIPT, "utf8"), scope);
  const { StoredLogins } = /** @type {any} */ (scope);
  return { StoredLogins, left: () => stored.map(({ httpRealm }) => httpRealm) };
}

test("deleting Thunderbird's copy deletes its sign-ins for mail, in every cloud, and no other", async () => {
  const { StoredLogins, left } = setUp([EWS, MAIL, GRAPH, SMTP]);
  assert.equal((await StoredLogins.ownSignIn(SERVER)).clientId, CLIENT);
  await StoredLogins.deleteOwnSignIns(SERVER);
  assert.deepEqual(left(), [EWS, GRAPH]);
  assert.equal(await StoredLogins.ownSignIn(SERVER), null, "nothing is left to take over or to delete");
});

test("the sign-in that is taken over is one for mail, however many permissions another has", async () => {
  const { StoredLogins } = setUp([`${EWS} ${"x".repeat(200)}`, SMTP, MAIL]);
  assert.equal(await StoredLogins.ownRefreshToken(SERVER), "refresh 2");
});

test("a sign-in for mail by which an account of Exchange Web Services signs in, too, is left to Thunderbird", async () => {
  const both = `${MAIL} ${EWS}`;
  const { StoredLogins, left } = setUp([both, SMTP], ["imap", "ews"]);
  await StoredLogins.deleteOwnSignIns(SERVER);
  assert.deepEqual(left(), [both]);
  const alone = setUp([both, SMTP]);
  await alone.StoredLogins.deleteOwnSignIns(SERVER);
  assert.deepEqual(alone.left(), [], "where no such account is here");
});
