// SPDX-License-Identifier: MPL-2.0
/**
 * How fast and how small the host is, beside the least that a native messaging host in C can be. The figures that have
 * a target are ratios within one run, and counts: they mean the same on every machine. One is a time, as it is a person's
 * patience that sets it: from the click on the toolbar button until the popup of a real Thunderbird is drawn.
 * With `--json` the figures are printed as JSON. Exit status 1: a target is missed.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { popupOpenings } from './popup.mjs';
import { EXTENSION_ID, HELLO, MANIFEST, PROGRAM } from '../protocol/host.mjs';
import { World } from '../protocol/world.mjs';

const TOOLS = resolve(process.env.BENCH_TOOLS ?? new URL('../../build/bench', import.meta.url).pathname);
const FEW = 10;
const USUAL = 100;
const MANY = 1000;
/** What follows a click within it seems to follow at once. */
const AT_ONCE_US = 100_000;
const PLAN = { starts: 10, rounds: 100, trips: 200 };
/** Entra's access tokens for Exchange have some 1,700 bytes; a long display name brings ours there. */
const DISPLAY_NAME = 'Ada '.repeat(90);

/** @typedef {{ name: string, argv: string[], home: string, messages: object[] }} Program */
/** @typedef {{ greeting: number, first: number, end: number, p50: number[], p99: number[], rss: number, peak: number, answerBytes: number }} Measured  µs and KiB */
/** @typedef {{ figure: string, value: string, target: string, ok: boolean | null }} Figure */

/** @param {Program[]} programs @param {Partial<typeof PLAN>} [plan] @returns {Promise<Record<string, Measured>>} */
async function roundTrips(programs, plan = {}) {
  const child = spawn(join(TOOLS, 'round_trips'), { stdio: ['pipe', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part) => { text += part; });
  child.stdin.end(JSON.stringify({ ...PLAN, ...plan, programs }));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`round_trips ended with ${code}`);
  return JSON.parse(text);
}

/**
 * Homes with so many signed-in accounts each, every one with a sign-in of its own.
 * @param {World} world @param {number[]} sizes rising
 */
async function signedInHomes(world, sizes) {
  const home = await world.home();
  /** @type {string[]} */
  const accounts = [];
  const homes = [];
  for (const size of sizes) {
    const host = await world.host(home);
    while (accounts.length < size) {
      const upn = `user${accounts.length}@contoso.test`;
      await world.idp.control({ addUser: { upn, name: DISPLAY_NAME } });
      const { ok, problem } = await world.signIn(host, upn);
      if (!ok) throw new Error(`the sign-in failed: ${JSON.stringify(problem)}`);
      accounts.push(upn);
    }
    await host.end();
    const copy = `${home}-with-${size}`;
    await cp(home, copy, { recursive: true });
    homes.push({ home: copy, accounts: [...accounts] });
  }
  return homes;
}

/** @param {string[]} accounts hello, and one token.get for each */
const messagesFor = (accounts) => [
  { jsonrpc: '2.0', id: 0, method: 'hello', params: HELLO },
  ...accounts.map((account, index) => ({ jsonrpc: '2.0', id: `t${index}`, method: 'token.get', params: { account, protocol: 'imap' } })),
];

/** @param {string} name @param {{ home: string, accounts: string[] }} of @returns {Program} */
const host = (name, { home, accounts }) => ({ name, argv: [PROGRAM, MANIFEST, EXTENSION_ID], home, messages: messagesFor(accounts) });

/** @param {number} value @param {number} most @param {string} figure @param {(value: number) => string} show @returns {Figure} */
const bounded = (figure, value, most, show) => ({ figure, value: show(value), target: `<= ${show(most)}`, ok: value <= most });

/** @param {string} figure @param {number} microseconds @returns {Figure} */
const shown = (figure, microseconds) => ({ figure, value: milliseconds(microseconds), target: '', ok: null });

const milliseconds = (/** @type {number} */ microseconds) => `${(microseconds / 1000).toFixed(2)} ms`;
const times = (/** @type {number} */ value) => `${value.toFixed(2)} x`;
const mebibytes = (/** @type {number} */ kibibytes) => `${(kibibytes / 1024).toFixed(1)} MiB`;

/** @param {number[]} values */
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/** Turn by turn, so that what else the machine does falls on both. @param {number[]} values @param {number[]} base */
const ratio = (values, base) => median(values.map((value, turn) => value / base[turn]));

/** @param {World} world */
async function measure(world) {
  const [few, usual, many] = await signedInHomes(world, [FEW, USUAL, MANY]);
  const before = world.idp.requests().length;
  const speaker = await world.host(few.home);
  const { accessToken } = await speaker.call('token.get', { account: few.accounts[0] });
  await speaker.end();

  /** @type {Program} */
  const echo = { name: 'echo', argv: [join(TOOLS, 'echo'), String(accessToken.length)], home: few.home, messages: messagesFor(few.accounts) };
  const commands = [
    { ...echo, name: 'echo command', messages: [] },
    { ...host('token command', few), argv: [PROGRAM, 'token', few.accounts[0]], messages: [] },
  ];
  const result = await roundTrips([echo, host('few', few), host('usual', usual), host('many', many), ...commands]);
  const asked = world.idp.requests().length - before;
  return { tokenBytes: accessToken.length, result, asked, popup: await popupOpenings() };
}

/** @param {Awaited<ReturnType<typeof measure>>} measured @returns {Figure[]} */
function figures({ result, asked, popup }) {
  const { echo, few, usual, many } = result;
  const command = result['token command'];
  return [
    bounded('token.get p50, host : baseline', ratio(few.p50, echo.p50), 1.5, times),
    bounded('token.get p99, host : baseline', ratio(few.p99, echo.p99), 2, times),
    bounded(`token.get p50, ${MANY} accounts : ${FEW}`, ratio(many.p50, few.p50), 1.2, times),
    bounded(`memory with ${USUAL} accounts, over the baseline`, usual.rss - echo.rss, 16 * 1024, mebibytes),
    bounded(`memory with ${USUAL} accounts`, usual.peak, 32 * 1024, mebibytes),
    bounded('requests to the identity provider, all starts', asked, 0, String),
    bounded(`popup, from click to content, ${popup.accounts} accounts`, median(popup.milliseconds) * 1000, AT_ONCE_US, milliseconds),
    shown('token.get p50, baseline', median(echo.p50)),
    shown('token.get p50, host', median(few.p50)),
    shown('token.get p99, baseline', median(echo.p99)),
    shown('token.get p99, host', median(few.p99)),
    shown('start to first answer, baseline', echo.first),
    ...Object.entries({ [FEW]: few, [USUAL]: usual, [MANY]: many }).map(([count, { first }]) => shown(`start to first token, ${count} accounts`, first)),
    shown('the whole life of the baseline without a message', result['echo command'].end),
    shown('thunderseal token, from start to end', command.end),
    { figure: 'memory, baseline', value: mebibytes(echo.rss), target: '', ok: null },
    { figure: `memory with ${MANY} accounts`, value: mebibytes(many.rss), target: '', ok: null },
  ];
}

/** @param {Figure[]} list */
function table(list) {
  const width = Math.max(...list.map(({ figure }) => figure.length));
  for (const { figure, value, target, ok } of list) {
    const verdict = { true: 'ok', false: 'MISSED', null: '' }[String(ok)];
    console.log(`${figure.padEnd(width)}  ${value.padStart(10)}  ${target.padEnd(12)}  ${verdict}`.trimEnd());
  }
}

const { values: options } = parseArgs({ options: { json: { type: 'boolean', default: false } } });
const world = await World.open();
try {
  const measured = await measure(world);
  const list = figures(measured);
  if (options.json) console.log(JSON.stringify({ figures: list, measured }, null, 2));
  else table(list);
  process.exitCode = list.some(({ ok }) => ok === false) ? 1 : 0;
} finally {
  await world.close();
}
