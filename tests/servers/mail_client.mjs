// SPDX-License-Identifier: MPL-2.0
/**
 * The few lines of IMAP and SMTP that show whether a token opens a mailbox and sends a message.
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect as connectPlain } from "node:net";
import { connect as connectTls } from "node:tls";

/** @typedef {{ host: string, port: number, caFile: string }} Server */

/** @param {string} user @param {string} token */
export const xoauth2 = (user, token) => Buffer.from(`user=${user}\x01auth=Bearer ${token}\x01\x01`).toString("base64");

/** Lines from a socket, and lines to it. */
class Conversation {
  #buffer = "";

  #ended = false;

  #wake = () => {};

  /** @type {string[]} */
  transcript = [];

  /** @param {import('node:net').Socket} socket */
  constructor(socket) {
    this.socket = socket;
    this.#receive = (chunk) => { this.#buffer += chunk; this.#wake(); };
    socket.on("data", this.#receive);
    for (const event of ["end", "close", "error"]) socket.on(event, () => { this.#ended = true; this.#wake(); });
  }

  /** @type {(chunk: Buffer) => void} */
  #receive;

  /** @returns {Promise<string>} the next line, or '' at the end of the connection */
  async line() {
    for (;;) {
      const end = this.#buffer.indexOf("\r\n");
      if (end >= 0) {
        const line = this.#buffer.slice(0, end);
        this.#buffer = this.#buffer.slice(end + 2);
        this.transcript.push(line);
        return line;
      }
      if (this.#ended) return "";
      await new Promise((resolve) => { this.#wake = () => resolve(undefined); });
    }
  }

  /** Leaves the socket to a TLS session. */
  release() {
    this.socket.removeListener("data", this.#receive);
    return this.socket;
  }

  /** Reads up to the first line that fits. @param {RegExp} pattern */
  async until(pattern) {
    for (;;) {
      const line = await this.line();
      if (pattern.test(line) || line === "") return line;
    }
  }

  /** @param {string} line @param {RegExp} answer */
  ask(line, answer) {
    this.socket.write(`${line}\r\n`);
    return this.until(answer);
  }

  close() {
    this.socket.destroy();
  }
}

/** @param {Server} server @param {import('node:net').Socket} [plain] */
async function secure({ host, port, caFile }, plain) {
  const socket = connectTls({ ...(plain ? { socket: plain } : { host, port }), servername: "localhost", ca: readFileSync(caFile) });
  await once(socket, "secureConnect");
  return new Conversation(socket);
}

/**
 * Logs in with XOAUTH2 and looks at the inbox.
 * @param {Server} server @param {{ user: string, token: string }} who
 * @returns {Promise<{ ok: boolean, answer: string, challenge?: any, exists?: number }>} `challenge`: what a refusal explains
 */
export async function imapLogin(server, { user, token }) {
  const imap = await secure(server);
  try {
    await imap.until(/^\* OK/);
    const first = await imap.ask(`a AUTHENTICATE XOAUTH2 ${xoauth2(user, token)}`, /^a |^\+ /);
    if (first.startsWith("+")) {
      const challenge = JSON.parse(Buffer.from(first.slice(2), "base64").toString());
      return { ok: false, challenge, answer: await imap.ask("", /^a /) };
    }
    if (!first.startsWith("a OK")) return { ok: false, answer: first };
    await imap.ask("b SELECT INBOX", /^b /);
    const exists = imap.transcript.find((line) => / EXISTS$/.test(line));
    await imap.ask("c LOGOUT", /^c /);
    return { ok: true, answer: first, exists: Number(exists?.split(" ")[1]) };
  } finally {
    imap.close();
  }
}

/** @param {Server} server @param {boolean} startTls */
async function smtpGreeting(server, startTls) {
  if (!startTls) {
    const smtp = await secure(server);
    await smtp.until(/^220 /);
    return smtp;
  }
  const socket = connectPlain(server.port, server.host);
  await once(socket, "connect");
  const plain = new Conversation(socket);
  await plain.until(/^220 /);
  await plain.ask("EHLO localhost", /^250 /);
  await plain.ask("STARTTLS", /^220 /);
  return secure(server, plain.release());
}

/**
 * Sends one message with XOAUTH2.
 * @param {Server} server
 * @param {{ user: string, token: string, from: string, to: string, text: string, startTls?: boolean }} message
 * @returns {Promise<{ ok: boolean, answer: string }>}
 */
export async function smtpSend(server, { user, token, from, to, text, startTls = true }) {
  const smtp = await smtpGreeting(server, startTls);
  try {
    await smtp.ask("EHLO localhost", /^250 /);
    const first = await smtp.ask(`AUTH XOAUTH2 ${xoauth2(user, token)}`, /^\d{3} /);
    if (first.startsWith("334")) return { ok: false, answer: await smtp.ask("", /^\d{3} /) };
    if (!first.startsWith("235")) return { ok: false, answer: first };
    for (const [line, expected] of [[`MAIL FROM:<${from}>`, "250"], [`RCPT TO:<${to}>`, "250"], ["DATA", "354"]]) {
      const answer = await smtp.ask(line, /^\d{3} /);
      if (!answer.startsWith(expected)) return { ok: false, answer };
    }
    const answer = await smtp.ask(`${text.replace(/\r?\n/g, "\r\n")}\r\n.`, /^\d{3} /);
    return { ok: answer.startsWith("250"), answer };
  } finally {
    smtp.close();
  }
}
