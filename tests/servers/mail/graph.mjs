// SPDX-License-Identifier: MPL-2.0
/**
 * Microsoft Graph's `/v1.0/me`: takes the identity provider's tokens for Graph as Graph does, or answers as ordered.
 */
import { createServer } from "node:https";
import { listenOnLoopback } from "../loopback.mjs";

/** @typedef {{ status: number, headers?: Record<string, string>, body?: unknown }} Answer  @typedef {'hang' | 'reset' | 'garbage' | 'endless'} Fault */

/** Graph's form of an error. @param {number} status @param {string} code @param {string} message @param {Record<string, string>} [headers] @returns {Answer} */
const refusal = (status, code, message, headers = {}) => ({ status, headers, body: { error: { code, message, innerError: { date: "2026-11-23T10:00:00" } } } });

/** What Graph answers, by what is wrong. @satisfies {Record<string, Answer>} */
export const GRAPH_ANSWERS = {
  "no token": refusal(401, "InvalidAuthenticationToken", "Access token is empty."),
  "wrong audience": refusal(401, "InvalidAuthenticationToken", "Access token validation failure. Invalid audience."),
  expired: refusal(401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired."),
  "scope missing": refusal(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."),
  "no mailbox": refusal(404, "ResourceNotFound", "Resource could not be discovered."),
  throttled: refusal(429, "TooManyRequests", "Too many requests", { "retry-after": "30" }),
  busy: refusal(503, "ServiceUnavailable", "The service is temporarily unavailable.", { "retry-after": "10" }),
};

/**
 * @typedef {{ method: string, path: string, authorized: boolean, accepted: boolean }} Request `authorized`: with a token; `accepted`: one that Graph takes
 * @param {{ key: string, cert: string, look: (token: string) => { kind?: string, audience?: string, user?: string, expiresAt?: number } | undefined,
 *           resource: string, onRequest?: (request: Request) => void }} options
 */
export async function startGraph({ key, cert, look, resource, onRequest = () => {} }) {
  /** @type {{ answer: Answer | null, fault: Fault | null }} */
  const orders = { answer: null, fault: null };
  /** @type {Request[]} */
  const requests = [];
  /** @type {Set<import('node:stream').Duplex>} */
  const sockets = new Set();

  /** @param {string} token @returns {Answer} */
  const judge = (token) => {
    if (!token) return GRAPH_ANSWERS["no token"];
    const issued = look(token);
    if (issued?.audience !== resource) return GRAPH_ANSWERS["wrong audience"];
    if ((issued.expiresAt ?? 0) <= Date.now() / 1000) return GRAPH_ANSWERS.expired;
    return { status: 200, body: { mail: issued.user, userPrincipalName: issued.user } };
  };
  /** @param {Fault} fault @param {import('node:http').ServerResponse} response */
  const fail = (fault, response) => {
    if (fault === "reset") response.socket?.destroy();
    if (fault === "garbage") response.socket?.end("\x00\x01 this is not HTTP\r\n\r\n");
    if (fault === "endless") {
      response.writeHead(200, { "content-type": "application/json" });
      const more = () => { while (!response.destroyed && response.write(" ".repeat(65536))); };
      response.on("drain", more);
      more();
    }
  };
  const make = () => createServer({ key, cert }, (request, response) => {
    const token = /^Bearer (\S+)$/.exec(request.headers.authorization ?? "")?.[1] ?? "";
    const asked = { method: request.method ?? "", path: request.url ?? "", authorized: token !== "", accepted: judge(token).status === 200 };
    requests.push(asked);
    onRequest(asked);
    if (orders.fault) { fail(orders.fault, response); return; }
    const known = request.method === "GET" && request.url?.split("?")[0] === "/v1.0/me";
    const { status, headers = {}, body } = orders.answer ?? (known ? judge(token) : refusal(400, "BadRequest", "Resource not found for the segment."));
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(body === undefined ? "" : JSON.stringify(body));
  }).on("connection", (socket) => { sockets.add(socket); socket.on("close", () => sockets.delete(socket)); });
  const { port, servers } = await listenOnLoopback(make);
  return {
    port,
    requests,
    /** @param {Partial<typeof orders>} change */
    control: (change) => { Object.assign(orders, change); },
    stop: () => Promise.all(servers.map((server) => new Promise((resolve) => {
      server.close(resolve);
      sockets.forEach((socket) => socket.destroy());
    }))),
  };
}
