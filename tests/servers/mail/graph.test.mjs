// SPDX-License-Identifier: MPL-2.0
/** The Graph server itself: a test that leans on it must know that it refuses what Graph refuses. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { makeCertificates } from "../certificates.mjs";
import { request } from "../https_client.mjs";
import { GRAPH_ANSWERS, startGraph } from "./graph.mjs";

const RESOURCE = "https://graph.microsoft.com";
const later = Date.now() / 1000 + 60;
/** @type {Record<string, { audience: string, user: string, expiresAt: number }>} */
const tokens = {
  good: { audience: RESOURCE, user: "ada@contoso.test", expiresAt: later },
  old: { audience: RESOURCE, user: "ada@contoso.test", expiresAt: 1 },
  mail: { audience: "https://outlook.office.com", user: "ada@contoso.test", expiresAt: later },
};

/** @type {string} */
let folder;
/** @type {Awaited<ReturnType<typeof startGraph>>} */
let graph;
/** @type {string} */
let caFile;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "ts-graph-"));
  const certificates = await makeCertificates({ folder });
  ({ caFile } = certificates);
  graph = await startGraph({ ...certificates.server, resource: RESOURCE, look: (token) => tokens[token] });
});
after(async () => {
  await graph.stop();
  await rm(folder, { recursive: true });
});

const me = (/** @type {string} */ token) => request(`https://localhost:${graph.port}/v1.0/me`, { caFile, headers: token ? { authorization: `Bearer ${token}` } : {} });

test("takes a token for Graph that lives, and no other", async () => {
  assert.equal((await me("good")).json.mail, "ada@contoso.test");
  for (const [token, why] of /** @type {const} */ ([["", "no token"], ["old", "expired"], ["mail", "wrong audience"]])) {
    const { status, json } = await me(token);
    assert.deepEqual([status, json], [GRAPH_ANSWERS[why].status, GRAPH_ANSWERS[why].body]);
  }
});

test("answers and breaks as ordered", async () => {
  graph.control({ answer: GRAPH_ANSWERS.throttled });
  const { status, headers } = await me("good");
  assert.deepEqual([status, headers["retry-after"]], [429, "30"]);
  graph.control({ answer: null });
  for (const fault of /** @type {const} */ (["reset", "garbage"])) {
    graph.control({ fault });
    await assert.rejects(me("good"));
  }
  graph.control({ fault: null });
  assert.equal((await me("good")).status, 200);
});
