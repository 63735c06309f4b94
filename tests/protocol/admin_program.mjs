// SPDX-License-Identifier: MPL-2.0
/** The program built anew so that its administrator's file lies in a folder of ours. */
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const REPOSITORY = new URL('../..', import.meta.url).pathname;

/** @param {string} folder to build in @param {string[]} variables of make, besides */
export async function adminProgram(folder, ...variables) {
  const program = join(folder, 'build/thunderseal');
  await promisify(execFile)('make', ['-s', '-j2', 'CFLAGS=-O0', `BUILD=${dirname(program)}`, `sysconfdir=${folder}/etc`, ...variables, program], {
    cwd: REPOSITORY, env: { PATH: process.env.PATH },
  });
  const file = join(folder, 'etc/thunderseal/policy.json');
  await mkdir(dirname(file), { recursive: true });
  return { program, file, set: (/** @type {object | string} */ policy) => writeFile(file, typeof policy === 'string' ? policy : JSON.stringify(policy), { mode: 0o644 }) };
}
