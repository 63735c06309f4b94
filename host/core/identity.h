/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The identity machine: one sign-in, its grant, its access tokens, and everything that may happen to them, as
 *
 *     identity_step(identity, event, now) -> effects
 *
 * It decides and does nothing else: no I/O, no clock, no globals. The shell carries out the effects in their
 * order and reports back by further events: how saving went is the next event after the step that asked for
 * it. After each step it asks identity_next_wake and sends EVENT_TIME then. Rules: DESIGN section 3.
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

#define RENEW_BEFORE_EXPIRY_S 300 /* as MSAL does (FACTS 1.7) */
/* So that a thousand desktops that were started at nine do not ask all at once at ten. */
#define RENEW_JITTER_MAX_S 120
#define RENEWAL_PAUSE_S 60    /* no second renewal of a token that was just issued */
#define RENEWALS_PER_MINUTE 2 /* Entra's loop guard strikes at more (FACTS 1.7) */
#define BACK_OFF_FIRST_S 4    /* doubles with each failure in a row, full jitter */
#define BACK_OFF_MAX_S 600
/* In REJECTED_WINDOW_S: a server that refuses good tokens must not cause a storm. */
#define REJECTED_RENEWALS_MAX 3
#define REJECTED_WINDOW_S 600
#define SUSPENDED_RETRY_S 3600  /* a suspended grant is tried again after an hour: consent may have come */
#define SAME_REQUEST_PAUSE_S 60 /* and never sooner than this, whoever asks (FACTS 1.7) */
#define SAVE_RETRY_S 30         /* a full disk is rarely emptied faster */
#define REFRESH_TOKEN_IDLE_S 7776000 /* 90 days (FACTS 1.8) */
#define SIGN_IN_TRIES 3
#define DEVICE_INTERVAL_DEFAULT_S 5 /* RFC 8628 section 3.2 */
#define DEVICE_SLOW_DOWN_S 5        /* RFC 8628 section 3.5 */
#define DEVICE_INTERVAL_MAX_S 60

/* Now, by two clocks. What is on disk and what others speak of goes by the wall clock; waits go by the other,
 * which nobody can set. */
struct moment {
    int64_t wall;   /* Unix seconds */
    int64_t uptime; /* seconds of a monotonic clock that counts the time suspended */
};

/* What makes an identity; sign_in_as in lower case. */
struct identity_key {
    char authority[AUTHORITY_SIZE];
    char tenant[TENANT_SIZE];
    char client_id[CLIENT_ID_SIZE];
    char sign_in_as[ACCOUNT_NAME_SIZE];
};

enum sign_in_method { METHOD_BROWSER, METHOD_DEVICE, METHOD_IMPORT };

/* What a sign-in gave. Zeroed: none. */
struct grant {
    uint64_t serial;             /* of the sign-in it came from; 0: there is none */
    uint64_t renewals;           /* counts those that succeeded: of two copies the higher is the newer */
    struct secret refresh_token; /* empty: dead */
    int64_t obtained_at, last_used_at; /* wall */
    enum sign_in_method method;
    char oid[DIRECTORY_ID_SIZE], tid[DIRECTORY_ID_SIZE];
    char home_account_id[HOME_ACCOUNT_ID_SIZE];
    char scopes[SCOPE_LIST_SIZE]; /* over all resources, without openid ones */
};

/* One resource: its access token and what hinders it. */
struct access {
    char resource[RESOURCE_SIZE]; /* "": unused */
    struct secret access_token;
    unsigned char hash[REJECTED_HASH_BYTES]; /* SHA-256 of it: many may ask with `rejected` */
    uint64_t renewal;                        /* the grant's count when it was issued */
    int64_t issued_at, expires_at;           /* wall */
    int64_t refresh_at;                      /* wall: when it should be renewed */
    int64_t jitter;        /* seconds before that, in this process; after a failure, behind it */
    int64_t issued_uptime; /* for a token issued in this process; else 0 */
    struct moment read;    /* when a token of another process was read */
    bool used;             /* asked for since start: renewed ahead, counts for the state */
    /* The grant is suspended for this resource: problem says why, tried_at (wall) since when. */
    bool suspended;
    int64_t tried_at;
    int64_t tried_uptime; /* when it was in this process; else 0 */
    bool retry;           /* the user, or a start, asks for another try before the hour is over */
    int64_t not_before;   /* uptime: back-off after passing trouble */
    int failures;         /* of passing trouble, in a row */
    int64_t renewals[RENEWALS_PER_MINUTE];     /* uptime of the latest requests, newest first; 0: none */
    int64_t rejections[REJECTED_RENEWALS_MAX]; /* uptime of the latest renewals by `rejected` */
    struct problem problem;
};

/* The sign-in under way. */
struct sign_in {
    uint64_t id; /* 0: none */
    enum sign_in_method method;
    char redirect_uri[REDIRECT_URI_SIZE]; /* browser */
    char scopes[SCOPE_LIST_SIZE];         /* with openid ones */
    struct secret state, nonce, verifier; /* browser */
    /* What the token endpoint is to redeem: the code, the device code, or the refresh token to take over. */
    struct secret code;
    int64_t interval, poll_at; /* device: seconds; uptime */
    int tries;
};

struct waiter {
    uint64_t request;
    int resource; /* index into access */
    int64_t min_ttl;
    bool when_due, anyway;
    bool probe; /* only looks: see EVENT_TOKEN_WANTED */
    bool has_rejected;
    unsigned char rejected[REJECTED_HASH_BYTES];
};

enum token_purpose { PURPOSE_NONE, PURPOSE_REFRESH, PURPOSE_SIGN_IN };

/* Held around each token request, over all processes of the user. */
enum lock_state { LOCK_FREE, LOCK_WANTED, LOCK_HELD };

/* What is being written, and so what follows once it is. */
enum saving { SAVING_NOTHING, SAVING_RENEWAL, SAVING_SIGN_IN, SAVING_SIGN_OUT, SAVING_STATE };

/* What a sign-in that is being saved replaces: it comes back when saving fails. */
struct former {
    struct grant grant;
    uint64_t serial;
    bool unsaved;
    struct access access[IDENTITY_RESOURCES_MAX];
    struct problem dead;
    char claims[CLAIMS_SIZE];
    struct identity *meanwhile; /* owned; what another process has written since, or NULL */
};

struct identity {
    struct identity_key key;
    struct grant grant;
    struct access access[IDENTITY_RESOURCES_MAX];
    struct sign_in sign_in;
    uint64_t serial; /* of the latest sign-in or sign-out: of two copies the higher is the newer */

    struct {
        enum token_purpose purpose; /* PURPOSE_NONE: nothing on the wire */
        uint64_t serial;            /* of the grant it renews */
        bool outdated;              /* another process has replaced the refresh token that was sent */
        uint64_t sign_in;
        int resource;
        bool look;     /* for probes alone: see flight_is_look() */
        bool detached; /* the sign-in or grant it belongs to is gone: the answer changes nothing */
    } flight;
    enum lock_state lock;

    enum saving saving;
    int saving_resource;   /* of SAVING_RENEWAL */
    struct former *before; /* owned; NULL but while a sign-in is being saved */

    struct waiter *waiters; /* owned */
    size_t waiter_count, waiter_capacity;

    bool unsaved;                  /* memory is newer than disk */
    int64_t save_at;               /* uptime of the next try */
    struct problem storage;        /* why saving failed, or PROBLEM_NONE */
    struct problem dead;           /* why the refresh token was given up, or PROBLEM_NONE */
    struct problem sign_in_failed; /* why the latest sign-in came to nothing, or PROBLEM_NONE */
    struct problem advice;         /* shown, but the state stays as it is */
    char claims[CLAIMS_SIZE];      /* Entra's demand, for the next authorization URL; "" when none */
    bool choose_account;           /* somebody else signed in last: let the user choose */

    /* --- set by the shell --- */
    struct problem held;       /* nothing is handed out (configuration changed, damaged, locked) */
    struct problem no_renewal; /* living tokens are handed out, no request is made */
    bool renew_ahead;          /* tokens in use are renewed before they expire */
    uint64_t random;           /* seed of the jitter: any number, another one for each process */

    /* Scratch: what effects of the latest step point to. */
    struct problem reply, sign_in_reply;
};

enum event_kind {
    EVENT_TOKEN_WANTED,
    EVENT_REQUEST_ENDED, /* cancelled or past its deadline: answer it with what there is */
    EVENT_LOCKED,        /* after EFFECT_LOCK, and after EVENT_REPLACED if the file has changed */
    EVENT_TOKEN_ANSWER,
    EVENT_TIME,    /* the time of identity_next_wake has come, or the clock was set, or the machine woke up */
    EVENT_NETWORK, /* addresses or routes have changed: what failed for the network may go now */
    EVENT_RETRY,   /* suspended grants may be tried again: the user says so, or a host was started */
    EVENT_SIGN_IN_START,
    EVENT_REDIRECT,
    EVENT_SIGN_IN_END, /* cancelled or past its deadline */
    EVENT_SIGN_OUT,
    EVENT_REMOVED,  /* its files are gone: as signing out, but nothing is saved */
    EVENT_REPLACED, /* another process has written the file, or it was read for the first time */
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
            bool when_due;              /* renew also when the time for it has come */
            bool anyway;                /* renew whatever there is, but for a token just issued */
            bool probe;                 /* a look that does not count as use: its failure changes no state */
            const unsigned char *rejected; /* REJECTED_HASH_BYTES, or NULL */
        } wanted;
        struct {
            uint64_t request;
            bool cancelled; /* else: its deadline passed */
        } ended;
        struct token_answer *answer; /* secrets may be moved out */
        struct {
            uint64_t id;
            enum sign_in_method method;
            const char *redirect_uri; /* browser; else "" */
            const char *scopes;
            struct secret *state, *nonce, *verifier; /* browser; moved out */
            struct secret *code; /* the device code, or the refresh token to take over; moved out */
            int64_t interval;    /* device: seconds between two polls; 0: not told */
        } start;
        struct {
            struct secret *code; /* moved out; NULL when error is set */
            const char *error;
            int aadsts;
            bool refused_by_user;
        } redirect;
        const struct problem *sign_in_end;
        /* What the file says, see identity_payload_read: grant, access, serial, dead, claims. Moved out. */
        struct identity *replaced;
        const struct problem *saved; /* PROBLEM_NONE: it is on disk */
    };
};

enum effect_kind {
    EFFECT_REPLY_TOKEN,      /* request, resource, renewed */
    EFFECT_REPLY_PROBLEM,    /* request, problem */
    EFFECT_LOCK,             /* get the lock, however long it takes; then EVENT_LOCKED */
    EFFECT_UNLOCK,           /* give it back, or up */
    EFFECT_SEND_TOKEN,       /* a request for the token endpoint: see flight */
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

/* Every step makes at most one effect per waiter and fewer than these besides. */
#define EFFECTS_MAX (IDENTITY_WAITERS_MAX + 16)

/* With room for all: what has been answered or saved must come through, however little memory there is. */
struct effects {
    size_t count;
    struct effect list[EFFECTS_MAX];
};

/*
 * One step. *effects is emptied and filled. 0; or -1 for EVENT_TOKEN_WANTED when there is no room for one
 * more waiter: then nothing has changed and no effect is due.
 */
int identity_step(struct identity *identity, const struct event *event, struct moment now,
                  struct effects *effects);
void identity_clear(struct identity *identity);

#define NO_WAKE INT64_MAX
/* The uptime at which EVENT_TIME is due, now or earlier when it is overdue; NO_WAKE when never. */
int64_t identity_next_wake(const struct identity *identity, struct moment now);
/* When a token in use will be renewed, in wall seconds; 0 when none will. */
int64_t identity_next_renewal(const struct identity *identity, struct moment now);

/* The account's state on the wire, and the problem shown with it (NULL: none). */
const char *identity_state(const struct identity *identity, const struct problem **problem);
/* The access of a resource, or NULL. */
const struct access *identity_find_access(const struct identity *identity, const char *resource);
/* Forgets all tokens and the sign-in's grant without effects: for erasing. */
void identity_forget_tokens(struct identity *identity);
/* The tenant of a token request: the one where the user is, once it is known (FACTS 1.1). Borrowed. */
const char *identity_token_tenant(const struct identity *identity);
/* The form of the token request that flight speaks of. 0, or -1 out of memory. */
int identity_token_form(const struct identity *identity, struct secret *form);

#endif
