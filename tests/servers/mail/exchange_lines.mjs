// SPDX-License-Identifier: MPL-2.0
/** What Exchange Online's front end says when it says no (FACTS 5.2), and what a check is to make of each line. */

export const NOT_CONNECTED = "TAG BAD User is authenticated but not connected.\r\n* BYE Connection closed. 14";

/**
 * @typedef {object} Line
 * @property {import('./exchange.mjs').Options['protocol']} protocol
 * @property {import('./exchange.mjs').Step} step   at which the server says it
 * @property {string} line                          TAG is the command's tag
 * @property {string} stage                         at which a probe fails
 * @property {string} cause                         the likeliest while nothing is known of the token
 * @property {string} [good]                        the likeliest with a token that is good in every respect; else the same
 * @property {'warn'} [status]                      a passing trouble; else the check fails
 */

/** @type {Line[]} */
export const EXCHANGE_LINES = [
  { protocol: "imap", step: "token", stage: "auth", cause: "token-expired", good: "imap-disabled",
    line: "TAG NO AUTHENTICATE failed." },
  { protocol: "imap", step: "token", stage: "auth", cause: "password-used",
    line: "TAG NO LOGIN failed." },
  { protocol: "imap", step: "command", stage: "command", cause: "no-permission", good: "no-mailbox",
    line: NOT_CONNECTED },
  { protocol: "imap", step: "command", stage: "command", cause: "no-permission", good: "no-mailbox",
    line: "* BYE Connection closed. 14" },
  { protocol: "imap", step: "command", stage: "command", cause: "throttled", status: "warn",
    line: "TAG NO Request is throttled. Suggested Backoff Time: 258333 milliseconds" },
  { protocol: "imap", step: "token", stage: "auth", cause: "throttled", status: "warn",
    line: "TAG BAD Request is throttled. Suggested Backoff Time: 1000 milliseconds\r\n* BYE Connection closed. 14" },
  { protocol: "pop3", step: "token", stage: "auth", cause: "token-expired", good: "pop-disabled",
    line: "-ERR Authentication failure: unknown user name or bad password." },
  { protocol: "pop3", step: "token", stage: "auth", cause: "token-expired", good: "pop-disabled",
    line: "-ERR Logon failure: unknown user name or bad password." },
  { protocol: "smtp", step: "token", stage: "auth", cause: "token-expired", good: "smtp-auth-disabled-mailbox",
    line: "535 5.7.3 Authentication unsuccessful [TEST.eurprd01.prod.outlook.com]" },
  { protocol: "smtp", step: "token", stage: "auth", cause: "smtp-auth-disabled-tenant",
    line: "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled for more information. [TEST.prod.outlook.com]" },
  { protocol: "smtp", step: "token", stage: "auth", cause: "smtp-auth-disabled-mailbox",
    line: "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox. Visit https://aka.ms/smtp_auth_disabled for more information. [TEST.prod.outlook.com]" },
  { protocol: "smtp", step: "token", stage: "auth", cause: "security-defaults",
    line: "535 5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults policy. Contact your administrator." },
  { protocol: "smtp", step: "token", stage: "auth", cause: "access-policy",
    line: "535 5.7.139 Authentication unsuccessful, the request did not meet the criteria to be authenticated successfully. Contact your administrator." },
  { protocol: "smtp", step: "token", stage: "auth", cause: "token-expired", good: "password-used",
    line: "535 5.7.139 Authentication unsuccessful, the user credentials were incorrect." },
  { protocol: "smtp", step: "token", stage: "auth", cause: "basic-disabled",
    line: "535 5.7.139 Authentication unsuccessful, basic authentication is disabled." },
  { protocol: "smtp", step: "token", stage: "auth", cause: "basic-retired",
    line: "550 5.7.30 Basic authentication is not supported for Client Submission." },
  { protocol: "smtp", step: "command", stage: "command", cause: "not-authenticated",
    line: "530 5.7.57 Client not authenticated to send mail." },
  { protocol: "smtp", step: "command", stage: "command", cause: "not-authenticated",
    line: "530 5.7.57 SMTP; Client was not authenticated to send anonymous mail during MAIL FROM" },
  { protocol: "smtp", step: "command", stage: "command", cause: "send-as",
    line: "550 5.7.60 SMTP; Client does not have permissions to send as this sender" },
  { protocol: "smtp", step: "command", stage: "command", cause: "send-as",
    line: "554 5.2.252 SendAsDenied; ada@contoso.test not allowed to send as ben@contoso.test" },
  { protocol: "smtp", step: "command", stage: "command", cause: "sender-blocked",
    line: "501 5.1.8 Access denied, bad outbound sender" },
  { protocol: "smtp", step: "greeting", stage: "greeting", cause: "too-many-connections", status: "warn",
    line: "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded; concurrent connections limit" },
  { protocol: "smtp", step: "token", stage: "auth", cause: "server-busy", status: "warn",
    line: "451 4.7.0 Temporary server error. Please try again later." },
  { protocol: "smtp", step: "greeting", stage: "greeting", cause: "server-busy", status: "warn",
    line: "421 4.3.2 Service not available" },
  { protocol: "smtp", step: "greeting", stage: "greeting", cause: "old-tls",
    line: "421 4.7.66 TLS 1.0 and 1.1 are not supported. Please upgrade your client to support TLS 1.2." },
  { protocol: "smtp", step: "token", stage: "auth", cause: "sasl-malformed",
    line: "501 5.5.124 Invalid XOAUTH2 auth data - User address provided is not valid" },
];
