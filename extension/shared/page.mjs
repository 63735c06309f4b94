// SPDX-License-Identifier: MPL-2.0

/** What the pages of the add-on do with their documents. */

import { language, text } from "./texts.mjs";

/**
 * @param {ParentNode} root
 * @param {string} selector of an element that is there
 * @returns {HTMLElement}
 */
export function find(root, selector) {
  return /** @type {HTMLElement} */ (root.querySelector(selector));
}

/**
 * Shows a text, or hides the element where there is none.
 * @param {HTMLElement} element
 * @param {string|null|undefined} words
 */
export function show(element, words) {
  element.hidden = !words;
  if (element.textContent !== (words ?? "")) {
    element.textContent = words ?? "";
  }
}

/**
 * Has a live region say something. It is always there, so that a screen reader hears when it is filled; empty it takes no room.
 * @param {HTMLElement} region
 * @param {string|null|undefined} words
 */
export function say(region, words) {
  if (region.textContent !== (words ?? "")) {
    region.textContent = words ?? "";
  }
}

/**
 * Draws a part of the page. Where what had the keyboard's focus is gone by that, the focus goes to a heading: not to another
 * button, where a key that is pressed twice would do what nobody asked for.
 * @param {HTMLElement} part
 * @param {() => void} draw
 * @param {() => HTMLElement} heading that is there then; it takes the focus (`tabindex="-1"`)
 */
export function keepFocus(part, draw, heading) {
  const had = part.contains(document.activeElement);
  draw();
  if (had && !(part.contains(document.activeElement) && document.activeElement?.checkVisibility())) {
    heading().focus();
  }
}

/**
 * Fills `data-text` with the text of that key, `data-label` with an accessible name, `data-alt-text` that of a picture.
 * @param {ParentNode} root
 */
export function fillTexts(root) {
  for (const element of root.querySelectorAll("[data-text]")) {
    element.textContent = text(/** @type {HTMLElement} */ (element).dataset.text ?? "");
  }
  for (const element of root.querySelectorAll("[data-label]")) {
    element.ariaLabel = text(/** @type {HTMLElement} */ (element).dataset.label ?? "");
  }
  for (const picture of root.querySelectorAll("img[data-alt-text]")) {
    const image = /** @type {HTMLImageElement} */ (picture);
    image.alt = text(image.dataset.altText ?? "");
  }
}

/**
 * An element with its texts.
 * @param {string} tag
 * @param {Record<string, string>} [attributes]
 * @param {...(Node|string)} children
 * @returns {HTMLElement}
 */
export function create(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, value);
  }
  element.append(...children);
  if (element.dataset.text) {
    element.textContent = text(element.dataset.text);
  }
  if (element.dataset.label) {
    element.ariaLabel = text(element.dataset.label);
  }
  return element;
}

/**
 * The first element of a template, with its texts.
 * @param {string} id of the template
 * @returns {HTMLElement}
 */
export function fromTemplate(id) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById(id));
  const element = /** @type {HTMLElement} */ (/** @type {DocumentFragment} */ (template.content.cloneNode(true)).firstElementChild);
  fillTexts(element);
  return element;
}

/**
 * Titles the document, in the language that is in force, and fills in its texts; once for each language.
 * @param {string} title the key of its text
 */
export function beginPage(title) {
  if (document.title && document.documentElement.lang === language()) {
    return;
  }
  document.documentElement.lang = language();
  document.title = text(title);
  fillTexts(document);
}

/** For whoever waits until the page shows something. */
export function pageReady() {
  document.documentElement.dataset.ready = "true";
}
