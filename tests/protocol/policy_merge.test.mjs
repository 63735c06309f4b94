// SPDX-License-Identifier: MPL-2.0
/** `thunderseal policy merge`: our part of Thunderbird's policies.json comes and goes, and the rest stays as it was. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, chown, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { runCommand } from './host.mjs';

const folder = await mkdtemp(join(tmpdir(), 'thunderseal-merge-'));
after(() => rm(folder, { recursive: true, force: true }));

const EXAMPLES = resolve(import.meta.dirname, '../../packaging/policies');
const ID = 'companion@thunderseal';
let files = 0;

/** @param {string | Buffer} text @param {number} [mode] */
async function file(text, mode = 0o644) {
  files += 1;
  await mkdir(join(folder, String(files)));
  const path = join(folder, String(files), 'policies.json');
  await writeFile(path, text);
  await chmod(path, mode);
  return path;
}

/** @param {string[]} args @param {object} [more] */
const merge = (args, more = {}) => runCommand(['policy', 'merge', ...args], { home: folder, ...more });

/** @param {string} path @param {string[]} [options] */
async function merged(path, options = []) {
  const { code, stdout, stderr } = await merge([path, '--json', ...options]);
  assert.deepEqual([code, stderr], [0, ''], path);
  return JSON.parse(stdout);
}

const text = (/** @type {string} */ path) => readFile(path, 'utf8');
const json = async (/** @type {string} */ path) => JSON.parse(await text(path));

/** What others wrote: each must come back byte for byte. */
const OTHERS = {
  'two blanks': '{\n  "policies": {\n    "DisableTelemetry": true\n  }\n}\n',
  'a tab': '{\n\t"policies": {\n\t\t"ExtensionSettings": {\n\t\t\t"*": { "installation_mode": "blocked" },\n\t\t\t"other@example.com": {\n\t\t\t\t"installation_mode": "allowed"\n\t\t\t}\n\t\t},\n\t\t"DisableTelemetry": true\n\t}\n}',
  'Windows line ends': '{\r\n    "policies": {\r\n        "BlockAboutConfig": true\r\n    }\r\n}\r\n',
  'one line': '{"policies":{"Preferences":{"mail.x":{"Value":1.0e1}}}}',
  'an odd order and odd notation': '{ "z": 1, "policies": { "Proxy" : { "Mode":"none" }, "3rdparty": { "Extensions": { "a@b": {"k": "\\u00e9\\/" } } } } , "a": [ 1,2 ] }\n\n',
  'a list of experiments': '{\n  "policies": {\n    "Preferences": {\n      "extensions.experiments.suppressed": true,\n      "extensions.experiments.allowed": {\n        "Value": "a@b, c\\/d@e",\n        "Status": "locked"\n      }\n    }\n  }\n}\n',
  'a list in the short form': '{"policies": {"Preferences": {"extensions.experiments.allowed": "a@b"}}}',
};

for (const [name, before] of Object.entries(OTHERS)) {
  test(`${name}: ours is added, the rest stays, twice is once, and --remove leaves no trace`, async () => {
    const path = await file(before);
    assert.deepEqual(await merged(path), { file: path, changed: true, created: false });
    const after_ = await text(path);
    const policies = JSON.parse(after_).policies;
    assert.equal(policies.ExtensionSettings[ID].installation_mode, 'force_installed');
    assert.equal(policies.ExtensionSettings[ID].install_url, `file:///usr/lib/thunderbird/extensions/${ID}.xpi`);
    assert.deepEqual(policies['3rdparty'].Extensions[ID], { manage: 'listed', fallback: 'thunderbird' });
    const allowed = policies.Preferences['extensions.experiments.allowed'];
    assert.ok((allowed.Value ?? allowed).split(',').map((/** @type {string} */ each) => each.trim()).includes(ID));
    const keysBefore = [...before.matchAll(/"([^"]+)"\s*:/g)].map(([, key]) => key);
    const ours = new Set(after_.match(/"([^"]+)"\s*:/g));
    for (const key of keysBefore) assert.ok([...ours].some((each) => each.startsWith(`"${key}"`)), key);
    const { mtimeMs, ino } = await stat(path);
    assert.deepEqual(await merged(path), { file: path, changed: false, created: false });
    assert.deepEqual([(await stat(path)).mtimeMs, (await stat(path)).ino], [mtimeMs, ino], 'not even written');
    assert.equal(await text(path), after_);
    assert.deepEqual(await merged(path, ['--remove']), { file: path, changed: true, created: false });
    assert.equal(await text(path), before);
    assert.deepEqual(await merged(path, ['--remove']), { file: path, changed: false, created: false });
    assert.deepEqual(await readdir(join(path, '..')), ['policies.json'], 'nothing is left beside it');
  });
}

test('what is added is indented as its neighbours are', async () => {
  const tabs = await file(OTHERS['a tab']);
  await merged(tabs);
  assert.ok((await text(tabs)).includes(`,\n\t\t\t"${ID}": {\n\t\t\t\t"installation_mode": "force_installed",\n`));
  const windows = await file(OTHERS['Windows line ends']);
  await merged(windows);
  assert.equal((await text(windows)).replaceAll('\r\n', '').includes('\n'), false);
  assert.ok((await text(windows)).includes('\r\n        "ExtensionSettings": {\r\n            "companion@thunderseal"'));
});

test('a file that is missing is made as packaging/policies has it, and --remove leaves an empty one', async () => {
  const path = join(folder, 'made/policies.json');
  assert.deepEqual(await merged(path, ['--remove']), { file: path, changed: false, created: false }, 'nothing to remove');
  assert.deepEqual(await merged(path), { file: path, changed: true, created: true });
  assert.equal(await text(path), await text(join(EXAMPLES, 'policies.json')));
  assert.deepEqual([(await stat(path)).mode & 0o777, (await stat(join(path, '..'))).mode & 0o777], [0o644, 0o755]);
  await merged(path, ['--remove']);
  assert.equal(await text(path), '{\n  "policies": {}\n}\n');
  await merged(path);
  assert.equal(await text(path), await text(join(EXAMPLES, 'policies.json')), 'and back again');
});

test('values of ours that somebody changed stay, and what is missing is added', async () => {
  const path = await file(JSON.stringify({ policies: { ExtensionSettings: { [ID]: { installation_mode: 'normal_installed' } }, '3rdparty': { Extensions: { [ID]: { manage: 'all' } } } } }, null, 2));
  await merged(path);
  const { policies } = await json(path);
  assert.equal(policies.ExtensionSettings[ID].installation_mode, 'normal_installed');
  assert.match(policies.ExtensionSettings[ID].install_url, /^file:\/\/\//);
  assert.equal(policies['3rdparty'].Extensions[ID].manage, 'all');
  await merged(path, ['--remove']);
  assert.deepEqual(await json(path), { policies: {} }, 'what is under our id is ours');
});

test('only our own id leaves the list of experiments, wherever it stands', async () => {
  for (const [before, rest] of [
    [`${ID}`, undefined], [`${ID},a@b`, 'a@b'], [`a@b, ${ID} ,c@d`, 'a@b,c@d'], [`x${ID},${ID}`, `x${ID}`], [`${ID}.de`, `${ID}.de`],
  ]) {
    const path = await file(JSON.stringify({ policies: { Preferences: { 'extensions.experiments.allowed': { Value: before, Status: 'locked' } } } }));
    await merged(path);
    assert.deepEqual((await json(path)).policies.Preferences['extensions.experiments.allowed'].Value.split(',').filter((/** @type {string} */ each) => each.trim() === ID).length, 1);
    await merged(path, ['--remove']);
    const { policies } = await json(path);
    assert.equal(policies.Preferences?.['extensions.experiments.allowed'].Value, rest, before);
  }
});

const REFUSED = /** @type {[string, RegExp][]} */ ([
  ['{ // ours\n "policies": {} }', /:1:3: .*no comments/], ['{\n  "policies": {},\n}', /:3:1: .*comma/], ['', /:1:1: .*too early/], ['{"policies": {"a": 1, "a": 2}}', /:1:23: .*twice/],
  ['[]', /:1:1: .*object/], ['{"policies": []}', /:1:14: \/policies must be an object/], ['{"policies": {"ExtensionSettings": "{}"}}', /\/policies\/ExtensionSettings must be an object/],
  ['{"policies": {"3rdparty": {"Extensions": 5}}}', /\/policies\/3rdparty\/Extensions must be/], ['{"policies": {"Preferences": {"extensions.experiments.allowed": 5}}}', /extensions\.experiments\.allowed must be a text/],
]);

test('what is no policies.json is refused with line and column, and left as it is', async () => {
  for (const [before, cause] of REFUSED) {
    const path = await file(before);
    const { mtimeMs } = await stat(path);
    const { code, stdout, stderr } = await merge([path]);
    assert.deepEqual([code, stdout], [78, ''], before);
    assert.match(stderr, cause);
    assert.equal(await text(path), before);
    assert.equal((await stat(path)).mtimeMs, mtimeMs);
    assert.deepEqual(await readdir(join(path, '..')), ['policies.json']);
  }
});

test('owner and mode stay, and a symbolic link stays one', async () => {
  const path = await file('{}', 0o640);
  if (process.getuid?.() === 0) await chown(path, 1, 1);
  const before = await stat(path);
  const link = join(folder, 'link.json');
  await symlink(path, link);
  await merged(link);
  const now = await stat(path);
  assert.deepEqual([now.mode, now.uid, now.gid], [before.mode, before.uid, before.gid]);
  assert.ok((await lstat(link)).isSymbolicLink());
  assert.ok((await json(path)).policies.ExtensionSettings[ID]);
});

test('what cannot be written is told, and nothing is changed', async () => {
  await symlink('nowhere', join(folder, 'dangling.json'));
  execFileSync('mkfifo', [join(folder, 'fifo.json')]);
  for (const path of [join(folder, 'dangling.json'), join(folder, 'fifo.json'), folder, join(folder, 'not/there/policies.json'), '/proc/policies.json', '/dev/null', await file(Buffer.alloc(1024 * 1024 + 1, ' '))]) {
    const { code, stdout, stderr } = await merge([path]);
    assert.deepEqual([code, stdout], [74, ''], path);
    assert.match(stderr, /^thunderseal: [^\n]+ cannot be changed: [^\n]+\n$/, path);
  }
});

test('what a run that was killed left beside the file goes with the next', async () => {
  const path = await file('{}');
  await writeFile(`${path}.tmp-0123456789abcdef`, 'half');
  await merged(path);
  assert.deepEqual(await readdir(join(path, '..')), ['policies.json']);
});

test('the examples for Windows and macOS say the same', async () => {
  const { policies } = await json(join(EXAMPLES, 'policies.json'));
  const known = (/** @type {any} */ other) => {
    const copy = structuredClone(other);
    copy.ExtensionSettings[ID].install_url = policies.ExtensionSettings[ID].install_url;
    return copy;
  };
  const windows = (await json(join(EXAMPLES, 'windows/policies.json'))).policies;
  assert.deepEqual(known(windows), policies);
  const registry = (await text(join(EXAMPLES, 'windows/thunderseal.reg'))).replaceAll(/\\\r\n\s*/g, '');
  const value = (/** @type {string} */ name) => {
    const [, hex] = new RegExp(`"${name}"=hex\\(7\\):([0-9a-f,]+)\r\n`).exec(registry) ?? [];
    return JSON.parse(Buffer.from(hex.replaceAll(',', ''), 'hex').toString('utf16le').replace(/\0\0$/, ''));
  };
  assert.deepEqual({ ExtensionSettings: value('ExtensionSettings'), '3rdparty': { Extensions: { [ID]: value(ID) } }, Preferences: value('Preferences') }, windows);
  const settings = (await json(join(EXAMPLES, 'windows/intune.json'))).omaSettings;
  const [addOn, experiments] = settings.map((/** @type {any} */ each) => JSON.parse(/value='(.*)'\/>$/.exec(each.value)?.[1] ?? ''));
  assert.deepEqual([addOn, experiments], [windows.ExtensionSettings, windows.Preferences]);
  const plist = execFileSync('python3', ['-c', 'import json, plistlib, sys; json.dump(plistlib.load(open(sys.argv[1], "rb")), sys.stdout)', join(EXAMPLES, 'macos/thunderseal.mobileconfig')], { encoding: 'utf8' });
  const payload = JSON.parse(plist).PayloadContent[0];
  assert.equal(payload.PayloadType, 'org.mozilla.thunderbird');
  assert.deepEqual(known({ ExtensionSettings: payload.ExtensionSettings, '3rdparty': payload['3rdparty'], Preferences: payload.Preferences }), policies);
});

test('an add-on that somebody keeps out on purpose is not let in', async () => {
  for (const mode of ['blocked', 'removed']) {
    const before = JSON.stringify({ policies: { ExtensionSettings: { [ID]: { installation_mode: mode } } } });
    const path = await file(before);
    const { code, stderr } = await merge([path]);
    assert.equal(code, 78, stderr);
    assert.match(stderr, /installation_mode/);
    assert.equal(await text(path), before);
  }
});
