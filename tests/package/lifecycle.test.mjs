// SPDX-License-Identifier: MPL-2.0

/** Installed, upgraded, removed, purged: nothing is left of the package, and nothing is taken from its users. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { ADA, Office } from "./office.mjs";
import { builtPackage } from "./root.mjs";

const run = promisify(execFile);

const ADD_ON = "/usr/share/webext/companion@thunderseal.xpi";
const LINK = "/usr/lib/thunderbird/extensions/companion@thunderseal.xpi";

/** Type, mode, owner and group of what the package is there for. */
const NAMED = {
  "/etc/thunderseal": "directory 755 root:root",
  "/usr/bin/thunderseal": "regular file 755 root:root",
  "/usr/lib/mozilla/native-messaging-hosts/thunderseal.json": "regular file 644 root:root",
  [LINK]: "symbolic link 777 root:root",
  [ADD_ON]: "regular file 644 root:root",
  "/usr/share/thunderseal/policy.schema.json": "regular file 644 root:root",
  "/usr/share/thunderseal/protocol.schema.json": "regular file 644 root:root",
};

/** Where else a file may lie: documentation, completion for shells, timers of users. */
const OTHER_PLACES = /^\/usr\/(share\/(doc|man|thunderseal|bash-completion|zsh|fish|lintian)\/|lib\/systemd\/user\/)/;

/**
 * @param {import("./root.mjs").Root} root
 * @returns {Promise<Record<string, string>>} of every file of the installed package
 */
async function filesOfPackage(root) {
  const paths = (await root.run(["dpkg", "-L", "thunderseal"])).trim().split("\n").filter(path => path !== "/.");
  const lines = (await root.run(["stat", "-c", "%n\t%F %a %U:%G", ...paths])).trim().split("\n");
  return Object.fromEntries(lines.map(line => line.split("\t")));
}

/** @param {Office} office @returns {Promise<string>} every file of the user, with rights, owner and content */
async function belongings({ home }) {
  const { stdout } = await run("sh", ["-c", `cd ${home} && find . -printf '%p %m %U\\n' | sort; find . -type f -exec sha256sum {} + | sort -k2`]);
  return stdout;
}

/**
 * @param {import("./root.mjs").Root} root
 * @param {string[]} before
 */
async function newStrays(root, before) {
  const known = new Set(before);
  return (await root.strays()).filter(path => !known.has(path));
}

/**
 * The package's dependencies alone, so that what is left of it can be told from what is left of them.
 * @param {import("./root.mjs").Root} root
 * @param {string} file
 */
async function installDependencies(root, file) {
  const { stdout } = await run("dpkg-deb", ["-f", file, "Depends", "Recommends"]);
  const names = stdout.replaceAll(/^\w+: /gm, "").split(/[,\n]/).map(one => one.trim().split(" ")[0]).filter(Boolean);
  await root.run(["apt-get", "install", "-q", "-y", ...names]);
}

test("a user's sign-in outlives upgrade, removal and purge, of which nothing else is left", { timeout: 600_000 }, async t => {
  const office = await Office.open();
  t.after(() => office.close());
  const { root } = office;
  const [old, current] = await Promise.all([builtPackage("old"), builtPackage("current")]);
  await installDependencies(root, current);
  const before = await root.strays();

  await root.install(old);
  assert.match(await office.thunderseal("--version"), /\b0\.0\.9\b/);
  // Debian's helper notes which timers there are, until purge.
  const noted = (/** @type {string} */ path) => path.startsWith("/var/lib/systemd/deb-systemd-user-helper-enabled");
  assert.deepEqual((await newStrays(root, before)).filter(path => !noted(path)), [], "files that no package owns");
  await office.writePolicy();
  await office.login();
  const owned = await belongings(office);
  assert.match(owned, /\.sealed\n/);

  const output = await root.install(current);
  assert.match(output, /Unpacking thunderseal .* over \(0\.0\.9\)/);
  assert.doesNotMatch(await office.thunderseal("--version"), /\b0\.0\.9\b/);
  assert.equal(await belongings(office), owned, "the upgrade touched what the user has");
  assert.deepEqual((await newStrays(root, before)).filter(path => path.startsWith("/etc/systemd/")), [], "a timer is turned on");
  const files = await filesOfPackage(root);
  for (const [path, is] of Object.entries(NAMED)) {
    assert.equal(files[path], is, path);
  }
  for (const [path, is] of Object.entries(files).filter(([name]) => !(name in NAMED))) {
    assert.match(is, /^(directory 755|regular file 644|symbolic link 777) root:root$/, path);
    assert.ok(is.startsWith("directory") || OTHER_PLACES.test(path), path);
  }
  assert.equal((await root.run(["readlink", "-f", LINK])).trim(), ADD_ON);
  assert.match(await office.thunderseal("token", ADA), /^\S{20,}\n$/, "no sign-in after the upgrade");

  const kept = await belongings(office);
  await root.run(["apt-get", "remove", "-q", "-y", "thunderseal"]);
  const left = [];
  for (const [path, is] of Object.entries(files)) {
    if (!is.startsWith("directory") && (await root.run(["sh", "-c", `[ ! -e '${path}' ] || echo there`]))) {
      left.push(path);
    }
  }
  assert.deepEqual(left, []);
  assert.match(await root.read("etc/thunderseal/policy.json"), /clientId/, "the administrator's file stays until purge");

  await root.run(["apt-get", "purge", "-q", "-y", "thunderseal"]);
  assert.deepEqual(await newStrays(root, before), ["/etc/thunderbird/policies", "/etc/thunderbird/policies/policies.json", "/usr/local/share/contoso-ca.pem"]);
  assert.equal(await belongings(office), kept);

  await root.install(current);
  await office.writePolicy();
  assert.match(await office.thunderseal("token", ADA), /^\S{20,}\n$/, "installed again, the sign-in is as good as before");
});
