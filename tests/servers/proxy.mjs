// SPDX-License-Identifier: MPL-2.0
/**
 * An HTTP proxy that makes tunnels by CONNECT (RFC 9110 section 9.3.6), for whom it knows or for everybody.
 */
import { createServer } from "node:http";
import { connect } from "node:net";

const ADDRESS = "127.0.0.1";

/**
 * @param {{ login?: { user: string, password: string }, refuse?: string, reach?: (target: URL) => { host: string, port: number } }} [options]
 *        `login`: demanded, as Basic authentication; `refuse`: the status line and header fields for whoever asks ("" hangs up);
 *        `reach`: where a target is to be found
 */
export async function startProxy({ login, refuse, reach = ({ hostname, port }) => ({ host: hostname, port: Number(port) }) } = {}) {
  /** @type {{ target: string, authorization: string | undefined }[]} */
  const asked = [];
  /** @type {string[]} */
  const tunnels = [];
  /** @type {Set<import('node:net').Socket>} */
  const sockets = new Set();
  const welcome = login && `Basic ${Buffer.from(`${login.user}:${login.password}`).toString("base64")}`;

  /** @param {import('node:net').Socket} socket */
  const keep = (socket) => {
    sockets.add(socket);
    return socket.on("error", () => {}).on("close", () => sockets.delete(socket));
  };
  const server = createServer((_request, response) => { response.writeHead(405).end(); });
  server.on("connection", keep);
  server.on("connect", (request, client, head) => {
    const target = request.url ?? "";
    const authorization = request.headers["proxy-authorization"];
    asked.push({ target, authorization });
    if (refuse === "") {
      client.destroy();
    } else if (refuse || authorization !== welcome) {
      client.end(`HTTP/1.1 ${refuse ?? "407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"test\""}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
    } else {
      tunnels.push(target);
      const upstream = connect(reach(new URL(`https://${target}`)), () => {
        client.write("HTTP/1.1 200 Connection established\r\n\r\n");
        upstream.write(head);
        upstream.pipe(client).pipe(upstream);
      });
      keep(upstream).on("close", () => client.destroy());
      client.on("close", () => upstream.destroy());
    }
  });
  await new Promise((resolve) => { server.listen(0, ADDRESS, () => resolve(undefined)); });
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    port,
    /** Its address, with credentials where they are given. @param {{ user: string, password: string }} [as] */
    url: (as) => `http://${as ? `${encodeURIComponent(as.user)}:${encodeURIComponent(as.password)}@` : ""}${ADDRESS}:${port}`,
    /** Every CONNECT, granted or not. */
    asked,
    /** The targets of those granted. */
    tunnels,
    /** Ends every tunnel by a reset, as a machine does that has lost its memory of it. */
    reset: () => { for (const socket of sockets) socket.resetAndDestroy(); },
    stop: () => new Promise((resolve) => {
      server.close(resolve);
      for (const socket of sockets) socket.destroy();
    }),
  };
}

/** @typedef {Awaited<ReturnType<typeof startProxy>>} Proxy */
