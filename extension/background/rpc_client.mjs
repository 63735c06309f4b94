// SPDX-License-Identifier: MPL-2.0

/**
 * JSON-RPC 2.0 over a port: every request has an id and a deadline, and none is ever left hanging.
 */

/** The host answers most methods at once; the slow ones say so in their own deadline. */
export const DEFAULT_DEADLINE_MS = 15_000;

/**
 * @typedef {object} Problem
 * @property {string} kind
 * @property {string} [cause]
 * @property {string} [remedy]
 * @property {string} [adminRemedy]
 * @property {boolean} [retryable]
 * @property {string} [signedInAs] who signed in instead
 */

/** What the host answered, or why it did not. */
export class RpcError extends Error {
  /**
   * @param {string} kind a kind of the protocol, or "timeout", "disconnected"
   * @param {string} message
   * @param {Record<string, any>} [data]
   */
  constructor(kind, message, data = {}) {
    super(message);
    this.name = "RpcError";
    this.kind = kind;
    /** @type {Record<string, any>} */
    this.data = { ...data, kind };
  }
}

/**
 * @typedef {object} Port the part of runtime.Port that is used
 * @property {(message: object) => void} postMessage
 * @property {{addListener: (listener: (message: any) => void) => void}} onMessage
 */

/**
 * @typedef {object} Timers
 * @property {(callback: () => void, ms: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 */

/**
 * @typedef {object} RequestOptions
 * @property {(progress: any) => void} [onProgress] gets the parameters of the notifications that bear the request's id
 * @property {AbortSignal} [signal] when it aborts the host is told, and answers that the request was cancelled; what was
 *   aborted before is not sent
 */

export class RpcClient {
  #port;
  #onNotification;
  #timers;
  #nextId = 1;
  /** @type {RpcError|null} */
  #closed = null;
  /** @type {Map<number, {resolve: (result: any) => void, reject: (error: RpcError) => void, deadline: any, onProgress?: (progress: any) => void}>} */
  #pending = new Map();

  /**
   * @param {Port} port
   * @param {(method: string, params: Record<string, any>) => void} onNotification
   * @param {Timers} [timers]
   */
  constructor(port, onNotification, timers = globalThis) {
    this.#port = port;
    this.#onNotification = onNotification;
    this.#timers = timers;
    port.onMessage.addListener(message => this.#receive(message));
  }

  /** How many requests wait for their answer. */
  get pending() {
    return this.#pending.size;
  }

  /**
   * @param {string} method
   * @param {object} [params]
   * @param {number} [deadlineMs]
   * @param {RequestOptions} [options]
   * @returns {Promise<any>} rejects with an {@link RpcError}
   */
  request(method, params = {}, deadlineMs = DEFAULT_DEADLINE_MS, { onProgress, signal } = {}) {
    if (this.#closed) {
      return Promise.reject(this.#closed);
    }
    if (signal?.aborted) {
      return Promise.reject(new RpcError("cancelled", `${method}: cancelled before it was sent`));
    }
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const deadline = this.#timers.setTimeout(() => this.#giveUp(id, method), deadlineMs);
      this.#pending.set(id, { resolve, reject, deadline, onProgress });
      this.#post({ jsonrpc: "2.0", id, method, params });
      signal?.addEventListener("abort", () => this.#pending.has(id) && this.#cancel(id), { once: true });
    });
  }

  /**
   * Rejects everything that waits; later requests are rejected at once.
   * @param {string} reason
   */
  close(reason) {
    if (this.#closed) {
      return;
    }
    this.#closed = new RpcError("disconnected", reason);
    for (const id of [...this.#pending.keys()]) {
      this.#take(id)?.reject(this.#closed);
    }
  }

  /** @param {object} message */
  #post(message) {
    try {
      this.#port.postMessage(message);
    } catch (error) {
      this.close(String(error));
    }
  }

  /**
   * @param {number} id
   * @param {string} method
   */
  #giveUp(id, method) {
    const waiting = this.#take(id);
    if (waiting) {
      this.#cancel(id);
      waiting.reject(new RpcError("timeout", `${method}: no answer in time`, { retryable: true }));
    }
  }

  /** @param {number} id */
  #cancel(id) {
    this.#post({ jsonrpc: "2.0", method: "cancel", params: { id } });
  }

  /** @param {number} id */
  #take(id) {
    const waiting = this.#pending.get(id);
    if (waiting) {
      this.#pending.delete(id);
      this.#timers.clearTimeout(waiting.deadline);
    }
    return waiting;
  }

  /** @param {any} message */
  #receive(message) {
    if (this.#closed || message === null || typeof message !== "object" || message.jsonrpc !== "2.0") {
      return;
    }
    if (typeof message.method === "string") {
      this.#notified(message.method, message.params ?? {});
      return;
    }
    const waiting = this.#take(message.id);
    if (!waiting) {
      // Answered after its deadline, or an answer to nothing that was asked.
      return;
    }
    if (message.error) {
      const { data, message: text } = message.error;
      waiting.reject(new RpcError(String(data?.kind ?? "internal"), String(text ?? ""), data ?? {}));
    } else {
      waiting.resolve(message.result);
    }
  }

  /**
   * @param {string} method
   * @param {Record<string, any>} params
   */
  #notified(method, params) {
    const asked = method.endsWith(".progress") ? this.#pending.get(params.id) : undefined;
    if (asked?.onProgress) {
      asked.onProgress(params);
    } else {
      this.#onNotification(method, params);
    }
  }
}
