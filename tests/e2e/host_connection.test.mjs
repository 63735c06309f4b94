// SPDX-License-Identifier: MPL-2.0

/** The add-on's hold on the host: connects again after a crash, steps aside when that is hopeless. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { HostConnection, classifyLoss } from "../../extension/background/host_connection.mjs";
import { FakePort, FakeTimers, settled } from "./fakes.mjs";

const WELCOME = { protocol: 1, host: { version: "1.0.0" }, accounts: [], more: false };

function setUp() {
  const timers = new FakeTimers();
  /** @type {FakePort[]} */
  const ports = [];
  /** @type {[string, any][]} */
  const states = [];
  const connection = new HostConnection({
    connect() {
      const port = new FakePort();
      ports.push(port);
      return port;
    },
    greeting: async () => ({ extension: { version: "1.0.0" }, thunderbird: { version: "153.7.0" } }),
    onState: (state, detail) => states.push([state, detail]),
    onNotification() {},
    timers,
    now: timers.now,
  });
  return { timers, ports, states, connection, port: () => /** @type {FakePort} */ (ports.at(-1)) };
}

async function connected() {
  const world = setUp();
  world.connection.start();
  await settled();
  world.port().answer(WELCOME);
  await settled();
  return world;
}

test("hello comes first and says protocol and versions", async () => {
  const { port, states } = await connected();
  const [hello] = port().sent;
  assert.equal(hello.method, "hello");
  assert.deepEqual(hello.params, { protocol: 1, extension: { version: "1.0.0" }, thunderbird: { version: "153.7.0" } });
  assert.deepEqual(states, [["connected", { welcome: WELCOME }]]);
});

test("a request made while connecting waits for the host and keeps its deadline", async () => {
  const { connection, port, timers } = setUp();
  connection.start();
  await settled();
  const asked = connection.request("token.get", { account: "a@b" }, 1_000);
  const tooLate = connection.request("token.get", { account: "a@b" }, 10);
  timers.advance(20);
  await assert.rejects(tooLate, { kind: "timeout" });
  port().answer(WELCOME);
  await settled();
  port().answer("token");
  assert.equal(await asked, "token");
});

test("a killed host is started again at once and the request in flight is rejected", async () => {
  const { connection, port, ports, states, timers } = await connected();
  const asked = connection.request("token.get");
  await settled();
  port().lose();
  await assert.rejects(asked, { kind: "disconnected" });
  timers.advance(0);
  await settled();
  assert.equal(ports.length, 2);
  port().answer(WELCOME);
  await settled();
  assert.deepEqual(states.map(([state]) => state), ["connected", "connecting", "connected"]);
});

test("a host that keeps crashing is left alone, looked at now and then, and taken back", async () => {
  const { connection, port, ports, timers } = setUp();
  connection.start();
  for (let loss = 0; loss < 3; loss++) {
    assert.notEqual(connection.state, "crashing");
    await settled();
    port().lose();
    timers.advance(2_000);
  }
  assert.equal(connection.state, "crashing", "three times in a minute");
  const tries = ports.length;
  timers.advance(50_000);
  assert.equal(ports.length, tries, "no busy restarting");
  await assert.rejects(connection.request("token.get"), { kind: "disconnected" });
  timers.advance(10_000);
  await settled();
  assert.equal(ports.length, tries + 1);
  port().answer(WELCOME);
  await settled();
  assert.equal(connection.state, "connected");
});

test("a missing host is told from one that cannot be started", async () => {
  assert.equal(classifyLoss({ message: "No such native application thunderseal" }), "missing");
  assert.equal(classifyLoss({ message: "An unexpected error occurred" }), "broken");
  assert.equal(classifyLoss({ message: "Native application tried to send a message of 1819043144 bytes, which exceeds the limit of 1048576 bytes." }), "broken");
  assert.equal(classifyLoss(null), "ended");
  const { connection, port, states } = setUp();
  connection.start();
  await settled();
  port().lose("No such native application thunderseal");
  assert.deepEqual(states, [["missing", {}]]);
});

test("waiting requests are rejected as soon as the host turns out to be missing", async () => {
  const { connection, port } = setUp();
  connection.start();
  await settled();
  const asked = connection.request("token.get", {}, 9_000);
  port().lose("No such native application thunderseal");
  await assert.rejects(asked, { kind: "disconnected" });
});

test("a host that crashes now and then is started again for ever", async () => {
  const { connection, port, timers } = await connected();
  for (let loss = 0; loss < 6; loss++) {
    port().lose();
    timers.advance(1_000);
    await settled();
    port().answer(WELCOME);
    await settled();
    assert.equal(connection.state, "connected");
    timers.advance(30_000);
  }
});

test("a host without our protocol version is stopped and reported once: as older, or as newer", async () => {
  for (const [supported, state] of /** @type {[unknown, string][]} */ ([[[2, 3], "newer"], [[0], "outdated"], [[0, 2], "outdated"], [[], "outdated"], ["2", "outdated"]])) {
    const { connection, port, ports, states, timers } = setUp();
    connection.start();
    await settled();
    const unsupported = { code: -32000, message: "no", data: { kind: "protocol-unsupported", supported } };
    port().receive({ jsonrpc: "2.0", id: port().sent[0].id, error: unsupported });
    await settled();
    assert.equal(ports[0].disconnected, true);
    assert.deepEqual(states, [[state, {}]]);
    timers.advance(60_000);
    await settled();
    port().receive({ jsonrpc: "2.0", id: port().sent[0].id, error: unsupported });
    await settled();
    assert.equal(states.length, 1);
  }
});

test("a host that does not answer hello counts as lost", async () => {
  const { connection, ports, timers } = setUp();
  connection.start();
  await settled();
  timers.advance(5_000);
  await settled();
  timers.advance(0);
  await settled();
  assert.equal(ports.length, 2);
  assert.equal(ports[0].disconnected, true);
});

test("the user's Try again connects at once", async () => {
  const { connection, port, ports } = setUp();
  connection.start();
  await settled();
  port().lose("No such native application thunderseal");
  connection.retry();
  await settled();
  assert.equal(ports.length, 2);
  port().answer(WELCOME);
  await settled();
  assert.equal(connection.state, "connected");
});

test("a host that lets a token request run out of time is replaced", async () => {
  const { connection, port, ports, timers } = await connected();
  const asked = connection.request("token.get", { account: "a@b" }, 9_700);
  await settled();
  timers.advance(9_700);
  await assert.rejects(asked, { kind: "timeout" });
  assert.equal(ports[0].disconnected, true);
  timers.advance(0);
  await settled();
  assert.equal(ports.length, 2);
  port().answer(WELCOME);
  await settled();
  const impatient = connection.request("token.get", { account: "a@b" }, 1_000);
  await settled();
  timers.advance(1_000);
  await assert.rejects(impatient, { kind: "timeout" });
  assert.equal(ports[1].disconnected, false, "it had less time than it promises to need");
});

test("a host with nothing to do is started anew to read its files again, one at work is not", async () => {
  const { connection, port, ports } = await connected();
  const asked = connection.request("audit.read");
  await settled();
  connection.restartIfIdle();
  assert.equal(ports.length, 1);
  port().answer("entries");
  await asked;
  connection.restartIfIdle();
  assert.equal(ports[0].disconnected, true);
  await settled();
  assert.equal(port().sent[0].method, "hello");
});
