// SPDX-License-Identifier: MPL-2.0
/** How long the popup of a real Thunderbird takes from the click on the toolbar button until its content is painted. */

/* global ChromeUtils, Services, addEventListener, removeEventListener, sendAsyncMessage */

import { EXTENSION_ID } from '../e2e/home.mjs';
import { ADA, World } from '../e2e/world.mjs';

const ACCOUNTS = 20;
/** The first ones in a Thunderbird that has just signed in take longest. */
const OPENINGS = 51;

/**
 * Runs in every page of Thunderbird from then on: tells when the popup's content is painted, not only drawn. A paint that
 * had begun before is told of afterwards too, and is known by its number; when it happened is in the event, which itself
 * comes later.
 */
function watch() {
  addEventListener('DOMDocElementInserted', ({ target }) => {
    if (!target.location?.href.endsWith('/popup/popup.html')) return;
    const { defaultView: { windowUtils, performance, MutationObserver }, documentElement: root } = target;
    const drawn = new MutationObserver(() => {
      if (root.dataset.ready !== 'true') return;
      drawn.disconnect();
      const last = windowUtils.lastTransactionId;
      addEventListener('MozAfterPaint', function painted({ transactionId, paintTimeStamp }) {
        if (transactionId <= last) return;
        removeEventListener('MozAfterPaint', painted);
        sendAsyncMessage('thunderseal-bench:painted', performance.timeOrigin + paintTimeStamp);
      });
    });
    drawn.observe(root, { attributes: true });
  });
}

/** Runs in Thunderbird. @param {string} source */
function install(source) {
  Services.mm.loadFrameScript(`data:,${encodeURIComponent(`(${source})()`)}`, true);
}

/**
 * Runs in Thunderbird: waits until each of its processes has nothing to do. What closing the popup leaves to be cleared away
 * is otherwise done while it opens again, sooner than anybody clicks twice.
 */
async function rest() {
  const idle = (resolve) => ChromeUtils.idleDispatch(() => ChromeUtils.idleDispatch(resolve));
  const children = new Promise((resolve) => {
    let busy = Services.ppmm.childCount;
    Services.ppmm.addMessageListener('thunderseal-bench:idle', function listener() {
      busy -= 1;
      if (busy > 0) return;
      Services.ppmm.removeMessageListener('thunderseal-bench:idle', listener);
      resolve();
    });
  });
  const tell = `(${idle})(() => sendAsyncMessage('thunderseal-bench:idle'))`;
  Services.ppmm.loadProcessScript(`data:,${encodeURIComponent(tell)}`, false);
  await children;
  await new Promise(idle);
}

/**
 * Runs in Thunderbird: opens the popup and closes it.
 * @param {string} id
 * @returns {Promise<number>} milliseconds until it was open and its content painted
 */
async function open(id) {
  const main = Services.wm.getMostRecentWindow('mail:3pane');
  const panel = () => main.document.getElementById('webextension-remote-preload-panel');
  const once = (type) => new Promise((resolve) => { main.addEventListener(type, () => resolve(Date.now()), { once: true }); });
  const painted = new Promise((resolve) => {
    Services.mm.addMessageListener('thunderseal-bench:painted', function listener({ data }) {
      Services.mm.removeMessageListener('thunderseal-bench:painted', listener);
      resolve(data);
    });
  });
  const shown = once('popupshown');
  const begun = Date.now();
  main.document.querySelector(`#unifiedToolbarContent button[extension="${id}"]`).click();
  const times = await Promise.all([shown, painted]);
  const hidden = once('popuphidden');
  panel().hidePopup();
  await hidden;
  return Math.max(...times) - begun;
}

/** @returns {Promise<{ accounts: number, milliseconds: number[] }>} */
export async function popupOpenings() {
  const world = await World.open();
  try {
    const names = Array.from({ length: ACCOUNTS }, (_, n) => `mailbox${n}@contoso.test`);
    const thunderbird = await world.startThunderbird({
      accounts: names.map((name) => world.account(name)),
      // One sign-in makes all of them ready.
      hostConfiguration: { ...world.hostConfiguration, accounts: Object.fromEntries(names.map((name) => [name, { signInAs: ADA }])) },
    });
    const popup = await thunderbird.openPopup();
    await popup.press('signIn', names[0]);
    for (const name of names) await popup.waitForState(name, 'ready');
    await popup.close();
    await thunderbird.marionette.chrome(install, String(watch));
    const milliseconds = [];
    for (let opening = 0; opening < OPENINGS; opening += 1) {
      await thunderbird.marionette.chrome(rest);
      milliseconds.push(await thunderbird.marionette.chrome(open, EXTENSION_ID));
    }
    return { accounts: ACCOUNTS, milliseconds };
  } finally {
    await world.close();
  }
}
