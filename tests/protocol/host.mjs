// SPDX-License-Identifier: MPL-2.0
/**
 * The built program as Thunderbird starts it, spoken to over pipes; and its command line.
 * Every message that comes is checked against the published schema, and each sentence in it for being a known text.
 */
import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { resolve } from 'node:path';
import { breach } from './contract.mjs';
import { untranslatable } from '../texts/told.mjs';

export const PROGRAM = resolve(process.env.THUNDERSEAL ?? new URL('../../build/thunderseal', import.meta.url).pathname);
export const EXTENSION_ID = 'companion@thunderseal';
export const MANIFEST = '/usr/lib/mozilla/native-messaging-hosts/thunderseal.json';
export const HELLO = { protocol: 1, extension: { version: '0.1.0' }, thunderbird: { version: '140.0' } };
export const FRAME_MAX = 1024 * 1024;

/** Longer than any deadline of the host; what takes so long has failed. */
const PATIENCE_MS = 12_000;
/** Stretching a passphrase takes as long as 256 MiB and the computer want; the host gives it 30 s. */
const STRETCH_PATIENCE_MS = 35_000;
const STRETCHES = new Set(['vault.unlock', 'backup.create', 'backup.restore']);

/** @typedef {{ home: string, program?: string, env?: Record<string, string>, uid?: number, gid?: number }} Start */
/** @typedef {{ code: number | null, signal: NodeJS.Signals | null }} Exit */

/** Nothing but a home: no bus, no proxy, no folders named elsewhere. @param {Start} start */
const environment = ({ home, env }) => ({ PATH: process.env.PATH ?? '/usr/bin:/bin', LANG: 'C.UTF-8', HOME: home, ...env });

/** An error answer of the host. */
export class Refusal extends Error {
  /** @param {any} error */
  constructor(error) {
    super(`${error.data.kind}: ${error.message}`);
    this.code = error.code;
    this.kind = error.data.kind;
    this.data = error.data;
  }
}

/** @param {string | Buffer} body */
export function frame(body) {
  const bytes = Buffer.from(body);
  const head = Buffer.alloc(4);
  // Native byte order: every machine that these tests run on is little-endian.
  head.writeUInt32LE(bytes.length);
  return Buffer.concat([head, bytes]);
}

/**
 * @template T
 * @param {Promise<T>} promise @param {string} what @param {number} [milliseconds]
 * @returns {Promise<T>}
 */
export async function soon(promise, what, milliseconds = PATIENCE_MS) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing for ${milliseconds} ms`)), milliseconds);
  });
  try {
    return /** @type {T} */ (await Promise.race([promise, late]));
  } finally {
    clearTimeout(timer);
  }
}

export class Host {
  /** Everything that came, in order. @type {any[]} */
  messages = [];

  /** Whatever broke the contract. @type {string[]} */
  breaches = [];

  stderr = '';

  #arrived = new EventEmitter().setMaxListeners(0);

  #rest = Buffer.alloc(0);

  #ended = false;

  #last = 0;

  /** Messages that `next` has handed out. @type {Set<any>} */
  #taken = new Set();

  /** @type {Map<unknown, any>} requests by id, for their answers' schema */
  #requests = new Map();

  /** @param {Start & { args?: string[] }} start */
  constructor({ args = [MANIFEST, EXTENSION_ID], ...start }) {
    this.home = start.home;
    this.process = spawn(start.program ?? PROGRAM, args, {
      env: environment(start), stdio: ['pipe', 'pipe', 'pipe'], uid: start.uid, gid: start.gid, cwd: '/',
    });
    this.pid = /** @type {number} */ (this.process.pid);
    this.process.stdin.on('error', () => {}); // told by the exit
    this.process.stdout.on('data', (chunk) => this.#receive(chunk));
    this.process.stderr.setEncoding('utf8').on('data', (text) => { this.stderr += text; });
    /** @type {Promise<Exit>} */
    this.exited = once(this.process, 'close').then(([code, signal]) => {
      if (this.#rest.length) this.breaches.push(`${this.#rest.length} bytes after the last frame`);
      this.#ended = true;
      this.#arrived.emit('message');
      return { code, signal };
    });
  }

  /** Starts and greets. @param {Start} start @param {object} [hello] fields besides the usual ones */
  static async open(start, hello = {}) {
    const host = new Host(start);
    host.welcome = await host.call('hello', { ...HELLO, ...hello });
    return host;
  }

  /** @param {Buffer} chunk */
  #receive(chunk) {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= 4) {
      const length = this.#rest.readUInt32LE();
      if (length > FRAME_MAX) {
        this.breaches.push(`a frame of ${length} bytes, or something else than frames`);
        this.process.stdout.destroy();
        return;
      }
      if (this.#rest.length < 4 + length) return;
      const message = JSON.parse(this.#rest.toString('utf8', 4, 4 + length));
      this.#rest = this.#rest.subarray(4 + length);
      this.#take(message);
    }
  }

  /** @param {any} message */
  #take(message) {
    const wrong = breach(message, this.#requests.get(message.id)) ?? untranslatable(message);
    if (wrong) this.breaches.push(wrong);
    if ('id' in message) this.#requests.delete(message.id);
    this.messages.push(message);
    this.#arrived.emit('message');
  }

  /** @param {Buffer | string} bytes as they are */
  write(bytes) {
    return new Promise((written) => { this.process.stdin.write(bytes, () => written(undefined)); });
  }

  /** @param {any} message sent in one frame; its answer is for `next` or `answer` */
  send(message) {
    if (message?.id !== undefined && message.method) this.#requests.set(message.id, message);
    return this.write(frame(typeof message === 'string' ? message : JSON.stringify(message)));
  }

  /** @param {string} method @param {any} [params] */
  notify(method, params) {
    return this.send({ jsonrpc: '2.0', method, params });
  }

  /**
   * The first message, come or to come, that fits and that nobody has taken.
   * @param {(message: any) => boolean} fits @param {string} what @param {number} [milliseconds]
   * @returns {Promise<any>}
   */
  async next(fits, what, milliseconds) {
    const find = () => this.messages.find((message) => !this.#taken.has(message) && fits(message));
    let look = () => {};
    const found = new Promise((done, fail) => {
      look = () => {
        const message = find();
        if (message) {
          this.#taken.add(message);
          this.#arrived.off('message', look);
          done(message);
        } else if (this.#ended) {
          fail(new Error(`${what}: the host has ended (${this.process.signalCode ?? this.process.exitCode}): ${this.stderr}`));
        }
      };
    });
    this.#arrived.on('message', look);
    look();
    try {
      return await soon(found, what, milliseconds);
    } finally {
      this.#arrived.off('message', look);
    }
  }

  /** @param {unknown} id @param {number} [milliseconds] @returns {Promise<any>} the whole answer */
  answer(id, milliseconds = STRETCHES.has(this.#requests.get(id)?.method) ? STRETCH_PATIENCE_MS : PATIENCE_MS) {
    return this.next((message) => 'id' in message && message.id === id, `answer ${JSON.stringify(id)}`, milliseconds);
  }

  /** @param {string} method @param {(params: any) => boolean} [fits] @returns {Promise<any>} the notification's params */
  async told(method, fits = () => true) {
    const message = await this.next((each) => each.method === method && fits(each.params), method);
    return message.params;
  }

  /** What was told so far by this method. @param {string} method */
  toldSoFar(method) {
    return this.messages.filter((message) => message.method === method).map(({ params }) => params);
  }

  /** @param {string} method @param {any} [params] @returns {Promise<any>} the result; an error answer is thrown as Refusal */
  async call(method, params) {
    this.#last += 1;
    const id = `t${this.#last}`;
    this.send({ jsonrpc: '2.0', id, method, params });
    const { result, error } = await this.answer(id);
    if (error) throw new Refusal(error);
    return result;
  }

  /** @param {string} method @param {any} [params] @returns {Promise<Refusal>} the error, which must come */
  async refused(method, params) {
    const outcome = await this.call(method, params).catch((error) => error);
    if (outcome instanceof Refusal) return outcome;
    if (outcome instanceof Error) throw outcome;
    throw new Error(`${method} was not refused: ${JSON.stringify(outcome)}`);
  }

  /** Ends the input and waits. @returns {Promise<Exit & { milliseconds: number }>} */
  async end() {
    const started = performance.now();
    this.process.stdin.end();
    return { ...await soon(this.exited, 'the end of the host'), milliseconds: performance.now() - started };
  }

  /** @param {NodeJS.Signals} [signal] */
  async kill(signal = 'SIGKILL') {
    this.process.kill(signal);
    return this.exited;
  }
}

/**
 * @param {string[]} args @param {Start & { input?: string, stdout?: number, onStdout?: (text: string, child: import('node:child_process').ChildProcess) => void,
 *          onStart?: (child: import('node:child_process').ChildProcess) => void }} start
 *        `stdout`: a descriptor to write to instead
 * @returns {Promise<{ code: number | null, stdout: string, stderr: string }>}
 */
export async function runCommand(args, { input = '', stdout, onStdout, onStart, ...start }) {
  const child = spawn(start.program ?? PROGRAM, args, {
    env: environment(start), stdio: ['pipe', stdout ?? 'pipe', 'pipe'], uid: start.uid, gid: start.gid, cwd: '/',
  });
  const output = { stdout: '', stderr: '' };
  child.stdin?.on('error', () => {});
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    output.stdout += text;
    onStdout?.(output.stdout, child);
  });
  child.stderr?.setEncoding('utf8').on('data', (text) => { output.stderr += text; });
  if (!onStdout) child.stdin?.end(input);
  onStart?.(child);
  const end = soon(once(child, 'close'), `thunderseal ${args.join(' ')}`, 30_000);
  const [code] = await end.finally(() => child.kill('SIGKILL'));
  return { code, ...output };
}
