// SPDX-License-Identifier: MPL-2.0

/** The dashboard: everything that Thunderseal knows and can do, in sections. */

import { AccountCards } from "../shared/account_card.mjs";
import { HealthReport } from "../shared/health_report.mjs";
import { createHostWarning, drawHostWarning } from "../shared/host_warning.mjs";
import { Link } from "../shared/link.mjs";
import { MigrationSection } from "../shared/migration.mjs";
import { beginPage, find, pageReady } from "../shared/page.mjs";
import { language } from "../shared/texts.mjs";
import { AboutSection } from "./about.mjs";
import { ActivitySection } from "./activity.mjs";
import { BackupSection } from "./backup.mjs";
import { Sections } from "./sections.mjs";
import { SettingsSection } from "./settings.mjs";
import { SignInsSection } from "./sign_ins.mjs";

/** @typedef {import("../background/overview.mjs").Overview} Overview */

const link = new Link("dashboard", draw);
const sections = new Sections(document);
const cards = new AccountCards(find(document, "#accounts .cards"), link);
const migration = new MigrationSection(find(document, "#migration"), link);
const warning = createHostWarning(link);
find(document, "main").prepend(warning);

/** Set up with the first overview, which brings the language. @type {Record<string, {refresh: () => void}>|null} */
let parts = null;
/** @type {AboutSection} */
let about;
/** @type {SettingsSection} */
let settings;

/** @param {string} id of a section */
const contentOf = id => find(document, `#${id} .content`);

function begin() {
  new HealthReport(contentOf("health"), link);
  new BackupSection(contentOf("backup"), link);
  about = new AboutSection(contentOf("about"), link);
  settings = new SettingsSection(contentOf("settings"), link);
  const kept = {
    signins: new SignInsSection(contentOf("signins"), link),
    activity: new ActivitySection(contentOf("activity"), link),
    settings,
  };
  Object.entries({ ...kept, about }).forEach(([id, part]) => sections.onShow(id, () => part.refresh()));
  parts = kept;
}

/** @param {Overview} overview */
function draw(overview) {
  const first = !parts;
  if (!first && document.documentElement.lang !== language()) {
    // Much of what is shown is put together of texts.
    location.reload();
    return;
  }
  beginPage("dashboard_title");
  if (first) {
    begin();
  }
  drawHostWarning(warning, overview);
  cards.draw(overview.accounts);
  migration.refresh();
  find(document, "#accounts .empty").hidden = overview.accounts.length > 0;
  about.draw(overview);
  settings.draw(overview);
  if (first) {
    sections.begin();
  } else {
    // Something has changed: what is in view is asked for anew.
    parts?.[sections.current]?.refresh();
  }
  pageReady();
}
