// SPDX-License-Identifier: MPL-2.0
/**
 * Errors in Entra's shape, and the translation of oidc-provider's into the ones that Entra gives for the same mistake.
 */
import { randomUUID } from "node:crypto";

/** @typedef {{ error: string, code: number, text?: string, suberror?: string, claims?: string, correlationId?: string }} EntraError */

/** "2026-11-23 10:00:00Z" */
const timestamp = () => `${new Date().toISOString().slice(0, 19).replace("T", " ")}Z`;

/** @param {EntraError} problem @param {string} authority */
export function entraBody({ error, code, text = "Error.", suberror, claims, correlationId = randomUUID() }, authority) {
  const time = timestamp();
  const traceId = randomUUID();
  return {
    error,
    error_description: [
      `AADSTS${code}: ${text}`, `Trace ID: ${traceId}`, `Correlation ID: ${correlationId}`, `Timestamp: ${time}`,
    ].join("\r\n"),
    error_codes: [code],
    timestamp: time,
    trace_id: traceId,
    correlation_id: correlationId,
    error_uri: `${authority}/error?code=${code}`,
    ...(suberror ? { suberror } : {}),
    ...(claims ? { claims } : {}),
  };
}

/**
 * oidc-provider's error and detail (a text of its source), then ours; the first line that fits counts.
 * @type {[error: string, detail: RegExp, entra: EntraError, status?: number][]}
 */
const TRANSLATIONS = [
  ["invalid_grant", /refresh token is expired/, { error: "invalid_grant", code: 700082, suberror: "token_expired", text: "The refresh token has expired due to inactivity." }],
  ["invalid_grant", /refresh token already used/, { error: "invalid_grant", code: 70000, suberror: "bad_token", text: "The provided value for the input parameter 'refresh_token' was used before." }],
  ["invalid_grant", /refresh token not found/, { error: "invalid_grant", code: 9002313, text: "Invalid request. Request is malformed or invalid." }],
  ["invalid_grant", /code already consumed/, { error: "invalid_grant", code: 54005, text: "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token." }],
  ["invalid_grant", /authorization code is expired/, { error: "invalid_grant", code: 70008, text: "The provided authorization code or refresh token has expired due to inactivity." }],
  ["invalid_grant", /code_verifier/, { error: "invalid_grant", code: 501481, text: "The Code_Verifier does not match the code_challenge supplied in the authorization request." }],
  ["invalid_grant", /redirect_uri mismatch/, { error: "invalid_client", code: 500112, text: "The reply address does not match the reply address provided when requesting Authorization code." }],
  ["invalid_grant", /client mismatch/, { error: "invalid_grant", code: 700005, suberror: "client_mismatch", text: "Provided grant is issued to another client." }],
  ["invalid_grant", /device code not found/, { error: "bad_verification_code", code: 70020, text: "The provided device code is not valid." }],
  ["invalid_grant", /./, { error: "invalid_grant", code: 70000, text: "The provided grant is not valid." }],
  ["authorization_pending", /./, { error: "authorization_pending", code: 70016, text: "OAuth 2.0 device flow error. Authorization is pending. Continue polling." }],
  ["expired_token", /./, { error: "expired_token", code: 70019, text: "Verification code expired." }],
  ["access_denied", /./, { error: "authorization_declined", code: 65004, text: "User declined to consent to access the app." }],
  ["invalid_client", /./, { error: "unauthorized_client", code: 700016, text: "Application with this identifier was not found in the directory." }],
  ["invalid_scope", /refresh token missing/, { error: "invalid_grant", code: 65001, suberror: "consent_required", text: "The user or administrator has not consented to use the application. Send an interactive authorization request for this user and resource." }],
  ["invalid_target", /./, { error: "invalid_grant", code: 65001, suberror: "consent_required", text: "The user or administrator has not consented to use the application. Send an interactive authorization request for this user and resource." }],
  ["unsupported_grant_type", /./, { error: "unsupported_grant_type", code: 70003, text: "The app requested an unsupported grant type." }],
  ["invalid_request", /missing required parameter/, { error: "invalid_request", code: 900144, text: "The request body lacks a required parameter." }],
];

/**
 * @param {{ error?: string, message: string, error_description?: string, error_detail?: string, statusCode?: number }} problem
 * @returns {{ status: number, entra: EntraError }}
 */
export function translate(problem) {
  const error = problem.error ?? problem.message;
  const detail = `${problem.error_detail ?? ""} ${problem.error_description ?? ""} `;
  const found = TRANSLATIONS.find(([from, pattern]) => from === error && pattern.test(detail));
  const entra = found?.[2] ?? (error === "server_error" || !problem.error
    ? { error: "server_error", code: 90033, text: "A transient error has occurred. Please try again." }
    : { error, code: 90014, text: detail.trim() });
  if (entra.code === 90033) return { status: 500, entra };
  return { status: entra.error === "invalid_client" ? 401 : 400, entra };
}

/** A revoked sign-in: what a refresh token answers after `revoke`. @type {EntraError} */
export const REVOKED = {
  error: "invalid_grant", code: 50173, suberror: "bad_token",
  text: "The provided grant has expired due to it being revoked, a fresh auth token is needed.",
};

/** @type {EntraError} */
export const DISABLED = { error: "invalid_grant", code: 50057, text: "The user account is disabled." };
