// SPDX-License-Identifier: MPL-2.0
/** What Exchange Online answers, line by line: the right stage, the right cause first, and what to do. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { makeCertificates } from "../servers/certificates.mjs";
import { assertNothingSecretBeforeTls } from "../servers/mail/breaks.mjs";
import { startExchange } from "../servers/mail/exchange.mjs";
import { EXCHANGE_LINES, NOT_CONNECTED } from "../servers/mail/exchange_lines.mjs";
import { probe, TOKEN, USER } from "./probe.mjs";

/** @type {string} */
let folder;
/** @type {import('../servers/certificates.mjs').Certificates} */
let certificates;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "ts-probe-"));
  certificates = await makeCertificates({ folder });
});
after(() => rm(folder, { recursive: true, force: true }));

/**
 * @param {Omit<import('../servers/mail/exchange.mjs').Options, 'certificate'>} options @param {Record<string, unknown>} [request]
 * @returns {Promise<{ result: any, check: any, heard: import('../servers/mail/exchange.mjs').Heard[] }>}
 */
async function ask(options, request = {}) {
  const server = await startExchange({ certificate: certificates.server, ...options });
  try {
    const { protocol, starttls = false } = options;
    const answer = await probe({ protocol, starttls, port: server.port, caFile: certificates.caFile, ...request });
    assertNothingSecretBeforeTls(server);
    return { ...answer, heard: server.heard };
  } finally {
    await server.stop();
  }
}

const xoauth2 = Buffer.from(`user=${USER}\x01auth=Bearer ${TOKEN}\x01\x01`).toString("base64");

for (const protocol of /** @type {const} */ (["imap", "pop3", "smtp"])) {
  for (const starttls of [false, true]) {
    test(`${protocol} with ${starttls ? "STARTTLS" : "TLS"}: the mailbox opens, in the documented form`, async () => {
      const { result, check, heard } = await ask({ protocol, starttls });
      assert.equal(result.stage, "done");
      assert.equal(result.failure, "");
      assert.equal(check.status, "ok");
      assert.equal(/mailbox opens/.test(check.detail), protocol !== "smtp", "nothing is opened to send");
      assert.match(result.tlsVersion, /^TLSv1\.[23]$/);
      assert.match(result.certificate.name, /localhost/);
      assert.match(result.certificate.issuer, /Thunderseal test authority/);
      assert.ok(result.certificate.expires > Date.now() / 1000);
      assert.equal(result.family, result.address === "::1" ? 6 : 4);
      assert.equal(heard.length, 1);
      const lines = heard[0].secure.split("\r\n");
      assert.ok(lines.includes(xoauth2), "the token went out as XOAUTH2 wants it");
      assert.equal(lines[0].replace(/^\S /, ""), { imap: "CAPABILITY", pop3: "CAPA", smtp: "EHLO [127.0.0.1]" }[protocol]);
      assert.doesNotMatch(heard[0].secure, /MAIL FROM|RCPT|DATA|RETR|DELE|SELECT/);
      assert.equal(heard[0].plain === "", !starttls);
    });
  }
}

describe("Exchange Online's lines, without anything known of the token", () => {
  for (const { protocol, step, line, stage, cause, status = "fail" } of EXCHANGE_LINES) {
    test(`${protocol}: ${line.split("\r\n")[0]}`, async () => {
      const { result, check } = await ask({ protocol, says: { [step]: line } }, { ipv4: true });
      assert.equal(result.stage, stage);
      assert.equal(result.failure, "refused");
      assert.equal(check.causes[0], cause);
      assert.equal(check.status, status);
      const said = line.split("\r\n")[0].replace("TAG ", "");
      assert.ok(result.line.includes(said), result.line);
      assert.ok(check.detail.includes(said), check.detail);
      assert.ok(check.remedy.length > 10);
    });
  }
});

const NOW = 1_795_000_000;
const GOOD = {
  now: NOW, tokenExpires: NOW + 3000, tokenAudience: "https://outlook.office.com", audience: "https://outlook.office.com",
  tokenScopes: "IMAP.AccessAsUser.All POP.AccessAsUser.All SMTP.Send", tokenUser: USER,
};

describe("what is known of the token decides among the causes of one line", () => {
  /** @type {[string, Record<string, unknown>, string][]} */
  const facts = [
    ["run out", { tokenExpires: NOW - 1 }, "token-expired"],
    ["for Graph", { tokenAudience: "https://graph.microsoft.com" }, "wrong-audience"],
    ["without the permission", { tokenScopes: "SMTP.Send" }, "scope-missing"],
    ["of another user", { tokenUser: "ben@contoso.test" }, "no-permission"],
    ["good in every respect", {}, "imap-disabled"],
    ["whose renewal Entra refused as revoked", { aadsts: 50173 }, "sign-in"],
  ];
  for (const [what, fact, cause] of facts) {
    test(`a token ${what}`, async () => {
      const { check } = await ask({ protocol: "imap", says: { token: "TAG NO AUTHENTICATE failed." } }, { ...GOOD, ...fact });
      assert.equal(check.causes[0], cause);
    });
  }
});

test("not connected over IPv6 is tried again over IPv4, which works: a warning", async () => {
  const { result, check, heard } = await ask({ protocol: "imap", says: { command: NOT_CONNECTED }, saysOverIpv4: { command: "TAG OK LIST completed." } }, GOOD);
  assert.deepEqual(heard.map(({ address }) => address), ["::1", "127.0.0.1"]);
  assert.equal(result.retriedOverIpv4, true);
  assert.equal(result.family, 4);
  assert.match(result.lineBefore, /authenticated but not connected/);
  assert.equal(result.stage, "done");
  assert.equal(check.status, "warn");
  assert.deepEqual(check.causes, ["ipv6-path"]);
});

test("not connected over both is no fault of IPv6", async () => {
  const { result, check, heard } = await ask({ protocol: "imap", says: { command: NOT_CONNECTED }, saysOverIpv4: {} }, GOOD);
  assert.equal(heard.length, 2);
  assert.equal(result.retriedOverIpv4, true);
  assert.equal(result.stage, "command");
  assert.equal(check.causes[0], "no-mailbox");
  assert.ok(!check.causes.includes("ipv6-path"));
});

test("XOAUTH2's challenge is answered with an empty line, and told decoded", async () => {
  const challenge = Buffer.from('{"status":"401","schemes":"bearer","scope":"mail"}').toString("base64");
  for (const [protocol, sign, refusal] of /** @type {const} */ ([
    ["imap", "+", "TAG NO AUTHENTICATE failed."], ["pop3", "+", "-ERR Authentication failure: unknown user name or bad password."],
    ["smtp", "334", "535 5.7.3 Authentication unsuccessful"]])) {
    const { result, check, heard } = await ask({ protocol, says: { token: `${sign} ${challenge}`, refused: refusal } });
    assert.equal(result.stage, "auth");
    assert.equal(result.challenge, '{"status":"401","schemes":"bearer","scope":"mail"}');
    assert.ok(result.line.endsWith(refusal.replace("TAG ", "")));
    assert.match(heard[0].secure, /\r\n\r\n$/);
    assert.equal(check.causes[0], "token-expired");
  }
});

test("an unknown line is shown as it is, with the advice of its stage", async () => {
  const { check } = await ask({ protocol: "smtp", says: { token: "535 5.9.9 \x1b[31mThe moon is full\x07" } }, GOOD);
  assert.match(check.detail, /535 5\.9\.9 \[31mThe moon is full/);
  assert.equal(check.causes[0], "smtp-auth-disabled-mailbox");
});

test("a server that sends the token back does not bring it into the report", async () => {
  for (const says of [{ token: "TAG NO HEARD" }, { token: `TAG NO what is ${TOKEN}` }, { token: `+ ${Buffer.from(TOKEN).toString("base64")}`, refused: "TAG NO no" }]) {
    const { result } = await ask({ protocol: "imap", says });
    assert.match(result.line + result.challenge, /\*{16}/);
    assert.ok(result.line.length <= 512);
  }
});

test("a long line is cut, a refusal in several lines told by its first", async () => {
  const long = await ask({ protocol: "imap", says: { token: `TAG NO ${"ä".repeat(2000)}` } });
  assert.ok(Buffer.byteLength(long.result.line) <= 512);
  const several = await ask({ protocol: "smtp", says: { token: "535-5.7.139 Authentication unsuccessful, basic authentication is disabled.\r\n535 Goodbye" } });
  assert.equal(several.check.causes[0], "basic-disabled");
});
