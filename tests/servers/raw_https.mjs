// SPDX-License-Identifier: MPL-2.0
/**
 * A TLS server whose answers are bytes of the test's choice: for what no HTTP library would send.
 */
import { createServer } from "node:tls";
import { listenOnLoopback } from "./loopback.mjs";

/** @typedef {import('node:tls').TLSSocket} Socket */

/** Whether head and body of a request are there. @param {string} text */
function isWhole(text) {
  const end = text.indexOf("\r\n\r\n");
  const length = Number(/^content-length: *(\d+)/im.exec(text)?.[1] ?? 0);
  return end >= 0 && text.length >= end + 4 + length;
}

/** Writes so fast as the other end reads, until it hangs up. @param {Socket} socket @param {string | Buffer} chunk */
export function pour(socket, chunk) {
  const more = () => { while (!socket.destroyed && socket.write(chunk)); };
  socket.on("drain", more);
  more();
}

/**
 * @param {{ certificate: import('./certificates.mjs').Certificate, port?: number, tls?: import('node:tls').TlsOptions,
 *           answer?: (socket: Socket, request: string) => void }} options
 *        `answer` is called for each whole request; without it nothing is ever answered
 */
export async function startRawServer({ certificate: { cert, key }, port: wantedPort = 0, tls = {}, answer = () => {} }) {
  /** @type {string[]} */
  const requests = [];
  /** @type {Set<import('node:net').Socket>} */
  const sockets = new Set();
  const makeServer = () => createServer({ cert, key, ...tls })
    .on("connection", (socket) => {
      sockets.add(socket);
      socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    })
    .on("secureConnection", (socket) => {
      let text = "";
      socket.on("error", () => {}).on("data", (chunk) => {
        text += chunk;
        if (!isWhole(text)) return;
        requests.push(text);
        answer(socket, text);
        text = "";
      });
    })
    .on("tlsClientError", () => {});
  const { port, servers } = await listenOnLoopback(makeServer, wantedPort);
  return {
    port,
    /** What came whole, head and body. */
    requests,
    stop: () => Promise.all([
      ...servers.map((server) => new Promise((resolve) => { server.close(resolve); })),
      ...[...sockets].map((socket) => socket.destroy()),
    ]),
  };
}

/** @typedef {Awaited<ReturnType<typeof startRawServer>>} RawServer */
