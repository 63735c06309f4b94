// SPDX-License-Identifier: MPL-2.0

/**
 * Moves accounts from passwords and wrong settings to a secure sign-in. Settings are changed last: after the user
 * signed in and after the new ones were tried. What goes wrong before leaves all as it was, what goes wrong after puts it back.
 */

import { customHosts } from "./clouds.mjs";
import { problemOf } from "./failures.mjs";
import { MigrationFailed, ownFailure } from "./migration_failure.mjs";
import { isOffered, planChanged, planFor, sharedApp } from "./migration_plan.mjs";
import { probe } from "./migration_probe.mjs";
import { accountMigration, isWorthShowing, settingsOf } from "./migration_view.mjs";
import { text } from "../shared/texts.mjs";

/** @typedef {import("./migration_plan.mjs").AccountPlan} AccountPlan */
/** @typedef {import("./rpc_client.mjs").Problem} Problem */

/** What notifications are about: the offer, or an account that the policy wants to have switched. */
const SUBJECT = "migration";
const subjectOf = (/** @type {string} */ account) => `${SUBJECT} ${account.toLowerCase()}`;

/** Where the browser's storage keeps what the user did not want, and whether the offer was made. */
const DECLINED = "migrationDeclined";
const OFFERED = "migrationOffered";

export class Migration {
  #companion;
  #bridge;
  #storage;
  #notices;
  #onChange;
  #openSection;
  /** Accounts, in lower case, at which something is being done. */
  #busy = new Set();
  /** @type {Map<string, import("./migration_view.mjs").Step>} by account in lower case */
  #steps = new Map();
  /** @type {Map<string, Problem>} why the last try came to nothing */
  #problems = new Map();
  /** Accounts whose old settings were just put back. */
  #restored = new Set();
  /** Accounts that were switched by themselves since the start, successfully or not. */
  #tried = new Set();
  /** Accounts, in lower case, whose sign-in was asked for since the start. */
  #asked = new Set();
  /** Until then nothing is read or changed. */
  #settled = Promise.resolve();
  #declined = Promise.resolve();
  #considering = Promise.resolve();
  /** What considers everything that has changed until it begins. @type {Promise<void>|null} */
  #waiting = null;

  /**
   * @param {object} world
   * @param {Pick<import("./companion.mjs").Companion, "host"|"settings"|"situation"|"book"|"actions">} world.companion
   * @param {any} world.bridge browser.tokenBridge
   * @param {any} world.storage browser.storage.local
   * @param {import("./notices.mjs").Notices} world.notices
   * @param {() => void} world.onChange what the pages show is no longer right
   * @param {() => void} world.openSection shows the user what could be switched
   */
  constructor({ companion, bridge, storage, notices, onChange, openSection }) {
    this.#companion = companion;
    this.#bridge = bridge;
    this.#storage = storage;
    this.#notices = notices;
    this.#onChange = onChange;
    this.#openSection = openSection;
  }

  /** Before anything else: Thunderbird may have ended in the middle of a change. */
  start() {
    this.#settled = this.#bridge.settleSettings().catch((/** @type {any} */ error) => console.error(error));
    return this.consider();
  }

  get #policy() {
    return this.#companion.settings.policy;
  }

  get #hosts() {
    return customHosts(this.#policy);
  }

  /** @returns {Promise<AccountPlan[]>} where nothing is to be offered, only what was changed here */
  async #plans() {
    const servers = await this.#bridge.listSettings(this.#hosts);
    return isOffered(this.#companion.situation) ? planFor(servers, this.#policy) : planChanged(servers);
  }

  /**
   * @param {string} account
   * @returns {Promise<AccountPlan>}
   */
  async #planOf(account) {
    const plan = (await this.#plans()).find(one => one.account.toLowerCase() === account.toLowerCase());
    if (!plan) {
      throw ownFailure("migration_gone");
    }
    return plan;
  }

  /** @returns {Promise<import("./migration_view.mjs").MigrationView>} */
  async view() {
    await this.#settled;
    const mode = this.#companion.settings.migrate;
    const plans = await this.#plans();
    return { mode, accounts: plans.map(plan => accountMigration(plan, this.#factsOf(plan))).filter(isWorthShowing) };
  }

  /**
   * @param {AccountPlan} plan
   * @returns {import("./migration_view.mjs").Facts}
   */
  #factsOf(plan) {
    const name = plan.account.toLowerCase();
    const isSignedIn = this.#companion.book.isSignedIn(name);
    return {
      step: this.#steps.get(name) ?? null,
      problem: this.#problems.get(name) ?? null,
      restored: this.#restored.has(name),
      offered: isOffered(this.#companion.situation),
      canTakeOver: !isSignedIn && Boolean(sharedApp(plan, this.#policy)),
      tookOver: this.#usesTakenOver(name),
    };
  }

  /**
   * Whether Thunderbird's own sign-in is here and used here. Where Thunderbird signs in by itself meanwhile, its copy is what it
   * needs.
   * @param {string} account
   */
  #usesTakenOver(account) {
    const { situation: { hostState, takesTokens }, book } = this.#companion;
    return hostState === "connected" && takesTokens && book.isSignedIn(account) && book.get(account)?.method === "import";
  }

  /**
   * Switches an account: sign-in, probe, change, mail check. One at a time for each account.
   * @param {string} account
   * @param {(plan: AccountPlan) => Promise<void>} [signIn]
   */
  async switch(account, signIn = plan => this.#signIn(plan)) {
    await this.#during(account, async () => {
      const plan = await this.#planOf(account);
      if (plan.faults.length) {
        await signIn(plan);
        this.#enter(account, "probing");
        await probe(this.#companion.host, plan);
        await this.#change(plan);
      }
    });
  }

  /** @param {AccountPlan} plan */
  async #signIn(plan) {
    const { account, servers } = plan;
    if (this.#companion.book.isSignedIn(account)) {
      return;
    }
    this.#enter(account, "signing-in");
    if (await this.#import(plan).catch(() => false)) {
      return;
    }
    const protocols = [...new Set(servers.map(({ server }) => server.type))];
    const { ok, problem } = await this.#companion.actions.signInToEnd(account, protocols);
    if (!ok) {
      throw problem ? new MigrationFailed(problemOf({ ...problem, data: problem })) : ownFailure("migration_givenUp");
    }
  }

  /**
   * Hands Thunderbird's own refresh token to the host, and to nobody else.
   * @param {AccountPlan} plan
   * @returns {Promise<boolean>} false: there is none that fits
   */
  async #import(plan) {
    const { account } = plan;
    const app = sharedApp(plan, this.#policy);
    const refreshToken = app && (await this.#bridge.ownRefreshToken(account, app));
    if (!app || !refreshToken) {
      return false;
    }
    await this.#companion.actions.takeOver({ account, refreshToken, clientId: app.clientId });
    return true;
  }

  /** @param {AccountPlan} probed */
  async #change(probed) {
    const { account } = probed;
    this.#enter(account, "changing");
    const plan = await this.#planOf(account);
    if (JSON.stringify(plan.servers.map(essence)) !== JSON.stringify(probed.servers.map(essence))) {
      throw ownFailure("migration_changed");
    }
    const wrong = plan.servers.filter(({ faults }) => faults.length);
    const keys = wrong.map(({ server }) => server.key);
    const changes = wrong.map(({ server: { key }, planned: { authMethod: _, ...wanted } }) => ({ key, ...wanted }));
    await this.#bridge.changeSettings(changes, this.#hosts).catch((/** @type {any} */ error) => {
      console.error(error);
      throw ownFailure("migration_refused");
    });
    this.#enter(account, "checking");
    if (!(await this.#bridge.checkSettings(keys))) {
      await this.#bridge.revertSettings(keys);
      throw ownFailure("migration_noFlow");
    }
  }

  /**
   * Takes over the sign-in of an account whose settings are right.
   * @param {string} account
   */
  async takeOver(account) {
    await this.#during(account, async () => {
      this.#enter(account, "signing-in");
      if (!(await this.#import(await this.#planOf(account)))) {
        throw ownFailure("migration_noOwnSignIn");
      }
    });
  }

  /** @param {string} account */
  async undo(account) {
    await this.#during(account, async () => {
      this.#enter(account, "restoring");
      const changed = (await this.#planOf(account)).servers.filter(({ server }) => server.change);
      await this.#bridge.restoreSettings(changed.map(({ server }) => server.key));
      this.#restored.add(account.toLowerCase());
      await this.#decline(account);
    });
  }

  /** @param {string} account */
  async deletePassword(account) {
    await this.#during(account, async () => {
      const { servers } = await this.#planOf(account);
      await this.#bridge.deletePasswords(servers.filter(({ server }) => server.change).map(({ server }) => server.key));
    });
  }

  /** @param {string} account whose sign-in the host took over */
  async deleteOwnSignIn(account) {
    await this.#during(account, async () => {
      if (this.#usesTakenOver(account)) {
        await this.#bridge.deleteOwnSignIn(account);
      }
    });
  }

  /**
   * @param {string} account
   * @param {() => Promise<void>} work what it fails with is shown with the account
   */
  async #during(account, work) {
    const name = account.toLowerCase();
    if (this.#busy.has(name)) {
      return;
    }
    this.#busy.add(name);
    this.#problems.delete(name);
    this.#restored.delete(name);
    try {
      await this.#settled;
      await work();
      // Whoever acts has seen the offer.
      [SUBJECT, subjectOf(account)].forEach(subject => this.#notices.withdraw(subject));
    } catch (error) {
      this.#problems.set(name, problemOf(worded(error)));
    } finally {
      this.#busy.delete(name);
      this.#steps.delete(name);
      this.#onChange();
    }
  }

  /**
   * @param {string} account
   * @param {import("./migration_view.mjs").Step} step
   */
  #enter(account, step) {
    this.#steps.set(account.toLowerCase(), step);
    this.#onChange();
  }

  /**
   * One after the other, as each is added to those that are stored.
   * @param {string} account not to be switched by itself any more
   */
  #decline(account) {
    const stored = this.#declined.then(async () => {
      const { [DECLINED]: declined = [] } = await this.#storage.get(DECLINED);
      await this.#storage.set({ [DECLINED]: [...new Set([...declined, account.toLowerCase()])] });
    });
    this.#declined = stored.catch(() => {});
    return stored;
  }

  /** Something changed: the policy may want to be obeyed, or the offer to be made. */
  consider() {
    if (!this.#waiting) {
      const begun = this.#considering.then(() => {
        this.#waiting = null;
        return this.#consider();
      });
      this.#waiting = this.#considering = begun.catch(error => console.error(error));
    }
    return this.#waiting;
  }

  async #consider() {
    await this.#settled;
    const { situation } = this.#companion;
    if (!isOffered(situation)) {
      return;
    }
    const plans = await this.#plans();
    await this.#verify(plans);
    const { [DECLINED]: declined = [], [OFFERED]: offered = false } = await this.#storage.get([DECLINED, OFFERED]);
    const waiting = plans.filter(plan => plan.faults.length && !declined.includes(plan.account.toLowerCase()));
    if (situation.migrate === "auto") {
      await Promise.all(waiting.map(plan => this.#switchByItself(plan)));
    } else if (!offered && waiting.some(({ faults }) => faults.includes("password"))) {
      const onShown = () => this.#storage.set({ [OFFERED]: true });
      this.#notices.say(SUBJECT, text("migration_noticeTitle"), text("migration_notice"), this.#openSection, onShown);
    }
  }

  /**
   * No browser opens without a click: who cannot be switched without one is asked for it.
   * @param {AccountPlan} plan
   */
  async #switchByItself(plan) {
    const { account } = plan;
    const name = account.toLowerCase();
    const state = this.#companion.book.get(account)?.state;
    if (this.#tried.has(name) || this.#busy.has(name) || state === "locked" || state === "signing-in") {
      // What is locked has its own notification; either may turn out to be signed in.
      return;
    }
    if (!this.#companion.book.isSignedIn(account)) {
      if (this.#asked.has(name)) {
        return;
      }
      this.#asked.add(name);
      if (!(await this.#import(plan).catch(() => false))) {
        this.#notices.say(subjectOf(account), text("migration_noticeTitle"), text("migration_signInNotice", account), () => this.switch(account));
        return;
      }
    }
    this.#tried.add(name);
    this.switch(account, async () => {});
  }

  /**
   * Thunderbird ended before mail was seen to flow.
   * @param {AccountPlan[]} plans
   */
  async #verify(plans) {
    for (const { account, servers } of plans) {
      const unverified = servers.filter(({ server: { change } }) => change && !change.flowed).map(({ server }) => server.key);
      const name = account.toLowerCase();
      if (unverified.length && this.#companion.book.isSignedIn(account) && !this.#busy.has(name) && !this.#tried.has(name)) {
        this.#tried.add(name);
        this.#verifyAccount(account, unverified);
      }
    }
  }

  /**
   * @param {string} account
   * @param {string[]} keys of its servers
   */
  async #verifyAccount(account, keys) {
    const name = account.toLowerCase();
    try {
      if (!(await this.#bridge.checkSettings(keys))) {
        throw ownFailure("migration_unverified");
      }
    } catch (error) {
      // What the user does meanwhile says itself how it went.
      if (!this.#busy.has(name) && !this.#restored.has(name)) {
        this.#problems.set(name, problemOf(worded(error)));
      }
    }
    this.#onChange();
  }
}

/** @param {any} error @returns {any} what Thunderbird itself fails with has no words for the user */
function worded(error) {
  if (error.kind) {
    return error;
  }
  console.error(error);
  return ownFailure("migration_failed");
}

/** @param {import("./migration_plan.mjs").ServerPlan} plan all that a change depends on */
function essence({ server, planned }) {
  return [server.key, settingsOf(server), planned];
}
