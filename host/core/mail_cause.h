/* SPDX-License-Identifier: MPL-2.0 */
/* What can be wrong between a token and a mailbox, in plain words. For mail_diagnosis.c. */
#ifndef THUNDERSEAL_CORE_MAIL_CAUSE_H
#define THUNDERSEAL_CORE_MAIL_CAUSE_H

enum mail_cause {
    MAIL_CAUSE_NONE, /* closes a list */
    /* the token */
    MAIL_CAUSE_TOKEN_EXPIRED,
    MAIL_CAUSE_WRONG_AUDIENCE,
    MAIL_CAUSE_SCOPE_MISSING,
    MAIL_CAUSE_GRAPH_SCOPE_MISSING,
    MAIL_CAUSE_ENTRA, /* the last renewal's error says it */
    MAIL_CAUSE_MALFORMED,
    /* the mailbox */
    MAIL_CAUSE_NO_PERMISSION,
    MAIL_CAUSE_ALIAS,
    MAIL_CAUSE_NO_MAILBOX,
    MAIL_CAUSE_IMAP_DISABLED,
    MAIL_CAUSE_POP_DISABLED,
    MAIL_CAUSE_PERSONAL_SWITCH,
    MAIL_CAUSE_SMTP_AUTH_TENANT,
    MAIL_CAUSE_SMTP_AUTH_MAILBOX,
    MAIL_CAUSE_SEND_AS,
    MAIL_CAUSE_SENDER_BLOCKED,
    /* the organisation */
    MAIL_CAUSE_ACCESS_POLICY,
    MAIL_CAUSE_SECURITY_DEFAULTS,
    MAIL_CAUSE_PASSWORD_USED,
    MAIL_CAUSE_BASIC_DISABLED,
    MAIL_CAUSE_BASIC_RETIRED,
    MAIL_CAUSE_NOT_AUTHENTICATED,
    MAIL_CAUSE_EWS_BLOCKED,
    MAIL_CAUSE_EWS_RETIRED,
    MAIL_CAUSE_EWS_NOT_ALLOWED,
    /* the service */
    MAIL_CAUSE_SERVICE_INCIDENT,
    MAIL_CAUSE_IPV6_PATH,
    MAIL_CAUSE_THROTTLED,
    MAIL_CAUSE_TOO_MANY_CONNECTIONS,
    MAIL_CAUSE_SERVER_BUSY,
    MAIL_CAUSE_SERVER_REFUSES,
    /* the way there */
    MAIL_CAUSE_NAME_UNKNOWN,
    MAIL_CAUSE_NO_NETWORK,
    MAIL_CAUSE_PORT_BLOCKED,
    MAIL_CAUSE_CERTIFICATE_EXPIRED,
    MAIL_CAUSE_CLOCK,
    MAIL_CAUSE_CERTIFICATE_NAME,
    MAIL_CAUSE_INTERCEPTED,
    MAIL_CAUSE_TLS_BROKEN,
    MAIL_CAUSE_OLD_TLS,
    MAIL_CAUSE_SLOW,
    MAIL_CAUSE_CLOSED,
    MAIL_CAUSE_OTHER_SERVER,
    MAIL_CAUSE_NO_STARTTLS,
    MAIL_CAUSE_EARLY_TEXT,
    MAIL_CAUSE_PREAUTH,
    MAIL_CAUSE_NO_XOAUTH2,
    MAIL_CAUSE_NO_MEMORY,
    MAIL_CAUSES
};

/* adminRemedy is a format (core/text.h): each of its at most two %s is the mailbox. */
struct mail_cause_text {
    const char *id;
    const char *cause;
    const char *remedy;
    const char *admin_remedy; /* NULL when there is nothing to do for an administrator */
};

const struct mail_cause_text *mail_cause_text(enum mail_cause cause);

#endif
