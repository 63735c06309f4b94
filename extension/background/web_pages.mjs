// SPDX-License-Identifier: MPL-2.0

/** The only web pages that a page of the add-on may have opened, in the user's own browser. */

/* global messenger */

export const WEB_PAGES = [
  "https://entra.microsoft.com/",
  "https://login.microsoftonline.com/error",
  "https://myapplications.microsoft.com/",
  "https://mysignins.microsoft.com/security-info",
];

/** @param {string} address */
export async function openWebPage(address) {
  if (!WEB_PAGES.includes(address)) {
    throw new Error(`${address}: not for pages`);
  }
  await messenger.windows.openDefaultBrowser(address);
}
