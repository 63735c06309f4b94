// SPDX-License-Identifier: MPL-2.0
/**
 * Scopes as Entra reads them: the resource is the prefix; without one it is Microsoft Graph.
 */
import { GRAPH, OIDC_SCOPES, RESOURCES, RESOURCE_SCOPES } from "./directory.mjs";

const oidcScopes = new Set(OIDC_SCOPES);

/** @param {string} scope */
const fullName = (scope) => (oidcScopes.has(scope) || scope.includes("://") ? scope : `${GRAPH}/${scope}`);

/** @param {string} scope @returns {string | undefined} */
export function resourceOf(scope) {
  const full = fullName(scope);
  return RESOURCES.find((resource) => full.toLowerCase().startsWith(`${resource}/`));
}

/** The registered spelling of a scope (Entra ignores case), or undefined. @param {string} scope */
function registered(scope) {
  const full = fullName(scope);
  if (oidcScopes.has(full)) return [full];
  const resource = resourceOf(full);
  if (!resource) return undefined;
  if (full.toLowerCase() === `${resource}/.default`) return RESOURCE_SCOPES[resource];
  return RESOURCE_SCOPES[resource].filter((known) => known.toLowerCase() === full.toLowerCase());
}

/**
 * @param {string | undefined | null} text space-separated scopes
 * @returns {{ scopes: string[], unknown: string[], resources: string[] }}
 */
export function readScopes(text) {
  const scopes = new Set();
  const unknown = [];
  for (const scope of (text ?? "").split(" ").filter(Boolean)) {
    const known = registered(scope);
    if (!known?.length) unknown.push(scope);
    known?.forEach((name) => scopes.add(name));
  }
  const resources = [...new Set([...scopes].map(resourceOf).filter((resource) => resource !== undefined))];
  return { scopes: [...scopes], unknown, resources };
}

/** @param {string} scope @returns {boolean} */
export const isOidcScope = (scope) => oidcScopes.has(scope);

/** The permission's own name, as in an access token's `scp`. @param {string} scope */
export const shortName = (scope) => scope.slice(scope.lastIndexOf("/") + 1);
