// SPDX-License-Identifier: MPL-2.0

/** Starts the add-on. The token listener comes first: mail checks may be waiting for it already. */

/* global browser */

import { Companion } from "./companion.mjs";
import { Notices } from "./notices.mjs";

/** @type {Set<any>} ports of open popups */
const popups = new Set();
let overviewPending = false;

/** Sends the newest overview to the open popups; changes that come together are sent once. */
async function refreshPopups() {
  if (overviewPending || !popups.size) {
    return;
  }
  overviewPending = true;
  await Promise.resolve();
  overviewPending = false;
  const overview = await companion.overview();
  popups.forEach(port => port.postMessage(overview));
}

/** @param {any} port */
function attendPopup(port) {
  popups.add(port);
  port.onMessage.addListener((/** @type {any} */ order) => companion.perform(order));
  port.onDisconnect.addListener(() => popups.delete(port));
  refreshPopups();
}

const companion = new Companion(new Notices(), refreshPopups);

browser.tokenBridge.onTokenRequest.addListener(request => companion.answerToken(request));

browser.runtime.onConnect.addListener(port => (port.name === "unlock" ? companion.unlocking.attend(port) : attendPopup(port)));

companion.start();
