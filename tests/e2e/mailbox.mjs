// SPDX-License-Identifier: MPL-2.0

/** Thunderbird's mail as a test uses it: fetch, wait for a message, open it, send one. */

/* global ChromeUtils, Services, Cc, Ci, Components */

import assert from "node:assert/strict";
import { DialogOpened } from "./marionette.mjs";

/**
 * Runs in Thunderbird: resolves when the account's inbox holds a message with the subject.
 * @param {string} user
 * @param {string} subject
 * @param {number} deadlineMs
 */
async function waitForMessage(user, subject, deadlineMs) {
  const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
  const { setTimeout, clearTimeout } = ChromeUtils.importESModule("resource://gre/modules/Timer.sys.mjs");
  const server = MailServices.accounts.allServers.find(one => one.username === user);
  const found = () => {
    const inbox = server.rootFolder.getFolderWithFlags(Ci.nsMsgFolderFlags.Inbox);
    return inbox && [...inbox.messages].some(header => header.mime2DecodedSubject === subject);
  };
  if (found()) {
    return;
  }
  await new Promise((resolve, reject) => {
    const listener = {
      msgAdded(header) {
        if (header.folder.server === server && header.mime2DecodedSubject === subject) {
          done(resolve);
        }
      },
    };
    const deadline = setTimeout(() => done(reject, new Error(`no message "${subject}" for ${user}`)), deadlineMs);
    const done = (settle, value) => {
      clearTimeout(deadline);
      MailServices.mfn.removeListener(listener);
      settle(value);
    };
    MailServices.mfn.addListener(listener, MailServices.mfn.msgAdded);
  });
}

/**
 * Runs in Thunderbird: asks the server for new mail as the background check does.
 * @param {string} user
 */
async function checkMail(user) {
  const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
  MailServices.accounts.allServers.find(one => one.username === user).performBiff(null);
}

/**
 * Runs in Thunderbird: asks for new mail as the user does, who is told when it fails.
 * @param {string} user
 */
async function getMessages(user) {
  const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
  const server = MailServices.accounts.allServers.find(one => one.username === user);
  const inbox = server.rootFolder.getFolderWithFlags(Ci.nsMsgFolderFlags.Inbox);
  server.getNewMessages(inbox, Services.wm.getMostRecentWindow("mail:3pane").msgWindow, null);
}

/**
 * Runs in Thunderbird: closes the open connections when they have done their work, so that the next check logs in anew. A
 * letter that is delivered before may come over one of them, as the server tells of it.
 * @param {string} user
 */
async function disconnect(user) {
  const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
  const { setTimeout } = ChromeUtils.importESModule("resource://gre/modules/Timer.sys.mjs");
  const server = MailServices.accounts.allServers.find(one => one.username === user);
  // No event tells of it; one that is cut before looks like one whose token was refused.
  for (let idle = 0; server.type === "imap" && idle < 2;) {
    await new Promise(resolve => setTimeout(resolve, 50));
    idle = server.QueryInterface(Ci.nsIImapIncomingServer).allConnectionsIdle ? idle + 1 : 0;
  }
  server.closeCachedConnections();
}

/**
 * Runs in Thunderbird: sends a plain message and resolves when the server took it.
 * @param {string} user
 * @param {{to: string, subject: string, text: string}} message
 */
async function send(user, { to, subject, text }) {
  const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
  const identity = MailServices.accounts.allIdentities.find(one => one.email === user);
  const fields = Cc["@mozilla.org/messengercompose/composefields;1"].createInstance(Ci.nsIMsgCompFields);
  fields.from = identity.fullAddress;
  fields.to = to;
  fields.subject = subject;
  const sender = Cc["@mozilla.org/messengercompose/send;1"].createInstance(Ci.nsIMsgSend);
  await new Promise((resolve, reject) => {
    const listener = {
      QueryInterface: ChromeUtils.generateQI(["nsIMsgSendListener"]),
      onStartSending() {},
      onProgress() {},
      onSendProgress() {},
      onStatus() {},
      onGetDraftFolderURI() {},
      onSendNotPerformed() {},
      onTransportSecurityError() {},
      onStopSending: (_id, status) =>
        Components.isSuccessCode(status) ? resolve(undefined) : reject(new Error(`sending failed: ${status.toString(16)}`)),
    };
    const account = MailServices.accounts.findAccountForServer(MailServices.accounts.allServers.find(one => one.username === user));
    sender.createAndSendMessage(
      null, identity, account.key, fields, false, false, Ci.nsIMsgSend.nsMsgDeliverNow,
      null, "text/plain", text, null, null, listener, "", "", Ci.nsIMsgCompType.New,
    );
  });
}

/** Runs in Thunderbird: when it asks next what to do about a failed login, "Retry" is pressed. */
async function retryNextLogin() {
  const press = dialog => {
    Services.obs.removeObserver(press, "common-dialog-loaded");
    dialog.Dialog.ui.button0.click();
  };
  Services.obs.addObserver(press, "common-dialog-loaded");
}

/**
 * Runs in Thunderbird: shows a message in the main window and waits until its text is drawn.
 * @param {string} user
 * @param {string} subject
 */
async function openMessage(user, subject) {
  const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
  const { MailUtils } = ChromeUtils.importESModule("resource:///modules/MailUtils.sys.mjs");
  const main = Services.wm.getMostRecentWindow("mail:3pane");
  const server = MailServices.accounts.allServers.find(one => one.username === user);
  const inbox = server.rootFolder.getFolderWithFlags(Ci.nsMsgFolderFlags.Inbox);
  const header = [...inbox.messages].find(one => one.mime2DecodedSubject === subject);
  const about3Pane = main.document.getElementById("tabmail").currentAbout3Pane;
  about3Pane.paneLayout.messagePaneVisible = true;
  const aboutMessage = about3Pane.messageBrowser.contentWindow;
  const loaded = new Promise(resolve => aboutMessage.addEventListener("MsgLoaded", resolve, { once: true }));
  MailUtils.displayMessageInFolderTab(header);
  await loaded;
  // The row in the list is filled some time after the message is drawn.
  const list = about3Pane.document.getElementById("threadTree");
  const filled = () => [...list.querySelectorAll(".subject, .subject-line")].some(one => one.textContent.includes(subject));
  await new Promise(resolve => {
    const observer = new about3Pane.MutationObserver(look);
    function look() {
      if (filled()) {
        observer.disconnect();
        resolve(undefined);
      }
    }
    observer.observe(list, { subtree: true, childList: true, characterData: true, attributes: true });
    look();
  });
  await new Promise(resolve => main.requestAnimationFrame(() => main.requestAnimationFrame(resolve)));
}

/**
 * Runs in Thunderbird: asks for a token as the mail code does before it logs in.
 * @param {string} user
 * @param {boolean} withUI whether the user asked for mail, so that a browser may open
 * @param {string} hostname
 * @param {string} type of the server
 */
async function hasToken(user, withUI, hostname, type) {
  const { OAuth2Module } = ChromeUtils.importESModule("resource:///modules/OAuth2Module.sys.mjs");
  const module = new OAuth2Module();
  if (!module.initFromHostname(hostname, user, type)) {
    throw new Error(`no OAuth2 for ${type} at ${hostname}`);
  }
  return new Promise(resolve => {
    module.connect(withUI, { onSuccess: () => resolve(true), onFailure: () => resolve(false) });
  });
}

/**
 * Runs in Thunderbird: forgets the token as the SMTP code does when a server refuses it.
 * @param {string} user
 */
async function forgetToken(user) {
  const { OAuth2Module } = ChromeUtils.importESModule("resource:///modules/OAuth2Module.sys.mjs");
  const module = new OAuth2Module();
  module.initFromHostname("smtp.office365.com", user, "smtp");
  module._oauth.accessToken = null;
}

/** Runs in Thunderbird. */
async function storedLogins() {
  const logins = await Services.logins.getAllLogins();
  return logins.map(login => `${login.origin} ${login.username}`);
}

export class Mailbox {
  #marionette;

  /** @param {import("./marionette.mjs").Marionette} marionette */
  constructor(marionette) {
    this.#marionette = marionette;
  }

  /**
   * @param {string} user
   * @param {string} subject
   */
  waitForMessage(user, subject, deadlineMs = 50_000) {
    return this.#marionette.chrome(waitForMessage, user, subject, deadlineMs);
  }

  /** @param {string} user */
  check(user) {
    return this.#marionette.chrome(checkMail, user);
  }

  /** @param {string} user */
  getMessages(user) {
    return this.#marionette.chrome(getMessages, user);
  }

  /** @param {string} user */
  disconnect(user) {
    return this.#marionette.chrome(disconnect, user);
  }

  /**
   * @param {string} user
   * @param {{to: string, subject: string, text: string}} message
   */
  send(user, message) {
    return this.#marionette.chrome(send, user, message);
  }

  /**
   * Sends where the login fails first. Returns before the message is sent.
   * @param {string} user
   * @param {{to: string, subject: string, text: string}} message
   */
  async sendWithRetry(user, message) {
    await this.#marionette.chrome(retryNextLogin);
    await assert.rejects(this.send(user, message), DialogOpened);
  }

  /**
   * @param {string} user
   * @param {string} subject
   */
  open(user, subject) {
    return this.#marionette.chrome(openMessage, user, subject);
  }

  /**
   * @param {string} user
   * @param {{withUI?: boolean, hostname?: string, type?: string}} [options]
   * @returns {Promise<boolean>} whether Thunderbird's mail code gets a token
   */
  hasToken(user, { withUI = false, hostname = "outlook.office365.com", type = "imap" } = {}) {
    return this.#marionette.chrome(hasToken, user, withUI, hostname, type);
  }

  /** @param {string} user */
  forgetToken(user) {
    return this.#marionette.chrome(forgetToken, user);
  }

  /** @returns {Promise<string[]>} what Thunderbird's password store holds */
  storedLogins() {
    return this.#marionette.chrome(storedLogins);
  }
}
