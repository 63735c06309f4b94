// SPDX-License-Identifier: MPL-2.0
/** Servers that break, lie or tamper at every step: the right stage and cause, within time and bounds, and no secret lost. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { makeCertificates } from "../servers/certificates.mjs";
import { startExchange } from "../servers/mail/exchange.mjs";
import { startProxy } from "../servers/proxy.mjs";
import { assertNothingSecretBeforeTls, assertTokenNotSent, probe, runProbes } from "./probe.mjs";

/** Long enough to reach any step on a busy machine. */
const PATIENCE_MS = 4000;
/** Many wait for a time-out at once, which costs nothing. */
const TOGETHER = { concurrency: 6 };

/** @type {string} */
let folder;
/** @type {import('../servers/certificates.mjs').Certificates} */
let certificates;
/** @type {Record<string, { key: string, cert: string }>} */
const odd = {};

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "ts-probe-"));
  certificates = await makeCertificates({ folder });
  odd.expired = await certificates.issue("expired", ["localhost"], true);
  odd["wrong-name"] = await certificates.issue("other", ["mail.example.org"]);
  const [keyFile, certFile] = [join(folder, "self.key"), join(folder, "self.pem")];
  await promisify(execFile)("openssl", [
    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", keyFile, "-out", certFile, "-days", "3",
    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
  ]);
  odd["self-signed"] = { key: await readFile(keyFile, "utf8"), cert: await readFile(certFile, "utf8") };
});
after(() => rm(folder, { recursive: true, force: true }));

/** @typedef {import('../servers/mail/exchange.mjs').Options} Options */

/**
 * @param {Omit<Options, 'certificate'> & { certificate?: Options['certificate'] }} options @param {Record<string, unknown>} [request]
 * @param {(request: Record<string, unknown>) => Promise<any>} [run]
 */
async function ask(options, request = {}, run = probe) {
  const server = await startExchange({ certificate: certificates.server, ...options });
  try {
    const { protocol, starttls = false } = options;
    const answer = await run({ protocol, starttls, port: server.port, caFile: certificates.caFile, ...request });
    assertNothingSecretBeforeTls(server);
    return { ...answer, server };
  } finally {
    await server.stop();
  }
}

const STAGES = {
  greeting: "greeting", plain: "starttls", starttls: "starttls", tls: "tls", capability: "capability", auth: "auth", token: "auth", command: "command",
};
const FAILURES = {
  hang: "timed-out", drip: "timed-out", reset: "closed", close: "closed", garbage: "strange-answer", NUL: "strange-answer",
  "endless line": "too-long", "endless lines": "too-long",
};
const CAUSES = /** @type {Record<string, string>} */ ({ "timed-out": "slow", closed: "closed", "strange-answer": "other-server", "too-long": "other-server" });

/** @typedef {keyof typeof STAGES} Step @typedef {keyof typeof FAILURES} Fault */

/** What the fault at the step looks like to a client. @param {Options['protocol']} protocol @param {Step} step @param {Fault} fault */
function expected(protocol, step, fault) {
  if (step === "tls") return { failure: fault === "hang" ? "timed-out" : "tls-failed", cause: "tls-broken" };
  // A line that is none of IMAP's may be the rest of a literal in the answer to LIST.
  const failure = protocol === "imap" && step === "command" && fault === "garbage" ? "timed-out" : FAILURES[fault];
  return { failure, cause: CAUSES[failure] };
}

for (const { protocol, starttls } of /** @type {const} */ ([
  { protocol: "imap", starttls: false }, { protocol: "imap", starttls: true }, { protocol: "pop3", starttls: false }, { protocol: "pop3", starttls: true },
  { protocol: "smtp", starttls: false }, { protocol: "smtp", starttls: true }])) {
  describe(`${protocol} with ${starttls ? "STARTTLS" : "TLS"}`, TOGETHER, () => {
    for (const step of /** @type {Step[]} */ (Object.keys(STAGES))) {
      if (!starttls && (step === "plain" || step === "starttls")) continue;
      for (const fault of /** @type {Fault[]} */ (Object.keys(FAILURES))) {
        if (step === "tls" && !["hang", "reset", "close", "garbage"].includes(fault)) continue;
        // Such a line is no part of that answer, or is the whole of it.
        if (fault === "endless lines" && (protocol === "pop3" || step === "greeting")) continue;
        test(`${fault} at ${step}`, async () => {
          const { result, check } = await ask({ protocol, starttls, faults: { [step]: fault } }, { timeoutMs: PATIENCE_MS });
          const { failure, cause } = expected(protocol, step, fault);
          // A reset may come before the client knows that it is connected.
          if (starttls && step === "greeting" && fault === "reset" && result.stage === "connect") return;
          assert.deepEqual([result.stage, result.failure], [STAGES[step], failure], JSON.stringify(result));
          assert.equal(check.causes[0], cause);
          assert.equal(check.status, "fail");
          assert.ok(result.milliseconds.done < PATIENCE_MS + 2000);
          assert.ok(Buffer.byteLength(result.line) <= 512);
        });
      }
    }
  });
}

describe("certificates that are not to be trusted", () => {
  for (const starttls of [false, true]) {
    for (const [fault, cause] of [["expired", "certificate-expired"], ["wrong-name", "certificate-name"], ["self-signed", "intercepted"]]) {
      test(`${fault}, with ${starttls ? "STARTTLS" : "TLS"}`, async () => {
        const { result, check, server } = await ask({ protocol: "imap", starttls, certificate: odd[fault] });
        assert.deepEqual([result.stage, result.failure, result.certificate.fault], ["tls", "certificate", fault]);
        assert.equal(check.causes[0], cause);
        assert.notEqual(result.certificate.name, "");
        assert.match(result.certificate.issuer, fault === "self-signed" ? /CN = localhost/ : /Thunderseal test authority/);
        assert.equal(result.certificate.expires < Date.now() / 1000, fault === "expired");
        assertTokenNotSent(server);
        for (const { secure } of server.heard) assert.equal(secure, "", "nothing at all is said over it");
      });
    }
  }

  test("from an authority that nobody knows: its name is told", async () => {
    const { result, check, server } = await ask({ protocol: "smtp", starttls: true }, { caFile: null });
    assert.deepEqual([result.stage, result.certificate.fault], ["tls", "unknown-issuer"]);
    assert.equal(check.causes[0], "intercepted");
    assert.match(check.evidence.certificate.issuer, /Thunderseal test authority/);
    assertTokenNotSent(server);
  });

  test("a CA file that cannot be read", async () => {
    const { result, server } = await ask({ protocol: "imap" }, { caFile: join(folder, "none.pem") });
    assert.equal(result.stage, "tls");
    assertTokenNotSent(server);
  });

  test("TLS 1.1 alone", async () => {
    const { result, check, server } = await ask({ protocol: "imap", tls: /** @type {any} */ ({ maxVersion: "TLSv1.1", minVersion: "TLSv1", ciphers: "ALL@SECLEVEL=0" }) });
    assert.deepEqual([result.stage, result.failure], ["tls", "tls-failed"]);
    assert.ok(check.causes.includes("old-tls"));
    assertTokenNotSent(server);
  });
});

describe("servers that lie or tamper", () => {
  /** @type {[string, Omit<Options, 'certificate'>, string, string, string][]} */
  const tricks = [
    ["no STARTTLS in IMAP", { protocol: "imap", starttls: true, says: { plain: "* CAPABILITY IMAP4rev1\r\nTAG OK done" } }, "starttls", "no-starttls", "no-starttls"],
    ["no STARTTLS in POP3", { protocol: "pop3", starttls: true, says: { plain: "+OK\r\nUIDL\r\n." } }, "starttls", "no-starttls", "no-starttls"],
    ["no STARTTLS in SMTP", { protocol: "smtp", starttls: true, says: { plain: "250-TEST\r\n250 AUTH XOAUTH2" } }, "starttls", "no-starttls", "no-starttls"],
    ["STARTTLS refused", { protocol: "smtp", starttls: true, says: { starttls: "454 4.7.0 TLS not available" } }, "starttls", "refused", "server-busy"],
    ["text behind the answer to STARTTLS, IMAP", { protocol: "imap", starttls: true, says: { starttls: "TAG OK Begin TLS\r\n* CAPABILITY AUTH=XOAUTH2" } }, "starttls", "early-text", "early-text"],
    ["text behind the answer to STARTTLS, POP3", { protocol: "pop3", starttls: true, says: { starttls: "+OK Begin\r\n+OK\r\nSASL XOAUTH2\r\n." } }, "starttls", "early-text", "early-text"],
    ["text behind the answer to STARTTLS, SMTP", { protocol: "smtp", starttls: true, says: { starttls: "220 ready\r\n250 AUTH XOAUTH2" } }, "starttls", "early-text", "early-text"],
    ["half a line behind the answer to STARTTLS", { protocol: "smtp", starttls: true, says: { starttls: "220 ready\r\n250-half" } }, "starttls", "early-text", "early-text"],
    ["STARTTLS answered before it was asked", { protocol: "imap", starttls: true, says: { greeting: "* OK hi\r\n* CAPABILITY STARTTLS\r\na OK\r\nb OK now" } }, "starttls", "early-text", "early-text"],
    ["PREAUTH under TLS", { protocol: "imap", says: { greeting: "* PREAUTH welcome back" } }, "greeting", "preauth", "preauth"],
    ["PREAUTH before TLS", { protocol: "imap", starttls: true, says: { greeting: "* PREAUTH welcome back" } }, "greeting", "preauth", "preauth"],
    ["no XOAUTH2 in IMAP", { protocol: "imap", says: { capability: "* CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=OAUTHBEARER\r\nTAG OK done" } }, "capability", "no-xoauth2", "no-xoauth2"],
    ["no XOAUTH2 in POP3", { protocol: "pop3", says: { capability: "+OK\r\nSASL PLAIN\r\n." } }, "capability", "no-xoauth2", "no-xoauth2"],
    ["no XOAUTH2 in SMTP", { protocol: "smtp", says: { capability: "250-TEST\r\n250 AUTH LOGIN PLAIN" } }, "capability", "no-xoauth2", "no-xoauth2"],
    ["capabilities refused", { protocol: "imap", says: { capability: "TAG BAD no" } }, "capability", "refused", "server-refuses"],
    ["OK without having seen the token", { protocol: "imap", says: { auth: "TAG OK whatever" } }, "auth", "strange-answer", "other-server"],
    ["a second challenge", { protocol: "imap", says: { token: "+ e30=", refused: "+ e30=" } }, "auth", "strange-answer", "other-server"],
    ["a challenge that is no base64", { protocol: "smtp", says: { token: "334 !!!", refused: "535 5.7.3 Authentication unsuccessful" } }, "auth", "refused", "token-expired"],
    ["SMTP where IMAP was asked", { protocol: "imap", says: { greeting: "220 mail ESMTP" } }, "greeting", "strange-answer", "other-server"],
    ["HTTP where SMTP was asked", { protocol: "smtp", says: { greeting: "HTTP/1.1 400 Bad Request" } }, "greeting", "strange-answer", "other-server"],
    ["a goodbye for a greeting", { protocol: "imap", says: { greeting: "* BYE too busy" } }, "greeting", "refused", "server-refuses"],
  ];
  for (const [name, options, stage, failure, cause] of tricks) {
    test(name, async () => {
      const { result, check, server } = await ask(options);
      assert.deepEqual([result.stage, result.failure], [stage, failure], JSON.stringify(result));
      assert.equal(check.causes[0], cause);
      if (stage !== "auth" || failure === "strange-answer") assert.ok(!server.heard.some((/** @type {{ plain: string }} */ { plain }) => /dXNlcj/.test(plain)));
      if (stage !== "auth") assertTokenNotSent(server);
    });
  }
});

describe("the way there", () => {
  test("nobody listens: stage connect", async () => {
    const server = await startExchange({ protocol: "imap", certificate: certificates.server });
    await server.stop();
    const { result, check } = await probe({ protocol: "imap", port: server.port, caFile: certificates.caFile });
    assert.deepEqual([result.stage, result.failure], ["connect", "unreachable"]);
    assert.equal(check.causes[0], "port-blocked");
  });

  test("no such name: stage dns", async () => {
    const { result, check } = await probe({ protocol: "imap", port: 993, host: `${"a".repeat(72)}.invalid`, caFile: certificates.caFile });
    assert.deepEqual([result.stage, result.failure], ["dns", "unreachable"]);
    assert.equal(check.causes[0], "name-unknown");
  });

  test("closed or reset as soon as it stands", async () => {
    for (const fault of /** @type {const} */ (["close", "reset"])) {
      const tls = await ask({ protocol: "imap", faults: { accept: fault } });
      assert.ok(["connect", "tls"].includes(tls.result.stage), tls.result.stage);
      const plain = await ask({ protocol: "smtp", starttls: true, faults: { accept: fault } });
      assert.ok(["connect", "greeting"].includes(plain.result.stage), plain.result.stage);
    }
  });

  test("through a proxy, which alone can find the server, with TLS and STARTTLS", async () => {
    const proxy = await startProxy({ reach: ({ port }) => ({ host: "127.0.0.1", port: Number(port) }) });
    try {
      for (const starttls of [false, true]) {
        const { result } = await ask({ protocol: "smtp", starttls, certificate: odd["wrong-name"] }, { host: "mail.example.org", proxy: proxy.url() });
        assert.equal(result.stage, "done", JSON.stringify(result));
      }
    } finally {
      await proxy.stop();
    }
  });

  test("a proxy that refuses: stage connect", async () => {
    const proxy = await startProxy({ refuse: "403 Forbidden" });
    try {
      const { result } = await ask({ protocol: "imap" }, { proxy: proxy.url() });
      assert.deepEqual([result.stage, result.failure], ["connect", "unreachable"]);
      assert.match(result.detail, /403/);
    } finally {
      await proxy.stop();
    }
  });
});

test("cancelled at any time", async () => {
  for (const step of /** @type {const} */ (["greeting", "plain", "starttls", "tls", "capability", "auth", "token", "command"])) {
    for (const cancelAfter of [0, 300]) {
      const { answers } = await ask({ protocol: "smtp", starttls: true, faults: { [step]: "hang" } }, { cancelAfter }, runProbes);
      assert.deepEqual(answers, [{ cancelled: true }]);
    }
  }
});

test("eight at once all come to their end, and nothing blocks the loop", async () => {
  const good = await ask({ protocol: "imap" }, { beside: 8, timeoutMs: 20_000 }, runProbes);
  assert.deepEqual(good.answers.map((/** @type {any} */ { result }) => result.stage), Array(8).fill("done"));
  const hanging = await ask({ protocol: "imap", faults: { token: "hang" } }, { beside: 8, timeoutMs: PATIENCE_MS }, runProbes);
  assert.equal(hanging.answers.length, 8);
  assert.ok(hanging.longestGap < 1000, `${hanging.longestGap} ms`);
});
