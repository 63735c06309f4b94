// SPDX-License-Identifier: MPL-2.0
/** A journal: a datagram socket where a program looks for systemd's. Node has none, so Python holds it. */
import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { soon } from './host.mjs';

const RECEIVER = `
import base64, os, socket, sys
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o666)
print(flush=True)
while True:
    print(base64.b64encode(receiver.recv(65536)).decode(), flush=True)
`;

/** Fields of a datagram; every line must be one. @param {string} text */
function fieldsOf(text) {
  if (!text.endsWith('\n')) throw new Error(`a datagram without its last newline: ${text}`);
  /** @type {Record<string, string>} */
  const fields = {};
  for (const line of text.slice(0, -1).split('\n')) {
    const [, name, value] = /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(line) ?? [];
    if (!name || name in fields) throw new Error(`not a field of the journal, or twice: ${line}`);
    fields[name] = value;
  }
  return fields;
}

export class JournalSocket {
  /** @type {Record<string, string>[]} */
  entries = [];

  #arrived = new EventEmitter();

  /** @param {import('node:child_process').ChildProcess} receiver @param {import('node:readline').Interface} lines */
  constructor(receiver, lines) {
    this.receiver = receiver;
    lines.on('line', (line) => {
      this.entries.push(fieldsOf(Buffer.from(line, 'base64').toString()));
      this.#arrived.emit('entry');
    });
  }

  /** @param {string} path */
  static async open(path) {
    await mkdir(dirname(path), { recursive: true });
    const receiver = spawn('python3', ['-c', RECEIVER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = createInterface({ input: receiver.stdout });
    await once(lines, 'line');
    return new JournalSocket(receiver, lines);
  }

  /** The first entry from a place on that fits. @param {(fields: Record<string, string>) => boolean} fits @param {number} [from] */
  async next(fits, from = 0) {
    const wait = async () => {
      for (;;) {
        const found = this.entries.slice(from).find(fits);
        if (found) return found;
        await once(this.#arrived, 'entry');
      }
    };
    return soon(wait(), 'an entry of the journal');
  }

  async close() {
    this.receiver.kill();
    await once(this.receiver, 'close');
  }
}
