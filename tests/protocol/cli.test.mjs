// SPDX-License-Identifier: MPL-2.0
/** The command line (protocol section 4). */
import assert from 'node:assert/strict';
import { chmod, open, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { NAMES, optionsOf } from './help.mjs';
import { runCommand } from './host.mjs';
import { filesBelow, sealedFiles, sha256, stateFolder, World } from './world.mjs';

const world = await World.open();
after(() => world.close());

/** A browser that follows the automatic login without a word; what it is given stands in its log. */
const BROWSER = `#!${process.execPath}
const fs = require('node:fs'), https = require('node:https'), http = require('node:http');
const note = (text) => fs.appendFileSync(process.env.HOME + '/browser.log', text + '\\n');
const descriptors = [0, 1, 2].map((fd) => fs.readlinkSync('/proc/self/fd/' + fd));
note(JSON.stringify({ argv: process.argv.slice(2), descriptors }));
import('${resolve(import.meta.dirname, '../servers/loopback_names.mjs')}').then(() => {
  https.get(process.argv[2], { rejectUnauthorized: false }, (answer) => {
    http.get(answer.headers.location, (page) => page.resume());
  });
});
`;

/** A home with one account that is signed in. */
async function home() {
  const own = await world.home();
  const host = await world.host(own);
  const { account, token } = await world.signedIn(host);
  await host.end();
  return { own, account, token };
}

/** @param {string} own @param {string[]} args @param {object} [more] */
const run = (own, args, more = {}) => runCommand(args, { home: own, ...more });

const signed = await home();

test('--help and --version answer on stdout with 0, before or behind a command', async () => {
  for (const args of [['--help'], ['-h'], ['help'], ['--help', 'nonsense']]) {
    const { code, stdout, stderr } = await run(signed.own, args);
    assert.deepEqual([code, stderr], [0, '']);
    for (const command of ['accounts', 'status', 'login', 'logout', 'forget', 'token', 'audit', 'consent-url']) assert.match(stdout, new RegExp(`^  ${command}`, 'm'));
  }
  const { code, stdout } = await run(signed.own, ['--version']);
  assert.equal(code, 0);
  assert.match(stdout, /^thunderseal \d+\.\d+\.\d+\n$/);
});

test('help for one command has its usage and its options, and no other\'s', async () => {
  for (const name of NAMES.filter((each) => each !== 'help')) {
    const { code, stdout, stderr } = await run(signed.own, [name, '--help']);
    assert.deepEqual([code, stderr], [0, ''], name);
    assert.match(stdout, new RegExp(`^Usage: thunderseal ${name}[ \n]`));
    const named = stdout.match(/(?<= )--[a-z0-9-]+/g) ?? [];
    assert.deepEqual(optionsOf(name).filter((option) => !named.includes(option)), [], name);
    assert.deepEqual(named.filter((option) => ![...optionsOf(), ...optionsOf(name)].includes(option)), [], name);
    for (const args of [['help', name], ['-h', name], ['--json', name, '--help', '--bogus']]) assert.equal((await run(signed.own, args)).stdout, stdout, args.join(' '));
  }
  assert.match((await run(signed.own, ['key', '--help'])).stdout, /^Usage: thunderseal key show \[OPTIONS\]\nor: {4}thunderseal key rotate \[OPTIONS\]\n/);
});

test('what is not understood is 64, one line on stderr, and nothing on stdout', async () => {
  for (const args of [[], ['acounts'], ['help', 'acounts'], ['token'], ['token', 'a@b', 'c@d'], ['accounts', 'x'], ['--jsno'], ['accounts', '--device'], ['login', '--everywhere', 'a@b'],
    ['token', 'a@b', '--min-ttl'], ['token', 'a@b', '--min-ttl', 'soon'], ['token', 'a@b', '--min-ttl', '-5'], ['token', 'a@b', '--min-ttl', '99999'],
    ['token', 'a@b', '--protocol', 'ews'], ['token', 'not an account'], ['token', 'a@b', '--scope', 'User.Read'], ['status', 'nobody@contoso.test'], ['token', 'nobody@contoso.test'],
    ['logout', 'nobody@contoso.test'], ['forget', 'nobody@contoso.test'], ['login', '\u00ff@\u0007']]) {
    const { code, stdout, stderr } = await run(signed.own, args);
    assert.deepEqual([code, stdout], [64, ''], args.join(' '));
    assert.match(stderr, /^thunderseal: [^\n]+\n$/, args.join(' '));
    // eslint-disable-next-line no-control-regex
    assert.doesNotMatch(stderr.slice(0, -1), /[\u0000-\u001f\u007f]/, 'nothing steers the terminal');
  }
});

test('what is wrong is called as it was typed', async () => {
  for (const [args, says] of /** @type {[string[], string][]} */ ([
    [['key', 'move', '--to', 'nowhere'], '--to must be '], [['backup', join(signed.own, 'none'), '--recipient', 'x'], '--recipient must be '],
    [['login', 'a@contoso.test', '--as', 'x'], '--as must be '], [['login', 'x'], 'ACCOUNT must be '], [['check', 'x'], 'ACCOUNT must be '],
    [['token', signed.account, '--protocol', 'ews'], '--protocol must be '], [['token', signed.account, '--scope', 'x'], '--scope must be '],
  ])) {
    const { code, stderr } = await run(signed.own, args);
    assert.equal(code, 64, args.join(' '));
    assert.ok(stderr.startsWith(`thunderseal: ${says}`), stderr);
  }
});

test('accounts and status list what there is, as text and as JSON', async () => {
  const { own, account } = signed;
  assert.equal((await run(own, ['accounts'])).stdout, `${account}  ready\n`);
  const { accounts } = JSON.parse((await run(own, ['accounts', '--json'])).stdout);
  assert.deepEqual(accounts.map((/** @type {any} */ each) => [each.account, each.state, each.refreshToken.present]), [[account, 'ready', true]]);
  const status = await run(own, ['status', account.toUpperCase()]);
  assert.match(status.stdout, new RegExp(`^${account}  ready\n`));
  assert.match(status.stdout, /key store: file/);
  assert.equal(JSON.parse((await run(own, ['status', '--json'])).stdout).keystore.name, 'file');
  const empty = await run(await world.home(), ['accounts']);
  assert.equal(empty.code, 0);
  assert.match(empty.stdout, /thunderseal login/);
  assert.deepEqual(JSON.parse((await run(await world.home(), ['accounts', '--json'])).stdout), { accounts: [] });
});

test('status says what to do where nobody is signed in', async () => {
  const own = await world.home();
  const none = await run(own, ['status']);
  assert.match(none.stdout, /^There are no accounts\. Add one with "thunderseal login ACCOUNT"\.\nkey store/);
  const host = await world.host(own);
  await host.call('account.add', { account: 'ada@contoso.test' });
  await host.end();
  assert.match((await run(own, ['status'])).stdout, /^ada@contoso\.test {2}signed-out\n {2}next step: thunderseal login ada@contoso\.test\nkey store/);
  assert.match((await run(own, ['token', 'alan@contoso.test'])).stderr, /button in Thunderbird, or with "thunderseal login ADDRESS"/);
  const unset = await run(await world.home({ clientId: undefined }), ['login', 'ada@contoso.test']);
  assert.match(unset.stderr, /set it with "thunderseal setup --client-id ID --tenant DOMAIN"/);
});

test('status tells on stderr of a configuration that does not count, or has a key that nobody knows', async () => {
  const own = await world.home();
  const config = join(own, '.config/thunderseal/config.json');
  const said = await readFile(config, 'utf8');
  for (const [text, mode, says] of /** @type {[string, number, RegExp][]} */ ([
    [said, 0o666, /config\.json.*others than its owner/], [said.replace('{', '{"renewAhead": 5, '), 0o600, /config\.json.*renewAhead/], [said.replace('{', '{"colour": 5, '), 0o600, /config\.json.*colour/],
  ])) {
    await writeFile(config, text);
    await chmod(config, mode);
    const status = await run(own, ['status']);
    assert.equal(status.code, 0, status.stderr);
    assert.match(status.stdout, /key store/);
    assert.match(status.stderr, says);
    assert.match(status.stderr, /^thunderseal: [^\n]+\. [^\n]+\n$/);
    const json = await run(own, ['status', '--json']);
    assert.deepEqual([JSON.parse(json.stdout).accounts, json.stderr], [[], status.stderr]);
  }
});

test('token prints the token and nothing else; the XOAUTH2 string with --xoauth2; all of it with --json', async () => {
  const { own, account, token } = signed;
  assert.deepEqual(await run(own, ['token', account]), { code: 0, stdout: `${token}\n`, stderr: '' });
  const { stdout } = await run(own, ['token', account, '--xoauth2', '--protocol', 'smtp']);
  assert.equal(Buffer.from(stdout, 'base64').toString(), `user=${account}\u0001auth=Bearer ${token}\u0001\u0001`);
  assert.match(stdout, /^[A-Za-z0-9+/]+=*\n$/);
  const json = JSON.parse((await run(own, ['--json', 'token', account, '--min-ttl', '600'])).stdout);
  assert.deepEqual([json.accessToken, json.source, json.tokenType], [token, 'cache', 'Bearer']);
  const graph = await run(own, ['token', account, '--protocol', 'graph']);
  assert.deepEqual([graph.code, graph.stdout], [77, '']);
  assert.equal((await run(own, ['token', account, '--scope', 'https://outlook.office.com/POP.AccessAsUser.All'])).code, 77);
});

test('exit statuses follow the kind of the error', async () => {
  const fresh = await world.home({ clientId: undefined });
  assert.equal((await run(fresh, ['login', 'ada@contoso.test'])).code, 78);
  const strict = await world.home({ allowedDomains: ['other.test'] });
  assert.equal((await run(strict, ['login', 'ada@contoso.test'])).code, 77);
  const scopes = ['https://outlook.office.com/IMAP.AccessAsUser.All', 'https://graph.microsoft.com/User.Read'];
  for (const [answer, code] of /** @type {[object, number][]} */ ([[{ status: 429, body: '' }, 75], [{ status: 500, body: '' }, 69], [{ dropConnection: true }, 69],
    [{ entra: { error: 'invalid_client', code: 700016 } }, 78], [{ entra: { error: 'invalid_grant', code: 50173, suberror: 'bad_token' } }, 77]])) {
    // Signed in for both resources, with a token of the first alone: one for the other takes a request.
    const home = await world.home();
    const host = await world.host(home);
    const account = await world.user();
    await world.signIn(host, account, { scopes });
    await host.end();
    await world.idp.control({ nextToken: { ...answer, match: { user: account } } });
    const result = await run(home, ['token', account, '--protocol', 'graph']);
    assert.equal(result.code, code, JSON.stringify(answer));
    assert.equal(result.stdout, '');
    assert.match(result.stderr, /^thunderseal: .+\. .+\n$/);
  }
});

test('an output that cannot be written is an error, not a success', async () => {
  const full = await open('/dev/full', 'w');
  for (const args of [['--help'], ['--version'], ['accounts'], ['status'], ['token', signed.account], ['token', signed.account, '--xoauth2'], ['accounts', '--json'], ['consent-url'], ['consent-url', '--json']]) {
    const { code, stderr } = await run(signed.own, args, { stdout: full.fd });
    assert.equal(code, 74, args.join(' '));
    assert.match(stderr, /could not be written/);
  }
  await full.close();
});

test('login opens $BROWSER apart from our descriptors, waits, and says so', async () => {
  const own = await world.home();
  const account = await world.user();
  const browser = join(own, 'browser');
  await writeFile(browser, BROWSER, { mode: 0o755 });
  const { code, stdout, stderr } = await run(own, ['login', account], { env: { BROWSER: browser } });
  assert.deepEqual([code, stdout], [0, `${account} is signed in.\n`]);
  assert.match(stderr, /browser/);
  const log = (await filesBelow(own)).find(({ path }) => path.endsWith('browser.log'));
  const { argv, descriptors } = JSON.parse(log?.bytes.toString() ?? '');
  assert.equal(argv.length, 1);
  assert.deepEqual(descriptors, ['/dev/null', '/dev/null', '/dev/null']);
  const json = JSON.parse((await run(own, ['login', account, '--json'], { env: { BROWSER: browser } })).stdout);
  assert.deepEqual([json.ok, json.account], [true, account]);
});

/** Prints the URL, takes an answer on stdin. @param {string} own @param {string[]} args @param {(url: string) => Promise<string[]>} answers */
function loginByHand(own, args, answers) {
  let asked = false;
  return run(own, ['login', '--no-browser', ...args], {
    onStdout: async (/** @type {string} */ text, /** @type {import('node:child_process').ChildProcess} */ child) => {
      if (asked || !text.includes('\n')) return;
      asked = true;
      for (const line of await answers(text.trim())) child.stdin?.write(`${line}\n`);
    },
  });
}

test('login --no-browser prints the URL and takes the redirect URL pasted back', async () => {
  const own = await world.home();
  const account = await world.user();
  const { code, stdout, stderr } = await loginByHand(own, [account], async (url) => ['', 'nonsense', 'http://localhost/?code=x&state=y', await world.redirectOf(url)]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^https:\/\/[^\n]+\n[^\n]+ is signed in\.\n$/);
  assert.match(stderr, /not the answer/);
  assert.ok((await run(own, ['token', account])).stdout.length > 100);
});

test('login --no-browser also takes the redirect by the browser, and --as signs in another name', async () => {
  const own = await world.home();
  const owner = await world.user();
  const { code, stderr } = await loginByHand(own, ['mailbox@contoso.test', '--as', owner], async (url) => {
    await world.answer(url);
    return [];
  });
  assert.equal(code, 0, stderr);
  assert.equal((await run(own, ['accounts'])).stdout, `mailbox@contoso.test  ready  (signs in as ${owner})\n`);
});

test('a refused login tells why and exits with its kind', async () => {
  await world.idp.control({ userDenies: true });
  const { code, stderr } = await loginByHand(await world.home(), [await world.user()], async (url) => [await world.redirectOf(url)]);
  await world.idp.control({ userDenies: false });
  assert.equal(code, 130);
  assert.match(stderr, /cancelled/);
});

test('a login beside a running host is taken over by it', async () => {
  const own = await world.home();
  const account = await world.user();
  const host = await world.host(own);
  await host.call('account.add', { account });
  const { code } = await loginByHand(own, [account], async (url) => [await world.redirectOf(url)]);
  assert.equal(code, 0);
  await host.told('account.changed', (told) => told.account.account === account && told.account.state === 'ready');
  const { stdout } = await run(own, ['token', account]);
  assert.equal((await host.call('token.get', { account })).accessToken, stdout.trim());
  await run(own, ['logout', account]);
  await host.told('account.changed', (told) => told.account.account === account && told.account.state === 'signed-out');
});

test('token renews when needed and keeps what it got', async () => {
  const { own, account, token } = await home();
  const host = await world.host(own);
  await host.call('token.get', { account, rejected: sha256(token) });
  const renewed = (await host.call('token.get', { account })).accessToken;
  assert.equal((await run(own, ['token', account])).stdout, `${renewed}\n`);
});

test('logout forgets the tokens, forget erases the account', async () => {
  const { own, account } = await home();
  const out = await run(own, ['logout', account, '--everywhere']);
  assert.equal(out.code, 0);
  assert.match(out.stdout, /oauth2\/v2\.0\/logout[\s\S]*Revoke-MgUserSignInSession/);
  assert.match((await run(own, ['audit'])).stdout, /signed-out {2}\S+ {2}\(here; the link that ends all its sessions was shown\) {2}by=command$/m);
  const refused = await run(own, ['token', account]);
  assert.deepEqual([refused.code, refused.stdout], [77, '']);
  assert.match(refused.stderr, /thunderseal login/);
  assert.equal((await run(own, ['accounts'])).stdout, `${account}  signed-out\n`);
  const json = JSON.parse((await run(own, ['logout', account, '--json'])).stdout);
  assert.deepEqual(json.accounts, [account]);
  assert.equal((await run(own, ['forget', account])).code, 0);
  assert.deepEqual(await sealedFiles(own), []);
  assert.equal(dirname(stateFolder(own)), join(own, '.local/state'));
});
