// SPDX-License-Identifier: MPL-2.0

/**
 * Every page of the add-on, in every scene of its fixture, both themes and both languages: no barrier that axe-core knows,
 * nothing that does not fit, no error. Pictures are left in build/pages/.
 */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { glob, readFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { EXTENSION, PageBrowser } from "./page_browser.mjs";

const PICTURES = resolve(import.meta.dirname, "../../build/pages");

/** Nobody sees it. */
const BACKGROUND = "background/background.html";

/** As wide as a window of 1,280 pixels at 400 %, which the accessibility guidelines name (WCAG 2.2, 1.4.10). */
const NARROW = 320;

const pages = (await Array.fromAsync(glob("**/*.html", { cwd: EXTENSION }))).filter(page => page !== BACKGROUND).sort();
assert.ok(pages.length);

/** @type {PageBrowser} */
let browser;

before(async () => {
  browser = await PageBrowser.start();
});

after(() => browser.stop());

/**
 * @param {string} page
 * @returns {Promise<import("./page_browser.mjs").Fixture>}
 */
async function fixtureOf(page) {
  const file = join(import.meta.dirname, "fixtures", `${basename(page, ".html")}.mjs`);
  assert.ok(existsSync(file), `extension/${page} has no scenes: write ${file}, like those beside it`);
  const { default: fixture } = await import(file);
  assert.equal(fixture.file, page);
  return fixture;
}

/** @param {number} width as Thunderbird shows the page */
async function checkRoom(width) {
  for (const [name, across, size] of /** @type {[string, number, number][]} */ ([["as usual", width, 1], ["in a narrow window", NARROW, 1], ["with text of twice the size", width, 2]])) {
    await browser.resize(across);
    await browser.setTextSize(size);
    assert.deepEqual(await browser.overflowing(), [], name);
  }
  await browser.resize(width);
  await browser.setTextSize(1);
}

for (const page of pages) {
  test(`${page}: no barrier, nothing cut off, no error`, async t => {
    const fixture = await fixtureOf(page);
    const name = basename(page, ".html");
    for (const [sceneName, scene] of Object.entries(fixture.scenes)) {
      for (const language of /** @type {const} */ (["en", "de"])) {
        await t.test(`${sceneName} (${language})`, async () => {
          await browser.open(fixture, scene, language);
          await checkRoom(fixture.width);
          for (const theme of /** @type {const} */ (["light", "dark"])) {
            await browser.setTheme(theme);
            await browser.photograph(join(PICTURES, `${name}-${sceneName}-${theme}-${language}.png`));
            assert.deepEqual(await browser.violations(), [], theme);
          }
          assert.deepEqual(await browser.complaints(), []);
        });
      }
    }
  });
}

test("no page has code or style inside", async () => {
  for (const page of [...pages, BACKGROUND]) {
    const source = await readFile(join(EXTENSION, page), "utf8");
    assert.doesNotMatch(source, /<style|\bstyle=|\bon\w+=|javascript:|<script(?![^>]*\bsrc=)/i, page);
  }
});

/** @param {string} script @param {Set<string>} [found] @returns {Promise<Set<string>>} what it imports, and what that imports */
async function imports(script, found = new Set()) {
  for (const [, path] of (await readFile(join(EXTENSION, script), "utf8")).matchAll(/^(?:import|export) [^;]*?from "(\.[^"]*)";/gm)) {
    const imported = join(dirname(script), path);
    if (!found.has(imported)) {
      found.add(imported);
      await imports(imported, found);
    }
  }
  return found;
}

test("a page that has its modules loaded ahead names them all", async () => {
  for (const page of pages) {
    const source = await readFile(join(EXTENSION, page), "utf8");
    const ahead = [...source.matchAll(/rel="modulepreload" href="([^"]*)"/g)].map(([, path]) => join(dirname(page), path));
    const script = /<script type="module" src="([^"]*)"/.exec(source)?.[1] ?? "";
    assert.ok(!ahead.length || script);
    if (ahead.length) {
      assert.deepEqual(ahead.sort(), [...await imports(join(dirname(page), script))].sort(), page);
    }
  }
});
