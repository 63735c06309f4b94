// SPDX-License-Identifier: MPL-2.0

/** The steps of the welcome page: a list of them, one shown at a time. Left and come back to, it is the same one. */

import { find } from "../shared/page.mjs";
import { text } from "../shared/texts.mjs";

/** Where the step that was shown last is remembered. */
const REMEMBERED = "welcomeStep";

export class Steps {
  #buttons;
  #back;
  #next;
  #onEnter;
  #current;
  /** @type {Set<string>} */
  #done = new Set();

  /**
   * @param {ParentNode} root holds the buttons, a section for each by its id, and those that go on and back
   * @param {(step: string) => void} onEnter
   */
  constructor(root, onEnter) {
    this.#buttons = /** @type {HTMLButtonElement[]} */ ([...root.querySelectorAll("[data-step]")]);
    this.#back = find(root, "#back");
    this.#next = find(root, "#next");
    this.#onEnter = onEnter;
    const names = this.#names();
    const remembered = localStorage.getItem(REMEMBERED) ?? "";
    this.#current = names.includes(remembered) ? remembered : names[0];
    this.#buttons.forEach(button => button.addEventListener("click", () => this.go(button.dataset.step ?? "")));
    this.#back.addEventListener("click", () => this.#move(-1));
    this.#next.addEventListener("click", () => this.#move(1));
    root.addEventListener("click", ({ target }) => {
      const step = /** @type {HTMLElement} */ (target).dataset.go;
      if (step) {
        this.go(step);
      }
    });
    this.#show();
  }

  #names() {
    return this.#buttons.map(button => button.dataset.step ?? "");
  }

  /** @param {number} by how many */
  #move(by) {
    const names = this.#names();
    this.go(names[names.indexOf(this.#current) + by]);
  }

  /**
   * Shows a step and leads the keyboard there.
   * @param {string} step
   */
  go(step) {
    this.#current = step;
    localStorage.setItem(REMEMBERED, step);
    this.#show();
    window.scrollTo(0, 0);
    find(document, `#${step} h2`).focus();
  }

  /** @param {string[]} done those that are behind the user */
  draw(done) {
    this.#done = new Set(done);
    this.#drawButtons();
  }

  #show() {
    const names = this.#names();
    names.forEach(name => {
      find(document, `#${name}`).hidden = name !== this.#current;
    });
    this.#back.hidden = this.#current === names[0];
    this.#next.hidden = this.#current === names[names.length - 1];
    this.#drawButtons();
    this.#onEnter(this.#current);
  }

  #drawButtons() {
    for (const button of this.#buttons) {
      const step = button.dataset.step ?? "";
      const words = text(button.dataset.words ?? "");
      const done = this.#done.has(step);
      button.textContent = words;
      button.ariaLabel = done ? text("welcome_step_done", words) : null;
      button.ariaCurrent = step === this.#current ? "step" : null;
      button.classList.toggle("done", done);
    }
    // As long as a step holds what is to be pressed, that is the one to see.
    this.#next.classList.toggle("primary", this.#current === this.#names()[0] || this.#done.has(this.#current));
  }
}
