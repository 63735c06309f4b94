// SPDX-License-Identifier: MPL-2.0
/**
 * oidc-provider's configuration: a public native client, loopback redirects with any port, PKCE, JWT access tokens for
 * one resource each, refresh tokens with `offline_access`, device codes.
 */
import { errors, interactionPolicy } from "oidc-provider";
import { GRAPH, OIDC_SCOPES, RESOURCE_SCOPES, TENANT_ID } from "./directory.mjs";
import { entraBody } from "./entra_errors.mjs";
import { LOGIN_PATH } from "./login_page.mjs";
import { readScopes, shortName } from "./scopes.mjs";

const LONG = 400 * 86400;

/** Entra's refresh tokens and codes are long: some 1,200 and 800 characters. @type {Record<string, number>} */
const RANDOM_BITS = { RefreshToken: 7200, AuthorizationCode: 4800 };

export const CANONICAL = {
  authorization: `/${TENANT_ID}/oauth2/v2.0/authorize`,
  token: `/${TENANT_ID}/oauth2/v2.0/token`,
  device_authorization: `/${TENANT_ID}/oauth2/v2.0/devicecode`,
  code_verification: "/common/oauth2/deviceauth",
  jwks: `/${TENANT_ID}/discovery/v2.0/keys`,
};

/**
 * @typedef {import('./directory.mjs').Directory} Directory
 * @typedef {import('./orders.mjs').Orders} Orders
 * @typedef {{ authority: string, clientId: string, directory: Directory, orders: Orders, adapter: any, signingKey: object }} Parts
 */

/** Login and consent are decided by the form or the switch; a native client needs no consent page of its own. */
function interactions() {
  const policy = interactionPolicy.base();
  policy.get("consent")?.checks.remove("native_client_prompt");
  policy.add(new interactionPolicy.Prompt({ name: "select_account", requestable: true }));
  return { policy, url: (/** @type {any} */ _ctx, /** @type {any} */ interaction) => `${LOGIN_PATH}${interaction.uid}` };
}

/**
 * Runs in every authorization request before the session is looked at: restores `offline_access` (oidc-provider drops it
 * without prompt=consent, Entra does not), lets the user refuse, or signs in the user of the automatic login.
 * @param {Parts} parts
 */
const beforeLogin = ({ directory, orders, authority }) => (/** @type {any} */ ctx) => {
  const { oidc } = ctx;
  if (oidc.route !== "authorization") return;
  const asked = ctx.method === "POST" ? oidc.body.scope : ctx.query.scope;
  if (asked?.split(" ").includes("offline_access")) oidc.params.scope = `${oidc.params.scope ?? ""} offline_access`.trim();
  const { autoLogin, userDenies } = orders.settings;
  if (userDenies) {
    const refusal = { error: "access_denied", code: 65004, text: "User declined to consent to access the app." };
    throw new errors.AccessDenied(entraBody(refusal, authority).error_description);
  }
  if (!autoLogin) return;
  const user = directory.get(autoLogin === true ? oidc.params.login_hint : String(autoLogin));
  oidc.session.loginAccount({ accountId: user.oid, amr: ["pwd"] });
  oidc.params.prompt = undefined;
};

/**
 * The grant of a sign-in: what was asked for, less what is withheld.
 * @param {Parts} parts
 */
const grantFor = ({ directory, orders, authority }) => async (/** @type {any} */ ctx) => {
  const { oidc } = ctx;
  const known = oidc.result?.consent?.grantId ?? oidc.session.grantIdFor(oidc.client.clientId);
  const withheld = new Set(orders.settings.missingConsent);
  const { scopes } = readScopes(oidc.params.scope);
  const missing = scopes.filter((scope) => withheld.has(scope));
  if (missing.length && orders.settings.missingConsentAnswer === "refuse") {
    const refusal = {
      error: "access_denied", code: 90094,
      text: "An administrator of the organization has set a policy that prevents you from granting the application the permissions it is requesting.",
    };
    throw new errors.AccessDenied(entraBody(refusal, authority).error_description);
  }
  const grant = (known && await oidc.provider.Grant.find(known))
    || new oidc.provider.Grant({ accountId: oidc.session.accountId, clientId: oidc.client.clientId });
  const consent = directory.consentOf(oidc.session.accountId);
  grant.addOIDCScope(OIDC_SCOPES.join(" "));
  for (const scope of scopes.filter((name) => name.includes("://"))) {
    const resource = new URL(scope).origin;
    if (withheld.has(scope)) grant.rejectResourceScope(resource, scope);
    else {
      grant.addResourceScope(resource, scope);
      consent.add(scope);
    }
  }
  await grant.save();
  return grant;
};

/** Exchange's access tokens are version 1 tokens; their shape is what the diagnosis reads. @param {Parts} parts */
const shapeAccessToken = ({ directory, clientId }) => (/** @type {any} */ _ctx, /** @type {any} */ token, /** @type {any} */ jwt) => {
  const user = directory.get(token.accountId);
  const { iat, exp, jti, aud } = jwt.payload;
  jwt.header = { typ: "JWT" };
  jwt.payload = {
    aud, iss: `https://sts.windows.net/${user.tid}/`, iat, nbf: iat, exp, acr: "1", amr: ["pwd"],
    app_displayname: "Thunderseal", appid: clientId, appidacr: "0", name: user.name, oid: user.oid,
    scp: (token.scope ?? "").split(" ").map(shortName).join(" "), sub: user.oid, tid: user.tid,
    unique_name: user.upn, upn: user.upn, uti: jti, ver: "1.0",
  };
};

/** @param {Directory} directory */
const accounts = (directory) => (/** @type {any} */ _ctx, /** @type {string} */ id) => {
  const user = directory.find(id);
  return user && {
    accountId: user.oid,
    claims: () => ({
      sub: user.oid, oid: user.oid, tid: user.tid, ver: "2.0", name: user.name, preferred_username: user.upn, email: user.upn,
    }),
  };
};

/** @param {Parts} parts @returns {any} */
export function providerConfiguration(parts) {
  const { adapter, clientId, directory, orders, signingKey } = parts;
  const ttl = (/** @type {keyof import('./orders.mjs').Lifetimes} */ name) => (/** @type {any} */ ctx) => (
    ctx?.req.order?.lifetimes?.[name] ?? orders.settings.lifetimes[name]);
  return {
    adapter,
    jwks: { keys: [signingKey] },
    clients: [{
      client_id: clientId,
      application_type: "native",
      token_endpoint_auth_method: "none",
      grant_types: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
      response_types: ["code"],
      redirect_uris: ["http://localhost", "http://localhost/", "http://127.0.0.1", "http://127.0.0.1/"],
    }],
    clientAuthMethods: ["none"],
    responseTypes: ["code"],
    scopes: OIDC_SCOPES,
    claims: { openid: ["sub", "oid", "tid", "ver"], profile: ["name", "preferred_username"], email: ["email"] },
    conformIdTokenClaims: false,
    cookies: { keys: ["loopback only, nothing to protect"] },
    pkce: { required: () => true },
    routes: CANONICAL,
    interactions: interactions(),
    extraParams: { tenant_segment: beforeLogin(parts) },
    findAccount: accounts(directory),
    loadExistingGrant: grantFor(parts),
    issueRefreshToken: (/** @type {any} */ _ctx, /** @type {any} */ _client, /** @type {any} */ source) => (
      source.scopes.has("offline_access")),
    rotateRefreshToken: () => true,
    expiresWithSession: () => false,
    ttl: {
      AccessToken: ttl("accessToken"), RefreshToken: ttl("refreshToken"), AuthorizationCode: ttl("authorizationCode"),
      DeviceCode: ttl("deviceCode"), IdToken: ttl("idToken"), Grant: LONG, Session: LONG, Interaction: LONG,
    },
    formats: {
      bitsOfOpaqueRandomness: (/** @type {any} */ _ctx, /** @type {any} */ token) => RANDOM_BITS[token.kind] ?? 256,
      customizers: { jwt: shapeAccessToken(parts) },
    },
    renderError: (/** @type {any} */ ctx, /** @type {any} */ out) => { ctx.state.refusal = out; },
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
      deviceFlow: {
        enabled: true, charset: "base-20", mask: "*********",
        userCodeInputSource: (/** @type {any} */ ctx, /** @type {string} */ form) => {
          ctx.body = `<!doctype html><title>Enter code</title>${form}<button type="submit" form="op.deviceInputForm">Next</button>`;
        },
        userCodeConfirmSource: (/** @type {any} */ ctx, /** @type {string} */ form) => {
          ctx.body = `<!doctype html><title>Confirm</title>${form}<button type="submit" form="op.deviceConfirmForm">Continue</button>`;
        },
        successSource: (/** @type {any} */ ctx) => { ctx.body = "<!doctype html><title>Done</title>You may close this window."; },
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: (/** @type {any} */ ctx, /** @type {any} */ _client, /** @type {string[]} */ oneOf) => (
          oneOf ? oneOf[0] : readScopes(ctx.oidc.params.scope).resources),
        useGrantedResource: () => true,
        getResourceServerInfo: (/** @type {any} */ _ctx, /** @type {string} */ resource) => {
          if (!(resource in RESOURCE_SCOPES)) throw new errors.InvalidTarget();
          return {
            scope: RESOURCE_SCOPES[resource].join(" "), audience: resource, accessTokenFormat: "jwt",
            jwt: { sign: { alg: "RS256" } },
          };
        },
      },
    },
  };
}

/** @param {string | undefined} audience whether Exchange Online takes the token for its own */
export const isMailAudience = (audience) => audience !== undefined && audience !== GRAPH && audience in RESOURCE_SCOPES;
