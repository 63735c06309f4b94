// SPDX-License-Identifier: MPL-2.0

/** The section about backups: one is made under a passphrase and saved as a file; one is read back. */

import { list } from "../shared/formats.mjs";
import { create, find, say } from "../shared/page.mjs";
import { passphraseFault } from "../shared/passphrase.mjs";
import { sentencesOf, text } from "../shared/texts.mjs";
import { FILE_MAX, base64Of, bytesOf, fileName } from "./backup_file.mjs";

/** The file is saved by then; its bytes need not stay in memory. */
const RELEASE_MS = 60_000;

/** @param {string} id @param {string} words @param {Record<string, string>} attributes */
function field(id, words, attributes) {
  return create("div", { class: "field" }, create("label", { "for": id, "data-text": words }), create("input", { id, ...attributes }));
}

/** @param {string} id @param {string} words @param {string} autocomplete */
function passphraseField(id, words, autocomplete) {
  return field(id, words, { type: "password", autocomplete, "aria-describedby": `${id.split("-")[0]}-problem` });
}

/**
 * @param {string} name
 * @param {string} action key of what the button says
 * @param {...HTMLElement} fields
 */
function form(name, action, ...fields) {
  return create(
    "form",
    { class: "card", id: name, novalidate: "" },
    create("h3", { "data-text": `dashboard_${name}_title` }),
    create("p", { "class": "quiet-text", "data-text": `dashboard_${name}_why` }),
    ...fields,
    create("p", { class: "error", id: `${name}-problem`, role: "alert" }),
    create("p", { class: "done", role: "status" }),
    create("div", { class: "actions" }, create("button", { "type": "submit", "class": "primary", "data-text": action })),
  );
}

/**
 * Offers the bytes as a file to be saved.
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {string} name
 */
function save(bytes, name) {
  const address = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
  const link = create("a", { href: address, download: name, hidden: "" });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), RELEASE_MS);
}

export class BackupSection {
  #place;
  #link;

  /**
   * @param {HTMLElement} place
   * @param {import("../shared/link.mjs").Link} link
   */
  constructor(place, link) {
    this.#place = place;
    this.#link = link;
    place.append(
      form("backup", "dashboard_backup_make", passphraseField("backup-passphrase", "passphrase", "new-password"), passphraseField("backup-again", "passphraseAgain", "new-password")),
      form("restore", "dashboard_restore_go", field("restore-file", "dashboard_restore_file", { type: "file", accept: ".backup" }), passphraseField("restore-passphrase", "passphrase", "off")),
    );
    this.#onSubmit("backup", () => this.#create());
    this.#onSubmit("restore", () => this.#restore());
  }

  /**
   * @param {string} name
   * @param {() => Promise<string>} act gives what to say when it is done; rejects with what went wrong
   */
  #onSubmit(name, act) {
    const element = find(this.#place, `#${name}`);
    const button = /** @type {HTMLButtonElement} */ (find(element, "button"));
    element.addEventListener("submit", async event => {
      event.preventDefault();
      if (button.ariaDisabled === "true") {
        return;
      }
      button.ariaDisabled = "true";
      say(find(element, ".error"), "");
      say(find(element, ".done"), text("dashboard_working"));
      try {
        say(find(element, ".done"), await act());
      } catch (error) {
        say(find(element, ".done"), "");
        say(find(element, ".error"), sentencesOf(error.problem ?? { cause: error.message }));
      }
      button.ariaDisabled = "false";
    });
  }

  /**
   * What stands in the fields is taken out of them, whatever comes of it.
   * @param {...string} ids
   */
  #take(...ids) {
    return ids.map(id => {
      const input = /** @type {HTMLInputElement} */ (find(this.#place, `#${id}`));
      const { value } = input;
      input.value = "";
      return value;
    });
  }

  /**
   * @param {string|null} fault key of what is wrong
   * @param {string} id where it can be mended
   */
  #demand(fault, id) {
    if (fault) {
      find(this.#place, `#${id}`).focus();
      throw new Error(text(fault));
    }
  }

  async #create() {
    const [passphrase, again] = this.#take("backup-passphrase", "backup-again");
    this.#demand(passphraseFault(passphrase, again), "backup-passphrase");
    const { data, missing = [] } = await this.#link.order("ask", { method: "backup.create", params: { passphrase } });
    const name = fileName(new Date());
    save(bytesOf(data), name);
    return [text("dashboard_backup_done", name), missing.length ? text("dashboard_backup_missing", list(missing)) : ""].filter(Boolean).join(" ");
  }

  async #restore() {
    const file = /** @type {HTMLInputElement} */ (find(this.#place, "#restore-file")).files?.[0];
    this.#demand(file ? null : "dashboard_restore_no_file", "restore-file");
    const chosen = /** @type {File} */ (file);
    this.#demand(chosen.size > FILE_MAX ? "dashboard_restore_too_large" : null, "restore-file");
    const [passphrase] = this.#take("restore-passphrase");
    this.#demand(passphraseFault(passphrase), "restore-passphrase");
    const data = base64Of(new Uint8Array(await chosen.arrayBuffer()));
    const { accounts } = await this.#link.order("ask", { method: "backup.restore", params: { data, passphrase } });
    return accounts.length ? text("dashboard_restore_done", list(accounts)) : text("dashboard_restore_nothing");
  }
}
