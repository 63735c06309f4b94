// SPDX-License-Identifier: MPL-2.0

/** What the linter demands of the add-on and of the tests. */

import js from "@eslint/js";
import globals from "globals";

/** Globals of the scripts that run in Thunderbird's parent process. */
const PRIVILEGED = Object.fromEntries(
  ["Cc", "Ci", "Cu", "ChromeUtils", "ExtensionAPI", "ExtensionCommon", "Services", "console"].map(name => [name, "readonly"]),
);

export default [
  { ignores: ["**/node_modules/**", "build/**"] },
  js.configs.recommended,
  {
    languageOptions: { ecmaVersion: 2024, sourceType: "module" },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      eqeqeq: "error",
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-new-func": "error",
      "no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_", caughtErrorsIgnorePattern: "^_" }],
      "no-var": "error",
      "prefer-const": ["error", { destructuring: "all" }],
    },
  },
  {
    files: ["extension/**/*.mjs"],
    languageOptions: { globals: { ...globals.browser } },
    rules: {
      // House rule: text reaches a page as text.
      "no-restricted-properties": ["error", ...["innerHTML", "outerHTML", "insertAdjacentHTML"].map(property => ({ property }))],
    },
  },
  {
    files: ["extension/experiments/**/*.js"],
    languageOptions: { sourceType: "script", globals: PRIVILEGED },
    // `var` is how a script hands something to the one that loads it.
    rules: { "no-var": "off" },
  },
  {
    files: ["tests/**/*.mjs"],
    languageOptions: { globals: { ...globals.node } },
  },
];
