// SPDX-License-Identifier: MPL-2.0

/** The dashboard: everything that Thunderseal knows and can do, in sections. */

import { AccountCards } from "../shared/account_card.mjs";
import { HealthReport } from "../shared/health_report.mjs";
import { createHostWarning, drawHostWarning } from "../shared/host_warning.mjs";
import { Link } from "../shared/link.mjs";
import { MigrationSection } from "../shared/migration.mjs";
import { beginPage, find, pageReady } from "../shared/page.mjs";
import { Sections } from "./sections.mjs";

/** @typedef {import("../background/overview.mjs").Overview} Overview */

const link = new Link("dashboard", draw);
const sections = new Sections(document);
const cards = new AccountCards(find(document, "#accounts .cards"), link);
const migration = new MigrationSection(find(document, "#migration"), link);
const warning = createHostWarning(link);
find(document, "main").prepend(warning);
/** Set up with the first overview, which brings the language. */
let begun = false;

function begin() {
  new HealthReport(find(document, "#health .content"), link);
  sections.begin();
  begun = true;
}

/** @param {Overview} overview */
function draw(overview) {
  beginPage("dashboard_title");
  if (!begun) {
    begin();
  }
  drawHostWarning(warning, overview);
  cards.draw(overview.accounts);
  migration.refresh();
  find(document, "#accounts .empty").hidden = overview.accounts.length > 0;
  pageReady();
}
