// SPDX-License-Identifier: MPL-2.0

/** The sign of a status: each has a shape of its own, so that colour is never all there is. */

const SVG = "http://www.w3.org/2000/svg";

const CIRCLE = "M8 0a8 8 0 1 0 0 16A8 8 0 0 0 8 0z";
const RING = "M8 1.2a6.8 6.8 0 1 0 0 13.6A6.8 6.8 0 0 0 8 1.2z";

/** A filled shape, and the lines on it. */
const SHAPES = /** @type {Record<string, {body?: string, ring?: string, lines: string}>} */ ({
  ok: { body: CIRCLE, lines: "M4.4 8.4 7 11l4.8-5.6" },
  warn: { body: "M8 .8a1.3 1.3 0 0 1 1.1.6l6.7 11.7a1.3 1.3 0 0 1-1.1 1.9H1.3a1.3 1.3 0 0 1-1.1-1.9L6.9 1.4A1.3 1.3 0 0 1 8 .8z", lines: "M8 5.6v3.9M8 12.2v.1" },
  fail: { body: "M4.7 0h6.6L16 4.7v6.6L11.3 16H4.7L0 11.3V4.7z", lines: "M5.2 5.2l5.6 5.6M10.8 5.2l-5.6 5.6" },
  skipped: { ring: RING, lines: "M5 8h6" },
  running: { ring: RING, lines: "M8 4.4V8l2.4 1.6" },
});

/**
 * @param {string} tag
 * @param {Record<string, string>} attributes
 */
export function svg(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
  return element;
}

/**
 * @param {string} status "ok", "warn", "fail", "skipped" or "running"
 * @returns {SVGElement} without a name: the word stands beside it
 */
export function statusIcon(status) {
  const { body, ring, lines } = SHAPES[status] ?? SHAPES.skipped;
  const icon = svg("svg", { "class": "status-icon", "viewBox": "0 0 16 16", "aria-hidden": "true", "data-status": status });
  if (body) {
    icon.append(svg("path", { d: body, class: "body" }));
  }
  if (ring) {
    icon.append(svg("path", { d: ring, class: "ring" }));
  }
  icon.append(svg("path", { d: lines, class: body ? "lines" : "ring" }));
  return /** @type {SVGElement} */ (icon);
}
