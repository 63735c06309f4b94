// SPDX-License-Identifier: MPL-2.0

/** The buttons of an account's card. */

import { create } from "./page.mjs";
import { text } from "./texts.mjs";

/** @typedef {import("../background/overview.mjs").AccountView} AccountView */

/** What a card can have done, in the order of its buttons. */
const ACTIONS = ["useName", "signIn", "unlock", "askAdmin", "tryAgain", "newToken", "openBy", "signOut", "letThunderbird", "cancelSignIn"];

/**
 * @param {string} action
 * @param {AccountView} view
 */
function wordsOn(action, view) {
  if (action === "useName") {
    return text("useName", view.problem?.signedInAs ?? "");
  }
  if (action === "signOut" && view.mailboxes > 1) {
    return text("signOutAll", view.signInAs ?? view.account, String(view.mailboxes));
  }
  return text(action === "signIn" && view.state === "attention" ? "signInAgain" : action);
}

/** Buttons of one place in the card, each made when it is first shown: there may be many cards. */
export class ButtonRow {
  #describedBy;
  /** @type {Map<string, HTMLElement>} by action */
  #buttons = new Map();
  element;

  /**
   * @param {string} describedBy id of what says whose buttons they are
   * @param {Record<string, string>} attributes
   */
  constructor(describedBy, attributes) {
    this.#describedBy = describedBy;
    this.element = create("div", attributes);
  }

  /**
   * @param {string[]} actions
   * @param {AccountView} view
   */
  draw(actions, view) {
    for (const action of ACTIONS) {
      const shown = actions.includes(action);
      if (shown || this.#buttons.has(action)) {
        this.#drawButton(this.#buttonFor(action), action, view).hidden = !shown;
      }
    }
  }

  /** @param {string} action */
  #buttonFor(action) {
    const present = this.#buttons.get(action);
    if (present) {
      return present;
    }
    const button = create("button", { "type": "button", "data-action": action, "aria-describedby": this.#describedBy });
    const next = ACTIONS.slice(ACTIONS.indexOf(action)).map(one => this.#buttons.get(one)).find(Boolean);
    this.element.insertBefore(button, next ?? null);
    this.#buttons.set(action, button);
    return button;
  }

  /**
   * @param {HTMLElement} button
   * @param {string} action
   * @param {AccountView} view
   */
  #drawButton(button, action, view) {
    button.ariaDisabled = null;
    button.textContent = wordsOn(action, view);
    button.classList.toggle("primary", action === view.primary);
    button.classList.toggle("quiet", action !== view.primary && action !== "cancelSignIn");
    return button;
  }
}
