// SPDX-License-Identifier: MPL-2.0
/**
 * Each call that changes the disk, opens, locks or allocates fails in turn: afterwards the old state or the new, never
 * neither (DESIGN sections 4 and 6); no crash, no leak, and the program says what it lacks.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { World } from '../protocol/world.mjs';
import { callsOf, inPairs, makeFlows, pointsOf, signedInHomes, Tally, tryPoint } from './flows.mjs';

/** @typedef {import('./flows.mjs').Fault} Fault */

const world = await World.open();
after(() => world.close());

const flows = await makeFlows(world);

/**
 * `most`: points that `make check` tries of each flow.
 * @type {{ what: string, of: import('./flows.mjs').Kind, errors: Fault['error'][], most: number, lasts?: boolean }[]}
 */
const KINDS = [
  { what: 'calls that change the disk', of: 'disk', errors: ['ENOSPC', 'EIO'], most: 16 },
  { what: 'calls that change the disk from one on', of: 'disk', errors: ['ENOSPC'], most: 5, lasts: true },
  { what: 'opens and locks', of: 'look', errors: ['EMFILE', 'EIO'], most: 9 },
  { what: 'allocations', of: 'memory', errors: ['ENOMEM'], most: 16 },
  { what: 'allocations from one on', of: 'memory', errors: ['ENOMEM'], most: 5, lasts: true },
];

for (const flow of flows) {
  test(`${flow.name}: whatever fails, no sign-in is lost`, async () => {
    const calls = await callsOf(world, flow);
    /** @type {string[]} */
    const wrong = [];
    for (const { what, of, errors, most, lasts } of KINDS) {
      // The redirect that there is no memory to take may come again until the sign-in's deadline: nothing to wait for here.
      if (lasts && of === 'memory' && flow.brought.length && !flow.name.startsWith('restore')) continue;
      assert.ok(calls[of] > 0, 'the program has the fault seam');
      const tally = new Tally();
      const points = pointsOf(calls[of], most);
      await inPairs(points.map((at, i) => ({ at, of, error: errors[i % errors.length], lasts })), (fault) => tryPoint(world, flow, fault, tally));
      console.log(tally.line(`failing ${what}, ${flow.name}`, `; of ${calls[of]}, by ${errors.join(' and ')} in turn`));
      wrong.push(...tally.losses, ...tally.wrong);
    }
    assert.deepEqual(wrong, []);
  });
}

test('a renewal under strict rotation: a call that fails once costs no sign-in, for saving is tried again', async () => {
  const strict = await World.open({ strictRotation: true });
  after(() => strict.close());
  const tally = new Tally();
  const renewal = /** @type {import('./flows.mjs').Flow} */ (flows.find(({ name }) => name === 'renewal'));
  // Each with a sign-in of its own: a copy's refresh token would be taken only once.
  const homes = await signedInHomes(strict, (await callsOf(world, renewal)).disk);
  assert.ok(homes.length > 0, 'the program has the fault seam');
  await inPairs(homes.map((each, i) => ({ ...each, at: i + 1 })), ({ home, account, at }) => (
    tryPoint(strict, { ...renewal, seed: home, kept: [account] }, { at, of: 'disk', error: at % 2 ? 'ENOSPC' : 'EIO' }, tally)));
  console.log(tally.line('failing calls that change the disk, renewal under strict rotation', `; all ${homes.length}`));
  assert.deepEqual([...tally.losses, ...tally.wrong], []);
});
