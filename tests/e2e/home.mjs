// SPDX-License-Identifier: MPL-2.0

/** A private home directory: where Thunderbird finds the host and the system browser. */

import { chmod, cp, mkdir, readdir, rm, symlink, writeFile, copyFile } from "node:fs/promises";
import { dirname, join } from "node:path";

export const EXTENSION_ID = "companion@thunderseal";
export const NATIVE_NAME = "thunderseal";

const BROWSER_ENTRY = "testbrowser.desktop";

/**
 * The environment of a user who has nothing but this home: no session bus, no proxy, no other display.
 * @param {string} home
 * @param {Record<string, string>} display what leads to it
 * @param {Record<string, string>} extra
 * @returns {Record<string, string>}
 */
export function environment(home, display, extra) {
  return {
    PATH: process.env.PATH ?? "/usr/bin:/bin",
    LANG: "C.UTF-8",
    HOME: home,
    ...display,
    XDG_CONFIG_HOME: join(home, ".config"),
    XDG_DATA_HOME: join(home, ".local", "share"),
    XDG_STATE_HOME: join(home, ".local", "state"),
    XDG_CACHE_HOME: join(home, ".cache"),
    XDG_RUNTIME_DIR: join(home, "run"),
    DBUS_SESSION_BUS_ADDRESS: "disabled:",
    NO_AT_BRIDGE: "1",
    GTK_USE_PORTAL: "0",
    MOZ_CRASHREPORTER_DISABLE: "1",
    MOZ_REMOTE_SETTINGS_DEVTOOLS: "1",
    ...extra,
  };
}

/** @param {string} home */
export async function makeHome(home) {
  for (const folder of [home, "run", ".config", ".local/share/applications", ".local/state", ".cache"]) {
    await mkdir(folder === home ? home : join(home, folder), { recursive: true, mode: 0o700 });
  }
}

/**
 * Makes a program the system browser: it gets the address as its one argument.
 * @param {string} home
 * @param {string} program a command line of the desktop entry, without the address
 */
export async function setSystemBrowser(home, program) {
  const entry = [
    "[Desktop Entry]",
    "Type=Application",
    "Name=Test browser",
    `Exec=${program} %u`,
    "MimeType=x-scheme-handler/http;x-scheme-handler/https;",
  ];
  await writeFile(join(home, ".local/share/applications", BROWSER_ENTRY), `${entry.join("\n")}\n`);
  const defaults = ["[Default Applications]", `x-scheme-handler/http=${BROWSER_ENTRY}`, `x-scheme-handler/https=${BROWSER_ENTRY}`];
  await writeFile(join(home, ".config/mimeapps.list"), `${defaults.join("\n")}\n`);
}

/**
 * Registers a program as the native host, or takes the registration away.
 * @param {string} home
 * @param {string|null} program absolute path
 */
export async function registerHost(home, program) {
  const folder = join(home, ".mozilla/native-messaging-hosts");
  const file = join(folder, `${NATIVE_NAME}.json`);
  if (!program) {
    await rm(file, { force: true });
    return;
  }
  await mkdir(folder, { recursive: true });
  const manifest = { name: NATIVE_NAME, description: "Thunderseal", path: program, type: "stdio", allowed_extensions: [EXTENSION_ID] };
  await writeFile(file, JSON.stringify(manifest));
}

/**
 * @param {string} home
 * @param {object} configuration what the host reads as the user's configuration
 */
export async function writeHostConfiguration(home, configuration) {
  const folder = join(home, ".config/thunderseal");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, "config.json");
  await writeFile(file, JSON.stringify(configuration, null, 2), { mode: 0o600 });
  await chmod(file, 0o600);
}

/**
 * A copy of the application folder by links, so that files of an administrator's can stand in it.
 * The program itself is copied: it finds its folder by its real path.
 * @param {string} application
 * @param {string} copy
 * @param {Record<string, string>} files by their path in it
 */
export async function copyApplication(application, copy, files) {
  await mkdir(copy, { recursive: true });
  for (const name of await readdir(application)) {
    const to = join(copy, name);
    if (name === "thunderbird-bin") {
      await copyFile(join(application, name), to);
    } else if (name === "distribution" || name === "isp") {
      await cp(join(application, name), to, { recursive: true });
    } else if (name !== "thunderbird") {
      await symlink(join(application, name), to);
    }
  }
  await symlink("thunderbird-bin", join(copy, "thunderbird"));
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(copy, path)), { recursive: true });
    await writeFile(join(copy, path), content);
  }
}
