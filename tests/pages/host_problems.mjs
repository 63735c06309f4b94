// SPDX-License-Identifier: MPL-2.0

/** Problems as the host words them: one for each kind that an account can show, and some that are longer than most. */

import { readFile, readdir } from "node:fs/promises";
import { join, resolve } from "node:path";

const HOST = resolve(import.meta.dirname, "../../host");

const TRACE = { correlationId: "5b9ad2f4-6d3e-4a55-9d8e-8f4c1f0e7a10", traceId: "2f3a6b1c-0d4e-4f5a-8b6c-7d8e9f001122", since: 1_790_000_000 };

/** @type {Record<string, any>} */
export const PROBLEMS = {
  "sign-in-required": {
    cause: "Microsoft no longer accepts the stored sign-in of this account.",
    remedy: 'Sign in again from Thunderseal\'s button in Thunderbird, or with "thunderseal login".',
    adminRemedy: "Look at the user's sign-in log in Entra for the reason: password change, revoked sessions, or an expired sign-in.",
    aadsts: 50173, ...TRACE,
  },
  "interaction-required": {
    cause: "Microsoft wants to see the user once more, for instance for a second factor.",
    remedy: "Sign in again from Thunderseal's button in Thunderbird and follow Microsoft's page.",
    adminRemedy: "Look at the Conditional Access tab of the failed sign-in in Entra's sign-in log.",
  },
  "consent-required": {
    cause: "In your organisation only an administrator can allow this app to read mail.",
    remedy: 'Ask your administrator to approve the app; "thunderseal consent-url" prints the link for it.',
    adminRemedy: 'Open the admin consent link that "thunderseal consent-url" prints, and approve the app there.',
    aadsts: 90094, ...TRACE,
  },
  network: {
    cause: "The name of Microsoft's sign-in service cannot be found.",
    remedy: "Check the network connection.",
  },
  throttled: {
    cause: "Microsoft asks for fewer requests at the moment.",
    remedy: "Nothing to do: Thunderseal tries again later.",
  },
  "policy-denied": {
    cause: "Your organisation's policy allows no accounts of the domain contoso.test.",
    remedy: "Use an account of your organisation, or ask your administrator.",
    adminRemedy: "Add the domain to allowedDomains in policy.json.",
  },
  "wrong-account": {
    cause: "ada@contoso.test signed in, but this account needs info@contoso.test.",
    remedy: "Choose the right account in the browser; or, if ada@contoso.test is your sign-in name for this mailbox, say so in Thunderseal and sign in again.",
    signedInAs: "ada@contoso.test",
  },
  "vault-locked": {
    cause: "The keyring with the key to the saved sign-ins is locked.",
    remedy: "Unlock your keyring; everything then goes on by itself.",
  },
  "vault-damaged": {
    cause: "The saved sign-in /home/ada/.local/state/thunderseal/identities/4f1d22a09c3b7e58.sealed was damaged, changed by another program, or removed.",
    remedy: "Sign in again.",
  },
  cancelled: {
    cause: "The sign-in was cancelled in the browser.",
    remedy: "Start the sign-in again when you are ready.",
  },
  misconfigured: {
    cause: "Microsoft rejects how this app is set up: client id, tenant, redirect or scope.",
    remedy: "Ask your administrator to check Thunderseal's settings.",
    adminRemedy: "Compare clientId, tenant and redirect URI in policy.json with the app registration in Entra; the app must be a public client with the redirect URI http://localhost.",
  },
  blocked: {
    cause: "Microsoft or your organisation blocks this account or this sign-in.",
    remedy: "Ask your administrator: signing in again does not help.",
    adminRemedy: "Entra's sign-in log names the reason under the correlation id.",
    ...TRACE,
  },
  "identity-provider": {
    cause: "Microsoft's sign-in service does not answer properly at the moment.",
    remedy: "Nothing to do: Thunderseal tries again. If it lasts, ask whether a proxy stands in the way.",
    adminRemedy: "See the service health page; check whether a proxy answers in the place of the sign-in service.",
  },
  storage: {
    cause: "Another Thunderseal is changing the key in /home/ada/.local/state/thunderseal.",
    remedy: "Nothing to do: saving is tried again.",
  },
  internal: {
    cause: "Thunderseal ran out of memory or met a fault of its own.",
    remedy: "Restart Thunderbird; if it happens again, report it.",
  },
};

/** A mail server that refuses good tokens: the account stays ready. */
export const REFUSED = {
  kind: "blocked",
  cause: "The mail server refuses tokens that Microsoft issued as good.",
  remedy: "Ask your administrator whether IMAP and SMTP are allowed for this mailbox.",
  adminRemedy: "Check with Get-CASMailbox that ImapEnabled is true and SmtpClientAuthenticationDisabled is not, and that the mailbox is licensed.",
};

/**
 * @param {string} kind
 * @param {object} [more]
 */
export const problem = (kind, more = {}) => ({ kind, ...PROBLEMS[kind], ...more });

/** @returns {Promise<string>} the host's sources, with neighbouring literals joined, and quotes and names resolved where they stand in them */
export async function hostTexts() {
  const files = (await readdir(HOST, { recursive: true })).filter(name => name.endsWith(".c"));
  const sources = await Promise.all(files.map(name => readFile(join(HOST, name), "utf8")));
  return sources.join("\n").replaceAll(/"\s*\\?\s*"/g, "").replaceAll('\\"', '"');
}
