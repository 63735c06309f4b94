// SPDX-License-Identifier: MPL-2.0
/**
 * A healthy installation for `doctor` to look at: an identity provider, a keyring, an account that is signed in, and a
 * profile in which a real Thunderbird has taken up the add-on that its administrator forces.
 */
import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, readdir, readFile, lstat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { EXTENSION_ID } from '../e2e/home.mjs';
import { startThunderbird } from '../e2e/thunderbird.mjs';
import { PROGRAM, runCommand } from './host.mjs';
import { Keyring } from './keyring.mjs';
import { configuration, sha256, World } from './world.mjs';

/** @typedef {{ id: string, account: null, status: string, title: string, detail: string, causes?: string[], remedy?: string, adminRemedy?: string, evidence?: any }} Check */
/** @typedef {{ code: number | null, overall: string, checks: Check[] }} Findings */

const LAST_WORD = /Run: (.*)$/s;

/** The command at the end of a remedy. @param {Check} check */
export function commandOf(check) {
  const found = LAST_WORD.exec(check.remedy ?? '');
  if (!found) throw new Error(`no command in ${JSON.stringify(check)}`);
  return found[1];
}

/** The JSON members that a remedy has one write. @param {Check} check @returns {any} */
export function membersOf(check) {
  const found = /(?:add|to|write): (".*\})$/s.exec(check.remedy ?? '');
  if (!found) throw new Error(`no JSON in ${JSON.stringify(check)}`);
  return JSON.parse(`{${found[1]}}`);
}

/** The file that a remedy has one edit. @param {Check} check */
export function fileOf(check) {
  const found = /^In (\/.*\.json), /.exec(check.remedy ?? '');
  if (!found) throw new Error(`no file in ${JSON.stringify(check)}`);
  return found[1];
}

/** Changes a JSON file. @param {string} file @param {(content: any) => void} change */
export async function editJson(file, change) {
  const content = JSON.parse(await readFile(file, 'utf8'));
  change(content);
  await writeFile(file, JSON.stringify(content));
}

export class Installation {
  /** @type {Record<string, string>} */
  #env = {};

  /** @param {World} world @param {Keyring} keyring */
  constructor(world, keyring) {
    this.world = world;
    this.keyring = keyring;
    this.folder = join(world.folder, 'machine');
    this.home = join(this.folder, 'home');
    this.profile = join(this.folder, 'profile');
    this.application = join(this.folder, 'application');
    this.manifest = join(this.home, '.mozilla/native-messaging-hosts/thunderseal.json');
    this.config = join(this.home, '.config/thunderseal/config.json');
    this.state = join(this.home, '.local/state/thunderseal');
    this.policies = join(this.application, 'distribution/policies.json');
    this.extensions = join(this.profile, 'extensions.json');
    this.#env = keyring.env;
  }

  static async open() {
    const world = await World.open();
    const keyring = await Keyring.open(join(world.folder, 'keyring'));
    const installation = new Installation(world, keyring);
    try {
      await installation.#make();
    } catch (error) {
      await installation.close();
      throw error;
    }
    return installation;
  }

  async #make() {
    await mkdir(this.folder);
    const thunderbird = await startThunderbird({
      folder: this.folder, xpi: join(dirname(PROGRAM), 'thunderseal.xpi'), host: PROGRAM,
      hostConfiguration: configuration(this.world.idp), install: 'policy',
    });
    await thunderbird.stop();
    await mkdir(join(this.home, '.thunderbird'), { recursive: true });
    await writeFile(join(this.home, '.thunderbird/profiles.ini'), [
      '[Install0123456789ABCDEF]', `Default=${this.profile}`, 'Locked=1', '',
      '[Profile1]', 'Name=unused', 'IsRelative=1', 'Path=unused.default', 'Default=1', '',
      '[Profile0]', 'Name=default-default', 'IsRelative=0', `Path=${this.profile}`, '',
    ].join('\n'));
    const host = await this.world.host(this.home, { env: this.#env });
    await this.world.signedIn(host);
    await host.end();
  }

  /** @param {string[]} args @param {Record<string, string>} env over the usual one */
  run(args, env = {}) {
    return runCommand(['doctor', ...args], { home: this.home, env: { ...this.#env, BROWSER: '/bin/true', ...env } });
  }

  /** What doctor finds. @param {Record<string, string>} [env] @returns {Promise<Findings>} */
  async look(env) {
    const { code, stdout, stderr } = await this.run(['--json'], env);
    if (stderr) throw new Error(stderr);
    return { code, ...JSON.parse(stdout) };
  }

  /** Runs a command as its reader would. @param {string} command */
  async obey(command) {
    await promisify(execFile)('/bin/sh', ['-c', command], { cwd: '/', env: { PATH: process.env.PATH, HOME: this.home } });
  }

  /** What doctor could touch, by name: mode, time, content. @returns {Promise<Record<string, string>>} */
  async inventory() {
    const folders = [this.home, this.profile, dirname(this.policies)];
    const paths = await Promise.all(folders.map(async (folder) => (await readdir(folder, { recursive: true })).map((name) => join(folder, name))));
    return Object.fromEntries(await Promise.all(paths.flat().sort().map(async (path) => {
      const status = await lstat(path);
      const content = status.isFile() ? sha256(await readFile(path, 'latin1')) : '';
      return [path, `${status.mode.toString(8)} ${status.mtimeMs} ${content}`];
    })));
  }

  /** Another program in this one's place. @param {number} mode */
  async otherProgram(mode) {
    const path = join(this.folder, 'other');
    await copyFile('/bin/true', path);
    await chmod(path, mode);
    return path;
  }

  async close() {
    await this.keyring.close();
    await this.world.close();
  }
}

export { EXTENSION_ID };
