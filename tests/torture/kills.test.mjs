// SPDX-License-Identifier: MPL-2.0
/**
 * SIGKILL in the middle of each call that changes the disk: no sign-in is lost. Only where the provider takes a
 * refresh token once may a new sign-in be needed, and only when its answer had not reached the disk (DESIGN section 6.1).
 */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { after, test } from 'node:test';
import { runCommand } from '../protocol/host.mjs';
import { World } from '../protocol/world.mjs';
import { callsOf, copyOf, environmentOf, freshStart, inPairs, isReport, makeFlows, pointsOf, record, sealedContent, signedInHomes, Tally, tryPoint } from './flows.mjs';

const world = await World.open();
after(() => world.close());

const flows = await makeFlows(world);

for (const flow of flows) {
  test(`${flow.name}: wherever it is killed, no sign-in is lost`, async () => {
    const tally = new Tally();
    const calls = await callsOf(world, flow);
    assert.ok(calls.disk > 0 && calls.look > 0 && calls.memory > 0, 'the program has the fault seam');
    /** @type {[import('./flows.mjs').Kind, number][]} */
    const kinds = [['disk', 20], ['look', 6], ['memory', 6]];
    const points = kinds.flatMap(([of, most]) => pointsOf(calls[of], most).map((at) => ({ at, of })));
    await inPairs(points, ({ at, of }) => tryPoint(world, flow, { at, of, error: 'kill' }, tally));
    console.log(tally.line(`kills, ${flow.name}`, `; at ${calls.disk} calls that change the disk, ${calls.look} that open or lock, ${calls.memory} that allocate`));
    assert.deepEqual([...tally.losses, ...tally.wrong], []);
  });
}

test('only what signs in or renews asks the provider: all else is indifferent to how it rotates', async () => {
  for (const flow of flows.filter(({ name }) => !/sign-in|renewal/.test(name))) {
    const before = world.idp.requests().filter(({ endpoint }) => endpoint === 'token').length;
    assert.equal((await flow.act(await copyOf(world, flow.seed))).code, 0, flow.name);
    assert.equal(world.idp.requests().filter(({ endpoint }) => endpoint === 'token').length, before, flow.name);
  }
});

test('a renewal that is killed under strict rotation costs a sign-in only between the answer and its rename, and says so', async () => {
  const strict = await World.open({ strictRotation: true });
  after(() => strict.close());
  const tally = new Tally();
  const renewal = /** @type {import('./flows.mjs').Flow} */ (flows.find(({ name }) => name === 'renewal'));
  // Each with a sign-in of its own: a copy's refresh token would be taken only once.
  const homes = await signedInHomes(strict, (await callsOf(world, renewal)).disk);
  assert.ok(homes.length > 0, 'the program has the fault seam');
  let between = 0;
  await inPairs(homes.map((each, i) => ({ ...each, at: i + 1 })), async ({ home, account, at }) => {
    const before = await sealedContent(home);
    const { code, stderr } = await runCommand(['renew'], { home, env: environmentOf({ at, of: 'disk', error: 'kill' }) });
    tally.points += 1;
    if (code !== null || isReport(stderr)) {
      tally.crashes += 1;
      tally.wrong.push(`call ${at}: ended with ${code}: ${stderr}`);
    }
    const unsaved = strict.requestsOf(account).some(({ answered }) => answered) && await sealedContent(home) === before;
    const { outcomes, wrong } = await freshStart(home, [account]);
    tally.wrong.push(...wrong.map((each) => `call ${at}: ${each}`));
    if (unsaved && outcomes[account] === 'sign-in-required') between += 1;
    else if (outcomes[account] !== 'renews') tally.losses.push(`call ${at}: ${outcomes[account]}, ${unsaved ? 'unsaved' : 'saved, or never asked'}`);
    await rm(home, { recursive: true });
  });
  record({ what: 'new sign-ins under strict rotation, between an answer and its rename', points: between });
  console.log(tally.line('kills, renewal under strict rotation', `; ${between} new sign-ins between the answer and its rename, each with its reason`));
  assert.deepEqual([...tally.losses, ...tally.wrong], []);
});
