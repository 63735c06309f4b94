// SPDX-License-Identifier: MPL-2.0

/** What an administrator is to be told: written out, and put on the clipboard for a mail or a ticket. */

import { create } from "./page.mjs";
import { text } from "./texts.mjs";

export class AdminPanel {
  #link;
  #words = /** @type {HTMLTextAreaElement} */ (create("textarea", { "readonly": "", "rows": "7", "spellcheck": "false", "data-label": "adminText" }));
  #copied = create("p", { class: "copied", role: "status" });
  #copy = create("button", { "type": "button", "data-text": "copyAgain" });
  element = create("div", { class: "panel", hidden: "" }, this.#copied, this.#words, this.#copy);

  /** @param {import("./link.mjs").Link} link */
  constructor(link) {
    this.#link = link;
    this.#copy.addEventListener("click", () => this.#toClipboard());
  }

  /** @param {import("../background/overview.mjs").AccountView} view */
  async open({ account }) {
    this.element.hidden = false;
    this.#copy.focus();
    this.#words.value = await this.#link.order("adminText", { account });
    await this.#toClipboard();
  }

  /** @param {import("../background/overview.mjs").AccountView} view */
  draw({ actions }) {
    if (!actions.includes("askAdmin")) {
      this.element.hidden = true;
    }
  }

  async #toClipboard() {
    // Without a permission of its own the add-on may do this in answer to a click or a key.
    const done = await navigator.clipboard.writeText(this.#words.value).then(() => true, () => false);
    this.#copied.textContent = text(done ? "copied" : "notCopied");
    if (!done) {
      this.#words.select();
    }
  }
}
