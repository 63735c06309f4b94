// SPDX-License-Identifier: MPL-2.0
/** Servers that break, lie or tamper at every step: the right stage and cause, within time and bounds, and no secret lost. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { makeCertificates } from "../servers/certificates.mjs";
import {
  assertNothingSecretBeforeTls, assertTokenNotSent, breaksOf, CERTIFICATE_CAUSES, oddCertificates, TRICKS, WAYS,
} from "../servers/mail/breaks.mjs";
import { startExchange } from "../servers/mail/exchange.mjs";
import { startProxy } from "../servers/proxy.mjs";
import { probe, runProbes } from "./probe.mjs";

/** Long enough to reach any step on a busy machine. */
const PATIENCE_MS = 4000;
/** Many wait for a time-out at once, which costs nothing. */
const TOGETHER = { concurrency: 6 };

/** @type {string} */
let folder;
/** @type {import('../servers/certificates.mjs').Certificates} */
let certificates;
/** @type {Record<string, { key: string, cert: string }>} */
let odd;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "ts-probe-"));
  certificates = await makeCertificates({ folder });
  odd = await oddCertificates(certificates);
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

for (const { protocol, starttls } of WAYS) {
  describe(`${protocol} with ${starttls ? "STARTTLS" : "TLS"}`, TOGETHER, () => {
    for (const { name, options, stage, failure, cause, maybe } of breaksOf(protocol, starttls)) {
      test(name, async () => {
        const { result, check } = await ask(options, { timeoutMs: PATIENCE_MS });
        if (result.stage === maybe) return;
        assert.deepEqual([result.stage, result.failure], [stage, failure], JSON.stringify(result));
        assert.equal(check.causes[0], cause);
        assert.equal(check.status, "fail");
        assert.ok(result.milliseconds.done < PATIENCE_MS + 2000);
        assert.ok(Buffer.byteLength(result.line) <= 512);
      });
    }
  });
}

describe("certificates that are not to be trusted", () => {
  for (const starttls of [false, true]) {
    for (const [fault, cause] of CERTIFICATE_CAUSES) {
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
  for (const { name, options, stage, failure, cause } of TRICKS) {
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
