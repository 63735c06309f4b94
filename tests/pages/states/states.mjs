// SPDX-License-Identifier: MPL-2.0

/** All appearances of an account on one page, by the card that the add-on's pages use. */

/* global document */

import { AccountCards } from "/shared/account_card.mjs";
import { Link } from "/shared/link.mjs";
import { beginPage, pageReady } from "/shared/page.mjs";
import { text } from "/shared/texts.mjs";

const link = new Link("states", ({ accounts }) => {
  beginPage("extensionName");
  document.querySelector("h1").textContent = text("actionTitle");
  cards.draw(accounts);
  pageReady();
});
const cards = new AccountCards(document.querySelector("#accounts"), link);
