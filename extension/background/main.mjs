// SPDX-License-Identifier: MPL-2.0

/** Starts the add-on. The token listener comes first: mail checks may be waiting for it already. */

/* global browser */

import { Companion } from "./companion.mjs";
import { Notices } from "./notices.mjs";
import { ordersOf } from "./orders.mjs";
import { Pages } from "./pages.mjs";
import { openWebPage } from "./web_pages.mjs";
import { Welcome } from "./welcome.mjs";

const companion = new Companion(new Notices(), () => {
  pages.refresh();
  welcome.consider();
});
const welcome = new Welcome(companion.host);
const pages = new Pages(() => companion.overview(), {
  ...ordersOf(companion),
  openWebPage,
  openWelcome: ({ page }) => welcome.show(page),
});

browser.tokenBridge.onTokenRequest.addListener(request => companion.answerToken(request));

browser.runtime.onConnect.addListener(port => (port.name === "unlock" ? companion.unlocking.attend(port) : pages.attend(port)));

companion.start();
