// SPDX-License-Identifier: MPL-2.0

/**
 * When nobody is to be told anything: offline, and while the network comes back after the computer slept.
 * What is wrong then is mostly gone a moment later.
 */

const LOOK_MS = 10_000;
/** A busy machine is late as well, but not by this much. */
const SLACK_MS = 5_000;
const AFTER_RESUME_MS = 30_000;

/** @typedef {{now: () => number, setTimeout: (callback: () => void, ms: number) => any, isOnline: () => boolean, onOnline: (callback: () => void) => void}} World */

/** @type {World} */
const REAL = {
  now: () => Date.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  isOnline: () => navigator.onLine,
  onOnline: callback => window.addEventListener("online", callback),
};

export class Quiet {
  #world;
  #lastLook;
  #until = 0;
  /** Called when it may be over. */
  onEnd = () => {};

  /** @param {World} [world] */
  constructor(world = REAL) {
    this.#world = world;
    this.#lastLook = world.now();
    world.onOnline(() => this.#tell());
    this.#wait();
  }

  /** Whether it is now. */
  get holds() {
    this.#look();
    return !this.#world.isOnline() || this.#world.now() < this.#until;
  }

  /** The wall clock goes on while the machine sleeps, timers do not. */
  #look() {
    const now = this.#world.now();
    if (now - this.#lastLook > LOOK_MS + SLACK_MS) {
      this.#until = now + AFTER_RESUME_MS;
    }
    this.#lastLook = now;
  }

  #wait() {
    this.#world.setTimeout(() => {
      this.#tell();
      this.#wait();
    }, LOOK_MS);
  }

  #tell() {
    if (!this.holds) {
      this.onEnd();
    }
  }
}
