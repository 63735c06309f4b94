// SPDX-License-Identifier: MPL-2.0

/** A button that puts a text on the clipboard and says so. */

import { create } from "./page.mjs";
import { text } from "./texts.mjs";

/**
 * The button's own words say how it went: a screen reader that stands on it reads them.
 * @param {string} words what is copied
 * @returns {HTMLElement}
 */
export function copyButton(words) {
  const button = create("button", { type: "button", class: "copy" }, create("span", { "data-text": "health_copy", "role": "status" }));
  const label = /** @type {HTMLElement} */ (button.firstElementChild);
  button.addEventListener("click", async () => {
    label.textContent = await navigator.clipboard.writeText(words).then(() => text("health_copied"), () => text("health_copy_failed"));
  });
  return button;
}
