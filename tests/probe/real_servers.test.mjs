// SPDX-License-Identifier: MPL-2.0
/** A real Dovecot and the test SMTP server, with tokens of the test identity provider: all well, and what can be wrong with a token. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { MAIL_SCOPES, refresh, signIn } from "../servers/https_client.mjs";
import { startIdentityProvider } from "../servers/identity_provider.mjs";
import { startMail } from "../servers/mail.mjs";
import { probe } from "./probe.mjs";

const ADA = "ada@contoso.test";
const BEN = "ben@contoso.test";
const USER_READ = "https://graph.microsoft.com/User.Read";
const EXPIRY_LOOK_MS = 50;

/** @type {string} */
let folder;
/** @type {import('../servers/identity_provider.mjs').IdentityProvider} */
let idp;
/** @type {import('../servers/mail.mjs').Mail} */
let mail;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "ts-"));
  idp = await startIdentityProvider({ folder: join(folder, "idp") });
  mail = await startMail({ folder: join(folder, "mail"), identityProvider: idp });
});
after(async () => {
  await mail.stop();
  await idp.stop();
  await rm(folder, { recursive: true });
});

/** @param {string} user @param {Parameters<typeof signIn>[1]} [options] */
async function signedIn(user, options) {
  await idp.control({ autoLogin: user });
  return signIn(idp, options);
}

/** @param {'imap' | 'smtp'} protocol @param {boolean} starttls @param {string} token @param {Record<string, unknown>} [more] */
function ask(protocol, starttls, token, more = {}) {
  const port = protocol === "imap" ? [mail.imap.port, mail.imap.startTlsPort] : [mail.smtp.tlsPort, mail.smtp.port];
  const claims = JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString());
  return probe({
    protocol, starttls, port: port[Number(starttls)], caFile: mail.caFile, user: ADA, token, now: Math.floor(Date.now() / 1000),
    tokenExpires: claims.exp, tokenAudience: claims.aud, tokenScopes: claims.scp ?? claims.scope, tokenUser: claims.upn ?? claims.preferred_username,
    audience: idp.outlookResource, ...more,
  });
}

for (const { protocol, starttls } of /** @type {const} */ ([
  { protocol: "imap", starttls: false }, { protocol: "imap", starttls: true }, { protocol: "smtp", starttls: false }, { protocol: "smtp", starttls: true }])) {
  describe(`${protocol} with ${starttls ? "STARTTLS" : "TLS"}`, () => {
    test("a good token opens the mailbox", async () => {
      const ada = await signedIn(ADA);
      const { result, check } = await ask(protocol, starttls, ada.access_token);
      assert.deepEqual([result.stage, check.status], ["done", "ok"], JSON.stringify(result));
      assert.equal(mail.sent().length, 0, "no mail is sent");
    });

    test("another user's token", async () => {
      const ben = await signedIn(BEN);
      const { result, check } = await ask(protocol, starttls, ben.access_token, { tokenUser: BEN });
      assert.deepEqual([result.stage, result.failure, check.causes[0]], ["auth", "refused", "no-permission"]);
    });

    test("a token for Graph", async () => {
      const wide = await signedIn(ADA, { scope: `${MAIL_SCOPES} ${USER_READ}` });
      const graph = (await refresh(idp, wide.refresh_token, USER_READ)).json;
      const { result, check } = await ask(protocol, starttls, graph.access_token);
      assert.deepEqual([result.stage, result.failure, check.causes[0]], ["auth", "refused", "wrong-audience"]);
    });

    test("a token that has run out", async () => {
      await idp.control({ lifetimes: { accessToken: 1 } });
      const { access_token: token } = await signedIn(ADA);
      await idp.control({ lifetimes: { accessToken: 4500 } });
      while (idp.introspect(token).active) await pause(EXPIRY_LOOK_MS);
      const { result, check } = await ask(protocol, starttls, token);
      assert.deepEqual([result.stage, result.failure, check.causes[0]], ["auth", "refused", "token-expired"]);
    });

    test("a token that was revoked, as the last renewal told", async () => {
      const { access_token: token } = await signedIn(ADA);
      await idp.control({ revokeToken: token });
      const { result, check } = await ask(protocol, starttls, token, { aadsts: 50173 });
      assert.deepEqual([result.stage, result.failure, check.causes[0]], ["auth", "refused", "sign-in"]);
      assert.match(check.detail, /withdrawn/);
    });
  });
}

test("a challenge before the refusal is answered and told", async () => {
  const { result } = await ask("imap", false, (await signedIn(BEN)).access_token);
  assert.equal(JSON.parse(result.challenge).status, "401");
  mail.controlSmtp({ refusal: "challenge" });
  const smtp = await ask("smtp", true, (await signedIn(BEN)).access_token);
  assert.equal(JSON.parse(smtp.result.challenge).status, "401");
  assert.match(smtp.result.line, /^535 /);
});
