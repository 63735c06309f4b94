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

/** @param {import("../background/overview.mjs").Overview} overview */
function draw(overview) {
  const { host, accounts } = overview;
  beginPage("extensionName");
  show(find(document, "#version"), host.state === "connected" ? text("version", host.version) : "");
  drawHostWarning(warning, overview);
  cards.draw(accounts);
  find(document, "#empty").hidden = accounts.length > 0;
  pageReady();
}

for (const [button, order] of [["#dashboard", "openDashboard"], ["#welcome", "openWelcome"]]) {
  find(document, button).addEventListener("click", async () => {
    await link.order(order);
    window.close();
  });
}
