// SPDX-License-Identifier: MPL-2.0

/**
 * One organisation for one test: an identity provider, mail servers, a user's machine with Thunderbird.
 * Everything lies in one temporary folder that goes with it.
 */

import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { startIdentityProvider } from "../servers/identity_provider.mjs";
import { startMail } from "../servers/mail.mjs";
import { endProcessesOf } from "./program.mjs";
import { startThunderbird } from "./thunderbird.mjs";

const REPOSITORY = resolve(import.meta.dirname, "../..");

/** The program that `make` built, and the add-on beside it. */
export const HOST = resolve(REPOSITORY, process.env.THUNDERSEAL ?? "build/thunderseal");
export const XPI = join(dirname(HOST), "thunderseal.xpi");

/** Signs in as a person does, given an address. */
export const BROWSER_PROGRAM = join(REPOSITORY, "tests/servers/browser.mjs");

export const ADA = "ada@contoso.test";

/**
 * @param {{subject: string, from?: string, to?: string, text?: string}} message
 * @returns {string}
 */
export function letter({ subject, from = "ben@contoso.test", to = ADA, text = "Hello." }) {
  const id = `${subject.replaceAll(/\W+/g, "-")}.${process.pid}@contoso.test`;
  return [`From: ${from}`, `To: ${to}`, `Subject: ${subject}`, `Message-ID: <${id}>`, `Date: ${new Date().toUTCString()}`, "", text, ""].join("\r\n");
}

export class World {
  /** @type {(() => Promise<unknown>)[]} */
  #cleanUps = [];

  /**
   * @param {string} folder
   * @param {import("../servers/identity_provider.mjs").IdentityProvider} identityProvider
   * @param {import("../servers/mail.mjs").Mail} mail
   */
  constructor(folder, identityProvider, mail) {
    this.folder = folder;
    this.identityProvider = identityProvider;
    this.mail = mail;
  }

  /**
   * @param {{sharedMailboxes?: Record<string, string[]>}} [options] names of mailboxes, and who may open them with their own token
   * @returns {Promise<World>}
   */
  static async open({ sharedMailboxes = {} } = {}) {
    const folder = await mkdtemp(join(tmpdir(), "thunderseal-e2e-"));
    // Started as root, the mail server gives up its rights and still has to get to its own folder.
    await chmod(folder, 0o711);
    /** @type {(() => Promise<unknown>)[]} */
    const cleanUps = [() => endProcessesOf(folder), () => rm(folder, { recursive: true, force: true, maxRetries: 5 })];
    try {
      const identityProvider = await startIdentityProvider({ folder: join(folder, "identity-provider") });
      cleanUps.unshift(() => identityProvider.stop());
      const mail = await startMail({ folder: join(folder, "mail"), identityProvider, sharedMailboxes });
      cleanUps.unshift(() => mail.stop());
      const world = new World(folder, identityProvider, mail);
      world.#cleanUps = cleanUps;
      return world;
    } catch (error) {
      await inTurn(cleanUps);
      throw error;
    }
  }

  /** What the host reads: a cloud of our own that has the host names of the worldwide one. */
  get hostConfiguration() {
    const { authority, clientId, caFile, outlookResource, graphResource } = this.identityProvider;
    return {
      cloud: "custom",
      custom: {
        authority,
        resources: { outlook: outlookResource, graph: graphResource },
        imap: `outlook.office365.com:${this.mail.imap.port}`,
        smtp: `smtp.office365.com:${this.mail.smtp.port}/starttls`,
      },
      tenant: "organizations",
      clientId,
      caFile,
      // Nobody is new here but where a test is about that.
      welcome: false,
    };
  }

  /**
   * An Office 365 account as Thunderbird's wizard makes it.
   * @param {string} user
   * @param {{checkAtStartup?: boolean}} [options]
   * @returns {import("./profile.mjs").MailAccount}
   */
  account(user, { checkAtStartup = false } = {}) {
    return {
      user,
      imap: { hostname: "outlook.office365.com", port: this.mail.imap.port },
      smtp: { hostname: "smtp.office365.com", port: this.mail.smtp.port, socketType: "starttls" },
      checkAtStartup,
    };
  }

  /**
   * @param {Partial<import("./thunderbird.mjs").Options>} [options]
   * @returns {Promise<import("./thunderbird.mjs").Thunderbird>}
   */
  async startThunderbird(options = {}) {
    const machine = join(this.folder, "machine");
    await mkdir(machine, { recursive: true });
    const thunderbird = await startThunderbird({
      folder: machine,
      xpi: XPI,
      host: HOST,
      hostConfiguration: this.hostConfiguration,
      accounts: [this.account(ADA)],
      caFile: this.identityProvider.caFile,
      systemBrowser: `${process.execPath} ${BROWSER_PROGRAM}`,
      environment: this.browserEnvironment(ADA),
      ...options,
    });
    this.#cleanUps.unshift(() => thunderbird.stop());
    return thunderbird;
  }

  /**
   * Thunderbird with Ada's account signed in, as the user does it.
   * @param {Partial<import("./thunderbird.mjs").Options>} [options]
   */
  async signedIn(options) {
    const thunderbird = await this.startThunderbird(options);
    const popup = await thunderbird.openPopup();
    await popup.press("signIn", ADA);
    await popup.waitForState(ADA, "ready");
    await this.mail.waitForLogin({ user: ADA, protocol: "imap" });
    return { thunderbird, popup };
  }

  /** How often tokens were renewed. */
  renewals() {
    return this.identityProvider.counts()["token:refresh_token"] ?? 0;
  }

  /** The mail servers take none of the tokens there are so far. */
  refuseTokens() {
    for (const issued of this.identityProvider.issued().filter(({ kind }) => kind === "access_token")) {
      issued.revoked = true;
    }
  }

  /**
   * Restarts on the same profile and home.
   * @param {import("./thunderbird.mjs").Thunderbird} thunderbird
   * @param {Partial<import("./thunderbird.mjs").Options>} [changes]
   */
  async restart(thunderbird, changes) {
    const again = await thunderbird.restart(changes);
    this.#cleanUps.unshift(() => again.stop());
    return again;
  }

  /**
   * Who sits in front of the browser.
   * @param {string} upn
   * @param {{cancel?: boolean}} [options] `cancel`: refuses at the sign-in page
   * @returns {Record<string, string>}
   */
  browserEnvironment(upn, { cancel = false } = {}) {
    const user = this.identityProvider.users.find(one => one.upn === upn);
    return {
      TS_BROWSER_USER: upn,
      TS_BROWSER_PASSWORD: user?.password ?? "",
      TS_BROWSER_CANCEL: cancel ? "1" : "",
      TS_BROWSER_FOLDER: this.folder,
    };
  }

  async close() {
    await inTurn(this.#cleanUps);
    this.#cleanUps = [];
  }
}

/** @param {(() => Promise<unknown>)[]} steps each is done even if one before failed */
async function inTurn(steps) {
  const failures = [];
  for (const step of steps) {
    await step().catch(error => failures.push(error));
  }
  if (failures.length) {
    throw new AggregateError(failures, "cleaning up failed");
  }
}
