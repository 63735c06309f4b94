// SPDX-License-Identifier: MPL-2.0

/** Thunderbird's account set-up, used as a person uses it: fields, "Continue", "Cancel". */

/* global ChromeUtils, Services, Cc, Ci */

/**
 * Runs in Thunderbird: opens account set-up and types who the user is.
 * @param {string} name
 * @param {string} address
 */
async function begin(name, address) {
  const main = Services.wm.getMostRecentWindow("mail:3pane");
  await main.openAccountHub("MAIL");
  const view = main.document.querySelector("account-hub-container").modal.querySelector("account-hub-email");
  for (const [id, text] of [["#realName", name], ["#email", address]]) {
    const field = view.querySelector(id);
    field.value = text;
    field.dispatchEvent(new main.Event("input", { bubbles: true }));
  }
}

/**
 * Runs in Thunderbird: presses a button of account set-up when it can be pressed.
 * @param {"forward"|"back"} id
 */
async function press(id) {
  const main = Services.wm.getMostRecentWindow("mail:3pane");
  const view = main.document.querySelector("account-hub-container").modal.querySelector("account-hub-email");
  const button = view.querySelector(`account-hub-footer #${id}`);
  await new Promise(resolve => {
    const observer = new main.MutationObserver(look);
    function look() {
      if (!button.disabled && !button.hidden) {
        observer.disconnect();
        resolve(undefined);
      }
    }
    observer.observe(button, { attributes: true });
    look();
  });
  button.click();
}

/**
 * Runs in Thunderbird: waits until account set-up shows one of some steps and works on nothing.
 * @param {string[]} ids of the steps
 * @param {string} type of the message that is shown above it; "" for any or none
 * @param {number} deadlineMs
 * @returns {Promise<string>} which one
 */
async function waitForStep(ids, type, deadlineMs) {
  const { setTimeout, clearTimeout } = ChromeUtils.importESModule("resource://gre/modules/Timer.sys.mjs");
  const main = Services.wm.getMostRecentWindow("mail:3pane");
  const view = main.document.querySelector("account-hub-container").modal.querySelector("account-hub-email");
  const steps = ids.map(id => view.querySelector(`#${id}`));
  const messageOf = step => step.shadowRoot?.querySelector("account-hub-header")?.shadowRoot?.querySelector("#emailFormNotification");
  const shown = step => !step.hidden && !view.classList.contains("busy") && (!type || messageOf(step)?.classList.contains(type));
  return new Promise((resolve, reject) => {
    const observer = new main.MutationObserver(look);
    const deadline = setTimeout(() => {
      observer.disconnect();
      const [visible] = [...view.querySelectorAll(".account-hub-step")].filter(one => !one.hidden);
      reject(new Error(`account set-up shows ${visible?.id}, ${view.className}: ${visible && messageOf(visible)?.textContent}`));
    }, deadlineMs);
    function look() {
      const step = steps.find(shown);
      if (step) {
        observer.disconnect();
        clearTimeout(deadline);
        resolve(step.id);
      }
    }
    observer.observe(view, { subtree: true, attributes: true, childList: true });
    steps.map(messageOf).filter(Boolean).forEach(message => observer.observe(message, { attributes: true }));
    look();
  });
}

/** Runs in Thunderbird: waits until its mail code asks for a token, which nobody has answered yet. */
async function waitForPrompt() {
  const prompter = Cc["@mozilla.org/messenger/msgAsyncPrompter;1"].getService(Ci.nsIMsgAsyncPrompter).wrappedJSObject;
  const main = Services.wm.getMostRecentWindow("mail:3pane");
  while (!Object.keys(prompter.pendingPrompts ?? prompter._pendingPrompts).length) {
    await new Promise(resolve => main.requestAnimationFrame(resolve));
  }
}

/** Runs in Thunderbird: what account set-up has left at this moment. */
async function traces() {
  const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
  const prompter = Cc["@mozilla.org/messenger/msgAsyncPrompter;1"].getService(Ci.nsIMsgAsyncPrompter).wrappedJSObject;
  return {
    servers: MailServices.accounts.allServers.filter(server => server.type !== "none").map(server => `${server.type} ${server.username}`),
    outgoing: MailServices.outgoingServer.servers.map(server => `${server.type} ${server.username}`),
    prompts: Object.keys(prompter.pendingPrompts ?? prompter._pendingPrompts),
    inProgress: prompter.asyncPromptInProgress ?? prompter._asyncPromptInProgress,
    preferences: Services.prefs.getChildList("mail.server.").filter(name => name.endsWith(".hostname"))
      .map(name => Services.prefs.getStringPref(name)).filter(host => host !== "Local Folders"),
  };
}

export class AccountHub {
  #marionette;

  /** @param {import("./marionette.mjs").Marionette} marionette */
  constructor(marionette) {
    this.#marionette = marionette;
  }

  /**
   * Opens it and lets it find the servers.
   * @param {string} name
   * @param {string} address
   */
  async begin(name, address) {
    await this.#marionette.chrome(begin, name, address);
    await this.press("forward");
    await this.waitForStep("emailConfigFoundSubview");
  }

  /** @param {"forward"|"back"} button */
  press(button) {
    return this.#marionette.chrome(press, button);
  }

  /**
   * @param {string} id
   * @param {"error"|"success"|""} [type] of the message that it shows
   */
  waitForStep(id, type = "", deadlineMs = 40_000) {
    return this.#marionette.chrome(waitForStep, [id], type, deadlineMs);
  }

  /** Waits until the account is there. */
  async waitForAccount() {
    const syncing = "emailSyncAccountsSubview";
    if ((await this.#marionette.chrome(waitForStep, [syncing, "emailAddedSuccessSubview"], "", 40_000)) === syncing) {
      await this.press("forward");
      await this.waitForStep("emailAddedSuccessSubview");
    }
  }

  /** Waits until the login under way asks for a token. */
  waitForPrompt() {
    return this.#marionette.chrome(waitForPrompt);
  }

  traces() {
    return this.#marionette.chrome(traces);
  }
}

/**
 * How an organisation's servers are found: the file that administrators put beside the program.
 * @param {{domain: string, imap: {hostname: string, port: number}, smtp: {hostname: string, port: number}}} organisation
 * @returns {string} XML
 */
export function mailConfiguration({ domain, imap, smtp }) {
  const server = (/** @type {string} */ kind, /** @type {string} */ type, /** @type {{hostname: string, port: number}} */ { hostname, port }, /** @type {string} */ socket) =>
    `<${kind} type="${type}"><hostname>${hostname}</hostname><port>${port}</port><socketType>${socket}</socketType>` +
    `<authentication>OAuth2</authentication><username>%EMAILADDRESS%</username></${kind}>`;
  return `<?xml version="1.0"?><clientConfig version="1.1"><emailProvider id="${domain}"><domain>${domain}</domain><displayName>Contoso</displayName>` +
    `${server("incomingServer", "imap", imap, "SSL")}${server("outgoingServer", "smtp", smtp, "STARTTLS")}</emailProvider></clientConfig>`;
}
