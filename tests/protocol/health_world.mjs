// SPDX-License-Identifier: MPL-2.0
/** What the tests of health.check share. */
import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import { setTimeout as after } from 'node:timers/promises';
import { listenOnLoopback } from '../servers/loopback.mjs';

/** @typedef {{ id: string, account: string | null, status: string, title: string, detail: string, causes?: string[], remedy?: string, adminRemedy?: string, latencyMs?: number, evidence?: any }} Check */
/** @typedef {{ startedAt: number, finishedAt: number, overall: string, checks: Check[] }} Report */

export const IDS = [
  'versions', 'policy', 'vault', 'audit', 'clock', 'authority', 'sign-in', 'token', 'scopes', 'settings', 'imap', 'pop3', 'smtp', 'graph',
  'offline-copy', 'deadlines',
];

/** @param {import('./host.mjs').Host} host @param {object} [params] @returns {Promise<Report>} */
export async function check(host, params = {}) {
  const { report } = await host.call('health.check', params);
  return report;
}

/** The one check of that id. @param {Report} report @param {string} id @param {string} [account] */
export function one({ checks }, id, account) {
  const found = checks.filter((each) => each.id === id && (account === undefined || each.account === account));
  assert.equal(found.length, 1, `one check ${id}`);
  return found[0];
}

/** @param {Report} report what is not as it should be, in short */
export const statuses = ({ checks }) => Object.fromEntries(checks.map(({ id, status }) => [id, status]));

/**
 * That a check ended so, with this likeliest cause, and says what to do.
 * @param {Report} report @param {string} id @param {'warn' | 'fail'} status @param {string} cause
 */
export function assertTrouble(report, id, status, cause) {
  const found = one(report, id);
  assert.deepEqual([found.status, found.causes?.[0]], [status, cause], JSON.stringify(found));
  assert.ok(found.detail && found.remedy, `${id} says what to do`);
  return found;
}

/** That a check was skipped, and says because of which. @param {Report} report @param {string} id @param {RegExp} why */
export function assertSkipped(report, id, why) {
  const found = one(report, id);
  assert.equal(found.status, 'skipped', JSON.stringify(found));
  assert.match(found.detail, why);
}

/** @param {string} account @param {string} type @param {number} port @param {object} [change] */
export const server = (account, type, port, change = {}) => ({
  account, type, hostname: 'localhost', port, socketType: type === 'smtp' ? 'starttls' : 'tls', authMethod: 'oauth2', ...change,
});

/**
 * Stands before a server, lets each connection wait, and counts how many there are at once.
 * @param {number} port @param {number} delayMs @param {{ now: number, most: number }} all counts over several gates
 */
export async function startGate(port, delayMs, all) {
  const here = { now: 0, most: 0, connections: 0 };
  /** @type {Set<import('node:net').Socket>} */
  const sockets = new Set();
  const gate = await listenOnLoopback(() => createServer(async (socket) => {
    for (const counter of [here, all]) {
      counter.now += 1;
      counter.most = Math.max(counter.most, counter.now);
    }
    here.connections += 1;
    sockets.add(socket);
    let open = true;
    const gone = () => {
      if (open) { here.now -= 1; all.now -= 1; }
      open = false;
      sockets.delete(socket);
    };
    socket.on('error', () => {}).on('end', gone).on('close', gone);
    await after(delayMs);
    const behind = connect(port, '127.0.0.1').on('error', () => {}).on('close', () => socket.destroy());
    socket.pipe(behind).pipe(socket);
  }), 0);
  return {
    port: gate.port,
    here,
    stop: async () => {
      sockets.forEach((socket) => socket.destroy());
      await Promise.all(gate.servers.map((each) => new Promise((resolve) => { each.close(resolve); })));
    },
  };
}
