// SPDX-License-Identifier: MPL-2.0

/** The section about settings: each with its source, those of the administrator locked, the others to be changed. */

import { create, find, keepFocus, say } from "../shared/page.mjs";
import { redraw } from "../shared/redraw.mjs";
import { sentencesOf, text } from "../shared/texts.mjs";
import { SettingField } from "./setting_field.mjs";
import { GROUPS, SHOWN_ONLY, valueIn, valueToSet } from "./setting_list.mjs";

export class SettingsSection {
  #place;
  #link;
  /** @type {Record<string, any>} */
  #policy = {};
  /** @type {Record<string, string>} */
  #sources = {};
  /** @type {[import("./setting_list.mjs").Setting, SettingField][]} */
  #fields;

  /**
   * @param {HTMLElement} place
   * @param {import("../shared/link.mjs").Link} link
   */
  constructor(place, link) {
    this.#place = place;
    this.#link = link;
    const restart = create("button", { "type": "button", "data-text": "dashboard_restart" });
    this.#fields = GROUPS.flatMap(({ settings }) => settings).map(setting => [setting, new SettingField(setting, value => this.#set(setting, value))]);
    place.append(
      create("div", { class: "note pending", hidden: "" }, create("p", { "data-text": "dashboard_pending" }), restart),
      create("p", { class: "problem-text", role: "alert" }),
      create("div", { class: "note warnings", hidden: "" }, create("p", { "data-text": "dashboard_warnings" }), create("ul")),
      ...GROUPS.map(({ name, settings }) => create("fieldset", {}, create("legend", { "data-text": `dashboard_group_${name}` }), ...settings.map(setting => this.#elementOf(setting)))),
      create("fieldset", { class: "shown-only", hidden: "" }, create("legend", { "data-text": "dashboard_group_file" }), create("p", { "class": "help", "data-text": "dashboard_file_only" }), create("dl", { class: "facts" })),
    );
    restart.addEventListener("click", () => this.#restart());
  }

  /** @param {import("./setting_list.mjs").Setting} setting */
  #elementOf(setting) {
    const [, field] = /** @type {[any, SettingField]} */ (this.#fields.find(([one]) => one === setting));
    return field.element;
  }

  /** @param {import("../background/overview.mjs").Overview} overview tells what the host found wrong */
  draw({ host: { warnings = [] } }) {
    const note = find(this.#place, ".warnings");
    redraw(find(note, "ul"), warnings.map(one => create("li", {}, sentencesOf(one))));
    note.hidden = !warnings.length;
  }

  async refresh() {
    try {
      const { policy, sources } = await this.#link.order("ask", { method: "policy.get" });
      this.#policy = policy;
      this.#sources = sources;
      say(find(this.#place, ".problem-text"), "");
      this.#fill();
    } catch (error) {
      say(find(this.#place, ".problem-text"), sentencesOf(/** @type {import("../shared/link.mjs").OrderFailed} */ (error).problem));
    }
  }

  #fill() {
    for (const [setting, field] of this.#fields) {
      field.draw(valueIn(setting, this.#policy), this.#sources[setting.key] ?? "default");
    }
    const set = SHOWN_ONLY.filter(key => this.#sources[key] && this.#sources[key] !== "default");
    find(this.#place, ".shown-only").hidden = !set.length;
    redraw(find(this.#place, ".shown-only dl"), set.flatMap(key => [
      create("dt", {}, text(`dashboard_setting_${key}`)),
      create("dd", {}, create("pre", {}, JSON.stringify(this.#policy[key], null, 2)), create("p", { class: "source" }, text(`dashboard_source_${this.#sources[key]}`))),
    ]));
  }

  /**
   * @param {import("./setting_list.mjs").Setting} setting
   * @param {any} value
   */
  async #set(setting, value) {
    const changed = valueToSet(setting, value, this.#policy);
    await this.#link.order("ask", { method: "settings.set", params: { key: setting.key, value: changed } });
    find(this.#place, ".pending").hidden &&= !setting.atStart;
    await this.refresh();
  }

  async #restart() {
    const restarted = await this.#link.order("restartHost");
    const pending = find(this.#place, ".pending");
    keepFocus(pending, () => { pending.hidden = restarted; }, () => find(document, "#settings h2"));
    say(find(this.#place, ".problem-text"), restarted ? "" : text("dashboard_busy"));
  }
}
