// SPDX-License-Identifier: MPL-2.0

/** Why an account could not be switched. */

import { text } from "../shared/texts.mjs";

export class MigrationFailed extends Error {
  /** @param {import("./rpc_client.mjs").Problem} problem */
  constructor(problem) {
    super(problem.cause ?? problem.kind);
    this.name = "MigrationFailed";
    this.kind = problem.kind;
    this.data = problem;
  }
}

/** @param {string} key of a text; the next step is beside it */
export function ownFailure(key) {
  return new MigrationFailed({ kind: "migration", cause: text(key), remedy: text(`${key}_remedy`) });
}
