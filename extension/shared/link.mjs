// SPDX-License-Identifier: MPL-2.0

/**
 * A page's connection to the background: the overview comes by itself, orders are given and answered.
 *
 * page → background: `{id, order, …}`, `{cancel: id}`, `{refresh: true}`: an overview of things as they are now, please
 * background → page: `{overview}`, `{id, progress}`, `{id, result}`, `{id, problem}`
 */

/* global browser */

import { chooseLanguage, inOurWords } from "./texts.mjs";

/** @typedef {import("../background/overview.mjs").Overview} Overview */
/** @typedef {import("../background/rpc_client.mjs").Problem} Problem */

/** What an order was answered with; `problem` is as it is shown. */
export class OrderFailed extends Error {
  /** @param {Problem} problem */
  constructor(problem) {
    super(problem.cause ?? problem.kind);
    this.name = "OrderFailed";
    this.problem = problem;
  }
}

/**
 * @typedef {object} OrderOptions
 * @property {(progress: any) => void} [onProgress]
 * @property {AbortSignal} [signal] when it aborts, the host is told; the order then ends as cancelled
 */

export class Link {
  #name;
  #onOverview;
  /** @type {any} made with the first message */
  #port = null;
  #nextId = 1;
  /** @type {Map<number, {resolve: (result: any) => void, reject: (error: Error) => void, onProgress?: (progress: any) => void}>} */
  #open = new Map();
  /** The overviews are drawn one after the other, each in its language. */
  #drawn = Promise.resolve();

  /**
   * @param {string} name of the page
   * @param {(overview: Overview) => void} onOverview called with each; the language is loaded then
   */
  constructor(name, onOverview) {
    this.#name = name;
    this.#onOverview = onOverview;
    const refresh = () => this.#send({ refresh: true });
    const last = /** @type {any} */ (browser.extension.getBackgroundPage())?.lastOverview?.();
    if (last) {
      this.#draw(last);
      // Connecting, and asking Thunderbird for the newest, would delay showing the page.
      requestAnimationFrame(() => requestAnimationFrame(refresh));
    } else {
      refresh();
    }
    // An account that was added in another tab, for one, is told of by nobody.
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && refresh());
  }

  /** @param {Overview} overview */
  #draw(overview) {
    this.#drawn = this.#drawn.then(() => chooseLanguage(overview.language)).then(() => this.#onOverview(overview)).catch(error => console.error(error));
  }

  #connect() {
    const port = browser.runtime.connect({ name: this.#name });
    port.onMessage.addListener((/** @type {any} */ message) => {
      if (message.overview) {
        this.#draw(message.overview);
      } else {
        this.#answered(message);
      }
    });
    return port;
  }

  /** @param {object} message */
  #send(message) {
    this.#port ??= this.#connect();
    this.#port.postMessage(message);
  }

  /**
   * Has the background do something; see `background/orders.mjs`.
   * @param {string} order
   * @param {object} [params]
   * @param {OrderOptions} [options]
   * @returns {Promise<any>} rejects with {@link OrderFailed}
   */
  order(order, params = {}, { onProgress, signal } = {}) {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#open.set(id, { resolve, reject, onProgress });
      this.#send({ ...params, id, order });
      signal?.addEventListener("abort", () => this.#open.has(id) && this.#send({ cancel: id }), { once: true });
    });
  }

  /** @param {{id: number, progress?: any, result?: any, problem?: Problem}} message */
  #answered({ id, progress, result, problem }) {
    const open = this.#open.get(id);
    if (!open) {
      return;
    }
    if (progress !== undefined) {
      open.onProgress?.(progress);
      return;
    }
    this.#open.delete(id);
    if (problem) {
      open.reject(new OrderFailed(inOurWords(problem)));
    } else {
      open.resolve(result);
    }
  }
}
