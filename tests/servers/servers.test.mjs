// SPDX-License-Identifier: MPL-2.0
/**
 * The test servers keep their own promises: without these, a test that passes against them says nothing.
 */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { createPublicKey, verify } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, afterEach, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { signInWithBrowser } from "./browser.mjs";
import { authorizationUrl, MAIL_SCOPES, newVerifier, refresh, request, signIn, tokenRequest } from "./https_client.mjs";
import { startIdentityProvider } from "./identity_provider.mjs";
import { imapLogin, smtpSend } from "./mail_client.mjs";
import { startMail } from "./mail.mjs";
import { portAnswers } from "./loopback.mjs";

const ADA = "ada@contoso.test";
const BEN = "ben@contoso.test";
const SALES = "sales@contoso.test";
const OUTLOOK_IMAP = "https://outlook.office.com/IMAP.AccessAsUser.All";
const USER_READ = "https://graph.microsoft.com/User.Read";
const AADSTS = /^AADSTS(\d+): .+\r\nTrace ID: [\da-f-]{36}\r\nCorrelation ID: [\da-f-]{36}\r\nTimestamp: \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/;

const run = promisify(execFile);
/** @param {string} token */
const claimsOf = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString());
/** @param {string} text */
const there = async (text) => (await Promise.all((await readdir("/proc")).filter((name) => /^\d+$/.test(name))
  .map((name) => readFile(`/proc/${name}/cmdline`, "utf8").catch(() => "")))).filter((line) => line.includes(text));

/** @type {string} */
let folder;
/** @type {import('./identity_provider.mjs').IdentityProvider} */
let idp;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "ts-"));
  idp = await startIdentityProvider({ folder: join(folder, "idp") });
});
after(async () => {
  await idp.stop();
  await rm(folder, { recursive: true });
});
afterEach(() => idp.control({
  autoLogin: null, userDenies: false, missingConsent: [], missingConsentAnswer: "refuse", withoutRefreshToken: false, refreshIn: null,
  clientInfo: true, expiresInAsString: false, scopeInAnswer: null, opaqueAccessTokens: false, preferredUsername: null,
  idTokenClaims: null, strictRotation: false, nextToken: null, alwaysToken: null, clearRequests: true, enable: ADA,
  lifetimes: { accessToken: 4500, refreshToken: 90 * 86400, authorizationCode: 600, deviceCode: 900 },
}));

/** @param {string} user @param {Parameters<typeof signIn>[1]} [options] */
const signedIn = async (user, options) => {
  await idp.control({ autoLogin: user });
  return signIn(idp, options);
};

/** Asserts an error in Entra's shape. @param {import('./https_client.mjs').Answer} answer @param {string} error @param {number} code @param {string} [suberror] */
function assertEntraError({ status, json }, error, code, suberror) {
  assert.equal(json.error, error, JSON.stringify(json));
  assert.equal(status, error === "invalid_client" ? 401 : 400);
  assert.deepEqual(json.error_codes, [code]);
  assert.match(json.error_description, AADSTS);
  assert.equal(json.error_description.match(AADSTS)[1], String(code));
  for (const field of ["timestamp", "trace_id", "correlation_id", "error_uri"]) assert.ok(json[field], field);
  assert.equal(json.suberror, suberror);
}

describe("sign-in by code", () => {
  test("gives tokens with the contents of Entra's", async () => {
    const answer = await signedIn(ADA, { nonce: "a nonce", tokenScope: `${OUTLOOK_IMAP} offline_access openid profile` });
    assert.equal(answer.token_type, "Bearer");
    assert.equal(answer.expires_in, 4500);
    assert.equal(answer.ext_expires_in, 4500);
    assert.deepEqual(answer.scope.split(" "), MAIL_SCOPES.split(" ").slice(0, 2));
    const { users: [ada] } = idp;
    const access = claimsOf(answer.access_token);
    assert.equal(access.aud, idp.outlookResource);
    assert.equal(access.scp, "IMAP.AccessAsUser.All SMTP.Send");
    assert.equal(access.upn, ADA);
    assert.deepEqual([access.oid, access.tid, access.appid], [ada.oid, idp.tenant, idp.clientId]);
    assert.equal(access.exp - access.iat, 4500);
    const id = claimsOf(answer.id_token);
    assert.deepEqual([id.preferred_username, id.oid, id.tid, id.nonce], [ADA, ada.oid, idp.tenant, "a nonce"]);
    assert.equal(id.iss, `${idp.authority}/${idp.tenant}/v2.0`);
    assert.deepEqual(JSON.parse(Buffer.from(answer.client_info, "base64url").toString()), { uid: ada.oid, utid: ada.tid });
    assert.ok(answer.refresh_token.length > 1000, "as long as Entra's");
  });

  test("works under every name of the tenant, and nobody else's", async () => {
    for (const tenant of ["common", "organizations", idp.tenant, "contoso.test"]) {
      assert.ok((await signedIn(ADA, { tenant })).refresh_token, tenant);
    }
    assertEntraError(await tokenRequest(idp, { grant_type: "refresh_token" }, { tenant: "fabrikam.test" }), "invalid_request", 90002);
    assertEntraError(await tokenRequest(idp, { grant_type: "refresh_token" }, { tenant: "consumers" }), "invalid_request", 9002332);
  });

  test("redeems a code once, with its verifier, its redirect and its tenant", async () => {
    await idp.control({ autoLogin: ADA });
    const verifier = newVerifier();
    const redirect = "http://127.0.0.1:9";
    const newCode = async () => {
      const { headers } = await request(authorizationUrl(idp, { verifier, redirect_uri: redirect }), idp);
      return new URL(String(headers.location)).searchParams.get("code") ?? "";
    };
    const redeem = (/** @type {Record<string, string>} */ form, tenant = "organizations") => tokenRequest(idp, {
      grant_type: "authorization_code", redirect_uri: redirect, code_verifier: verifier, ...form,
    }, { tenant });
    assertEntraError(await redeem({ code: await newCode(), code_verifier: newVerifier() }), "invalid_grant", 501481);
    assertEntraError(await redeem({ code: await newCode(), redirect_uri: "http://127.0.0.1:10" }), "invalid_client", 500112);
    assertEntraError(await redeem({ code: await newCode() }, idp.tenant), "invalid_grant", 700005);
    const code = await newCode();
    assert.equal((await redeem({ code })).status, 200);
    assertEntraError(await redeem({ code }), "invalid_grant", 54005);
  });

  test("wants PKCE, a registered redirect, a known client and known scopes", async () => {
    await idp.control({ autoLogin: ADA });
    const { headers } = await request(authorizationUrl(idp, {}), idp);
    assert.equal(new URL(String(headers.location)).searchParams.get("error"), "invalid_request");
    const elsewhere = await request(authorizationUrl(idp, { verifier: newVerifier(), redirect_uri: "http://localhost:9/other" }), idp);
    assert.equal(elsewhere.status, 400);
    assert.match(elsewhere.text, /AADSTS50011/);
    const stranger = await request(authorizationUrl(idp, { verifier: newVerifier(), client_id: "stranger" }), idp);
    assert.match(stranger.text, /AADSTS700016/);
    assert.match((await request(authorizationUrl(idp, { verifier: newVerifier(), scope: "https://outlook.office.com/Nonsense" }), idp)).text, /AADSTS70011/);
  });

  test("answers without what Entra does not send", async () => {
    await idp.control({ autoLogin: ADA });
    const { headers } = await request(authorizationUrl(idp, { verifier: newVerifier() }), idp);
    const parameters = new URL(String(headers.location)).searchParams;
    assert.deepEqual([...parameters.keys()], ["code", "state", "session_state"]);
    assert.equal(parameters.get("state"), "state");
  });

  test("goes back with the refusal of the user, or of the administrator", async () => {
    const refused = async () => {
      const { headers } = await request(authorizationUrl(idp, { verifier: newVerifier() }), idp);
      return Object.fromEntries(new URL(String(headers.location)).searchParams);
    };
    await idp.control({ autoLogin: ADA, userDenies: true });
    const { error, error_subcode: subcode, error_description: description, state } = await refused();
    assert.deepEqual([error, subcode, state], ["access_denied", "cancel", "state"]);
    assert.match(description, /^AADSTS65004: /);
    await idp.control({ userDenies: false, missingConsent: [OUTLOOK_IMAP] });
    assert.match((await refused()).error_description, /^AADSTS90094: /);
    await idp.control({ missingConsentAnswer: "omit" });
    assert.equal((await signIn(idp)).scope, "https://outlook.office.com/SMTP.Send");
  });

  test("gives no refresh token without offline_access", async () => {
    assert.equal((await signedIn(ADA, { scope: OUTLOOK_IMAP })).refresh_token, undefined);
  });
});

describe("renewal", () => {
  test("rotates the refresh token and leaves the old one valid", async () => {
    const first = await signedIn(ADA);
    const second = (await refresh(idp, first.refresh_token)).json;
    assert.notEqual(second.refresh_token, first.refresh_token);
    assert.equal((await refresh(idp, first.refresh_token)).status, 200);
    assert.equal((await refresh(idp, second.refresh_token)).status, 200);
  });

  test("in strict mode ends the sign-in when an old refresh token comes back", async () => {
    await idp.control({ strictRotation: true });
    const first = await signedIn(ADA);
    const second = (await refresh(idp, first.refresh_token)).json;
    assertEntraError(await refresh(idp, first.refresh_token), "invalid_grant", 70000, "bad_token");
    assertEntraError(await refresh(idp, second.refresh_token), "invalid_grant", 50173, "bad_token");
  });

  test("serves one resource per request, from one refresh token", async () => {
    const { refresh_token: token } = await signedIn(ADA, { scope: `${MAIL_SCOPES} ${USER_READ}` });
    const graph = (await refresh(idp, token, `${USER_READ} offline_access`)).json;
    assert.equal(claimsOf(graph.access_token).aud, idp.graphResource);
    assert.equal(claimsOf((await refresh(idp, token, OUTLOOK_IMAP)).json.access_token).aud, idp.outlookResource);
    assertEntraError(await refresh(idp, token, `${OUTLOOK_IMAP} ${USER_READ}`), "invalid_scope", 28000);
  });

  test("takes a scope without a resource for Graph's", async () => {
    const { refresh_token: token } = await signedIn(ADA, { scope: `${MAIL_SCOPES} User.Read` });
    assert.equal(claimsOf((await refresh(idp, token, "User.Read")).json.access_token).aud, idp.graphResource);
  });

  test("refuses what was never consented to, until it is", async () => {
    const { refresh_token: token } = await signedIn("cleo@contoso.test");
    assertEntraError(await refresh(idp, token, USER_READ), "invalid_grant", 65001, "consent_required");
    await signIn(idp, { scope: `${USER_READ} offline_access` });
    assert.equal((await refresh(idp, token, USER_READ)).status, 200);
    await idp.control({ missingConsent: [USER_READ] });
    assertEntraError(await refresh(idp, token, USER_READ), "invalid_grant", 65001, "consent_required");
  });

  test("ends with revocation, disabling, expiry and nonsense, each told apart", async () => {
    const { refresh_token: token } = await signedIn(ADA);
    await idp.control({ disable: ADA });
    assertEntraError(await refresh(idp, token), "invalid_grant", 50057);
    await idp.control({ enable: ADA });
    assert.equal((await refresh(idp, token)).status, 200);
    await idp.control({ revoke: ADA });
    assertEntraError(await refresh(idp, token), "invalid_grant", 50173, "bad_token");
    assert.ok((await signedIn(ADA)).refresh_token, "a new sign-in is not revoked");
    assertEntraError(await refresh(idp, "nonsense"), "invalid_grant", 9002313);
  });

  test("refuses a secret, an origin, and a stranger's client id", async () => {
    const { refresh_token: token } = await signedIn(ADA);
    const form = { grant_type: "refresh_token", refresh_token: token };
    assertEntraError(await tokenRequest(idp, { ...form, client_secret: "x" }), "invalid_client", 700025);
    assertEntraError(await tokenRequest(idp, form, { headers: { origin: "http://localhost" } }), "invalid_request", 9002326);
    assertEntraError(await tokenRequest(idp, { ...form, client_id: "stranger" }), "unauthorized_client", 700016);
    assertEntraError(await tokenRequest(idp, { grant_type: "password" }), "unsupported_grant_type", 70003);
  });

  test("answers in every shape that a test orders", async () => {
    const { refresh_token: token } = await signedIn(ADA);
    await idp.control({ expiresInAsString: true, refreshIn: 900, withoutRefreshToken: true, scopeInAnswer: false, opaqueAccessTokens: true });
    const { json } = await refresh(idp, token);
    assert.equal(json.expires_in, "4500");
    assert.equal(json.refresh_in, 900);
    assert.equal(json.refresh_token, undefined);
    assert.equal(json.scope, undefined);
    assert.doesNotMatch(json.access_token, /\./);
    assert.equal(idp.introspect(json.access_token).username, ADA);
  });

  test("puts other claims into an id token that is still signed", async () => {
    await idp.control({ preferredUsername: BEN, idTokenClaims: { oid: "another", nonce: null } });
    const { id_token: token } = await signedIn(ADA, { nonce: "n" });
    const claims = claimsOf(token);
    assert.deepEqual([claims.preferred_username, claims.oid, claims.nonce], [BEN, "another", undefined]);
    const { json } = await request(`${idp.authority}/common/discovery/v2.0/keys`, idp);
    const [header, payload, signature] = token.split(".");
    const key = createPublicKey({ key: json.keys[0], format: "jwk" });
    assert.ok(verify("sha256", Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, "base64url")));
  });
});

describe("orders for the next answers", () => {
  test("fail as told, so many times, then work again", async () => {
    const { refresh_token: token } = await signedIn(ADA);
    await idp.control({
      nextToken: [
        { status: 503, headers: { "retry-after": "7" }, body: "busy", times: 2 },
        { entra: { error: "interaction_required", code: 50076, suberror: "basic_action", claims: '{"access_token":{}}' } },
      ],
    });
    for (let time = 0; time < 2; time += 1) {
      const { status, headers, text } = await refresh(idp, token);
      assert.deepEqual([status, headers["retry-after"], text], [503, "7", "busy"]);
    }
    const answer = await refresh(idp, token);
    assertEntraError(answer, "interaction_required", 50076, "basic_action");
    assert.equal(answer.json.claims, '{"access_token":{}}');
    assert.equal((await refresh(idp, token)).status, 200);
  });

  test("choose by grant, resource and user", async () => {
    const ada = await signedIn(ADA, { scope: `${MAIL_SCOPES} ${USER_READ}` });
    const ben = await signedIn(BEN);
    await idp.control({ alwaysToken: { status: 500, match: { user: ADA, resource: idp.graphResource } } });
    assert.equal((await refresh(idp, ada.refresh_token, USER_READ)).status, 500);
    assert.equal((await refresh(idp, ada.refresh_token, OUTLOOK_IMAP)).status, 200);
    assert.equal((await refresh(idp, ben.refresh_token, OUTLOOK_IMAP)).status, 200);
  });

  test("hang until released, and cut the line", async () => {
    const { refresh_token: token } = await signedIn(ADA);
    await idp.control({ nextToken: { hang: true }, clearRequests: true });
    const hanging = refresh(idp, token);
    const failure = assert.rejects(hanging, { code: "ECONNRESET" });
    const [entry] = await idp.waitForRequest({ endpoint: "token" });
    assert.equal(entry.answered, false);
    await idp.control({ releaseHung: true });
    await failure;
    await idp.control({ nextToken: { dropConnection: true } });
    await assert.rejects(refresh(idp, token), { code: "ECONNRESET" });
  });

  test("lose the answer of a renewal that was carried out", async () => {
    await idp.control({ strictRotation: true });
    const { refresh_token: token } = await signedIn(ADA);
    await idp.control({ nextToken: { dropConnection: true, afterProcessing: true } });
    await assert.rejects(refresh(idp, token), { code: "ECONNRESET" });
    assertEntraError(await refresh(idp, token), "invalid_grant", 70000, "bad_token");
  });

  test("let the machine go away and come back", async () => {
    const { refresh_token: token } = await signedIn(ADA);
    await idp.goAway();
    await assert.rejects(refresh(idp, token), { code: "ECONNREFUSED" });
    await idp.comeBack();
    assert.equal((await refresh(idp, token)).status, 200);
  });

  test("are refused when misspelt", async () => {
    await assert.rejects(idp.control({ autologin: ADA }), /no such control/);
    await assert.rejects(idp.control({ revoke: "nobody" }), /no such user/);
    assert.equal((await request(`${idp.authority}/control`, { caFile: idp.caFile, json: { autologin: 1 } })).status, 400);
  });
});

describe("what the identity provider tells tests", () => {
  test("counts requests and shows secrets by their hash only", async () => {
    await idp.control({ clearRequests: true });
    const { refresh_token: token, access_token: accessToken } = await signedIn(ADA);
    await refresh(idp, token);
    const counts = idp.counts();
    assert.deepEqual([counts.authorize, counts.token, counts["token:refresh_token"]], [1, 2, 1]);
    const [entry] = await idp.waitForRequest({ endpoint: "token", grant_type: "refresh_token", answered: true });
    assert.deepEqual([entry.status, entry.user, entry.tenant], [200, ADA, "organizations"]);
    assert.match(entry.parameters.refresh_token, /^sha256:/);
    const issued = idp.issued();
    const record = JSON.stringify(idp.requests());
    for (const { value } of issued) assert.ok(!record.includes(value));
    for (const value of [token, accessToken]) assert.ok(issued.some((one) => one.value === value));
    assert.deepEqual([...new Set(issued.map(({ kind }) => kind))].sort(), ["access_token", "code", "id_token", "refresh_token"]);
  });

  test("tells and takes the same over HTTP", async () => {
    const { caFile, authority } = idp;
    await request(`${authority}/control`, { caFile, json: { autoLogin: true, clearRequests: true } });
    const waiting = request(`${authority}/control/wait?endpoint=token&answered=true`, { caFile });
    const { access_token: token } = await signIn(idp, { hint: BEN });
    assert.equal((await waiting).json[0].status, 200);
    const { json } = await request(`${authority}/control/state`, { caFile });
    assert.equal(json.counts.token, 1);
    assert.equal(json.issued.find((/** @type {any} */ one) => one.value === token).user, BEN);
  });

  test("knows live mail tokens from all others", async () => {
    const introspected = async (/** @type {string} */ token) => (
      await request(`${idp.authority}/test/introspect`, { caFile: idp.caFile, form: { token } })).json;
    const answer = await signedIn(ADA, { scope: `${MAIL_SCOPES} ${USER_READ}` });
    assert.deepEqual([(await introspected(answer.access_token)).active, (await introspected(answer.access_token)).username], [true, ADA]);
    const graph = (await refresh(idp, answer.refresh_token, USER_READ)).json;
    for (const token of [graph.access_token, answer.refresh_token, answer.id_token, "nonsense", ""]) {
      assert.equal((await introspected(token)).active, false);
    }
    await idp.control({ revoke: ADA });
    assert.equal((await introspected(answer.access_token)).active, false);
  });

  test("describes itself under the tenant that was asked", async () => {
    const { json } = await request(`${idp.authority}/contoso.test/v2.0/.well-known/openid-configuration`, idp);
    assert.equal(json.token_endpoint, `${idp.authority}/contoso.test/oauth2/v2.0/token`);
    assert.equal(json.issuer, `${idp.authority}/${idp.tenant}/v2.0`);
    for (const field of ["revocation_endpoint", "introspection_endpoint", "code_challenge_methods_supported"]) assert.ok(!(field in json));
    const common = (await request(`${idp.authority}/common/v2.0/.well-known/openid-configuration`, idp)).json;
    assert.equal(common.issuer, `${idp.authority}/{tenantid}/v2.0`);
  });

  test("a sign-out in the browser leaves the refresh token alive", async () => {
    const { refresh_token: token } = await signedIn(ADA);
    assert.match((await request(`${idp.authority}/common/oauth2/v2.0/logout`, idp)).text, /signed out/);
    assert.equal((await refresh(idp, token)).status, 200);
  });
});

describe("device code", () => {
  const start = () => request(`${idp.authority}/organizations/oauth2/v2.0/devicecode`, {
    caFile: idp.caFile, form: { client_id: idp.clientId, scope: MAIL_SCOPES },
  });
  const poll = (/** @type {string} */ code) => tokenRequest(idp, { grant_type: "urn:ietf:params:oauth:grant-type:device_code", device_code: code });

  test("waits for the user, then gives tokens", async () => {
    await idp.control({ deviceInterval: 1 });
    const { json } = await start();
    assert.equal(json.interval, 1);
    assert.equal(json.verification_uri_complete, undefined);
    assert.match(json.message, new RegExp(json.user_code));
    assertEntraError(await poll(json.device_code), "authorization_pending", 70016);
    await idp.control({ approveDevice: { user: ADA, userCode: json.user_code } });
    const answer = await poll(json.device_code);
    assert.equal(claimsOf(answer.json.id_token).preferred_username, ADA);
    assert.equal((await refresh(idp, answer.json.refresh_token)).status, 200);
  });

  test("tells a refusal and a strange code apart", async () => {
    const { json } = await start();
    await idp.control({ denyDevice: true });
    assertEntraError(await poll(json.device_code), "authorization_declined", 65004);
    assertEntraError(await poll("strange"), "bad_verification_code", 70020);
  });
});

describe("mail", () => {
  /** @type {import('./mail.mjs').Mail} */
  let mail;
  /** @type {any} */
  let ada;
  const imap = () => ({ ...mail.imap, caFile: idp.caFile });
  const smtp = () => ({ ...mail.smtp, caFile: idp.caFile });
  const letter = { from: ADA, to: BEN, text: "Subject: greetings\n\nDear Ben" };

  before(async () => {
    mail = await startMail({ folder: join(folder, "mail"), identityProvider: idp, sharedMailboxes: { [SALES]: [ADA] } });
    ada = await signedIn(ADA);
  });
  after(() => mail.stop());

  test("IMAP takes a token and shows what was delivered", async () => {
    await mail.deliver(ADA, "Subject: hello\n\nworld\n");
    const { ok, exists } = await imapLogin(imap(), { user: ADA, token: ada.access_token });
    assert.deepEqual([ok, exists], [true, 1]);
    const [login] = await mail.waitForLogin({ user: ADA, protocol: "imap" });
    assert.equal(login.method, "XOAUTH2");
    assert.match((await mail.messages(ADA))[0], /hello/);
  });

  test("IMAP refuses a false token, another's mailbox, and a token for Graph", async () => {
    const wide = await signedIn(ADA, { scope: `${MAIL_SCOPES} ${USER_READ}` });
    const graph = (await refresh(idp, wide.refresh_token, USER_READ)).json;
    for (const [user, token] of [[ADA, "false"], [BEN, ada.access_token], [ADA, graph.access_token]]) {
      const { ok, challenge, answer } = await imapLogin(imap(), { user, token });
      assert.deepEqual([ok, challenge.status], [false, "401"]);
      assert.match(answer, /^a NO /);
    }
    const refused = await mail.waitForLogin({ ok: false, protocol: "imap", count: 3 });
    assert.deepEqual(refused.map(({ user }) => user), [ADA, BEN, ADA]);
  });

  test("a token opens the shared mailbox of those entitled", async () => {
    assert.equal((await imapLogin(imap(), { user: SALES, token: ada.access_token })).ok, true);
    const ben = await signedIn(BEN);
    assert.equal((await imapLogin(imap(), { user: SALES, token: ben.access_token })).ok, false);
  });

  test("what is sent over STARTTLS and TLS arrives", async () => {
    const who = { user: ADA, token: ada.access_token };
    assert.equal((await smtpSend(smtp(), { ...who, ...letter })).ok, true);
    const overTls = { ...smtp(), port: mail.smtp.tlsPort };
    assert.equal((await smtpSend(overTls, { ...who, ...letter, startTls: false })).ok, true);
    const [message] = await mail.waitForSent({ from: ADA, to: BEN, subject: "greetings", count: 2 });
    assert.match(message.raw, /Dear Ben/);
    assert.equal(message.user, ADA);
  });

  test("SMTP refuses as Exchange, or with a challenge, or as ordered", async () => {
    const wrong = { user: ADA, token: "false", ...letter };
    assert.match((await smtpSend(smtp(), wrong)).answer, /^535 5\.7\.3 /);
    mail.controlSmtp({ refusal: "challenge" });
    assert.match((await smtpSend(smtp(), wrong)).answer, /^535 /);
    mail.controlSmtp({ refusal: "exchange", authAnswer: { responseCode: 535, message: "5.7.139 SmtpClientAuthentication is disabled for the Tenant." } });
    assert.match((await smtpSend(smtp(), { ...wrong, token: ada.access_token })).answer, /5\.7\.139/);
    mail.controlSmtp({ authAnswer: null, mailAnswer: { responseCode: 430, message: "4.2.0 STOREDRV; mailbox busy" } });
    assert.match((await smtpSend(smtp(), { ...wrong, token: ada.access_token })).answer, /^430 /);
    mail.controlSmtp({ mailAnswer: null });
  });

  test("a revoked access token opens nothing any more", async () => {
    const ben = await signedIn(BEN);
    assert.equal((await imapLogin(imap(), { user: BEN, token: ben.access_token })).ok, true);
    await idp.control({ revokeToken: ben.access_token });
    assert.equal((await imapLogin(imap(), { user: BEN, token: ben.access_token })).ok, false);
    assert.equal((await refresh(idp, ben.refresh_token)).status, 200);
  });

  test("no token stands in the server's log", async () => {
    const log = await readFile(mail.logFile, "utf8");
    assert.match(log, /Login: user=/);
    for (const { value } of idp.issued()) assert.ok(!log.includes(value));
  });

  test("stopping frees the ports and leaves no process", async () => {
    const own = join(folder, "second");
    const second = await startMail({ folder: own, identityProvider: idp });
    const ports = [second.imap.port, second.imap.startTlsPort, second.smtp.port, second.smtp.tlsPort];
    assert.deepEqual(await Promise.all(ports.map((port) => portAnswers(port))), [true, true, true, true]);
    await second.stop();
    assert.deepEqual(await Promise.all(ports.map((port) => portAnswers(port))), [false, false, false, false]);
    assert.deepEqual(await there(own), []);
  });
});

describe("browser", () => {
  /** @type {import('node:http').Server} */
  let loopback;
  /** @type {string} */
  let redirect;
  /** @type {string[]} */
  let visits;

  before(async () => {
    loopback = createServer((incoming, response) => {
      visits.push(incoming.url ?? "");
      response.setHeader("content-type", "text/html").end("<title>Signed in</title>You may close this window.");
    }).listen(0, "127.0.0.1");
    await once(loopback, "listening");
    redirect = `http://localhost:${/** @type {import('node:net').AddressInfo} */ (loopback.address()).port}`;
    visits = [];
  });
  after(() => { loopback.closeAllConnections(); loopback.close(); });

  const url = (/** @type {string} */ hint, verifier = newVerifier()) => authorizationUrl(idp, { verifier, redirect_uri: redirect, login_hint: hint });
  const codeVisited = () => new URL(visits.filter((visit) => visit.startsWith("/?")).at(-1) ?? "", redirect).searchParams;

  test("signs in at the form and sees the last page", async () => {
    const verifier = newVerifier();
    const screenshot = join(folder, "last.png");
    const page = await signInWithBrowser(url(BEN, verifier), { password: "ben-password", screenshot, folder });
    assert.deepEqual([page.title, page.text], ["Signed in", "You may close this window."]);
    const form = { grant_type: "authorization_code", code: codeVisited().get("code") ?? "", redirect_uri: redirect, code_verifier: verifier };
    assert.equal(claimsOf((await tokenRequest(idp, form)).json.id_token).preferred_username, BEN, "the name came from the hint");
    assert.equal((await readFile(screenshot)).subarray(1, 4).toString(), "PNG");
    assert.deepEqual(await there(folder), [], "no browser process is left");
  });

  test("another user than the hint's may sign in, and a user may refuse", async () => {
    await signInWithBrowser(url(BEN), { user: ADA, password: "ada-password", folder });
    assert.equal(idp.issued().find(({ value }) => value === codeVisited().get("code"))?.user, ADA);
    await signInWithBrowser(url(BEN), { cancel: true, folder });
    assert.deepEqual([codeVisited().get("error"), codeVisited().get("state")], ["access_denied", "state"]);
  });

  test("a wrong password is told and leaves nothing behind", async () => {
    await assert.rejects(signInWithBrowser(url(BEN), { password: "wrong", folder }), /incorrect.*ben@contoso/);
    assert.deepEqual((await readdir(folder)).filter((name) => name.startsWith("browser-")), []);
    assert.deepEqual(await there(folder), []);
  });

  test("runs as a program, as the system's browser does", async () => {
    const program = fileURLToPath(new URL("browser.mjs", import.meta.url));
    const env = { ...process.env, TS_BROWSER_USER: ADA, TS_BROWSER_PASSWORD: "ada-password", TS_BROWSER_FOLDER: folder };
    const { stdout } = await run(process.execPath, [program, url(ADA)], { env });
    assert.equal(stdout, `${redirect} Signed in\n`);
    await assert.rejects(run(process.execPath, [program], { env }), /usage/);
  });
});

describe("all servers as a program", () => {
  const program = fileURLToPath(new URL("run.mjs", import.meta.url));

  for (const [how, end] of /** @type {[string, (child: import('node:child_process').ChildProcess) => void][]} */ ([
    ["its input closes", (child) => child.stdin?.end()], ["it is terminated", (child) => child.kill("SIGTERM")],
  ])) {
    test(`runs until ${how}`, async () => {
      const own = join(folder, how.replaceAll(" ", "-"));
      const child = spawn(process.execPath, [program, "--folder", own, "--auto-login", ADA], { stdio: ["pipe", "pipe", "inherit"] });
      const exited = once(child, "exit");
      const [line] = await once(createInterface({ input: /** @type {any} */ (child.stdout) }), "line");
      const addresses = JSON.parse(line);
      const { access_token: token } = await signIn(addresses);
      assert.equal((await imapLogin({ ...addresses.imap, caFile: addresses.caFile }, { user: ADA, token })).ok, true);
      end(child);
      assert.deepEqual(await exited, [0, null]);
      assert.deepEqual(await there(own), []);
      assert.equal(await portAnswers(addresses.imap.port), false);
    });
  }

  test("killed outright, takes Dovecot with it", async () => {
    const own = join(folder, "killed");
    const child = spawn(process.execPath, [program, "--folder", own], { stdio: ["pipe", "pipe", "inherit"] });
    const [line] = await once(createInterface({ input: /** @type {any} */ (child.stdout) }), "line");
    const { imap } = JSON.parse(line);
    assert.equal(await portAnswers(imap.port), true);
    child.kill("SIGKILL");
    await once(child, "exit");
    while (await portAnswers(imap.port));
    assert.equal(await portAnswers(imap.port), false);
  });
});
