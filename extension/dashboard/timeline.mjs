// SPDX-License-Identifier: MPL-2.0

/** The picture of a sign-in's times: a bar from its beginning to its end, filled as far as time has gone. */

import { dateTime } from "../shared/formats.mjs";
import { svg } from "../shared/status_icon.mjs";
import { create } from "../shared/page.mjs";
import { text } from "../shared/texts.mjs";

/** @typedef {import("./token_times.mjs").Track} Track */

const HEIGHT = 22;
const BAR_HEIGHT = 8;
const MIDDLE = HEIGHT / 2;
const RADIUS = 6;

/** @param {number} share */
const percent = share => `${(share * 100).toFixed(2)}%`;

/** @param {Track} track */
export function trackTitle({ name, resource }) {
  return text(name === "signIn" ? "dashboard_track_signIn" : "dashboard_track_token", resource);
}

/** @param {Track} track */
function words(track) {
  const marks = track.marks.map(({ name, at }) => `${text(`dashboard_time_${name}`)}: ${dateTime(at)}`);
  return [text("dashboard_track_words", trackTitle(track), dateTime(track.start), dateTime(track.end), String(Math.round(track.now * 100))), ...marks].join(". ");
}

/** @param {Track} track */
function bar(track) {
  const picture = svg("svg", { "class": "track", "width": "100%", "height": String(HEIGHT), "role": "img", "aria-label": words(track) });
  const line = { y: String(MIDDLE - BAR_HEIGHT / 2), height: String(BAR_HEIGHT), rx: String(BAR_HEIGHT / 2) };
  picture.append(svg("rect", { ...line, class: "whole", width: "100%" }), svg("rect", { ...line, class: "gone", width: percent(track.now) }));
  for (const { name, place } of track.marks) {
    picture.append(svg("circle", { class: `mark ${name}`, cx: percent(place), cy: String(MIDDLE), r: String(RADIUS) }));
  }
  picture.append(svg("rect", { class: "now", x: percent(track.now), y: "1", width: "2", height: String(HEIGHT - 2) }));
  return picture;
}

/**
 * @param {Track[]} tracks
 * @returns {HTMLElement[]}
 */
export function timeline(tracks) {
  return tracks.map(track =>
    create(
      "figure",
      { class: "timeline" },
      create("figcaption", {}, trackTitle(track)),
      bar(track),
      create("p", { "class": "ends", "aria-hidden": "true" }, create("span", {}, dateTime(track.start)), create("span", {}, dateTime(track.end))),
    ));
}
