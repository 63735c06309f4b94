// SPDX-License-Identifier: MPL-2.0
/** Every way in which startExchange breaks, lies or tampers, and what a check is to make of it. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

/** @typedef {import('./exchange.mjs').Options} Options @typedef {Omit<Options, 'certificate'>} Behaviour */

/** Each protocol, with TLS from the first byte and with STARTTLS. */
export const WAYS = /** @type {{ protocol: Options['protocol'], starttls: boolean }[]} */ (
  ["imap", "pop3", "smtp"].flatMap((protocol) => [false, true].map((starttls) => ({ protocol, starttls }))));

/** Where a probe is when the server breaks at a step. */
const STAGES = {
  greeting: "greeting", plain: "starttls", starttls: "starttls", tls: "tls", capability: "capability", auth: "auth", token: "auth", command: "command",
};
const FAILURES = {
  hang: "timed-out", drip: "timed-out", reset: "closed", close: "closed", garbage: "strange-answer", NUL: "strange-answer",
  "endless line": "too-long", "endless lines": "too-long",
};
const CAUSES = /** @type {Record<string, string>} */ ({ "timed-out": "slow", closed: "closed", "strange-answer": "other-server", "too-long": "other-server" });

/** @typedef {keyof typeof STAGES} Step @typedef {keyof typeof FAILURES} Fault */

/** @param {Options['protocol']} protocol @param {Step} step @param {Fault} fault */
function failureOf(protocol, step, fault) {
  if (step === "tls") return fault === "hang" ? "timed-out" : "tls-failed";
  // A line that is none of IMAP's may be the rest of a literal in the answer to LIST.
  return protocol === "imap" && step === "command" && fault === "garbage" ? "timed-out" : FAILURES[fault];
}

/** @param {Options['protocol']} protocol @param {boolean} starttls @param {Step} step @param {Fault} fault */
function isPossible(protocol, starttls, step, fault) {
  if (!starttls && (step === "plain" || step === "starttls")) return false;
  if (step === "tls") return ["hang", "reset", "close", "garbage"].includes(fault);
  // Such a line is no part of that answer, or is the whole of it.
  return fault !== "endless lines" || (protocol !== "pop3" && step !== "greeting");
}

/**
 * A server that breaks at a step. `maybe`: as far as a client may come without noticing that it is connected.
 * @typedef {{ name: string, options: Behaviour, stage: string, failure: string, cause: string, maybe?: string }} Break
 */

/** Of one protocol and way to TLS. @param {Options['protocol']} protocol @param {boolean} starttls @returns {Break[]} */
export const breaksOf = (protocol, starttls) => /** @type {Step[]} */ (Object.keys(STAGES)).flatMap((step) => (
  /** @type {Fault[]} */ (Object.keys(FAILURES)).filter((fault) => isPossible(protocol, starttls, step, fault)).map((fault) => {
    const failure = failureOf(protocol, step, fault);
    return {
      name: `${fault} at ${step}`, options: { protocol, starttls, faults: { [step]: fault } }, stage: STAGES[step], failure,
      cause: step === "tls" ? "tls-broken" : CAUSES[failure], ...(starttls && step === "greeting" && fault === "reset" ? { maybe: "connect" } : {}),
    };
  })));

/**
 * @typedef {{ name: string, options: Behaviour, stage: string, failure: string, cause: string, good?: string, status?: 'warn' }} Trick
 *          `good`, `status`: as in exchange_lines.mjs
 */

/** @type {Trick[]} */
export const TRICKS = [
  { name: "no STARTTLS in IMAP", stage: "starttls", failure: "no-starttls", cause: "no-starttls",
    options: { protocol: "imap", starttls: true, says: { plain: "* CAPABILITY IMAP4rev1\r\nTAG OK done" } } },
  { name: "no STARTTLS in POP3", stage: "starttls", failure: "no-starttls", cause: "no-starttls",
    options: { protocol: "pop3", starttls: true, says: { plain: "+OK\r\nUIDL\r\n." } } },
  { name: "no STARTTLS in SMTP", stage: "starttls", failure: "no-starttls", cause: "no-starttls",
    options: { protocol: "smtp", starttls: true, says: { plain: "250-TEST\r\n250 AUTH XOAUTH2" } } },
  { name: "STARTTLS refused", stage: "starttls", failure: "refused", cause: "server-busy", status: "warn",
    options: { protocol: "smtp", starttls: true, says: { starttls: "454 4.7.0 TLS not available" } } },
  { name: "text behind the answer to STARTTLS, IMAP", stage: "starttls", failure: "early-text", cause: "early-text",
    options: { protocol: "imap", starttls: true, says: { starttls: "TAG OK Begin TLS\r\n* CAPABILITY AUTH=XOAUTH2" } } },
  { name: "text behind the answer to STARTTLS, POP3", stage: "starttls", failure: "early-text", cause: "early-text",
    options: { protocol: "pop3", starttls: true, says: { starttls: "+OK Begin\r\n+OK\r\nSASL XOAUTH2\r\n." } } },
  { name: "text behind the answer to STARTTLS, SMTP", stage: "starttls", failure: "early-text", cause: "early-text",
    options: { protocol: "smtp", starttls: true, says: { starttls: "220 ready\r\n250 AUTH XOAUTH2" } } },
  { name: "half a line behind the answer to STARTTLS", stage: "starttls", failure: "early-text", cause: "early-text",
    options: { protocol: "smtp", starttls: true, says: { starttls: "220 ready\r\n250-half" } } },
  { name: "STARTTLS answered before it was asked", stage: "starttls", failure: "early-text", cause: "early-text",
    options: { protocol: "imap", starttls: true, says: { greeting: "* OK hi\r\n* CAPABILITY STARTTLS\r\na OK\r\nb OK now" } } },
  { name: "PREAUTH under TLS", stage: "greeting", failure: "preauth", cause: "preauth",
    options: { protocol: "imap", says: { greeting: "* PREAUTH welcome back" } } },
  { name: "PREAUTH before TLS", stage: "greeting", failure: "preauth", cause: "preauth",
    options: { protocol: "imap", starttls: true, says: { greeting: "* PREAUTH welcome back" } } },
  { name: "no XOAUTH2 in IMAP", stage: "capability", failure: "no-xoauth2", cause: "no-xoauth2",
    options: { protocol: "imap", says: { capability: "* CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=OAUTHBEARER\r\nTAG OK done" } } },
  { name: "no XOAUTH2 in POP3", stage: "capability", failure: "no-xoauth2", cause: "no-xoauth2",
    options: { protocol: "pop3", says: { capability: "+OK\r\nSASL PLAIN\r\n." } } },
  { name: "no XOAUTH2 in SMTP", stage: "capability", failure: "no-xoauth2", cause: "no-xoauth2",
    options: { protocol: "smtp", says: { capability: "250-TEST\r\n250 AUTH LOGIN PLAIN" } } },
  { name: "capabilities refused", stage: "capability", failure: "refused", cause: "server-refuses",
    options: { protocol: "imap", says: { capability: "TAG BAD no" } } },
  { name: "OK without having seen the token", stage: "auth", failure: "strange-answer", cause: "other-server",
    options: { protocol: "imap", says: { auth: "TAG OK whatever" } } },
  { name: "a second challenge", stage: "auth", failure: "strange-answer", cause: "other-server",
    options: { protocol: "imap", says: { token: "+ e30=", refused: "+ e30=" } } },
  { name: "a challenge that is no base64", stage: "auth", failure: "refused", cause: "token-expired", good: "smtp-auth-disabled-mailbox",
    options: { protocol: "smtp", says: { token: "334 !!!", refused: "535 5.7.3 Authentication unsuccessful" } } },
  { name: "SMTP where IMAP was asked", stage: "greeting", failure: "strange-answer", cause: "other-server",
    options: { protocol: "imap", says: { greeting: "220 mail ESMTP" } } },
  { name: "HTTP where SMTP was asked", stage: "greeting", failure: "strange-answer", cause: "other-server",
    options: { protocol: "smtp", says: { greeting: "HTTP/1.1 400 Bad Request" } } },
  { name: "a goodbye for a greeting", stage: "greeting", failure: "refused", cause: "server-refuses",
    options: { protocol: "imap", says: { greeting: "* BYE too busy" } } },
];

/** Certificates that are not to be trusted, by what is wrong with them. @param {import('../certificates.mjs').Certificates} certificates */
export async function oddCertificates({ folder, issue }) {
  const [keyFile, certFile] = [join(folder, "self.key"), join(folder, "self.pem")];
  await promisify(execFile)("openssl", [
    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", keyFile, "-out", certFile, "-days", "3",
    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
  ]);
  return {
    expired: await issue("expired", ["localhost"], true),
    "wrong-name": await issue("other", ["mail.example.org"]),
    "self-signed": { key: await readFile(keyFile, "utf8"), cert: await readFile(certFile, "utf8") },
  };
}

/** The likeliest cause of each. @type {['expired' | 'wrong-name' | 'self-signed', string][]} */
export const CERTIFICATE_CAUSES = [["expired", "certificate-expired"], ["wrong-name", "certificate-name"], ["self-signed", "intercepted"]];

/** What was said in the clear: without TLS records (RFC 8446 §5.1), whose random bytes may look like anything. @param {string} bytes @returns {string} */
function clearText(bytes) {
  const byte = (/** @type {number} */ at) => bytes.charCodeAt(at);
  for (let at = 0; at + 5 <= bytes.length; at++) {
    if (byte(at) >= 20 && byte(at) <= 23 && byte(at + 1) === 3) {
      return bytes.slice(0, at) + clearText(bytes.slice(at + 5 + byte(at + 3) * 256 + byte(at + 4)));
    }
  }
  return bytes;
}

/** That the server heard nothing secret before TLS. @param {{ heard: import('./exchange.mjs').Heard[] }} server @param {string[]} [tokens] */
export function assertNothingSecretBeforeTls({ heard }, tokens = []) {
  for (const { plain } of heard) {
    assert.doesNotMatch(clearText(plain), /AUTH|dXNlcj|eyJ|@|NOOP|LIST|STAT$/m);
    for (const token of tokens) assert.ok(!plain.includes(token.slice(0, 16)));
  }
}

/** That the token went to nobody. @param {{ heard: import('./exchange.mjs').Heard[] }} server */
export function assertTokenNotSent({ heard }) {
  for (const { plain, secure } of heard) assert.doesNotMatch(plain + secure, /dXNlcj/);
}
