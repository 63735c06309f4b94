// SPDX-License-Identifier: MPL-2.0

/** Which words and which buttons an account has on the pages. */

/**
 * @typedef {object} Situation
 * @property {string} hostState a state of the connection
 * @property {string} fallback whether Thunderbird's own sign-in stands in
 * @property {string} manage which accounts the policy puts here
 */

/**
 * @typedef {object} Facts
 * @property {string} state a state of the protocol, or "unlisted": nobody signed in here
 * @property {import("./rpc_client.mjs").Problem|null} problem
 * @property {boolean} passwordOnly its servers use a password, so no token is ever asked for
 * @property {boolean} ownLogin Thunderbird has a sign-in of its own stored
 * @property {"here"|"opening"|null} signIn whether one that was started here is under way
 * @property {boolean} vaultLocked the key to what is saved cannot be had
 * @property {boolean} removable the user may give it back to Thunderbird
 */

/** Buttons by state; the first is the likeliest. */
const ACTIONS = /** @type {Record<string, string[]>} */ ({
  "unlisted": ["signIn", "openBy"],
  "signed-out": ["signIn", "openBy", "letThunderbird"],
  "ready": ["newToken", "openBy", "signOut"],
  "renewing": ["newToken", "openBy", "signOut"],
  "waiting": ["tryAgain", "signOut"],
  "attention": ["signIn", "openBy", "signOut"],
  "blocked": ["tryAgain", "openBy", "signOut"],
  "locked": ["signOut"],
});

/** What comes to nothing while the vault is locked. */
const NEEDS_VAULT = ["signIn", "tryAgain", "openBy"];

/** Kinds that the user alone cannot end, where it is said what an administrator can do. */
const ADMINISTRATORS = new Set(["consent-required", "policy-denied", "misconfigured", "blocked"]);

/** States in which all is well, so that no button has to stand out. */
const WELL = new Set(["ready", "renewing"]);

/**
 * @param {import("./rpc_client.mjs").Problem|null} problem
 * @returns {string[]} what a problem brings along, whatever the state
 */
function actionsOf(problem) {
  return [...(problem?.signedInAs ? ["useName"] : []), ...(problem?.adminRemedy ? ["askAdmin"] : [])];
}

/**
 * @param {Facts} facts
 * @param {Situation} situation
 * @returns {string[]}
 */
export function actionsFor({ state, problem, passwordOnly, signIn, vaultLocked, removable }, { hostState }) {
  if (hostState !== "connected") {
    return [];
  }
  if (signIn) {
    return signIn === "here" ? [...actionsOf(problem), "cancelSignIn"] : [];
  }
  const hidden = new Set([
    ...(passwordOnly ? ["signIn", "openBy"] : []),
    ...(removable ? [] : ["letThunderbird"]),
    ...(vaultLocked ? NEEDS_VAULT : []),
  ]);
  const all = [...(vaultLocked ? ["unlock"] : []), ...actionsOf(problem), ...(ACTIONS[state] ?? [])];
  return all.filter(action => !hidden.has(action));
}

/**
 * @param {Facts} facts
 * @param {string[]} actions what {@link actionsFor} found
 * @returns {string|null} the one that helps
 */
export function primaryFor({ state, problem, signIn }, actions) {
  const may = (/** @type {string} */ action) => (actions.includes(action) ? action : null);
  const asks = problem && ADMINISTRATORS.has(problem.kind) ? may("askAdmin") : null;
  const first = may("unlock") ?? may("useName") ?? asks;
  if (first || signIn || (WELL.has(state) && !problem)) {
    return first;
  }
  return may("signIn") ?? may("tryAgain") ?? may("newToken");
}

/**
 * @param {Facts} facts
 * @param {Situation} situation
 * @returns {string} the key of the text that says how things stand, at length
 */
function sentenceFor({ state, passwordOnly, ownLogin, signIn }, { hostState, fallback, manage }) {
  const alone = fallback === "none";
  if (passwordOnly) {
    return "state_password";
  }
  if (hostState === "connecting") {
    return "state_connecting";
  }
  if (hostState !== "connected") {
    return alone ? "state_no_mail" : "state_aside";
  }
  if (signIn) {
    return "state_signing_in";
  }
  switch (state) {
    case "signing-in":
      return "state_signing_in_elsewhere";
    case "unlisted":
      // Beyond the list Thunderbird asks here for every account.
      return alone && manage !== "listed" ? "state_signed_out" : "state_unlisted";
    case "signed-out":
      return ownLogin && !alone ? "state_signed_out_own_login" : "state_signed_out";
    default:
      return `state_${state}`;
  }
}

/** In these the state's own sentence holds whatever else is wrong. */
const BESIDE_PROBLEM = new Set(["state_password", "state_connecting", "state_no_mail", "state_aside", "state_signing_in"]);

/**
 * @param {Facts} facts
 * @param {Situation} situation
 * @returns {{label: string, words: string|null}} keys of texts: how things stand, in a word or two and in a sentence; no
 *   sentence where the problem's own says more
 */
export function wordsFor(facts, situation) {
  const words = sentenceFor(facts, situation);
  const label = words.replace(/^state_/, "label_").replace(/_(own_login|elsewhere)$/, "");
  return { label, words: facts.problem?.cause && !BESIDE_PROBLEM.has(words) ? null : words };
}
