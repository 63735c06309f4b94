// SPDX-License-Identifier: MPL-2.0

/** The first health check: the whole way once, and what came of it. */

import { find } from "../shared/page.mjs";
import { text } from "../shared/texts.mjs";

export class FirstCheck {
  #link;
  #onDone;
  #report;
  /** Whether one has been made. */
  done = false;

  /**
   * @param {import("../shared/link.mjs").Link} link
   * @param {() => void} onDone
   */
  constructor(link, onDone) {
    this.#link = link;
    this.#onDone = onDone;
    this.#report = find(document, "#check-report");
    this.#button.addEventListener("click", () => this.#run());
  }

  get #button() {
    return /** @type {HTMLButtonElement} */ (find(document, "#check-run"));
  }

  async #run() {
    this.#button.disabled = true;
    try {
      const { report } = await this.#link.order("checkHealth");
      this.#report.textContent = report.overall;
      find(document, "#check-end").hidden = false;
      this.done = true;
    } catch (error) {
      this.#report.textContent = /** @type {Error} */ (error).message;
    }
    this.#button.disabled = false;
    this.#button.textContent = text("welcome_check_again");
    this.#onDone();
  }

  /** @param {boolean} anyReady whether an account is signed in */
  draw(anyReady) {
    find(document, "#check-early").hidden = anyReady;
    this.#button.hidden = !anyReady;
  }
}
