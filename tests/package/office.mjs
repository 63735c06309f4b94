// SPDX-License-Identifier: MPL-2.0

/**
 * An organisation as the e2e tests have it, and a bare Debian on whose desktop one of its users works. The servers and
 * the user's browser run outside of that, in the same network; what is installed in it is what a package brought.
 */

import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { makeHome } from "../e2e/home.mjs";
import { startProgram } from "../e2e/program.mjs";
import { makeRecordingBrowser } from "../e2e/recording_browser.mjs";
import { ADA, World } from "../e2e/world.mjs";
import { signInWithBrowser } from "../servers/browser.mjs";
import { Root } from "./root.mjs";

export { ADA };

const run = promisify(execFile);

/** Where an administrator keeps the organisation's own certificate authority. */
const CA_FILE = "/usr/local/share/contoso-ca.pem";

/** The first user of a Debian system. */
const UID = 1000;

/** As Thunderbird comes from Debian; the driver of the tests has other wishes about add-ons. */
const AS_SHIPPED = { "extensions.autoDisableScopes": 3, "remote.prefs.recommended": false };

export class Office {
  /**
   * @param {World} world
   * @param {Root} root
   * @param {Awaited<ReturnType<typeof makeRecordingBrowser>>} browser
   */
  constructor(world, root, browser) {
    this.world = world;
    this.root = root;
    this.browser = browser;
    this.home = join(world.folder, "machine/home");
  }

  static async open() {
    const world = await World.open();
    const machine = join(world.folder, "machine");
    await mkdir(machine);
    await makeHome(join(machine, "home"));
    await run("chown", ["--recursive", `${UID}:${UID}`, join(machine, "home")]);
    const browser = await makeRecordingBrowser(machine);
    const root = await Root.open();
    await root.share(world.folder);
    return new Office(world, root, browser);
  }

  /** Writes the two files of an administrator: which app signs in and for whom, and whom Thunderbird trusts. */
  async writePolicy() {
    await mkdir(join(this.root.path, "usr/local/share"), { recursive: true });
    await writeFile(join(this.root.path, CA_FILE), this.world.identityProvider.certificates.ca);
    const policy = { ...this.world.hostConfiguration, caFile: CA_FILE, accounts: { [ADA]: {} } };
    await writeFile(join(this.root.path, "etc/thunderseal/policy.json"), JSON.stringify(policy, null, 2), { mode: 0o644 });
    const policies = join(this.root.path, "etc/thunderbird/policies");
    await mkdir(policies, { recursive: true });
    await writeFile(join(policies, "policies.json"), JSON.stringify({ policies: { Certificates: { Install: [CA_FILE] } } }));
  }

  /** @param {Partial<import("../e2e/thunderbird.mjs").Options>} [options] */
  startThunderbird(options) {
    return this.world.startThunderbird({
      root: { path: this.root.path, uid: UID },
      host: null,
      hostConfiguration: undefined,
      caFile: undefined,
      systemBrowser: this.browser.command,
      environment: {},
      preferences: AS_SHIPPED,
      ...options,
    });
  }

  get #environment() {
    return { HOME: this.home, PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LANG: "C.UTF-8" };
  }

  /**
   * The program as the user runs it in a terminal.
   * @param {...string} args
   */
  thunderseal(...args) {
    return this.root.run(["/usr/bin/thunderseal", ...args], { user: UID, environment: this.#environment });
  }

  /** Signs in at the terminal, with the browser opened by hand. */
  async login() {
    const command = [`--userspec=${UID}:${UID}`, this.root.path, "/usr/bin/thunderseal", "login", ADA, "--no-browser"];
    const { process, gone } = startProgram("chroot", command, { env: this.#environment, stdio: ["pipe", "pipe", "inherit"] });
    for await (const line of createInterface({ input: /** @type {import("node:stream").Readable} */ (process.stdout) })) {
      const [url] = /https:\S+/.exec(line) ?? [];
      if (url) {
        await this.signIn(url);
      }
    }
    const [code] = await gone;
    if (code !== 0) {
      throw new Error(`login ended with ${code}`);
    }
  }

  /**
   * The user answers the sign-in page.
   * @param {string} url
   */
  signIn(url) {
    const person = this.world.identityProvider.users.find(({ upn }) => upn === ADA);
    return signInWithBrowser(url, { user: ADA, password: person?.password, folder: this.world.folder, uid: UID });
  }

  async close() {
    await this.world.close();
    await this.root.close();
  }
}
