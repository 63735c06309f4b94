/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the token endpoint answered (RFC 6749 section 5, FACTS 1.3): success, or a failure sorted into what it
 * means for the refresh token. Everything in it is hostile until checked here.
 */
#ifndef THUNDERSEAL_CORE_TOKEN_ANSWER_H
#define THUNDERSEAL_CORE_TOKEN_ANSWER_H

#include "core/account_name.h"
#include "core/problem.h"
#include "core/scope.h"
#include "core/secret.h"
#include <stdint.h>

#define DIRECTORY_ID_SIZE 64 /* a GUID is 36 characters; test providers use other forms */
/* Seconds. Entra's longest is 28 hours, a configured lifetime one day. */
#define TOKEN_EXPIRES_IN_MAX 864000
#define CLAIMS_SIZE 2048 /* bytes with the NUL; Entra's are under 200, and they have to fit into a URL */

/* The HTTP exchange as the shell saw it. Borrowed during token_answer_read. */
struct token_http {
    const char *failed_stage; /* NULL, or where the transport failed: a literal */
    long status;
    bool too_long;
    bool redirected;
    int retry_after; /* seconds, 0 when absent */
    const struct secret *body;
};

/* Claims of the id token. It came over TLS from the token endpoint itself, so its signature need not be
 * checked (OpenID Connect Core 1.0, section 3.1.3.7 item 6). "" when absent. */
struct id_claims {
    bool present;
    char audience[RESOURCE_SIZE];
    char nonce[64];
    char oid[DIRECTORY_ID_SIZE];
    char tid[DIRECTORY_ID_SIZE];
    char preferred_username[ACCOUNT_NAME_SIZE];
    char upn[ACCOUNT_NAME_SIZE];
};

enum token_failure {
    TOKEN_FAILURE_NONE,
    TOKEN_FAILURE_TRANSIENT, /* keep everything, try again later */
    TOKEN_FAILURE_SUSPENDED, /* keep the refresh token, suspended for the resource */
    TOKEN_FAILURE_DEAD       /* the refresh token is gone for good */
};

/* What an error says to a client that polls with a device code (RFC 8628 section 3.5). */
enum device_poll {
    DEVICE_POLL_NONE,      /* nothing about polling */
    DEVICE_POLL_PENDING,   /* the user has not finished: poll on */
    DEVICE_POLL_SLOW_DOWN, /* poll on, 5 seconds slower */
    DEVICE_POLL_DECLINED,
    DEVICE_POLL_EXPIRED
};

struct token_answer {
    enum token_failure failure;
    struct problem problem; /* PROBLEM_NONE on success */
    struct secret access_token;
    struct secret refresh_token; /* empty when absent */
    int64_t expires_in;          /* seconds, at least 1 */
    int64_t refresh_in;          /* seconds after which Entra wants it renewed; 0 when not told */
    char scopes[SCOPE_LIST_SIZE];
    struct id_claims id;
    char client_info_uid[DIRECTORY_ID_SIZE]; /* "" when absent */
    char client_info_utid[DIRECTORY_ID_SIZE];
    enum device_poll device_poll;
    char claims[CLAIMS_SIZE]; /* of an error: a JSON object for the authorization request, or "" */
};

/* Fills *answer (zeroed by the caller). Texts are ours, never the server's. */
void token_answer_read(struct token_answer *answer, const struct token_http *http);
void token_answer_clear(struct token_answer *answer);

#endif
