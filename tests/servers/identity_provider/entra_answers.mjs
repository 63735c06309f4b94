// SPDX-License-Identifier: MPL-2.0
/**
 * Koa middleware around oidc-provider that gives its answers Entra's shape.
 */
import { createPrivateKey, randomBytes, sign } from "node:crypto";
import { entraBody, translate } from "./entra_errors.mjs";
import { isOidcScope } from "./scopes.mjs";

/** @typedef {import('./control_routes.mjs').World} World */

const base64url = (/** @type {string | Buffer} */ data) => Buffer.from(data).toString("base64url");

/** Signs an id token again with claims put over its own. @param {World} world @param {string} token @param {Record<string, unknown>} claims */
function altered({ signingKey }, token, claims) {
  const [header, payload] = token.split(".");
  const original = JSON.parse(Buffer.from(payload, "base64url").toString());
  const merged = Object.fromEntries(Object.entries({ ...original, ...claims }).filter(([, value]) => value !== null));
  const text = `${header}.${base64url(JSON.stringify(merged))}`;
  const key = createPrivateKey({ key: signingKey, format: "jwk" });
  return `${text}.${base64url(sign("sha256", Buffer.from(text), key))}`;
}

/** @param {World} world @param {any} ctx */
function shapeTokenAnswer(world, ctx) {
  const { orders, journal, directory } = world;
  const { settings } = orders;
  const body = { ...ctx.body };
  const { AccessToken: accessToken } = ctx.oidc.entities;
  const user = directory.get(accessToken.accountId);
  const { opaqueAccessTokens: opaque } = settings;
  if (opaque) body.access_token = `EwB${randomBytes(opaque === true ? 600 : opaque).toString("base64")}`;
  body.scope = (body.scope ?? "").split(" ").filter((/** @type {string} */ scope) => scope && !isOidcScope(scope)).join(" ");
  body.ext_expires_in = body.expires_in;
  const expiresAt = Math.floor(Date.now() / 1000) + body.expires_in;

  if (settings.preferredUsername !== null || settings.idTokenClaims) {
    const preferred = settings.preferredUsername === null ? {} : { preferred_username: settings.preferredUsername };
    if (body.id_token) body.id_token = altered(world, body.id_token, { ...preferred, ...settings.idTokenClaims });
  }
  if (settings.withoutRefreshToken) delete body.refresh_token;
  const { refreshIn = settings.refreshIn } = ctx.req.order ?? {};
  if (refreshIn !== null) body.refresh_in = refreshIn;
  if (settings.scopeInAnswer === false) delete body.scope;
  else if (settings.scopeInAnswer !== null) body.scope = settings.scopeInAnswer;
  if (settings.clientInfo && ctx.req.form.get("client_info") === "1") {
    const home = settings.clientInfo === true ? { uid: user.oid, utid: user.tid } : settings.clientInfo;
    body.client_info = base64url(JSON.stringify(home));
  }
  if (settings.expiresInAsString) {
    body.expires_in = String(body.expires_in);
    body.ext_expires_in = String(body.ext_expires_in);
  }

  const about = { user: user.upn, audience: accessToken.aud, scopes: [...accessToken.scopes], expiresAt };
  journal.issue({ kind: "access_token", value: body.access_token, ...about });
  if (body.refresh_token) journal.issue({ kind: "refresh_token", value: body.refresh_token, user: user.upn });
  if (body.id_token) journal.issue({ kind: "id_token", value: body.id_token, user: user.upn });
  ctx.body = body;
}

/** @param {World} world @param {any} ctx */
function shapeDeviceAnswer({ orders, journal }, ctx) {
  const { device_code: deviceCode, user_code: userCode, verification_uri: uri, expires_in: expiresIn } = ctx.body;
  journal.issue({ kind: "device_code", value: deviceCode });
  ctx.body = {
    user_code: userCode, device_code: deviceCode, verification_uri: uri, expires_in: expiresIn,
    interval: orders.settings.deviceInterval,
    message: `To sign in, use a web browser to open the page ${uri} and enter the code ${userCode} to authenticate.`,
  };
}

/** The redirect back to the client, without what Entra does not send. @param {World} world @param {any} ctx */
function shapeRedirect(world, ctx) {
  const location = ctx.response.get("location");
  const redirectUri = ctx.oidc?.params?.redirect_uri;
  if (!redirectUri || !location?.startsWith(new URL(redirectUri).origin)) return;
  const url = new URL(location);
  url.searchParams.delete("iss");
  if (url.searchParams.get("error") === "access_denied") url.searchParams.set("error_subcode", "cancel");
  const code = url.searchParams.get("code");
  if (code) {
    const user = world.directory.find(ctx.oidc.session.accountId);
    world.journal.issue({ kind: "code", value: code, user: user?.upn });
    world.codeTenants.set(code, ctx.oidc.params.tenant_segment);
    url.searchParams.set("session_state", ctx.oidc.session.uid);
  }
  ctx.set("location", url.href);
  ctx.body = "";
}

/** @param {World} world @param {any} ctx @param {string} tenant */
function discovery(world, ctx, tenant) {
  const base = `${world.authority}/${tenant}`;
  const directoryOnly = /^(organizations|common|consumers)$/.test(tenant) ? "{tenantid}" : world.tenant;
  ctx.body = {
    token_endpoint: `${base}/oauth2/v2.0/token`,
    token_endpoint_auth_methods_supported: ["client_secret_post", "private_key_jwt", "client_secret_basic"],
    jwks_uri: `${base}/discovery/v2.0/keys`,
    response_modes_supported: ["query", "fragment", "form_post"],
    subject_types_supported: ["pairwise"],
    id_token_signing_alg_values_supported: ["RS256"],
    response_types_supported: ["code", "id_token", "code id_token", "id_token token"],
    scopes_supported: ["openid", "profile", "email", "offline_access"],
    issuer: `${world.authority}/${directoryOnly}/v2.0`,
    request_uri_parameter_supported: false,
    userinfo_endpoint: "https://graph.microsoft.com/oidc/userinfo",
    authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
    device_authorization_endpoint: `${base}/oauth2/v2.0/devicecode`,
    http_logout_supported: true,
    frontchannel_logout_supported: true,
    end_session_endpoint: `${base}/oauth2/v2.0/logout`,
    claims_supported: ["sub", "iss", "aud", "exp", "iat", "auth_time", "acr", "nonce", "preferred_username", "name", "tid", "ver", "at_hash", "c_hash", "email"],
    tenant_region_scope: null,
    cloud_instance_name: "microsoftonline.com",
    cloud_graph_host_name: "graph.windows.net",
    msgraph_host: "graph.microsoft.com",
    rbac_url: "https://pas.windows.net",
  };
}

/** @param {World} world */
export function entraAnswers(world) {
  const { provider } = world;
  provider.on("grant.error", (/** @type {any} */ ctx, /** @type {any} */ problem) => { ctx.state.problem = problem; });
  provider.on("device_authorization.error", (/** @type {any} */ ctx, /** @type {any} */ problem) => { ctx.state.problem = problem; });
  provider.on("server_error", (/** @type {any} */ ctx, /** @type {any} */ problem) => { ctx.state.problem = problem; });

  return async (/** @type {any} */ ctx, /** @type {() => Promise<void>} */ next) => {
    const { endpoint, tenant, order } = ctx.req;
    ctx.set("x-ms-request-id", ctx.req.requestId);
    if (endpoint === "discovery") discovery(world, ctx, tenant);
    else await next();

    if (ctx.state.problem && ctx.status >= 400) {
      const { status, entra } = translate(ctx.state.problem);
      ctx.body = entraBody({ ...entra, correlationId: ctx.req.correlationId }, world.authority);
      ctx.status = status;
    } else if (ctx.state.refusal) {
      const { error, error_description: description } = ctx.state.refusal;
      const code = error === "invalid_redirect_uri" ? 50011 : 700016;
      ctx.type = "html";
      ctx.body = `<!doctype html><title>Sign in to your account</title><p>AADSTS${code}: ${String(description).replace(/[<&]/g, "")}`;
    } else if (endpoint === "token" && ctx.status === 200) shapeTokenAnswer(world, ctx);
    else if (endpoint === "devicecode" && ctx.status === 200) shapeDeviceAnswer(world, ctx);
    if (ctx.response.get("location")) shapeRedirect(world, ctx);

    if (order?.afterProcessing) {
      ctx.respond = false;
      if (order.hang) await world.orders.hang();
      ctx.req.socket.destroy();
    }
  };
}
