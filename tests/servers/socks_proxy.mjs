// SPDX-License-Identifier: MPL-2.0
/**
 * A SOCKS 5 proxy (RFC 1928) to which every name is this computer: mail goes through no other kind of proxy,
 * and the cloud's own names lead to the servers of a test without a change of the system's name look-up.
 */
import { once } from "node:events";
import { connect, createServer } from "node:net";

const ADDRESS = "127.0.0.1";
const VERSION = 5;
const CONNECT = 1;
const DOMAIN_NAME = 3;
const NO_AUTHENTICATION = Buffer.from([VERSION, 0]);
const CONNECTED = Buffer.from([VERSION, 0, 0, 1, 0, 0, 0, 0, 0, 0]);

/**
 * Reads exactly so many bytes.
 * @param {import("node:net").Socket} socket
 * @param {number} length
 * @returns {Promise<Buffer>}
 */
async function take(socket, length) {
  for (;;) {
    const bytes = socket.read(length);
    if (bytes) {
      return bytes;
    }
    await once(socket, "readable");
  }
}

/** @param {import("node:net").Socket} client @param {string[]} asked @param {Promise<unknown>} turn */
async function serve(client, asked, turn) {
  await turn;
  const [, methods] = await take(client, 2);
  await take(client, methods);
  client.write(NO_AUTHENTICATION);
  const [, command, , addressType, length] = await take(client, 5);
  if (command !== CONNECT || addressType !== DOMAIN_NAME) {
    client.destroy();
    return;
  }
  const name = (await take(client, length)).toString("latin1");
  const port = (await take(client, 2)).readUInt16BE();
  asked.push(`${name}:${port}`);
  const upstream = connect({ host: ADDRESS, port }, () => {
    client.write(CONNECTED);
    upstream.pipe(client).pipe(upstream);
  });
  upstream.on("error", () => client.destroy()).on("close", () => client.destroy());
  client.on("close", () => upstream.destroy());
}

export async function startSocksProxy() {
  /** @type {string[]} */
  const asked = [];
  /** @type {Set<import("node:net").Socket>} */
  const clients = new Set();
  /** @type {Promise<unknown>} */
  let turn = Promise.resolve();
  const server = createServer(client => {
    clients.add(client);
    client.on("error", () => {}).on("close", () => clients.delete(client));
    serve(client, asked, turn).catch(() => client.destroy());
  });
  server.listen(0, ADDRESS);
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    /** Names are left to the proxy. */
    url: `socks5h://${ADDRESS}:${port}`,
    /** Every target, as `name:port`. */
    asked,
    /** Lets everybody who comes from now on wait. @returns {() => void} ends it */
    hold: () => {
      let release = () => {};
      turn = new Promise(resolve => {
        release = () => resolve(undefined);
      });
      return () => {
        turn = Promise.resolve();
        release();
      };
    },
    stop: async () => {
      server.close();
      clients.forEach(client => client.destroy());
      await once(server, "close");
    },
  };
}
