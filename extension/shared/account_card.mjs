// SPDX-License-Identifier: MPL-2.0

/** Accounts as cards: state, one plain sentence, the buttons. The page carries `account_card.css`. */

import { create, find, show } from "./page.mjs";
import { text } from "./texts.mjs";

/** @typedef {import("../background/overview.mjs").AccountView} AccountView */

/** Buttons in their order, with the key of what each says. */
const BUTTONS = [
  ["signIn", "signIn"],
  ["unlock", "unlock"],
  ["cancelSignIn", "cancelSignIn"],
  ["tryAgain", "tryAgain"],
  ["newToken", "newToken"],
  ["signOut", "signOut"],
  ["letThunderbird", "letThunderbird"],
];

/** Buttons that are the likely next step wherever they are shown. */
const PRIMARY = new Set(["signIn", "unlock"]);

/** @param {string[]} button */
function createButton([action, words]) {
  return create("button", { "type": "button", "class": PRIMARY.has(action) ? "primary" : "", "data-action": action, "data-text": words });
}

/** @returns {HTMLElement} */
function createCard() {
  return create(
    "li",
    { class: "account-card" },
    create(
      "div",
      { class: "head" },
      create("span", { "class": "dot", "aria-hidden": "true" }),
      create("h2", { class: "name" }),
      create("span", { class: "protocols" }),
    ),
    create("p", { class: "state", role: "status" }),
    create("p", { class: "as" }),
    create(
      "div",
      { class: "problem" },
      create("p", { class: "cause" }),
      create("p", { class: "remedy" }),
      create("p", { class: "admin" }),
    ),
    create("div", { class: "actions" }, ...BUTTONS.map(createButton)),
  );
}

/**
 * @param {HTMLElement} card
 * @param {AccountView} view
 */
function drawButtons(card, view) {
  for (const element of card.querySelectorAll(".actions button")) {
    const button = /** @type {HTMLButtonElement} */ (element);
    button.hidden = !view.actions.includes(button.dataset.action ?? "");
    button.disabled = false;
  }
  find(card, '[data-action="signIn"]').textContent = text(view.state === "attention" ? "signInAgain" : "signIn");
}

/**
 * @param {HTMLElement} card
 * @param {AccountView} view
 */
function drawCard(card, view) {
  card.dataset.state = view.state;
  show(find(card, ".name"), view.account);
  show(find(card, ".protocols"), view.protocols.map(protocol => protocol.toUpperCase()).join(" · "));
  show(find(card, ".state"), text(view.words));
  show(find(card, ".as"), view.signInAs ? text("signInAs", view.signInAs) : "");
  find(card, ".problem").hidden = !view.problem;
  show(find(card, ".cause"), view.problem?.cause);
  show(find(card, ".remedy"), view.problem?.remedy);
  show(find(card, ".admin"), view.problem?.adminRemedy ? text("adminRemedy", view.problem.adminRemedy) : "");
  drawButtons(card, view);
}

export class AccountCards {
  #list;
  #link;
  /** @type {Map<string, HTMLElement>} by account, in lower case */
  #cards = new Map();

  /**
   * @param {HTMLElement} list an empty `ul`
   * @param {import("./link.mjs").Link} link
   */
  constructor(list, link) {
    this.#list = list;
    this.#link = link;
    list.classList.add("account-cards");
    list.addEventListener("click", ({ target }) => this.#clicked(/** @type {Element} */ (target)));
  }

  /**
   * The card of an account stays the same element, so that the keyboard's focus survives a change.
   * @param {AccountView[]} views
   */
  draw(views) {
    const names = new Set(views.map(({ account }) => account.toLowerCase()));
    for (const [name, card] of this.#cards) {
      if (!names.has(name)) {
        card.remove();
        this.#cards.delete(name);
      }
    }
    views.forEach(view => drawCard(this.#cardFor(view.account.toLowerCase()), view));
  }

  /** @param {string} name */
  #cardFor(name) {
    const present = this.#cards.get(name);
    if (present) {
      return present;
    }
    const card = createCard();
    card.dataset.account = name;
    this.#cards.set(name, card);
    this.#list.append(card);
    return card;
  }

  /** @param {Element} target */
  #clicked(target) {
    const button = target.closest("button");
    if (button?.dataset.action) {
      // The next overview enables it again.
      button.disabled = true;
      const card = /** @type {HTMLElement} */ (button.closest(".account-card"));
      this.#link.order("act", { action: button.dataset.action, account: card.dataset.account });
    }
  }
}
