// SPDX-License-Identifier: MPL-2.0
/** Native messaging frames (protocol section 1). */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { EXTENSION_ID, frame, FRAME_MAX, HELLO, Host, MANIFEST, runCommand } from './host.mjs';
import { World } from './world.mjs';

const world = await World.open();
after(() => world.close());

const listing = (/** @type {unknown} */ id) => ({ jsonrpc: '2.0', id, method: 'account.list' });
const listingText = (/** @type {unknown} */ id) => JSON.stringify(listing(id));

/** @param {Host} host */
async function stillServes(host) {
  assert.deepEqual(await host.call('account.list'), { accounts: [], more: false });
}

/** A host that was not greeted. @param {Partial<import('./host.mjs').Start> & { args?: string[] }} [start] */
const bareHost = async (start = {}) => world.watch(new Host({ home: await world.home(), ...start }));

/** Nested so deep in all: the message itself is the first level. @param {number} depth */
function nested(depth) {
  const inner = depth - 2;
  return `{"jsonrpc":"2.0","id":1,"method":"account.list","params":${'{"a":'.repeat(inner)}{}${'}'.repeat(inner)}}`;
}

test('a frame of exactly 1 MiB is read, and one byte more is refused without ending the session', async () => {
  const host = await world.host();
  const start = listingText('exact');
  await host.write(frame(start + ' '.repeat(FRAME_MAX - start.length)));
  assert.deepEqual((await host.answer('exact')).result, { accounts: [], more: false });
  await host.write(frame(start + ' '.repeat(FRAME_MAX + 1 - start.length)));
  const { error } = await host.answer(null);
  assert.equal(error.code, -32600);
  assert.equal(error.data.kind, 'message-too-large');
  assert.equal(error.data.retryable, false);
  await stillServes(host);
});

test('a frame far over 1 MiB is refused at its head, and drained in constant memory', async () => {
  const host = await world.host();
  const head = Buffer.alloc(4);
  head.writeUInt32LE(0x7fffffff);
  await host.write(head);
  assert.equal((await host.answer(null)).error.data.kind, 'message-too-large');
  const body = Buffer.alloc(0x7fffffff % FRAME_MAX, '{');
  await host.write(body);
  assert.equal(host.messages.length, 2, 'what is drained is not answered');
  await host.kill();
});

test('after a drained frame the next one in the same write is read', async () => {
  const host = await world.host();
  await host.write(Buffer.concat([frame(Buffer.alloc(3 * FRAME_MAX, 'x')), frame(listingText('behind'))]));
  assert.equal((await host.answer(null)).error.data.kind, 'message-too-large');
  assert.ok((await host.answer('behind')).result);
});

const NOT_JSON = {
  'a zero-length frame': '',
  'a frame of blanks': '   ',
  'a frame that is not JSON': '{"jsonrpc":"2.0"',
  'two values in a frame': '{} {}',
  'a trailing comma': '{"jsonrpc":"2.0","id":1,"method":"account.list",}',
  'bytes that are not UTF-8': Buffer.from([0x22, 0xc3, 0x28, 0x22]),
  'an overlong encoding': Buffer.from([0x22, 0xc0, 0xaf, 0x22]),
  'a byte order mark': Buffer.from(`\ufeff${listingText(1)}`),
  'a NUL behind the message': `${listingText(1)}\0`,
  'duplicate keys': '{"jsonrpc":"2.0","id":1,"id":2,"method":"account.list"}',
  'duplicate keys deep inside': '{"jsonrpc":"2.0","id":1,"method":"account.list","params":{"x":[{"a":1,"a":1}]}}',
  'an integer that no program can hold': '{"jsonrpc":"2.0","id":99999999999999999999,"method":"account.list"}',
  'nesting of 33 levels': nested(33),
  'nesting of 20,000 levels': '['.repeat(20_000),
};

test('what is not JSON is a parse-error with id null, and the session goes on', async (t) => {
  const host = await world.host();
  for (const [what, body] of Object.entries(NOT_JSON)) {
    await t.test(what, async () => {
      await host.write(frame(body));
      const { error } = await host.answer(null);
      assert.equal(error.code, -32700);
      assert.equal(error.data.kind, 'parse-error');
      await stillServes(host);
    });
  }
});

test('nesting of 32 levels is JSON like any other', async () => {
  const host = await world.host();
  await host.write(frame(nested(32)));
  const { error } = await host.answer(1);
  assert.equal(error.data.kind, 'invalid-params');
  assert.equal(error.data.field, 'a');
  await host.write(frame(`{"jsonrpc":"2.0","id":2,"method":"account.list","params":{"after":"${'['.repeat(50)}"}}`));
  assert.ok((await host.answer(2)).result, 'brackets in a text are no nesting');
});

test('bytes may come one by one, and many frames at once', async () => {
  const host = await bareHost();
  for (const byte of frame(JSON.stringify({ jsonrpc: '2.0', id: 'slow', method: 'hello', params: HELLO }))) {
    await host.write(Buffer.from([byte]));
  }
  assert.equal((await host.answer('slow')).result.protocol, 1);
  const ids = Array.from({ length: 500 }, (_, index) => index);
  const bytes = Buffer.concat(ids.map((id) => frame(listingText(id))));
  const cut = 12_345;
  await host.write(bytes.subarray(0, cut));
  await host.write(bytes.subarray(cut));
  const answers = await Promise.all(ids.map((id) => host.answer(id)));
  assert.ok(answers.every(({ result }) => result.more === false));
});

test('the end of input between frames ends the program with 0 within a second', async () => {
  const greeted = await world.host();
  for (const host of [greeted, await bareHost()]) {
    const { code, milliseconds } = await host.end();
    assert.equal(code, 0);
    assert.ok(milliseconds < 1000, `${milliseconds} ms`);
    assert.equal(host.stderr, '');
  }
});

test('a host that is signed in leaves within 100 ms of the end of input', async () => {
  const home = await world.home();
  const first = await world.host(home);
  await world.signIn(first, 'ada@contoso.test');
  await first.end();
  const took = [], least = [];
  for (let start = 0; start < 5; start++) {
    const smallest = new Host({ home, program: 'cat', args: [] });
    const host = await world.host(home);
    await host.call('token.get', { account: 'ada@contoso.test' });
    took.push((await host.end()).milliseconds);
    least.push((await smallest.end()).milliseconds);
  }
  // What else the machine does slows some down, but not all; and it slows down any program.
  assert.ok(Math.min(...took) < Math.min(...least) + 100, `${took} ms, and cat ${least} ms`);
});

test('what was asked before the end of input is answered', async () => {
  const host = await world.host();
  host.send(listing('last'));
  const { code } = await host.end();
  assert.equal(code, 0);
  assert.ok((await host.answer('last')).result);
});

test('the end of input inside a frame ends the program with 65', async (t) => {
  const whole = frame(listingText(1));
  const long = Buffer.alloc(4);
  long.writeUInt32LE(2 * FRAME_MAX);
  const cases = { 'in its head': whole.subarray(0, 2), 'behind its head': whole.subarray(0, 4), 'in its body': whole.subarray(0, 20), 'in one that is drained': long };
  for (const [where, bytes] of Object.entries(cases)) {
    await t.test(where, async () => {
      const host = await world.host();
      await host.write(bytes);
      assert.equal((await host.end()).code, 65);
    });
  }
});

test('another add-on is refused with 77 and one line, and nothing is read', async () => {
  for (const id of ['other@example.test', `${EXTENSION_ID}x`, '', EXTENSION_ID.toUpperCase()]) {
    const host = await bareHost({ args: [MANIFEST, id] });
    host.write(frame(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'hello', params: HELLO })));
    const { code } = await host.exited;
    assert.equal(code, 77, id);
    assert.match(host.stderr, /^[^\n]+\n$/);
    assert.deepEqual(host.messages, []);
  }
});

test('other arguments are a command line, not native messaging', async () => {
  for (const args of [['manifest.json', EXTENSION_ID], ['/manifest', EXTENSION_ID], [MANIFEST], [MANIFEST, EXTENSION_ID, 'more']]) {
    const { code, stdout } = await runCommand(args, { home: await world.home() });
    assert.equal(code, 64, args.join(' '));
    assert.equal(stdout, '');
  }
});

test('answers wait for a slow reader, and none is lost', async () => {
  const host = await world.host();
  host.process.stdout.pause();
  const count = 5000;
  await host.write(Buffer.concat([...Array.from({ length: count }, () => frame('not JSON')), frame(listingText('read'))]));
  host.process.stdout.resume();
  assert.ok((await host.answer('read')).result);
  assert.equal(host.messages.filter(({ error }) => error?.data.kind === 'parse-error').length, count);
});

test('a reader that does not read loses the session at 4 MiB, and never blocks the input', async () => {
  const host = await world.host();
  host.process.stdout.pause();
  const round = Buffer.concat(Array.from({ length: 4000 }, () => frame('not JSON')));
  const exited = once(host.process, 'exit');
  let ended = false;
  exited.then(() => { ended = true; });
  while (!ended) {
    await Promise.race([host.write(round), exited]);
    await turn(); // writing to an ended host fails at once, and must not keep its end from being noticed
  }
  assert.deepEqual(await exited, [74, null]);
  host.process.stdout.resume();
  await host.exited;
  host.breaches.length = 0; // the last frame is cut where the pipe was full
});

test('a reader that is gone ends the session', async () => {
  const host = await world.host();
  host.process.stdout.destroy();
  host.send(listing(1));
  assert.equal((await host.exited).signal, null);
});
