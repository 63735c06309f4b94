// SPDX-License-Identifier: MPL-2.0

/** Time and the native port in the hands of a test. */

/** Lets what was promised happen: every continuation that needs no further event. */
export const settled = () => new Promise(resolve => setImmediate(resolve));

export class FakeTimers {
  #now = 1_000_000;
  #nextId = 1;
  /** @type {Map<number, {at: number, callback: () => void}>} */
  #timers = new Map();

  setTimeout = (/** @type {() => void} */ callback, /** @type {number} */ ms) => {
    const id = this.#nextId++;
    this.#timers.set(id, { at: this.#now + ms, callback });
    return id;
  };

  clearTimeout = (/** @type {number} */ id) => {
    this.#timers.delete(id);
  };

  now = () => this.#now;

  get pending() {
    return this.#timers.size;
  }

  /** @param {number} ms due timers run in their order */
  advance(ms) {
    const until = this.#now + ms;
    for (;;) {
      const [next] = [...this.#timers.entries()].filter(([, { at }]) => at <= until).sort(([, a], [, b]) => a.at - b.at);
      if (!next) {
        break;
      }
      const [id, { at, callback }] = next;
      this.#now = at;
      this.#timers.delete(id);
      callback();
    }
    this.#now = until;
  }
}

export class FakePort {
  /** @type {any[]} */
  sent = [];
  error = null;
  disconnected = false;
  /** @type {((message: any) => void)[]} */
  #onMessage = [];
  /** @type {((port: FakePort) => void)[]} */
  #onDisconnect = [];

  onMessage = { addListener: (/** @type {(message: any) => void} */ listener) => this.#onMessage.push(listener) };
  onDisconnect = { addListener: (/** @type {(port: FakePort) => void} */ listener) => this.#onDisconnect.push(listener) };

  /** @param {any} message */
  postMessage(message) {
    this.sent.push(message);
  }

  disconnect() {
    this.disconnected = true;
  }

  /** @param {any} message what the host says */
  receive(message) {
    this.#onMessage.forEach(listener => listener(message));
  }

  /** @param {any} result the host's answer to the last request */
  answer(result) {
    this.receive({ jsonrpc: "2.0", id: this.sent.at(-1).id, result });
  }

  /** @param {string|null} [message] as Thunderbird words it; null: the host ended */
  lose(message = null) {
    this.error = /** @type {any} */ (message && { message });
    this.#onDisconnect.forEach(listener => listener(this));
  }
}

/** A host that answers by a table of methods: a function of the parameters, whose error becomes the answer's. */
export class FakeHost extends FakePort {
  /** @param {Record<string, (params: any) => any>} methods */
  constructor(methods) {
    super();
    this.methods = methods;
  }

  /** @param {any} message */
  postMessage(message) {
    super.postMessage(message);
    const { id, method, params } = message;
    const answer = this.methods[method];
    if (id !== undefined && answer) {
      Promise.resolve()
        .then(() => answer(params))
        .then(result => ({ result }), error => ({ error: { code: 0, message: "", data: error } }))
        .then(outcome => this.receive({ jsonrpc: "2.0", id, ...outcome }));
    }
  }

  /**
   * @param {string} method
   * @param {object} params
   */
  notify(method, params) {
    this.receive({ jsonrpc: "2.0", method, params });
  }

  /** @param {string} method */
  asked(method) {
    return this.sent.filter(message => message.method === method).map(({ params }) => params);
  }
}
