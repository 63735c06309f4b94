// SPDX-License-Identifier: MPL-2.0
/** Flipped bits and forgeries of sealed files and backups: the unit programs that try them all, counted. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { PROGRAM } from '../protocol/host.mjs';
import { record } from './flows.mjs';

const UNIT = join(dirname(PROGRAM), '../unit');

test('no flipped bit and no forgery of a sealed file or a backup is taken', async () => {
  for (const [what, programs] of Object.entries({ 'flipped bits': ['test_envelope', 'test_vault_damage', 'test_backup'], forgeries: ['test_vault_damage'] })) {
    let count = 0;
    for (const program of programs) {
      const { stdout } = await promisify(execFile)(join(UNIT, program));
      const told = [...stdout.matchAll(new RegExp(`^(\\d+) ${what} refused$`, 'gm'))];
      assert.ok(told.length > 0, `${program} says how many ${what} it tried`);
      count += told.reduce((sum, [, number]) => sum + Number(number), 0);
    }
    record({ what, points: count });
    console.log(`${what}: ${count} tried, none taken`);
  }
});
