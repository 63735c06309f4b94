// SPDX-License-Identifier: MPL-2.0

/** The add-on's JSON-RPC client: no promise is ever left hanging, no answer reaches the wrong asker. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { RpcClient } from "../../extension/background/rpc_client.mjs";
import { FakePort, FakeTimers } from "./fakes.mjs";

function setUp() {
  const port = new FakePort();
  const timers = new FakeTimers();
  /** @type {[string, object][]} */
  const notifications = [];
  const client = new RpcClient(port, (method, params) => notifications.push([method, params]), timers);
  return { port, timers, notifications, client };
}

test("answers reach their own askers in whatever order they come", async () => {
  const { port, client } = setUp();
  const [first, second] = [client.request("a"), client.request("b", { x: 1 })];
  const [{ id: firstId }, { id: secondId, params }] = port.sent;
  assert.notEqual(firstId, secondId);
  assert.deepEqual(params, { x: 1 });
  port.receive({ jsonrpc: "2.0", id: secondId, result: "two" });
  port.receive({ jsonrpc: "2.0", id: firstId, result: "one" });
  assert.deepEqual([await first, await second], ["one", "two"]);
});

test("an error carries kind, cause and remedy", async () => {
  const { port, client } = setUp();
  const asked = client.request("token.get");
  const data = { kind: "throttled", retryable: true, cause: "Too many.", remedy: "Wait.", retryAfter: 7 };
  port.receive({ jsonrpc: "2.0", id: port.sent[0].id, error: { code: 1005, message: "slow down", data } });
  await assert.rejects(asked, { kind: "throttled", message: "slow down", data });
});

test("an error without data, or with data that is null, ends the request as well", async () => {
  const { port, client } = setUp();
  for (const error of [{ code: -32603, message: "no", data: null }, { code: -32603, message: null }]) {
    const asked = client.request("token.get");
    port.receive({ jsonrpc: "2.0", id: port.sent.at(-1).id, error });
    await assert.rejects(asked, { kind: "internal" });
  }
});

test("what was cancelled before is not sent", async () => {
  const { port, timers, client } = setUp();
  await assert.rejects(client.request("health.check", {}, 40_000, { signal: AbortSignal.abort() }), { kind: "cancelled" });
  assert.deepEqual([port.sent, timers.pending], [[], 0]);
});

test("a missed deadline rejects, tells the host, and the late answer is dropped", async () => {
  const { port, timers, client } = setUp();
  const asked = client.request("slow", {}, 1_000);
  timers.advance(1_000);
  await assert.rejects(asked, { kind: "timeout" });
  const [{ id }, cancel] = port.sent;
  assert.deepEqual(cancel, { jsonrpc: "2.0", method: "cancel", params: { id } });
  port.receive({ jsonrpc: "2.0", id, result: "late" });
});

test("a disconnection rejects everything that waits and everything asked later", async () => {
  const { timers, client } = setUp();
  const waiting = [client.request("a"), client.request("b")];
  client.close("gone");
  for (const asked of [...waiting, client.request("c")]) {
    await assert.rejects(asked, { kind: "disconnected" });
  }
  assert.equal(timers.pending, 0, "no deadline is left behind");
});

test("a port that refuses a message counts as disconnected", async () => {
  const { port, client } = setUp();
  port.postMessage = () => {
    throw new Error("Attempt to postMessage on disconnected port");
  };
  await assert.rejects(client.request("a"), { kind: "disconnected" });
});

test("notifications are passed on, and nothing that is no JSON-RPC message does harm", () => {
  const { port, notifications } = setUp();
  for (const nonsense of [null, "text", 7, [], {}, { jsonrpc: "1.0", id: 1, result: 0 }, { jsonrpc: "2.0", id: 99, result: 0 }]) {
    port.receive(nonsense);
  }
  port.receive({ jsonrpc: "2.0", method: "account.changed", params: { account: {} } });
  port.receive({ jsonrpc: "2.0", method: "attention" });
  assert.deepEqual(notifications, [["account.changed", { account: {} }], ["attention", {}]]);
});

test("progress reaches whoever asked, and cancelling tells the host, whose answer counts", async () => {
  const { port, notifications, client } = setUp();
  /** @type {number[]} */
  const done = [];
  const controller = new AbortController();
  const asked = client.request("health.check", {}, 40_000, { onProgress: progress => done.push(progress.done), signal: controller.signal });
  const [{ id }] = port.sent;
  port.receive({ jsonrpc: "2.0", method: "health.progress", params: { id, done: 1, total: 2 } });
  port.receive({ jsonrpc: "2.0", method: "health.progress", params: { id: id + 1, done: 9, total: 9 } });
  assert.deepEqual(done, [1]);
  assert.equal(notifications.length, 1, "what nobody here asked for");
  controller.abort();
  assert.deepEqual(port.sent[1], { jsonrpc: "2.0", method: "cancel", params: { id } });
  port.receive({ jsonrpc: "2.0", id, error: { code: 1010, message: "cancelled", data: { kind: "cancelled" } } });
  await assert.rejects(asked, { kind: "cancelled" });
});
