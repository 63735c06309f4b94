/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A failure as a value: its kind (the numbered table of the protocol), the cause and the next step in plain
 * words. Texts are ours or the table's, never a server's: a hostile answer cannot speak to the user through
 * them.
 */
#ifndef THUNDERSEAL_CORE_PROBLEM_H
#define THUNDERSEAL_CORE_PROBLEM_H

#include "core/text.h"
#include <jansson.h>
#include <stdbool.h>

enum problem_kind {
    PROBLEM_NONE,
    PROBLEM_PARSE_ERROR,
    PROBLEM_INVALID_REQUEST,
    PROBLEM_MESSAGE_TOO_LARGE,
    PROBLEM_RESULT_TOO_LARGE,
    PROBLEM_METHOD_NOT_FOUND,
    PROBLEM_INVALID_PARAMS,
    PROBLEM_INTERNAL,
    PROBLEM_HELLO_REQUIRED,
    PROBLEM_PROTOCOL_UNSUPPORTED,
    PROBLEM_SIGN_IN_REQUIRED,
    PROBLEM_INTERACTION_REQUIRED,
    PROBLEM_CONSENT_REQUIRED,
    PROBLEM_NETWORK,
    PROBLEM_THROTTLED,
    PROBLEM_POLICY_DENIED,
    PROBLEM_WRONG_ACCOUNT,
    PROBLEM_VAULT_LOCKED,
    PROBLEM_VAULT_DAMAGED,
    PROBLEM_CANCELLED,
    PROBLEM_MISCONFIGURED,
    PROBLEM_BLOCKED,
    PROBLEM_IDENTITY_PROVIDER,
    PROBLEM_STORAGE,
    PROBLEM_UNKNOWN_ACCOUNT,
    PROBLEM_KINDS,
};

#define PROBLEM_TEXT_MAX                                                                                     \
    512 /* bytes of a cause or remedy, with the NUL; longer ones are cut at a character */
#define PROBLEM_DETAIL_MAX 255     /* bytes of a name (account, scopes, field), with the NUL */
#define PROBLEM_CORRELATION_MAX 40 /* a GUID and its NUL */

/* A plain value: copied by assignment, owns nothing. Zeroed is PROBLEM_NONE. */
struct problem {
    enum problem_kind kind;
    long long since;                     /* Unix seconds, 0 when unknown */
    int aadsts;                          /* Entra's number, 0 when none */
    int words;                           /* the number that told the words where Entra sent none, or 0 */
    int retry_after;                     /* seconds, 0 when none */
    const char *stage;                   /* PROBLEM_NETWORK: a literal, "dns" … "http"; else NULL */
    char cause[PROBLEM_TEXT_MAX];        /* what is wrong, one sentence */
    char remedy[PROBLEM_TEXT_MAX];       /* what the user does next, one sentence */
    char admin_remedy[PROBLEM_TEXT_MAX]; /* what the admin does, "" when nothing */
    struct text_parts cause_parts, remedy_parts, admin_remedy_parts;
    char field[PROBLEM_DETAIL_MAX];        /* PROBLEM_INVALID_PARAMS, and vault.unlock: the field's name */
    char resource[PROBLEM_DETAIL_MAX];     /* the resource concerned, "" when the identity as a whole */
    char signed_in_as[PROBLEM_DETAIL_MAX]; /* PROBLEM_WRONG_ACCOUNT */
    char missing_scopes[PROBLEM_TEXT_MAX]; /* PROBLEM_CONSENT_REQUIRED: separated by blanks */
    char correlation_id[PROBLEM_CORRELATION_MAX];
    char trace_id[PROBLEM_CORRELATION_MAX];
};

/* The kind's name on the wire ("sign-in-required"), JSON-RPC code and exit status; "" / 0 / 0 for
 * PROBLEM_NONE. */
const char *problem_kind_name(enum problem_kind kind);
/* The kind of that name, PROBLEM_NONE when there is none. */
enum problem_kind problem_kind_by_name(const char *name);
int problem_code(enum problem_kind kind);
int problem_exit_status(enum problem_kind kind);
/* Whether trying the same again later can help. */
bool problem_retryable(const struct problem *problem);

/* Fills *problem afresh. cause and remedy are texts without arguments (core/text.h), copied; NULL means "".
 */
void problem_set(struct problem *problem, enum problem_kind kind, const char *cause TEXTS,
                 const char *remedy TEXTS);
/* PROBLEM_INTERNAL: there is not enough memory. */
void problem_set_no_memory(struct problem *problem);
/* The same with a formatted cause. */
void problem_setf(struct problem *problem, enum problem_kind kind, const char *remedy TEXTS,
                  const char *cause_format TEXTS, ...) __attribute__((format(printf, 4, 5)));
/* Sets one sentence anew. Control characters, and bytes that are no UTF-8, become question marks. */
void problem_cause(struct problem *problem, const char *format TEXTS, ...)
    __attribute__((format(printf, 2, 3)));
void problem_remedy(struct problem *problem, const char *format TEXTS, ...)
    __attribute__((format(printf, 2, 3)));
void problem_admin_remedy(struct problem *problem, const char *format TEXTS, ...)
    __attribute__((format(printf, 2, 3)));

/* Copies from (NULL: "") into to, cut at a character when it is longer than size - 1 bytes of UTF-8; other
 * bytes than UTF-8 become question marks. */
void problem_copy_text(char *to, size_t size, const char *from);

/* New reference: {"code","message","data"} for a JSON-RPC error, NULL out of memory. */
json_t *problem_to_rpc_error(const struct problem *problem);
/* New reference: the Problem object of the protocol, NULL out of memory or for PROBLEM_NONE. */
json_t *problem_to_json(const struct problem *problem);

#endif
