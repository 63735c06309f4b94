// SPDX-License-Identifier: MPL-2.0

/** Draws what the background says and sends back which button was pressed. */

import { Link } from "../shared/link.mjs";
import { beginPage, find, fromTemplate, pageReady, show } from "../shared/page.mjs";
import { text } from "../shared/texts.mjs";

/** @typedef {import("../background/overview.mjs").AccountView} AccountView */

/**
 * @param {HTMLElement} item
 * @param {AccountView} view
 */
function drawButtons(item, view) {
  for (const element of item.querySelectorAll(".actions button")) {
    const button = /** @type {HTMLButtonElement} */ (element);
    button.hidden = !view.actions.includes(button.dataset.action ?? "");
    button.disabled = false;
  }
  find(item, '[data-action="signIn"]').textContent = text(view.state === "attention" ? "signInAgain" : "signIn");
}

/**
 * @param {HTMLElement} item
 * @param {AccountView} view
 */
function drawAccount(item, view) {
  item.dataset.state = view.state;
  show(find(item, ".name"), view.account);
  show(find(item, ".protocols"), view.protocols.map(protocol => protocol.toUpperCase()).join(" · "));
  show(find(item, ".state"), text(view.words));
  show(find(item, ".as"), view.signInAs ? text("signInAs", view.signInAs) : "");
  find(item, ".problem").hidden = !view.problem;
  show(find(item, ".cause"), view.problem?.cause);
  show(find(item, ".remedy"), view.problem?.remedy);
  show(find(item, ".admin"), view.problem?.adminRemedy ? text("adminRemedy", view.problem.adminRemedy) : "");
  drawButtons(item, view);
}

/**
 * The item of an account stays the same element, so that the keyboard's focus survives a change.
 * @param {HTMLElement} list
 * @param {string} account
 */
function itemFor(list, account) {
  const name = account.toLowerCase();
  const present = [...list.children].find(child => /** @type {HTMLElement} */ (child).dataset.account === name);
  if (present) {
    return /** @type {HTMLElement} */ (present);
  }
  const element = fromTemplate("account");
  element.dataset.account = name;
  list.append(element);
  return element;
}

/** @param {import("../background/overview.mjs").Overview} overview */
function draw({ host, bridge, accounts }) {
  beginPage("extensionName");
  const works = host.state === "connected";
  const aside = !works && host.state !== "connecting";
  show(find(document, "#version"), works ? text("version", host.version) : "");
  const warning = find(document, "#host");
  warning.dataset.state = host.state;
  warning.hidden = !aside && bridge.installed;
  show(find(warning, "h2"), aside ? text(`host_${host.state}_title`) : text("bridgeMissingTitle"));
  show(find(warning, "p"), aside ? `${text(`host_${host.state}_remedy`)} ${text(`until_${host.fallback}`)}` : text("bridgeMissing"));
  find(warning, "button").hidden = !aside;
  const list = find(document, "#accounts");
  const names = new Set(accounts.map(({ account }) => account.toLowerCase()));
  for (const item of [...list.children]) {
    if (!names.has(/** @type {HTMLElement} */ (item).dataset.account ?? "")) {
      item.remove();
    }
  }
  accounts.forEach(view => drawAccount(itemFor(list, view.account), view));
  find(document, "#empty").hidden = accounts.length > 0;
  pageReady();
}

const link = new Link("popup", draw);

document.body.addEventListener("click", ({ target }) => {
  const button = /** @type {Element} */ (target).closest("button");
  if (button) {
    // The next overview enables it again.
    button.disabled = true;
    const item = /** @type {HTMLElement|null} */ (button.closest("li"));
    link.order("act", { action: button.dataset.action, account: item?.dataset.account });
  }
});
