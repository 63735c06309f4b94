// SPDX-License-Identifier: MPL-2.0
/**
 * Listening on the loopback addresses of both families with one port: `localhost` may mean either.
 */
import { connect } from "node:net";
import { once } from "node:events";

const ADDRESSES = ["127.0.0.1", "::1"];
const PORT_TRIES = 20;

/** @param {import('node:net').Server} server @param {string} host @param {number} port */
function listen(server, host, port) {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, exclusive: true }, () => {
      server.removeListener("error", reject);
      resolve(/** @type {import('node:net').AddressInfo} */ (server.address()).port);
    });
  });
}

/** @param {import('node:net').Server} server */
const close = (server) => new Promise((resolve) => { server.close(() => resolve(undefined)); });

/**
 * Starts one server of `make()` for each family, all on the same port; a machine without IPv6 gets IPv4 alone.
 * @template {import('node:net').Server} S
 * @param {() => S} make
 * @param {number} [wantedPort] 0: any
 * @returns {Promise<{ port: number, servers: S[] }>}
 */
export async function listenOnLoopback(make, wantedPort = 0) {
  for (let attempt = 0; attempt < PORT_TRIES; attempt += 1) {
    const servers = [make()];
    const port = await listen(servers[0], ADDRESSES[0], wantedPort);
    const second = make();
    try {
      await listen(second, ADDRESSES[1], port);
      return { port, servers: [...servers, second] };
    } catch (error) {
      const { code } = /** @type {NodeJS.ErrnoException} */ (error);
      if (code === "EADDRNOTAVAIL" || code === "EAFNOSUPPORT") return { port, servers };
      await close(servers[0]);
      if (code !== "EADDRINUSE" || wantedPort) throw error;
    }
  }
  throw new Error(`no port is free on both ${ADDRESSES.join(" and ")}`);
}

/** Whether something answers on the port. @param {number} port @param {string} [host] */
export async function portAnswers(port, host = ADDRESSES[0]) {
  const socket = connect({ port, host });
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
