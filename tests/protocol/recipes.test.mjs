// SPDX-License-Identifier: MPL-2.0
/** The recipes for other programs do what they say, with Debian's programs; only names, ports and trust anchors are put in. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { startMail } from '../servers/mail.mjs';
import { assertFree } from './assert_free.mjs';
import { PROGRAM } from './host.mjs';
import { filesBelow, moment, World } from './world.mjs';

const RECIPES = resolve(import.meta.dirname, '../../packaging/recipes');
/** As long as those of Exchange Online: two to three thousand characters. */
const TOKEN_BYTES = 1_800;

const world = await World.open();
const { idp } = world;
const account = await world.user('ada');
await idp.control({ opaqueAccessTokens: TOKEN_BYTES });

/** What others see of whatever runs while a server looks at a token. @type {Buffer[]} */
const seen = [];
function look() {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    for (const name of ['cmdline', 'environ']) {
      try {
        seen.push(readFileSync(`/proc/${pid}/${name}`));
      } catch {
        // It has ended.
      }
    }
  }
}
const mail = await startMail({
  folder: join(world.folder, 'mail'),
  identityProvider: { ...idp, opens: (token, user) => { look(); return idp.opens(token, user); } },
});
after(async () => {
  await mail.stop();
  await world.close();
});

const home = await world.home();
const path = join(world.folder, 'bin');
await mkdir(path);
await symlink(PROGRAM, join(path, 'thunderseal'));

/** @param {string} recipe @param {string} file below home */
async function install(recipe, file) {
  const text = await readFile(join(RECIPES, recipe), 'utf8');
  assert.match(text, /SPDX-License-Identifier: MPL-2.0/);
  const local = text.replaceAll('ada@contoso.com', account)
    .replaceAll('outlook.office365.com:993', `localhost:${mail.imap.port}`).replaceAll('smtp.office365.com:587', `localhost:${mail.smtp.port}`)
    .replaceAll('outlook.office365.com', mail.imap.host).replaceAll('smtp.office365.com', mail.smtp.host)
    .replace('Port 993', `Port ${mail.imap.port}`).replace('port 587', `port ${mail.smtp.port}`)
    .replace('tls_trust_file system', `tls_trust_file ${mail.caFile}`).replace('/etc/ssl/certs/ca-certificates.crt', mail.caFile);
  await writeFile(join(home, file), local, { mode: 0o600 });
}

/** Runs a program when the token that was had at sign-in is over. @param {string} program @param {string[]} args @param {{ input?: string, cwd?: string }} [options] */
async function run(program, args, { input = '', cwd = home } = {}) {
  await idp.control({ lifetimes: { accessToken: 1 } });
  const host = await world.host(home);
  assert.equal((await world.signIn(host, account)).ok, true);
  await host.end();
  await idp.control({ lifetimes: { accessToken: 4500 } });
  await moment(idp.issued().findLast(({ kind }) => kind === 'access_token')?.expiresAt ?? 0);

  const renewals = world.requestsOf(account).length;
  const running = promisify(execFile)(program, args, {
    cwd, timeout: 60_000,
    env: {
      PATH: `${path}:/usr/bin:/bin`, HOME: home, LANG: 'C.UTF-8', TERM: 'xterm',
      SSL_CERT_FILE: mail.caFile, // the system's trust anchors, for OpenSSL
    },
  });
  running.child.stdin?.end(input);
  await running;
  assert.equal(world.requestsOf(account).length, renewals + 1, `${program} was given a renewed token`);
}

const letter = (/** @type {string} */ subject, from = account, to = 'ben@contoso.test') => (
  `From: ${from}\nTo: ${to}\nSubject: ${subject}\nMessage-ID: <${subject}@contoso.test>\nDate: Mon, 2 Nov 2026 10:00:00 +0000\n\nHello.\n`);

/** @param {string} subject */
const fetched = async (subject) => (await filesBelow(join(home, 'Mail/office365'))).filter(({ bytes }) => bytes.includes(`Subject: ${subject}`));

/** Runs a program that reads mail, and looks at it while the mail server does at its token. @param {string} program @param {string[]} args */
async function read(program, args) {
  const count = idp.counts().introspect + 1;
  const looked = idp.waitForRequest({ endpoint: 'introspect', count }).then(look);
  await Promise.all([looked, run(program, args)]);
}

test('mbsync fetches all folders into a Maildir, and keeps what is deleted on the server', async () => {
  await install('mbsyncrc', '.mbsyncrc');
  await mkdir(join(home, 'Mail/office365'), { recursive: true });
  await mail.deliver(account, letter('first', 'ben@contoso.test', account));
  await read('mbsync', ['office365']);
  assert.equal((await fetched('first')).length, 1);
  assert.ok((await readdir(join(home, 'Mail/office365'))).includes('Drafts'), 'every folder comes along');

  await mail.erase(account);
  await mail.deliver(account, letter('second', 'ben@contoso.test', account));
  await read('mbsync', ['office365']);
  assert.deepEqual([(await fetched('first')).length, (await fetched('second')).length], [1, 1]);
});

test('msmtp sends a message', async () => {
  await install('msmtprc', '.msmtprc');
  await run('msmtp', ['-a', 'office365', 'ben@contoso.test'], { input: letter('by-msmtp') });
  const [{ user, from, to }] = await mail.waitForSent({ subject: 'by-msmtp' });
  assert.deepEqual([user, from, to], [account, account, ['ben@contoso.test']]);
});

test('mutt sends a message', async () => {
  await install('muttrc', '.muttrc');
  await run('mutt', ['-s', 'by-mutt', 'ben@contoso.test'], { input: 'Hello.\n' });
  const [{ user, from }] = await mail.waitForSent({ subject: 'by-mutt' });
  assert.deepEqual([user, from], [account, account]);
});

test('mutt reads a message', async () => {
  await mail.deliver(account, letter('for-mutt', 'ben@contoso.test', account));
  const keys = `<last-entry><copy-message><kill-line>${join(home, 'copy')}<enter><exit>`;
  await read('script', ['-qec', `mutt -e 'set confirmappend=no confirmcreate=no quit=yes; push "${keys}"'`, '/dev/null']);
  assert.match(await readFile(join(home, 'copy'), 'utf8'), /^Subject: for-mutt$/m);
});

test('git send-email sends a patch', async () => {
  await install('gitconfig', '.gitconfig');
  await install('msmtprc', '.msmtprc');
  const repository = join(world.folder, 'repository');
  const git = (/** @type {string[]} */ ...args) => promisify(execFile)('git', ['-C', repository, ...args]);
  await mkdir(repository);
  await git('init', '-q');
  await git('config', 'user.name', 'Ada Lovelace');
  await git('config', 'user.email', account);
  await git('commit', '-q', '--allow-empty', '-m', 'Begin');
  await writeFile(join(repository, 'file'), 'a line\n');
  await git('add', 'file');
  await git('commit', '-q', '-m', 'Add a line');
  await run('git', ['send-email', '--to=list@example.test', '--confirm=never', 'HEAD^'], { cwd: repository });
  const [{ user, from, to, raw }] = await mail.waitForSent({ subject: '[PATCH] Add a line' });
  assert.deepEqual([user, from], [account, account]);
  assert.ok(to.includes('list@example.test'));
  assert.match(raw, /^\+a line\r?$/m);
});

test('no token is in a file, an argument or the environment of any program', async () => {
  const secrets = idp.issued().map(({ value }) => value);
  assert.ok(secrets.length > 10);
  for (const program of ['mbsync', 'msmtp', 'mutt', 'git']) assert.ok(seen.some((bytes) => bytes.includes(program)), `${program} was looked at`);
  assertFree(Buffer.concat(seen), secrets, 'arguments or environment');
  for (const { path: file, bytes } of await filesBelow(home)) assertFree(bytes, secrets, file);
});
