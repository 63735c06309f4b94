// SPDX-License-Identifier: MPL-2.0

/** Draws what the background says and sends back which button was pressed. */

import { AccountCards } from "../shared/account_card.mjs";
import { createHostWarning, drawHostWarning } from "../shared/host_warning.mjs";
import { Link } from "../shared/link.mjs";
import { beginPage, find, pageReady, show } from "../shared/page.mjs";
import { text } from "../shared/texts.mjs";

const link = new Link("popup", draw);
const cards = new AccountCards(find(document, "#accounts"), link);
const warning = createHostWarning(link);
find(document, "main").before(warning);

/** So many cards fill the window; the others can come when it is there. */
const FIRST_CARDS = 8;
const LONGEST_WAIT_MS = 1_000;

/** @type {import("../background/overview.mjs").AccountView[]|null} the newest */
let views = null;

/** @param {import("../background/overview.mjs").AccountView[]} accounts */
function drawCards(accounts) {
  const isFirst = !views;
  views = accounts;
  cards.draw(isFirst ? accounts.slice(0, FIRST_CARDS) : accounts);
  if (isFirst && accounts.length > FIRST_CARDS) {
    requestAnimationFrame(() => requestAnimationFrame(() => cards.draw(views ?? [])));
  }
}

// Where nothing comes that could be drawn, the buttons below are there all the same.
setTimeout(() => {
  beginPage("extensionName");
  pageReady();
}, LONGEST_WAIT_MS);

/** @param {import("../background/overview.mjs").Overview} overview */
function draw(overview) {
  const { host, accounts } = overview;
  beginPage("extensionName");
  show(find(document, "#version"), host.state === "connected" ? text("version", host.version) : "");
  drawHostWarning(warning, overview);
  drawCards(accounts);
  find(document, "#empty").hidden = accounts.length > 0;
  pageReady();
}

for (const [button, order] of [["#dashboard", "openDashboard"], ["#welcome", "openWelcome"]]) {
  find(document, button).addEventListener("click", async () => {
    await link.order(order);
    window.close();
  });
}
