// SPDX-License-Identifier: MPL-2.0

/**
 * A real Thunderbird for a test: own home, own profile, own display, driven from outside.
 * Everything it writes is below one folder, and after `stop()` no process of it is left.
 */

import { execFile } from "node:child_process";
import { watch } from "node:fs";
import { mkdir, open, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { openDisplay } from "./display.mjs";
import { EXTENSION_ID, copyApplication, environment, makeHome, registerHost, setSystemBrowser, writeHostConfiguration } from "./home.mjs";
import { Mailbox } from "./mailbox.mjs";
import { Marionette } from "./marionette.mjs";
import { Popup } from "./popup.mjs";
import { signalGroup, startProgram } from "./program.mjs";
import { writeProfile } from "./profile.mjs";
import { awaitNotification, majorVersion, waitForSignInWindow, waitUntilReady, windowTypes } from "./windows.mjs";

const run = promisify(execFile);

const APPLICATION = process.env.THUNDERBIRD_FOLDER ?? "/usr/lib/thunderbird";

/** Thunderbird waits 6 s for a host that hangs and then writes its profile; after this it never ends by itself. */
const QUIT_DEADLINE_MS = 30_000;

/** As much of Thunderbird's complaints as an error message bears. */
const LOG_LINES = 20;

/**
 * @typedef {object} Options
 * @property {string} folder everything is written below it; a second start in the same folder is a restart
 * @property {string} xpi the add-on
 * @property {string|null} [host] the native host's program; null: none registered
 * @property {object} [hostConfiguration] the user's configuration file of the host
 * @property {import("./profile.mjs").MailAccount[]} [accounts]
 * @property {string} [caFile] PEM of a test CA
 * @property {Record<string, string|number|boolean>} [preferences]
 * @property {string} [systemBrowser] command line that gets the address as its last argument
 * @property {{path: string, uid: number}} [root] another system's root, in which Thunderbird and the add-on are installed and
 *   `folder` has the same path; and who uses it there
 * @property {"profile"|"policy"} [install] how the add-on gets in; "policy" is what administrators do
 * @property {object} [policies] further enterprise policies; implies "policy"
 * @property {Record<string, string>} [applicationFiles] what an administrator put into Thunderbird's folder, by path
 * @property {boolean} [preferVisible] draw on $DISPLAY where there is one
 * @property {Record<string, string>} [environment]
 */

/**
 * @param {Options} options
 * @returns {Promise<Thunderbird>}
 */
export async function startThunderbird(options) {
  const home = join(options.folder, "home");
  const profile = join(options.folder, "profile");
  const byPolicy = options.install === "policy" || options.policies !== undefined;
  await makeHome(home);
  await registerHost(home, options.host ?? null);
  if (options.hostConfiguration) {
    await writeHostConfiguration(home, options.hostConfiguration);
  }
  if (options.systemBrowser) {
    await setSystemBrowser(home, options.systemBrowser);
  }
  await writeProfile(profile, {
    accounts: options.accounts ?? [],
    // The popup stays open while the test looks elsewhere.
    preferences: { "ui.popup.disable_autohide": true, ...options.preferences },
    caFile: options.caFile,
    addOn: byPolicy || options.root ? undefined : { id: EXTENSION_ID, xpi: options.xpi },
  });
  const command = options.root ? await commandInRoot(options.folder, options.root)
    : [join(await applicationOf(options, byPolicy), "thunderbird-bin")];
  const display = await openDisplay({ preferVisible: options.preferVisible });
  try {
    return await launch({ options, home, profile, command, display });
  } catch (error) {
    await display.stop();
    if (!display.visible) {
      throw error;
    }
  }
  // The screen there is may want a cookie that we do not have.
  return startThunderbird({ ...options, preferVisible: false });
}

/**
 * @param {string} folder
 * @param {{path: string, uid: number}} root
 */
async function commandInRoot(folder, { path, uid }) {
  await run("chown", ["--recursive", `${uid}:${uid}`, folder]);
  return ["chroot", `--userspec=${uid}:${uid}`, path, "/usr/bin/thunderbird"];
}

/**
 * @param {Options} options
 * @param {boolean} byPolicy
 * @returns {Promise<string>} its folder
 */
async function applicationOf(options, byPolicy) {
  const files = { ...options.applicationFiles, ...(byPolicy ? { "distribution/policies.json": policiesOf(options) } : {}) };
  if (!Object.keys(files).length) {
    return APPLICATION;
  }
  const copy = join(options.folder, "application");
  await rm(copy, { recursive: true, force: true });
  await copyApplication(APPLICATION, copy, files);
  return copy;
}

/** @param {Options} options */
function policiesOf({ xpi, policies }) {
  const install = { installation_mode: "force_installed", install_url: `file://${xpi}` };
  return JSON.stringify({ policies: { ExtensionSettings: { [EXTENSION_ID]: install }, ...policies } });
}

/**
 * @param {{options: Options, home: string, profile: string, command: string[], display: import("./display.mjs").Display}} parts
 */
async function launch({ options, home, profile, command, display }) {
  const portFile = join(profile, "MarionetteActivePort");
  await rm(portFile, { force: true });
  const logFile = join(options.folder, "thunderbird.log");
  const log = await open(logFile, "a");
  const [program, ...first] = command;
  const running = startProgram(program, [...first, "--profile", profile, "--no-remote", "--marionette", "--remote-allow-system-access"], {
    env: environment(home, display.environment, options.environment ?? {}),
    cwd: options.folder,
    stdio: ["ignore", log.fd, log.fd],
  });
  await log.close();
  let marionette;
  try {
    const port = await fileWithText(portFile, profile, running.gone);
    marionette = await Marionette.open(Number(port));
    await marionette.chrome(waitUntilReady, EXTENSION_ID);
  } catch (error) {
    marionette?.close();
    await running.end();
    throw new Error(`Thunderbird did not start: ${error}\n${await lastLines(logFile)}`);
  }
  return new Thunderbird({ options, home, profile, running, marionette, display });
}

/**
 * The file goes with its folder, so an error quotes it.
 * @param {string} file
 */
async function lastLines(file) {
  return (await readFile(file, "utf8")).trimEnd().split("\n").slice(-LOG_LINES).join("\n");
}

/**
 * @param {string} file
 * @param {string} folder
 * @param {Promise<any>} gone
 * @returns {Promise<string>}
 */
async function fileWithText(file, folder, gone) {
  const stop = new AbortController();
  const ended = gone.then(([code, signal]) => {
    throw new Error(`it ended with ${code ?? signal}`);
  });
  const appeared = new Promise(resolve => {
    const look = () => readFile(file, "utf8").then(text => text.trim() && resolve(text.trim()), () => {});
    watch(folder, { signal: stop.signal }, look);
    look();
  });
  try {
    return await Promise.race([appeared, ended]);
  } finally {
    ended.catch(() => {});
    stop.abort();
  }
}

export class Thunderbird {
  #options;
  #running;
  #display;

  /** @param {{options: Options, home: string, profile: string, running: import("./program.mjs").Program, marionette: Marionette, display: import("./display.mjs").Display}} parts */
  constructor({ options, home, profile, running, marionette, display }) {
    this.#options = options;
    this.#running = running;
    this.#display = display;
    this.home = home;
    this.profile = profile;
    this.marionette = marionette;
    this.mailbox = new Mailbox(marionette);
  }

  get pid() {
    return Number(this.#running.process.pid);
  }

  /** Whether a person could see it. */
  get visible() {
    return this.#display.visible;
  }

  /** Opens the toolbar popup and waits until it is drawn. */
  openPopup() {
    return Popup.open(this.marionette, EXTENSION_ID);
  }

  /** Waits until the toolbar popup is open and drawn, whatever opens it. */
  openedPopup() {
    return Popup.opened(this.marionette);
  }

  /** @param {string} file where the picture of the main window goes */
  async photograph(file) {
    await mkdir(join(file, ".."), { recursive: true });
    await writeFile(file, await this.marionette.screenshot());
  }

  /** @returns {Promise<number|null>} the process id of the native host that this Thunderbird started */
  async hostPid() {
    for (const name of await readdir("/proc")) {
      if (/^\d+$/.test(name)) {
        const [command, stat] = await Promise.all(["cmdline", "stat"].map(file => readFile(`/proc/${name}/${file}`, "utf8").catch(() => "")));
        const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
        if (parent === this.pid && command.split("\0").includes(EXTENSION_ID)) {
          return Number(name);
        }
      }
    }
    return null;
  }

  /**
   * Clicks the notification with this title when it is there.
   * @param {string} title
   * @returns {Promise<string>} its text
   */
  clickNotification(title) {
    return this.marionette.chrome(awaitNotification, title, true);
  }

  /**
   * Waits for the notification with this title.
   * @param {string} title
   * @returns {Promise<string>} its text
   */
  notification(title) {
    return this.marionette.chrome(awaitNotification, title, false);
  }

  /** @returns {Promise<number>} such as 153 */
  majorVersion() {
    return this.marionette.chrome(majorVersion);
  }

  /**
   * What has been opened: a dialog or a sign-in would show here.
   * @returns {Promise<string[]>}
   */
  windows() {
    return this.marionette.chrome(windowTypes);
  }

  /**
   * Waits until Thunderbird's own sign-in opens its window, as versions before the external browser do.
   * @returns {Promise<string>} the address of the sign-in page
   */
  ownSignInWindow() {
    return this.marionette.chrome(waitForSignInWindow);
  }

  /** Ends Thunderbird as the user would, and everything it started. */
  async stop() {
    const deadline = setTimeout(() => signalGroup(this.pid, "SIGKILL"), QUIT_DEADLINE_MS);
    try {
      await this.marionette.send("Marionette:Quit", { flags: ["eForceQuit"] }).catch(() => {});
      await this.#running.gone;
    } finally {
      clearTimeout(deadline);
      await this.#running.end();
      this.marionette.close();
      await this.#display.stop();
    }
  }

  /**
   * Stops and starts again on the same profile and home.
   * @param {Partial<Options>} [changes]
   */
  async restart(changes = {}) {
    await this.stop();
    return startThunderbird({ ...this.#options, ...changes });
  }
}
