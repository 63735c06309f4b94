/* SPDX-License-Identifier: MPL-2.0 */
/* What the model provider remembers of sign-ins, tokens and requests, and the weather around it. */
#ifndef THUNDERSEAL_SIM_BOOKS_H
#define THUNDERSEAL_SIM_BOOKS_H

#include "core/identity.h"

enum resource { OUTLOOK, GRAPH, RESOURCES };
extern const char *const resource_names[RESOURCES];
extern const char *const resource_scopes[RESOURCES];

enum cause { CAUSE_NONE, CAUSE_PASSWORD, CAUSE_REVOKED, CAUSE_IDLE, CAUSE_STRICT_REUSE, CAUSES };
/* All refresh tokens of one sign-in. */
struct family {
    uint32_t newest, newest_saved; /* numbers of tokens issued */
    int64_t last_used;
    enum cause dead;        /* why the provider takes none of them any more */
    bool bare;              /* it says so without a suberror: not to be believed */
    bool wrong_account;     /* somebody else's */
    bool excuse;            /* an answer that rotated was lost, or could not be saved */
    uint64_t signed_out_at; /* the disk's generation that no longer has it; 0: none */
};
struct token {
    enum resource resource;
    uint32_t family;
    int64_t issued_at, arrived_at; /* arrived_at 0: it never did */
    int64_t lifetime;              /* seconds */
    uint64_t instance;             /* of the process that it arrived at */
    uint32_t clock_jumps;          /* of the machine when it arrived */
    bool saved, save_failed;
};

enum reply_kind { REPLY_NONE, REPLY_TOKENS, REPLY_ERROR, REPLY_TRANSPORT, REPLY_GARBAGE };
struct reply {
    enum reply_kind kind;
    int64_t token; /* index into tokens */
    uint32_t family, number;
    bool without_refresh_token;
    int64_t refresh_in;
    int status, retry_after, aadsts;
    const char *error, *suberror, *stage;
    bool claims;
};
struct wire {
    bool used;
    int process;
    uint64_t instance;
    enum token_purpose purpose;
    enum resource resource;
    uint32_t family, number; /* of the refresh token sent */
    int64_t sign_in;         /* index into sign_ins */
    uint64_t grant_serial;
    bool wrong_account, processed, answer_lost;
    int64_t sent_at;
    struct reply reply;
};

enum condition {
    OFFLINE,
    DISK_FULL,
    OUTAGE,
    THROTTLING,
    GARBAGE,
    DISABLED,
    NO_CONSENT_OUTLOOK, /* in the order of the resources */
    NO_CONSENT_GRAPH,
    MFA_OUTLOOK,
    MFA_GRAPH,
    SHORT_LIVED,
    SLOW,
    REFUSING, /* the mail server refuses good tokens */
    CONDITIONS
};

struct sign_in_attempt {
    enum sign_in_method method;
    uint64_t nonce;
    int64_t authorized_at; /* device: when the user will have typed the code */
    bool wrong_account, redeemed;
    uint32_t family; /* + 1: what it brought, 0: nothing */
};

#endif
