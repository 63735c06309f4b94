// SPDX-License-Identifier: MPL-2.0
/**
 * One HTTPS request to a test server, trusting its own authority only, and the whole sign-in by code built on it.
 */
import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { Agent, request as httpsRequest } from "node:https";

/**
 * @typedef {{ status: number, headers: import('node:http').IncomingHttpHeaders, text: string, json: any }} Answer
 * @typedef {{ authority: string, caFile: string, clientId: string }} Authority  an identity provider, or its addresses
 */

/**
 * @param {string} url
 * @param {{ caFile: string, form?: Record<string, string>, json?: unknown, headers?: Record<string, string>, signal?: AbortSignal }} options
 * @returns {Promise<Answer>}
 */
export function request(url, { caFile, form, json, headers = {}, signal }) {
  const body = form ? new URLSearchParams(form).toString() : json === undefined ? undefined : JSON.stringify(json);
  const type = form ? "application/x-www-form-urlencoded" : "application/json";
  return new Promise((resolve, reject) => {
    const agent = new Agent({ ca: readFileSync(caFile), keepAlive: false });
    const outgoing = httpsRequest(url, {
      agent, signal, method: body === undefined ? "GET" : "POST",
      headers: { ...(body === undefined ? {} : { "content-type": type, "content-length": Buffer.byteLength(body) }), ...headers },
    }, async (response) => {
      try {
        let text = "";
        for await (const chunk of response.setEncoding("utf8")) text += chunk;
        const isJson = response.headers["content-type"]?.includes("json");
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined });
      } catch (error) {
        reject(error);
      }
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** @param {Authority} idp @param {Record<string, string>} form @param {{ tenant?: string, headers?: Record<string, string>, signal?: AbortSignal }} [options] */
export const tokenRequest = ({ authority, caFile, clientId }, form, { tenant = "organizations", headers, signal } = {}) => (
  request(`${authority}/${tenant}/oauth2/v2.0/token`, { caFile, headers, signal, form: { client_id: clientId, ...form } }));

/** @param {Authority} idp @param {string} refreshToken @param {string} [scope] */
export const refresh = (idp, refreshToken, scope) => tokenRequest(idp, {
  grant_type: "refresh_token", refresh_token: refreshToken, ...(scope ? { scope } : {}),
});

export const MAIL_SCOPES = [
  "https://outlook.office.com/IMAP.AccessAsUser.All", "https://outlook.office.com/SMTP.Send",
  "offline_access", "openid", "profile",
].join(" ");

export const newVerifier = () => randomBytes(32).toString("base64url");

/** @param {Authority} idp @param {Record<string, string>} parameters with `verifier` instead of the challenge */
export function authorizationUrl({ authority, clientId }, { verifier, tenant = "organizations", ...parameters }) {
  const query = new URLSearchParams({
    client_id: clientId, response_type: "code", redirect_uri: "http://localhost:4567", scope: MAIL_SCOPES, state: "state",
    ...(verifier ? { code_challenge: createHash("sha256").update(verifier).digest("base64url"), code_challenge_method: "S256" } : {}),
    ...parameters,
  });
  return `${authority}/${tenant}/oauth2/v2.0/authorize?${query}`;
}

/**
 * Signs in by code with PKCE; the identity provider must be set to `autoLogin`.
 * @param {Authority} idp @param {{ scope?: string, tokenScope?: string, tenant?: string, nonce?: string, hint?: string }} [options]
 * @returns {Promise<any>} the token answer
 */
export async function signIn(idp, { scope = MAIL_SCOPES, tokenScope, tenant = "organizations", nonce, hint } = {}) {
  const verifier = newVerifier();
  const redirectUri = "http://localhost:4567";
  const url = authorizationUrl(idp, {
    verifier, tenant, scope, redirect_uri: redirectUri, ...(nonce ? { nonce } : {}), ...(hint ? { login_hint: hint } : {}),
  });
  const { headers, text } = await request(url, idp);
  const code = new URL(headers.location ?? "none:").searchParams.get("code");
  if (!code) throw new Error(`no code: ${headers.location ?? text}`);
  const form = { grant_type: "authorization_code", code, redirect_uri: redirectUri, code_verifier: verifier, client_info: "1" };
  const { status, json } = await tokenRequest(idp, { ...form, ...(tokenScope ? { scope: tokenScope } : {}) }, { tenant });
  if (status !== 200) throw new Error(JSON.stringify(json));
  return json;
}
