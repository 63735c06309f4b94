// SPDX-License-Identifier: MPL-2.0

/**
 * A client of Marionette, the remote control built into Thunderbird: TCP, `LENGTH:JSON` packets,
 * requests `[0, id, command, parameters]`, answers `[1, id, error, result]`.
 */

import { connect } from "node:net";

const REQUEST = 0;
const RESPONSE = 1;

/** A mail client on a busy machine may need long for one script; longer than this it hangs. */
const SCRIPT_DEADLINE_MS = 60_000;

/** An error that Thunderbird answered, with the script's own stack. */
export class MarionetteError extends Error {
  /** @param {{error: string, message: string, stacktrace?: string}} answer */
  constructor({ error, message, stacktrace }) {
    super(`${error}: ${message}${stacktrace ? `\n${stacktrace}` : ""}`);
    this.name = "MarionetteError";
    this.kind = error;
  }
}

/**
 * Splits the byte stream into packets. Lengths count bytes, so the buffer stays binary.
 */
class PacketReader {
  #buffered = Buffer.alloc(0);

  /**
   * @param {Buffer} chunk
   * @returns {any[]} the packets that are now complete
   */
  read(chunk) {
    this.#buffered = Buffer.concat([this.#buffered, chunk]);
    const packets = [];
    for (;;) {
      const colon = this.#buffered.indexOf(":");
      if (colon < 0) {
        return packets;
      }
      const length = Number(this.#buffered.subarray(0, colon).toString("latin1"));
      const end = colon + 1 + length;
      if (this.#buffered.length < end) {
        return packets;
      }
      packets.push(JSON.parse(this.#buffered.subarray(colon + 1, end).toString("utf8")));
      this.#buffered = this.#buffered.subarray(end);
    }
  }
}

/** A dialog ends the script that runs, though not what that has begun. */
export class DialogOpened extends Error {
  constructor() {
    super("Thunderbird asks something in a dialog");
  }
}

export class Marionette {
  #socket;
  #nextId = 1;
  /** @type {Map<number, {resolve: (result: any) => void, reject: (error: Error) => void}>} */
  #pending = new Map();

  /** @param {import("node:net").Socket} socket */
  constructor(socket) {
    this.#socket = socket;
  }

  /**
   * Connects and opens a session in chrome context.
   * @param {number} port
   * @returns {Promise<Marionette>}
   */
  static async open(port) {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.setNoDelay(true);
    const client = new Marionette(socket);
    await client.#greeting();
    await client.send("WebDriver:NewSession", {
      capabilities: { alwaysMatch: { unhandledPromptBehavior: "ignore" } },
    });
    await client.send("Marionette:SetContext", { value: "chrome" });
    await client.send("WebDriver:SetTimeouts", { script: SCRIPT_DEADLINE_MS });
    return client;
  }

  /** The server speaks first: `{applicationType, marionetteProtocol}`. */
  #greeting() {
    const reader = new PacketReader();
    return new Promise((resolve, reject) => {
      let greeted = false;
      this.#socket.on("data", chunk => {
        for (const packet of reader.read(chunk)) {
          if (greeted) {
            this.#settle(packet);
          } else {
            greeted = true;
            resolve(packet);
          }
        }
      });
      this.#socket.on("error", reject);
      this.#socket.on("close", () => {
        const error = new Error("Thunderbird closed the remote control");
        reject(error);
        for (const { reject: rejectOne } of this.#pending.values()) {
          rejectOne(error);
        }
        this.#pending.clear();
      });
    });
  }

  /** @param {[number, number, any, any]} packet */
  #settle([type, id, error, result]) {
    const waiting = type === RESPONSE ? this.#pending.get(id) : undefined;
    if (!waiting) {
      return;
    }
    this.#pending.delete(id);
    if (error) {
      waiting.reject(new MarionetteError(error));
    } else {
      waiting.resolve(result && typeof result === "object" && "value" in result ? result.value : result);
    }
  }

  /**
   * @param {string} command
   * @param {object} [parameters]
   * @returns {Promise<any>}
   */
  send(command, parameters = {}) {
    const id = this.#nextId++;
    const json = JSON.stringify([REQUEST, id, command, parameters]);
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) {
        reject(new Error(`${command}: the remote control is closed`));
        return;
      }
      this.#pending.set(id, { resolve, reject });
      this.#socket.write(`${Buffer.byteLength(json)}:${json}`);
    });
  }

  /**
   * Runs a function with Thunderbird's own rights. It may be async; arguments and result are JSON.
   * @template Result
   * @param {(...args: any[]) => Result} body
   * @param {...any} args
   * @returns {Promise<Awaited<Result>>}
   */
  async chrome(body, ...args) {
    const script = `
      const finish = arguments[arguments.length - 1];
      (async () => (${body})(...Array.from(arguments).slice(0, -1)))().then(
        value => finish({ value: value === undefined ? null : value }),
        error => finish({ failure: String(error), stack: String(error && error.stack) }));`;
    const answer = await this.send("WebDriver:ExecuteAsyncScript", { script, args, sandbox: "system", newSandbox: true });
    if (!answer) {
      throw new DialogOpened();
    }
    if ("failure" in answer) {
      throw new Error(`in Thunderbird: ${answer.failure}\n${answer.stack}`);
    }
    return answer.value;
  }

  /** A picture of the current window as PNG. */
  async screenshot() {
    return Buffer.from(await this.send("WebDriver:TakeScreenshot", { full: false, hash: false, scroll: false }), "base64");
  }

  close() {
    this.#socket.destroy();
  }
}
