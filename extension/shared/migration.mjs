// SPDX-License-Identifier: MPL-2.0

/**
 * Accounts whose settings can be put right, or were: what changes, the buttons, how it goes.
 * The page carries `migration.css`, and calls `refresh` with each overview.
 */

import { create, find, keepFocus, say, show } from "./page.mjs";
import { inOurWords, text } from "./texts.mjs";

/** @typedef {import("../background/migration_view.mjs").AccountMigration} AccountMigration */

/** Settings in the order in which they are shown. */
const SETTINGS = /** @type {const} */ (["hostname", "port", "socketType", "authMethod", "username"]);

/** Of these the value is a word of ours and not the setting itself. */
const WORDED = new Set(["socketType", "authMethod"]);

/** Buttons in their order. */
const ACTIONS = ["switch", "takeOver", "undo", "deletePassword", "deleteOwnSignIn"];
const PRIMARY = new Set(["switch", "takeOver"]);

/** @returns {HTMLElement} */
function createItem() {
  return create(
    "li",
    { class: "migration-account" },
    create("h3", { class: "name", tabindex: "-1" }),
    create("p", { class: "sentence" }),
    create("table", {}),
    create("p", { class: "restart" }),
    create("p", { class: "step", role: "status" }),
    create("div", { class: "problem", role: "alert" }),
    create(
      "div",
      { class: "actions" },
      ...ACTIONS.map(action => create("button", { type: "button", class: PRIMARY.has(action) ? "primary" : "", "data-action": action })),
    ),
  );
}

/**
 * @param {string} setting
 * @param {string|number} value
 */
function worded(setting, value) {
  return WORDED.has(setting) ? text(`migration_${value}`) : String(value || text("migration_none"));
}

/**
 * @param {AccountMigration["servers"][number]} server
 * @returns {HTMLElement} the part of the table about it: only what differs
 */
function createRows({ type, before, after }) {
  const differing = SETTINGS.filter(setting => before[setting] !== after[setting]);
  return create(
    "tbody",
    {},
    create("tr", {}, create("th", { class: "server", colspan: "3", scope: "rowgroup" }, text(`migration_server_${type}`))),
    ...differing.map(setting =>
      create(
        "tr",
        {},
        create("th", { scope: "row" }, text(`migration_${setting}`)),
        create("td", { class: "before" }, worded(setting, before[setting])),
        create("td", { class: "after" }, worded(setting, after[setting])),
      ),
    ),
  );
}

/** @param {AccountMigration} migration */
function createHead({ switched }) {
  const [before, after] = switched ? ["migration_was", "migration_is"] : ["migration_now", "migration_then"];
  const titles = ["migration_setting", before, after].map(key => create("th", { scope: "col" }, text(key)));
  return create("thead", {}, create("tr", {}, ...titles));
}

/** @param {AccountMigration} migration */
function sentenceFor({ switched, restored, canTakeOver, actions, servers }) {
  if (restored) {
    return text("migration_restored");
  }
  if (servers.length) {
    return text(switched ? "migration_switched" : "migration_offered");
  }
  return canTakeOver ? text("migration_takeOverOffered") : actions.includes("deleteOwnSignIn") ? text("migration_tookOver") : "";
}

/**
 * @param {HTMLElement} item
 * @param {import("../background/rpc_client.mjs").Problem|null} problem
 */
function showProblem(item, problem) {
  const said = inOurWords(problem);
  const parts = Object.entries({ cause: said?.cause, remedy: said?.remedy, admin: said?.adminRemedy && text("adminRemedy", said.adminRemedy) });
  find(item, ".problem").replaceChildren(...parts.flatMap(([part, words]) => (words ? [create("p", { class: part }, words)] : [])));
}

export class MigrationSection {
  #root;
  #link;
  #list;
  /** @type {Map<string, {item: HTMLElement, drawn: string}>} by account, in lower case */
  #items = new Map();
  /** Views come one after the other, each as it is when its turn has come. */
  #refreshed = Promise.resolve();

  /**
   * @param {HTMLElement} root an empty `section`; hidden while there is nothing to show
   * @param {import("./link.mjs").Link} link
   */
  constructor(root, link) {
    this.#root = root;
    this.#link = link;
    this.#list = create("ul", { class: "migration-accounts" });
    root.hidden = true;
    root.classList.add("migration");
    root.setAttribute("aria-labelledby", "migration-title");
    root.append(create("h2", { id: "migration-title", tabindex: "-1" }), create("p", { class: "intro" }), this.#list);
    this.#list.addEventListener("click", ({ target }) => this.#clicked(/** @type {Element} */ (target)));
  }

  /** Draws things as they are now. */
  refresh() {
    this.#refreshed = this.#refreshed.then(async () => this.#draw(await this.#link.order("migration.view"))).catch(() => {});
    return this.#refreshed;
  }

  /** @param {import("../background/migration_view.mjs").MigrationView} view */
  #draw(view) {
    keepFocus(this.#root, () => this.#drawAll(view), () => this.#heading);
  }

  /** Where the whole section is gone, the page's own. */
  get #heading() {
    return this.#root.hidden ? find(document, "h1") : find(this.#root, "h2");
  }

  /** @param {import("../background/migration_view.mjs").MigrationView} view */
  #drawAll({ accounts }) {
    this.#root.hidden = !accounts.length;
    show(find(this.#root, "h2"), text("migration_title"));
    show(find(this.#root, ".intro"), accounts.some(({ switched, servers }) => servers.length && !switched) ? text("migration_intro") : "");
    const names = new Set(accounts.map(({ account }) => account.toLowerCase()));
    for (const [name, { item }] of this.#items) {
      if (!names.has(name)) {
        item.remove();
        this.#items.delete(name);
      }
    }
    for (const migration of accounts) {
      const known = this.#itemOf(migration.account.toLowerCase());
      keepFocus(known.item, () => this.#drawAccount(known, migration), () => find(known.item, ".name"));
    }
  }

  /** @param {string} name of an account, in lower case */
  #itemOf(name) {
    const present = this.#items.get(name);
    if (present) {
      return present;
    }
    const item = createItem();
    item.dataset.account = name;
    const added = { item, drawn: "" };
    this.#items.set(name, added);
    this.#list.append(item);
    return added;
  }

  /**
   * What is drawn stays, and with it the keyboard's focus and what a screen reader was told.
   * @param {{item: HTMLElement, drawn: string}} known
   * @param {AccountMigration} migration
   */
  #drawAccount(known, migration) {
    const { item } = known;
    const { account, step, problem, restart, switched, servers, actions } = migration;
    const drawn = JSON.stringify([text("migration_title"), migration]);
    if (known.drawn !== drawn) {
      known.drawn = drawn;
      item.dataset.state = step ?? (switched ? "switched" : "offered");
      show(find(item, ".name"), account);
      show(find(item, ".sentence"), sentenceFor(migration));
      const table = find(item, "table");
      table.hidden = !servers.length;
      table.ariaLabel = text("migration_tableLabel", account);
      table.replaceChildren(createHead(migration), ...servers.map(createRows));
      show(find(item, ".restart"), restart ? text("migration_restart") : "");
      say(find(item, ".step"), step ? text(`migration_step_${step.replace("-", "_")}`) : "");
      showProblem(item, problem);
    }
    for (const element of item.querySelectorAll("button")) {
      const action = element.dataset.action ?? "";
      element.hidden = !actions.includes(action);
      element.ariaDisabled = null;
      element.textContent = text(`migration_${action}`);
    }
  }

  /** @param {Element} target */
  async #clicked(target) {
    const button = target.closest("button");
    const known = this.#items.get(button?.closest("li")?.dataset.account ?? "");
    if (button && known && button.ariaDisabled !== "true") {
      const { item } = known;
      // Not disabled, as the focus would be lost.
      button.ariaDisabled = "true";
      // Drawn anew in any case: what failed before has been tried again.
      known.drawn = "";
      const order = this.#link.order(`migration.${button.dataset.action}`, { account: item.dataset.account });
      const failed = await order.then(() => null, error => error.problem ?? { kind: "internal", cause: error.message });
      await this.refresh();
      if (failed) {
        // What fails at the account itself comes with the view; this did not get that far.
        showProblem(item, failed);
      }
    }
  }
}
