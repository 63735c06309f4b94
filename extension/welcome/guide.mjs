// SPDX-License-Identifier: MPL-2.0

/** Pages to read: their texts, and links that the system's browser opens. */

import { Link } from "../shared/link.mjs";
import { beginPage, pageReady } from "../shared/page.mjs";
import { signInHost } from "../shared/sign_in_page.mjs";

const link = new Link("guide", draw);
/** @type {Promise<Record<string, any>>|null} */
let policy = null;

/** @param {import("../background/overview.mjs").Overview} overview */
async function draw({ host }) {
  beginPage(document.documentElement.dataset.pageText ?? "");
  if (host.state === "connected") {
    policy ??= link.order("ask", { method: "policy.get", params: {} }).then(answer => answer.policy, () => ({}));
  }
  const known = policy ? await policy : {};
  const name = signInHost(known);
  for (const element of document.querySelectorAll("[data-sign-in-host]")) {
    element.textContent = name;
  }
  // Microsoft's other pages are of one cloud too.
  for (const element of document.querySelectorAll("[data-cloud]")) {
    const { dataset } = /** @type {HTMLElement} */ (element);
    /** @type {HTMLElement} */ (element).hidden = !dataset.cloud?.split(" ").includes(known.cloud ?? "worldwide");
  }
  pageReady();
}

document.body.addEventListener("click", event => {
  const anchor = /** @type {Element} */ (event.target).closest("a");
  if (anchor?.protocol === "https:") {
    event.preventDefault();
    link.order("openWebPage", { address: anchor.href });
  }
});
