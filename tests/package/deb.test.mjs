// SPDX-License-Identifier: MPL-2.0

/** What `make deb` promises of the file itself. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, readdir } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { builtPackage } from "./root.mjs";

const run = promisify(execFile);

const TOP = resolve(import.meta.dirname, "../..");

test("lintian finds neither an error nor a warning", { timeout: 300_000 }, async () => {
  const folder = dirname(await builtPackage("current"));
  const [changes] = (await readdir(folder)).filter(name => name.endsWith(".changes"));
  await run("lintian", ["--allow-root", "--fail-on", "error,warning", join(folder, changes)]).catch(error => {
    assert.fail(`${error.stdout}${error.stderr}`);
  });
});

test("built in another folder it has the same bytes", async () => {
  const [one, other] = await Promise.all([builtPackage("current"), builtPackage("again")]);
  assert.notEqual(dirname(one), dirname(other));
  assert.equal(basename(one), basename(other));
  assert.ok((await readFile(one)).equals(await readFile(other)));
});

test("it has the version of the Makefile and of the changelog, and says what it needs", async () => {
  const [, version] = /^VERSION += (\S+)$/m.exec(await readFile(join(TOP, "Makefile"), "utf8")) ?? [];
  const { stdout } = await run("dpkg-deb", ["-f", await builtPackage("current"), "Version", "Depends", "Recommends"]);
  const field = (/** @type {string} */ name) => new RegExp(`^${name}: (.*)$`, "m").exec(stdout)?.[1] ?? "";
  assert.equal(field("Version"), version);
  assert.match(await readFile(join(TOP, "packaging/debian/changelog"), "utf8"), new RegExp(`^thunderseal \\(${version}\\) `));
  for (const needed of ["thunderbird (>= 1:140)", "libc6", "libcurl4", "libjansson4", "libmicrohttpd12", "libsodium23"]) {
    assert.ok(field("Depends").includes(needed), `${needed} in ${field("Depends")}`);
  }
  assert.equal(field("Recommends"), "libsecret-1-0, xdg-utils");
});

test("the program is built with every hardening that Debian knows", async () => {
  const log = join(dirname(await builtPackage("current")), "build.log");
  await run("blhc", ["--all", log]).catch(error => assert.fail(error.stdout));
});
