// SPDX-License-Identifier: MPL-2.0
/**
 * What oidc-provider stores, kept in memory, with two differences from its own adapter that make it behave as Entra:
 * a refresh token stays valid after its use, and serves every scope that its user has consented to by now.
 */
import { resourceOf } from "./scopes.mjs";

/**
 * @typedef {import('./directory.mjs').Directory} Directory
 * @typedef {import('./orders.mjs').Orders} Orders
 * @typedef {{ model: string, id: string, payload: Record<string, any>, revoked: boolean }} Item
 */

const unique = (/** @type {string[]} */ list) => [...new Set(list)];

export class Storage {
  /** @type {Map<string, Item>} */
  #items = new Map();

  /** @param {Directory} directory @param {Orders} orders */
  constructor(directory, orders) {
    this.directory = directory;
    this.orders = orders;
  }

  /** @param {string} model @param {string} id */
  item(model, id) {
    return this.#items.get(`${model} ${id}`);
  }

  /** @param {string} model */
  items(model) {
    return [...this.#items.values()].filter((item) => item.model === model);
  }

  /** @param {string} model @param {string} id @param {Record<string, any>} payload */
  put(model, id, payload) {
    this.#items.set(`${model} ${id}`, { model, id, payload, revoked: false });
  }

  /** @param {string} model @param {string} id */
  drop(model, id) {
    this.#items.delete(`${model} ${id}`);
  }

  /** Ends every sign-in of the user; the tokens stay known as revoked. @param {string} oid */
  revokeUser(oid) {
    for (const item of this.#items.values()) {
      if (item.payload.accountId === oid && item.model !== "Grant") item.revoked = true;
    }
  }

  /** Ends every sign-in with this grant. @param {string} grantId */
  revokeGrant(grantId) {
    for (const item of this.#items.values()) {
      if (item.payload.grantId === grantId) item.revoked = true;
    }
  }

  /** @param {Item} item */
  #widened(item) {
    const { payload } = item;
    const withheld = new Set(this.orders.settings.missingConsent);
    const consented = [...this.directory.consentOf(payload.accountId)].filter((scope) => !withheld.has(scope));
    if (item.model === "RefreshToken") {
      const scopes = unique([...payload.scope.split(" "), ...consented]).filter((scope) => !withheld.has(scope));
      const resources = unique(scopes.flatMap((scope) => resourceOf(scope) ?? []));
      return { ...payload, scope: scopes.join(" "), resource: resources };
    }
    const resources = { ...payload.resources };
    for (const scope of consented) {
      const resource = resourceOf(scope);
      if (resource) resources[resource] = unique([...(resources[resource] ?? "").split(" "), scope]).join(" ").trim();
    }
    return { ...payload, resources };
  }

  /** @param {string} model @param {string} id */
  find(model, id) {
    const item = this.item(model, id);
    if (!item || item.revoked) return undefined;
    return model === "RefreshToken" || model === "Grant" ? this.#widened(item) : item.payload;
  }

  /** @param {string} model @param {string} id */
  consume(model, id) {
    const item = this.item(model, id);
    if (!item) return;
    if (model === "RefreshToken" && !this.orders.settings.strictRotation) return;
    item.payload.consumed = Math.floor(Date.now() / 1000);
  }
}

/** oidc-provider's adapter interface over a Storage. @param {Storage} storage */
export function adapterOver(storage) {
  return (/** @type {string} */ model) => ({
    upsert: async (/** @type {string} */ id, /** @type {any} */ payload) => storage.put(model, id, payload),
    find: async (/** @type {string} */ id) => storage.find(model, id),
    findByUserCode: async (/** @type {string} */ userCode) => storage.items(model)
      .find((item) => item.payload.userCode === userCode)?.payload,
    findByUid: async (/** @type {string} */ uid) => storage.items(model).find((item) => item.payload.uid === uid)?.payload,
    destroy: async (/** @type {string} */ id) => storage.drop(model, id),
    revokeByGrantId: async (/** @type {string} */ grantId) => storage.revokeGrant(grantId),
    consume: async (/** @type {string} */ id) => storage.consume(model, id),
  });
}
