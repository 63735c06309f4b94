// SPDX-License-Identifier: MPL-2.0
/** The program built anew so that its administrator's file lies in a folder of ours. */
import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { PROGRAM } from './host.mjs';

const REPOSITORY = new URL('../..', import.meta.url).pathname;

/** Built once for all test files, which run one after the other. @param {string} [folder] to build in @param {string[]} variables of make, besides */
export async function adminProgram(folder = join(dirname(PROGRAM), 'admin'), ...variables) {
  const program = join(folder, 'build/thunderseal');
  await promisify(execFile)('make', ['-s', '-j2', 'CFLAGS=-O0', `BUILD=${dirname(program)}`, `sysconfdir=${folder}/etc`, ...variables, program], {
    cwd: REPOSITORY, env: { PATH: process.env.PATH },
  });
  const file = join(folder, 'etc/thunderseal/policy.json');
  await rm(dirname(file), { recursive: true, force: true });
  await mkdir(dirname(file), { recursive: true });
  return { program, file, set: (/** @type {object | string} */ policy) => writeFile(file, typeof policy === 'string' ? policy : JSON.stringify(policy), { mode: 0o644 }) };
}
