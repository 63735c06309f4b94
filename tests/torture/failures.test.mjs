// SPDX-License-Identifier: MPL-2.0
/** Each call that changes the disk fails in turn: afterwards the old state or the new, never neither (DESIGN sections 4 and 6). */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { World } from '../protocol/world.mjs';
import { ALL, callsOf, inPairs, makeFlows, pointsOf, Tally, tryPoint } from './flows.mjs';

const world = await World.open();
after(() => world.close());

for (const flow of await makeFlows(world)) {
  test(`${flow.name}: whichever call fails, no sign-in is lost`, async () => {
    const tally = new Tally();
    const calls = await callsOf(world, flow);
    assert.ok(calls > 0, 'the program has the fault seam');
    const points = pointsOf(calls, flow.step);
    // One error to a point when thinned: a full disk and a broken one in turn.
    const tried = points.flatMap((at) => (ALL ? [[at, 'ENOSPC'], [at, 'EIO']] : [[at, at % 2 ? 'ENOSPC' : 'EIO']]));
    await inPairs(tried, ([at, error]) => tryPoint(world, flow, Number(at), /** @type {'EIO'} */ (error), tally));
    console.log(tally.line(`failures, ${flow.name}`, `; ${points.length} of ${calls} calls, by ${ALL ? 'both errors' : 'ENOSPC and EIO in turn'}`));
    assert.deepEqual([...tally.losses, ...tally.wrong], []);
  });
}
