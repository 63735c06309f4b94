/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The identity machine: one sign-in, its grant, its access tokens, and everything that may happen to them, as
 *
 *     identity_step(identity, event, now) -> effects
 *
 * It decides and does nothing else: no I/O, no clock, no globals. The shell carries out the effects in their
 * order and reports back by further events; how saving went is the next event after the one that asked for
 * it. Rules: DESIGN section 3.
 */
#ifndef THUNDERSEAL_CORE_IDENTITY_H
#define THUNDERSEAL_CORE_IDENTITY_H

#include "core/account_name.h"
#include "core/problem.h"
#include "core/scope.h"
#include "core/secret.h"
#include "core/token_answer.h"
#include <stdint.h>

#define AUTHORITY_SIZE 256
#define TENANT_SIZE 256
#define CLIENT_ID_SIZE 128
#define REDIRECT_URI_SIZE 64
#define HOME_ACCOUNT_ID_SIZE (2 * DIRECTORY_ID_SIZE)
#define IDENTITY_RESOURCES_MAX 4  /* outlook and graph, and two that a caller of signIn.start may name */
#define IDENTITY_WAITERS_MAX 1024 /* requests in flight that the protocol allows */
#define REJECTED_HASH_BYTES 32    /* SHA-256 */

#define RENEWAL_PAUSE_S 60    /* no second renewal of a token that was just issued */
#define RENEWALS_PER_MINUTE 2 /* Entra's loop guard strikes at more (FACTS 1.7) */
#define REJECTED_RENEWALS_MAX                                                                                \
    3 /* in REJECTED_WINDOW_S: a server that refuses good tokens must not cause a storm */
#define REJECTED_WINDOW_S 600
#define SUSPENDED_RETRY_S 3600 /* a suspended grant is tried again after an hour: consent may have come */
#define REFRESH_TOKEN_IDLE_S 7776000 /* 90 days (FACTS 1.8) */
#define SIGN_IN_TRIES 3

/* What makes an identity; sign_in_as in lower case. */
struct identity_key {
    char authority[AUTHORITY_SIZE];
    char tenant[TENANT_SIZE];
    char client_id[CLIENT_ID_SIZE];
    char sign_in_as[ACCOUNT_NAME_SIZE];
};

/* What a sign-in gave. Zeroed: none. */
struct grant {
    uint64_t serial;             /* of the sign-in it came from; 0: there is none */
    struct secret refresh_token; /* empty: dead */
    int64_t obtained_at, last_used_at;
    char oid[DIRECTORY_ID_SIZE], tid[DIRECTORY_ID_SIZE];
    char home_account_id[HOME_ACCOUNT_ID_SIZE];
    char scopes[SCOPE_LIST_SIZE]; /* over all resources, without openid ones */
};

/* One resource: its access token and what hinders it. */
struct access {
    char resource[RESOURCE_SIZE]; /* "": unused */
    struct secret access_token;
    int64_t issued_at, expires_at;
    bool used;                                 /* asked for since start: counts for the account's state */
    int64_t suspended_until;                   /* 0: not */
    int64_t not_before;                        /* Retry-After: no request before this time */
    int64_t renewals[RENEWALS_PER_MINUTE];     /* times of the latest requests, newest first */
    int64_t rejections[REJECTED_RENEWALS_MAX]; /* times of the latest renewals by `rejected`, newest first */
    struct problem problem;
};

/* The code flow under way. */
struct sign_in {
    uint64_t id; /* 0: none */
    char redirect_uri[REDIRECT_URI_SIZE];
    char scopes[SCOPE_LIST_SIZE]; /* with openid ones */
    struct secret state, nonce, verifier, code;
    int tries;
};

struct waiter {
    uint64_t request;
    int resource; /* index into access */
    bool has_rejected;
    unsigned char rejected[REJECTED_HASH_BYTES];
};

enum token_purpose { PURPOSE_NONE, PURPOSE_REFRESH, PURPOSE_CODE };

/* What a sign-in that is being saved replaces: it comes back when saving fails. */
struct former {
    struct grant grant;
    struct access access[IDENTITY_RESOURCES_MAX];
};

struct identity {
    struct identity_key key;
    struct grant grant;
    struct access access[IDENTITY_RESOURCES_MAX];
    struct sign_in sign_in;
    uint64_t serial; /* the highest serial given out */

    struct {
        enum token_purpose purpose; /* PURPOSE_NONE: nothing on the wire */
        uint64_t serial;            /* of the grant it renews, or that it would make */
        uint64_t sign_in;
        int resource;
        bool detached; /* the sign-in or grant it belongs to is gone: the answer changes nothing */
    } flight;

    struct former *before; /* owned; NULL but while a sign-in is being saved */

    struct waiter *waiters; /* owned */
    size_t waiter_count, waiter_capacity;

    bool unsaved;                  /* memory is newer than disk */
    struct problem storage;        /* why saving failed, or PROBLEM_NONE */
    struct problem dead;           /* why the refresh token was given up, or PROBLEM_NONE */
    struct problem sign_in_failed; /* why the latest sign-in came to nothing, or PROBLEM_NONE */
    struct problem advice;         /* shown, but the state stays as it is */
    /* Set by the shell: nothing is handed out (configuration changed, damaged, locked). */
    struct problem held;
    /* Set by the shell: living tokens are handed out, no request is made. */
    struct problem no_renewal;
    /* Scratch: what effects of the latest step point to. */
    struct problem reply, sign_in_reply;
};

enum event_kind {
    EVENT_TOKEN_WANTED,
    EVENT_REQUEST_ENDED, /* cancelled or past its deadline: answer it with what there is */
    EVENT_TOKEN_ANSWER,
    EVENT_SIGN_IN_START,
    EVENT_REDIRECT,
    EVENT_SIGN_IN_END, /* cancelled or past its deadline */
    EVENT_SIGN_OUT,
    EVENT_REMOVED, /* its files are gone: as signing out, but nothing is saved */
    EVENT_SAVED
};

struct event {
    enum event_kind kind;
    union {
        struct {
            uint64_t request;
            const char *resource;
            const char *scopes;         /* wanted, may be "" */
            const char *fallback_scope; /* named as missing when the resource has no granted scope at all */
            int64_t min_ttl;            /* seconds */
            const unsigned char *rejected; /* REJECTED_HASH_BYTES, or NULL */
        } wanted;
        struct {
            uint64_t request;
            bool cancelled; /* else: its deadline passed */
        } ended;
        struct token_answer *answer; /* secrets may be moved out */
        struct {
            uint64_t id;
            const char *redirect_uri;
            const char *scopes;
            struct secret *state, *nonce, *verifier; /* moved out */
        } start;
        struct {
            struct secret *code; /* moved out; NULL when error is set */
            const char *error;
            int aadsts;
            bool refused_by_user;
        } redirect;
        const struct problem *sign_in_end;
        const struct problem *saved; /* PROBLEM_NONE: it is on disk */
    };
};

enum effect_kind {
    EFFECT_REPLY_TOKEN,      /* request, resource, renewed */
    EFFECT_REPLY_PROBLEM,    /* request, problem */
    EFFECT_SEND_TOKEN,       /* a request for the token endpoint: see flight and identity_token_request */
    EFFECT_SAVE,             /* then EVENT_SAVED */
    EFFECT_SAVE_AND_FORGET,  /* save and leave no older generation, then EVENT_SAVED */
    EFFECT_SIGN_IN_FINISHED, /* sign_in, problem (NULL: success) */
    EFFECT_SIGN_IN_RETRY,    /* sign_in, problem */
    EFFECT_CHANGED,          /* state or tokens: tell the clients */
    EFFECT_ATTENTION         /* problem: tell the user once */
};

struct effect {
    enum effect_kind kind;
    uint64_t request; /* or the sign-in's id */
    int resource;     /* index into access */
    bool renewed;
    const struct problem *problem; /* in the identity, valid until the next step */
};

struct effects {
    struct effect *list; /* owned */
    size_t count, capacity;
};

/*
 * One step. *effects is emptied and filled. 0, or -1 out of memory: then nothing has changed and no effect is
 * due. now is Unix seconds.
 */
int identity_step(struct identity *identity, const struct event *event, int64_t now, struct effects *effects);
void effects_free(struct effects *effects);
void identity_clear(struct identity *identity);

/* The account's state on the wire, and the problem shown with it (NULL: none). */
const char *identity_state(const struct identity *identity, const struct problem **problem);
/* The access of a resource, or NULL. */
const struct access *identity_find_access(const struct identity *identity, const char *resource);
/* Forgets all tokens and the sign-in's grant without effects: for erasing. */
void identity_forget_tokens(struct identity *identity);

#endif
