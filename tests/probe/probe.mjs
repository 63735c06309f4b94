// SPDX-License-Identifier: MPL-2.0
/** Runs build/probe (probe.c) on one server. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

const PROGRAM = process.env.PROBE ?? "build/probe";

/** Longer than the secrets that a test could meet by chance; dots as a real one. */
export const TOKEN = `eyJ0ZXN0IjoidG9rZW4ifQ.${"Kx7".repeat(500)}.zz-secret-end`;
export const USER = "ada@contoso.test";

/**
 * @param {Record<string, unknown>} request see probe.c
 * @returns {Promise<{ answers: any[], longestGap: number, peakKib: number }>}
 */
export async function runProbes(request) {
  const child = spawn(PROGRAM, [], { stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.end(JSON.stringify({ host: "localhost", user: USER, token: TOKEN, timeoutMs: 10_000, ...request }));
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  assert.equal(errors, "");
  assert.equal(code, 0);
  const secrets = [String(request.token ?? TOKEN)].map((token) => token.slice(0, 24));
  for (const secret of secrets) assert.ok(!output.includes(secret), "the output holds a piece of the token");
  return JSON.parse(output);
}

/** @param {Record<string, unknown>} request @returns {Promise<{ result: any, check: any }>} */
export async function probe(request) {
  return (await runProbes(request)).answers[0];
}
