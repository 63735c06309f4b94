// SPDX-License-Identifier: MPL-2.0

/**
 * Changes the settings of mail servers at Microsoft, and puts the old ones back as they were. What the preferences
 * were, or that they had no value, stands in a preference of ours until then.
 */

/* exported ServerChanges */

const { ExtensionUtils } = ChromeUtils.importESModule("resource://gre/modules/ExtensionUtils.sys.mjs");
const { clearTimeout, setTimeout } = ChromeUtils.importESModule("resource://gre/modules/Timer.sys.mjs");

const { ExtensionError } = ExtensionUtils;

/** A login and a look for new mail; a mailbox may be large. */
const CHECK_DEADLINE_MS = 60_000;
/** Thunderbird may lose what it is asked for while connections are closing, and nobody hears of that. */
const ASK_AGAIN_MS = 10_000;

/** Nothing but these may be set: the mail servers of Microsoft's clouds, host/core/cloud.c. */
const HOSTS = new Set([
  "outlook.office365.com",
  "smtp.office365.com",
  "smtp-mail.outlook.com",
  "outlook.office365.us",
  "smtp.office365.us",
  "outlook-dod.office365.us",
  "webmail.apps.mil",
  "partner.outlook.cn",
  "smtp.partner.outlook.cn",
]);

/** Whatever lies below these is Microsoft's, under a right name or a wrong one. */
const DOMAINS = ["office365.com", "office.com", "outlook.com", "hotmail.com", "live.com", "office365.us", "apps.mil", "partner.outlook.cn"];

/** Below these an organisation's devices hand in mail without any sign-in: such a server is as it should be. */
const RELAYS = /(^|\.)mail\.protection\./;

const HOST_NAME = /^[a-z0-9-]+(\.[a-z0-9-]+)*$/;
const ADDRESS = /^[^@\p{Cc}\s\\]+@[^@\p{Cc}\s\\]+$/u;
const PORT_MAX = 65_535;

const SOCKET_TYPES = { tls: Ci.nsMsgSocketType.SSL, starttls: Ci.nsMsgSocketType.alwaysSTARTTLS };

/**
 * @param {string[]} hosts of the policy's own cloud
 * @returns {string[]}
 */
function checkedHosts(hosts) {
  const names = hosts.map(host => host.toLowerCase());
  if (!names.every(name => HOST_NAME.test(name))) {
    throw new ExtensionError("not a host name");
  }
  return names;
}

/**
 * @param {string} hostname
 * @param {string[]} customHosts
 */
function isMicrosofts(hostname, customHosts) {
  const name = hostname.toLowerCase();
  return customHosts.includes(name) || (DOMAINS.some(domain => name === domain || name.endsWith(`.${domain}`)) && !RELAYS.test(name));
}

/**
 * @param {any} server ServerSettings
 * @returns {Promise<boolean>} whether it could log in and, where mail comes in, look for it
 */
function login(server) {
  const { promise, resolve } = Promise.withResolvers();
  let again = 0;
  const ask = () => {
    again = setTimeout(ask, ASK_AGAIN_MS);
    try {
      server.check(resolve);
    } catch (error) {
      console.error(error);
      resolve(false);
    }
  };
  const deadline = setTimeout(() => resolve(false), CHECK_DEADLINE_MS);
  ask();
  return promise.finally(() => [again, deadline].forEach(timer => clearTimeout(timer)));
}

/**
 * @param {ChangeEntry} entry of a change before this one
 * @param {{settings: MailServerSettings, prefs: ChangeEntry["prefs"]}} now
 * @returns {ChangeEntry["earlier"]} what a change that comes to nothing goes back to
 */
function earlierOf({ earlier, ...entry }, now) {
  return entry.state === "changed" ? { ...now, entry: { ...entry, prefs: { ...entry.prefs } } } : earlier;
}

/**
 * Thunderbird's setters say nothing of a preference that the administrator locked.
 * @param {MailServerSettings} settings
 * @param {MailServerSettings} wanted
 */
function assertInForce(settings, wanted) {
  const other = Object.keys(wanted).filter(name => settings[name] !== wanted[name]);
  if (other.length) {
    throw new Error(`not to be changed: ${other.join(", ")}`);
  }
}

var ServerChanges = class {
  #servers;
  #logins;
  #folders;
  #setUserValue;
  #isMicrosoftAuthority;
  #describe;
  #record;
  /** @type {Promise<any>} the end of the check that was asked for last */
  #checking = Promise.resolve();

  /**
   * @param {object} parts
   * @param {any} parts.record ChangeRecord
   * @param {any} parts.servers ServerSettings
   * @param {any} parts.logins StoredLogins
   * @param {any} parts.folders FolderReferences
   * @param {(name: string, value: any) => void} parts.setUserValue
   * @param {(endpoint: string) => boolean} parts.isMicrosoftAuthority
   * @param {(settings: MailServerSettings) => object} parts.describe with names for Thunderbird's numbers
   */
  constructor({ record, servers, logins, folders, setUserValue, isMicrosoftAuthority, describe }) {
    this.#record = record;
    this.#servers = servers;
    this.#logins = logins;
    this.#folders = folders;
    this.#setUserValue = setUserValue;
    this.#isMicrosoftAuthority = isMicrosoftAuthority;
    this.#describe = describe;
  }

  /**
   * Thunderbird gives the key of a server that was deleted to the next one.
   * @param {any} server ServerSettings
   * @returns {ChangeEntry|null} what was done to it
   */
  #entryOf({ key, type, settings }) {
    const entry = this.#record.entries[key];
    return entry && (entry.state !== "changed" || (entry.type === type && entry.after.username === settings.username)) ? entry : null;
  }

  /** @param {string[]} keys */
  #changed(keys) {
    return this.#servers.all().filter(server => keys.includes(server.key) && this.#entryOf(server)?.state === "changed");
  }

  /** @param {ChangeEntry} entry its server under the names that a login may stand under */
  #namesOf({ type, before, after, earlier }) {
    const all = [before, after, { ...before, username: after.username }, ...(earlier ? [earlier.settings] : [])];
    return all.map(({ hostname, username }) => ({ type, hostname, username }));
  }

  /**
   * @param {string[]} customHosts
   * @returns {Promise<object[]>} the servers at Microsoft, and those that were changed here
   */
  async list(customHosts) {
    const hosts = checkedHosts(customHosts);
    const servers = this.#servers.all().filter(server => isMicrosofts(server.settings.hostname, hosts) || this.#entryOf(server));
    return Promise.all(servers.map(async server => {
      const { key, incoming, type, settings, addresses, uri, sessionUri } = server;
      const entry = this.#entryOf(server);
      const isChanged = entry?.state === "changed";
      const change = isChanged && {
        before: this.#describe(entry.before),
        flowed: entry.flowed,
        hasPassword: await this.#logins.holdPassword(this.#namesOf(entry)),
      };
      const named = { type, ...settings };
      const ownSignIn = this.#signsInAtMicrosoft(named) && (await this.#logins.ownSignIn(named));
      const described = { key, direction: incoming ? "incoming" : "outgoing", type, ...this.#describe(settings), addresses };
      return { ...described, restart: uri !== sessionUri, ...(ownSignIn ? { ownSignIn } : {}), ...(change ? { change } : {}) };
    }));
  }

  /**
   * Sets all of them or none.
   * @param {{key: string, hostname: string, port: number, socketType: "tls"|"starttls", username: string}[]} changes
   * @param {string[]} customHosts that the policy names
   */
  async apply(changes, customHosts) {
    const hosts = checkedHosts(customHosts);
    const servers = new Map(this.#servers.all().map(server => [server.key, server]));
    const steps = changes.map(change => this.#checked(change, servers.get(change.key), hosts));
    await Promise.all(steps.map(({ server }) => server.settle()));
    // Thunderbird forgets what is stored under the old name or, in the case of IMAP, under the new one.
    const names = steps.flatMap(({ server: { type, settings }, wanted }) => [settings, wanted].map(named => ({ ...named, type })));
    await this.#logins.keep(names, () => {
      steps.forEach(step => this.#enter(step));
      this.#record.save();
      try {
        steps.forEach(({ server, wanted }) => {
          server.change(wanted);
          assertInForce(server.settings, wanted);
          this.#complete(server);
        });
      } catch (error) {
        console.error(error);
        steps.forEach(({ server }) => this.#takeBack(server));
        throw new ExtensionError("Thunderbird did not take the settings");
      } finally {
        this.#record.save();
      }
    });
  }

  #checked({ key, hostname, port, socketType, username }, server, customHosts) {
    const isPossible =
      server &&
      isMicrosofts(server.settings.hostname, customHosts) &&
      (HOSTS.has(hostname) || customHosts.includes(hostname)) &&
      Number.isInteger(port) &&
      port > 0 &&
      port <= PORT_MAX &&
      Object.hasOwn(SOCKET_TYPES, socketType) &&
      ADDRESS.test(username);
    if (!isPossible) {
      throw new ExtensionError(`no such change: ${key}`);
    }
    if (server.isTaken(hostname, username)) {
      throw new ExtensionError("another account has this server and user name");
    }
    return { server, wanted: { hostname, port, socketType: SOCKET_TYPES[socketType], authMethod: Ci.nsMsgAuthMethod.OAuth2, username } };
  }

  /** The oldest settings are those to put back; those of just now are in force again where the change comes to nothing. */
  #enter({ server, wanted }) {
    const { key, type, settings, prefs, uri } = server;
    const known = this.#entryOf(server);
    const folders = { ...(known?.folders ?? { from: uri, to: uri, followed: false }) };
    const isFirst = !known || known.state === "restored";
    const oldest = isFirst ? { before: settings, prefs: { ...known?.prefs, ...prefs } } : { before: known.before, prefs: known.prefs };
    const earlier = isFirst ? undefined : earlierOf(known, { settings, prefs });
    const at = Math.floor(Date.now() / 1_000);
    this.#record.entries[key] = { ...oldest, folders, type, after: wanted, state: "changing", at, flowed: false, earlier };
  }

  #complete(server) {
    const entry = this.#record.entries[server.key];
    entry.state = "changed";
    entry.folders.to = server.uri;
  }

  /** @param {any} server of which there is an entry */
  #putBack(server) {
    const { before, prefs, folders } = this.#record.entries[server.key];
    const own = this.#set(server, before, prefs);
    if (folders.followed) {
      // What names its folders is right until Thunderbird ends.
      const others = Object.fromEntries(Object.entries(prefs).filter(([name]) => !(name in own)));
      this.#record.entries[server.key] = { state: "restored", prefs: others, folders };
    } else {
      delete this.#record.entries[server.key];
    }
  }

  /**
   * Undoes the last change, and no more than that.
   * @param {any} server of which there is an entry
   */
  #takeBack(server) {
    const { earlier } = this.#record.entries[server.key];
    if (earlier) {
      this.#set(server, earlier.settings, earlier.prefs);
      this.#record.entries[server.key] = earlier.entry;
    } else {
      this.#putBack(server);
    }
  }

  /** @returns {Record<string, any>} the preferences of the server that are as they were now */
  #set(server, settings, prefs) {
    server.change(settings);
    const own = server.prefs;
    Object.keys(own).forEach(name => this.#setUserValue(name, prefs[name]));
    return own;
  }

  /** @param {string[]} keys of servers that were changed here; others stay as they are */
  async restore(keys) {
    await this.#each(this.#changed(keys), server => this.#putBack(server));
  }

  /** @param {string[]} keys of servers whose last change came to nothing */
  async revert(keys) {
    await this.#each(this.#changed(keys), server => this.#takeBack(server));
  }

  /**
   * @param {any[]} servers of which there are entries
   * @param {(server: any) => void} undo
   */
  async #each(servers, undo) {
    await Promise.all(servers.map(server => server.settle()));
    const names = servers.flatMap(server => this.#namesOf(this.#record.entries[server.key]));
    await this.#logins.keep(names, () => {
      servers.forEach(undo);
      this.#record.save();
    });
  }

  /** At each start: a change that was cut off is undone, folders that have new addresses are followed. */
  async settle() {
    if (!Object.keys(this.#record.entries).length) {
      return;
    }
    const servers = this.#servers.all().filter(server => this.#entryOf(server));
    const present = new Set(servers.map(({ key }) => key));
    Object.keys(this.#record.entries).filter(key => !present.has(key)).forEach(key => delete this.#record.entries[key]);
    await this.#each(servers.filter(({ key }) => this.#record.entries[key]?.state === "changing"), server => this.#takeBack(server));
    servers.filter(({ key }) => key in this.#record.entries).forEach(server => this.#follow(server));
    this.#record.save();
  }

  #follow({ key, sessionUri }) {
    const { state, prefs, folders } = this.#record.entries[key];
    const { from, to, followed } = folders;
    if (from === to) {
      return;
    }
    if (state === "changed" && !followed && sessionUri === to) {
      Object.assign(prefs, this.#folders.moveInPrefs(from, to));
      this.#folders.moveInFilters(from, to);
      folders.followed = true;
    } else if (state === "restored" && sessionUri === from) {
      this.#folders.moveInPrefs(to, from);
      this.#folders.moveInFilters(to, from);
      Object.entries(prefs).forEach(([name, value]) => this.#setUserValue(name, value));
      delete this.#record.entries[key];
    }
  }

  /**
   * @param {string[]} keys of servers that were changed here
   * @returns {Promise<boolean>} whether mail flows over all of them
   */
  check(keys) {
    // One after the other, of all accounts, outgoing ones first: Thunderbird 140 hangs for good where a connection for
    // sending turns to TLS while one for fetching is being made.
    const checked = this.#checking.then(() => this.#check(keys));
    this.#checking = checked.catch(() => {});
    return checked;
  }

  /** @param {string[]} keys */
  async #check(keys) {
    const servers = this.#changed(keys).sort((one, other) => Number(one.incoming) - Number(other.incoming));
    let flows = servers.length > 0;
    for (const server of servers) {
      flows &&= await login(server);
    }
    if (flows) {
      const entries = servers.flatMap(({ key }) => this.#record.entries[key] ?? []);
      entries.forEach(entry => {
        entry.flowed = true;
        delete entry.earlier;
      });
      this.#record.save();
    }
    return flows;
  }

  /** @param {string[]} keys of servers that were changed here, and over which mail was seen to flow */
  async deletePasswords(keys) {
    const entries = this.#changed(keys).map(({ key }) => this.#record.entries[key]).filter(({ flowed }) => flowed);
    await this.#logins.deletePasswords(entries.flatMap(entry => this.#namesOf(entry)));
  }

  /**
   * @param {string} account
   * @returns {any} its first server for which Thunderbird itself would sign in at Microsoft
   */
  #signedInServerOf(account) {
    const name = account.toLowerCase();
    const servers = this.#servers.all().map(({ type, settings }) => ({ type, ...settings }));
    return servers.find(server => server.username.toLowerCase() === name && this.#signsInAtMicrosoft(server));
  }

  #signsInAtMicrosoft(server) {
    return this.#isMicrosoftAuthority(this.#logins.appOf(server)?.tokenEndpoint);
  }

  /**
   * @param {string} account
   * @param {{clientId: string, authority: string}} app
   * @returns {Promise<string|null>} Thunderbird's own refresh token, where it was given to this app by this authority
   */
  async ownRefreshToken(account, app) {
    const server = this.#signedInServerOf(account);
    const own = server && (await this.#logins.ownSignIn(server));
    return own?.clientId === app.clientId && own.authority === app.authority ? this.#logins.ownRefreshToken(server) : null;
  }

  /** @param {string} account */
  async deleteOwnSignIn(account) {
    const server = this.#signedInServerOf(account);
    if (server) {
      await this.#logins.deleteOwnSignIns(server);
    }
  }
};
