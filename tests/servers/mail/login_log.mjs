// SPDX-License-Identifier: MPL-2.0
/**
 * Who logged in or was refused, read from Dovecot's log, which names no token. A refusal stands there once its
 * connection has ended.
 */
const LOGIN = /imap-login: Info: Login: user=<([^>]*)>, method=(\w+)/;
const REFUSED = /imap-login: Info: .*\(auth failed, (\d+) attempts.*user=<([^>]*)>, method=(\w+).*session=<([^>]*)>/;
const REASON = /auth: Info: .*,<([^>]*)>\): (.*)/;

/** @typedef {{ ok: boolean, user: string, protocol: 'imap' | 'smtp', method: string, reason?: string, at: number }} Login */

/** Reads the log line by line. */
export class LoginLog {
  /** @type {Map<string, string>} by session */
  #reasons = new Map();

  /** @param {string} line @returns {Login[]} */
  read(line) {
    const about = { protocol: /** @type {const} */ ("imap"), at: Date.now() };
    const [, user, method] = LOGIN.exec(line) ?? [];
    if (method) return [{ ok: true, user, method, ...about }];
    const [, attempts, refusedUser, refusedMethod, session] = REFUSED.exec(line) ?? [];
    if (session) {
      const refused = { ok: false, user: refusedUser, method: refusedMethod, reason: this.#reasons.get(session), ...about };
      return Array.from({ length: Number(attempts) }, () => refused);
    }
    const [, reasonSession, reason] = REASON.exec(line) ?? [];
    if (reason) this.#reasons.set(reasonSession, reason);
    return [];
  }
}
