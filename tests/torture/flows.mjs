// SPDX-License-Identifier: MPL-2.0
/**
 * What is tortured: each flow that changes the disk, run by a program whose n-th call that does so fails or is
 * its last (host/vault/disk.h); and what has to be there afterwards.
 */
import { appendFileSync } from 'node:fs';
import { constants } from 'node:os';
import { cp, readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Host, Refusal, runCommand } from '../protocol/host.mjs';
import { filesBelow, moment, sha256, stateFolder } from '../protocol/world.mjs';

/** @typedef {import('../protocol/world.mjs').World} World */
/** @typedef {{ code: number | null, stdout: string, stderr: string }} Result */

/**
 * @typedef {object} Flow
 * @property {string} name
 * @property {string} seed                the home that each run gets a copy of
 * @property {string[]} kept              accounts that are signed in before, so afterwards in any case
 * @property {string[]} brought           accounts that the flow signs in: afterwards if it said so, else perhaps
 * @property {(home: string, env?: Record<string, string>) => Promise<Result>} act
 * @property {(home: string, result: Result, fault: Fault) => Promise<string | null>} [check]  what is wrong with what else it makes
 */

/** `make soak` tries every call, `make check` those that fit into its time. */
export const ALL = process.env.TORTURE_ROUNDS !== undefined;

export const PASSPHRASE = 'correct horse battery staple';

/** The last calls of a flow, where its outcome is decided, are tried in any case. */
const LAST = 3;

/**
 * What fails, or is where it is killed: a call that changes the disk, one that opens or locks (host/vault/disk.h), an allocation
 * (allocations.c). `lasts`: and all that follow.
 * @typedef {'disk' | 'look' | 'memory'} Kind
 * @typedef {{ at: number, of: Kind, error: 'ENOSPC' | 'EIO' | 'EMFILE' | 'ENOMEM' | 'kill', lasts?: boolean }} Fault
 */

const VARIABLES = { disk: 'THUNDERSEAL_FAULT_AT', look: 'THUNDERSEAL_FAULT_LOOK_AT', memory: 'THUNDERSEAL_FAULT_MEMORY' };

/** The exit statuses of `internal`, `vault-locked` and `storage`: no other trouble is to be told of. @type {Record<Kind, number[]>} */
const EXITS = { disk: [74], look: [74, 75, 78], memory: [70] };

/** Of the allocations, `make check` tries those alone to which another chain of callers leads. */
const PLACES = ALL ? {} : { THUNDERSEAL_FAULT_PLACES: '1' };

/** @param {Fault} fault @returns {Record<string, string>} */
export const environmentOf = ({ at, of, error, lasts = false }) => ({
  [VARIABLES[of]]: String(at),
  THUNDERSEAL_FAULT_ERROR: error === 'kill' ? error : String(constants.errno[error]),
  ...(lasts && { THUNDERSEAL_FAULT_LASTS: '1' }),
  ...PLACES,
});

/** A sanitizer's report. @param {string} text */
export const isReport = (text) => /Sanitizer|runtime error:/.test(text);

/** Signs in as somebody at a terminal does. @param {World} world @param {string} account @param {string} home @param {Record<string, string>} [env] */
function signIn(world, account, home, env) {
  let answered = false;
  return runCommand(['login', account, '--no-browser'], { home, env, onStdout: (text) => {
    if (answered || !text.includes('\n')) return;
    answered = true;
    // The program may be gone before the answer comes: its end tells.
    world.answer(text.trim()).catch(() => {});
  } });
}

/**
 * Homes whose users are signed in, with a token that has expired.
 * @param {World} world @param {number} count @returns {Promise<{ home: string, account: string }[]>}
 */
export async function signedInHomes(world, count) {
  await world.idp.control({ lifetimes: { accessToken: 1 } });
  const homes = [];
  let expired = 0;
  for (let i = 0; i < count; i += 1) {
    const [home, account] = [await world.home(), await world.user()];
    const { code, stderr } = await signIn(world, account, home);
    if (code !== 0) throw new Error(`the sign-in failed: ${stderr}`);
    homes.push({ home, account });
    expired = Date.now() / 1000 + 1;
  }
  await world.idp.control({ lifetimes: { accessToken: 4500 } });
  await moment(expired);
  return homes;
}

/** @param {string[]} args @param {string} home @param {Record<string, string>} [env] */
const withPassphrase = (args, home, env) => runCommand([...args, '--passphrase-fd', '0'], { home, env, input: `${PASSPHRASE}\n${PASSPHRASE}\n` });

/** All flows, each with its seed. @param {World} world @returns {Promise<Flow[]>} */
export async function makeFlows(world) {
  const [{ home, account }, other] = await signedInHomes(world, 2);
  const empty = await world.home();
  const newcomer = await world.user();
  const saved = join(world.folder, 'saved.backup');
  await withPassphrase(['backup', saved], other.home);
  /** @param {string} copy @param {Record<string, string>} [env] */
  const restore = (copy, env) => withPassphrase(['restore', saved], copy, env);
  /** The file is there when the program says so; and if it is there, it is whole. @param {string} copy @param {Result} result @param {Fault} fault */
  const checkBackup = async (copy, result, fault) => {
    const file = join(copy, 'mine.backup');
    if (!(await readdir(copy)).includes('mine.backup')) return result.code === 0 ? 'there is no file' : null;
    if (result.code !== 0 && result.code !== null && !fault.lasts) return 'a file is left'; // that cannot be taken away, either
    const elsewhere = await copyOf(world, empty);
    const { code, stderr } = await withPassphrase(['restore', file], elsewhere);
    if (code !== 0) return `cannot be restored: ${code} ${stderr}`;
    return (await freshStart(elsewhere, [account])).outcomes[account] === 'renews' ? null : 'what it holds does not renew';
  };
  return [
    { name: 'sign-in', seed: empty, kept: [], brought: [newcomer], act: (copy, env) => signIn(world, newcomer, copy, env) },
    { name: 'second sign-in', seed: home, kept: [account], brought: [newcomer], act: (copy, env) => signIn(world, newcomer, copy, env) },
    { name: 'renewal', seed: home, kept: [account], brought: [], act: (copy, env) => runCommand(['renew'], { home: copy, env }) },
    { name: 'key rotation', seed: home, kept: [account], brought: [], act: (copy, env) => runCommand(['key', 'rotate'], { home: copy, env }) },
    { name: 'key move', seed: home, kept: [account], brought: [],
      act: (copy, env) => withPassphrase(['key', 'move', '--to', 'passphrase'], copy, env) },
    { name: 'backup', seed: home, kept: [account], brought: [], check: checkBackup,
      act: (copy, env) => withPassphrase(['backup', join(copy, 'mine.backup')], copy, env) },
    { name: 'restore', seed: home, kept: [account], brought: [other.account], act: restore },
  ];
}

/** @param {World} world @param {string} seed a home @returns {Promise<string>} */
export async function copyOf(world, seed) {
  const copy = await world.home(null);
  await cp(seed, copy, { recursive: true });
  return copy;
}

/** The numbers of calls that the flow makes. @param {World} world @param {Flow} flow @returns {Promise<Record<Kind, number>>} */
export async function callsOf(world, flow) {
  const home = await copyOf(world, flow.seed);
  const { code, stderr } = await flow.act(home, { THUNDERSEAL_FAULT_COUNT: '1', ...PLACES });
  const counted = /^calls: disk (\d+), look (\d+), memory (\d+)$/m.exec(stderr);
  if (code !== 0 || !counted) throw new Error(`${flow.name} without a fault: ${code} ${stderr}`);
  await rm(home, { recursive: true });
  const [disk, look, memory] = counted.slice(1).map(Number);
  return { disk, look, memory };
}

/**
 * Of the calls 1 to count the first, the last ones, and others evenly between, some `most` in all; or each.
 * @param {number} count @param {number} most
 */
export function pointsOf(count, most) {
  const step = Math.max(1, Math.ceil(count / most));
  return Array.from({ length: count }, (_each, i) => i + 1)
    .filter((point) => ALL || (point - 1) % step === 0 || point > count - LAST);
}

/**
 * Whether the account's sign-in still brings tokens: 'renews', 'absent', or what is told instead.
 * @param {Host} host @param {string} account
 */
async function outcomeOf(host, account) {
  const { accounts } = await host.call('account.list');
  const listed = accounts.find((/** @type {any} */ each) => each.account === account);
  if (!listed || listed.state === 'signed-out') return 'absent';
  try {
    const first = await host.call('token.get', { account });
    const renewed = first.source === 'renewed' ? first : await host.call('token.get', { account, rejected: sha256(first.accessToken) });
    return renewed.source === 'renewed' ? 'renews' : `came from ${renewed.source}`;
  } catch (error) {
    if (error instanceof Refusal && error.kind === 'sign-in-required' && error.data.cause && error.data.remedy) return error.kind;
    return String(error);
  }
}

/**
 * A fresh start without faults, and what it finds.
 * @param {string} home @param {string[]} accounts
 * @returns {Promise<{ outcomes: Record<string, string>, wrong: string[] }>}
 */
export async function freshStart(home, accounts) {
  /** @type {Record<string, string>} */
  const outcomes = {};
  const wrong = [];
  const host = await Host.open({ home });
  // Where no passphrase is needed, it is refused.
  await host.call('vault.unlock', { passphrase: PASSPHRASE }).catch(() => {});
  for (const account of accounts) outcomes[account] = await outcomeOf(host, account);
  const { code } = await host.end();
  if (code !== 0 || isReport(host.stderr)) wrong.push(`the next start ended with ${code}: ${host.stderr}`);
  wrong.push(...host.breaches);
  for (const { path } of await filesBelow(stateFolder(home))) {
    if (/\.tmp-|\.damaged-/.test(path)) wrong.push(`${basename(path)} is left`);
  }
  return { outcomes, wrong };
}

/** @param {string} home @returns {Promise<string>} the sealed file's content */
export async function sealedContent(home) {
  const [file] = (await filesBelow(join(stateFolder(home), 'identities'))).filter(({ path }) => path.endsWith('.sealed'));
  return sha256(file.bytes.toString('base64'));
}

/** @param {Record<string, string | number>} counted */
export function record(counted) {
  if (process.env.TORTURE_TALLY) appendFileSync(process.env.TORTURE_TALLY, `${JSON.stringify(counted)}\n`);
}

export class Tally {
  points = 0;

  crashes = 0;

  /** @type {string[]} */
  losses = [];

  /** @type {string[]} anything else that must not be */
  wrong = [];

  #started = performance.now();

  /** For the log, and for the sum of all (summary.mjs). @param {string} what @param {string} [more] */
  line(what, more = '') {
    const seconds = ((performance.now() - this.#started) / 1000).toFixed(1);
    record({ what: what.replace(/,.*/, ''), points: this.points, losses: this.losses.length, crashes: this.crashes });
    return `${what}: ${this.points} points tried, ${this.losses.length} losses, ${this.crashes} crashes${more}; ${seconds} s`;
  }
}

/**
 * One point: the flow in a copy of its seed, with the fault; then a start without, and the flow again if it has not done its work.
 * @param {World} world @param {Flow} flow @param {Fault} fault @param {Tally} tally
 */
export async function tryPoint(world, flow, fault, tally) {
  const where = `${flow.name}, ${fault.error} at ${fault.of} call ${fault.at}${fault.lasts ? ' and after' : ''}`;
  const home = await copyOf(world, flow.seed);
  tally.points += 1;
  /** @type {Result} */
  let result;
  try {
    result = await flow.act(home, environmentOf(fault));
  } catch (error) {
    tally.crashes += 1;
    tally.wrong.push(`${where}: ${error}`);
    return;
  }
  if (isReport(result.stderr) || (result.code === null) !== (fault.error === 'kill')) {
    tally.crashes += 1;
    tally.wrong.push(`${where}: ended with ${result.code}: ${result.stderr}`);
  } else if (result.code && !/thunderseal: \S.+ \S+\./.test(result.stderr)) {
    tally.wrong.push(`${where}: ended with ${result.code} and does not say why: ${result.stderr}`);
  } else if (result.code && !EXITS[fault.of].includes(result.code)) {
    tally.wrong.push(`${where}: ended with ${result.code}: ${result.stderr}`);
  }
  const { outcomes, wrong } = await freshStart(home, [...flow.kept, ...flow.brought]);
  tally.wrong.push(...wrong.map((each) => `${where}: ${each}`));
  const absent = flow.brought.filter((account) => outcomes[account] === 'absent' && result.code !== 0);
  if (absent.length) {
    const { code, stderr } = await flow.act(home);
    if (code !== 0) tally.wrong.push(`${where}: it cannot be repeated: ${stderr}`);
    Object.assign(outcomes, (await freshStart(home, absent)).outcomes);
  }
  for (const [account, outcome] of Object.entries(outcomes)) {
    if (outcome !== 'renews') tally.losses.push(`${where}: ${account}: ${outcome}; ended with ${result.code}: ${result.stderr}`);
  }
  const more = await flow.check?.(home, result, fault);
  if (more) tally.wrong.push(`${where}: ${more}`);
  await rm(home, { recursive: true });
}

/** Does the work for each, two at a time: the machines of the tests have two processors. @template T @param {T[]} each @param {(one: T) => Promise<void>} work */
export async function inPairs(each, work) {
  const rest = [...each];
  const worker = async () => {
    for (let one = rest.shift(); one !== undefined; one = rest.shift()) await work(one);
  };
  await Promise.all([worker(), worker()]);
}
