// SPDX-License-Identifier: MPL-2.0
/**
 * The HTTP side before oidc-provider: tenants in the path, the request list, ordered answers, and the checks that Entra
 * makes and oidc-provider does not. What passes is handed on under oidc-provider's own paths and parameters.
 */
import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import { controlRoutes } from "./control_routes.mjs";
import { TENANT_DOMAINS, TENANT_ID } from "./directory.mjs";
import { DISABLED, entraBody, REVOKED } from "./entra_errors.mjs";
import { CANONICAL } from "./provider_configuration.mjs";
import { readScopes } from "./scopes.mjs";
import { send } from "./send.mjs";

/**
 * @typedef {import('./control_routes.mjs').World} World
 * @typedef {import('./entra_errors.mjs').EntraError} EntraError
 * @typedef {import('node:http').IncomingMessage} Request
 * @typedef {import('node:http').ServerResponse} Response
 */

/** Far above any form of these protocols. */
const BODY_LIMIT = 256 * 1024;

const ENDPOINTS = [
  { endpoint: "authorize", path: /^\/oauth2\/v2\.0\/authorize$/, canonical: CANONICAL.authorization },
  { endpoint: "resume", path: /^\/oauth2\/v2\.0\/authorize\/[\w-]+$/, canonical: undefined },
  { endpoint: "token", path: /^\/oauth2\/v2\.0\/token$/, canonical: CANONICAL.token },
  { endpoint: "devicecode", path: /^\/oauth2\/v2\.0\/devicecode$/, canonical: CANONICAL.device_authorization },
  { endpoint: "logout", path: /^\/oauth2\/v2\.0\/logout$/, canonical: undefined },
  { endpoint: "discovery", path: /^\/v2\.0\/\.well-known\/openid-configuration$/, canonical: undefined },
  { endpoint: "keys", path: /^\/discovery\/v2\.0\/keys$/, canonical: CANONICAL.jwks },
];
const TENANTS = new Set(["common", "organizations", TENANT_ID, ...TENANT_DOMAINS]);

/** @param {string} pathname */
function route(pathname) {
  const [, tenant = "", rest = ""] = /^\/([^/]+)(\/.*)$/.exec(pathname) ?? [];
  const found = ENDPOINTS.find(({ path }) => path.test(rest));
  return found ? { ...found, tenant } : { endpoint: "other", canonical: undefined, tenant: undefined };
}

/** @param {Request} request */
async function bodyOf(request) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > BODY_LIMIT) throw new RangeError("body too long");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** Names of the organisation, and the tenants that its other users come from. @param {World} world @param {string} tenant */
const isTenant = ({ directory }, tenant) => TENANTS.has(tenant) || directory.users.some(({ tid }) => tid === tenant);

/**
 * What Entra refuses before it looks at the grant.
 * @param {World} world @param {string} endpoint @param {string} tenant @param {URLSearchParams} form @param {Request} request
 * @returns {EntraError | undefined}
 */
function refusal(world, endpoint, tenant, form, request) {
  const { scopes, unknown, resources } = readScopes(form.get("scope"));
  if (!isTenant(world, tenant.toLowerCase())) {
    return tenant.toLowerCase() === "consumers"
      ? { error: "invalid_request", code: 9002332, text: "Application is configured for use by Azure Active Directory users only. Please do not use the /consumers endpoint to serve this request." }
      : { error: "invalid_request", code: 90002, text: `Tenant '${tenant}' not found.` };
  }
  if (endpoint !== "token" && endpoint !== "devicecode" && endpoint !== "authorize") return undefined;
  if (!form.get("client_id")) return { error: "invalid_request", code: 900144, text: "The request body must contain the following parameter: 'client_id'." };
  if (form.get("resource")) return { error: "invalid_request", code: 901002, text: "The 'resource' request parameter is not supported." };
  if (unknown.length) return { error: "invalid_scope", code: 70011, text: `The provided value for the input parameter 'scope' is not valid. The scope '${unknown.join(" ")}' does not exist.` };
  if (endpoint !== "token") return undefined;
  if (form.get("client_secret") || form.get("client_assertion")) {
    return { error: "invalid_client", code: 700025, text: "Client is public so neither 'client_assertion' nor 'client_secret' should be presented." };
  }
  if (request.headers.origin) return { error: "invalid_request", code: 9002326, text: "Cross-origin token redemption is permitted only for the 'Single-Page Application' client-type." };
  if (resources.length > 1) {
    return { error: "invalid_scope", code: 28000, text: `Provided value for the input parameter scope is not valid because it contains more than one resource. Scope ${scopes.join(" ")} is not valid.` };
  }
  const codeTenant = world.codeTenants.get(form.get("code") ?? "");
  if (codeTenant && codeTenant !== tenant) {
    return { error: "invalid_grant", code: 700005, text: "Provided Authorization Code is intended to use against other tenant, thus rejected." };
  }
  const item = world.storage.item("RefreshToken", form.get("refresh_token") ?? "");
  if (item && world.directory.find(item.payload.accountId)?.disabled) return DISABLED;
  return item?.revoked ? REVOKED : undefined;
}

/** Parameters as oidc-provider takes them. @param {string} endpoint @param {string} tenant @param {URLSearchParams} given */
function translated(endpoint, tenant, given) {
  const form = new URLSearchParams(given);
  const { scopes, resources } = readScopes(form.get("scope"));
  if (form.has("scope")) form.set("scope", scopes.join(" "));
  if (endpoint === "token" && resources.length) form.set("resource", resources[0]);
  if (endpoint === "authorize") form.set("tenant_segment", tenant);
  return form;
}

/**
 * Carries out an ordered answer. @returns {Promise<boolean>} whether the request is done with
 * @param {World} world @param {import('./orders.mjs').Answer} order @param {Response} response
 */
async function obey(world, order, response) {
  if (order.delayMs) await world.orders.delay(order.delayMs);
  if (order.hold) await world.orders.hang();
  if (order.afterProcessing) return false;
  if (order.hang) await world.orders.hang();
  if (order.hang || order.dropConnection) {
    response.socket?.destroy();
    return true;
  }
  if (order.entra) {
    send(response, order.status ?? 400, entraBody(order.entra, world.authority), order.headers);
    return true;
  }
  if (order.status === undefined && order.body === undefined) return false;
  send(response, order.status ?? 200, order.body ?? "", order.headers);
  return true;
}

/** The signed-out page: a native client's refresh token lives on. @param {URL} url @param {Response} response */
function logout(url, response) {
  const back = url.searchParams.get("post_logout_redirect_uri");
  const cookies = { "set-cookie": "_session=; path=/; max-age=0; secure" };
  if (back) send(response, 302, "", { location: back, ...cookies });
  else send(response, 200, "<!doctype html><title>Sign out</title><p>You signed out of your account</p>", cookies);
}

/** @param {World} world */
export function front(world) {
  const control = controlRoutes(world);
  const handOn = world.provider.callback();

  /** @param {Request} request @param {Response} response */
  const handle = async (request, response) => {
    const url = new URL(request.url ?? "/", world.authority);
    const body = await bodyOf(request);
    if (await control({ request, response, url, body })) return;

    const { endpoint, canonical, tenant } = route(url.pathname);
    const isForm = request.method === "POST";
    const form = new URLSearchParams(isForm ? body : url.search);
    const grant = world.storage.item("RefreshToken", form.get("refresh_token") ?? "")
      ?? world.storage.item("AuthorizationCode", form.get("code") ?? "");
    const user = world.directory.find(grant?.payload.accountId)?.upn;
    const entry = world.journal.record({ endpoint, tenant, method: request.method ?? "", user, parameters: form, headers: request.headers });
    response.on("close", () => world.journal.finish(entry, response.writableFinished ? response.statusCode : undefined));

    const order = world.orders.take(endpoint, {
      grant_type: entry.grant_type, resource: readScopes(entry.scope).resources[0], user,
    });
    if (order && await obey(world, order, response)) return;
    if (response.destroyed) return;
    if (tenant !== undefined) {
      const problem = refusal(world, endpoint, tenant, form, request);
      if (problem) {
        send(response, problem.error === "invalid_client" ? 401 : 400, entraBody(problem, world.authority));
        return;
      }
    }
    if (endpoint === "logout") {
      logout(url, response);
      return;
    }
    const given = tenant === undefined || endpoint === "resume" ? form : translated(endpoint, tenant, form);
    const path = canonical ?? url.pathname;
    const text = isForm ? given.toString() : "";
    const query = !isForm && given.size ? `?${given}` : "";
    const headers = { ...request.headers, ...(isForm ? { "content-length": String(Buffer.byteLength(text)) } : {}) };
    handOn(/** @type {any} */ (Object.assign(Readable.from(isForm ? [Buffer.from(text)] : []), {
      headers, url: path + query, method: request.method, socket: request.socket, httpVersion: request.httpVersion,
      endpoint, tenant, order, form, formText: body, requestId: randomUUID(),
      correlationId: request.headers["client-request-id"] ?? randomUUID(),
    })), response);
  };

  return (/** @type {Request} */ request, /** @type {Response} */ response) => {
    handle(request, response).catch((error) => {
      if (!response.headersSent) send(response, 500, { error: "server_error", error_description: String(error) });
      else response.destroy();
    });
  };
}
