// SPDX-License-Identifier: MPL-2.0

/** The mail servers in Thunderbird's settings, each with what may be changed of it, by Thunderbird's own setters. */

/* exported ServerSettings, userValue, setUserValue */

const { setTimeout } = ChromeUtils.importESModule("resource://gre/modules/Timer.sys.mjs");
const { SmtpClient } = ChromeUtils.importESModule("resource:///modules/SmtpClient.sys.mjs");
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");

/** What is set, and what Thunderbird sets along with it: names below the server's branch. */
const INCOMING_PREFS = ["hostname", "userName", "port", "socketType", "authMethod", "isSecure", "name", "clientid", "spamActionTargetAccount"];
/** What a server says of itself, and Thunderbird notes when it has logged in. */
const LEARNED_PREFS = ["serverIDResponse", "namespace.personal", "namespace.public", "namespace.other_users"];
/** What Thunderbird is at may take ten seconds before settings are changed under it all the same. */
const QUIET_LOOK_MS = 50;
const QUIET_LOOKS_MAX = 200;
const OUTGOING_PREFS = ["hostname", "username", "port", "try_ssl", "authMethod", "clientid"];

/**
 * @param {string} name of a preference
 * @returns {string|number|boolean|null} null: it has no user value
 */
function userValue(name) {
  if (!Services.prefs.prefHasUserValue(name)) {
    return null;
  }
  switch (Services.prefs.getPrefType(name)) {
    case Ci.nsIPrefBranch.PREF_INT:
      return Services.prefs.getIntPref(name);
    case Ci.nsIPrefBranch.PREF_BOOL:
      return Services.prefs.getBoolPref(name);
    default:
      return Services.prefs.getStringPref(name);
  }
}

/**
 * @param {string} name of a preference
 * @param {string|number|boolean|null} value as {@link userValue} gave it
 */
function setUserValue(name, value) {
  Services.prefs.clearUserPref(name);
  if (typeof value === "number") {
    Services.prefs.setIntPref(name, value);
  } else if (typeof value === "boolean") {
    Services.prefs.setBoolPref(name, value);
  } else if (value !== null) {
    Services.prefs.setStringPref(name, value);
  }
}

var ServerSettings = class {
  #server;

  /**
   * @param {any} server nsIMsgIncomingServer or nsIMsgOutgoingServer
   * @param {boolean} incoming
   */
  constructor(server, incoming) {
    this.#server = incoming ? server : server.QueryInterface(Ci.nsISmtpServer);
    this.incoming = incoming;
  }

  /** @returns {ServerSettings[]} those of IMAP, POP and SMTP; account set-up tries out others, which belong to no account yet */
  static all() {
    const incoming = MailServices.accounts.allServers.filter(
      server => ["imap", "pop3"].includes(server.type) && MailServices.accounts.findAccountForServer(server),
    );
    const outgoing = MailServices.outgoingServer.servers.filter(({ type }) => type === "smtp");
    return [...incoming.map(server => new ServerSettings(server, true)), ...outgoing.map(server => new ServerSettings(server, false))];
  }

  get key() {
    return this.#server.key;
  }

  get type() {
    return this.#server.type;
  }

  /** Thunderbird 140 spells it with a capital N where mail comes in. */
  get #hostField() {
    return "hostname" in this.#server ? "hostname" : "hostName";
  }

  /** @returns {MailServerSettings} what is in force */
  get settings() {
    const { port, socketType, authMethod, username } = this.#server;
    return { hostname: this.#server[this.#hostField], port, socketType, authMethod, username };
  }

  /** @returns {string|null} what the addresses of its folders begin with; an outgoing server has none */
  get uri() {
    return this.incoming ? this.#server.serverURI : null;
  }

  /** @returns {string|null} the same as long as Thunderbird runs, whatever is changed */
  get sessionUri() {
    return this.incoming ? this.#server.rootFolder.URI : null;
  }

  /** @returns {string[]} addresses of the identities that use it */
  get addresses() {
    const identities = this.incoming
      ? MailServices.accounts.findAccountForServer(this.#server).identities
      : MailServices.accounts.allIdentities.filter(one => MailServices.outgoingServer.getServerByIdentity(one)?.key === this.key);
    return [...new Set(identities.map(({ email }) => email).filter(Boolean))];
  }

  /** @returns {Record<string, string|number|boolean|null>} the preferences that a change touches, by full name */
  get prefs() {
    const branch = `mail.${this.incoming ? "server" : "smtpserver"}.${this.key}.`;
    const names = this.incoming ? [...INCOMING_PREFS, ...LEARNED_PREFS] : OUTGOING_PREFS;
    return Object.fromEntries(names.map(name => [branch + name, userValue(branch + name)]));
  }

  /**
   * Waits until the connections of an IMAP server have nothing to do. Thunderbird finds what still waits for one by the
   * server's name: each that is left at a change takes the place of a connection, until none is left before a restart.
   */
  async settle() {
    if (this.type !== "imap") {
      return;
    }
    const server = this.#server.QueryInterface(Ci.nsIImapIncomingServer);
    // Between two tasks a connection is idle, too.
    let idle = 0;
    for (let looks = 0; looks < QUIET_LOOKS_MAX && idle < 2; looks++) {
      await new Promise(resolve => setTimeout(resolve, QUIET_LOOK_MS));
      idle = server.allConnectionsIdle ? idle + 1 : 0;
    }
  }

  /** @param {MailServerSettings} wanted in force when this returns */
  change({ hostname, port, socketType, authMethod, username }) {
    const server = this.#server;
    server.closeCachedConnections();
    if (server[this.#hostField] !== hostname) {
      server[this.#hostField] = hostname;
    }
    if (server.username !== username) {
      server.username = username;
    }
    server.socketType = socketType;
    server.authMethod = authMethod;
    // Last: it depends on the encryption, and only this makes an outgoing server put its address together anew.
    server.port = port;
    if (this.incoming) {
      server.forgetSessionPassword(false);
    } else {
      server.password = "";
    }
  }

  /**
   * @param {string} hostname
   * @param {string} username
   * @returns {boolean} whether Thunderbird has another server for that; it cannot tell the two apart
   */
  isTaken(hostname, username) {
    const other = this.incoming && MailServices.accounts.findServer(username, hostname, this.type);
    return Boolean(other) && other.key !== this.key;
  }

  /**
   * Logs in as the mail code does: an incoming server is asked for new mail, to an outgoing one nothing is sent.
   * @param {(works: boolean) => void} onEnd may be called more than once
   */
  check(onEnd) {
    return this.incoming ? this.#look(onEnd) : this.#greet(onEnd);
  }

  #look(onEnd) {
    const { rootFolder } = this.#server;
    const inbox = rootFolder.getFolderWithFlags(Ci.nsMsgFolderFlags.Inbox) ?? rootFolder;
    const onStop = (_url, status) => onEnd(status === 0);
    const listener = {
      QueryInterface: ChromeUtils.generateQI(["nsIUrlListener"]),
      // Their names begin in either case, depending on the version.
      onStartRunningUrl() {},
      onStopRunningUrl: onStop,
      OnStartRunningUrl() {},
      OnStopRunningUrl: onStop,
    };
    if (this.type === "imap") {
      // Of getNewMessages() nobody hears the end while the inbox is being looked at already.
      MailServices.imap.selectFolder(inbox, listener, null);
    } else {
      this.#server.getNewMessages(inbox, null, listener);
    }
  }

  /** Thunderbird's own verifyLogon() waits for an event that comes only with a message. */
  #greet(onEnd) {
    const client = new SmtpClient(this.#server.wrappedJSObject);
    client.onidle = () => {
      onEnd(true);
      client.quit();
    };
    client.onerror = () => onEnd(false);
    client.onclose = () => onEnd(false);
    client.connect();
  }
};
