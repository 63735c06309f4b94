// SPDX-License-Identifier: MPL-2.0
/** Backups: made here, restored elsewhere, never instead of something newer (protocol sections 3 and 4, DESIGN section 4). */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { watch } from 'node:fs';
import { chmod, lstat, mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import * as backups from '../vault_reader/backup.mjs';
import { PROGRAM, runCommand, soon } from './host.mjs';
import { atTerminal } from './terminal.mjs';
import { filesBelow, sealedFiles, stateFolder, World } from './world.mjs';

const world = await World.open();
after(() => world.close());

const PASSPHRASE = 'correct horse battery staple';

/** @typedef {import('./host.mjs').Host} Host */

/** @param {string[]} args @param {string} home @param {string} [passphrase] on descriptor 0 */
const run = (args, home, passphrase) => runCommand(passphrase === undefined ? args : [...args, '--passphrase-fd', '0'], { home, input: passphrase });

/** @param {string} base64 */
const bytesOf = (base64) => Buffer.from(base64, 'base64');

/** @param {Buffer} bytes @param {number} at @param {number} [bit] */
function flipped(bytes, at, bit = 0) {
  const copy = Buffer.from(bytes);
  copy[at] ^= 1 << bit;
  return copy.toString('base64');
}

/** An X25519 pair as both sides write it: 32 bytes in base64. */
function recipientPair() {
  const { publicKey, privateKey } = generateKeyPairSync('x25519');
  return { publicKey: publicKey.export({ type: 'spki', format: 'der' }).subarray(-32), secretKey: privateKey.export({ type: 'pkcs8', format: 'der' }).subarray(-32) };
}

/** A host whose user is signed in, with a second address and an account that is not signed in. */
async function furnished() {
  const host = await world.host();
  const { account } = await world.signedIn(host);
  const shared = `shared-${account}`;
  const other = await world.user();
  await host.call('account.add', { account: shared, signInAs: account });
  await host.call('account.add', { account: other });
  return { host, account, shared, other };
}

const { host, account, shared, other } = await furnished();
const { data } = await host.call('backup.create', { passphrase: PASSPHRASE });
/** What the second program finds in it. */
const content = backups.open(bytesOf(data), { passphrase: PASSPHRASE });

/** @param {any} result */
const names = ({ accounts }) => accounts.map((/** @type {any} */ each) => each.account ?? each).sort();

test('a backup comes back in another home, under a device key of its own, and renews there', async () => {
  const home = await world.home();
  const there = await world.host(home);
  const result = await there.call('backup.restore', { data, passphrase: PASSPHRASE });
  assert.deepEqual(names(result), [account, other, shared].sort());
  const states = Object.fromEntries((await there.call('account.list')).accounts.map((/** @type {any} */ each) => [each.account, each.state]));
  assert.deepEqual([states[account], states[shared], states[other]], ['ready', 'ready', 'signed-out']);
  assert.equal((await there.call('token.get', { account })).source, 'renewed');
  assert.ok((await there.call('token.get', { account: shared })).accessToken);
  assert.notDeepEqual(await readFile(join(stateFolder(home), 'key')), await readFile(join(stateFolder(host.home), 'key')));
  assert.equal((await there.end()).code, 0);
  const again = await world.host(home);
  assert.deepEqual(names(again.welcome), [account, other, shared].sort());
  assert.equal((await again.call('token.get', { account })).source, 'cache', 'what was restored and renewed is on disk');
});

test('nothing in a backup can be read without its passphrase', () => {
  const bytes = bytesOf(data);
  for (const text of [account, shared, world.idp.clientId, ...world.idp.issued().map(({ value }) => value)]) assert.ok(!bytes.includes(text));
});

test('the passphrase is asked for, and a wrong one is vault-locked and changes nothing', async () => {
  const home = await world.home();
  const there = await world.host(home);
  for (const params of [{ data, passphrase: `${PASSPHRASE}!` }, { data, passphrase: PASSPHRASE.slice(1) }, { data }]) {
    const { kind, data: told } = await there.refused('backup.restore', params);
    assert.equal(kind, 'vault-locked');
    assert.ok(told.cause && told.remedy);
  }
  assert.deepEqual((await there.call('account.list')).accounts, []);
  assert.deepEqual(await sealedFiles(home), []);
});

test('a backup that was damaged anywhere, or is none, is vault-damaged and changes nothing', async () => {
  const home = await world.home();
  const there = await world.host(home);
  const bytes = bytesOf(data);
  for (let at = 0; at < bytes.length; at += Math.ceil(bytes.length / 60)) {
    assert.equal((await there.refused('backup.restore', { data: flipped(bytes, at, at % 8), passphrase: PASSPHRASE })).kind, 'vault-damaged', `byte ${at}`);
  }
  for (const length of [0, 1, 6, 7, 30, 38, 39, 80, bytes.length - 33, bytes.length - 1]) {
    const { kind } = await there.refused('backup.restore', { data: bytes.subarray(0, length).toString('base64'), passphrase: PASSPHRASE });
    assert.equal(kind, 'vault-damaged', `${length} bytes`);
  }
  for (const longer of [Buffer.concat([bytes, Buffer.of(0)]), Buffer.alloc(5000, 'x')]) {
    assert.equal((await there.refused('backup.restore', { data: longer.toString('base64'), passphrase: PASSPHRASE })).kind, 'vault-damaged');
  }
  assert.deepEqual(await filesBelow(stateFolder(home)), []);
});

test('a backup with a hostile cost, version or content is refused at once', async () => {
  const there = await world.host();
  const cheap = { passes: 1, kibibytes: 8 };
  const text = JSON.stringify(content);
  const made = (/** @type {string} */ inside) => backups.sealWithPassphrase(inside, PASSPHRASE, cheap).toString('base64');
  const rehashed = (/** @type {(bytes: Buffer) => void} */ change) => {
    const front = bytesOf(made(text)).subarray(0, -32);
    change(front);
    return Buffer.concat([front, backups.hashOf(front)]).toString('base64');
  };
  const started = performance.now();
  for (const hostile of [rehashed((bytes) => bytes.writeUInt32BE(0xffffffff, 7)), rehashed((bytes) => bytes.writeUInt32BE(0xffffffff, 11)),
    rehashed((bytes) => bytes.writeUInt32BE(0, 7)), rehashed((bytes) => bytes.writeUInt32BE(1, 11)), rehashed((bytes) => { bytes[5] = 2; }), rehashed((bytes) => { bytes[6] = 3; }),
    made('{'), made('[]'), made('{}'), made('{"version":2,"identities":[]}'), made('{"version":1,"identities":{}}'), made('{"version":1,"identities":[{}]}'),
    made(`{"version":1,"identities":[{"header":{"version":1},"payload":null}]}`), made(text.replace('"refreshToken":"', '"refreshToken":7,"x":"'))]) {
    assert.equal((await there.refused('backup.restore', { data: hostile, passphrase: PASSPHRASE })).kind, 'vault-damaged');
  }
  const changed = rehashed((bytes) => { bytes[60] ^= 1; });
  assert.equal((await there.refused('backup.restore', { data: changed, passphrase: PASSPHRASE })).kind, 'vault-locked', 'changed and made to look whole: as a wrong passphrase');
  assert.ok(performance.now() - started < 5000);
  assert.equal((await there.refused('backup.restore', { data: 'not base64!', passphrase: PASSPHRASE })).data.field, 'data');
  assert.deepEqual((await there.call('account.list')).accounts, []);
});

test('the second program opens what the first made, and the other way round', async () => {
  assert.deepEqual([content.version, content.tokens, content.identities.length], [1, true, 2]);
  const identity = content.identities.find((/** @type {any} */ { payload }) => payload);
  assert.deepEqual(identity.header.addresses, [account, shared]);
  assert.ok(world.idp.issued().some(({ value, kind }) => kind === 'refresh_token' && value === identity.payload.refreshToken));
  assert.deepEqual(identity.payload.access, [], 'access tokens end by themselves');
  const there = await world.host();
  const ours = backups.sealWithPassphrase(JSON.stringify(content), 'another', { passes: 2, kibibytes: 64 }).toString('base64');
  assert.deepEqual(names(await there.call('backup.restore', { data: ours, passphrase: 'another' })), [account, other, shared].sort());
});

test('a backup for a recipient opens with the recipient\'s secret key, in the program and without it', async () => {
  const { publicKey, secretKey } = recipientPair();
  const sealed = (await host.call('backup.create', { recipient: publicKey.toString('base64') })).data;
  assert.equal(backups.open(bytesOf(sealed), { secretKey }).identities.length, 2);
  const there = await world.host();
  for (const passphrase of [PASSPHRASE, recipientPair().secretKey.toString('base64')]) {
    assert.equal((await there.refused('backup.restore', { data: sealed, passphrase })).kind, 'vault-locked');
  }
  assert.match((await there.refused('backup.restore', { data: sealed })).data.remedy, /secret key/);
  assert.deepEqual(names(await there.call('backup.restore', { data: sealed, passphrase: secretKey.toString('base64') })), [account, other, shared].sort());
  const ours = backups.sealForRecipient(JSON.stringify(backups.open(bytesOf(sealed), { secretKey })), publicKey).toString('base64');
  assert.deepEqual((await there.call('backup.restore', { data: ours, passphrase: secretKey.toString('base64') })).accounts, [], 'it has nothing newer');
});

test('what cannot make or open a backup is invalid-params', async () => {
  for (const params of [{}, { passphrase: 'a', recipient: Buffer.alloc(32, 9).toString('base64') }, { passphrase: '' }, { passphrase: 'x'.repeat(1025) }, { passphrase: 5 },
    { recipient: 'x' }, { recipient: Buffer.alloc(31, 9).toString('base64') }, { recipient: Buffer.alloc(32).toString('base64') }, { passphrase: 'a', tokens: false }]) {
    assert.equal((await host.refused('backup.create', params)).kind, 'invalid-params', JSON.stringify(params));
  }
  assert.equal((await host.refused('backup.restore', { passphrase: 'a' })).data.field, 'data');
});

test('a backup never takes the place of a newer sign-in, nor of one used since', async () => {
  const home = await world.home();
  const there = await world.host(home);
  const newer = await world.signedIn(there, account);
  assert.deepEqual(names(await there.call('backup.restore', { data, passphrase: PASSPHRASE })), [other, shared].sort(), 'what was not here comes');
  assert.equal((await there.call('token.get', { account })).accessToken, newer.token, 'the newer sign-in stays');
  assert.equal((await there.call('token.get', { account: shared })).accessToken, newer.token);

  const here = await host.call('backup.restore', { data, passphrase: PASSPHRASE });
  assert.deepEqual(here.accounts, [], 'the same sign-in, where it was made');
});

test('an older sign-in gives way, and a signed-out account is signed in again, in every process', async () => {
  const home = await world.home();
  const [one, two] = [await world.host(home), await world.host(home)];
  const mine = (await world.signedIn(one)).account;
  await two.call('token.get', { account: mine });
  const saved = (await one.call('backup.create', { passphrase: PASSPHRASE })).data;
  await one.call('signOut', { account: mine });
  await one.told('account.changed', (told) => told.account.state === 'signed-out');
  assert.deepEqual(names(await one.call('backup.restore', { data: saved, passphrase: PASSPHRASE })), [mine]);
  assert.equal((await one.call('token.get', { account: mine })).source, 'renewed');
  assert.equal((await two.call('token.get', { account: mine })).source, 'cache', 'the other process has taken it over');
});

test('a restore that is killed in the middle is finished by another one, and loses nothing', async () => {
  const [pattern] = content.identities.filter((/** @type {any} */ { payload }) => payload);
  const many = Array.from({ length: 40 }, (_, index) => {
    const name = `many${index}@contoso.test`;
    return { header: { ...pattern.header, addresses: [name], signInAs: name }, payload: pattern.payload };
  });
  const large = backups.sealWithPassphrase(JSON.stringify({ ...content, identities: many }), 'a', { passes: 1, kibibytes: 8 }).toString('base64');
  const home = await world.home();
  const killed = await world.host(home);
  killed.send({ jsonrpc: '2.0', id: 1, method: 'backup.restore', params: { data: large, passphrase: 'a' } });
  await killed.told('account.changed');
  await killed.kill();
  const next = await world.host(home);
  const some = next.welcome.accounts.length;
  assert.ok(some > 0 && some < 40, `${some} of 40 had come back`);
  assert.ok(next.welcome.accounts.every((/** @type {any} */ { state }) => state === 'ready'));
  const rest = await next.call('backup.restore', { data: large, passphrase: 'a' });
  assert.equal(rest.accounts.length, 40 - some);
  assert.equal((await next.call('account.list')).accounts.length, 40);
  assert.deepEqual((await sealedFiles(home)).filter((name) => name.includes('.tmp-') || name.includes('.damaged-')), []);
});

test('policy decides who may come back', async () => {
  const there = await world.host(await world.home({ allowedDomains: ['other.test'] }));
  assert.deepEqual((await there.call('backup.restore', { data, passphrase: PASSPHRASE })).accounts, []);
  assert.deepEqual(await sealedFiles(there.home), []);
});

test('other requests are answered while a passphrase is being stretched', async () => {
  const own = await world.host();
  const { account: mine, token } = await world.signedIn(own);
  own.send({ jsonrpc: '2.0', id: 'slow', method: 'backup.create', params: { passphrase: PASSPHRASE } });
  const started = performance.now();
  for (let round = 0; round < 20; round += 1) assert.equal((await own.call('token.get', { account: mine })).accessToken, token);
  const milliseconds = performance.now() - started;
  assert.ok(!own.messages.some(({ id }) => id === 'slow'), `20 tokens in ${milliseconds.toFixed(1)} ms, before the backup`);
  assert.equal((await own.refused('backup.create', { passphrase: PASSPHRASE })).kind, 'throttled', 'one at a time: each takes 256 MiB');
  assert.ok((await own.answer('slow')).result.data);
  own.send({ jsonrpc: '2.0', id: 'cancelled', method: 'backup.create', params: { passphrase: PASSPHRASE } });
  await own.notify('cancel', { id: 'cancelled' });
  assert.equal((await own.answer('cancelled')).error.data.kind, 'cancelled');
  own.send({ jsonrpc: '2.0', id: 'last', method: 'backup.create', params: { passphrase: PASSPHRASE } });
  const { code, milliseconds: ending } = await own.end();
  assert.equal(code, 0);
  assert.ok(ending < 1200, `an end of the input does not wait for it: ${ending} ms`);
  await assert.rejects(readFile(`/proc/${own.pid}/status`));
});

test('the commands write a new private file and read it back', async () => {
  const home = await world.home();
  const file = join(home, 'my.backup');
  const made = await run(['backup', file], host.home, `${PASSPHRASE}\nnot part of it`);
  assert.deepEqual([made.code, made.stderr], [0, '']);
  assert.match(made.stdout, /my\.backup/);
  assert.equal((await lstat(file)).mode & 0o7777, 0o600);
  const there = await run(['restore', file, '--json'], home, PASSPHRASE);
  assert.equal(there.code, 0, there.stderr);
  assert.deepEqual(names(JSON.parse(there.stdout)), [account, other, shared].sort());
  const again = await run(['restore', file], home, PASSPHRASE);
  assert.equal(again.code, 0);
  assert.equal(again.stdout.match(/stays as it is here/g)?.length, 3);
  const { code, stdout } = await run(['token', account], home);
  assert.equal(code, 0);
  assert.ok(stdout.length > 100);
});

test('a short passphrase is warned of, and what is told of the backup is true of it', async () => {
  const home = await world.home();
  const empty = await run(['backup', join(home, 'empty')], home, 'twelve bytes');
  assert.deepEqual([empty.code, empty.stderr], [0, '']);
  assert.match(empty.stdout, /no account is signed in/);
  for (const [name, passphrase, warns] of /** @type {[string, string, boolean][]} */ ([['pw', 'pw', true], ['eleven', 'ä'.repeat(11), true], ['twelve', 'ä'.repeat(12), false]])) {
    const made = await run(['backup', join(home, name)], host.home, passphrase);
    assert.equal(made.code, 0, made.stderr);
    assert.match(made.stdout, /whoever opens it can read the mail/);
    assert.equal(/^thunderseal: The passphrase has fewer than 12 characters[^\n]+\n$/.test(made.stderr), warns, made.stderr);
    assert.equal(backups.open(await readFile(join(home, name)), { passphrase }).identities.length, 2);
  }
});

test('a backup has its name only once it is whole, and sweeps away what a killed one left', async () => {
  const home = await world.home();
  // A name as long as the disk takes, so that the draft cannot have a longer one.
  const name = 'b'.repeat(255);
  const left = 'thunderseal-backup.tmp-0123456789abcdef';
  const kept = ['thunderseal-backup.tmp-mine', 'my.tmp-0123456789abcdef'];
  for (const each of [left, ...kept]) await writeFile(join(home, each), 'half a back');
  /** @type {string[]} */
  const events = [];
  const watcher = watch(home, (type, file) => events.push(`${type} ${file}`));
  try {
    const made = await run(['backup', join(home, name)], host.home, PASSPHRASE);
    assert.deepEqual([made.code, made.stderr], [0, '']);
    await writeFile(join(home, 'last'), '');
    await soon((async () => { while (!events.includes('rename last')) await once(watcher, 'change'); })(), 'the last event');
  } finally {
    watcher.close();
  }
  assert.ok(events.some((event) => /^change thunderseal-backup\.tmp-[0-9a-f]{16}$/.test(event)), 'the draft is what is written');
  assert.deepEqual(events.filter((event) => event.endsWith(name)), [`rename ${name}`]);
  assert.equal(backups.open(await readFile(join(home, name)), { passphrase: PASSPHRASE }).identities.length, 2);
  assert.deepEqual((await readdir(home)).filter((each) => !each.startsWith('.')).sort(), [name, 'last', ...kept].sort());
});

test('a backup without tokens brings the accounts back, to be signed in', async () => {
  const home = await world.home();
  const file = join(home, 'accounts.backup');
  assert.equal((await run(['backup', file, '--without-tokens'], host.home, PASSPHRASE)).code, 0);
  assert.deepEqual(backups.open(await readFile(file), { passphrase: PASSPHRASE }).identities.map((/** @type {any} */ { payload }) => payload), [null, null]);
  const { code, stdout } = await run(['restore', file], home, PASSPHRASE);
  assert.equal(code, 0);
  assert.equal(stdout.match(/needs a sign-in/g)?.length, 3);
  assert.equal((await run(['token', account], home)).code, 77);
});

test('a sign-in that cannot be read is named, and the others are in the backup', async () => {
  const fresh = await world.host();
  const { account: whole } = await world.signedIn(fresh);
  const { account: broken } = await world.signedIn(fresh);
  await fresh.end();
  for (const name of await sealedFiles(fresh.home)) {
    const file = join(stateFolder(fresh.home), 'identities', name);
    const bytes = await readFile(file);
    if (bytes.includes(broken)) await writeFile(file, bytes.subarray(0, -1));
  }
  const again = await world.host(fresh.home);
  const { data: sealed, missing } = await again.call('backup.create', { passphrase: PASSPHRASE });
  assert.deepEqual(missing, [broken]);
  const kept = backups.open(bytesOf(sealed), { passphrase: PASSPHRASE }).identities;
  assert.deepEqual(kept.filter((/** @type {any} */ { payload }) => payload).map((/** @type {any} */ { header }) => header.addresses), [[whole]]);
  const file = join(fresh.home, 'partial.backup');
  const made = await run(['backup', file], fresh.home, PASSPHRASE);
  assert.deepEqual([made.code, made.stderr], [0, `thunderseal: The sign-in of ${broken} is not in it: it cannot be read. "thunderseal status" says why.\n`]);
});

test('the commands refuse what they cannot do well, with a next step, and leave nothing', async () => {
  const home = await world.home();
  const file = join(home, 'there');
  await writeFile(file, 'precious');
  await symlink(join(home, 'nowhere'), join(home, 'link'));
  await mkdir(join(home, 'folder'));
  const own = host.home;
  /** @type {[string[], string | undefined, number][]} */
  const cases = [
    [['backup'], undefined, 64], [['backup', file], PASSPHRASE, 74], [['backup', join(home, 'link')], PASSPHRASE, 74], [['backup', join(home, 'folder')], PASSPHRASE, 74],
    [['backup', join(home, 'no/such')], PASSPHRASE, 74], [['backup', join(home, 'new')], '', 64], [['backup', join(home, 'new')], '\n', 64],
    [['backup', join(home, 'new')], 'x'.repeat(2000), 64], [['backup', join(home, 'new')], 'a\0b', 64], [['backup', join(home, 'new')], undefined, 64],
    [['backup', join(home, 'new'), '--passphrase-fd', '77'], undefined, 64], [['backup', join(home, 'new'), '--passphrase-fd', 'x'], undefined, 64],
    [['backup', join(home, 'new'), '--recipient', 'x'], undefined, 64], [['restore', file], PASSPHRASE, 65], [['restore', join(home, 'absent')], PASSPHRASE, 74],
    [['restore', join(home, 'folder')], PASSPHRASE, 65], [['restore', '/dev/zero'], PASSPHRASE, 65],
  ];
  for (const [args, passphrase, status] of cases) {
    const { code, stdout, stderr } = await run(args, own, passphrase);
    assert.deepEqual([code, stdout], [status, ''], `${args.join(' ')}: ${stderr}`);
    assert.match(stderr, /^thunderseal: [^\n]+\. [^\n]+\n$/, args.join(' '));
  }
  assert.equal(await readFile(file, 'utf8'), 'precious');
  assert.deepEqual((await readdir(home)).filter((name) => !name.startsWith('.')).sort(), ['folder', 'link', 'there']);
  const good = join(home, 'good');
  assert.equal((await run(['backup', good], own, PASSPHRASE)).code, 0);
  assert.equal((await run(['restore', good], home, 'wrong')).code, 75);
  await chmod(good, 0o644);
  assert.equal((await run(['restore', good], home, PASSPHRASE)).code, 0, 'a copy that others can read is the user\'s own business');
});

test('after Ctrl-Z the terminal echoes, and who comes back is asked anew without echo', async () => {
  const home = await world.home();
  const file = join(home, 'stopped');
  const typed = [`${PROGRAM} backup ${file}\n`, 'half\u001a', 'fg\n', `${PASSPHRASE}\n`, `${PASSPHRASE}\n`, 'exit\n'];
  const { screen, echoes } = atTerminal('/bin/bash', host.home, typed, ['--norc', '--noediting', '-i'], { PS1: 'shell: ' });
  assert.deepEqual(echoes, [true, false, true, false, false, true], screen);
  assert.ok(!screen.includes(PASSPHRASE) && !screen.includes('half'), screen);
  assert.equal(backups.open(await readFile(file), { passphrase: PASSPHRASE }).identities.length, 2);
});

test('the terminal is asked without echo, twice for a new passphrase, and can be interrupted', async () => {
  const home = await world.home();
  const file = join(home, 'typed');
  const made = atTerminal(PROGRAM, host.home, [`${PASSPHRASE}\n`, `${PASSPHRASE}\n`], ['backup', file]);
  assert.deepEqual([made.code, made.echoes], [0, [false, false]], made.screen);
  assert.ok(!made.screen.includes(PASSPHRASE));
  assert.match(made.screen, /Passphrase for the backup: .*Once more: /s);
  assert.equal(backups.open(await readFile(file), { passphrase: PASSPHRASE }).identities.length, 2);
  const differ = atTerminal(PROGRAM, host.home, ['one\n', 'two\n'], ['backup', join(home, 'differ')]);
  assert.equal(differ.code, 64);
  const interrupted = atTerminal(PROGRAM, host.home, ['half\u0003'], ['backup', join(home, 'interrupted')]);
  assert.equal(interrupted.code, -2, 'SIGINT');
  const back = atTerminal(PROGRAM, home, [`${PASSPHRASE}\n`], ['restore', file]);
  assert.deepEqual([back.code, back.echoes], [0, [false]], back.screen);
  assert.deepEqual((await readdir(home)).filter((name) => !name.startsWith('.')), ['typed']);
});

test('no passphrase is in the arguments or the environment, nor in any answer', async () => {
  for (const message of host.messages) assert.ok(!JSON.stringify(message).includes(PASSPHRASE));
  for (const { path, bytes } of await filesBelow(stateFolder(host.home))) assert.ok(!bytes.includes(PASSPHRASE), path);
});
