// SPDX-License-Identifier: MPL-2.0

/**
 * A bare Debian of one test's own, in which Thunderbird is installed and nothing of ours: a layer over the root that
 * `make_root` made, kept in memory. Works only in a mount namespace that is ours, as `make check-package` gives it;
 * with that namespace everything mounted here goes too.
 */

import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

const PACKAGES = resolve(import.meta.dirname, "../..", process.env.THUNDERSEAL_PACKAGES ?? "build/package");

/** Long output of a package manager is quoted whole where it fails. */
const OUTPUT_LIMIT = 64 * 1024 * 1024;

/** What the system itself writes down about packages; all else that a package leaves is told. */
const BOOKKEEPING = /^\/(var\/(lib\/(dpkg|apt)|cache|log)|proc|sys|dev|run|tmp)(\/|$)|^\/etc\/ld\.so\.cache$/;

/**
 * @param {"current"|"old"|"again"} which as `make check-package` built it
 * @returns {Promise<string>} the file
 */
export async function builtPackage(which) {
  const folder = join(PACKAGES, which, "deb");
  const [name, ...others] = (await readdir(folder)).filter(file => file.endsWith(".deb"));
  if (!name || others.length) {
    throw new Error(`not one package in ${folder}`);
  }
  return join(folder, name);
}

/**
 * Takes a package apart.
 * @param {string} file
 * @param {string} folder
 */
export async function unpack(file, folder) {
  await mkdir(folder, { recursive: true });
  await run("dpkg-deb", ["-x", file, folder]);
}

export class Root {
  /** @param {string} folder */
  constructor(folder) {
    this.folder = folder;
    this.path = join(folder, "root");
  }

  static async open() {
    const folder = await mkdtemp(join(tmpdir(), "thunderseal-root-"));
    const root = new Root(folder);
    // The files of a layer may not lie on a layer, as this machine's own may.
    await run("mount", ["-t", "tmpfs", "-o", "mode=755", "tmpfs", folder]);
    await Promise.all(["upper", "work", "root"].map(name => mkdir(join(folder, name))));
    const layers = `lowerdir=${join(PACKAGES, "root")},upperdir=${join(folder, "upper")},workdir=${join(folder, "work")}`;
    await run("mount", ["-t", "overlay", "-o", layers, "overlay", root.path]);
    for (const name of ["proc", "sys", "dev"]) {
      await run("mount", ["--rbind", `/${name}`, join(root.path, name)]);
    }
    await rm(join(root.path, "etc/resolv.conf"), { force: true });
    await cp("/etc/resolv.conf", join(root.path, "etc/resolv.conf"), { dereference: true });
    return root;
  }

  /**
   * Makes a folder of this machine reachable by the same path.
   * @param {string} folder
   */
  async share(folder) {
    await mkdir(join(this.path, folder), { recursive: true });
    await run("mount", ["--rbind", folder, join(this.path, folder)]);
  }

  /**
   * Runs a command in it and returns what it prints.
   * @param {string[]} command
   * @param {{user?: number, environment?: Record<string, string>}} [options] default: root
   * @returns {Promise<string>}
   */
  async run(command, { user = 0, environment = {} } = {}) {
    const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LANG: "C.UTF-8", DEBIAN_FRONTEND: "noninteractive", ...environment };
    const options = { env, maxBuffer: OUTPUT_LIMIT };
    const { stdout } = await run("chroot", [`--userspec=${user}:${user}`, this.path, ...command], options).catch(error => {
      throw new Error(`${command.join(" ")}: ${error.message}\n${error.stdout}`);
    });
    return stdout;
  }

  /**
   * Installs as an administrator does who was given the file.
   * @param {string} file on this machine
   */
  async install(file) {
    await cp(file, join(this.path, "tmp", basename(file)));
    return this.run(["apt-get", "install", "-q", "-y", `/tmp/${basename(file)}`]);
  }

  /** @param {string} file @returns {Promise<string>} */
  read(file) {
    return readFile(join(this.path, file), "utf8");
  }

  /** @returns {Promise<string[]>} files and folders that no installed package brought */
  async strays() {
    const [found, lists] = await Promise.all([
      this.run(["find", "/", "-xdev", "-print"]),
      this.run(["sh", "-c", "cat /var/lib/dpkg/info/*.list"]),
    ]);
    // Paths below /bin and /lib are below /usr by way of links.
    const owned = new Set(lists.split("\n").flatMap(path => [path, `/usr${path}`]));
    return found.split("\n").filter(path => path && !owned.has(path) && !BOOKKEEPING.test(path)).sort();
  }

  async close() {
    await run("umount", ["--recursive", "--lazy", this.folder]);
    await rm(this.folder, { recursive: true });
  }
}
