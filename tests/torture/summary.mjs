// SPDX-License-Identifier: MPL-2.0
/** What all parts of the torture have tried, summed up: their lines in the file that is named. */
import { readFileSync } from 'node:fs';

/** @type {Map<string, { points: number, losses: number, crashes: number }>} */
const sums = new Map();
for (const line of readFileSync(process.argv[2], 'utf8').trim().split('\n')) {
  const { what, points, losses = 0, crashes = 0 } = JSON.parse(line);
  const sum = sums.get(what) ?? { points: 0, losses: 0, crashes: 0 };
  sums.set(what, { points: sum.points + points, losses: sum.losses + losses, crashes: sum.crashes + crashes });
}
console.log('torture, in all:');
for (const [what, { points, losses, crashes }] of sums) console.log(`  ${what}: ${points}; ${losses} losses, ${crashes} crashes`);
