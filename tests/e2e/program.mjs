// SPDX-License-Identifier: MPL-2.0

/** Programs that a test starts: each leads a process group of its own and never outlives the test. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, readdir } from "node:fs/promises";

/**
 * @typedef {object} Program
 * @property {import("node:child_process").ChildProcess} process
 * @property {Promise<any>} gone resolves with code and signal
 * @property {() => Promise<void>} end stops it and all that it started
 */

/**
 * The kernel ends it when we are killed; `setpriv` becomes the program, so the process id is the program's.
 * @param {string} command
 * @param {string[]} args
 * @param {import("node:child_process").SpawnOptions} options
 * @returns {Program}
 */
export function startProgram(command, args, options) {
  const process = spawn("setpriv", ["--pdeathsig=TERM", "--", command, ...args], { ...options, detached: true });
  const gone = once(process, "exit");
  gone.catch(() => {});
  return {
    process,
    gone,
    async end() {
      signalGroup(process.pid, "SIGTERM");
      await gone;
      signalGroup(process.pid, "SIGKILL");
    },
  };
}

/**
 * @param {number|undefined} leader
 * @param {NodeJS.Signals} signal
 */
export function signalGroup(leader, signal) {
  if (leader) {
    try {
      process.kill(-leader, signal);
    } catch {
      // Nothing is left of the group.
    }
  }
}

/**
 * Ends every process that works in a folder of ours, such as a browser that made itself a process group of its own.
 * @param {string} folder one that nobody else can have, as its path is looked for in arguments and environment
 */
export async function endProcessesOf(folder) {
  const numbers = (await readdir("/proc")).filter(name => /^\d+$/.test(name)).map(Number);
  for (const pid of numbers.filter(number => number !== process.pid)) {
    const texts = await Promise.all(["cmdline", "environ"].map(file => readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "")));
    if (texts.some(text => text.includes(folder))) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It ended by itself.
      }
    }
  }
}
