// SPDX-License-Identifier: MPL-2.0
/**
 * What tests may order and ask: as functions, and over HTTP for clients in other languages.
 *
 *   POST /control        one JSON object, the same as the argument of `control()`
 *   GET  /control/state  addresses, settings, counts, requests, issued secrets
 *   GET  /control/wait   ?endpoint=token&grant_type=refresh_token&count=2 answers when so many such requests have come
 *   POST /test/introspect  token=…: whether a mail server may take the token, and whose it is; ?mailbox=… asks for that one
 */
import { isMailAudience } from "./provider_configuration.mjs";
import { send } from "./send.mjs";

/**
 * @typedef {object} World
 * @property {string} authority
 * @property {string} tenant
 * @property {string} clientId
 * @property {any} provider
 * @property {import('node:crypto').JsonWebKey} signingKey
 * @property {import('./directory.mjs').Directory} directory
 * @property {import('./orders.mjs').Orders} orders
 * @property {import('./journal.mjs').Journal} journal
 * @property {import('./storage.mjs').Storage} storage
 * @property {Map<string, string>} codeTenants          the tenant segment of the path that a code was issued at
 * @property {Map<string, string[]>} sharedMailboxes    who may open which mailbox besides its owner
 */

/** @param {World} world @param {string | undefined} userCode the one asked for, else the latest */
function deviceCode({ storage }, userCode) {
  const codes = storage.items("DeviceCode");
  const wanted = userCode?.replace(/[^A-Za-z]/g, "").toUpperCase();
  const item = wanted ? codes.find(({ payload }) => payload.userCode === wanted) : codes.at(-1);
  if (!item) throw new TypeError("no such device code");
  return item;
}

/** @param {World} world @param {{ user: string, userCode?: string }} approval */
async function approveDevice(world, { user, userCode }) {
  const { oid } = world.directory.get(user);
  const { payload } = deviceCode(world, userCode);
  const grant = new world.provider.Grant({ accountId: oid, clientId: payload.clientId });
  const scopes = payload.params.scope.split(" ");
  const resources = new Set();
  grant.addOIDCScope(scopes.filter((/** @type {string} */ scope) => !scope.includes("://")).join(" "));
  for (const scope of scopes.filter((/** @type {string} */ name) => name.includes("://"))) {
    const resource = new URL(scope).origin;
    resources.add(resource);
    grant.addResourceScope(resource, scope);
    world.directory.consentOf(oid).add(scope);
  }
  Object.assign(payload, {
    accountId: oid, grantId: await grant.save(), scope: scopes.join(" "), resource: [...resources],
    authTime: Math.floor(Date.now() / 1000), amr: ["pwd"],
  });
}

/** Orders that are done once, as opposed to settings. @type {Record<string, (world: World, value: any) => unknown>} */
const ACTIONS = {
  next: ({ orders }, value) => Object.entries(value).forEach(([endpoint, answers]) => orders.next(endpoint, /** @type {any} */ (answers))),
  nextToken: ({ orders }, value) => orders.next("token", value),
  always: ({ orders }, value) => Object.entries(value).forEach(([endpoint, answer]) => orders.always(endpoint, /** @type {any} */ (answer))),
  alwaysToken: ({ orders }, value) => orders.always("token", value),
  releaseHung: ({ orders }) => orders.releaseHung(),
  revoke: ({ storage, directory, journal }, value) => {
    const { oid, upn } = directory.get(value);
    storage.revokeUser(oid);
    journal.issued().filter((issued) => issued.user === upn).forEach((issued) => { issued.revoked = true; });
  },
  revokeToken: ({ journal }, value) => {
    const issued = journal.find(value);
    if (!issued) throw new TypeError("no such token");
    issued.revoked = true;
  },
  disable: ({ directory }, value) => { directory.get(value).disabled = true; },
  enable: ({ directory }, value) => { directory.get(value).disabled = false; },
  addUser: ({ directory }, value) => directory.add(value),
  approveDevice: (world, value) => approveDevice(world, typeof value === "string" ? { user: value } : value),
  denyDevice: (world, value) => Object.assign(deviceCode(world, value === true ? undefined : value).payload, {
    error: "access_denied", errorDescription: "denied",
  }),
  clearRequests: ({ journal }) => journal.clear(),
};

/** @param {World} world @param {Record<string, any>} change */
export async function control(world, change) {
  for (const [name, value] of Object.entries(change)) {
    if (name in ACTIONS) await ACTIONS[name](world, value);
    else world.orders.set({ [name]: value });
  }
}

/**
 * @param {World} world @param {string | null | undefined} token
 * @param {string | null} [mailbox] whether the token opens this one, which is not its user's own
 */
export function introspect({ journal, orders, sharedMailboxes }, token, mailbox) {
  const issued = journal.find(token);
  const alive = issued?.kind === "access_token" && !issued.revoked && isMailAudience(issued.audience)
    && (issued.expiresAt ?? 0) > Date.now() / 1000 && !orders.settings.mailRefuses;
  const entitled = !mailbox || sharedMailboxes.get(mailbox)?.includes(issued?.user ?? "");
  return alive && entitled
    ? { active: true, username: mailbox || issued.user, scope: issued.scopes?.join(" "), exp: issued.expiresAt, aud: issued.audience }
    : { active: false };
}

/** @param {World} world */
const state = ({ authority, tenant, clientId, orders, journal, directory }) => ({
  authority, tenant, clientId, users: directory.users, settings: orders.settings, pendingAnswers: orders.pending(),
  counts: journal.counts(), requests: journal.requests, issued: journal.issued(),
});

/**
 * @param {World} world
 * @returns {(exchange: { request: import('node:http').IncomingMessage, response: import('node:http').ServerResponse,
 *            url: URL, body: string }) => Promise<boolean>} whether the request was one of these
 */
export function controlRoutes(world) {
  return async ({ request, response, url, body }) => {
    switch (url.pathname) {
      case "/control":
        try {
          await control(world, JSON.parse(body));
          send(response, 200, {});
        } catch (error) {
          send(response, 400, { error: String(error) });
        }
        return true;
      case "/control/state":
        send(response, 200, state(world));
        return true;
      case "/control/wait": {
        const { count, answered, ...wanted } = Object.fromEntries(url.searchParams);
        try {
          send(response, 200, await world.journal.waitFor({ ...wanted, count: Number(count ?? 1), answered: answered === "true" }));
        } catch (error) {
          send(response, 504, { error: String(error) });
        }
        return true;
      }
      case "/test/introspect": {
        const form = new URLSearchParams(request.method === "POST" ? body : url.search);
        world.journal.record({ endpoint: "introspect", method: request.method ?? "", parameters: new URLSearchParams(), headers: {} });
        send(response, 200, introspect(world, form.get("token"), url.searchParams.get("mailbox")));
        return true;
      }
      default:
        return false;
    }
  };
}
