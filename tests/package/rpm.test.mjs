// SPDX-License-Identifier: MPL-2.0

/** What `make rpm` promises: the same files as in the Debian package, and that rpm takes it. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { builtPackage } from "./root.mjs";

const run = promisify(execFile);

/** @returns {Promise<string>} */
async function rpmFile() {
  const folder = join(dirname(await builtPackage("current")), "../rpm");
  const [name, ...others] = (await readdir(folder)).filter(file => file.endsWith(".rpm"));
  assert.deepEqual(others, []);
  return join(folder, name);
}

/** What Debian asks of a package and nobody else. */
const DEBIANS_OWN = new Set(["/usr/share/doc/thunderseal/changelog.gz", "/usr/share/doc/thunderseal/copyright"]);

test("it has the files of the Debian package", async () => {
  const [{ stdout: rpm }, { stdout: deb }] = await Promise.all([
    run("rpm", ["-qlp", await rpmFile()]),
    run("sh", ["-c", `dpkg-deb --fsys-tarfile '${await builtPackage("current")}' | tar -t`]),
  ]);
  const ownFolder = /^\/(etc|usr\/share)\/thunderseal\//;
  const ofDeb = deb.split("\n").map(path => path.replace(/^\./, ""))
    .filter(path => path && (!path.endsWith("/") || ownFolder.test(path))).map(path => path.replace(/\/$/, ""));
  // Each has its own place for libraries and for zsh, and compresses what it likes.
  const plain = (/** @type {string[]} */ paths) => paths.map(path => (
    path.replace(/^\/usr\/lib64\//, "/usr/lib/").replace("/zsh/site-functions/", "/zsh/vendor-completions/").replace(/\.gz$/, ""))).sort();
  assert.deepEqual(plain(rpm.trim().split("\n")), plain(ofDeb.filter(path => !DEBIANS_OWN.has(path))));
});

test("rpm installs and removes it, and the program runs", async t => {
  const root = await mkdtemp(join(tmpdir(), "ts-rpm-"));
  t.after(() => rm(root, { recursive: true, force: true }));
  const file = await rpmFile();
  await run("rpm", ["--root", root, "-i", "--nodeps", file]);
  const program = join(root, "usr/bin/thunderseal");
  assert.equal((await stat(program)).mode & 0o7777, 0o755);
  const { stdout } = await run(program, ["--version"]);
  const { stdout: version } = await run("rpm", ["-qp", "--qf", "%{VERSION}", file]);
  assert.ok(stdout.includes(version), stdout);
  const [manifest] = (await run("find", [root, "-name", "thunderseal.json"])).stdout.trim().split("\n");
  assert.equal(JSON.parse(await readFile(manifest, "utf8")).path, "/usr/bin/thunderseal");
  await run("rpm", ["--root", root, "-e", "thunderseal"]);
  assert.equal((await run("find", [root, "-name", "*thunderseal*"])).stdout, "");
});
