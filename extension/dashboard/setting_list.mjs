// SPDX-License-Identifier: MPL-2.0

/** The settings as the page offers them: which, in which groups, with what to choose from. No document in here. */

/**
 * @typedef {object} Setting
 * @property {string} key of the configuration
 * @property {string} [part] a member of the key's value
 * @property {"text"|"choice"|"switch"|"list"|"number"} control
 * @property {any[]} [values] what there is to choose from; null takes the setting out
 * @property {boolean} [atStart] counts when the program starts again
 */

/** @type {{name: string, settings: Setting[]}[]} */
export const GROUPS = [
  {
    name: "signIn",
    settings: [
      { key: "clientId", control: "text" },
      { key: "tenant", control: "text" },
      { key: "cloud", control: "choice", values: ["worldwide", "usgov", "usgov-dod", "china", "custom"] },
      { key: "flows", control: "choice", values: [["browser"], ["browser", "device"]] },
      { key: "redirectHost", control: "choice", values: ["localhost", "127.0.0.1"] },
      { key: "allowedDomains", control: "list" },
      { key: "renewAhead", control: "switch" },
    ],
  },
  {
    name: "thunderbird",
    settings: [
      { key: "manage", control: "choice", values: ["listed", "domains", "all"] },
      { key: "fallback", control: "choice", values: ["thunderbird", "none"] },
      { key: "migrate", control: "choice", values: ["off", "offer", "auto"] },
      { key: "welcome", control: "switch" },
      { key: "locale", control: "choice", values: [null, "en", "de"] },
    ],
  },
  {
    name: "storage",
    settings: [
      { key: "keystore", control: "choice", values: ["auto", "secret-service", "passphrase", "file"], atStart: true },
      { key: "audit", part: "enabled", control: "switch", atStart: true },
      { key: "audit", part: "retentionDays", control: "number", atStart: true },
    ],
  },
  {
    name: "network",
    settings: [
      { key: "proxy", control: "text", atStart: true },
      { key: "caFile", control: "text", atStart: true },
    ],
  },
];

/** What is too much for a field: it is shown, where it is set, and changed in the file. */
export const SHOWN_ONLY = ["custom", "accounts", "recoveryPublicKey"];

/** @param {Setting} setting its name in the page and in the keys of its texts */
export const nameOf = ({ key, part }) => (part ? `${key}_${part}` : key);

/**
 * @param {Setting} setting
 * @param {Record<string, any>} policy
 */
export const valueIn = ({ key, part }, policy) => (part ? policy[key]?.[part] : policy[key]) ?? null;

/** What the parts of a setting are where nobody says anything else. */
const PART_DEFAULTS = /** @type {Record<string, Record<string, any>>} */ ({ audit: { enabled: true, retentionDays: 365 } });

/**
 * What settings.set takes; a part that is reset leaves the others as they are.
 * @param {Setting} setting
 * @param {any} value null: as if nobody had set it
 * @param {Record<string, any>} policy
 */
export function valueToSet({ key, part }, value, policy) {
  if (!part) {
    return value;
  }
  const defaults = PART_DEFAULTS[key];
  const whole = { ...policy[key], [part]: value ?? defaults[part] };
  return Object.keys(defaults).every(name => whole[name] === defaults[name]) ? null : whole;
}

/**
 * @param {Setting} setting
 * @param {string} typed
 * @returns {any} null: nothing, so that the default counts
 */
export function read({ control }, typed) {
  const trimmed = typed.trim();
  switch (control) {
    case "list":
      return trimmed ? trimmed.split(/[\s,;]+/).filter(Boolean) : null;
    case "number":
      return trimmed === "" ? null : Number(trimmed);
    default:
      return trimmed || null;
  }
}

/**
 * @param {Setting} setting
 * @param {any} value
 * @returns {string} as it stands in a field
 */
export function written({ control }, value) {
  return control === "list" ? (value ?? []).join("\n") : String(value ?? "");
}
