// SPDX-License-Identifier: MPL-2.0
/** A desktop's keyring for a test: a session bus of its own, and GNOME Keyring on it. */
import { execFile, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { soon } from './host.mjs';

const run = promisify(execFile);
const PASSWORD = 'the password of the login keyring';
const SCHEMA = 'companion.thunderseal.DeviceKey';

/** Nothing is started by being asked for: a keyring that is absent stays so. @param {string} socket */
const busConfiguration = (socket) => `<busconfig><type>session</type><listen>unix:path=${socket}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`;

/** Answers the keyring's questions as somebody at the desktop does who wants none of it. */
export class Prompter {
  /** Questions so far. */
  asked = 0;

  #arrived = new EventEmitter();

  /** @param {Keyring} keyring */
  constructor(keyring) {
    const script = new URL('./keyring_prompter.py', import.meta.url).pathname;
    this.#process = spawn('/usr/bin/python3', [script], { env: { PATH: process.env.PATH, ...keyring.env }, stdio: ['pipe', 'pipe', 'inherit'] });
    this.ready = soon(once(this.#process.stdout, 'data'), 'the prompter');
    this.#process.stdout.setEncoding('utf8').on('data', (text) => {
      this.asked += text.split('asked\n').length - 1;
      this.#arrived.emit('word');
    });
  }

  #process;

  /** Waits for the question of that number. @param {number} number from 1 */
  async question(number) {
    while (this.asked < number) await soon(once(this.#arrived, 'word'), `question ${number} of the keyring`);
  }

  /** Closes the window, once there is one. @param {number} [number] of the question */
  async dismiss(number = this.asked + 1) {
    await this.question(number);
    this.#process.stdin.write('\n');
  }

  async close() {
    this.#process.stdin.end();
    await soon(once(this.#process, 'exit'), 'the end of the prompter');
  }
}

export class Keyring {
  /** @type {import('node:child_process').ChildProcess | undefined} */
  #bus;

  /** @type {import('node:child_process').ChildProcess | undefined} */
  daemon;

  /** @param {string} folder */
  constructor(folder) {
    this.folder = folder;
    this.runtime = join(folder, 'run');
    /** What a program needs to find the keyring. */
    this.env = { DBUS_SESSION_BUS_ADDRESS: `unix:path=${join(this.runtime, 'bus')}`, XDG_RUNTIME_DIR: this.runtime };
  }

  /** With an open keyring; locked, there is none yet in it. @param {string} folder that does not exist @param {{ locked?: boolean }} [options] */
  static async open(folder, options) {
    const keyring = new Keyring(folder);
    await mkdir(keyring.runtime, { recursive: true, mode: 0o700 });
    const file = join(folder, 'bus.conf');
    await writeFile(file, busConfiguration(join(keyring.runtime, 'bus')));
    keyring.#bus = spawn('dbus-daemon', ['--nofork', '--nopidfile', '--print-address', `--config-file=${file}`], { stdio: ['ignore', 'pipe', 'ignore'] });
    await soon(once(/** @type {import('node:stream').Readable} */ (keyring.#bus.stdout), 'data'), 'the session bus');
    await keyring.start(options);
    return keyring;
  }

  /** @param {string[]} args */
  async #send(...args) {
    const { stdout } = await run('dbus-send', ['--session', '--print-reply', ...args], { env: { ...process.env, ...this.env } });
    return stdout;
  }

  async #present() {
    const answer = await this.#send('--dest=org.freedesktop.DBus', '/', 'org.freedesktop.DBus.NameHasOwner', 'string:org.freedesktop.secrets');
    return answer.includes('true');
  }

  /** Starts it, unlocked or as a computer that has just been started finds it. @param {{ locked?: boolean }} [options] */
  async start({ locked = false } = {}) {
    const daemon = spawn('gnome-keyring-daemon', ['--foreground', '--components=secrets', ...(locked ? [] : ['--unlock'])], {
      env: { PATH: process.env.PATH, HOME: this.folder, LANG: 'C.UTF-8', ...this.env }, stdio: ['pipe', 'ignore', 'ignore'],
    });
    daemon.stdin.on('error', () => {});
    daemon.stdin.end(locked ? '' : PASSWORD);
    this.daemon = daemon;
    for (let turn = 0; !await this.#present(); turn += 1) {
      if (turn > 500) throw new Error('the keyring did not start');
      await pause(10);
    }
  }

  lock() {
    return this.#send('--dest=org.freedesktop.secrets', '/org/freedesktop/secrets', 'org.freedesktop.Secret.Service.Lock',
      'array:objpath:/org/freedesktop/secrets/collection/login');
  }

  /** @param {NodeJS.Signals} [signal] */
  async kill(signal = 'SIGKILL') {
    const { daemon } = this;
    this.daemon = undefined;
    if (!daemon || daemon.exitCode !== null || daemon.signalCode !== null) return;
    daemon.kill('SIGCONT');
    daemon.kill(signal);
    await soon(once(daemon, 'exit'), 'the end of the keyring');
    for (let turn = 0; turn < 500 && this.#bus && await this.#present().catch(() => false); turn += 1) await pause(10);
  }

  /** Unlocks by what a log-in does. */
  async unlock() {
    await this.kill();
    await this.start();
  }

  /** @param {string} keyId @returns {Promise<string>} what is kept under the id, "" for nothing */
  async secret(keyId) {
    return run('secret-tool', ['lookup', 'application', 'thunderseal', 'key-id', keyId], { env: { ...process.env, ...this.env } })
      .then(({ stdout }) => stdout, () => '');
  }

  /** @param {string} keyId @param {string} secret */
  async replace(keyId, secret) {
    const child = spawn('secret-tool', ['store', '--label=other', 'xdg:schema', SCHEMA, 'application', 'thunderseal', 'key-id', keyId], {
      env: { ...process.env, ...this.env }, stdio: ['pipe', 'ignore', 'inherit'],
    });
    child.stdin.end(secret);
    await soon(once(child, 'exit'), 'secret-tool');
  }

  async close() {
    const bus = this.#bus;
    this.#bus = undefined;
    await this.kill();
    bus?.kill();
  }
}
