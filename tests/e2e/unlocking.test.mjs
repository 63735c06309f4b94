// SPDX-License-Identifier: MPL-2.0

/** Who is asked when a vault is to be unlocked, with a host and windows made for the test. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Unlocking } from "../../extension/background/unlocking.mjs";
import { FakePort, settled } from "./fakes.mjs";
import { textId } from "../texts/extract.mjs";

const PASSPHRASE_LACKS = { kind: "vault-locked", message: "", data: { cause: "Under a passphrase.", field: "passphrase" } };
const KEYRING_LOCKED = { kind: "vault-locked", message: "", data: { cause: "Not unlocked.", remedy: "Unlock it." } };

/**
 * @param {(params: any) => any} answer the host's
 */
function setUp(answer) {
  /** @type {any[]} */
  const asked = [];
  /** @type {Set<number>} */
  const windows = new Set();
  let created = 0;
  let unlocked = 0;
  const browser = {
    i18n: { getMessage: (/** @type {string} */ key) => key },
    runtime: { getURL: (/** @type {string} */ path) => path },
    windows: {
      create: async () => {
        windows.add(++created);
        return { id: created };
      },
      update: async (/** @type {number} */ id) => assert.ok(windows.has(id), "no such window"),
    },
  };
  Object.assign(globalThis, { browser });
  const host = {
    request: async (/** @type {string} */ method, /** @type {any} */ params) => {
      asked.push([method, params]);
      return answer(params);
    },
  };
  const unlocking = new Unlocking(/** @type {any} */ (host), { language: () => undefined, onUnlocked: () => unlocked++ });
  return { unlocking, asked, windows, created: () => created, unlocked: () => unlocked };
}

test("a keyring asks by itself: no window of ours, and its refusal is told", async () => {
  let open = false;
  const { unlocking, asked, created, unlocked } = setUp(() => (open ? {} : Promise.reject(KEYRING_LOCKED)));
  await assert.rejects(unlocking.begin(), KEYRING_LOCKED);
  open = true;
  await unlocking.begin();
  assert.deepEqual(asked, [["vault.unlock", {}], ["vault.unlock", {}]]);
  assert.deepEqual([created(), unlocked()], [0, 1]);
});

test("a passphrase is asked for in one window, which is raised when it is there and opened anew when not", async () => {
  const { unlocking, windows, created } = setUp(() => Promise.reject(PASSPHRASE_LACKS));
  await Promise.all([unlocking.begin(), unlocking.begin()]);
  await unlocking.begin();
  assert.equal(created(), 1);
  windows.clear();
  await unlocking.begin();
  assert.equal(created(), 2);
});

test("a passphrase is chosen where the host says that none has been, however many accounts there are", async () => {
  const NONE_CHOSEN = "The key store is a passphrase, and none has been chosen yet.";
  let english = NONE_CHOSEN;
  const { unlocking } = setUp(() => Promise.reject({ ...PASSPHRASE_LACKS, data: { ...PASSPHRASE_LACKS.data, texts: { cause: { id: textId(english), args: [] } } } }));
  const opened = async () => {
    await unlocking.begin();
    const port = new FakePort();
    unlocking.attend(port);
    return port.sent[0].isNew;
  };
  assert.equal(await opened(), true);
  english = "The key to the saved sign-ins is under a passphrase.";
  assert.equal(await opened(), false);
});

test("the window hears what was wrong, and that it is done; nobody minds when it has gone", async () => {
  const { unlocking, unlocked } = setUp(({ passphrase }) => (passphrase === "right" ? {} : Promise.reject(PASSPHRASE_LACKS)));
  const port = new FakePort();
  unlocking.attend(port);
  port.receive({ passphrase: "wrong" });
  await settled();
  assert.equal(unlocked(), 0);
  port.receive({ passphrase: "right" });
  await settled();
  assert.equal(unlocked(), 1);
  const problem = { kind: "vault-locked", cause: "Under a passphrase.", remedy: "", field: "passphrase" };
  assert.deepEqual(port.sent, [{ isNew: false, language: undefined }, { problem }, { unlocked: true }]);
  port.postMessage = () => {
    throw new Error("disconnected");
  };
  port.receive({ passphrase: "right" });
  await settled();
});

test("a host that does not answer says so in the window, in words of ours", async () => {
  const { unlocking } = setUp(() => Promise.reject({ kind: "timeout", message: "vault.unlock: no answer in time", data: { kind: "timeout" } }));
  const port = new FakePort();
  unlocking.attend(port);
  port.receive({ passphrase: "right" });
  await settled();
  assert.equal(port.sent.at(-1).problem.cause, "problemTimeout");
  assert.equal(await unlocking.staysLocked(), false, "that is another trouble");
});
