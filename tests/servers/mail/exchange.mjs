// SPDX-License-Identifier: MPL-2.0
/**
 * An IMAP, POP3 or SMTP server that talks as Exchange Online does, says whatever line a test wants at any step, or breaks
 * there. It keeps what it heard before TLS, so that tests can see that nothing secret was in it.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { TLSSocket } from "node:tls";
import { listenOnLoopback } from "../loopback.mjs";

/**
 * The steps of a probe, in order. `plain` is the question for capabilities before TLS, `token` the answer to the token.
 * @typedef {'accept' | 'greeting' | 'plain' | 'starttls' | 'tls' | 'capability' | 'auth' | 'token' | 'refused' | 'command'} Step
 * @typedef {'hang' | 'reset' | 'close' | 'garbage' | 'endless line' | 'endless lines' | 'drip' | 'NUL'} Fault
 * @typedef {{ address: string | undefined, plain: string, secure: string }} Heard
 */

/** @type {Record<string, Record<string, string>>} by protocol and step; TAG is the command's */
const ANSWERS = {
  imap: {
    greeting: "* OK The Microsoft Exchange IMAP4 service is ready. [VABFAFMAVAA=]",
    plain: "* CAPABILITY IMAP4 IMAP4rev1 STARTTLS LOGINDISABLED\r\nTAG OK CAPABILITY completed.",
    starttls: "TAG OK Begin TLS negotiation now.",
    capability: "* CAPABILITY IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS ID UNSELECT CHILDREN IDLE NAMESPACE LITERAL+\r\n"
      + "TAG OK CAPABILITY completed.",
    auth: "+ ",
    token: "TAG OK AUTHENTICATE completed.",
    command: "* LIST (\\HasNoChildren) \"/\" INBOX\r\nTAG OK LIST completed.",
  },
  pop3: {
    greeting: "+OK The Microsoft Exchange POP3 service is ready. [VABFAFMAVAA=]",
    plain: "+OK\r\nTOP\r\nUIDL\r\nSTLS\r\n.",
    starttls: "+OK Begin TLS negotiation.",
    capability: "+OK\r\nTOP\r\nUIDL\r\nSASL PLAIN XOAUTH2\r\nUSER\r\n.",
    auth: "+ ",
    token: "+OK User successfully authenticated.",
    command: "+OK 2 320",
  },
  smtp: {
    greeting: "220 TEST.outlook.office365.com Microsoft ESMTP MAIL Service ready",
    plain: "250-TEST.outlook.office365.com Hello [127.0.0.1]\r\n250-SIZE 157286400\r\n250-STARTTLS\r\n250 SMTPUTF8",
    starttls: "220 2.0.0 SMTP server ready",
    capability: "250-TEST.outlook.office365.com Hello [127.0.0.1]\r\n250-SIZE 157286400\r\n250-AUTH LOGIN XOAUTH2\r\n250 SMTPUTF8",
    auth: "334 ",
    token: "235 2.7.0 Authentication successful",
    command: "250 2.0.0 OK",
  },
};

/** Which step a line of the client leads to. @param {string} protocol @param {boolean} secure @param {Step} last @param {string} line @returns {Step | undefined} */
function stepOf(protocol, secure, last, line) {
  const command = protocol === "imap" ? line.replace(/^\S+ /, "") : line;
  if (last === "auth") return "token";
  if (last === "token" && line === "") return "refused";
  if (/^(CAPABILITY|CAPA|EHLO \[127\.0\.0\.1\])$/.test(command)) return secure ? "capability" : "plain";
  if (/^(STARTTLS|STLS)$/.test(command)) return "starttls";
  if (/^(AUTHENTICATE|AUTH) XOAUTH2$/.test(command)) return "auth";
  if (/^(LIST "" INBOX|STAT|NOOP)$/.test(command)) return "command";
  return undefined;
}

const DRIP_EVERY_MS = 200;

class Connection {
  /** @type {Heard} */
  heard;

  #last = /** @type {Step} */ ("greeting");

  #rest = "";

  #tag = "";

  /** @param {import('node:net').Socket} socket @param {Options & { answers: Record<string, string>, before: (step: Step) => Promise<void> }} options @param {Heard} heard */
  constructor(socket, options, heard) {
    this.raw = socket;
    this.socket = socket;
    this.options = options;
    this.heard = heard;
    this.secure = false;
    this.#use(socket);
  }

  /** @param {import('node:net').Socket} socket */
  #use(socket) {
    this.socket = socket;
    socket.on("error", () => {}); // a client that goes away is what is tested
    socket.on("data", this.#listener);
  }

  #listener = (/** @type {Buffer} */ chunk) => {
    this.heard[this.secure ? "secure" : "plain"] += chunk.toString("latin1");
    this.#rest += chunk.toString("latin1");
    for (let end = this.#rest.indexOf("\r\n"); end >= 0; end = this.#rest.indexOf("\r\n")) {
      const line = this.#rest.slice(0, end);
      this.#rest = this.#rest.slice(end + 2);
      this.#take(line);
    }
  };

  /** @param {string} line */
  #take(line) {
    const step = stepOf(this.options.protocol, this.secure, this.#last, line);
    if (!step) return;
    if (step !== "token" && step !== "refused") this.#tag = line.split(" ")[0];
    this.#last = step;
    this.answer(step).then(() => { if (step === "starttls" && !this.options.faults?.starttls) this.startTls(); });
  }

  startTls() {
    const fault = this.options.faults?.tls;
    this.socket.removeListener("data", this.#listener);
    if (fault) {
      this.raw.once("data", () => this.#fail(fault, "")); // the client's half of the handshake
      return;
    }
    this.#rest = "";
    const { key, cert } = this.options.certificate;
    const secured = new TLSSocket(this.raw, { isServer: true, key, cert, ...this.options.tls });
    this.secure = true;
    this.#use(secured);
    if (!this.options.starttls) secured.once("secure", () => this.answer("greeting"));
  }

  /** @param {Step} step */
  async answer(step) {
    await this.options.before(step);
    const text = (this.options.answers[step] ?? "").replaceAll("TAG", this.#tag).replaceAll("HEARD", this.heard.secure.split("\r\n").at(-2) ?? "");
    const fault = this.options.faults?.[step];
    if (fault) this.#fail(fault, text);
    else this.socket.write(`${text}\r\n`, "latin1");
    if (/^\* BYE/m.test(text) || /^421 /.test(text)) this.socket.end();
  }

  /** @param {Fault} fault @param {string} text */
  #fail(fault, text) {
    const { socket } = this;
    const flood = (/** @type {string} */ piece) => {
      const more = () => { while (!socket.destroyed && socket.write(piece)); };
      socket.on("drain", more);
      more();
    };
    switch (fault) {
      case "hang": break;
      case "reset": this.raw.resetAndDestroy(); break;
      case "close": socket.end(); break;
      case "garbage": socket.write(Buffer.concat([randomBytes(300).map((byte) => byte | 0x80), Buffer.from("\r\n")])); break;
      case "endless line": flood("x".repeat(65536)); break;
      case "endless lines": flood(`${this.options.protocol === "imap" ? "* OK still here" : "250-still here"}\r\n`.repeat(4096)); break;
      case "NUL": socket.write(`${text.slice(0, 8)}\0${text.slice(8)}\r\n`, "latin1"); break;
      case "drip": {
        let at = 0;
        const timer = setInterval(() => { socket.write(text[at % text.length]); at += 1; }, DRIP_EVERY_MS);
        socket.on("close", () => clearInterval(timer));
        break;
      }
    }
  }
}

/**
 * @typedef {object} Options
 * @property {'imap' | 'pop3' | 'smtp'} protocol
 * @property {{ key: string, cert: string }} certificate
 * @property {import('node:tls').TLSSocketOptions} [tls]
 * @property {boolean} [starttls]  else TLS from the first byte
 * @property {Partial<Record<Step, string>>} [says]  lines instead of Exchange's; TAG is the command's tag, HEARD the last line heard
 * @property {Partial<Record<Step, string>>} [saysOverIpv4]  likewise, to who comes over IPv4; IPv4 is open only from the first
 *           answer to `command` on, so that a client comes over IPv6 first
 * @property {Partial<Record<Step, Fault>>} [faults]
 * @property {(step: Step) => unknown} [hold]  the answer waits for this
 */

/** @param {import('node:net').Server} server */
async function listenOnIpv6(server) {
  await once(server.listen(0, "::1"), "listening");
  return { port: /** @type {import('node:net').AddressInfo} */ (server.address()).port, servers: [server] };
}

/** @param {Options} options */
export async function startExchange(options) {
  /** @type {Heard[]} */
  const heard = [];
  /** @type {Set<import('node:net').Socket>} */
  const sockets = new Set();
  const make = () => createServer((socket) => {
    const entry = { address: socket.localAddress, plain: "", secure: "" };
    const answers = { ...ANSWERS[options.protocol], ...options.says, ...(socket.localFamily === "IPv4" ? options.saysOverIpv4 : {}) };
    heard.push(entry);
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    const accept = options.faults?.accept;
    const connection = new Connection(socket, { ...options, answers, before }, entry);
    if (accept === "close") socket.end();
    else if (accept === "reset") socket.resetAndDestroy();
    else if (options.starttls) connection.answer("greeting");
    else connection.startTls();
  });
  const { port, servers } = options.saysOverIpv4 ? await listenOnIpv6(make()) : await listenOnLoopback(make);
  /** @param {Step} step */
  async function before(step) {
    await options.hold?.(step);
    if (step !== "command" || !options.saysOverIpv4 || servers.length > 1) return;
    servers.push(make());
    await once(servers[1].listen(port, "127.0.0.1"), "listening");
  }
  return {
    port,
    heard,
    stop: async () => {
      sockets.forEach((socket) => socket.destroy());
      await Promise.all(servers.map((server) => new Promise((resolve) => { server.close(resolve); })));
    },
  };
}
