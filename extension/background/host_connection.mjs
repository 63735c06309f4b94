// SPDX-License-Identifier: MPL-2.0

/**
 * Keeps the native host running and talked to: connects, says hello, connects again after a crash,
 * and knows when to stop trying so that Thunderbird's own sign-in can go on.
 */

import { DEFAULT_DEADLINE_MS, RpcClient, RpcError } from "./rpc_client.mjs";

export const PROTOCOL = 1;

/** A healthy host answers hello from files on disk. */
const HELLO_DEADLINE_MS = 5_000;

/** The host answers `token.get` within this time always; one that does not hangs. */
const TOKEN_PROMISE_MS = 8_000;

/**
 * Before each reconnection. The first is immediate: mail may be waiting for a token. One loss more than there are
 * delays within a minute means that it keeps crashing.
 */
const RECONNECT_DELAYS_MS = [0, 1_000];
export const CRASH_WINDOW_MS = 60_000;

/** A host that was missing or broken may have been repaired: one quiet look per interval. */
const RECHECK_MS = 60_000;

/**
 * @typedef {"connecting"|"connected"|"missing"|"broken"|"crashing"|"outdated"|"newer"} State
 * "missing": not registered; "broken": cannot be started or does not speak the protocol;
 * "crashing": starts and ends again and again; "outdated", "newer": than this add-on, without a common protocol version
 */

/**
 * @typedef {object} World
 * @property {() => any} connect opens a runtime.Port to the host
 * @property {() => Promise<object>} greeting the parameters of hello beside the protocol
 * @property {(state: State, detail: Record<string, any>) => void} onState
 * @property {(method: string, params: Record<string, any>) => void} onNotification
 * @property {import("./rpc_client.mjs").Timers} [timers]
 * @property {() => number} [now] milliseconds
 */

/**
 * @param {{message?: string}|null|undefined} error runtime.Port.error
 * @returns {"missing"|"broken"|"ended"}
 */
export function classifyLoss(error) {
  if (!error?.message) {
    return "ended";
  }
  return error.message.startsWith("No such native application") ? "missing" : "broken";
}

/**
 * @param {unknown} supported protocol versions that the host speaks, none of them ours
 * @returns {boolean} whether the host is the newer of the two
 */
function isNewer(supported) {
  return Array.isArray(supported) && supported.length > 0 && supported.every(version => version > PROTOCOL);
}

export class HostConnection {
  #world;
  #timers;
  #now;
  /** @type {State} */
  #state = "connecting";
  /** @type {RpcClient|null} */
  #client = null;
  /** @type {any} */
  #port = null;
  /** @type {any} */
  #timer = null;
  /** @type {number[]} when the host was lost, latest last */
  #losses = [];
  /** @type {Set<() => void>} */
  #waiting = new Set();

  /** @param {World} world */
  constructor(world) {
    this.#world = world;
    this.#timers = world.timers ?? globalThis;
    this.#now = world.now ?? Date.now;
  }

  get state() {
    return this.#state;
  }

  start() {
    this.#connect();
  }

  /** The user repaired something. */
  retry() {
    if (this.#state !== "connected") {
      this.#startAgain();
    }
  }

  /** Configuration files are read at start; a host that is at work is left alone. */
  restartIfIdle() {
    const idle = this.#state === "connected" && this.#client?.pending === 0;
    if (idle) {
      this.#startAgain();
    }
    return idle;
  }

  #startAgain() {
    this.#drop("starting again");
    this.#losses = [];
    this.#enter("connecting", {});
    this.#connect();
  }

  /**
   * Sends a request; while the host is being started or restarted it waits for that, within the deadline.
   * @param {string} method
   * @param {object} [params]
   * @param {number} [deadlineMs]
   * @param {import("./rpc_client.mjs").RequestOptions} [options]
   * @returns {Promise<any>}
   */
  async request(method, params, deadlineMs = DEFAULT_DEADLINE_MS, options = {}) {
    const until = this.#now() + deadlineMs;
    if (this.#state === "connecting") {
      await this.#decided(deadlineMs);
    }
    if (this.#state === "connecting") {
      throw new RpcError("timeout", "the host did not start in time", { retryable: true });
    }
    if (this.#state !== "connected" || !this.#client) {
      throw new RpcError("disconnected", `the host is ${this.#state}`);
    }
    const [port, sentAt] = [this.#port, this.#now()];
    try {
      return await this.#client.request(method, params, Math.max(1, until - sentAt), options);
    } catch (error) {
      const { kind } = /** @type {RpcError} */ (error);
      const hangs = method === "token.get" && kind === "timeout" && this.#now() - sentAt >= TOKEN_PROMISE_MS;
      if (hangs && this.#port === port) {
        this.#lost("ended");
      }
      throw error;
    }
  }

  /** @param {number} deadlineMs */
  #decided(deadlineMs) {
    return new Promise(resolve => {
      const done = () => {
        this.#timers.clearTimeout(deadline);
        this.#waiting.delete(done);
        resolve(undefined);
      };
      const deadline = this.#timers.setTimeout(done, deadlineMs);
      this.#waiting.add(done);
    });
  }

  async #connect() {
    this.#timers.clearTimeout(this.#timer);
    const port = this.#world.connect();
    const client = new RpcClient(port, this.#world.onNotification, this.#timers);
    this.#port = port;
    this.#client = client;
    port.onDisconnect.addListener((/** @type {any} */ lost) => {
      if (this.#port === port) {
        this.#lost(classifyLoss(lost?.error ?? port.error));
      }
    });
    try {
      const greeting = await this.#world.greeting();
      const welcome = await client.request("hello", { protocol: PROTOCOL, ...greeting }, HELLO_DEADLINE_MS);
      if (this.#port === port) {
        this.#enter("connected", { welcome });
      }
    } catch (error) {
      if (this.#port === port) {
        this.#refused(/** @type {RpcError} */ (error));
      }
    }
  }

  /** @param {RpcError} error */
  #refused(error) {
    if (error.kind === "protocol-unsupported") {
      this.#drop("no common protocol");
      this.#enter(isNewer(error.data.supported) ? "newer" : "outdated", {});
      this.#later(RECHECK_MS);
    } else if (error.kind !== "disconnected") {
      this.#lost("ended");
    }
  }

  /** @param {"missing"|"broken"|"ended"} how */
  #lost(how) {
    this.#drop("the host ended");
    if (how !== "ended") {
      this.#enter(how, {});
      this.#later(RECHECK_MS);
      return;
    }
    const now = this.#now();
    this.#losses = [...this.#losses.filter(when => now - when < CRASH_WINDOW_MS), now];
    const delay = RECONNECT_DELAYS_MS[this.#losses.length - 1];
    if (delay === undefined) {
      this.#enter("crashing", {});
      this.#later(RECHECK_MS);
    } else {
      if (this.#state === "connected") {
        this.#enter("connecting", {});
      }
      this.#later(delay);
    }
  }

  /** @param {string} reason */
  #drop(reason) {
    const [port, client] = [this.#port, this.#client];
    this.#port = null;
    this.#client = null;
    client?.close(reason);
    try {
      port?.disconnect();
    } catch {
      // It was disconnected from the other side.
    }
  }

  /** @param {number} delayMs */
  #later(delayMs) {
    this.#timers.clearTimeout(this.#timer);
    this.#timer = this.#timers.setTimeout(() => this.#connect(), delayMs);
  }

  /**
   * @param {State} state
   * @param {Record<string, any>} detail
   */
  #enter(state, detail) {
    const changed = this.#state !== state;
    this.#state = state;
    if (changed || state === "connected") {
      this.#world.onState(state, detail);
    }
    if (state !== "connecting") {
      for (const done of [...this.#waiting]) {
        done();
      }
    }
  }
}
