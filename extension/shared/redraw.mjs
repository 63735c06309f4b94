// SPDX-License-Identifier: MPL-2.0

/** Draws anew what may be in use: what is alike stays, so that a screen reader keeps its place and a list stays open. */

/** @param {Node} node @returns {string|undefined} what it is about, where its place among others may change */
const keyOf = node => /** @type {Partial<HTMLElement>} */ (node).dataset?.key;

/**
 * @param {Element} element
 * @param {Element} wanted
 */
function takeAttributes(element, wanted) {
  for (const { name } of [...element.attributes]) {
    if (!wanted.hasAttribute(name)) {
      element.removeAttribute(name);
    }
  }
  for (const { name, value } of wanted.attributes) {
    if (element.getAttribute(name) !== value) {
      element.setAttribute(name, value);
    }
  }
}

/**
 * @param {Node} node
 * @param {Node} wanted of the same name
 */
function makeLike(node, wanted) {
  if (node instanceof Element && wanted instanceof Element) {
    takeAttributes(node, wanted);
    redraw(node, [...wanted.childNodes]);
  } else if (node.nodeValue !== wanted.nodeValue) {
    node.nodeValue = wanted.nodeValue;
  }
}

/**
 * Has an element hold what is wanted. Children with a `data-key` are known by it, others by their place.
 * @param {Element} place
 * @param {Node[]} wanted used up
 */
export function redraw(place, wanted) {
  const keys = new Set(wanted.flatMap(node => keyOf(node) ?? []));
  [...place.children].filter(child => !keys.has(keyOf(child) ?? "") && keyOf(child) !== undefined).forEach(child => child.remove());
  const known = new Map([...place.children].flatMap(child => (keyOf(child) === undefined ? [] : [[keyOf(child), child]])));
  let next = place.firstChild;
  for (const node of wanted) {
    const key = keyOf(node);
    const present = key === undefined ? next : known.get(key);
    if (present && present.nodeName === node.nodeName && keyOf(present) === key) {
      known.delete(key);
      if (present !== next) {
        place.insertBefore(present, next);
      }
      makeLike(present, node);
      next = present.nextSibling;
    } else {
      place.insertBefore(node, next);
    }
  }
  while (next) {
    const rest = next.nextSibling;
    place.removeChild(next);
    next = rest;
  }
}
