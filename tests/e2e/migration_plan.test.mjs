// SPDX-License-Identifier: MPL-2.0

/** What is found wrong with the settings of mail servers, and what is put in its place. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { customHosts } from "../../extension/background/clouds.mjs";
import { MAIL_SERVERS, cloudOf, planChanged, planFor } from "../../extension/background/migration_plan.mjs";

const TABLE = readFileSync(join(resolve(import.meta.dirname, "../.."), "host/core/cloud.c"), "utf8");
const ADA = "ada@contoso.test";

/** @typedef {import("../../extension/background/migration_plan.mjs").ServerSettings} ServerSettings */

/** @param {Partial<ServerSettings>} [more] @returns {ServerSettings} */
const imap = more => ({
  key: "server1", direction: "incoming", type: "imap", hostname: "outlook.office365.com", port: 993, socketType: "tls",
  authMethod: "oauth2", username: ADA, addresses: [ADA], restart: false, ...more,
});

/** @param {Partial<ServerSettings>} [more] @returns {ServerSettings} */
const smtp = more => imap({
  key: "smtp1", direction: "outgoing", type: "smtp", hostname: "smtp.office365.com", port: 587, socketType: "starttls", ...more,
});

/** @param {ServerSettings} server @param {object} [policy] */
function onlyPlan(server, policy = {}) {
  const [{ account, servers: [{ planned, faults }] }] = planFor([server], policy);
  return { account, planned, faults };
}

test("settings that are right are left alone", () => {
  const pop = imap({ type: "pop3", port: 995 });
  const [{ account, faults, servers }] = planFor([imap(), pop, smtp()], {});
  assert.deepEqual([account, faults, servers.length], [ADA, [], 3]);
});

test("each wrong setting is named, and only that is changed", () => {
  /** @type {[ServerSettings, string[], object][]} */
  const cases = [
    [imap({ authMethod: "password" }), ["password"], { authMethod: "oauth2" }],
    [imap({ authMethod: "other" }), ["password"], { authMethod: "oauth2" }],
    [imap({ hostname: "imap-mail.outlook.com" }), ["host"], { hostname: "outlook.office365.com" }],
    [imap({ hostname: "outlook.office.com" }), ["host"], { hostname: "outlook.office365.com" }],
    [imap({ hostname: "Outlook.Office365.com" }), [], {}],
    [imap({ port: 143 }), ["port"], { port: 993 }],
    [imap({ socketType: "plain" }), ["encryption"], { socketType: "tls" }],
    [imap({ type: "pop3", hostname: "pop-mail.outlook.com", port: 110, socketType: "plain" }), ["host", "port", "encryption"], { port: 995 }],
    [smtp({ hostname: "smtp-mail.outlook.com" }), ["host"], { hostname: "smtp.office365.com" }],
    [smtp({ hostname: "outlook.office365.com" }), [], { hostname: "outlook.office365.com" }],
    [smtp({ port: 465, socketType: "tls" }), ["port", "encryption"], { port: 587, socketType: "starttls" }],
    [smtp({ port: 0 }), [], { port: 587 }],
    [smtp({ port: 0, socketType: "tls" }), ["port", "encryption"], { port: 587, socketType: "starttls" }],
    [smtp({ username: "" }), ["user-name"], { username: ADA }],
    [imap({ username: "ada" }), ["user-name"], { username: ADA }],
    [imap({ username: `CONTOSO\\${ADA}` }), ["user-name"], { username: ADA }],
    [imap({ username: "Ada@Contoso.test" }), [], { username: "Ada@Contoso.test" }],
  ];
  for (const [server, faults, change] of cases) {
    const found = onlyPlan(server);
    assert.deepEqual(found.faults, faults, JSON.stringify(server));
    const { hostname, port, socketType, username } = server;
    const kept = { hostname: hostname.toLowerCase(), port, socketType, username, authMethod: "oauth2" };
    const right = { ...kept, ...(faults.length ? { ...onlyPlan(server).planned } : {}), ...change };
    assert.deepEqual(found.planned, right, JSON.stringify(server));
  }
});

test("a user name that is another address is who signs in, and is kept", () => {
  const { account, faults } = onlyPlan(imap({ username: "ada@contoso.onmicrosoft.test", addresses: [ADA] }));
  assert.deepEqual([account, faults], ["ada@contoso.onmicrosoft.test", []]);
});

test("of a server of which nothing says who signs in, and of an account that the policy keeps away, there is no plan", () => {
  assert.deepEqual(planFor([imap({ username: "ada", addresses: [] })], {}), []);
  assert.deepEqual(planFor([imap({ authMethod: "password" })], { allowedDomains: ["other.test"] }), []);
  assert.equal(planFor([imap()], { allowedDomains: ["contoso.test"] }).length, 1);
});

test("what was changed here keeps a plan whatever the policy says, without faults and planned as it is", () => {
  const change = { before: {}, flowed: true, hasPassword: false };
  const changed = imap({ hostname: "mail.contoso.test", port: 1993, change });
  for (const policy of [{ allowedDomains: ["other.test"] }, { cloud: "custom" }, { cloud: "of a later version" }]) {
    assert.deepEqual(planFor([smtp({ authMethod: "password" }), { ...changed, change: undefined }], policy), []);
    const { account, planned, faults } = onlyPlan(changed, policy);
    assert.deepEqual([account, faults], [ADA, []]);
    assert.deepEqual(planned, { hostname: "mail.contoso.test", port: 1993, socketType: "tls", authMethod: "oauth2", username: ADA });
  }
  assert.deepEqual(onlyPlan(changed).faults, ["host", "port"], "it can be switched again");
  const [{ servers, faults }, ...others] = planChanged([changed, smtp({ authMethod: "password" })]);
  assert.deepEqual([servers.map(({ server }) => server.key), faults, others], [["server1"], [], []]);
});

test("each cloud has the servers of the host's own table", () => {
  const rows = TABLE.split("{.name = ").slice(1);
  assert.deepEqual(rows.map(row => row.split('"')[1]), Object.keys(MAIL_SERVERS));
  for (const [index, servers] of Object.values(MAIL_SERVERS).entries()) {
    for (const protocol of ["imap", "pop3", "smtp"]) {
      const { host, port, socketType } = /** @type {any} */ (servers[protocol]);
      assert.match(rows[index], new RegExp(`MAIL_${protocol.toUpperCase()}\\] = \\{"${host}", ${port}, MAIL_${socketType.toUpperCase()}\\}`));
    }
  }
  for (const [cloud, { imap: endpoint }] of Object.entries(MAIL_SERVERS)) {
    const { planned } = onlyPlan(imap({ hostname: "imap-mail.outlook.com" }), { cloud });
    assert.equal(planned.hostname, endpoint?.host);
  }
});

test("the policy says by address or domain which cloud an account is in", () => {
  const policy = { cloud: "usgov", accounts: { "*@contoso.cn": { cloud: "china" }, "Ada@contoso.cn": { cloud: "worldwide" } } };
  assert.deepEqual(["ben@contoso.us", "ben@Contoso.cn", "ada@contoso.cn"].map(account => cloudOf(account, policy)), ["usgov", "china", "worldwide"]);
  assert.equal(cloudOf(ADA, {}), "worldwide");
});

test("a cloud of one's own has the servers of the configuration, and one without them has no plan", () => {
  const custom = { imap: "IMAP.contoso.test:1993/starttls", smtp: "smtp.contoso.test:1587" };
  const policy = { cloud: "custom", custom };
  assert.deepEqual(customHosts(policy), ["imap.contoso.test", "smtp.contoso.test"]);
  const { planned, faults } = onlyPlan(imap(), policy);
  assert.deepEqual([planned.hostname, planned.port, planned.socketType], ["imap.contoso.test", 1993, "starttls"]);
  assert.deepEqual(faults, ["host", "port", "encryption"]);
  assert.equal(onlyPlan(smtp(), policy).planned.socketType, "tls");
  assert.deepEqual(planFor([imap({ type: "pop3" })], policy), []);
  assert.deepEqual(planFor([imap()], { cloud: "custom" }), []);
  assert.deepEqual(planFor([imap()], { cloud: "of a later version" }), []);
});

test("a personal account sends over the server for personal accounts", () => {
  for (const username of ["ada@outlook.com", "ada@hotmail.co.uk", "ada@live.de"]) {
    assert.deepEqual(onlyPlan(smtp({ username, hostname: "smtp-mail.outlook.com" })).faults, []);
    assert.equal(onlyPlan(smtp({ username, hostname: "smtp.live.com" })).planned.hostname, "smtp-mail.outlook.com");
  }
  assert.deepEqual(onlyPlan(smtp({ hostname: "smtp-mail.outlook.com" }), { tenant: "consumers" }).faults, []);
});

test("servers are put together by account, and one that two identities share is changed once", () => {
  const ben = "ben@contoso.test";
  const servers = [
    imap({ authMethod: "password" }),
    imap({ key: "server2", username: ben, addresses: [ben] }),
    smtp({ username: "Ada@contoso.test", addresses: [ADA, ben], authMethod: "password" }),
  ];
  const plans = planFor(servers, {});
  assert.deepEqual(plans.map(({ account }) => account), [ADA, ben]);
  assert.deepEqual(plans.map(plan => plan.servers.map(({ server }) => server.key)), [["server1", "smtp1"], ["server2"]]);
  assert.deepEqual(plans.map(({ faults }) => faults), [["password"], []]);
  const [nameless] = planFor([smtp({ username: "", addresses: [ben, ADA] })], {});
  assert.equal(nameless.account, ben, "the first of those that use it");
});
