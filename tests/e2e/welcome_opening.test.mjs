// SPDX-License-Identifier: MPL-2.0

/** When the welcome page opens by itself: once, where nobody has signed in and the administrator does not mind. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Welcome } from "../../extension/background/welcome.mjs";

/**
 * @param {{welcome?: boolean, accounts?: object[], stored?: Record<string, any>}} situation
 */
function setUp({ welcome = true, accounts = [], stored = {} }) {
  /** @type {any[]} */
  const tabs = [];
  const storage = { get: async () => stored, set: async (/** @type {object} */ more) => Object.assign(stored, more) };
  const browser = {
    runtime: { getURL: (/** @type {string} */ path) => path },
    storage: { local: storage },
    tabs: {
      create: async (/** @type {object} */ properties) => tabs[tabs.push({ id: tabs.length, ...properties }) - 1],
      get: async (/** @type {number} */ id) => tabs[id] ?? Promise.reject(new Error("closed")),
      update: async (/** @type {number} */ id, /** @type {object} */ properties) => Object.assign(tabs[id], properties),
    },
  };
  Object.assign(globalThis, { browser });
  const host = {
    state: "connected",
    lost: false,
    request: async (/** @type {string} */ method) => {
      if (host.lost) {
        throw new Error("the host ended");
      }
      return method === "policy.get" ? { policy: { welcome } } : { accounts };
    },
  };
  return { page: new Welcome(host), host, tabs, stored };
}

test("it opens once, and is remembered over restarts", async () => {
  const { page, tabs, stored } = setUp({});
  await page.consider();
  await page.consider();
  assert.deepEqual(tabs.map(({ url }) => url), ["welcome/welcome.html"]);
  const second = setUp({ stored });
  await second.page.consider();
  assert.equal(second.tabs.length, 0);
});

test("it does not open where the policy says so, nor where somebody is signed in, not even later", async () => {
  const denied = setUp({ welcome: false });
  await denied.page.consider();
  assert.equal(denied.tabs.length, 0);
  const signedIn = setUp({ accounts: [{ refreshToken: null }, { refreshToken: { present: true } }] });
  await signedIn.page.consider();
  const later = setUp({ stored: signedIn.stored });
  await later.page.consider();
  assert.deepEqual([signedIn.tabs.length, later.tabs.length], [0, 0]);
});

test("it waits for a host that is there, and is considered again when that was lost", async () => {
  const { page, host, tabs } = setUp({});
  host.state = "missing";
  await page.consider();
  host.state = "connected";
  host.lost = true;
  await page.consider();
  assert.equal(tabs.length, 0);
  host.lost = false;
  await page.consider();
  assert.equal(tabs.length, 1);
});

test("opened again, it is the same tab, loaded anew only for another page", async () => {
  const { page, tabs } = setUp({});
  await page.show();
  await page.show("safely");
  assert.deepEqual(tabs, [{ id: 0, url: "welcome/safely.html", active: true }]);
  tabs.length = 0;
  await page.show("admins");
  assert.equal(tabs.length, 1);
  await assert.rejects(page.show("../popup/popup"), /no such page/);
});
