// SPDX-License-Identifier: MPL-2.0
/** What `make install` and `make xpi` promise: the files named in README.md, and the same bytes from the same sources. */

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { after, before, test } from 'node:test';

const TOP = resolve(import.meta.dirname, '../..');

/** @type {string} */
let folder;

/** @param {string[]} args */
const make = (...args) => execFileSync('make', ['-s', ...args], { cwd: TOP, encoding: 'utf8', env: { ...process.env, MAKEFLAGS: '' } });

/** @param {string} root */
async function filesBelow(root) {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => relative(root, join(entry.parentPath, entry.name))).sort();
}

/** Whether a link of Markdown leads to a file, and to a heading there. @param {string} target path and, behind #, a heading */
async function leadsSomewhere(target) {
  const [path, heading] = target.split('#');
  if (!heading) return access(path).then(() => true, () => false);
  const headings = [...(await readFile(path, 'utf8').catch(() => '')).matchAll(/^#+ (.*)$/gm)].map(([, words]) => words.toLowerCase().replace(/[^\w -]/g, '').replaceAll(' ', '-'));
  return headings.includes(heading);
}

/** The relative links of Markdown that lead nowhere. @param {string} file @returns {Promise<string[]>} */
async function brokenLinks(file) {
  const links = [...(await readFile(file, 'utf8')).matchAll(/\]\((?![a-z]+:)([^)]+)\)/g)].map(([, link]) => link);
  const there = await Promise.all(links.map((link) => leadsSomewhere(link.startsWith('#') ? `${file}${link}` : join(dirname(file), link))));
  return links.filter((_, i) => !there[i]);
}

/** Where the files of a folder go. @param {string} source @param {(name: string) => string} place */
const installed = async (source, place) => (await filesBelow(join(TOP, source))).map(place);

before(async () => { folder = await mkdtemp(join(tmpdir(), 'ts-install-')); });
after(() => rm(folder, { recursive: true, force: true }));

test('the add-on built twice has the same bytes', async () => {
  const digests = [];
  for (const name of ['one', 'two']) {
    make('xpi', `BUILD=${join(folder, name)}`);
    digests.push(createHash('sha256').update(await readFile(join(folder, name, 'thunderseal.xpi'))).digest('hex'));
  }
  assert.equal(digests[0], digests[1]);
});

test('make install puts every file where README.md says, and make uninstall takes them out', async () => {
  const root = join(folder, 'root');
  make('install', `DESTDIR=${root}`);
  assert.deepEqual(await filesBelow(root), [
    'usr/lib/mozilla/native-messaging-hosts/thunderseal.json',
    'usr/lib/thunderbird/extensions/companion@thunderseal.xpi',
    'usr/local/bin/thunderseal',
    'usr/local/lib/systemd/user/thunderseal-renew.service',
    'usr/local/lib/systemd/user/thunderseal-renew.timer',
    'usr/local/share/bash-completion/completions/thunderseal',
    'usr/local/share/fish/vendor_completions.d/thunderseal.fish',
    ...await installed('packaging/man', (name) => `usr/local/share/man/man${name.slice(-1)}/${name}`),
    ...await installed('packaging/policies', (name) => `usr/local/share/thunderseal/policies/${name}`),
    ...await installed('packaging/recipes', (name) => `usr/local/share/thunderseal/recipes/${name}`),
    ...await installed('packaging/journal', (name) => `usr/local/share/thunderseal/journal/${name}`),
    ...await installed('packaging/pictures', (name) => `usr/local/share/thunderseal/pictures/${name}`),
    ...['ADMIN.md', 'COMPLIANCE.md', 'FORMAT.md', 'README.md', 'SECURITY.md'].map((name) => `usr/local/share/thunderseal/${name}`),
    'usr/local/share/thunderseal/policy.schema.json',
    'usr/local/share/thunderseal/protocol.schema.json',
    'usr/local/share/zsh/site-functions/_thunderseal',
  ].sort());
  const manifest = JSON.parse(await readFile(join(root, 'usr/lib/mozilla/native-messaging-hosts/thunderseal.json'), 'utf8'));
  assert.deepEqual(manifest, {
    name: 'thunderseal', description: manifest.description, path: '/usr/local/bin/thunderseal', type: 'stdio',
    allowed_extensions: ['companion@thunderseal'],
  });
  assert.equal((await stat(join(root, 'usr/local/bin/thunderseal'))).mode & 0o777, 0o755);
  for (const name of (await filesBelow(root)).filter((file) => file.endsWith('.md'))) assert.deepEqual(await brokenLinks(join(root, name)), [], name);
  make('uninstall', `DESTDIR=${root}`);
  assert.deepEqual(await filesBelow(root), []);
});

test('prefix and sysconfdir lead elsewhere', async () => {
  const root = join(folder, 'elsewhere');
  const build = join(folder, 'build');
  make('install', `DESTDIR=${root}`, `BUILD=${build}`, 'prefix=/opt/seal', 'sysconfdir=/opt/etc');
  const manifest = JSON.parse(await readFile(join(root, 'usr/lib/mozilla/native-messaging-hosts/thunderseal.json'), 'utf8'));
  assert.equal(manifest.path, '/opt/seal/bin/thunderseal');
  assert.ok((await stat(join(root, 'opt/etc/thunderseal'))).isDirectory());
  const program = await readFile(join(build, 'thunderseal'));
  assert.ok(program.includes('/opt/etc/thunderseal/policy.json'));
});

test('systemd takes the user units, which start the installed program, and are off until their user says', async () => {
  const units = join(folder, 'elsewhere/opt/seal/lib/systemd/user');
  const service = await readFile(join(units, 'thunderseal-renew.service'), 'utf8');
  assert.match(service, /^ExecStart=\/opt\/seal\/bin\/thunderseal renew /m);
  // systemd looks whether the program is there: below DESTDIR it is.
  await writeFile(join(units, 'thunderseal-renew.service'), service.replace('/opt/seal/bin', join(folder, 'elsewhere/opt/seal/bin')));
  const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--user', '--man=no', join(units, 'thunderseal-renew.timer'), join(units, 'thunderseal-renew.service')], {
    encoding: 'utf8', env: { ...process.env, XDG_RUNTIME_DIR: folder },
  });
  assert.deepEqual([status, stdout, stderr], [0, '', '']);
  assert.deepEqual((await filesBelow(join(folder, 'elsewhere'))).filter((name) => name.includes('.wants')), []);
});
