// SPDX-License-Identifier: MPL-2.0
/**
 * Mail servers for tests: Dovecot's IMAP, POP and submission and an SMTP server take the tokens of the test identity provider and nothing
 * else; what is sent goes nowhere, but tests can read it.
 */
import { EventEmitter } from "node:events";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startDovecot } from "./mail/dovecot.mjs";
import { LoginLog } from "./mail/login_log.mjs";
import { startSmtpServer } from "./mail/smtp_server.mjs";
import { giveTo } from "./processes.mjs";

const WAIT_LIMIT_MS = 60_000;

/**
 * @typedef {import('./mail/login_log.mjs').Login} Login
 * @typedef {import('./mail/smtp_server.mjs').SentMessage} SentMessage
 */

/** A list that can be waited for. @template T */
class Chronicle {
  /** @type {T[]} */
  entries = [];

  #changes = new EventEmitter().setMaxListeners(0);

  /** @param {T} entry */
  add(entry) {
    this.entries.push(entry);
    this.#changes.emit("change");
  }

  /**
   * @param {string} what for the message of a wait that came to nothing
   * @param {(entry: T) => boolean} wanted @param {number} count @param {number} timeoutMs
   * @returns {Promise<T[]>}
   */
  waitFor(what, wanted, count = 1, timeoutMs = WAIT_LIMIT_MS) {
    return new Promise((resolve, reject) => {
      const finish = (/** @type {() => void} */ settle) => {
        clearTimeout(timer);
        this.#changes.removeListener("change", look);
        settle();
      };
      const look = () => {
        const found = this.entries.filter(wanted);
        if (found.length >= count) finish(() => resolve(found));
      };
      const timer = setTimeout(() => finish(() => reject(new Error(`no ${what} within ${timeoutMs} ms`))), timeoutMs);
      this.#changes.on("change", look);
      look();
    });
  }
}

/**
 * @param {{ folder: string, identityProvider: import('./identity_provider.mjs').IdentityProvider,
 *           certificates?: import('./certificates.mjs').Certificates, sharedMailboxes?: Record<string, string[]> }} options
 *        `sharedMailboxes`: names of mailboxes, or further names of a user, and who may open them with their own token
 */
export async function startMail({ folder, identityProvider, certificates = identityProvider.certificates, sharedMailboxes = {} }) {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  /** @type {Chronicle<Login>} */
  const logins = new Chronicle();
  /** @type {Chronicle<SentMessage>} */
  const sent = new Chronicle();
  identityProvider.shareMailboxes(sharedMailboxes);

  const { key, cert } = certificates.server;
  const smtp = await startSmtpServer({
    key,
    cert,
    opens: (token, user) => identityProvider.opens(token, user),
    onLogin: (login) => logins.add(login),
    onMessage: (message) => sent.add(message),
  });
  const log = new LoginLog();
  const dovecot = await startDovecot({
    folder,
    // By address: Dovecot asks the system for "localhost", and a bare one has no /etc/hosts.
    introspectionUrl: `https://127.0.0.1:${identityProvider.port}/test/introspect`,
    caFile: await readFile(identityProvider.caFile, "utf8"),
    key,
    cert,
    mailboxes: sharedMailboxes,
    relayPort: smtp.port,
    onLine: (line) => log.read(line).forEach((login) => logins.add(login)),
  }).catch(async (error) => {
    await smtp.stop();
    throw error;
  });
  const home = (/** @type {string} */ user) => join(folder, "dovecot", "home", user);
  let delivered = 0;

  return {
    /** `port` speaks TLS from the first byte */
    imap: { host: "localhost", port: dovecot.ports.imaps, startTlsPort: dovecot.ports.imap },
    pop3: { host: "localhost", port: dovecot.ports.pop3s, startTlsPort: dovecot.ports.pop3 },
    /**
     * Dovecot's own. A token may have 8,192 bytes where it is sent in a line of its own, as the health check does, but only
     * some 700 behind AUTH XOAUTH2, where Thunderbird puts it: a command line has 1,024.
     */
    submission: { host: "localhost", port: dovecot.ports.submission, tlsPort: dovecot.ports.submissions },
    /** `port` wants STARTTLS, as smtp.office365.com */
    smtp: { host: "localhost", port: smtp.port, tlsPort: smtp.tlsPort },
    /** Odd answers of the SMTP server: mail/smtp_server.mjs. */
    controlSmtp: smtp.control,
    caFile: identityProvider.caFile,
    logFile: join(folder, "dovecot.log"),

    /** Puts a message into the user's inbox. @param {string} user @param {string} text */
    deliver: async (user, text) => {
      const maildir = join(home(user), "mail");
      for (const name of ["tmp", "new", "cur"]) await mkdir(join(maildir, name), { recursive: true, mode: 0o700 });
      delivered += 1;
      const name = `${Date.now()}.${process.pid}_${delivered}.localhost`;
      await writeFile(join(maildir, "tmp", name), text.replace(/\r?\n/g, "\r\n"));
      await giveTo(home(user), dovecot.identity);
      await rename(join(maildir, "tmp", name), join(maildir, "new", name));
    },
    /** Removes all messages from the user's inbox. @param {string} user */
    erase: async (user) => {
      for (const name of ["new", "cur"]) await rm(join(home(user), "mail", name), { recursive: true });
    },
    /** The messages in a folder, unordered. @param {string} user @param {string} [mailbox] */
    messages: async (user, mailbox = "INBOX") => {
      const maildir = join(home(user), "mail", ...(mailbox === "INBOX" ? [] : [`.${mailbox}`]));
      const names = await Promise.all(["new", "cur"].map(async (part) => (
        (await readdir(join(maildir, part)).catch(() => [])).map((name) => join(maildir, part, name)))));
      return Promise.all(names.flat().map((name) => readFile(name, "utf8")));
    },

    sent: () => sent.entries,
    logins: () => logins.entries,
    /** @param {{ user?: string, protocol?: 'imap' | 'smtp', ok?: boolean, count?: number, timeoutMs?: number }} [wanted] */
    waitForLogin: ({ user, protocol, ok = true, count, timeoutMs } = {}) => logins.waitFor("login", (login) => (
      login.ok === ok && (!user || login.user === user) && (!protocol || login.protocol === protocol)), count, timeoutMs),
    /** @param {{ from?: string, to?: string, subject?: string, count?: number, timeoutMs?: number }} [wanted] */
    waitForSent: ({ from, to, subject, count, timeoutMs } = {}) => sent.waitFor("message", (message) => (
      (!from || message.from === from) && (!to || message.to.includes(to)) && (!subject || message.subject === subject)), count, timeoutMs),

    stop: async () => {
      await dovecot.stop();
      await smtp.stop();
    },
  };
}

/** @typedef {Awaited<ReturnType<typeof startMail>>} Mail */
