// SPDX-License-Identifier: MPL-2.0

/** The clouds that Thunderbird does not know: where their sign-in stands in the add-on, and how it gets into Thunderbird. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { CLOUDS, cloudsInUse, signInProviders } from "../../extension/background/clouds.mjs";
import { FakeThunderbird, setUp } from "./fake_mail_code.mjs";

const TABLE = readFileSync(join(resolve(import.meta.dirname, "../.."), "host/core/cloud.c"), "utf8");
const CLIENT = "6e1c4d2a-0000-4000-8000-000000000001";

const provider = (/** @type {object} */ more = {}) => ({
  issuer: "login.microsoftonline.us",
  authority: "https://login.microsoftonline.us",
  tenant: "contoso.onmicrosoft.us",
  clientId: CLIENT,
  redirectHost: "localhost",
  resource: "https://outlook.office365.us",
  hosts: ["outlook.office365.us", "smtp.office365.us"],
  ...more,
});

test("the add-on's clouds are those of the host", () => {
  const rows = TABLE.split("{.name = ").slice(1);
  assert.deepEqual(rows.map(row => row.split('"')[1]), Object.keys(CLOUDS));
  for (const [index, { authority, outlook, graph, hosts }] of Object.values(CLOUDS).entries()) {
    const row = rows[index].split("};")[0];
    assert.ok([authority, outlook, graph, ...hosts].every(text => row.includes(`"${text}"`)), row);
    const named = [...row.matchAll(/\{"([^"]+)", \d+|other_mail_host = "([^"]+)"/g)].map(match => match[1] ?? match[2]);
    assert.deepEqual([...new Set(named)].sort(), [...hosts].sort());
  }
});

test("the sign-ins of the clouds in use are told, and none without a client id or for the worldwide one", () => {
  const policy = { clientId: CLIENT, tenant: "contoso.onmicrosoft.us", cloud: "usgov" };
  assert.deepEqual(signInProviders(policy, ["usgov"]), [provider()]);
  assert.deepEqual(signInProviders({ ...policy, clientId: undefined }, ["usgov"]), []);
  assert.deepEqual(signInProviders(policy, ["worldwide", "of a later version"]), []);
  const issuers = signInProviders(policy, ["usgov", "usgov-dod", "usgov"]).map(({ issuer }) => issuer);
  assert.equal(new Set(issuers).size, 2);
  assert.deepEqual(cloudsInUse({ accounts: { "*@contoso.cn": { cloud: "china" }, "ada@contoso.test": {} } }, [{ cloud: "usgov" }]), ["worldwide", "china", "usgov"]);
});

test("of a cloud of one's own the hosts are those of its configuration", () => {
  const custom = {
    authority: "https://login.test:8443",
    resources: { outlook: "https://outlook.test", graph: "https://graph.test" },
    imap: "IMAP.test:993",
    smtp: "smtp.test:587/starttls",
    pop3: "[::1]:995",
  };
  const [only] = signInProviders({ clientId: CLIENT, custom }, ["custom"]);
  assert.deepEqual([only.issuer, only.authority, only.tenant, only.hosts], ["login.test:8443", "https://login.test:8443", "organizations", ["imap.test", "smtp.test"]]);
  assert.deepEqual(signInProviders({ clientId: CLIENT }, ["custom"]), []);
});

test("Thunderbird is told of a sign-in once, by either of its ways, and it goes with the add-on", () => {
  for (const oneByOne of [false, true]) {
    const { providers, thunderbird } = setUp();
    if (oneByOne) {
      const register = thunderbird.providers.registerProvider.bind(thunderbird.providers);
      thunderbird.providers.registerProvider = /** @type {any} */ (
        (/** @type {any} */ name, /** @type {any} */ clientId, /** @type {any} */ _secret, /** @type {any} */ authorizationEndpoint,
          /** @type {any} */ tokenEndpoint, /** @type {any} */ redirectionEndpoint, /** @type {any} */ usePKCE, /** @type {any} */ hosts, /** @type {any} */ scopes) =>
          register(/** @type {any} */ ({ name, clientId, authorizationEndpoint, tokenEndpoint, redirectionEndpoint, usePKCE }), hosts, scopes)
      );
    }
    providers.use([provider()]);
    providers.use([provider()]);
    const { clientId, authorizationEndpoint, tokenEndpoint, usePKCE, scopes } = thunderbird.providers.issuers.get("login.microsoftonline.us");
    assert.deepEqual([clientId, usePKCE], [CLIENT, true]);
    assert.equal(authorizationEndpoint, "https://login.microsoftonline.us/contoso.onmicrosoft.us/oauth2/v2.0/authorize");
    assert.equal(tokenEndpoint, "https://login.microsoftonline.us/contoso.onmicrosoft.us/oauth2/v2.0/token");
    assert.equal(scopes.imap, "https://outlook.office365.us/IMAP.AccessAsUser.All");
    assert.equal(scopes.extra, undefined, "what Thunderbird would miss in the answer");
    assert.equal(thunderbird.providers.getHostnameDetails("smtp.office365.us")?.issuer, "login.microsoftonline.us");
    assert.ok(providers.hasIssuer("login.microsoftonline.us"));
    providers.withdraw();
    assert.equal(thunderbird.providers.getHostnameDetails("smtp.office365.us"), undefined);
    assert.ok(!providers.hasIssuer("login.microsoftonline.us"));
  }
});

test("what Thunderbird or another add-on knows stays, and what someone wrote into the pref is checked", () => {
  const { providers, thunderbird } = setUp();
  const known = [...thunderbird.providers.hosts];
  providers.use([
    provider({ hosts: ["outlook.office365.com"] }),
    provider({ issuer: "login.microsoftonline.com" }),
    provider({ authority: "http://login.microsoftonline.us" }),
    provider({ authority: "https://login.microsoftonline.us/other" }),
    provider({ tenant: "../x" }),
    provider({ clientId: "a&b" }),
    provider({ redirectHost: "evil.test" }),
    provider({ hosts: ["*"] }),
    provider({ resource: "no address" }),
    /** @type {any} */ (null),
  ]);
  assert.deepEqual([...thunderbird.providers.hosts], known);
  assert.equal(thunderbird.providers.issuers.size, 1);
});

test("a Thunderbird that registers differently is told by what is missing, and left as it is", () => {
  const thunderbird = new FakeThunderbird();
  thunderbird.providers.registerProvider = /** @type {any} */ ((/** @type {any} */ _all) => {});
  const { SignInProviders } = thunderbird.load("sign_in_providers.js");
  assert.equal(SignInProviders.obstacle(), "OAuth2Providers.registerProvider");
  new SignInProviders().use([provider()]);
  assert.equal(thunderbird.providers.issuers.size, 1);
});

test("a sign-in that Thunderbird does not take does not keep the others out", () => {
  const { providers, thunderbird } = setUp();
  const register = thunderbird.providers.registerProvider.bind(thunderbird.providers);
  thunderbird.providers.registerProvider = (details, hosts, scopes) => {
    if (details.name === "login.microsoftonline.us") {
      throw new Error("refused");
    }
    register(details, hosts, scopes);
  };
  providers.use([provider(), provider({ issuer: "login.test", authority: "https://login.test", hosts: ["imap.test"] })]);
  assert.equal(providers.issuers.join(), "login.test");
});

test("a cloud of one's own is ours by authority and by resource, while Thunderbird knows it from us", async () => {
  const { account, hook, providers, originals } = setUp();
  hook.setListener(async () => ({ accessToken: "T", expiresAt: 2_000_000 }));
  const fields = {
    authorizationEndpoint: "https://login.test:8443/organizations/oauth2/v2.0/authorize",
    scope: "https://outlook.test/IMAP.AccessAsUser.All https://outlook.test/SMTP.Send offline_access",
  };
  const before = account(fields);
  await before.connect(true, false);
  assert.equal(originals.length, 1);
  providers.use([provider({ issuer: "login.test:8443", authority: "https://login.test:8443", resource: "https://outlook.test", hosts: ["imap.test"] })]);
  const oauth = account(fields);
  await oauth.connect(true, false);
  assert.equal(oauth.accessToken, "T");
  assert.equal(originals.length, 1);
});
