// SPDX-License-Identifier: MPL-2.0
/** One organisation and one machine for a file of tests: an identity provider, homes with a configuration, hosts. */
import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as until } from 'node:timers/promises';
import { request } from '../servers/https_client.mjs';
import { startIdentityProvider } from '../servers/identity_provider.mjs';
import { giveTo, letThrough, serverIdentity } from '../servers/processes.mjs';
import { Host, PROGRAM } from './host.mjs';

/** @typedef {import('../servers/identity_provider.mjs').IdentityProvider} IdentityProvider */

/** @param {string} text */
export const sha256 = (text) => createHash('sha256').update(text).digest('hex');

/** Waits for a moment of the wall clock, in Unix seconds. @param {number} time */
export const moment = (time) => until(Math.max(0, time * 1000 - Date.now()) + 50);

/** The configuration for the test provider. @param {IdentityProvider} idp */
export const configuration = (idp) => ({
  cloud: 'custom',
  custom: {
    authority: idp.authority, resources: { outlook: idp.outlookResource, graph: idp.graphResource },
    imap: 'localhost:993', smtp: 'localhost:587/starttls',
  },
  tenant: idp.tenant, clientId: idp.clientId, caFile: idp.caFile,
});

/** @param {string} home @param {unknown} content an object, or the text of the file */
export async function writeConfig(home, content) {
  const folder = join(home, '.config/thunderseal');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'config.json'), typeof content === 'string' ? content : JSON.stringify(content), { mode: 0o600 });
}

/** @param {string} home */
export const stateFolder = (home) => join(home, '.local/state/thunderseal');

/** All files below a folder, with their content. @param {string} folder @returns {Promise<{ path: string, bytes: Buffer }[]>} */
export async function filesBelow(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(paths.map(async (path) => ({ path, bytes: await readFile(path) })));
}

/** @param {string} home @returns {Promise<string[]>} names in the identities folder */
export const sealedFiles = (home) => readdir(join(stateFolder(home), 'identities')).catch(() => []);

/**
 * What a browser does at the end of a sign-in.
 * @param {string} url of the listener @param {import('node:http').RequestOptions} [options]
 * @returns {Promise<{ status: number, headers: import('node:http').IncomingHttpHeaders, text: string }>}
 */
export const visit = (url, options = {}) => new Promise((resolve, reject) => {
  get(url, { agent: false, ...options }, async (response) => {
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += chunk;
    resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
  }).on('error', reject);
});

export class World {
  /** @type {Set<Host>} */
  #hosts = new Set();

  #users = 0;

  #homes = 0;

  /** @param {string} folder @param {IdentityProvider} idp */
  constructor(folder, idp) {
    this.folder = folder;
    this.idp = idp;
  }

  /** @param {Omit<Parameters<typeof startIdentityProvider>[0], 'folder'>} [options] */
  static async open(options = {}) {
    const folder = await mkdtemp(join(tmpdir(), 'thunderseal-protocol-'));
    const idp = await startIdentityProvider({ folder: join(folder, 'idp'), ...options });
    await idp.control({ autoLogin: true });
    return new World(folder, idp);
  }

  /** A fresh home. @param {object | string | null} [change] put over the usual configuration; a text is the whole file; null: no file */
  async home(change = {}) {
    this.#homes += 1;
    const home = join(this.folder, `home-${this.#homes}`);
    await mkdir(home);
    if (change !== null) await this.configure(home, change);
    return home;
  }

  /** The endpoints of the usual configuration. */
  custom() {
    return configuration(this.idp).custom;
  }

  /** @param {string} home @param {object | string} change */
  configure(home, change) {
    return writeConfig(home, typeof change === 'string' ? change : { ...configuration(this.idp), ...change });
  }

  /** A host that was greeted. @param {string} [home] @param {Partial<import('./host.mjs').Start>} [start] @param {object} [hello] */
  async host(home, start = {}, hello = {}) {
    return this.watch(await Host.open({ home: home ?? await this.home(), ...start }, hello));
  }

  /** A host that is to be ended, and must have kept the contract, when the world is closed. @param {Host} host */
  watch(host) {
    this.#hosts.add(host);
    return host;
  }

  /** A new user of the organisation. */
  async user(prefix = 'user') {
    this.#users += 1;
    const upn = `${prefix}${this.#users}@contoso.test`;
    await this.idp.control({ addUser: { upn } });
    return upn;
  }

  /** What the authorization endpoint redirects a signed-in user to. @param {string} authorizationUrl */
  async redirectOf(authorizationUrl) {
    const { headers, text } = await request(authorizationUrl, this.idp);
    if (!headers.location) throw new Error(`no redirect: ${text}`);
    return headers.location;
  }

  /** Lets the provider's automatic login answer. @param {string} authorizationUrl the page that the user sees last */
  async answer(authorizationUrl) {
    return visit(await this.redirectOf(authorizationUrl));
  }

  /** The whole sign-in. @param {Host} host @param {string} account @param {object} [params] @returns {Promise<any>} signIn.finished */
  async signIn(host, account, params = {}) {
    const { signInId, authorizationUrl } = await host.call('signIn.start', { account, ...params });
    await this.answer(authorizationUrl);
    return host.told('signIn.finished', (told) => told.signInId === signInId);
  }

  /** @param {Host} host @param {string} account */
  async #signInWell(host, account) {
    const { ok, problem } = await this.signIn(host, account);
    if (!ok) throw new Error(`the sign-in failed: ${JSON.stringify(problem)}`);
  }

  /** A user who is signed in, with a first token. @param {Host} host @param {string} [account] */
  async signedIn(host, account) {
    const name = account ?? await this.user();
    await this.#signInWell(host, name);
    return { account: name, token: (await host.call('token.get', { account: name })).accessToken };
  }

  /** Users who are signed in and whose first token is over. Nobody asks for one before: that may renew it already. @param {Host} host @param {number} [count] */
  async expired(host, count = 1) {
    const accounts = [];
    for (let i = 0; i < count; i += 1) {
      const account = await this.user();
      await this.idp.control({ nextToken: { lifetimes: { accessToken: 1 }, match: { user: account } } });
      await this.#signInWell(host, account);
      accounts.push(account);
    }
    await moment(Math.ceil(Date.now() / 1000) + 1);
    return accounts;
  }

  /** Token requests of the user so far. @param {string} account @param {string} [grant] */
  requestsOf(account, grant = 'refresh_token') {
    return this.idp.requests().filter(({ user, grant_type: type }) => user === account && type === grant);
  }

  /**
   * Somebody whom missing permissions stop: root's hosts run as nobody, with a copy of the program that nobody can reach.
   * @param {string[]} paths that are to be theirs
   */
  async ordinaryUser(...paths) {
    const identity = await serverIdentity();
    const program = join(this.folder, 'thunderseal');
    await copyFile(PROGRAM, program);
    await chmod(program, 0o755);
    await letThrough(this.folder, identity);
    await chmod(this.folder, 0o711);
    // The authority's folder is private, and the host has to read the trust anchor.
    await copyFile(this.idp.caFile, join(this.folder, 'ca.pem'));
    await chmod(join(this.folder, 'ca.pem'), 0o644);
    for (const path of paths) await giveTo(path, identity);
    return { program, caFile: join(this.folder, 'ca.pem'), ...(identity.isOther ? { uid: identity.uid, gid: identity.gid } : {}) };
  }

  async close() {
    const breaches = [...this.#hosts].flatMap((host) => host.breaches);
    await Promise.all([...this.#hosts].map((host) => host.kill()));
    await this.idp.stop();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
    if (breaches.length) throw new Error(`the host broke the contract:\n${[...new Set(breaches)].join('\n')}`);
  }
}
