// SPDX-License-Identifier: MPL-2.0

/** Which words and which buttons an account has in the popup. */

/**
 * @typedef {object} Situation
 * @property {string} hostState a state of the connection
 * @property {string} fallback whether Thunderbird's own sign-in stands in
 * @property {string} manage which accounts the policy puts here
 */

/**
 * @typedef {object} Facts
 * @property {string} state a state of the protocol, or "unlisted": nobody signed in here
 * @property {boolean} passwordOnly its servers use a password, so no token is ever asked for
 * @property {boolean} ownLogin Thunderbird has a sign-in of its own stored
 * @property {"here"|"opening"|null} signIn whether one that was started here is under way
 * @property {boolean} vaultLocked the key to what is saved cannot be had
 * @property {boolean} removable the user may give it back to Thunderbird
 */

/** Buttons by state; the first is the likeliest. */
const ACTIONS = /** @type {Record<string, string[]>} */ ({
  "unlisted": ["signIn"],
  "signed-out": ["signIn", "letThunderbird"],
  "ready": ["newToken", "signOut"],
  "renewing": ["newToken", "signOut"],
  "waiting": ["tryAgain", "signOut"],
  "attention": ["signIn", "signOut"],
  "blocked": ["tryAgain", "signOut"],
  "locked": ["signOut"],
});

/** What comes to nothing while the vault is locked. */
const NEEDS_VAULT = ["signIn", "tryAgain"];

/**
 * @param {Facts} facts
 * @param {Situation} situation
 * @returns {string[]}
 */
export function actionsFor({ state, passwordOnly, signIn, vaultLocked, removable }, { hostState }) {
  if (hostState !== "connected") {
    return [];
  }
  if (signIn) {
    return signIn === "here" ? ["cancelSignIn"] : [];
  }
  const hidden = new Set([...(passwordOnly ? ["signIn"] : []), ...(removable ? [] : ["letThunderbird"]), ...(vaultLocked ? NEEDS_VAULT : [])]);
  return [...(vaultLocked ? ["unlock"] : []), ...(ACTIONS[state] ?? []).filter(action => !hidden.has(action))];
}

/**
 * @param {Facts} facts
 * @param {Situation} situation
 * @returns {string} the key of the text that says how things stand
 */
export function wordsFor({ state, passwordOnly, ownLogin, signIn }, { hostState, fallback, manage }) {
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
