// SPDX-License-Identifier: MPL-2.0

/**
 * Asks for the passphrase of the vault, or has one chosen, and hands it to the background.
 * It stands in this page's fields and nowhere else; what was refused is emptied.
 */

/* global browser */

import { beginPage } from "../shared/page.mjs";
import { passphraseFault } from "../shared/passphrase.mjs";
import { chooseLanguage, sentencesOf, text } from "../shared/texts.mjs";

const port = browser.runtime.connect({ name: "unlock" });

const form = /** @type {HTMLFormElement} */ (document.querySelector("form"));
const title = /** @type {HTMLElement} */ (form.querySelector("h1"));
const why = /** @type {HTMLElement} */ (document.getElementById("why"));
const passphrase = /** @type {HTMLInputElement} */ (document.getElementById("passphrase"));
const repetition = /** @type {HTMLElement} */ (document.getElementById("repetition"));
const again = /** @type {HTMLInputElement} */ (document.getElementById("again"));
const problem = /** @type {HTMLElement} */ (document.getElementById("problem"));
const submit = /** @type {HTMLButtonElement} */ (form.querySelector("[type=submit]"));

/** One is to be chosen; it is typed twice, as nobody can look at it. */
let isNew = false;

/** @param {boolean} works the host is at it */
function setWorking(works) {
  form.ariaBusy = String(works);
  submit.disabled = works;
  passphrase.readOnly = works;
  again.readOnly = works;
  submit.textContent = text(works ? "unlocking" : isNew ? "choosePassphrase" : "unlock");
}

/** @param {boolean} chooses */
function draw(chooses) {
  isNew = chooses;
  const titleKey = isNew ? "choosePassphraseTitle" : "unlockTitle";
  beginPage(titleKey);
  title.textContent = text(titleKey);
  why.textContent = text(isNew ? "choosePassphraseWhy" : "unlockWhy");
  repetition.hidden = !isNew;
  setWorking(false);
  passphrase.focus();
  document.documentElement.dataset.ready = "true";
}

/**
 * @param {string} words what is wrong and what to do
 */
function complain(words) {
  setWorking(false);
  passphrase.value = "";
  again.value = "";
  passphrase.ariaInvalid = "true";
  problem.textContent = words;
  passphrase.focus();
}

form.addEventListener("submit", event => {
  event.preventDefault();
  if (submit.disabled) {
    return;
  }
  const wrong = isNew ? passphraseFault(passphrase.value, again.value) : passphraseFault(passphrase.value);
  if (wrong) {
    complain(text(wrong));
    return;
  }
  problem.textContent = "";
  passphrase.ariaInvalid = null;
  setWorking(true);
  port.postMessage({ passphrase: passphrase.value });
});

document.getElementById("cancel")?.addEventListener("click", () => window.close());
document.addEventListener("keydown", ({ key }) => {
  if (key === "Escape") {
    window.close();
  }
});

port.onMessage.addListener(async (/** @type {any} */ message) => {
  if (message.unlocked) {
    window.close();
  } else if (message.problem) {
    complain(sentencesOf(message.problem));
  } else {
    await chooseLanguage(message.language);
    draw(message.isNew);
  }
});
port.onDisconnect.addListener(() => window.close());
