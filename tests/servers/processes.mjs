// SPDX-License-Identifier: MPL-2.0
/**
 * Programs that refuse to run as root are started as `nobody` when the tests do run as root.
 */
import { chmod, chown, readdir, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { spawn } from "node:child_process";
import { homedir } from "node:os";
import { setTimeout as pause } from "node:timers/promises";

/** How often a process group that is ending is looked at, and when patience ends. */
const LOOK_EVERY_MS = 20;
const ASK_ALL_AFTER_MS = 300;
const KILL_AFTER_MS = 3000;

const OTHERS_MAY_ENTER = 0o001;

/** @typedef {{ name: string, group: string, uid: number, gid: number, isOther: boolean }} Identity */

/** @param {string} file @param {(fields: string[]) => boolean} wanted */
async function entry(file, wanted) {
  const lines = (await readFile(file, "utf8")).split("\n").map((line) => line.split(":"));
  const found = lines.find((fields) => fields.length > 2 && wanted(fields));
  if (!found) throw new Error(`no fitting entry in ${file}`);
  return found;
}

/** Who runs the servers: ourselves, or nobody instead of root. @returns {Promise<Identity>} */
export async function serverIdentity() {
  const own = process.getuid?.() ?? 0;
  const [name, , uid, gid] = await entry("/etc/passwd", (fields) => (own === 0 ? fields[0] === "nobody" : Number(fields[2]) === own));
  const [group] = await entry("/etc/group", (fields) => fields[2] === gid);
  return { name, group, uid: Number(uid), gid: Number(gid), isOther: own === 0 };
}

/** @param {NodeJS.ErrnoException} error */
const unlessGone = (error) => {
  if (error.code !== "ENOENT") throw error;
};

/** Gives a tree to the identity; a server at work there may take files away meanwhile. @param {string} path @param {Identity} identity */
export async function giveTo(path, identity) {
  if (!identity.isOther) return;
  await chown(path, identity.uid, identity.gid);
  if (!(await stat(path)).isDirectory()) return;
  await Promise.all((await readdir(path)).map((name) => giveTo(join(path, name), identity).catch(unlessGone)));
}

/**
 * Lets the identity pass through the folders above its own, as far as they are ours and not a home.
 * @param {string} folder @param {Identity} identity
 */
export async function letThrough(folder, { isOther, name }) {
  if (!isOther) return;
  for (let path = folder; path !== "/"; path = dirname(path)) {
    const { mode, uid } = await stat(path);
    if (mode & OTHERS_MAY_ENTER) continue;
    if (uid !== process.getuid?.() || path === homedir()) throw new Error(`${name} cannot enter ${path}: choose another folder`);
    await chmod(path, mode | OTHERS_MAY_ENTER);
  }
}

/**
 * Starts a program in a process group of its own that ends with us even if we are killed.
 * @param {string} program @param {string[]} args @param {Identity} identity @param {string} folder its working directory
 */
export function startAs(program, args, { uid, gid, isOther }, folder) {
  const identity = isOther ? [`--reuid=${uid}`, `--regid=${gid}`, "--clear-groups"] : [];
  const environment = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", HOME: folder, LANG: "C.UTF-8" };
  return spawn("setpriv", ["--pdeathsig=TERM", ...identity, "--", program, ...args], {
    cwd: folder, env: environment, stdio: ["ignore", "ignore", "pipe"], detached: true,
  });
}

/**
 * Whether a process of the group still runs. A dead one that nobody has waited for is no longer running, but would
 * still answer a signal.
 * @param {number} group
 */
async function groupLives(group) {
  const processes = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const states = await Promise.all(processes.map(async (process) => {
    const line = await readFile(`/proc/${process}/stat`, "utf8").catch(() => "");
    const [state, , processGroup] = line.slice(line.lastIndexOf(")") + 2).split(" ");
    return Number(processGroup) === group && state !== "Z" && state !== "X";
  }));
  return states.includes(true);
}

/**
 * Ends a process of `startAs` and waits until nothing of its group is left. First its leader is asked, which ends its own
 * children; later everybody, because Dovecot waits seconds for a child that was only just starting.
 * @param {number} group
 */
export async function endGroup(group) {
  const started = Date.now();
  /** @param {number} target @param {NodeJS.Signals} signal */
  const send = (target, signal) => {
    try {
      process.kill(target, signal);
    } catch {
      // gone meanwhile
    }
  };
  if (await groupLives(group)) send(group, "SIGTERM");
  while (await groupLives(group)) {
    const waited = Date.now() - started;
    if (waited > KILL_AFTER_MS) send(-group, "SIGKILL");
    else if (waited > ASK_ALL_AFTER_MS) send(-group, "SIGTERM");
    await pause(LOOK_EVERY_MS);
  }
}
