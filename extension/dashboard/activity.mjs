// SPDX-License-Identifier: MPL-2.0

/** The section about the audit log: what happened, newest first, and whether the log is as it was written. */

import { create, find, say } from "../shared/page.mjs";
import { redraw } from "../shared/redraw.mjs";
import { statusIcon } from "../shared/status_icon.mjs";
import { sentencesOf, text } from "../shared/texts.mjs";
import { dateTime } from "../shared/formats.mjs";
import { detailsOf, eventWords } from "./activity_words.mjs";

/** One page more; the host gives no more than the second at once. */
const PAGE = 200;
const MOST = 1_000;

/** @typedef {import("./activity_words.mjs").Entry} Entry */

export class ActivitySection {
  #place;
  #link;
  #limit = PAGE;
  /** @type {Entry[]} */
  #entries = [];
  /** @type {Record<string, string>} addresses by the hash that the log has for them */
  #names = {};

  /**
   * @param {HTMLElement} place
   * @param {import("../shared/link.mjs").Link} link
   */
  constructor(place, link) {
    this.#place = place;
    this.#link = link;
    const account = create("select", { id: "activity-account" });
    const since = create("input", { id: "activity-since", type: "date" });
    const more = create("button", { "type": "button", "class": "older", "data-text": "dashboard_older" });
    place.append(
      create("div", { class: "verified" }, create("p", { role: "status" })),
      create("form", { class: "filters" },
        create("label", { "for": "activity-account", "data-text": "dashboard_filter_account" }), account,
        create("label", { "for": "activity-since", "data-text": "dashboard_filter_since" }), since),
      create("p", { class: "problem-text", role: "alert" }),
      create("table", { class: "activity" },
        create("thead", {}, create("tr", {}, ...["time", "event", "account", "details"].map(column => create("th", { "scope": "col", "data-text": `dashboard_column_${column}` })))),
        create("tbody")),
      create("p", { class: "none", hidden: "", "data-text": "dashboard_no_events" }),
      more,
    );
    account.addEventListener("change", () => this.#draw());
    since.addEventListener("change", () => this.#readAnew());
    find(place, "form").addEventListener("submit", event => event.preventDefault());
    more.addEventListener("click", () => {
      this.#limit = Math.min(this.#limit + PAGE, MOST);
      this.refresh();
    });
  }

  #readAnew() {
    this.#limit = PAGE;
    this.refresh();
  }

  /** @returns {number|undefined} Unix time at which the day begins that the user chose */
  #since() {
    const { value } = /** @type {HTMLInputElement} */ (find(this.#place, "#activity-since"));
    const start = value ? new Date(`${value}T00:00`).getTime() : NaN;
    return Number.isNaN(start) ? undefined : Math.max(0, Math.floor(start / 1000));
  }

  async refresh() {
    const since = this.#since();
    const ask = (/** @type {string} */ method, params = {}) => this.#link.order("ask", { method, params });
    try {
      const [{ entries, intact }, { names }] = await Promise.all([
        ask("audit.read", { limit: this.#limit, ...(since === undefined ? {} : { since }) }),
        // A program of an earlier version keeps them to itself.
        ask("audit.names").catch(() => ({ names: {} })),
      ]);
      const finding = intact ? null : await ask("audit.verify").then(verdict => verdict.finding, () => null);
      say(find(this.#place, ".problem-text"), "");
      this.#entries = entries;
      this.#names = names;
      this.#verified(intact, finding);
      this.#draw();
    } catch (error) {
      say(find(this.#place, ".problem-text"), sentencesOf(/** @type {import("../shared/link.mjs").OrderFailed} */ (error).problem));
    }
  }

  /**
   * @param {boolean} intact
   * @param {{damage: string, line: number}|null} finding
   */
  #verified(intact, finding) {
    const line = find(this.#place, ".verified");
    if (line.dataset.intact !== String(intact)) {
      line.dataset.intact = String(intact);
      line.querySelector(".status-icon")?.remove();
      line.prepend(statusIcon(intact ? "ok" : "fail"));
    }
    const where = finding ? ` ${text(`dashboard_damage_${finding.damage.replaceAll("-", "_")}`)}${finding.line ? ` ${text("dashboard_damage_line", String(finding.line))}` : ""}` : "";
    say(find(line, "p"), intact ? text("dashboard_intact") : `${text("dashboard_not_intact")}${where}`);
  }

  #draw() {
    const select = /** @type {HTMLSelectElement} */ (find(this.#place, "#activity-account"));
    const chosen = select.value;
    const hashes = [...new Set(this.#entries.flatMap(({ account }) => account ?? []))];
    const nameOf = (/** @type {string} */ hash) => this.#names[hash] ?? hash;
    const options = hashes.map(hash => create("option", { "value": hash, "data-key": hash }, nameOf(hash)));
    redraw(select, [create("option", { "value": "", "data-text": "dashboard_all_accounts" }), ...options]);
    select.value = hashes.includes(chosen) ? chosen : "";
    const shown = this.#entries.filter(({ account }) => !select.value || account === select.value).reverse();
    const rows = shown.map(entry =>
      create(
        "tr",
        { "data-event": entry.event, "data-key": String(entry.seq) },
        create("td", { class: "time" }, dateTime(entry.time)),
        create("td", {}, eventWords(entry)),
        create("td", { class: "who" }, entry.account ? nameOf(entry.account) : "–"),
        create("td", { class: "quiet-text" }, detailsOf(entry)),
      ));
    redraw(find(this.#place, "tbody"), rows);
    find(this.#place, ".activity").hidden = !rows.length;
    find(this.#place, ".none").hidden = rows.length > 0;
    find(this.#place, ".older").hidden = this.#entries.length < this.#limit || this.#limit === MOST;
  }
}
