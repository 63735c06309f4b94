// SPDX-License-Identifier: MPL-2.0
/**
 * The outgoing server: XOAUTH2 over STARTTLS (as smtp.office365.com) and over TLS; what it takes is kept for the tests.
 * npm smtp-server, because Dovecot's submission service refuses AUTH lines over 1,024 bytes, shorter than a real token.
 */
import { once } from "node:events";
import { SMTPServer } from "smtp-server";
import { listenOnLoopback } from "../loopback.mjs";

/** What Exchange Online answers to a token it does not take, without a challenge before it. */
const EXCHANGE_REFUSAL = { responseCode: 535, message: "5.7.3 Authentication unsuccessful [TEST.prod.outlook.com]" };

/**
 * @typedef {{ user: string, from: string, to: string[], raw: string, subject: string | undefined, at: number }} SentMessage
 * @typedef {{ responseCode: number, message: string }} SmtpAnswer
 * @typedef {object} Orders
 * @property {'exchange' | 'challenge'} refusal  535 at once, or first the 334 challenge that RFC 7628 wants
 * @property {SmtpAnswer | null} authAnswer      given to a login instead of looking at the token
 * @property {number} authTimes                  to how many logins
 * @property {SmtpAnswer | null} mailAnswer      given to every sender
 */

/** @param {SmtpAnswer} answer */
const asError = ({ responseCode, message }) => Object.assign(new Error(message), { responseCode });

/**
 * @param {{ key: string, cert: string, opens: (token: string, user: string) => boolean,
 *           onLogin: (login: import('./login_log.mjs').Login) => void, onMessage: (message: SentMessage) => void }} options
 */
export async function startSmtpServer({ key, cert, opens, onLogin, onMessage }) {
  /** @type {Orders} */
  const orders = { refusal: "exchange", authAnswer: null, authTimes: Infinity, mailAnswer: null };

  /** @type {import('smtp-server').SMTPServerOptions['onAuth']} */
  const onAuth = ({ username = "", accessToken = "" }, _session, callback) => {
    const ordered = orders.authTimes-- > 0 ? orders.authAnswer : null;
    const ok = !ordered && opens(accessToken, username.toLowerCase());
    onLogin({ ok, user: username, protocol: "smtp", method: "XOAUTH2", at: Date.now(), ...(ok ? {} : { reason: ordered?.message ?? "token refused" }) });
    if (ok) callback(null, { user: username });
    else if (ordered) callback(asError(ordered));
    else if (orders.refusal === "exchange") callback(asError(EXCHANGE_REFUSAL));
    else callback(null, { data: { status: "401", schemes: "bearer", scope: "mail" } });
  };

  /** @type {import('smtp-server').SMTPServerOptions['onData']} */
  const onData = (stream, session, callback) => {
    /** @type {Buffer[]} */
    const chunks = [];
    stream.on("data", (/** @type {Buffer} */ chunk) => chunks.push(chunk));
    stream.on("end", () => {
      const raw = Buffer.concat(chunks).toString();
      const { mailFrom, rcptTo } = session.envelope;
      onMessage({
        user: String(session.user), from: mailFrom ? mailFrom.address : "", to: rcptTo.map(({ address }) => address), raw,
        subject: /^subject: (.*?)\r?$/im.exec(raw)?.[1], at: Date.now(),
      });
      callback();
    });
  };

  /** @type {SMTPServer[]} */
  const all = [];
  const make = (/** @type {boolean} */ secure) => () => {
    const server = new SMTPServer({
      secure, key, cert, authMethods: ["XOAUTH2"], disableReverseLookup: true, logger: false, closeTimeout: 200, onAuth, onData,
      onMailFrom: (_address, _session, callback) => callback(orders.mailAnswer ? asError(orders.mailAnswer) : null),
    });
    server.on("error", () => {}); // a client that goes away in the middle is no trouble of ours
    all.push(server);
    return server.server;
  };
  const [{ port }, { port: tlsPort }] = [await listenOnLoopback(make(false)), await listenOnLoopback(make(true))];

  return {
    port,
    tlsPort,
    /** @param {Partial<Orders>} change */
    control: (change) => { Object.assign(orders, change); },
    stop: async () => {
      const listening = all.filter(({ server }) => server.listening);
      const closed = listening.map(({ server }) => once(server, "close"));
      listening.forEach((server) => server.close());
      await Promise.all(closed);
    },
  };
}
