// SPDX-License-Identifier: MPL-2.0

/** What a test awaits of Thunderbird's windows, and which Thunderbird it is. */

/* global ChromeUtils, Services, WebExtensionPolicy */

/**
 * Runs in Thunderbird: the main window is drawn and the add-on has started.
 * @param {string} id
 */
export async function waitUntilReady(id) {
  const { ExtensionParent } = ChromeUtils.importESModule("resource://gre/modules/ExtensionParent.sys.mjs");
  const main = Services.wm.getMostRecentWindow("mail:3pane");
  await main.delayedStartupPromise;
  while (!WebExtensionPolicy.getByID(id)?.extension) {
    await new Promise(resolve => ExtensionParent.apiManager.once("startup", resolve));
  }
  const { extension } = WebExtensionPolicy.getByID(id);
  if (extension.backgroundState !== "running") {
    await new Promise(resolve => extension.once("background-script-started", resolve));
  }
  const button = () => main.document.querySelector(`#unifiedToolbarContent button[extension="${id}"]`);
  if (!button()) {
    await new Promise(resolve => {
      const observer = new main.MutationObserver(() => {
        if (button()) {
          observer.disconnect();
          resolve(undefined);
        }
      });
      observer.observe(main.document, { subtree: true, childList: true, attributes: true });
    });
  }
}

/** Runs in Thunderbird. */
export function majorVersion() {
  return Number.parseInt(Services.appinfo.version);
}

/** Runs in Thunderbird. */
export function waitForSignInWindow() {
  return new Promise(resolve => {
    const observer = window => {
      window.addEventListener("load", () => {
        if (window.location.href === "chrome://messenger/content/browserRequest.xhtml") {
          Services.ww.unregisterNotification(observer);
          resolve(window.arguments[0].wrappedJSObject.url);
        }
      }, { once: true });
    };
    Services.ww.registerNotification(observer);
  });
}

/** Runs in Thunderbird: the type of every window there is, notifications aside, which go by themselves. */
export async function windowTypes() {
  const all = () => [...Services.wm.getEnumerator(null)];
  // What a window that is just opening will be is not to be seen yet.
  const opened = window => new Promise(resolve => {
    window.windowRoot.addEventListener("pageshow", resolve, { capture: true, once: true });
    window.windowRoot.addEventListener("unload", resolve, { capture: true, once: true });
  });
  for (let opening = all(); opening.length;) {
    opening = all().filter(window => window.location.href === "about:blank");
    await Promise.all(opening.map(opened));
  }
  const types = all().map(window => window.document.documentElement.getAttribute("windowtype") ?? window.location.href);
  return types.filter(type => type !== "alert:alert").sort();
}

/**
 * Runs in Thunderbird: waits for the notification with this title, which may be there already: a small window where no desktop shows it.
 * @param {string} title
 * @param {boolean} click whether it is clicked, too
 * @returns {Promise<string>} its text
 */
export function awaitNotification(title, click) {
  return new Promise(resolve => {
    const watch = window => {
      const look = () => {
        const text = window.document.getElementById("alertTextLabel")?.textContent;
        const label = text ? window.document.getElementById("alertTitleLabel") : null;
        if (label && (label.textContent || label.getAttribute("value")) === title) {
          Services.ww.unregisterNotification(watch);
          if (click) {
            window.document.getElementById("alertBox").click();
          }
          resolve(text);
        }
      };
      // The root is there before the document is, and stays when that comes; the text is filled in at its load.
      window.windowRoot.addEventListener("pageshow", look, true);
      look();
    };
    Services.ww.registerNotification(watch);
    [...Services.ww.getWindowEnumerator()].forEach(watch);
  });
}
