// SPDX-License-Identifier: MPL-2.0

/** The way from nothing to mail: what happens at sign-in, the app, the accounts, the first check. */

import { AccountCards } from "../shared/account_card.mjs";
import { HealthReport } from "../shared/health_report.mjs";
import { createHostWarning, drawHostWarning } from "../shared/host_warning.mjs";
import { Link } from "../shared/link.mjs";
import { MigrationSection } from "../shared/migration.mjs";
import { beginPage, find, pageReady, say } from "../shared/page.mjs";
import { signInHost } from "../shared/sign_in_page.mjs";
import { text } from "../shared/texts.mjs";
import { AppChoice } from "./app_choice.mjs";
import { Steps } from "./steps.mjs";

/** States in which an account holds a sign-in that works, as far as is known. */
const SIGNED_IN = new Set(["ready", "renewing", "waiting"]);

/** @type {import("../background/overview.mjs").Overview|null} */
let overview = null;
/** @type {import("./app_choice.mjs").Configuration|null} */
let configuration = null;
/** Whether the first step was read to its end. */
let read = false;
/** @type {string|null} what the last health check found */
let found = null;
/** @type {HealthReport|null} set up with the first overview, which brings the language */
let report = null;

const link = new Link("welcome", arrived);
const warning = createHostWarning(link);
find(document, ".walk").before(warning);
const cards = new AccountCards(find(document, "#account-list"), link);
const migration = new MigrationSection(find(document, "#migration"), link);
const choice = new AppChoice(link, async () => {
  await learnConfiguration();
  steps.go("accounts");
});
const steps = new Steps(document, step => {
  read ||= step !== "signin";
  draw();
});

async function learnConfiguration() {
  configuration = await link.order("ask", { method: "policy.get", params: {} }).catch(() => configuration);
  draw();
}

/** @param {{overall: string}} made */
function onReport({ overall }) {
  found = overall;
  draw();
}

/** @param {import("../background/overview.mjs").Overview} next */
async function arrived(next) {
  const first = !overview;
  overview = next;
  beginPage("welcome_title");
  migration.refresh();
  report ??= new HealthReport(find(document, "#check-report"), link, { onReport });
  // Each time, as a setting may have been changed elsewhere; only the first is not drawn without it.
  const learnt = next.host.state === "connected" ? learnConfiguration() : null;
  if (first) {
    await learnt;
  }
  draw();
  pageReady();
}

function draw() {
  if (!overview) {
    return;
  }
  const { accounts } = overview;
  const signedIn = accounts.filter(({ state }) => SIGNED_IN.has(state)).length;
  drawHostWarning(warning, overview);
  const host = signInHost(configuration?.policy ?? {});
  for (const element of document.querySelectorAll("[data-host-text]")) {
    element.textContent = text(/** @type {HTMLElement} */ (element).dataset.hostText ?? "", host);
  }
  if (configuration) {
    choice.draw(configuration, signedIn > 0);
  }
  cards.draw(accounts);
  find(document, "#accounts-no-app").hidden = !configuration || choice.made;
  find(document, "#accounts-empty").hidden = accounts.length > 0;
  const outcome = signedIn === accounts.length ? "welcome_accounts_all" : "welcome_accounts_some";
  say(find(document, "#accounts-outcome"), signedIn ? text(outcome, String(signedIn), String(accounts.length)) : "");
  find(document, "#check-early").hidden = signedIn > 0;
  find(document, "#check-end").hidden = found === null || found === "fail";
  find(document, "#check-trouble").hidden = found !== "fail";
  const done = { signin: read, app: choice.made, accounts: signedIn > 0, check: found !== null };
  steps.draw(Object.entries(done).filter(([, is]) => is).map(([step]) => step));
}
