// SPDX-License-Identifier: MPL-2.0

/** The add-on's texts: the same in every language, all of them used, and no words outside of them. */

import assert from "node:assert/strict";
import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { EXTENSION } from "./page_browser.mjs";

/** @param {string} path @returns {Promise<string>} */
const source = path => readFile(join(EXTENSION, path), "utf8");

/** @param {string} pattern */
const files = async pattern => (await Array.fromAsync(glob(pattern, { cwd: EXTENSION }))).sort();

/** @param {string} language @returns {Promise<Record<string, {message: string}>>} */
const messagesOf = async language => JSON.parse(await source(`_locales/${language}/messages.json`));

const languages = (await files("_locales/*/messages.json")).map(path => path.split("/")[1]);
const reference = await messagesOf("en");
const keys = Object.keys(reference);

const scripts = await Promise.all((await files("**/*.mjs")).map(async path => ({ path, text: await source(path) })));
const pages = await Promise.all((await files("**/*.html")).map(async path => ({ path, text: await source(path) })));
const manifest = await source("manifest.json");

/** Comments have words for whoever reads the source. @param {string} text */
const withoutComments = text => text.replaceAll(/\/\*[\s\S]*?\*\/|<!--[\s\S]*?-->|^\s*\/\/.*$/gm, "");

/** @param {string} message @returns {string[]} $1, $2…, each once */
const placeholders = message => [...new Set(message.match(/\$[1-9]/g) ?? [])].sort();

test("no key stands twice, and every language has the same keys", async () => {
  assert.ok(languages.length >= 2);
  for (const language of languages) {
    const written = [...(await source(`_locales/${language}/messages.json`)).matchAll(/^ {2}"(\w+)":/gm)].map(([, key]) => key);
    assert.deepEqual(written.filter((key, index) => written.indexOf(key) !== index), [], language);
    assert.deepEqual(written.slice().sort(), keys.slice().sort(), language);
  }
});

test("a text has the same placeholders in every language, and words", async () => {
  for (const language of languages) {
    const messages = await messagesOf(language);
    for (const key of keys) {
      assert.deepEqual(placeholders(messages[key].message), placeholders(reference[key].message), `${language}: ${key}`);
      assert.match(messages[key].message, /\S/, `${language}: ${key}`);
    }
  }
});

/**
 * Keys as the sources name them: literals of any quotes, and templates whose parts are filled in.
 * @returns {{literals: Set<string>, patterns: RegExp[]}}
 */
function mentions() {
  const literals = new Set(/** @type {string[]} */ ([]));
  const patterns = [];
  for (const { text } of scripts) {
    const code = withoutComments(text);
    for (const [, , literal] of code.matchAll(/(["'])([\w-]+)\1/g)) {
      literals.add(literal);
    }
    for (const [, template] of code.matchAll(/`((?:[\w-]|\$\{[^}`]*\})+)`/g)) {
      const parts = template.split(/\$\{[^}]*\}/);
      // One that is all filled in says nothing.
      if (parts.some(part => part.length > 2)) {
        patterns.push(new RegExp(`^${parts.map(part => part.replaceAll("-", "[-_]")).join("\\w+")}$`));
      }
    }
  }
  for (const { text } of pages) {
    for (const [, key] of text.matchAll(/data-(?:text|label)="(\w+)"/g)) {
      literals.add(key);
    }
  }
  for (const [, key] of manifest.matchAll(/__MSG_(\w+)__/g)) {
    literals.add(key);
  }
  return { literals, patterns };
}

test("every text is used", () => {
  const { literals, patterns } = mentions();
  const used = (/** @type {string} */ key) => literals.has(key) || patterns.some(pattern => pattern.test(key));
  assert.deepEqual(keys.filter(key => !used(key)), []);
});

test("every text that is asked for is there", () => {
  const there = new Set(keys);
  const missing = [];
  for (const { path, text } of scripts) {
    for (const [, key] of withoutComments(text).matchAll(/\btext\(\s*"([^"]*)"/g)) {
      missing.push(...(there.has(key) ? [] : [`${path}: ${key}`]));
    }
    for (const [, key] of withoutComments(text).matchAll(/"data-(?:text|label)": "([^"]*)"/g)) {
      missing.push(...(there.has(key) ? [] : [`${path}: ${key}`]));
    }
    for (const [, template] of withoutComments(text).matchAll(/\btext\(\s*`([^`]*)`/g)) {
      const pattern = new RegExp(`^${template.split(/\$\{[^}]*\}/).join("\\w+")}$`);
      missing.push(...(keys.some(key => pattern.test(key)) ? [] : [`${path}: ${template}`]));
    }
  }
  for (const { path, text } of pages) {
    for (const [, key] of text.matchAll(/data-(?:text|label)="([^"]*)"/g)) {
      missing.push(...(there.has(key) ? [] : [`${path}: ${key}`]));
    }
  }
  for (const [, key] of manifest.matchAll(/__MSG_(\w+)__/g)) {
    missing.push(...(there.has(key) ? [] : [`manifest.json: ${key}`]));
  }
  assert.deepEqual(missing, []);
});

/** Two words in a row, or one that begins a sentence: what a person would read. */
const WORDS = /\p{L}{2,}\s+\p{L}{2,}|^\p{Lu}\p{Ll}+[.…!?]?$/u;

test("no page has words of its own", () => {
  for (const { path, text } of pages) {
    const page = withoutComments(text);
    const shown = page.replace(/^[\s\S]*<body[^>]*>/, "").replaceAll(/<[^>]*>/g, "\n").split("\n").map(line => line.trim());
    assert.deepEqual(shown.filter(line => /\p{L}/u.test(line)), [], path);
    const attributes = [...page.matchAll(/\b(?:title|alt|placeholder|aria-label|aria-description|aria-roledescription)="([^"]*)"/g)].map(([, value]) => value);
    assert.deepEqual(attributes.filter(value => /\p{L}/u.test(value)), [], path);
    assert.doesNotMatch(page, /<title>[^<]*\p{L}/u, path);
  }
});

/** Where a literal would be shown: assigned to what is read, or given to a notification, a title or an element. */
const SHOWN = [
  /\.(?:textContent|innerText|title|placeholder|ariaLabel|ariaDescription|alt)\s*=\s*([^;]*);/g,
  /\bshow\(([^;]*)\);/g,
  /\b(?:title|message|aria-label|placeholder|label|contextMessage)"?:\s*([^,\n]*)/g,
  /\bcreate\(([^;]*?)\)[,;]/gs,
  /\.append\(([^;]*)\);/g,
  /\b(?:say|answer|alert|confirm|prompt)\(([^;]*)\);/g,
];

test("no script shows words of its own", () => {
  const found = [];
  for (const { path, text } of scripts) {
    const code = withoutComments(text).replaceAll(/"?class"?: "[^"]*"/g, "");
    for (const place of SHOWN) {
      for (const [, shown] of code.matchAll(place)) {
        const literals = [...shown.matchAll(/"([^"\n]*)"|'([^'\n]*)'|`([^`]*)`/g)].map(([, a, b, c]) => a ?? b ?? c.replaceAll(/\$\{[^}]*\}/g, ""));
        found.push(...literals.filter(literal => WORDS.test(literal)).map(literal => `${path}: ${literal}`));
      }
    }
  }
  assert.deepEqual(found, []);
});
