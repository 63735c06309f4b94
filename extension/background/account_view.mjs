// SPDX-License-Identifier: MPL-2.0

/** Which words and which buttons an account has on the pages. */

/**
 * @typedef {object} Situation
 * @property {string} hostState a state of the connection
 * @property {boolean} takesTokens this Thunderbird asks here for tokens; else it signs in by itself, whatever is signed in here
 * @property {"thunderbird"|"none"} fallback whether Thunderbird's own sign-in stands in
 * @property {string} manage which accounts the policy puts here
 * @property {string} migrate whether settings of mail servers are put right
 * @property {Record<string, any>} policy as Settings has it
 */

/**
 * @typedef {object} Facts
 * @property {string} state a state of the protocol, or "unlisted": nobody signed in here
 * @property {string} signInAs who signs in for it
 * @property {boolean} ownSignIn it is the account's own name
 * @property {number} mailboxes that its sign-in opens, itself among them
 * @property {boolean} renewable there is a sign-in of it here of which tokens can be had without a person, were it let
 * @property {import("./rpc_client.mjs").Problem|null} problem
 * @property {boolean} passwordOnly its servers use a password, so no token is ever asked for
 * @property {boolean} switchable the page offers to switch it from the password to a secure sign-in
 * @property {boolean} ewsOnly its servers speak Exchange Web Services, for which Thunderbird signs in by itself
 * @property {boolean} ownLogin Thunderbird has a sign-in of its own stored
 * @property {"here"|"opening"|null} signIn whether one that was started here is under way
 * @property {boolean} vaultLocked the key to what is saved cannot be had
 * @property {boolean} removable the user may give it back to Thunderbird
 */

/** Buttons by state of the protocol, or "unlisted"; the first is the likeliest. */
const ACTIONS = /** @type {Record<string, string[]>} */ ({
  "unlisted": ["signIn", "openBy"],
  "signed-out": ["signIn", "openBy", "letThunderbird"],
  "signing-in": [],
  "ready": ["newToken", "openBy", "signOut"],
  "renewing": ["newToken", "openBy", "signOut"],
  "waiting": ["tryAgain", "signOut"],
  "attention": ["signIn", "openBy", "signOut"],
  "blocked": ["signIn", "tryAgain", "openBy", "signOut"],
  "locked": ["signOut"],
});

/** Of a host newer than this add-on: it can be told that nobody is to be signed in there. */
const ACTIONS_UNKNOWN = ["signOut"];

/** @param {string} state */
const isKnown = state => Object.hasOwn(ACTIONS, state);

/** @param {string} state */
const actionsIn = state => (isKnown(state) ? ACTIONS[state] : ACTIONS_UNKNOWN);

/** States in which all is well, so that no button has to stand out. */
const WELL = new Set(["ready", "renewing"]);

/** What comes to nothing while the vault is locked. */
const NEEDS_VAULT = ["signIn", "tryAgain", "openBy"];

/** Kinds that the user alone cannot end, where it is said what an administrator can do. */
const ADMINISTRATORS = new Set(["consent-required", "policy-denied", "misconfigured", "blocked"]);

/**
 * @param {Facts} facts
 * @returns {string[]} what a problem brings along, whatever the state
 */
function actionsOfProblem({ problem, signInAs }) {
  const other = problem?.signedInAs && problem.signedInAs.toLowerCase() !== signInAs.toLowerCase();
  return [...(other ? ["useName"] : []), ...(problem?.adminRemedy ? ["askAdmin"] : [])];
}

/**
 * A sign-in that is blocked is tried again; where there is none, or none any more, nothing but a new one helps.
 * @param {Facts} facts
 * @returns {string} which of the two comes to nothing
 */
function uselessWhenBlocked({ renewable, problem }) {
  return renewable && problem?.kind !== "sign-in-required" ? "signIn" : "tryAgain";
}

/**
 * @param {Facts} facts
 * @param {Situation} situation
 * @returns {string[]}
 */
export function actionsFor(facts, { hostState, takesTokens }) {
  const { state, ownSignIn, mailboxes, passwordOnly, ewsOnly, signIn, vaultLocked, removable } = facts;
  if (hostState !== "connected" || ewsOnly) {
    return [];
  }
  if (signIn) {
    return signIn === "here" ? [...actionsOfProblem(facts), "cancelSignIn"] : [];
  }
  if (!takesTokens) {
    return actionsIn(state).filter(action => action === "signOut");
  }
  const hidden = new Set([
    ...(passwordOnly ? ["signIn", "openBy"] : []),
    // It would end a sign-in that works before the other has succeeded; who wants that signs out first.
    ...(WELL.has(state) && (ownSignIn || mailboxes === 1) ? ["openBy"] : []),
    ...(state === "blocked" ? [uselessWhenBlocked(facts)] : []),
    ...(removable ? [] : ["letThunderbird"]),
    ...(vaultLocked ? NEEDS_VAULT : []),
  ]);
  const all = [...(vaultLocked ? ["unlock"] : []), ...actionsOfProblem(facts), ...actionsIn(state)];
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
 * @returns {string} how things stand: what the keys of its texts have in common
 */
function topicFor({ state, passwordOnly, switchable, ewsOnly, ownLogin, signIn }, { hostState, takesTokens, fallback, manage }) {
  const alone = fallback === "none";
  if (ewsOnly) {
    return "ews";
  }
  if (hostState === "connecting") {
    return "connecting";
  }
  if (passwordOnly) {
    return switchable ? "password" : "password_by_hand";
  }
  if (!takesTokens) {
    return "aside";
  }
  if (hostState !== "connected") {
    return alone ? "no_mail" : "aside";
  }
  if (signIn) {
    return "signing_in";
  }
  switch (state) {
    case "signing-in":
      return "signing_in_elsewhere";
    case "unlisted":
      // Beyond the list Thunderbird asks here for every account.
      return alone && manage !== "listed" ? "signed_out" : "unlisted";
    case "signed-out":
      return ownLogin && !alone ? "signed_out_own_login" : "signed_out";
    default:
      return isKnown(state) ? state : "unknown";
  }
}

/** In these the state's own sentence holds whatever else is wrong. */
const BESIDE_PROBLEM = new Set(["password", "password_by_hand", "ews", "connecting", "no_mail", "aside", "signing_in"]);

/**
 * @param {Facts} facts
 * @param {Situation} situation
 * @returns {{label: string, words: string|null}} keys of texts: how things stand, in a word or two and in a sentence; no
 *   sentence where the problem's own says more
 */
export function wordsFor(facts, situation) {
  const topic = topicFor(facts, situation);
  const label = `label_${topic.replace(/_(own_login|elsewhere|by_hand)$/, "")}`;
  return { label, words: facts.problem?.cause && !BESIDE_PROBLEM.has(topic) ? null : `state_${topic}` };
}
