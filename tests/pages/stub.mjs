// SPDX-License-Identifier: MPL-2.0

/** What a page finds in the place of Thunderbird and the background; runs in the page before its own scripts. */

/* global window */

/**
 * @param {{language: string, texts: Record<string, {message: string}>, messages: any[], refreshed: any[],
 *   orders: Record<string, any>, reply?: any}} scene
 */
export function installStub({ language, texts, messages, refreshed, orders, reply }) {
  const fill = (/** @type {string} */ message, /** @type {any[]} */ parts) =>
    message.replace(/\$(?:\$|([1-9]))/g, (_, number) => (number ? (parts[number - 1] ?? "") : "$"));

  /** @param {{id: number, order: string, method?: string}} request */
  const answersTo = ({ id, order, method }) => {
    const name = order === "ask" ? `ask ${method}` : order;
    if (!Object.hasOwn(orders, name)) {
      throw new Error(`the scene has no answer to the order “${name}”`);
    }
    const answers = [orders[name]].flat();
    orders[name] = answers.slice(answers.length > 1 ? 1 : 0);
    const { progress = [], ...outcome } = answers[0];
    // An order without outcome stays open.
    return [...progress.map((/** @type {any} */ one) => ({ id, progress: one })), ...(Object.keys(outcome).length ? [{ id, ...outcome }] : [])];
  };

  const connect = (/** @type {{name: string}} */ { name }) => {
    /** @type {((message: any) => void)[]} */
    const listeners = [];
    let asked = false;
    const receive = (/** @type {any[]} */ list) =>
      setTimeout(() => list.forEach(message => listeners.forEach(listener => listener(structuredClone(message)))));
    // This one is told without asking.
    if (name === "unlock") {
      receive(messages);
    }
    return {
      onMessage: { addListener: (/** @type {(message: any) => void} */ listener) => listeners.push(listener) },
      onDisconnect: { addListener() {} },
      postMessage(/** @type {any} */ message) {
        if (message.order) {
          receive(answersTo(message));
        } else if (message.refresh) {
          receive(asked ? refreshed : messages);
          asked = true;
        } else if (reply && message.cancel === undefined) {
          receive([reply]);
        }
      },
      disconnect() {},
    };
  };

  Object.assign(window, {
    browser: {
      runtime: {
        connect,
        getURL: (/** @type {string} */ path) => `/${path}`,
        getManifest: () => ({ version: "0.1.0" }),
        getBrowserInfo: async () => ({ version: "153.7.0" }),
      },
      // What pages show comes by messages.
      extension: { getBackgroundPage: () => null },
      i18n: {
        getUILanguage: () => language,
        getMessage: (/** @type {string} */ key, /** @type {any} */ parts = []) => fill(texts[key]?.message ?? "", [parts].flat()),
      },
    },
    // A page closes itself when it is done.
    close() {},
  });
}
