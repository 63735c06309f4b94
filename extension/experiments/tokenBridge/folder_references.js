// SPDX-License-Identifier: MPL-2.0

/**
 * Settings and filters name folders by server and user name. When these are changed, the folders keep their old
 * addresses until Thunderbird ends and have new ones after that; so what names them follows at the next start.
 */

/* exported FolderReferences */

const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");

const BRANCHES = ["mail.identity.", "mail.server."];
const NAMES = /\.(fcc_folder|draft_folder|archive_folder|stationery_folder|spamActionTargetFolder|spamActionTargetAccount)$/;

/**
 * @param {string} address of a folder
 * @param {string} from what it begins with
 * @param {string} to
 * @returns {string|null} null: it is another server's
 */
function moved(address, from, to) {
  return address === from || address.startsWith(`${from}/`) ? to + address.slice(from.length) : null;
}

/** @param {any} server nsIMsgIncomingServer */
function filtersOf(server) {
  try {
    return server.canHaveFilters ? server.getFilterList(null) : null;
  } catch {
    return null;
  }
}

/** @param {any} filter nsIMsgFilter */
function folderActionsOf(filter) {
  return filter.sortedActionList.filter(({ type }) => [Ci.nsMsgFilterAction.MoveToFolder, Ci.nsMsgFilterAction.CopyToFolder].includes(type));
}

var FolderReferences = class {
  /**
   * @param {string} from
   * @param {string} to
   * @returns {Record<string, string>} the preferences that were changed, with what they were
   */
  static moveInPrefs(from, to) {
    /** @type {Record<string, string>} */
    const before = {};
    for (const name of BRANCHES.flatMap(branch => Services.prefs.getChildList(branch)).filter(one => NAMES.test(one))) {
      const address = Services.prefs.getStringPref(name, "");
      const target = moved(address, from, to);
      if (target !== null) {
        before[name] = address;
        Services.prefs.setStringPref(name, target);
      }
    }
    return before;
  }

  /**
   * @param {string} from
   * @param {string} to
   */
  static moveInFilters(from, to) {
    for (const list of MailServices.accounts.allServers.map(filtersOf).filter(Boolean)) {
      let changed = false;
      for (let n = 0; n < list.filterCount; n++) {
        for (const action of folderActionsOf(list.getFilterAt(n))) {
          const target = moved(action.targetFolderUri, from, to);
          if (target !== null) {
            action.targetFolderUri = target;
            changed = true;
          }
        }
      }
      if (changed) {
        list.saveToDefaultFile();
      }
    }
  }
};
