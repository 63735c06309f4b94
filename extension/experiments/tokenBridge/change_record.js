// SPDX-License-Identifier: MPL-2.0

/** What was done to the settings of mail servers, and what they were: it stands in one preference, without secrets. */

/* exported ChangeRecord */

const RECORD_PREF = "extensions.thunderseal.migration";

/** What it may hold values of. */
const RESTORABLE = /^mail\.(server|smtpserver|identity)\.\w+\.[\w.]+$/;

/**
 * @typedef {object} Entry what was done to a server
 * @property {"changing"|"changed"|"restored"} state "changing": in the middle of it; "restored": only folders are to follow
 * @property {string} type
 * @property {Settings} before
 * @property {Settings} after
 * @property {Record<string, string|number|boolean|null>} prefs what they were
 * @property {number} at Unix seconds
 * @property {boolean} flowed whether mail was seen to flow since
 * @property {{from: string, to: string, followed: boolean}} [folders] how the addresses of its folders change
 */

/**
 * @param {any} entry of a preference that someone may have edited
 * @returns {boolean}
 */
function isEntry({ state, type, before, after, prefs, folders }) {
  const named = [before, after].every(settings => typeof settings?.hostname === "string" && typeof settings.username === "string");
  const isWhole = state === "restored" || (["changing", "changed"].includes(state) && typeof type === "string" && named);
  return isWhole && Object.keys(prefs).every(name => RESTORABLE.test(name)) && "from" in folders && "to" in folders;
}

/** @returns {Record<string, Entry>} what is left of earlier sessions */
function read() {
  try {
    const entries = Object.entries(JSON.parse(Services.prefs.getStringPref(RECORD_PREF, "{}")));
    return Object.fromEntries(entries.filter(([, entry]) => isEntry(entry)));
  } catch {
    // What cannot be read cannot be put back.
    Services.prefs.clearUserPref(RECORD_PREF);
    return {};
  }
}

var ChangeRecord = class {
  /** By key of the server. Whoever changes something here saves it. */
  entries = read();

  /** Whatever happens next, record and settings are of one moment: they stand in one file. */
  save() {
    if (Object.keys(this.entries).length) {
      Services.prefs.setStringPref(RECORD_PREF, JSON.stringify(this.entries));
    } else {
      Services.prefs.clearUserPref(RECORD_PREF);
    }
    Services.prefs.savePrefFile(null);
  }

  /** Nothing of the add-on stays behind; what was changed stays as it is. */
  forget() {
    Services.prefs.clearUserPref(RECORD_PREF);
  }
};
