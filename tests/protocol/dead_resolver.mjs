// SPDX-License-Identifier: MPL-2.0
/**
 * A name server that never answers, and the program so that it asks that one: in a mount namespace of its own, with
 * another /etc/resolv.conf. Both need root: names are asked for at port 53 alone.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PROGRAM, soon } from './host.mjs';

/** A loopback address at which no system has its own resolver. */
const ADDRESS = '127.0.0.99';

/** The name in a query. @param {Buffer} query */
function nameIn(query) {
  const labels = [];
  for (let at = 12; query[at]; at += query[at] + 1) labels.push(query.toString('latin1', at + 1, at + 1 + query[at]));
  return labels.join('.');
}

/** @param {string} folder for its files */
export async function startDeadResolver(folder) {
  const asked = new Set();
  const socket = createSocket('udp4').on('message', (query) => asked.add(nameIn(query)));
  socket.bind(53, ADDRESS);
  await once(socket, 'listening');
  const program = join(folder, 'thunderseal-without-names');
  await writeFile(join(folder, 'resolv.conf'), `nameserver ${ADDRESS}\n`);
  await writeFile(join(folder, 'nsswitch.conf'), 'hosts: files dns\n');
  const mounts = ['resolv.conf', 'nsswitch.conf'].map((name) => `mount --bind ${join(folder, name)} /etc/${name}`);
  await writeFile(program, `#!/bin/sh\nexec unshare --mount sh -c '${mounts.join(' && ')} && exec ${PROGRAM} "$@"' sh "$@"\n`);
  await chmod(program, 0o755);
  return {
    /** Stands for the program. */
    program,
    /** Waits until it was asked for the name. @param {string} name */
    wasAsked: async (name) => {
      while (!asked.has(name)) await soon(once(socket, 'message'), `a question for ${name}`);
    },
    stop: () => new Promise((closed) => { socket.close(() => closed(undefined)); }),
  };
}
