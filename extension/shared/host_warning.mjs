// SPDX-License-Identifier: MPL-2.0

/** What is wrong with the program or with this Thunderbird, above everything else. The page carries `account_card.css`. */

import { create, find, keepFocus, show } from "./page.mjs";
import { text } from "./texts.mjs";

/**
 * @param {import("./link.mjs").Link} link
 * @returns {HTMLElement} hidden until {@link drawHostWarning} finds something wrong
 */
export function createHostWarning(link) {
  const retry = create("button", { "type": "button", "data-action": "retryHost", "data-text": "tryAgain" });
  retry.addEventListener("click", () => {
    if (retry.ariaDisabled !== "true") {
      // Not disabled, as the focus would be lost; the next overview lets it be pressed again.
      retry.ariaDisabled = "true";
      link.order("act", { action: "retryHost" });
    }
  });
  return create("section", { class: "host-warning", role: "alert", hidden: "" }, create("h2", { tabindex: "-1" }), create("p"), retry);
}

/**
 * @param {HTMLElement} warning
 * @param {import("../background/overview.mjs").Overview} overview
 */
export function drawHostWarning(warning, overview) {
  const heading = () => find(document, warning.hidden ? "h1" : ".host-warning h2");
  keepFocus(warning, () => draw(warning, overview), heading);
}

/**
 * @param {HTMLElement} warning
 * @param {import("../background/overview.mjs").Overview} overview
 */
function draw(warning, { host, bridge }) {
  const aside = host.state !== "connected" && host.state !== "connecting";
  warning.dataset.state = host.state;
  warning.hidden = !aside && bridge.installed && !bridge.lacksCloud;
  const ofThunderbird = bridge.installed ? [text("cloudMissingTitle"), text("cloudMissing")] : [text("bridgeMissingTitle"), text("bridgeMissing")];
  const ofHost = () => [text(`host_${host.state}_title`), `${text(`host_${host.state}_remedy`)} ${text(`until_${host.fallback}`)}`];
  const [title, words] = aside ? ofHost() : ofThunderbird;
  show(find(warning, "h2"), title);
  show(find(warning, "p"), words);
  const retry = find(warning, "button");
  retry.hidden = !aside;
  retry.ariaDisabled = null;
}
