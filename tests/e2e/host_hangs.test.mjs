// SPDX-License-Identifier: MPL-2.0

/** A host that hangs costs one prompt its patience, and no more. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { ADA, World } from "./world.mjs";

test("a host that is stopped is replaced after one missed answer", { timeout: 120_000 }, async t => {
  const world = await World.open();
  t.after(() => world.close());
  const thunderbird = await world.startThunderbird();
  const popup = await thunderbird.openPopup();
  await popup.press("signIn", ADA);
  await popup.waitForState(ADA, "ready");
  await world.mail.waitForLogin({ user: ADA, protocol: "imap" });

  const stopped = await thunderbird.hostPid();
  assert.ok(stopped);
  process.kill(stopped, "SIGSTOP");
  const began = performance.now();
  assert.equal(await thunderbird.mailbox.hasToken(ADA), true, "the token at hand still lives");
  const missed = performance.now();
  // One patience is 9.7 s, two would be twice as long.
  assert.ok(missed - began < 15_000, `${missed - began} ms`);
  await thunderbird.mailbox.forgetToken(ADA);
  while (!(await thunderbird.mailbox.hasToken(ADA))) {
    assert.ok(performance.now() - missed < 5_000, "nobody waits for it again");
  }
  // Thunderbird would give it six seconds more.
  process.kill(stopped, "SIGKILL");
});
