// SPDX-License-Identifier: MPL-2.0

/** The open pages of the add-on: each is sent the newest overview, and its orders are carried out. */

import { problemOf } from "./failures.mjs";

/**
 * @typedef {object} OrderContext
 * @property {(progress: any) => void} onProgress
 * @property {AbortSignal} signal aborted when the page cancels or closes
 */

/**
 * @callback Order
 * @param {any} params
 * @param {OrderContext} context
 * @returns {any} what the page gets; a rejection becomes a problem
 */

export class Pages {
  /** @type {Set<any>} ports */
  #ports = new Set();
  #overviewPending = false;
  /** @type {object|null} the newest overview there was; a page that opens shows it before it is sent one */
  last = null;
  #overview;
  #orders;

  /**
   * @param {() => Promise<object>} overview
   * @param {Record<string, Order>} orders by name
   */
  constructor(overview, orders) {
    this.#overview = overview;
    this.#orders = orders;
  }

  /** @param {any} port of a page that opened */
  attend(port) {
    /** @type {Map<number, AbortController>} */
    const open = new Map();
    this.#ports.add(port);
    port.onMessage.addListener((/** @type {any} */ { cancel, refresh, id, order, ...params }) => {
      if (cancel !== undefined) {
        open.get(cancel)?.abort();
      } else if (refresh) {
        this.#send(port);
      } else {
        this.#carryOut(port, open, { id, order, params });
      }
    });
    port.onDisconnect.addListener(() => {
      this.#ports.delete(port);
      open.forEach(controller => controller.abort());
    });
  }

  /** What the pages show is no longer right; changes that come together are sent once. */
  async refresh() {
    if (this.#overviewPending) {
      return;
    }
    this.#overviewPending = true;
    await Promise.resolve();
    this.#overviewPending = false;
    const overview = await this.#newest();
    if (overview) {
      this.#ports.forEach(port => port.postMessage({ overview }));
    }
  }

  /**
   * To a page that is looked at: Thunderbird's accounts may have changed, of which nobody told.
   * @param {any} port
   */
  async #send(port) {
    const overview = await this.#newest();
    if (overview && this.#ports.has(port)) {
      port.postMessage({ overview });
    }
  }

  /** @returns {Promise<object|null>} null: it could not be had, and the pages show what they have */
  async #newest() {
    try {
      this.last = await this.#overview();
      return this.last;
    } catch (error) {
      console.error(error);
      return null;
    }
  }

  /**
   * @param {any} port
   * @param {Map<number, AbortController>} open
   * @param {{id: number, order: string, params: object}} request
   */
  async #carryOut(port, open, { id, order, params }) {
    const controller = new AbortController();
    open.set(id, controller);
    const answer = (/** @type {object} */ message) => this.#ports.has(port) && port.postMessage({ id, ...message });
    try {
      const onProgress = (/** @type {any} */ progress) => answer({ progress });
      const result = await this.#orders[order](params, { onProgress, signal: controller.signal });
      answer({ result: result ?? null });
    } catch (error) {
      answer({ problem: problemOf(error) });
    }
    open.delete(id);
  }
}
