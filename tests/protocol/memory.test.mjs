// SPDX-License-Identifier: MPL-2.0
/** What stays in the program's memory: root can look, nobody else may (DESIGN section 4). */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { open, readdir, readFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { giveTo, serverIdentity } from '../servers/processes.mjs';
import { sha256, World } from './world.mjs';

const world = await World.open();
after(() => world.close());

const isRoot = process.getuid?.() === 0;

/** All that can be read of a process, region by region; what is guarded cannot. @param {number} pid */
async function* memoryOf(pid) {
  const maps = await readFile(`/proc/${pid}/maps`, 'utf8');
  const memory = await open(`/proc/${pid}/mem`);
  try {
    for (const [line, from, to, name] of maps.matchAll(/^([0-9a-f]+)-([0-9a-f]+) \S+ \S+ \S+ \S+ *(.*)$/gm)) {
      if (name.startsWith('[v')) continue; // the kernel's own pages
      const bytes = Buffer.alloc(Number(BigInt(`0x${to}`) - BigInt(`0x${from}`)));
      const { bytesRead } = await memory.read(bytes, 0, bytes.length, /** @type {any} */ (BigInt(`0x${from}`))).catch(() => ({ bytesRead: 0 }));
      yield { line, from, bytes: bytes.subarray(0, bytesRead) };
    }
  } finally {
    await memory.close();
  }
}

/** Where the secrets stand. @param {number} pid @param {{ kind: string, value: string }[]} secrets */
async function found(pid, secrets) {
  const places = [];
  let size = 0;
  for await (const { line, bytes } of memoryOf(pid)) {
    size += bytes.length;
    for (const { kind, value } of secrets) {
      // A part is enough: half of a token that was overwritten from one side.
      for (const part of [value, value.slice(0, 32), value.slice(-32), encodeURIComponent(value).slice(-32), Buffer.from(value).toString('base64').slice(0, 32)]) {
        const at = bytes.indexOf(part);
        if (at >= 0) {
          places.push(`${kind} at ${at.toString(16)} in ${line}: ${JSON.stringify(bytes.subarray(Math.max(0, at - 60), at + 40).toString('latin1'))}`);
          break;
        }
      }
    }
  }
  return { places, size };
}

test('after sign-in and sign-out no token is in memory', { skip: isRoot ? false : 'only root can look' }, async () => {
  const host = await world.host();
  const { account, token } = await world.signedIn(host);
  const { accessToken } = await host.call('token.get', { account, rejected: sha256(token) });
  const secrets = world.idp.issued().map(({ kind, value }) => ({ kind, value }));
  const idTokens = secrets.filter(({ kind }) => kind === 'id_token');
  assert.ok(idTokens.length > 0);
  secrets.push(...idTokens.map(({ value }) => ({ kind: 'claims', value: Buffer.from(value.split('.')[1], 'base64url').toString() })));
  assert.ok(secrets.some(({ value }) => value === accessToken) && secrets.some(({ kind }) => kind === 'refresh_token'));
  const before = await found(host.pid, secrets);
  assert.ok(before.places.some((place) => place.startsWith('access_token')), 'the search finds what is in use');
  assert.ok(before.size > 1_000_000);
  await host.call('signOut', { account });
  await host.call('account.list');
  const { places } = await found(host.pid, secrets);
  assert.deepEqual(places, []);
});

test('a backup and its passphrase leave nothing behind, neither made nor restored nor refused', { skip: isRoot ? false : 'only root can look' }, async () => {
  const host = await world.host();
  const { account } = await world.signedIn(host);
  const passphrase = 'a passphrase that stands nowhere else';
  const { data } = await host.call('backup.create', { passphrase });
  await host.call('signOut', { account });
  await host.refused('backup.restore', { data, passphrase: `${passphrase}, but wrong` });
  await host.call('backup.restore', { data, passphrase });
  await host.call('signOut', { account });
  await host.call('account.list');
  const { places } = await found(host.pid, [...world.idp.issued(), { kind: 'passphrase', value: passphrase }]);
  assert.deepEqual(places, []);
});

test('while signed in, tokens stand in the guarded arena and nowhere else', { skip: isRoot ? false : 'only root can look' }, async () => {
  const host = await world.host();
  await world.signedIn(host);
  await host.call('account.list');
  const { places } = await found(host.pid, world.idp.issued().map(({ kind, value }) => ({ kind, value })));
  const regions = new Set(places.map((place) => / in (\S+)/.exec(place)?.[1]));
  assert.equal(regions.size, 1, places.join('\n'));
});

test('a process of the same user may neither trace nor read it, nor is there a core', async () => {
  const home = await world.home();
  const user = await world.ordinaryUser();
  await giveTo(home, await serverIdentity());
  const host = await world.host(home, user);
  /** @param {string} script in Python, as the same user */
  const tried = (script) => spawnSync('/usr/bin/python3', ['-c', script, String(host.pid)], { uid: user.uid, gid: user.gid, encoding: 'utf8', cwd: '/' });
  const trace = tried('import ctypes, os, sys; c = ctypes.CDLL(None, use_errno=True); r = c.ptrace(16, int(sys.argv[1]), 0, 0); print(r, os.strerror(ctypes.get_errno()))');
  assert.equal(trace.stdout, '-1 Operation not permitted\n', 'PTRACE_ATTACH');
  const readv = tried(`import ctypes, os, sys
c = ctypes.CDLL(None, use_errno=True)
class V(ctypes.Structure): _fields_ = [('at', ctypes.c_void_p), ('length', ctypes.c_size_t)]
b = ctypes.create_string_buffer(16)
print(c.process_vm_readv(int(sys.argv[1]), ctypes.byref(V(ctypes.addressof(b), 16)), 1, ctypes.byref(V(0x400000, 16)), 1, 0), os.strerror(ctypes.get_errno()))`);
  assert.equal(readv.stdout, '-1 Operation not permitted\n', 'process_vm_readv');
  for (const name of ['mem', 'maps', 'environ', 'syscall', 'stack', 'pagemap']) {
    assert.match(tried(`import sys; open('/proc/' + sys.argv[1] + '/${name}', 'rb').read(1)`).stderr, /PermissionError/, name);
  }
  assert.match(await readFile(`/proc/${host.pid}/limits`, 'utf8'), /^Max core file size\s+0 /m);
  process.kill(host.pid, 'SIGSEGV');
  assert.equal((await host.exited).signal, 'SIGSEGV');
  assert.deepEqual((await readdir(home)).filter((name) => name.startsWith('core')), []);
});

test('memory that cannot be locked is no reason to stop, and is told', async () => {
  const home = await world.home();
  const user = await world.ordinaryUser();
  await giveTo(home, await serverIdentity());
  const options = { uid: user.uid, gid: user.gid, encoding: /** @type {const} */ ('utf8'), cwd: '/', env: { HOME: home, PATH: '/usr/bin:/bin' } };
  const status = (/** @type {string} */ limit) => JSON.parse(spawnSync('/bin/sh', ['-c', `ulimit -l ${limit}; exec "$0" status --json`, user.program], options).stdout).memoryLocked;
  assert.equal(status('0'), false);
  assert.equal(status('8192'), true);
});
