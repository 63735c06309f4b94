// SPDX-License-Identifier: MPL-2.0

/** Unlocking the saved sign-ins: a keyring asks by itself, a passphrase is asked for in a window of ours. */

/* global browser */

import { problemOf } from "./failures.mjs";

const PAGE = "unlock/unlock.html";

/** Room for one field or two and for the sentence about what was wrong. A popup would vanish with the focus. */
const WINDOW_WIDTH = 460;
const WINDOW_HEIGHT = 330;
const WINDOW_HEIGHT_TO_CHOOSE = 430;

/** The host gives a keyring, and whom it asks, a minute. */
const UNLOCK_DEADLINE_MS = 65_000;

/**
 * The host names the parameter that would open the vault; for a keyring there is none.
 * @param {any} error
 */
function lacksPassphrase({ kind, data }) {
  return kind === "vault-locked" && data?.field === "passphrase";
}

/** The id of the host's text "The key store is a passphrase, and none has been chosen yet." */
const NONE_CHOSEN = "t9ef3786a";

export class Unlocking {
  #host;
  #language;
  #onUnlocked;
  /** @type {Promise<{id?: number}>|null} the last one that was opened */
  #window = null;
  /** Whether the host has its key from the user, and from nowhere else. */
  #gaveKey = false;
  /** Whether the passphrase that is lacking has never been chosen. */
  #isNew = false;

  /**
   * @param {import("./host_connection.mjs").HostConnection} host
   * @param {{language: () => string|undefined, onUnlocked: () => void}} world `language`: the policy's choice
   */
  constructor(host, { language, onUnlocked }) {
    this.#host = host;
    this.#language = language;
    this.#onUnlocked = onUnlocked;
  }

  /** The user wants it: a keyring then asks, or our window does. Rejects where neither can help. */
  async begin() {
    try {
      await this.#unlock({});
    } catch (error) {
      if (!lacksPassphrase(error)) {
        throw error;
      }
      this.#isNew = /** @type {any} */ (error).data.texts?.cause?.id === NONE_CHOSEN;
      await this.#show();
    }
  }

  /**
   * Whether it takes the user. For the moment after hello: the host has just sent for a keyring's key, so
   * this waits for the answer and asks nobody anew.
   */
  async staysLocked() {
    return this.#unlock({}).then(() => false, ({ kind }) => kind === "vault-locked");
  }

  /** Whether a host that starts anew would have to ask the user again. */
  get wouldAskAgain() {
    return this.#gaveKey;
  }

  /** The host is gone, and the key with it. */
  hostLost() {
    this.#gaveKey = false;
  }

  /** @param {any} port of the window */
  attend(port) {
    port.postMessage({ isNew: this.#isNew, language: this.#language() });
    port.onMessage.addListener(async (/** @type {{passphrase: string}} */ { passphrase }) => {
      const outcome = await this.#unlock({ passphrase }).then(() => ({ unlocked: true }), error => ({ problem: problemOf(error) }));
      try {
        port.postMessage(outcome);
      } catch {
        // The user closed the window meanwhile.
      }
    });
  }

  /** @param {{passphrase?: string}} params */
  async #unlock(params) {
    await this.#host.request("vault.unlock", params, UNLOCK_DEADLINE_MS);
    this.#gaveKey ||= params.passphrase !== undefined;
    this.#onUnlocked();
  }

  async #show() {
    if (this.#window && (await this.#raise(this.#window))) {
      return;
    }
    const size = { width: WINDOW_WIDTH, height: this.#isNew ? WINDOW_HEIGHT_TO_CHOOSE : WINDOW_HEIGHT };
    this.#window = browser.windows.create({ type: "popup", url: browser.runtime.getURL(PAGE), ...size });
    await this.#window;
  }

  /**
   * @param {Promise<{id?: number}>} window
   * @returns {Promise<boolean>} whether it is there still
   */
  #raise(window) {
    return window.then(({ id }) => browser.windows.update(/** @type {number} */ (id), { focused: true })).then(() => true, () => false);
  }
}
