// SPDX-License-Identifier: MPL-2.0

/** The section about sign-ins: one card for each, with its times as a picture and as a table. */

import { dateTime, fromNow } from "../shared/formats.mjs";
import { create } from "../shared/page.mjs";
import { redraw } from "../shared/redraw.mjs";
import { text } from "../shared/texts.mjs";
import { timeline } from "./timeline.mjs";
import { identitiesOf, timesOf, tracksOf } from "./token_times.mjs";

/** Nobody watches a bar that shows hours for less than this. */
const REDRAW_MS = 30_000;

/** The picture's signs, where the table names what they stand for. */
const SIGNS = new Set(["lastUsed", "nextRenewal", "now"]);

/** @param {any} account @param {number} now */
function table(account, now) {
  const times = [...timesOf(account), { name: "now", resource: "", at: now }].sort((a, b) => a.at - b.at);
  const rows = times.map(({ name, resource, at }) =>
    create(
      "tr",
      { "data-time": name, "data-at": String(at), "data-key": `${name} ${resource}` },
      create("th", { scope: "row" }, ...(SIGNS.has(name) ? [create("span", { "class": `sign ${name}`, "aria-hidden": "true" })] : []), text(`dashboard_time_${name}`, resource)),
      create("td", {}, dateTime(at)),
      create("td", { class: "relative" }, name === "now" ? "" : fromNow(at, now)),
    ));
  return create("table", { class: "times", "data-label": "dashboard_times" }, create("tbody", {}, ...rows));
}

/**
 * @param {import("./token_times.mjs").Identity} identity
 * @param {number} now
 */
function card({ signInAs, accounts, newest }, now) {
  const tracks = tracksOf(newest, now);
  const others = accounts.filter(name => name.toLowerCase() !== signInAs.toLowerCase());
  const method = newest.method ? text(`dashboard_method_${newest.method}`) : "";
  return create(
    "li",
    { "class": "card identity", "data-identity": signInAs.toLowerCase(), "data-key": JSON.stringify([newest.cloud, newest.tenant, signInAs.toLowerCase()]) },
    create("h3", {}, signInAs),
    ...(others.length ? [create("p", { class: "quiet-text" }, text("dashboard_opens", others.join(", ")))] : []),
    ...(tracks.length
      ? [create("p", { class: "quiet-text" }, method), ...timeline(tracks), table(newest, now)]
      : [create("p", {}, text("dashboard_no_sign_in"))]),
  );
}

export class SignInsSection {
  #list;
  #empty;
  #link;
  /** @type {any[]} */
  #accounts = [];

  /**
   * @param {HTMLElement} place
   * @param {import("../shared/link.mjs").Link} link
   */
  constructor(place, link) {
    this.#link = link;
    this.#empty = create("p", { "hidden": "", "data-text": "dashboard_no_sign_ins" });
    this.#list = create("ul", { class: "cards" });
    place.append(this.#empty, this.#list);
    setInterval(() => this.#list.checkVisibility() && this.#draw(), REDRAW_MS);
  }

  /** Asks anew what the host knows; it has all of it in memory. */
  async refresh() {
    const accounts = [];
    for (let after = ""; ;) {
      const page = await this.#link.order("ask", { method: "account.list", params: after ? { after } : {} }).catch(() => null);
      if (!page) {
        return;
      }
      accounts.push(...page.accounts);
      if (!page.more) {
        break;
      }
      after = accounts[accounts.length - 1].account;
    }
    this.#accounts = accounts;
    this.#draw();
  }

  #draw() {
    const now = Date.now() / 1000;
    redraw(this.#list, identitiesOf(this.#accounts).map(identity => card(identity, now)));
    this.#empty.hidden = this.#accounts.length > 0;
  }
}
