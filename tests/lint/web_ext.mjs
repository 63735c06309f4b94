// SPDX-License-Identifier: MPL-2.0

/**
 * What the linter of Mozilla's add-on site says of the add-on. Everything it finds counts, warnings and notices too,
 * but that Experiments are for privileged add-ons: this one brings an Experiment, and Thunderbird lets it.
 *
 * The linter knows Firefox. It demands of the manifest a word on data collection (which Thunderbird reads too) and a
 * version for Android that knows that word; and it knows no API of Thunderbird's own. Those are called by their name in
 * Thunderbird, `messenger`, which it leaves alone: tsc checks them.
 */

import { spawnSync } from "node:child_process";

const PROGRAM = new URL("../node_modules/web-ext/bin/web-ext.js", import.meta.url).pathname;
const ADD_ON = new URL("../../extension", import.meta.url).pathname;

/** @param {{code: string, message: string}} finding */
function isThatOfExperiments({ code, message }) {
  return code === "MANIFEST_FIELD_PRIVILEGED" && message.startsWith("/experiment_apis:");
}

const { stdout, stderr } = spawnSync(
  process.execPath,
  [PROGRAM, "lint", "--source-dir", ADD_ON, "--no-config-discovery", "--output", "json"],
  // It would ask the registry for a newer version of itself.
  { encoding: "utf8", env: { ...process.env, NO_UPDATE_NOTIFIER: "1" } },
);
if (!stdout.trimStart().startsWith("{")) {
  console.error(`web-ext did not say what it found: ${stdout}${stderr}`);
  process.exit(1);
}
const { errors, warnings, notices } = JSON.parse(stdout);
const findings = [...errors, ...warnings, ...notices];
const counted = findings.filter(finding => !isThatOfExperiments(finding));
for (const { _type, code, message, description, file, line, column } of counted) {
  console.error([`extension/${file ?? ""}`, line, column].filter(Boolean).join(":"), `${_type}: ${message} ${description} [${code}]`);
}
if (counted.length === findings.length) {
  // A linter that no longer sees the Experiment has not read the manifest.
  console.error("web-ext did not mention the Experiment: has it looked at the add-on?");
  process.exit(1);
}
process.exit(counted.length ? 1 : 0);
