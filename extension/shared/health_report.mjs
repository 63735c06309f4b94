// SPDX-License-Identifier: MPL-2.0

/**
 * The health check as a part of a page: started, followed, cancelled, read, copied.
 * The page carries `health_report.css`.
 */

import { dateTime, list } from "./formats.mjs";
import { healthCheck } from "./health_check.mjs";
import { countsOf, groupsOf, keysOf } from "./health_order.mjs";
import { create, find, say, show } from "./page.mjs";
import { statusIcon } from "./status_icon.mjs";
import { sentencesOf, text } from "./texts.mjs";

/** @typedef {import("./health_order.mjs").Check} Check */
/** @typedef {import("./health_order.mjs").Report} Report */

/**
 * @typedef {object} HealthOptions
 * @property {(report: Report) => void} [onReport]
 */

/** @param {string} action @param {string} words @param {string} [kind] */
function button(action, words, kind = "") {
  return /** @type {HTMLButtonElement} */ (create("button", { "type": "button", "class": kind, "data-action": action, "data-text": words }));
}

export class HealthReport {
  #place;
  #link;
  #options;
  /** @type {AbortController|null} while a check runs */
  #running = null;
  /** @type {Map<string, {json: string, element: HTMLElement}>} */
  #drawn = new Map();

  /**
   * @param {HTMLElement} place an empty element
   * @param {import("./link.mjs").Link} link
   * @param {HealthOptions} [options]
   */
  constructor(place, link, options = {}) {
    this.#place = place;
    this.#link = link;
    this.#options = options;
    place.classList.add("health-report");
    place.append(
      create("div", { class: "overall" }, statusIcon("skipped"), create("div", {}, create("p", { class: "verdict", role: "status" }), create("p", { class: "counts" }))),
      create("progress", { "hidden": "", "max": "1", "value": "0", "data-label": "health_running" }),
      create("div", { class: "actions" }, button("checkHealth", "health_run", "primary"), button("cancelHealth", "cancel"), button("copyReport", "health_copy_report")),
      create("p", { class: "left-out", hidden: "" }),
      create("p", { class: "copied", role: "status" }),
      create("textarea", { "class": "report", "readonly": "", "hidden": "", "rows": "12", "data-label": "health_report" }),
      create("div", { class: "groups" }),
    );
    place.addEventListener("click", ({ target }) => this.#clicked(/** @type {Element} */ (target).closest("button")?.dataset.action));
    this.#enter("idle", "skipped", text("health_none"));
  }

  /** @param {string|undefined} action */
  #clicked(action) {
    switch (action) {
      case "checkHealth":
        this.run();
        break;
      case "cancelHealth":
        this.#running?.abort();
        break;
      case "copyReport":
        this.#copyReport();
        break;
    }
  }

  /** Checks now; one that is under way goes on. */
  async run() {
    if (this.#running) {
      return;
    }
    const controller = new AbortController();
    this.#running = controller;
    /** @type {Check[]} */
    const checks = [];
    this.#draw(checks);
    this.#follow(0, 1);
    this.#enter("running", "running", text("health_running"));
    const onProgress = (/** @type {{done: number, total: number, check: Check}} */ { done, total, check }) => {
      checks.push(check);
      this.#draw(checks);
      this.#follow(done, total);
    };
    try {
      const { report, leftOut = [] } = await this.#link.order("checkHealth", {}, { onProgress, signal: controller.signal });
      this.#running = null;
      this.#finished(report, leftOut);
    } catch (error) {
      this.#running = null;
      const { problem } = /** @type {import("./link.mjs").OrderFailed} */ (error);
      const cancelled = problem.kind === "cancelled";
      this.#enter(cancelled ? "cancelled" : "failed", cancelled ? "skipped" : "fail", cancelled ? text("health_cancelled") : sentencesOf(problem));
    }
  }

  /**
   * @param {Report} report
   * @param {import("../background/checked_servers.mjs").LeftOut[]} leftOut
   */
  #finished(report, leftOut) {
    this.#draw(report.checks);
    this.#enter("done", report.overall, text(`health_overall_${report.overall}`));
    const counts = countsOf(report.checks).filter(([, count]) => count > 0).map(([status, count]) => `${text(`health_status_${status}`)}: ${count}`);
    show(find(this.#place, ".counts"), [...counts, text("health_finished", dateTime(report.finishedAt))].join(" · "));
    const names = leftOut.map(({ account, hostname }) => text("health_server", account, hostname));
    show(find(this.#place, ".left-out"), names.length ? text("health_left_out", list(names)) : "");
    this.#options.onReport?.(report);
  }

  /**
   * @param {"idle"|"running"|"done"|"cancelled"|"failed"} state
   * @param {string} status
   * @param {string} verdict
   */
  #enter(state, status, verdict) {
    const running = state === "running";
    this.#place.dataset.state = state;
    find(this.#place, ".overall").dataset.status = status;
    find(this.#place, ".overall .status-icon").replaceWith(statusIcon(status));
    show(find(this.#place, ".verdict"), verdict);
    show(find(this.#place, ".counts"), "");
    show(find(this.#place, ".left-out"), "");
    find(this.#place, "progress").hidden = !running;
    const [start, cancel, copy] = ["checkHealth", "cancelHealth", "copyReport"].map(action => find(this.#place, `[data-action="${action}"]`));
    start.textContent = text(state === "idle" ? "health_run" : "health_again");
    start.dataset.text = state === "idle" ? "health_run" : "health_again";
    start.ariaDisabled = String(running);
    if (cancel === document.activeElement && !running) {
      start.focus();
    }
    cancel.hidden = !running;
    copy.hidden = state !== "done";
    this.#hideReport();
  }

  /** @param {number} done @param {number} total */
  #follow(done, total) {
    const progress = /** @type {HTMLProgressElement} */ (find(this.#place, "progress"));
    progress.max = total;
    progress.value = done;
    if (done) {
      show(find(this.#place, ".counts"), text("health_progress", String(done), String(total)));
    }
  }

  /** @param {Check[]} checks those that are there keep their elements, open details and focus */
  #draw(checks) {
    const groups = groupsOf([...checks]);
    const keys = keysOf(groups.flatMap(group => group.checks));
    const kept = new Map([...keys].map(([check, key]) => [key, this.#elementFor(check, key)]));
    this.#drawn = kept;
    const place = find(this.#place, ".groups");
    groups.forEach((group, index) => {
      const section = /** @type {HTMLElement} */ (place.children[index] ?? place.appendChild(create("section", {}, create("h3"), create("ul"))));
      show(find(section, "h3"), group.account ?? text("health_general"));
      const rows = find(section, "ul");
      group.checks.forEach((check, row) => {
        const { element } = /** @type {{element: HTMLElement}} */ (kept.get(keys.get(check) ?? ""));
        if (rows.children[row] !== element) {
          rows.insertBefore(element, rows.children[row] ?? null);
        }
      });
      [...rows.children].slice(group.checks.length).forEach(row => row.remove());
    });
    [...place.children].slice(groups.length).forEach(section => section.remove());
  }

  /** @param {Check} check @param {string} key */
  #elementFor(check, key) {
    const json = JSON.stringify(check);
    const present = this.#drawn.get(key);
    return present?.json === json ? present : { json, element: healthCheck(check) };
  }

  /** The text is shown too: who pastes it somewhere has seen what it says. */
  async #copyReport() {
    const note = find(this.#place, ".copied");
    try {
      const { report } = await this.#link.order("ask", { method: "report.create" });
      const area = /** @type {HTMLTextAreaElement} */ (find(this.#place, ".report"));
      area.value = report;
      area.hidden = false;
      say(note, await navigator.clipboard.writeText(report).then(() => text("health_report_copied"), () => text("health_report_copy_failed")));
    } catch (error) {
      say(note, sentencesOf(/** @type {import("./link.mjs").OrderFailed} */ (error).problem));
    }
  }

  #hideReport() {
    say(find(this.#place, ".copied"), "");
    find(this.#place, ".report").hidden = true;
  }
}
