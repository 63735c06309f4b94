// SPDX-License-Identifier: MPL-2.0
/** A life told to the log at level debug: sign-ins, renewals and failures by commands, with every secret that was in it. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { PROGRAM, runCommand } from './host.mjs';
import { moment, visit } from './world.mjs';

export const PASSPHRASE = 'correct horse battery staple';

/** A line as the contract of the log has it: an event, then fields of words, numbers and ids. */
export const ENTRY = /^[a-z-]+( [a-z_]+=[A-Za-z0-9.-]+)*$/;

/** Field of an entry's line. @param {string} line @param {string} name */
export const field = (line, name) => new RegExp(` ${name}=(\\S+)`).exec(line)?.[1];

/**
 * @param {import('./world.mjs').World} world
 * @param {string} home
 * @param {string[]} options of every command: where the log goes
 * @param {string} [program]
 */
export async function aLoggedLife(world, home, options, program = PROGRAM) {
  const account = await world.user();
  const before = world.idp.requests().length;
  /** @type {string[]} */
  const secrets = [PASSPHRASE];
  let stderr = '';

  /** @param {number} expected exit status @param {string[]} args @param {object} [more] */
  const run = async (expected, args, more = {}) => {
    const result = await runCommand([...args, ...options], { home, program, ...more });
    stderr += result.stderr;
    assert.equal(result.code, expected, `${args.join(' ')}: ${result.stderr}`);
    return result;
  };
  /** @param {number} expected @param {string[]} args */
  const runWithPassphrase = (expected, args) => run(expected, ['-c', `exec 3<<X\n${PASSPHRASE}\n${PASSPHRASE}\nX\nexec "$0" "$@"`, program, ...args, '--passphrase-fd=3'], { program: '/bin/sh' });
  /** The browser's part: what the authorization endpoint gives is a secret until it is spent. @param {string} url */
  const answer = async (url) => {
    const redirect = await world.redirectOf(url);
    secrets.push(new URL(redirect).searchParams.get('code') ?? '');
    assert.equal((await visit(redirect)).status, 200);
  };
  const expired = async () => {
    const { accounts: [{ tokens: [{ expiresAt }] }] } = JSON.parse((await runCommand(['accounts', '--json'], { home, program })).stdout);
    await moment(expiresAt);
  };

  await world.idp.control({
    lifetimes: { accessToken: 2 },
    nextToken: { entra: { error: 'invalid_request', code: 900144, text: PASSPHRASE }, match: { grant_type: 'authorization_code' } },
  });
  let answered = 0, said = '';
  await run(0, ['login', account, '--no-browser'], {
    onStdout: (/** @type {string} */ text, /** @type {import('node:child_process').ChildProcess} */ child) => {
      const [url] = /https:\S+(?=\n)/.exec(text) ?? [];
      if (!url || answered > 0) return;
      answered = 1;
      answer(url);
      // The first code is refused; the sign-in goes on with a second one.
      child.stderr?.on('data', (/** @type {string} */ chunk) => {
        said += chunk;
        if (answered > 1 || !/^thunderseal: [A-Z]/m.test(said)) return;
        answered = 2;
        answer(url);
      });
    },
  });
  await expired();
  const { stdout } = await run(0, ['token', account]);
  secrets.push(stdout.trim());
  await expired();
  await world.idp.control({ nextToken: { entra: { error: 'invalid_grant', code: 50173, text: `${stdout} ${PASSPHRASE}` }, match: { user: account } } });
  await run(77, ['token', account]);
  await world.idp.control({ lifetimes: { accessToken: 4500 } });
  await runWithPassphrase(0, ['backup', join(home, 'backup')]);
  await run(0, ['key', 'rotate']);
  await run(0, ['logout', account]);
  await run(0, ['forget', account]);
  secrets.push(...world.idp.issued().map(({ value }) => value));
  return { account, secrets, stderr, requests: world.idp.requests().slice(before) };
}

/**
 * What every sink must tell of that life.
 * @param {Awaited<ReturnType<typeof aLoggedLife>>['requests']} requests that the identity provider had @param {string[]} lines "event field=value…" in their order
 */
export function assertTold(requests, lines) {
  for (const line of lines) assert.match(line, ENTRY);
  const events = lines.map((line) => line.split(' ')[0]);
  for (const event of [
    'started', 'ended', 'account-added', 'sign-in-started', 'sign-in-refused', 'signed-in', 'renewed', 'renewal-failed', 'token-handed-over',
    'key-changed', 'signed-out', 'account-forgotten', 'request', 'request-refused', 'token-given', 'state', 'lock-held', 'lock-released',
    'token-request', 'token-answer', 'saved',
  ]) assert.ok(events.includes(event), `${event} is told`);

  const sent = requests.filter(({ endpoint }) => endpoint === 'token').map(({ headers }) => headers['client-request-id']);
  const told = lines.filter((line) => line.startsWith('token-answer ')).map((line) => field(line, 'request_id'));
  assert.deepEqual(told, sent, 'each token request is told by the id that the identity provider was given');
  assert.equal(new Set(sent).size, 4, 'another one each time');
  assert.deepEqual(['sign-in-refused', 'signed-in'].map((event) => field(lines.find((line) => line.startsWith(`${event} `)) ?? '', 'request_id')), sent.slice(0, 2));

  const renewed = lines.find((line) => line.startsWith('renewed ')) ?? '';
  assert.equal(field(renewed, 'request_id'), sent[2]);
  assert.ok(Number(field(renewed, 'milliseconds')) > 0);
  const failed = lines.find((line) => line.startsWith('renewal-failed ')) ?? '';
  assert.deepEqual(['kind', 'aadsts', 'http_status', 'request_id', 'resource'].map((name) => field(failed, name)), ['sign-in-required', '50173', '400', sent[3], 'outlook']);
  assert.match(field(failed, 'correlation_id') ?? '', /^[0-9a-f-]{36}$/);
}
