// SPDX-License-Identifier: MPL-2.0
/** Each allocation fails in turn: no crash, no leak, no sign-in lost or taken for damaged, and the program says what it lacks. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { World } from '../protocol/world.mjs';
import { ALL, callsOf, inPairs, makeFlows, pointsOf, Tally, tryPoint } from './flows.mjs';

const world = await World.open();
after(() => world.close());

const flows = await makeFlows(world);

for (const flow of flows) {
  test(`${flow.name}: whichever allocation fails, no sign-in is lost`, async () => {
    const tally = new Tally();
    const calls = await callsOf(world, flow, 'memory');
    assert.ok(calls > 0, 'the program has the seam for allocations');
    const points = pointsOf(calls, flow.step);
    await inPairs(points, (at) => tryPoint(world, flow, { at, of: 'memory', error: 'ENOMEM' }, tally));
    console.log(tally.line(`allocations, ${flow.name}`, `; ${points.length} of ${calls} ${ALL ? 'allocations' : 'chains of callers'}`));
    assert.deepEqual([...tally.losses, ...tally.wrong], []);
  });
}
