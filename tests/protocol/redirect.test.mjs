// SPDX-License-Identifier: MPL-2.0
/** The loopback redirect of a sign-in under attack: only the right answer counts, and it is always taken (DESIGN section 5). */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, test } from 'node:test';
import { portAnswers } from '../servers/loopback.mjs';
import { visit, World } from './world.mjs';

const world = await World.open();
after(() => world.close());

const host = await world.host();

/** A sign-in under way, with the address at which the right answer would arrive. */
async function underWay() {
  const account = await world.user();
  const { signInId, authorizationUrl } = await host.call('signIn.start', { account });
  const redirect = new URL(await world.redirectOf(authorizationUrl));
  const end = () => host.told('signIn.finished', (told) => told.signInId === signInId);
  return { account, signInId, redirect, end, base: redirect.origin, port: Number(redirect.port), state: redirect.searchParams.get('state') ?? '', code: redirect.searchParams.get('code') ?? '' };
}

/** Sends bytes as they are. @param {number} port @param {string} bytes @returns {Promise<string>} all that comes back */
async function raw(port, bytes) {
  const socket = connect({ port, host: '127.0.0.1' });
  await once(socket, 'connect');
  let answer = '';
  socket.setEncoding('latin1').on('data', (text) => { answer += text; }).on('error', () => {});
  socket.end(bytes);
  await once(socket, 'close');
  return answer;
}

test('whatever is not the right answer gets 404, and the listener waits on', async (t) => {
  const { redirect, base, port, state, code, end } = await underWay();
  const query = redirect.search;
  const local = `localhost:${port}`;
  /** @type {Record<string, [string, import('node:http').RequestOptions?]>} */
  const visits = {
    'the icon': [`${base}/favicon.ico`],
    'another path': [`${base}/callback${query}`],
    'a doubled slash': [`${base}//${query}`],
    'no parameters': [`${base}/`],
    'another state': [`${base}/?code=${code}&state=${'A'.repeat(43)}`],
    'an empty state': [`${base}/?code=${code}&state=`],
    'half of the state': [`${base}/?code=${code}&state=${state.slice(0, 20)}`],
    'no state': [`${base}/?code=${code}`],
    'two states': [`${base}/${query}&state=${state}`],
    'two codes': [`${base}/${query}&code=other`],
    'a code and an error': [`${base}/${query}&error=access_denied`],
    'an empty code': [`${base}/?code=&state=${state}`],
    'an error with another state': [`${base}/?error=access_denied&state=x`],
    'a malformed escape': [`${base}/${query}&x=%zz`],
    'a POST': [`${base}/${query}`, { method: 'POST' }],
    'a HEAD': [`${base}/${query}`, { method: 'HEAD' }],
    'another Host': [`${base}/${query}`, { headers: { host: 'attacker.example' } }],
    'a Host without the port': [`${base}/${query}`, { headers: { host: 'localhost' } }],
    'a Host with another port': [`${base}/${query}`, { headers: { host: 'localhost:1' } }],
    'a name that resolves here': [`${base}/${query}`, { headers: { host: `rebound.example:${port}` } }],
  };
  for (const [what, [url, options]] of Object.entries(visits)) {
    await t.test(what, async () => {
      const answer = await visit(url, options);
      assert.equal(answer.status, 404);
      assert.equal(answer.headers['set-cookie'], undefined);
      assert.ok(!answer.text.includes(code) && !answer.text.includes(state), 'nothing is reflected');
    });
  }
  const requests = {
    'no Host': `GET /${query} HTTP/1.0\r\n\r\n`,
    'two Hosts': `GET /${query} HTTP/1.1\r\nHost: ${local}\r\nHost: attacker.example\r\nConnection: close\r\n\r\n`,
    'no HTTP at all': '\u0016\u0003\u0001\u0002\0\u0001\0\u0001\u00fc\u0003\u0003\r\n\r\n',
    'a head of 40 KiB': `GET /${query} HTTP/1.1\r\nHost: ${local}\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`,
    'a target of 40 KiB': `GET /${query}&x=${'x'.repeat(40_000)} HTTP/1.1\r\nHost: ${local}\r\nConnection: close\r\n\r\n`,
  };
  for (const [what, bytes] of Object.entries(requests)) {
    await t.test(what, async () => { assert.doesNotMatch(await raw(port, bytes), /^HTTP\/1\.\d 200/); });
  }
  assert.deepEqual(host.toldSoFar('signIn.retry'), []);
  assert.equal((await visit(redirect.href)).status, 200);
  assert.equal((await end()).ok, true);
});

test('connections held open do not keep the right answer out', async () => {
  const { redirect, port, end } = await underWay();
  const sockets = Array.from({ length: 10 }, () => connect({ port, host: '127.0.0.1' }).on('error', () => {}));
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  sockets.forEach((socket, index) => { if (index % 2) socket.write('GET /?sta'); });
  assert.equal((await visit(redirect.href)).status, 200);
  assert.equal((await end()).ok, true);
  sockets.forEach((socket) => socket.destroy());
});

test('the page that the user sees last allows nothing, is kept nowhere, and reflects nothing', async () => {
  const { redirect, code, state, end } = await underWay();
  const { status, headers, text } = await visit(`${redirect.href}&marker=%3Cscript%3E`);
  assert.equal(status, 200);
  assert.match(headers['content-type'] ?? '', /^text\/html; charset=utf-8$/);
  assert.match(String(headers['content-security-policy']), /default-src 'none'/);
  assert.doesNotMatch(String(headers['content-security-policy']), /unsafe|script-src|https?:/);
  assert.equal(headers['cache-control'], 'no-store');
  assert.equal(headers['referrer-policy'], 'no-referrer');
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.equal(headers['access-control-allow-origin'], undefined);
  for (const part of [code, state, 'script', 'marker', 'http']) assert.ok(!text.includes(part), part);
  await end();
});

test('the answer is taken once, and nobody listens afterwards', async () => {
  const { redirect, port, end, account } = await underWay();
  const [first, ...others] = await Promise.allSettled([visit(redirect.href), visit(redirect.href), visit(redirect.href)]);
  assert.ok([first, ...others].some((outcome) => outcome.status === 'fulfilled' && outcome.value.status === 200));
  assert.equal((await end()).ok, true);
  assert.equal(world.requestsOf(account, 'authorization_code').length, 1);
  assert.equal(await portAnswers(port), false);
  assert.equal(await portAnswers(port, '::1'), false);
});

test('both loopback addresses listen on the one port, and no other address does', async () => {
  const { redirect, port, signInId } = await underWay();
  assert.equal(await portAnswers(port), true);
  assert.equal(await portAnswers(port, '127.0.0.2'), false);
  const six = await visit(`http://[::1]:${port}/favicon.ico`).catch((error) => error);
  assert.ok(six.status === 404 || six.code === 'EADDRNOTAVAIL' || six.code === 'EAFNOSUPPORT', String(six));
  assert.equal((await visit(redirect.href.replace('localhost', '127.0.0.1'))).status, 200);
  assert.ok(signInId);
});

test('errors of the authorization page are named, and only as we know them', async () => {
  const kinds = { access_denied: 'cancelled', server_error: 'identity-provider', temporarily_unavailable: 'identity-provider', unauthorized_client: 'misconfigured', '<b>x</b>': 'misconfigured' };
  for (const [error, kind] of Object.entries(kinds)) {
    const { base, state, signInId, end } = await underWay();
    await visit(`${base}/?error=${encodeURIComponent(error)}&error_description=AADSTS65004%3A%20%3Cscript%3E&state=${state}`);
    const told = kind === 'cancelled' ? await end() : await host.told('signIn.retry', (each) => each.signInId === signInId);
    assert.equal(told.problem.kind, kind, error);
    assert.equal(told.problem.aadsts, 65004);
    assert.doesNotMatch(JSON.stringify(told), /script|<b>/);
  }
});
