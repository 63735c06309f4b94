// SPDX-License-Identifier: MPL-2.0

/** Draws what the background says and sends back which button was pressed. */

/* global browser */

/** @typedef {import("../background/overview.mjs").AccountView} AccountView */

const text = (/** @type {string} */ key, /** @type {string[]} */ ...parts) => browser.i18n.getMessage(key, parts);

/** States in which a token can be had without the user. */
const SIGNED_IN = new Set(["ready", "renewing", "waiting"]);

/** States in which signing in may help. */
const SIGN_IN_HELPS = new Set(["unlisted", "signed-out", "attention"]);

const port = browser.runtime.connect({ name: "popup" });

/**
 * @param {ParentNode} root
 * @param {string} selector
 * @returns {HTMLElement}
 */
function find(root, selector) {
  return /** @type {HTMLElement} */ (root.querySelector(selector));
}

/**
 * Shows a text, or hides the element where there is none.
 * @param {HTMLElement} element
 * @param {string|null|undefined} words
 */
function show(element, words) {
  element.hidden = !words;
  if (element.textContent !== (words ?? "")) {
    element.textContent = words ?? "";
  }
}

/** @param {ParentNode} root */
function fillTexts(root) {
  for (const element of root.querySelectorAll("[data-text]")) {
    element.textContent = text(/** @type {HTMLElement} */ (element).dataset.text ?? "");
  }
}

/**
 * @param {HTMLElement} item
 * @param {AccountView} view
 * @param {boolean} hostWorks
 */
function drawButtons(item, view, hostWorks) {
  const signedIn = SIGNED_IN.has(view.state);
  const visible = {
    signIn: !view.inBrowser && !view.passwordOnly && SIGN_IN_HELPS.has(view.state),
    cancelSignIn: view.inBrowser,
    newToken: signedIn,
    signOut: signedIn || view.state === "attention",
  };
  for (const [action, shown] of Object.entries(visible)) {
    const button = /** @type {HTMLButtonElement} */ (find(item, `[data-action="${action}"]`));
    button.hidden = !shown || !hostWorks;
    button.disabled = false;
  }
  show(find(item, ".primary"), find(item, ".primary").hidden ? "" : text(view.state === "attention" ? "signInAgain" : "signIn"));
}

/**
 * @param {HTMLElement} item
 * @param {AccountView} view
 * @param {boolean} hostWorks
 */
function drawAccount(item, view, hostWorks) {
  const state = view.inBrowser ? "signing-in" : view.state;
  item.dataset.state = state;
  show(find(item, ".name"), view.account);
  show(find(item, ".protocols"), view.protocols.map(protocol => protocol.toUpperCase()).join(" · "));
  const words = view.passwordOnly ? "state_password" : hostWorks ? `state_${state.replace("-", "_")}` : "state_aside";
  show(find(item, ".state"), text(words));
  show(find(item, ".as"), view.signInAs ? text("signInAs", view.signInAs) : "");
  find(item, ".problem").hidden = !view.problem;
  show(find(item, ".cause"), view.problem?.cause);
  show(find(item, ".remedy"), view.problem?.remedy);
  show(find(item, ".admin"), view.problem?.adminRemedy ? text("adminRemedy", view.problem.adminRemedy) : "");
  drawButtons(item, view, hostWorks);
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
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById("account"));
  const item = /** @type {HTMLElement} */ (template.content.cloneNode(true)).firstElementChild;
  const element = /** @type {HTMLElement} */ (item);
  element.dataset.account = name;
  fillTexts(element);
  list.append(element);
  return element;
}

/**
 * @param {{host: {state: string, version: string}, bridge: {installed: boolean, obstacle: string|null}, accounts: AccountView[]}} overview
 */
function draw({ host, bridge, accounts }) {
  const works = host.state === "connected";
  const aside = !works && host.state !== "connecting";
  show(find(document, "#version"), works ? text("version", host.version) : "");
  const warning = find(document, "#host");
  warning.dataset.state = host.state;
  warning.hidden = !aside && bridge.installed;
  show(find(warning, "h2"), aside ? text(`host_${host.state}_title`) : text("bridgeMissingTitle"));
  show(find(warning, "p"), aside ? text(`host_${host.state}_remedy`) : text("bridgeMissing"));
  find(warning, "button").hidden = !aside;
  const list = find(document, "#accounts");
  const names = new Set(accounts.map(({ account }) => account.toLowerCase()));
  for (const item of [...list.children]) {
    if (!names.has(/** @type {HTMLElement} */ (item).dataset.account ?? "")) {
      item.remove();
    }
  }
  accounts.forEach(view => drawAccount(itemFor(list, view.account), view, works));
  find(document, "#empty").hidden = accounts.length > 0;
  document.documentElement.dataset.ready = "true";
}

document.documentElement.lang = browser.i18n.getUILanguage();
document.title = text("extensionName");
fillTexts(document);
port.onMessage.addListener(draw);
document.body.addEventListener("click", ({ target }) => {
  const button = /** @type {Element} */ (target).closest("button");
  if (button) {
    // The next overview enables it again.
    button.disabled = true;
    const item = /** @type {HTMLElement|null} */ (button.closest("li"));
    port.postMessage({ action: button.dataset.action, account: item?.dataset.account });
  }
});
