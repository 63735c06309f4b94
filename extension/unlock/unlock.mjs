// SPDX-License-Identifier: MPL-2.0

/**
 * Asks for the passphrase of the vault, or has one chosen, and hands it to the background.
 * It stands in this page's fields and nowhere else; what was refused is emptied.
 */

/* global browser */

import { beginPage } from "../shared/page.mjs";
import { chooseLanguage, inOurWords, text } from "../shared/texts.mjs";

/** What the host takes. */
const PASSPHRASE_MAX_BYTES = 1_024;

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

/** @returns {string} the key of the text about what cannot be sent, "" when it can */
function mistake() {
  if (!passphrase.value) {
    return "passphraseEmpty";
  }
  if (new TextEncoder().encode(passphrase.value).length > PASSPHRASE_MAX_BYTES) {
    return "passphraseTooLong";
  }
  return isNew && passphrase.value !== again.value ? "passphrasesDiffer" : "";
}

form.addEventListener("submit", event => {
  event.preventDefault();
  if (submit.disabled) {
    return;
  }
  const wrong = mistake();
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
    const { cause, remedy } = inOurWords(message.problem);
    complain([cause, remedy].filter(Boolean).join(" "));
  } else {
    await chooseLanguage(message.language);
    draw(message.isNew);
  }
});
port.onDisconnect.addListener(() => window.close());
