// SPDX-License-Identifier: MPL-2.0

/** What a user sends to the administrator: what is wrong, what can be done about it, and what finds it in Entra's log. */

import { inOurWords, text } from "../shared/texts.mjs";

/** A browser forgets after 5 s that the user clicked, and then gives no clipboard. */
const LINK_DEADLINE_MS = 2_000;

/** @param {number|undefined} seconds since 1970 */
function utc(seconds) {
  return seconds ? new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, "Z") : "";
}

/**
 * The address at which an administrator consents; the host says it beside the error that consent would cure.
 * @param {import("./host_connection.mjs").HostConnection} host
 * @param {string} account
 * @param {any} problem
 * @returns {Promise<string>} "" where there is none
 */
async function consentLink(host, account, { kind, resource, consentUrl }) {
  if (consentUrl || kind !== "consent-required") {
    return consentUrl ?? "";
  }
  const graph = /graph/.test(resource ?? "") ? { protocol: "graph" } : {};
  return host.request("token.get", { account, ...graph }, LINK_DEADLINE_MS).then(() => "", ({ data }) => data?.consentUrl ?? "");
}

/**
 * @param {import("./host_connection.mjs").HostConnection} host
 * @param {{account: string, problem: any, clientId?: string, version: string}} facts
 * @returns {Promise<string>} without anything secret
 */
export async function adminText(host, { account, problem, clientId, version }) {
  const { cause = "", adminRemedy = "", aadsts, correlationId, traceId, since } = inOurWords(problem);
  const facts = /** @type {[string, string][]} */ ([
    ["adminText_link", await consentLink(host, account, problem)],
    ["adminText_code", aadsts ? `AADSTS${aadsts}` : ""],
    ["adminText_app", clientId ?? ""],
    ["adminText_correlation", correlationId ?? ""],
    ["adminText_trace", traceId ?? ""],
    ["adminText_time", utc(since)],
    ["adminText_version", version],
  ]);
  const lines = facts.filter(([, value]) => value).map(([key, value]) => text(key, value));
  return [text("adminText_about", account), cause, adminRemedy && text("adminRemedy", adminRemedy), lines.join("\n")].filter(Boolean).join("\n\n");
}
