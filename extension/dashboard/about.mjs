// SPDX-License-Identifier: MPL-2.0

/** The section about versions: what works together here, and what the key store protects against. */

/* global browser */

import { create } from "../shared/page.mjs";
import { redraw } from "../shared/redraw.mjs";
import { text } from "../shared/texts.mjs";

/** Libraries by their name in the evidence of the check. */
const LIBRARIES = ["libcurl", "libsodium", "jansson"];

/** @param {[string, string|undefined][]} rows key of the name, and the value; without one there is no row */
function facts(rows) {
  const shown = rows.filter(([, value]) => value);
  return create("dl", { class: "facts" }, ...shown.flatMap(([name, value]) => [create("dt", { "data-text": `dashboard_about_${name}` }), create("dd", { "data-fact": name }, value ?? "")]));
}

/** @param {string} name @param {HTMLElement} content */
function card(name, content) {
  return create("section", { class: "card" }, create("h3", { "data-text": `dashboard_about_${name}_title` }), content);
}

export class AboutSection {
  #versions;
  #store;
  #link;
  /** @type {import("../background/overview.mjs").Overview["host"]|null} */
  #host = null;
  /** What keeps this Thunderbird from being supported, as it is called in Thunderbird. @type {string|null} */
  #obstacle = null;

  /**
   * @param {HTMLElement} place
   * @param {import("../shared/link.mjs").Link} link
   */
  constructor(place, link) {
    this.#link = link;
    this.#versions = create("div");
    this.#store = create("div");
    const page = (/** @type {string} */ name) => create("button", { "type": "button", "data-page": name, "data-text": `dashboard_about_${name}` });
    place.append(
      card("versions", this.#versions),
      card("store", this.#store),
      card("pages", create("div", { class: "actions" }, page("safely"), page("admins"), page("welcome"))),
    );
    place.addEventListener("click", ({ target }) => {
      const { page: name } = /** @type {HTMLElement} */ (target).dataset;
      if (name) {
        link.order("openWelcome", { page: name });
      }
    });
  }

  /** @param {import("../background/overview.mjs").Overview} overview */
  draw({ host, bridge }) {
    this.#host = host;
    this.#obstacle = bridge.obstacle;
  }

  /** The program tells of its libraries and its key store as it does in a health check. */
  async refresh() {
    const { version: thunderbird } = await browser.runtime.getBrowserInfo();
    const report = await this.#link.order("checkHealth", { checks: ["versions", "vault"] }).then(answer => answer.report, () => null);
    const evidence = (/** @type {string} */ id) => report?.checks.find((/** @type {any} */ check) => check.id === id)?.evidence ?? {};
    const versions = evidence("versions");
    const { store, protection } = evidence("vault");
    const { features = [], protocol } = this.#host ?? {};
    redraw(this.#versions, [facts([
      ["addon", browser.runtime.getManifest().version],
      ["program", versions.host || this.#host?.version],
      ["protocol", protocol ? String(protocol) : ""],
      ["features", features.join(", ") || text("dashboard_about_none")],
      ["thunderbird", thunderbird],
      ["obstacle", this.#obstacle ?? ""],
      ["libraries", LIBRARIES.map(name => versions[name] && (versions[name].startsWith(name) ? versions[name] : `${name} ${versions[name]}`)).filter(Boolean).join(", ")],
    ])]);
    const named = store ? text(`dashboard_choice_keystore_${store.replaceAll("-", "_")}`) : "";
    redraw(this.#store, [facts([["key", named || store], ["protection", (store && text(`dashboard_protection_${store.replaceAll("-", "_")}`)) || protection]])]);
  }
}
