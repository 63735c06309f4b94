// SPDX-License-Identifier: MPL-2.0

/**
 * Notices when an IMAP server refuses a token. Thunderbird's IMAP code drops the token for nobody (its SMTP code does),
 * so what gives the refusal away is what it tells the user, and in the background, where it tells nothing, that the
 * state of the mailbox becomes unknown. Both come of a connection that breaks in the middle of a login, too.
 */

/* exported RefusedLogins */

const { MailServices: mailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");

/** How Thunderbird calls a failed login by token, in every language. */
const LOGIN_FAILED = "imapOAuth2Error";

var RefusedLogins = class {
  #onRefusal;

  /** @param {(account: string) => void} onRefusal gets the user name at the server, on the main thread */
  constructor(onRefusal) {
    this.#onRefusal = onRefusal;
  }

  watch() {
    mailServices.mailSession.addUserFeedbackListener(this);
    mailServices.mailSession.AddFolderListener(this, Ci.nsIFolderListener.intPropertyChanged);
  }

  stop() {
    mailServices.mailSession.removeUserFeedbackListener(this);
    mailServices.mailSession.RemoveFolderListener(this);
  }

  /** @returns {boolean} whether the user need not be told: never for us to say */
  onAlert(_message, url) {
    if (url instanceof Ci.nsIMsgMailNewsUrl && url.errorCode === LOGIN_FAILED) {
      this.#report(url.server);
    }
    return false;
  }

  onCertError() {}

  onFolderIntPropertyChanged(folder, property, _before, after) {
    if (property === "BiffState" && after === Ci.nsIMsgFolder.nsMsgBiffState_Unknown) {
      this.#report(folder.server);
    }
  }

  #report(server) {
    if (server?.type === "imap") {
      this.#onRefusal(server.username);
    }
  }
};
