// SPDX-License-Identifier: MPL-2.0
/** Each call that changes the disk fails in turn: afterwards the old state or the new, never neither (DESIGN sections 4 and 6). */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { World } from '../protocol/world.mjs';
import { ALL, callsOf, inPairs, makeFlows, pointsOf, signedInHomes, Tally, tryPoint } from './flows.mjs';

const world = await World.open();
after(() => world.close());

const flows = await makeFlows(world);

for (const flow of flows) {
  test(`${flow.name}: whichever call fails, no sign-in is lost`, async () => {
    const tally = new Tally();
    const calls = await callsOf(world, flow);
    assert.ok(calls > 0, 'the program has the fault seam');
    const points = pointsOf(calls, flow.step);
    // One error to a point when thinned: a full disk and a broken one in turn.
    const tried = points.flatMap((at, i) => (ALL ? [[at, 'ENOSPC'], [at, 'EIO']] : [[at, i % 2 ? 'EIO' : 'ENOSPC']]));
    await inPairs(tried, ([at, error]) => tryPoint(world, flow, { at: Number(at), of: 'disk', error: /** @type {'EIO'} */ (error) }, tally));
    console.log(tally.line(`failures, ${flow.name}`, `; ${points.length} of ${calls} calls, by ${ALL ? 'both errors' : 'ENOSPC and EIO in turn'}`));
    assert.deepEqual([...tally.losses, ...tally.wrong], []);
  });
}

test('a renewal under strict rotation: a call that fails once costs no sign-in, for saving is tried again', async () => {
  const strict = await World.open({ strictRotation: true });
  after(() => strict.close());
  const tally = new Tally();
  const renewal = /** @type {import('./flows.mjs').Flow} */ (flows.find(({ name }) => name === 'renewal'));
  // Each with a sign-in of its own: a copy's refresh token would be taken only once.
  const homes = await signedInHomes(strict, await callsOf(world, renewal));
  assert.ok(homes.length > 0, 'the program has the fault seam');
  await inPairs(homes.map((each, i) => ({ ...each, at: i + 1 })), ({ home, account, at }) => (
    tryPoint(strict, { ...renewal, seed: home, kept: [account] }, { at, of: 'disk', error: at % 2 ? 'ENOSPC' : 'EIO' }, tally)));
  console.log(tally.line('failures, renewal under strict rotation', `; all ${homes.length} calls, by ENOSPC and EIO in turn`));
  assert.deepEqual([...tally.losses, ...tally.wrong], []);
});
