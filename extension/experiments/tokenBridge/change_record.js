// SPDX-License-Identifier: MPL-2.0

/** What was done to the settings of mail servers, and what they were: it stands in one preference, without secrets. */

/* exported ChangeRecord */

const RECORD_PREF = "extensions.thunderseal.migration";

/** What it may hold values of. */
const RESTORABLE = /^mail\.(server|smtpserver|identity)\.\w+\.[\w.]+$/;

/**
 * @param {any} entry of a preference that someone may have edited
 * @returns {boolean} throws where a part is missing
 */
function isEntry({ state, type, before, after, prefs, folders, earlier }) {
  const isWhole = state === "restored" || (["changing", "changed"].includes(state) && typeof type === "string" && isNamed(before) && isNamed(after));
  return isWhole && areRestorable(prefs) && "from" in folders && "to" in folders && (!earlier || isEarlier(earlier));
}

function isEarlier({ settings, prefs, entry }) {
  return isNamed(settings) && areRestorable(prefs) && !entry.earlier && entry.state === "changed" && isEntry(entry);
}

const isNamed = settings => typeof settings?.hostname === "string" && typeof settings.username === "string";
const areRestorable = prefs => Object.keys(prefs).every(name => RESTORABLE.test(name));

/** @param {any} entry of any shape @returns {boolean} */
function isUsable(entry) {
  try {
    return isEntry(entry);
  } catch {
    return false;
  }
}

/** @returns {any} */
function stored() {
  try {
    return JSON.parse(Services.prefs.getStringPref(RECORD_PREF, "{}"));
  } catch {
    // What cannot be read cannot be put back.
    Services.prefs.clearUserPref(RECORD_PREF);
    return {};
  }
}

/** @returns {Record<string, ChangeEntry>} what is left of earlier sessions; one that cannot be used takes no other with it */
function read() {
  return Object.fromEntries(Object.entries(stored() ?? {}).filter(([, entry]) => isUsable(entry)));
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
