// SPDX-License-Identifier: MPL-2.0

/** Accounts as cards: state, one plain sentence, the one button that helps. The page carries `account_card.css`. */

import { AdminPanel } from "./admin_panel.mjs";
import { ButtonRow } from "./button_row.mjs";
import { NamesPanel } from "./names_panel.mjs";
import { create, find, keepFocus, show } from "./page.mjs";
import { inOurWords, text } from "./texts.mjs";

/** @typedef {import("../background/overview.mjs").AccountView} AccountView */

/** Nobody signs in for it yet: whose sign-in opens it is worth a button of its own, where there is one to choose. */
const UNOPENED = new Set(["unlisted", "signed-out"]);

/** The warning about the program, above all cards, says why. */
const SAID_ABOVE = "no_mail";

/** Cards are told apart by these in `aria-controls` and `aria-describedby`. */
let cardCount = 0;

/**
 * One of the buttons stands out, some stand beside it, the others are one click away.
 * @param {AccountView} view
 * @returns {{open: string[], more: string[]}}
 */
function arrange({ actions, primary, state, otherNames }) {
  const beside = (/** @type {string} */ action) => action === "cancelSignIn" || (action === "openBy" && UNOPENED.has(state) && otherNames.length > 0);
  const open = actions.filter(action => action === primary || beside(action));
  return { open, more: actions.filter(action => !open.includes(action)) };
}

/**
 * Breaks a long one before its domain rather than in the middle of a word.
 * @param {HTMLElement} element
 * @param {string} address
 */
function showAddress(element, address) {
  if (element.textContent !== address) {
    const at = address.lastIndexOf("@");
    element.replaceChildren(address.slice(0, at), create("wbr"), address.slice(at));
  }
}

class Card {
  #link;
  #id = `account-${++cardCount}`;
  /** @type {AccountView} */
  #view = /** @type {any} */ (null);
  #actions;
  #more;
  #moreList;
  /** @type {NamesPanel|null} */
  #names = null;
  /** @type {AdminPanel|null} */
  #admin = null;
  element;

  /** @param {import("./link.mjs").Link} link */
  constructor(link) {
    this.#link = link;
    const id = this.#id;
    this.#actions = new ButtonRow(id, { class: "actions" });
    this.#moreList = new ButtonRow(id, { class: "more-list", id: `${id}-more`, hidden: "" });
    this.#more = create("button", {
      "type": "button", "class": "quiet more", "data-text": "more",
      "aria-expanded": "false", "aria-controls": `${id}-more`, "aria-describedby": id,
    });
    this.element = create(
      "li",
      { class: "account-card" },
      create(
        "div",
        { class: "head" },
        create("span", { "class": "dot", "aria-hidden": "true" }),
        create("h2", { class: "name", id, tabindex: "-1" }),
        this.#more,
      ),
      create("div", { class: "head" }, create("p", { class: "label" }), create("span", { class: "protocols" })),
      create("p", { class: "sentence" }),
      create("div", { class: "problem" }, create("p", { class: "cause" }), create("p", { class: "remedy" })),
      create("p", { class: "as" }),
      this.#actions.element,
      this.#moreList.element,
    );
    this.element.addEventListener("click", ({ target }) => this.#clicked(/** @type {Element} */ (target).closest("button")));
    this.element.addEventListener("keydown", event => {
      if (event.key === "Escape" && this.#close()) {
        event.preventDefault();
        event.stopPropagation();
      }
    });
  }

  /** What a screen reader is told when it changes. */
  get news() {
    const { account, label, problem } = this.#view;
    return [account, text(label), inOurWords(problem)?.cause].filter(Boolean).join(". ");
  }

  /** @param {AccountView} view */
  draw(view) {
    keepFocus(this.element, () => this.#drawAll(view), () => find(this.element, ".name"));
  }

  /** @param {AccountView} view */
  #drawAll(view) {
    this.#view = view;
    const { element } = this;
    element.dataset.account = view.account.toLowerCase();
    element.dataset.state = view.state;
    const topic = view.label.replace(/^label_/, "");
    element.dataset.topic = topic;
    showAddress(find(element, ".name"), view.account);
    show(find(element, ".protocols"), view.protocols.map(protocol => protocol.toUpperCase()).join(" · "));
    show(find(element, ".label"), text(view.label));
    show(find(element, ".sentence"), view.words && topic !== SAID_ABOVE ? text(view.words) : "");
    const problem = inOurWords(view.problem);
    find(element, ".problem").hidden = !problem;
    show(find(element, ".cause"), problem?.cause);
    show(find(element, ".remedy"), problem?.remedy);
    show(find(element, ".as"), view.signInAs ? text("signInAs", view.signInAs) : "");
    this.#drawButtons();
    this.#names?.draw(view);
    this.#admin?.draw(view);
  }

  #drawButtons() {
    const { open, more } = arrange(this.#view);
    this.#actions.draw(open, this.#view);
    this.#more.hidden = !more.length;
    this.#showMore(more.length > 0 && this.#more.ariaExpanded === "true");
  }

  /** @param {boolean} shown */
  #showMore(shown) {
    if (shown) {
      this.#moreList.draw(arrange(this.#view).more, this.#view);
    }
    this.#moreList.element.hidden = !shown;
    this.#more.ariaExpanded = String(shown);
  }

  /** @param {HTMLElement|null} button */
  #clicked(button) {
    if (button === this.#more) {
      const shown = this.#moreList.element.hidden;
      this.#close();
      this.#showMore(shown);
    } else if (button?.dataset.action && button.ariaDisabled !== "true") {
      this.#begin(button.dataset.action, button);
    }
  }

  /**
   * @param {string} action
   * @param {HTMLElement} button
   */
  #begin(action, button) {
    if (action === "openBy") {
      this.#close();
      this.#names ??= this.#added(new NamesPanel(`${this.#id}-name`, name => this.#act("openBy", { signInAs: name })));
      this.#names.open(this.#view);
    } else if (action === "askAdmin") {
      this.#close();
      this.#admin ??= this.#added(new AdminPanel(this.#link));
      this.#admin.open(this.#view);
    } else {
      // Not disabled, as the focus would be lost; the next overview lets it be pressed again.
      button.ariaDisabled = "true";
      this.#act(action === "useName" ? "openBy" : action, action === "useName" ? { signInAs: this.#view.problem?.signedInAs } : {});
    }
  }

  /**
   * @template {{element: HTMLElement}} Panel
   * @param {Panel} panel
   * @returns {Panel}
   */
  #added(panel) {
    this.element.append(panel.element);
    return panel;
  }

  /**
   * @param {string} action
   * @param {object} [params]
   */
  #act(action, params = {}) {
    this.#close();
    this.#link.order("act", { ...params, action, account: this.#view.account });
  }

  /**
   * Closes what was opened; the focus goes back to what opened it.
   * @returns {boolean} whether something was open
   */
  #close() {
    const panels = [this.#moreList, this.#names, this.#admin].flatMap(panel => (panel && !panel.element.hidden ? [panel.element] : []));
    const hadFocus = panels.some(panel => panel.contains(document.activeElement));
    this.#showMore(false);
    panels.forEach(panel => {
      panel.hidden = true;
    });
    if (hadFocus) {
      (this.#more.hidden ? find(this.element, ".name") : this.#more).focus();
    }
    return panels.length > 0;
  }
}

export class AccountCards {
  #list;
  #link;
  #told;
  /** @type {Map<string, Card>} by account, in lower case */
  #cards = new Map();

  /**
   * @param {HTMLElement} list an empty `ul`
   * @param {import("./link.mjs").Link} link
   */
  constructor(list, link) {
    this.#list = list;
    this.#link = link;
    this.#told = create("p", { class: "for-screen-readers", role: "status" });
    list.classList.add("account-cards");
    list.after(this.#told);
  }

  /**
   * The card of an account stays the same element, so that the keyboard's focus survives a change.
   * @param {AccountView[]} views
   */
  draw(views) {
    const names = new Set(views.map(({ account }) => account.toLowerCase()));
    for (const [name, card] of this.#cards) {
      if (!names.has(name)) {
        card.element.remove();
        this.#cards.delete(name);
      }
    }
    const news = views.map(view => this.#drawCard(view)).filter(Boolean);
    if (news.length) {
      show(this.#told, news.join(" "));
    }
  }

  /**
   * @param {AccountView} view
   * @returns {string} what changed for whoever cannot see it, "" where that is nothing
   */
  #drawCard(view) {
    const name = view.account.toLowerCase();
    const present = this.#cards.get(name);
    if (present) {
      const before = present.news;
      present.draw(view);
      return present.news === before ? "" : present.news;
    }
    const card = new Card(this.#link);
    this.#cards.set(name, card);
    // Drawn before it is on the page: with many accounts that is where the popup's time goes.
    card.draw(view);
    this.#list.append(card.element);
    return "";
  }
}
