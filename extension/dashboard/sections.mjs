// SPDX-License-Identifier: MPL-2.0

/** The sections of the dashboard: one is shown, the one that the address names. */

import { find } from "../shared/page.mjs";

export class Sections {
  /** @type {Map<string, () => void>} what to do when a section comes into view */
  #onShow = new Map();
  #ids;
  #current = "";

  /** @param {Document} page */
  constructor(page) {
    this.#ids = [...page.querySelectorAll("main > section")].map(({ id }) => id);
    addEventListener("hashchange", () => this.#showNamed({ focus: true }));
  }

  get current() {
    return this.#current;
  }

  /**
   * @param {string} id
   * @param {() => void} listener called each time the section comes into view
   */
  onShow(id, listener) {
    this.#onShow.set(id, listener);
  }

  /** Shows the one of the address; the first time, when everything is set up. */
  begin() {
    this.#showNamed({ focus: false });
  }

  /** @param {{focus: boolean}} how `focus`: the reader is taken to the heading */
  #showNamed({ focus }) {
    const named = location.hash.slice(1);
    this.#current = this.#ids.includes(named) ? named : this.#ids[0];
    for (const id of this.#ids) {
      find(document, `#${id}`).hidden = id !== this.#current;
      const link = find(document, `nav a[href="#${id}"]`);
      link.ariaCurrent = id === this.#current ? "page" : null;
    }
    if (focus) {
      find(document, `#${this.#current} h2`).focus();
      scrollTo(0, 0);
    }
    this.#onShow.get(this.#current)?.();
  }
}
