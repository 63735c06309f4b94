// SPDX-License-Identifier: MPL-2.0

/** The add-on's background, with a host and a Thunderbird made for the test. */

import { Companion } from "../../extension/background/companion.mjs";
import { FakeHost, FakeTimers, settled } from "./fakes.mjs";

export const ADA = "ada@contoso.test";
export const SERVER = { account: ADA, type: "imap", authMethod: "oauth2", ownLogin: false };

/** States of an account whose sign-in here has not succeeded yet, or cannot be read. */
const NO_REFRESH_TOKEN = ["signed-out", "signing-in", "locked"];

export const account = (/** @type {string} */ state, /** @type {object} */ more = {}) =>
  ({ account: ADA, signInAs: ADA, state, cloud: "worldwide", problem: null, refreshToken: NO_REFRESH_TOKEN.includes(state) ? null : { present: true }, ...more });

/**
 * @param {{policy?: object, accounts?: object[], methods?: object, bridge?: object, managed?: object, registered?: boolean, server?: object}} [world]
 */
export function setUp({ policy = {}, accounts = [], methods = {}, bridge = {}, managed = {}, registered = true, server = {} } = {}) {
  /** @type {FakeHost[]} */
  const hosts = [];
  /** @type {any[]} */
  const said = [];
  /** @type {string[]} */
  const withdrawn = [];
  /** @type {string[]} */
  const badges = [];
  /** @type {any[]} */
  const setManaged = [];
  /** @type {string[]} */
  const checked = [];
  /** @type {string[]} */
  const disconnected = [];
  const browser = {
    i18n: { getMessage: (/** @type {string} */ key) => key, getUILanguage: () => "en" },
    browserAction: { setBadgeBackgroundColor() {}, setBadgeText() {} },
    runtime: {
      getBrowserInfo: async () => ({ version: "153.7.0" }),
      getManifest: () => ({ version: "0.1.0" }),
      connectNative() {
        const host = new FakeHost({
          hello: () => ({ protocol: 1, host: { version: "0.1.0" }, policy, accounts, more: false }),
          "signIn.start": () => ({ signInId: "s1", authorizationUrl: "https://login.test/" }),
          "signIn.cancel": () => ({}),
          "account.remove": () => ({}),
          "token.get": () => ({ accessToken: "T", expiresAt: 2_000_000_000, source: "cache" }),
          ...methods,
        });
        hosts.push(host);
        if (!registered) {
          queueMicrotask(() => host.lose("No such native application thunderseal"));
        }
        return host;
      },
    },
    storage: { managed: { get: async () => managed } },
    windows: { async openDefaultBrowser() {} },
    tokenBridge: {
      getStatus: async () => ({ installed: true, obstacle: null, fallback: null, ...bridge }),
      listServers: async () => [{ ...SERVER, ...server }],
      setManaged: async (/** @type {object} */ settings) => setManaged.push(settings),
      checkMail: async (/** @type {string} */ name) => checked.push(name),
      disconnect: async (/** @type {string} */ name) => disconnected.push(name),
      proxyFor: async () => null,
    },
  };
  const timers = new FakeTimers();
  Object.assign(globalThis, { browser, messenger: browser, setTimeout: timers.setTimeout, clearTimeout: timers.clearTimeout });
  const say = (/** @type {any[]} */ ...words) => said.push(words);
  const notices = { say, answer: say, withdraw: (/** @type {string} */ subject) => withdrawn.push(subject), mark: (/** @type {string} */ badge) => badges.push(badge) };
  let changes = 0;
  const companion = new Companion(/** @type {any} */ (notices), () => changes++);
  const view = async () => (await companion.overview()).accounts[0];
  return { companion, browser, hosts, said, withdrawn, badges, setManaged, checked, disconnected, view, timers, changes: () => changes, host: () => /** @type {FakeHost} */ (hosts.at(-1)) };
}

/** @param {Parameters<typeof setUp>[0]} [world] */
export async function started(world) {
  const all = setUp(world);
  await all.companion.start();
  await settled();
  await settled();
  return all;
}

export const asking = (/** @type {object} */ more = {}) =>
  ({ account: ADA, resource: /** @type {const} */ ("mail"), ownToken: true, deadline: Date.now() + 10_000, ...more });
