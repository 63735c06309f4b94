// SPDX-License-Identifier: MPL-2.0
/** Token requests through a proxy: which one is asked, by whose password, and what its refusal means (PROTOCOL section 5). */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeCertificates, SERVER_NAMES } from '../servers/certificates.mjs';
import { startProxy } from '../servers/proxy.mjs';
import { startRawServer } from '../servers/raw_https.mjs';
import { configuration, sha256, visit, World } from './world.mjs';

/** A name that only a proxy can find (RFC 6761 section 6.4). */
const NOWHERE = 'login.thunderseal.invalid';
/** With every character that an address must encode. */
const LOGIN = { user: 'some one', password: 'p@ss:w/rd?#%' };

const world = await World.open();
after(() => world.close());

/** @typedef {import('./host.mjs').Host} Host */
/** @typedef {import('../servers/proxy.mjs').Proxy} Proxy */

/** @param {Parameters<typeof startProxy>[0]} [options] */
async function proxy(options) {
  const started = await startProxy(options);
  after(() => started.stop());
  return started;
}

/** A home with an account that is signed in, and no host. The proxy comes later. */
async function signedInHome() {
  const host = await world.host();
  const signed = await world.signedIn(host);
  await host.end();
  return { home: host.home, ...signed };
}

/** @param {{ account: string, token: string }} signed */
const renewal = ({ account, token }) => ({ account, rejected: sha256(token) });

/** @param {Host} host @param {string} account */
const stateOf = async (host, account) => (await host.call('account.list')).accounts.find((/** @type {any} */ each) => each.account === account);

test('the configuration\'s proxy wins over Thunderbird\'s, and that over the environment\'s', async () => {
  const [configured, told, environment] = await Promise.all([proxy(), proxy(), proxy()]);
  const all = { configured, told, environment };
  const HTTPS_PROXY = environment.url();
  /** @type {[keyof typeof all | null, object, object, Record<string, string>][]} */
  const cases = [
    ['configured', { proxy: configured.url() }, { proxy: told.url() }, { HTTPS_PROXY }],
    ['configured', { proxy: configured.url() }, {}, { HTTPS_PROXY, NO_PROXY: '*' }],
    ['configured', { proxy: configured.url() }, { proxy: 'direct' }, {}],
    ['told', {}, { proxy: told.url() }, { HTTPS_PROXY, NO_PROXY: '*' }],
    ['environment', {}, {}, { HTTPS_PROXY }],
    ['environment', {}, {}, { https_proxy: HTTPS_PROXY }],
    [null, {}, {}, { HTTPS_PROXY, NO_PROXY: 'localhost' }],
    [null, {}, {}, { http_proxy: HTTPS_PROXY }],
  ];
  for (const [wanted, change, hello, env] of cases) {
    const host = await world.host(await world.home(change), { env }, hello);
    const before = Object.values(all).map(({ asked }) => asked.length);
    const { account } = await world.signedIn(host);
    assert.equal(world.requestsOf(account, 'authorization_code').length, 1);
    const used = Object.entries(all).filter(([, { asked }], index) => asked.length > before[index]).map(([name]) => name);
    assert.deepEqual(used, wanted ? [wanted] : [], JSON.stringify([change, hello, env]));
    await host.end();
  }
  assert.ok(Object.values(all).every(({ tunnels }) => tunnels.every((target) => target === `localhost:${world.idp.port}`)));
});

test('a proxy that wants a password gets it, wherever it was named, and nobody else sees it', async () => {
  for (const where of ['configured', 'told', 'environment']) {
    const guarded = await proxy({ login: LOGIN });
    const url = guarded.url(LOGIN);
    const change = where === 'configured' ? { proxy: url } : {};
    const host = await world.host(await world.home(change), { env: where === 'environment' ? { HTTPS_PROXY: url } : {} }, where === 'told' ? { proxy: url } : {});
    await world.signedIn(host);
    assert.equal(guarded.tunnels.length, 1, where);
    await host.end();
    assert.equal(host.stderr, '');
    assert.doesNotMatch(JSON.stringify(host.messages), /p%40ss|p@ss|some%20one/);
  }
});

test('a refusal by the proxy is stage proxy; nothing was sent, the refresh token is kept, and the password is not told', async (t) => {
  const wrong = { user: LOGIN.user, password: 'wrong-password' };
  const closed = await startProxy();
  await closed.stop();
  /** Where libcurl knows the proxy and we do not, it must be told from its words alone. */
  const bothWays = ['it hangs up', 'nobody there'];
  /** @type {Record<string, [Proxy, { user: string, password: string }?]>} */
  const cases = {
    'a wrong password': [await proxy({ login: LOGIN }), wrong],
    'no password': [await proxy({ login: LOGIN })],
    'a password in another way': [await proxy({ refuse: '407 Proxy Authentication Required\r\nProxy-Authenticate: Negotiate' }), wrong],
    '403': [await proxy({ refuse: '403 Forbidden' }), wrong],
    '502': [await proxy({ refuse: '502 Bad Gateway' })],
    '302 to a page of its own': [await proxy({ refuse: '302 Found\r\nLocation: https://attacker.example/' })],
    'it hangs up': [await proxy({ refuse: '' }), wrong],
    'no HTTP': [await proxy({ refuse: '\0\0\0' })],
    'nobody there': [closed, wrong],
  };
  for (const [what, [asked, as]] of Object.entries(cases)) {
    for (const where of ['configured', ...(bothWays.includes(what) ? ['environment'] : [])]) {
      await t.test(`${what}, ${where}`, async () => {
        const signed = await signedInHome();
        const url = asked.url(as);
        if (where === 'configured') await world.configure(signed.home, { proxy: url });
        const host = await world.host(signed.home, { env: where === 'environment' ? { HTTPS_PROXY: url } : {} });
        const { kind, code, data } = await host.refused('token.get', renewal(signed));
        assert.deepEqual([kind, code, data.stage, data.retryable], ['network', 1004, 'proxy', true]);
        assert.match(data.remedy, /proxy settings/);
        assert.equal(world.requestsOf(signed.account).length, 0);
        assert.ok(asked.asked.length < 20, 'it is not asked again and again');
        const { state, refreshToken } = await stateOf(host, signed.account);
        assert.deepEqual([state, refreshToken.present], ['waiting', true]);
        await host.end();
        assert.equal(host.stderr, '');
        assert.doesNotMatch(JSON.stringify(host.messages), /wrong-password|attacker/);
        await world.configure(signed.home, {});
        const direct = await world.host(signed.home);
        assert.equal((await direct.call('token.get', renewal(signed))).source, 'renewed', 'without the proxy it works');
        await direct.kill();
      });
    }
  }
});

test('a tunnel that is reset breaks an answer off: stage http, and nothing is sent again', async () => {
  const signed = await signedInHome();
  const fragile = await proxy();
  await world.configure(signed.home, { proxy: fragile.url() });
  const host = await world.host(signed.home);
  await world.idp.goAway();
  const server = await startRawServer({
    certificate: world.idp.certificates.server, port: world.idp.port,
    answer: (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{', () => fragile.reset()),
  });
  try {
    const { kind, data } = await host.refused('token.get', renewal(signed));
    assert.deepEqual([kind, data.stage], ['network', 'http']);
    assert.deepEqual([server.requests.length, fragile.asked.length], [1, 1]);
  } finally {
    await server.stop();
    await world.idp.comeBack();
  }
  assert.equal((await stateOf(host, signed.account)).refreshToken.present, true);
});

test('renewals of several accounts in a row share a connection', async () => {
  const counting = await proxy();
  const host = await world.host(await world.home({ proxy: counting.url() }));
  const signed = [];
  for (let index = 0; index < 10; index += 1) signed.push(await world.signedIn(host));
  const before = counting.tunnels.length;
  for (const each of signed) assert.equal((await host.call('token.get', renewal(each))).source, 'renewed');
  const connections = counting.tunnels.length - before;
  assert.ok(connections <= 1, `${connections} connections for 10 requests`);
  assert.ok(signed.every(({ account }) => world.requestsOf(account).length === 1));
});

test('the proxy finds the name of the server; without it that name is stage dns', async () => {
  const certificates = await makeCertificates({ folder: join(world.folder, 'nowhere'), hosts: [...SERVER_NAMES, NOWHERE] });
  const distant = await World.open({ certificates });
  after(() => distant.close());
  const finding = await proxy({ reach: ({ port }) => ({ host: 'localhost', port: Number(port) }) });
  const usual = configuration(distant.idp);
  const authority = `https://${NOWHERE}:${distant.idp.port}`;
  const custom = { ...usual.custom, authority };
  const home = await distant.home({ custom, proxy: finding.url() });
  const account = await distant.user();
  const host = await distant.host(home);
  const { signInId, authorizationUrl } = await host.call('signIn.start', { account });
  await visit(await distant.redirectOf(authorizationUrl.replace(authority, distant.idp.authority)));
  assert.equal((await host.told('signIn.finished', (told) => told.signInId === signInId)).ok, true);
  assert.deepEqual(finding.tunnels, [`${NOWHERE}:${distant.idp.port}`]);
  const { accessToken: token } = await host.call('token.get', { account });
  await host.end();
  await distant.configure(home, { custom });
  // resolv.conf(5): a name server that does not answer is not waited for longer than the connection may take.
  const alone = await distant.host(home, { env: { RES_OPTIONS: 'timeout:1 attempts:1' } });
  const { kind, data } = await alone.refused('token.get', renewal({ account, token }));
  assert.deepEqual([kind, data.stage], ['network', 'dns']);
  assert.equal((await stateOf(alone, account)).refreshToken.present, true);
});
