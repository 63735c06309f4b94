// SPDX-License-Identifier: MPL-2.0

/** Starts the add-on. The token listener comes first: mail checks may be waiting for it already. */

/* global browser, messenger */

import { Companion } from "./companion.mjs";
import { Migration } from "./migration.mjs";
import { Notices } from "./notices.mjs";
import { ordersOf } from "./orders.mjs";
import { PageTabs } from "./page_tabs.mjs";
import { Pages } from "./pages.mjs";
import { Welcome } from "./welcome.mjs";

const tabs = new PageTabs();
const notices = new Notices(() => tabs.openPopup());
const companion = new Companion(notices, () => {
  pages.refresh();
  tabs.addButton();
  migration.consider();
  welcome.consider();
});
const welcome = new Welcome(companion.host);
const migration = new Migration({
  companion,
  bridge: messenger.tokenBridge,
  storage: browser.storage.local,
  notices,
  onChange: () => pages.refresh(),
  openSection: () => tabs.openDashboard({ section: "accounts" }),
});
const pages = new Pages(() => companion.overview(), ordersOf(companion, { tabs, migration, welcome }));

// For pages that are just opening: asking for it takes them longer than drawing it.
Object.assign(window, { lastOverview: () => pages.last });

messenger.tokenBridge.onTokenRequest.addListener(request => companion.answerToken(request));

browser.runtime.onConnect.addListener(port => (port.name === "unlock" ? companion.unlocking.attend(port) : pages.attend(port)));

companion.start();
migration.start();
