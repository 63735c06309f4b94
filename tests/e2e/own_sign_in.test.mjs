// SPDX-License-Identifier: MPL-2.0

/** Thunderbird's own sign-in goes on until there is one here that works: whoever tries Thunderseal loses no mail by it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { ADA, account, asking, started } from "./companion_world.mjs";
import { settled } from "./fakes.mjs";

const SIGNED_IN = { present: true };
const ENDED = { present: false };

/** A host that has no token for anybody. */
const refusing = (/** @type {string} */ kind) => ({ "token.get": () => Promise.reject({ kind }) });

test("mail is fetched with Thunderbird's own sign-in while the first one here is open in the browser", async () => {
  const { companion, host } = await started({ methods: refusing("sign-in-required") });
  await companion.actions.perform({ action: "signIn", account: ADA });
  host().notify("account.changed", { account: account("signing-in") });
  await settled();
  assert.deepEqual(await companion.answerToken(asking()), { pass: true });
  assert.deepEqual(await companion.answerToken(asking({ ownToken: false })), { failure: "sign-in-required" });
});

test("mail is fetched with Thunderbird's own sign-in after one here has failed, though the account stays on the list", async () => {
  for (const [state, kind] of [["attention", "consent-required"], ["attention", "wrong-account"], ["blocked", "blocked"]]) {
    const { companion, host } = await started({ policy: { manage: "all" }, accounts: [account("signed-out")], methods: refusing("sign-in-required") });
    await companion.actions.perform({ action: "signIn", account: ADA });
    host().notify("account.changed", { account: account(state, { refreshToken: null, problem: { kind, cause: "No." } }) });
    host().notify("signIn.finished", { signInId: "s1", account: ADA, ok: false, problem: { kind, cause: "No." } });
    await settled();
    assert.deepEqual(host().asked("account.remove"), []);
    assert.deepEqual(await companion.answerToken(asking()), { pass: true }, kind);
  }
});

test("Thunderbird's own sign-in, which would open a browser, does not stand in for one that was here or that cannot be read", async () => {
  const cases = /** @type {[string, any][]} */ ([
    ["attention", ENDED], ["attention", SIGNED_IN], ["blocked", SIGNED_IN], ["signing-in", SIGNED_IN], ["waiting", SIGNED_IN], ["locked", null], ["waiting", null],
  ]);
  for (const [state, refreshToken] of cases) {
    const { companion } = await started({ accounts: [account(state, { refreshToken })], methods: refusing("sign-in-required") });
    assert.deepEqual(await companion.answerToken(asking()), { failure: "sign-in-required" }, `${state} ${JSON.stringify(refreshToken)}`);
  }
});

test("with fallback “none” Thunderbird's own sign-in stands in for nothing", async () => {
  const { companion } = await started({ policy: { fallback: "none" }, accounts: [account("signing-in")], methods: refusing("sign-in-required") });
  assert.deepEqual(await companion.answerToken(asking()), { failure: "sign-in-required" });
});
