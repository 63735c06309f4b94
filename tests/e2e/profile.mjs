// SPDX-License-Identifier: MPL-2.0

/** A Thunderbird profile made by hand: quiet, with the accounts given, trusting the test CA. */

import { execFile } from "node:child_process";
import { constants, copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

const AUTH_METHODS = { password: 3, oauth2: 10 };
const SOCKET_TLS = 3;
const SOCKET_STARTTLS = 2;

/** Nothing of a fresh profile may open a page, ask a question or call home. */
const QUIET = {
  "mail.provider.suppress_dialog_on_startup": true,
  "mail.spotlight.firstRunDone": true,
  "mail.shell.checkDefaultClient": false,
  "mailnews.start_page.enabled": false,
  "mailnews.start_page_override.mstone": "ignore",
  "mail.rights.override": true,
  "app.donation.eoy.version.viewed": 999,
  "mail.inappnotifications.enabled": false,
  "datareporting.policy.dataSubmissionPolicyBypassNotification": true,
  "datareporting.policy.dataSubmissionEnabled": false,
  "mail.chat.enabled": false,
  "mail.tabs.drawInTitlebar": false,
  "services.settings.server": "data:,#remote-settings-dummy/v1",
  "extensions.update.enabled": false,
  "extensions.getAddons.cache.enabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "network.trr.mode": 5,
  "network.dns.disablePrefetch": true,
  "network.proxy.type": 0,
  "dom.push.connection.enabled": false,
  "app.update.enabled": false,
  "browser.region.network.url": "",
  "security.OCSP.enabled": 0,
  "marionette.port": 0,
  "extensions.autoDisableScopes": 0,
  // A system notification service would show notifications where a test cannot see them.
  "alerts.useSystemBackend": false,
  "mail.biff.show_alert": false,
  // The mail server of a test knows no folder for copies; a dialog about that would block it.
  "mail.warn_on_send_accel_key": false,
};

/** @typedef {{hostname: string, port: number, socketType?: "tls"|"starttls", authMethod?: "oauth2"|"password"}} Server */

/**
 * @typedef {object} MailAccount
 * @property {string} user
 * @property {string} [name]
 * @property {Server} imap
 * @property {Server} [smtp]
 * @property {boolean} [checkAtStartup] default false
 */

/** @param {"tls"|"starttls"|undefined} type */
function socketNumber(type) {
  return type === "starttls" ? SOCKET_STARTTLS : SOCKET_TLS;
}

/**
 * @param {MailAccount} account
 * @param {number} n
 * @returns {Record<string, string|number|boolean>}
 */
function accountPreferences(account, n) {
  const { user, imap, smtp } = account;
  const incoming = `mail.server.server${n}`;
  const identity = `mail.identity.id${n}`;
  return {
    [`${incoming}.type`]: "imap",
    [`${incoming}.hostname`]: imap.hostname,
    [`${incoming}.port`]: imap.port,
    [`${incoming}.socketType`]: socketNumber(imap.socketType),
    [`${incoming}.authMethod`]: AUTH_METHODS[imap.authMethod ?? "oauth2"],
    [`${incoming}.userName`]: user,
    [`${incoming}.name`]: user,
    [`${incoming}.login_at_startup`]: account.checkAtStartup ?? false,
    [`${incoming}.check_new_mail`]: account.checkAtStartup ?? false,
    // A new mailbox of the test server has no subscriptions, not even to its inbox, which Exchange always has.
    [`${incoming}.using_subscription`]: false,
    [`${identity}.useremail`]: user,
    [`${identity}.fullName`]: account.name ?? user,
    [`${identity}.valid`]: true,
    [`${identity}.fcc`]: false,
    [`${identity}.compose_html`]: false,
    [`mail.account.account${n}.server`]: `server${n}`,
    [`mail.account.account${n}.identities`]: `id${n}`,
    ...(smtp ? outgoingPreferences(user, smtp, n) : {}),
  };
}

/**
 * @param {string} user
 * @param {Server} smtp
 * @param {number} n
 */
function outgoingPreferences(user, smtp, n) {
  return {
    [`mail.identity.id${n}.smtpServer`]: `smtp${n}`,
    [`mail.smtpserver.smtp${n}.hostname`]: smtp.hostname,
    [`mail.smtpserver.smtp${n}.port`]: smtp.port,
    [`mail.smtpserver.smtp${n}.try_ssl`]: socketNumber(smtp.socketType),
    [`mail.smtpserver.smtp${n}.authMethod`]: AUTH_METHODS[smtp.authMethod ?? "oauth2"],
    [`mail.smtpserver.smtp${n}.username`]: user,
    [`mail.smtpserver.smtp${n}.type`]: "smtp",
  };
}

/**
 * @param {MailAccount[]} accounts
 * @returns {Record<string, string|number|boolean>}
 */
function allAccountPreferences(accounts) {
  const local = accounts.length + 1;
  const numbers = accounts.map((_, index) => index + 1);
  return Object.assign(
    {
      [`mail.server.server${local}.type`]: "none",
      [`mail.server.server${local}.userName`]: "nobody",
      [`mail.server.server${local}.hostname`]: "Local Folders",
      [`mail.server.server${local}.name`]: "Local Folders",
      [`mail.account.account${local}.server`]: `server${local}`,
      "mail.accountmanager.localfoldersserver": `server${local}`,
      "mail.accountmanager.accounts": [...numbers, local].map(n => `account${n}`).join(","),
      "mail.smtpservers": accounts.flatMap(({ smtp }, index) => (smtp ? [`smtp${index + 1}`] : [])).join(","),
      // Every host name leads to this machine; by address, for a bare system has no /etc/hosts to look "localhost" up in.
      "network.dns.forceResolve": "127.0.0.1",
    },
    accounts.length ? { "mail.accountmanager.defaultaccount": "account1" } : {},
    ...accounts.map((account, index) => accountPreferences(account, index + 1)),
  );
}

/** @param {NodeJS.ErrnoException} error */
function whenPresent(error) {
  if (error.code !== "EEXIST") {
    throw error;
  }
}

/**
 * Writes the profile; on one that was already used only the preferences are renewed.
 * @param {string} profile
 * @param {{accounts: MailAccount[], preferences: Record<string, string|number|boolean>, caFile?: string, addOn?: {id: string, xpi: string}}} wanted
 */
export async function writeProfile(profile, { accounts, preferences, caFile, addOn }) {
  await mkdir(join(profile, "extensions"), { recursive: true });
  const all = { ...QUIET, ...allAccountPreferences(accounts), ...preferences };
  const lines = Object.entries(all).map(([key, value]) => `user_pref(${JSON.stringify(key)}, ${JSON.stringify(value)});`);
  await writeFile(join(profile, "user.js"), `${lines.join("\n")}\n`);
  if (caFile) {
    await run("certutil", ["-N", "-d", `sql:${profile}`, "--empty-password"]).catch(() => {});
    await run("certutil", ["-A", "-d", `sql:${profile}`, "-n", "test CA", "-t", "C,,", "-i", caFile]);
  }
  if (addOn) {
    // A file that looks changed makes Thunderbird install it again, after its first mail check.
    await copyFile(addOn.xpi, join(profile, "extensions", `${addOn.id}.xpi`), constants.COPYFILE_EXCL).catch(whenPresent);
  }
}
