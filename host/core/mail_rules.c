/* SPDX-License-Identifier: MPL-2.0 */
#include "core/mail_rules.h"

#include <stddef.h>
#include <string.h>

#define IMAP (1u << MAIL_IMAP)
#define POP3 (1u << MAIL_POP3)
#define SMTP (1u << MAIL_SMTP)
#define ANY (IMAP | POP3 | SMTP)

/* The front end refuses the token and says no more (FACTS 0.12). */
#define TOKEN_REFUSED MAIL_CAUSE_TOKEN_EXPIRED, MAIL_CAUSE_WRONG_AUDIENCE, MAIL_CAUSE_SCOPE_MISSING
#define IMAP_REFUSED                                                                                         \
    {                                                                                                        \
        TOKEN_REFUSED, MAIL_CAUSE_PERSONAL_SWITCH, MAIL_CAUSE_IMAP_DISABLED, MAIL_CAUSE_NO_PERMISSION,       \
            MAIL_CAUSE_ALIAS, MAIL_CAUSE_MALFORMED, MAIL_CAUSE_ACCESS_POLICY, MAIL_CAUSE_SERVICE_INCIDENT    \
    }
#define POP3_REFUSED                                                                                         \
    {                                                                                                        \
        TOKEN_REFUSED, MAIL_CAUSE_PERSONAL_SWITCH, MAIL_CAUSE_POP_DISABLED, MAIL_CAUSE_NO_PERMISSION,        \
            MAIL_CAUSE_ALIAS, MAIL_CAUSE_MALFORMED, MAIL_CAUSE_ACCESS_POLICY, MAIL_CAUSE_SERVICE_INCIDENT    \
    }
#define SMTP_REFUSED                                                                                         \
    {                                                                                                        \
        TOKEN_REFUSED, MAIL_CAUSE_NO_PERMISSION, MAIL_CAUSE_ALIAS, MAIL_CAUSE_SMTP_AUTH_MAILBOX,             \
            MAIL_CAUSE_SMTP_AUTH_TENANT, MAIL_CAUSE_MALFORMED, MAIL_CAUSE_ACCESS_POLICY,                     \
            MAIL_CAUSE_SERVICE_INCIDENT                                                                      \
    }
/* Signed in, but the mailbox did not open. */
#define NOT_CONNECTED(disabled)                                                                              \
    {                                                                                                        \
        MAIL_CAUSE_NO_PERMISSION, MAIL_CAUSE_NO_MAILBOX, MAIL_CAUSE_PERSONAL_SWITCH, disabled,               \
            MAIL_CAUSE_IPV6_PATH, MAIL_CAUSE_SCOPE_MISSING, MAIL_CAUSE_THROTTLED,                            \
            MAIL_CAUSE_SERVICE_INCIDENT                                                                      \
    }

/* FACTS 5.2; what is more special comes first. */
/* clang-format off */
static const struct mail_rule by_line[] = {
    {"Request is throttled", {MAIL_CAUSE_THROTTLED}, ANY, true},
    {"User is authenticated but not connected", NOT_CONNECTED(MAIL_CAUSE_IMAP_DISABLED), IMAP, false},
    {"Connection closed. 14", NOT_CONNECTED(MAIL_CAUSE_IMAP_DISABLED), IMAP, false},
    {"AUTHENTICATE failed", IMAP_REFUSED, IMAP, false},
    {"LOGIN failed", {MAIL_CAUSE_PASSWORD_USED}, IMAP, false},
    {"Authentication failure: unknown user name or bad password", POP3_REFUSED, POP3, false},
    {"Logon failure: unknown user name or bad password", POP3_REFUSED, POP3, false},
    {"SmtpClientAuthentication is disabled for the Tenant", {MAIL_CAUSE_SMTP_AUTH_TENANT}, SMTP, false},
    {"SmtpClientAuthentication is disabled for the Mailbox", {MAIL_CAUSE_SMTP_AUTH_MAILBOX}, SMTP, false},
    {"security defaults policy", {MAIL_CAUSE_SECURITY_DEFAULTS, MAIL_CAUSE_PASSWORD_USED}, SMTP, false},
    {"did not meet the criteria to be authenticated successfully", {MAIL_CAUSE_ACCESS_POLICY, MAIL_CAUSE_PASSWORD_USED}, SMTP, false},
    {"user credentials were incorrect",
     {TOKEN_REFUSED, MAIL_CAUSE_NO_PERMISSION, MAIL_CAUSE_ALIAS, MAIL_CAUSE_PASSWORD_USED}, SMTP, false},
    {"basic authentication is disabled", {MAIL_CAUSE_BASIC_DISABLED}, SMTP, false},
    {"Basic authentication is not supported", {MAIL_CAUSE_BASIC_RETIRED}, SMTP, false},
    {"5.7.30", {MAIL_CAUSE_BASIC_RETIRED}, SMTP, false},
    {"535 5.7.3", SMTP_REFUSED, SMTP, false}, /* 5.7.139 without a known reason too */
    {"5.7.57", {MAIL_CAUSE_NOT_AUTHENTICATED}, SMTP, false},
    {"not authenticated to send", {MAIL_CAUSE_NOT_AUTHENTICATED}, SMTP, false},
    {"5.7.60", {MAIL_CAUSE_SEND_AS}, SMTP, false},
    {"SendAsDenied", {MAIL_CAUSE_SEND_AS}, SMTP, false},
    {"5.2.252", {MAIL_CAUSE_SEND_AS}, SMTP, false},
    {"5.1.8 ", {MAIL_CAUSE_SENDER_BLOCKED}, SMTP, false},
    {"concurrent connections limit", {MAIL_CAUSE_TOO_MANY_CONNECTIONS}, SMTP, true},
    {"432 4.3.2", {MAIL_CAUSE_TOO_MANY_CONNECTIONS}, SMTP, true},
    {"4.7.66", {MAIL_CAUSE_OLD_TLS}, SMTP, false},
    {"451 4.7.0", {MAIL_CAUSE_SERVER_BUSY}, SMTP, true},
    {"421 4.3.2", {MAIL_CAUSE_SERVER_BUSY}, SMTP, true},
    {"5.5.124", {MAIL_CAUSE_MALFORMED}, SMTP, false},
};
/* clang-format on */

static const struct mail_rule refused_at_auth[MAIL_PROTOCOLS] = {
    [MAIL_IMAP] = {.causes = IMAP_REFUSED},
    [MAIL_POP3] = {.causes = POP3_REFUSED},
    [MAIL_SMTP] = {.causes = SMTP_REFUSED},
};

static const struct mail_rule refused_at_command[MAIL_PROTOCOLS] = {
    [MAIL_IMAP] = {.causes = NOT_CONNECTED(MAIL_CAUSE_IMAP_DISABLED)},
    [MAIL_POP3] = {.causes = NOT_CONNECTED(MAIL_CAUSE_POP_DISABLED)},
    [MAIL_SMTP] = {.causes = {MAIL_CAUSE_SERVER_BUSY, MAIL_CAUSE_NO_PERMISSION}},
};

/* A 4xx reply (RFC 5321 section 4.2.1). */
static const struct mail_rule passing_refusal = {.causes = {MAIL_CAUSE_SERVER_BUSY}, .passing = true};

static const struct mail_rule by_failure[MAIL_FAILURES] = {
    [MAIL_UNREACHABLE] = {.causes = {MAIL_CAUSE_PORT_BLOCKED, MAIL_CAUSE_NO_NETWORK}},
    [MAIL_TIMED_OUT] = {.causes = {MAIL_CAUSE_SLOW, MAIL_CAUSE_SERVICE_INCIDENT}},
    [MAIL_CLOSED] = {.causes = {MAIL_CAUSE_CLOSED, MAIL_CAUSE_SERVER_BUSY}},
    [MAIL_STRANGE] = {.causes = {MAIL_CAUSE_OTHER_SERVER}},
    [MAIL_TOO_LONG] = {.causes = {MAIL_CAUSE_OTHER_SERVER}},
    [MAIL_CERTIFICATE] = {.causes = {MAIL_CAUSE_INTERCEPTED}},
    [MAIL_TLS_FAILED] = {.causes = {MAIL_CAUSE_TLS_BROKEN, MAIL_CAUSE_OLD_TLS}},
    [MAIL_REFUSED] = {.causes = {MAIL_CAUSE_SERVER_REFUSES, MAIL_CAUSE_SERVER_BUSY}},
    [MAIL_NO_STARTTLS] = {.causes = {MAIL_CAUSE_NO_STARTTLS}},
    [MAIL_EARLY_TEXT] = {.causes = {MAIL_CAUSE_EARLY_TEXT}},
    [MAIL_PREAUTH] = {.causes = {MAIL_CAUSE_PREAUTH}},
    [MAIL_NO_XOAUTH2] = {.causes = {MAIL_CAUSE_NO_XOAUTH2}},
    [MAIL_NO_MEMORY] = {.causes = {MAIL_CAUSE_NO_MEMORY}},
};

static const struct mail_rule dns = {.causes = {MAIL_CAUSE_NAME_UNKNOWN, MAIL_CAUSE_NO_NETWORK}};
static const struct mail_rule no_connection = {.causes = {MAIL_CAUSE_PORT_BLOCKED, MAIL_CAUSE_NO_NETWORK}};
static const struct mail_rule no_tls_in_time = {.causes = {MAIL_CAUSE_TLS_BROKEN, MAIL_CAUSE_SLOW}};

static const struct mail_rule by_fault[] = {
    [MAIL_CERTIFICATE_GOOD] = {.causes = {MAIL_CAUSE_TLS_BROKEN}},
    [MAIL_CERTIFICATE_EXPIRED] = {.causes = {MAIL_CAUSE_CERTIFICATE_EXPIRED, MAIL_CAUSE_CLOCK}},
    [MAIL_CERTIFICATE_NOT_YET_VALID] = {.causes = {MAIL_CAUSE_CLOCK, MAIL_CAUSE_CERTIFICATE_EXPIRED}},
    [MAIL_CERTIFICATE_WRONG_NAME] = {.causes = {MAIL_CAUSE_CERTIFICATE_NAME, MAIL_CAUSE_INTERCEPTED}},
    [MAIL_CERTIFICATE_SELF_SIGNED] = {.causes = {MAIL_CAUSE_INTERCEPTED}},
    [MAIL_CERTIFICATE_UNKNOWN_ISSUER] = {.causes = {MAIL_CAUSE_INTERCEPTED}},
    [MAIL_CERTIFICATE_OTHER] = {.causes = {MAIL_CAUSE_INTERCEPTED, MAIL_CAUSE_CERTIFICATE_EXPIRED}},
};

const struct mail_rule *mail_rule_by_line(enum mail_protocol protocol, const char *line)
{
    for (size_t i = 0; i < sizeof by_line / sizeof *by_line; i++)
        if ((by_line[i].protocols & 1u << protocol) != 0 && strcasestr(line, by_line[i].line) != NULL)
            return &by_line[i];
    return NULL;
}

static const struct mail_rule *of_refusal(const struct mail_result *result)
{
    if (result->protocol == MAIL_SMTP && result->line[0] == '4')
        return &passing_refusal;
    if (result->stage == MAIL_STAGE_AUTH)
        return &refused_at_auth[result->protocol];
    if (result->stage == MAIL_STAGE_COMMAND)
        return &refused_at_command[result->protocol];
    return &by_failure[MAIL_REFUSED];
}

static const struct mail_rule *of_time_out(const struct mail_result *result)
{
    switch (result->stage) {
    case MAIL_STAGE_DNS:
        return &dns;
    case MAIL_STAGE_CONNECT:
        return &no_connection;
    case MAIL_STAGE_TLS:
        return &no_tls_in_time;
    default:
        return &by_failure[MAIL_TIMED_OUT];
    }
}

const struct mail_rule *mail_rule_by_stage(const struct mail_result *result)
{
    switch (result->failure) {
    case MAIL_REFUSED:
        return of_refusal(result);
    case MAIL_CERTIFICATE:
        return &by_fault[result->certificate.fault];
    case MAIL_TIMED_OUT:
        return of_time_out(result);
    case MAIL_UNREACHABLE:
        return result->stage == MAIL_STAGE_DNS ? &dns : &no_connection;
    default:
        return &by_failure[result->failure];
    }
}
