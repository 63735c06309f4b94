// SPDX-License-Identifier: MPL-2.0

/** Whose sign-in opens a mailbox: the names that are signed in already, and any other that is typed. */

import { create } from "./page.mjs";
import { text } from "./texts.mjs";

/** What the host takes for a name: one at sign, something on both sides, no blanks. */
const NAME = /^[^\s@]+@[^\s@]+$/;
const NAME_MAX_BYTES = 254;

export class NamesPanel {
  #choose;
  #list;
  #input;
  #mistake;
  element;

  /**
   * @param {string} id of the field
   * @param {(name: string) => void} choose
   */
  constructor(id, choose) {
    this.#choose = choose;
    this.#list = create("div", { class: "names" });
    this.#input = /** @type {HTMLInputElement} */ (create("input", {
      id, "type": "email", "autocomplete": "off", "spellcheck": "false", "aria-describedby": `${id}-mistake`,
    }));
    this.#mistake = create("p", { id: `${id}-mistake`, class: "mistake", role: "alert" });
    const field = create(
      "form",
      { novalidate: "" },
      create("label", { "for": id, "data-text": "otherName" }),
      create("div", { class: "field" }, this.#input, create("button", { "type": "submit", "data-text": "useThisName" })),
      this.#mistake,
    );
    this.element = create("div", { class: "panel", hidden: "" }, create("p", { "class": "question", "data-text": "whoOpens" }), this.#list, field);
    field.addEventListener("submit", event => {
      event.preventDefault();
      this.#take();
    });
    this.#list.addEventListener("click", ({ target }) => {
      const name = /** @type {HTMLElement|null} */ (/** @type {Element} */ (target).closest("button"))?.dataset.name;
      if (name) {
        this.#choose(name);
      }
    });
  }

  /** @param {import("../background/overview.mjs").AccountView} view */
  open(view) {
    this.draw(view);
    this.element.hidden = false;
    this.#complain("");
    this.#input.value = "";
    (this.#list.querySelector("button") ?? this.#input).focus();
  }

  /** @param {import("../background/overview.mjs").AccountView} view */
  draw({ account, signInAs, otherNames, actions }) {
    const own = signInAs ? [{ name: account, words: text("itsOwnName", account) }] : [];
    const choices = [...otherNames.map(name => ({ name, words: name })), ...own];
    const present = [...this.#list.children].map(button => /** @type {HTMLElement} */ (button).dataset.name);
    if (present.join() !== choices.map(({ name }) => name).join()) {
      this.#list.replaceChildren(...choices.map(({ name, words }) => create("button", { "type": "button", "data-name": name }, words)));
    }
    if (!actions.includes("openBy")) {
      this.element.hidden = true;
    }
  }

  #take() {
    const name = this.#input.value.trim();
    if (!NAME.test(name) || new TextEncoder().encode(name).length > NAME_MAX_BYTES) {
      this.#complain(text("notAName"));
      this.#input.focus();
    } else {
      this.#choose(name);
    }
  }

  /** @param {string} words */
  #complain(words) {
    this.#mistake.textContent = words;
    this.#input.ariaInvalid = words ? "true" : null;
  }
}
