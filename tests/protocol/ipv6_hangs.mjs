// SPDX-License-Identifier: MPL-2.0
/** A server's other door, of which IPv4 opens and IPv6 hangs: a network that loses what is sent over IPv6. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { soon } from './host.mjs';

/** Listens at ::1, and takes no connection: once its queue is full, the kernel answers no more. */
const LISTENER = `import socket, sys
listener = socket.socket(socket.AF_INET6)
listener.bind(('::1', 0))
listener.listen(0)
print(listener.getsockname()[1], flush=True)
sys.stdin.read()`;
const QUEUE_MAX = 16;
const NO_ANSWER_MS = 500;

/** Whether the kernel still answers. @param {import('node:net').Socket} socket */
const connected = (socket) => soon(once(socket, 'connect'), 'connect', NO_ANSWER_MS).then(() => true, () => false);

/** @param {number} port to which 127.0.0.1 leads */
export async function startIpv6Hangs(port) {
  const listener = spawn('/usr/bin/python3', ['-c', LISTENER], { stdio: ['pipe', 'pipe', 'inherit'] });
  const own = Number(await new Promise((found) => { listener.stdout.once('data', (text) => found(String(text))); }));
  /** @type {import('node:net').Socket[]} */
  const sockets = [];
  const keep = (/** @type {import('node:net').Socket} */ socket) => { sockets.push(socket.on('error', () => {})); return socket; };
  while (await connected(keep(connect(own, '::1')))) if (sockets.length > QUEUE_MAX) throw new Error('the queue is never full');
  const server = createServer((socket) => {
    const behind = keep(connect(port, '127.0.0.1')).on('close', () => socket.destroy());
    keep(socket).on('close', () => behind.destroy()).pipe(behind).pipe(socket);
  });
  await once(server.listen(own, '127.0.0.1'), 'listening');
  return {
    port: own,
    stop: async () => {
      listener.stdin.end();
      sockets.forEach((socket) => socket.destroy());
      await Promise.all([once(listener, 'exit'), new Promise((closed) => { server.close(closed); })]);
    },
  };
}
