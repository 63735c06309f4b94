// SPDX-License-Identifier: MPL-2.0

/** The pages' connection to the background, from both ends: overviews, orders, progress, cancelling. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Pages } from "../../extension/background/pages.mjs";
import { Link } from "../../extension/shared/link.mjs";
import { chooseLanguage, inOurWords, language, nearestLanguage, text } from "../../extension/shared/texts.mjs";
import { settled } from "./fakes.mjs";

/** Two ends of a port, as runtime.connect makes them; what is posted arrives a turn later. */
function portPair() {
  const end = () => {
    /** @type {((message: any) => void)[]} */
    const messages = [];
    /** @type {(() => void)[]} */
    const disconnects = [];
    return {
      messages,
      disconnects,
      onMessage: { addListener: (/** @type {(message: any) => void} */ listener) => messages.push(listener) },
      onDisconnect: { addListener: (/** @type {() => void} */ listener) => disconnects.push(listener) },
      postMessage: (/** @type {any} */ _message) => {},
    };
  };
  const [page, background] = [end(), end()];
  const deliver = (/** @type {any} */ to) => (/** @type {any} */ message) => queueMicrotask(() => to.messages.forEach((/** @type {any} */ listener) => listener(structuredClone(message))));
  page.postMessage = deliver(background);
  background.postMessage = deliver(page);
  return { page, background };
}

/**
 * @param {Record<string, import("../../extension/background/pages.mjs").Order>} orders
 * @param {any} [overview]
 */
async function setUp(orders, overview = { accounts: [] }) {
  const { page, background } = portPair();
  const source = { overview: async () => structuredClone(overview) };
  const pages = new Pages(() => source.overview(), orders);
  const extension = { getBackgroundPage: () => ({ lastOverview: () => pages.last }) };
  const browser = { extension, runtime: { connect: () => page }, i18n: { getUILanguage: () => "en-GB", getMessage: (/** @type {string} */ key) => `[${key}]` } };
  Object.assign(globalThis, { browser, document: { addEventListener() {} }, requestAnimationFrame: queueMicrotask });
  /** @type {any[]} */
  const drawn = [];
  const link = new Link("test", one => drawn.push(one));
  pages.attend(background);
  await settled();
  const openAnother = () => {
    const other = portPair();
    browser.runtime.connect = () => other.page;
    new Link("another", one => drawn.push(one));
    pages.attend(other.background);
  };
  return { pages, page, link, drawn, overview, source, openAnother, close: () => background.disconnects.forEach(listener => listener()) };
}

test("a page gets an overview when it opens and after every change, those that come together once", async () => {
  const { pages, drawn, close } = await setUp({});
  assert.equal(drawn.length, 1);
  pages.refresh();
  pages.refresh();
  await settled();
  assert.equal(drawn.length, 2);
  close();
  pages.refresh();
  await settled();
  assert.equal(drawn.length, 2, "a closed page is sent nothing");
});

test("a page that opens shows what is known before it is sent anything, and what has changed since", async () => {
  const { pages, page, overview, drawn, openAnother } = await setUp({});
  assert.equal(drawn.length, 1, "the first has nothing to show before that");
  overview.accounts = ["ada"];
  openAnother();
  await settled();
  assert.deepEqual(drawn.slice(1).map(({ accounts }) => accounts.length), [0, 1]);
  page.messages.length = 0;
  openAnother();
  pages.refresh();
  await settled();
  assert.deepEqual(drawn.slice(3).map(({ accounts }) => accounts.length), [1, 1, 1, 1], "the last, and the newest to both that are open");
});

test("a page that is looked at again gets what has changed meanwhile", async () => {
  const { page, drawn, overview } = await setUp({});
  overview.accounts = ["ada"];
  page.postMessage({ refresh: true });
  await settled();
  assert.deepEqual(drawn.map(({ accounts }) => accounts), [[], ["ada"]]);
});

test("while there is no overview to be had the pages keep what they show, and a page that opens gets it", async () => {
  const { pages, drawn, source, overview, openAnother } = await setUp({});
  const works = source.overview;
  source.overview = () => Promise.reject(new Error("x"));
  pages.refresh();
  openAnother();
  await settled();
  assert.equal(drawn.length, 2);
  source.overview = works;
  overview.accounts = ["ada"];
  pages.refresh();
  await settled();
  assert.equal(drawn.length, 4);
});

test("an order is answered, with its progress on the way; what goes wrong becomes a problem", async () => {
  const { link } = await setUp({
    count: async ({ to }, { onProgress }) => {
      onProgress(1);
      return to;
    },
    fail: () => Promise.reject(Object.assign(new Error("no"), { kind: "network", data: { cause: "No network.", remedy: "Wait." } })),
  });
  /** @type {number[]} */
  const progress = [];
  assert.equal(await link.order("count", { to: 2 }, { onProgress: one => progress.push(one) }), 2);
  assert.deepEqual(progress, [1]);
  await assert.rejects(link.order("fail"), ({ problem }) => problem.kind === "network" && problem.cause === "No network." && problem.remedy === "Wait.");
  await assert.rejects(link.order("unheard-of"), ({ problem }) => problem.kind === "internal");
});

test("a page that cancels or closes aborts what it ordered, and nothing else", async () => {
  /** @type {AbortSignal[]} */
  const signals = [];
  const { link, close } = await setUp({
    wait: (_params, { signal }) => {
      signals.push(signal);
      return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(Object.assign(new Error("gone"), { kind: "cancelled" }))));
    },
  });
  const controller = new AbortController();
  const first = link.order("wait", {}, { signal: controller.signal });
  link.order("wait");
  await settled();
  controller.abort();
  await assert.rejects(first, ({ problem }) => problem.kind === "cancelled");
  assert.deepEqual(signals.map(({ aborted }) => aborted), [true, false]);
  close();
  assert.equal(signals[1].aborted, true);
});

test("the policy's language is read by the add-on itself, any other is Thunderbird's", async t => {
  await setUp({});
  const fetched = globalThis.fetch;
  t.after(() => {
    globalThis.fetch = fetched;
  });
  Object.assign(globalThis, { fetch: async (/** @type {string} */ address) => ({ json: async () => ({ greet: { message: `$1 $$5 ${address}` } }) }) });
  Object.assign(/** @type {any} */ (globalThis).browser.runtime, { getURL: (/** @type {string} */ path) => path });
  assert.equal(text("greet", "Ada"), "[greet]");
  await chooseLanguage("de-AT");
  assert.equal(language(), "de");
  assert.equal(text("greet", "Ada"), "Ada $5 _locales/de/messages.json");
  await chooseLanguage("fr");
  assert.equal(language(), "en", "a language that is not here");
  await chooseLanguage(undefined);
  assert.equal(text("greet", "Ada"), "[greet]");
  assert.equal(nearestLanguage("DE_ch"), "de");
});

test("what the host says is shown in the language of the rest", async t => {
  await setUp({});
  const fetched = globalThis.fetch;
  t.after(async () => {
    await chooseLanguage(undefined);
    globalThis.fetch = fetched;
  });
  const files = new Map([["_locales/de/messages.json", {}], ["_locales/de/host.json", { t00000001: { english: "Wait for %s.", message: "Warten Sie auf $1." } }]]);
  Object.assign(globalThis, { fetch: async (/** @type {string} */ address) => ({ json: async () => files.get(address) }) });
  Object.assign(/** @type {any} */ (globalThis).browser.runtime, { getURL: (/** @type {string} */ path) => path });
  const problem = { kind: "throttled", cause: "Too much.", remedy: "Wait for it.", texts: { remedy: { id: "t00000001", args: ["it"] } } };
  await chooseLanguage("de");
  assert.deepEqual(inOurWords(problem), { ...problem, remedy: "Warten Sie auf it." });
  assert.equal(inOurWords(null), null);
  await chooseLanguage("en");
  assert.deepEqual(inOurWords(problem), problem);
  await chooseLanguage(undefined);
  Object.assign(/** @type {any} */ (globalThis).browser.i18n, { getUILanguage: () => "de-CH" });
  await chooseLanguage(undefined);
  assert.equal(inOurWords(problem).remedy, "Warten Sie auf it.", "where Thunderbird chose it, too");
  Object.assign(/** @type {any} */ (globalThis).browser.i18n, { getUILanguage: () => "en-US" });
});
