// SPDX-License-Identifier: MPL-2.0

/** One setting: its name, what it does, where its value comes from, and the control that changes it. */

import { create, find, say, show } from "../shared/page.mjs";
import { redraw } from "../shared/redraw.mjs";
import { isLocked } from "../shared/policy_source.mjs";
import { sentencesOf, text } from "../shared/texts.mjs";
import { nameOf, read, written } from "./setting_list.mjs";

/** @typedef {import("./setting_list.mjs").Setting} Setting */

const TEXT_LENGTH = 255;
const LIST_ROWS = 3;

/**
 * @param {Setting} setting
 * @param {any} value one of those to choose from
 */
function choiceWords(setting, value) {
  const word = value === null ? "unset" : [value].flat().join("_").replaceAll(/\W/g, "_");
  return text(`dashboard_choice_${nameOf(setting)}_${word}`) || String(value);
}

/**
 * @param {Setting} setting
 * @param {string} id
 * @returns {HTMLElement}
 */
function createControl(setting, id) {
  const attributes = { "id": id, "aria-describedby": `${id}-help ${id}-error` };
  switch (setting.control) {
    case "choice":
      return create("select", attributes);
    case "switch":
      return create("input", { ...attributes, type: "checkbox" });
    case "list":
      return create("textarea", { ...attributes, rows: String(LIST_ROWS), spellcheck: "false" });
    case "number":
      return create("input", { ...attributes, type: "number", min: "1", max: "36500", inputmode: "numeric" });
    default:
      return create("input", { ...attributes, type: "text", maxlength: String(TEXT_LENGTH), spellcheck: "false", autocomplete: "off" });
  }
}

export class SettingField {
  #setting;
  #control;
  #save;
  element;

  /**
   * @param {Setting} setting
   * @param {(value: any) => Promise<void>} save rejects with what is wrong with the value; null: the default is to count
   */
  constructor(setting, save) {
    const id = `setting-${nameOf(setting)}`;
    this.#setting = setting;
    this.#save = save;
    this.#control = /** @type {HTMLInputElement} */ (createControl(setting, id));
    this.element = create(
      "div",
      { "class": "setting", "data-setting": nameOf(setting), "data-control": setting.control },
      create("label", { "for": id, "data-text": `dashboard_setting_${nameOf(setting)}` }),
      create("p", { "class": "help", "id": `${id}-help`, "data-text": `dashboard_help_${nameOf(setting)}` }),
      this.#control,
      create("div", { class: "origin" }, create("p", { class: "source" }), create("button", { "type": "button", "class": "reset", "data-text": "dashboard_reset" })),
      create("p", { class: "error", id: `${id}-error`, role: "alert" }),
      create("p", { class: "saved", role: "status" }),
    );
    this.#control.addEventListener("change", () => this.#edited());
    find(this.element, ".reset").addEventListener("click", async () => {
      await this.#changed(null);
      // The button is gone with what it took back.
      this.#control.focus();
    });
  }

  get #isTyped() {
    return !["choice", "switch"].includes(this.#setting.control);
  }

  async #edited() {
    if (this.#control.validity.badInput) {
      // The browser gives no value for it, as if nothing stood there.
      say(find(this.element, ".saved"), "");
      this.#complain(text(`dashboard_wrong_${nameOf(this.#setting)}`));
      return;
    }
    await this.#changed(this.#read());
  }

  #read() {
    if (this.#setting.control === "switch") {
      return this.#control.checked;
    }
    return this.#setting.control === "choice" ? JSON.parse(this.#control.value) : read(this.#setting, this.#control.value);
  }

  /** @param {any} value */
  async #changed(value) {
    this.#complain("");
    say(find(this.element, ".saved"), "");
    try {
      await this.#save(value);
      say(find(this.element, ".saved"), text(this.#setting.atStart ? "dashboard_saved_at_start" : "dashboard_saved"));
    } catch (error) {
      this.#complain(this.#wordsFor(/** @type {import("../shared/link.mjs").OrderFailed} */ (error).problem));
    }
  }

  /** @param {import("../shared/link.mjs").Problem} problem what the host says of a value is meant for programs */
  #wordsFor(problem) {
    const own = problem.kind === "invalid-params" ? text(`dashboard_wrong_${nameOf(this.#setting)}`) : "";
    return own || sentencesOf(problem);
  }

  /** @param {string} words */
  #complain(words) {
    say(find(this.element, ".error"), words);
    this.#control.ariaInvalid = words ? "true" : null;
  }

  /**
   * @param {any} value
   * @param {string} source
   */
  draw(value, source) {
    const locked = isLocked(source);
    this.element.dataset.source = source;
    show(find(this.element, ".source"), text(`dashboard_source_${source}`));
    find(this.element, ".reset").hidden = source !== "user";
    this.#control.disabled = locked;
    if (this.#control.ariaInvalid || (this.#isTyped && this.#control === document.activeElement)) {
      // What the user typed stays, with what is wrong with it.
      return;
    }
    if (this.#setting.control === "choice") {
      this.#fillChoices(value);
    } else if (this.#setting.control === "switch") {
      this.#control.checked = value === true;
    } else {
      this.#control.value = written(this.#setting, value);
    }
  }

  /** @param {any} value one that the file has and the page does not know is shown too */
  #fillChoices(value) {
    const json = JSON.stringify(value);
    const known = (this.#setting.values ?? []).map(one => JSON.stringify(one));
    const values = known.includes(json) ? known : [...known, json];
    redraw(this.#control, values.map(one => create("option", { value: one }, choiceWords(this.#setting, JSON.parse(one)))));
    this.#control.value = json;
  }
}
