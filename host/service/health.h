/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The parts of health.check (protocol section 3, DESIGN walk 3). A check that is asked for, or that another
 * one builds upon, is an item of a plan; a step looks at an item and ends it, starts what it waits for, or
 * leaves it for later. Items that wait for the network do so side by side.
 */
#ifndef THUNDERSEAL_SERVICE_HEALTH_H
#define THUNDERSEAL_SERVICE_HEALTH_H

#include "core/check.h"
#include "core/cloud.h"
#include "core/jwt.h"
#include "core/mail_diagnosis.h"
#include "service/service_parts.h"

#define HEALTH_PROBE_MS 10000 /* PROTOCOL 3: Deadlines */
#define HEALTH_ALL_MS 30000
#define HEALTH_CONNECTIONS_MAX 32 /* over all checks under way */
#define HEALTH_CONNECTIONS_PER_SERVER 8
/* The other end hears of a connection's end a little later: only then is there room for the next one. */
#define HEALTH_CLOSE_MS 100
#define HEALTH_JOBS_MAX 4      /* a client asks for one at a time; of more, the last ones are refused */
#define HEALTH_SERVERS_MAX 256 /* of one account; nobody has as many */
#define HEALTH_LIST_MAX 4000   /* accounts or servers named: four servers of each of 1,000 accounts */
#define HEALTH_UNKNOWN_MAX 100 /* accounts that only a server's entry names: each costs some 40 KiB */

enum health_id {
    HEALTH_VERSIONS,
    HEALTH_POLICY,
    HEALTH_VAULT,
    HEALTH_AUDIT,
    HEALTH_CLOCK,
    HEALTH_AUTHORITY,
    HEALTH_SIGN_IN,
    HEALTH_TOKEN,
    HEALTH_SCOPES,
    HEALTH_SETTINGS,
    HEALTH_IMAP,
    HEALTH_POP3,
    HEALTH_SMTP,
    HEALTH_GRAPH,
    HEALTH_OFFLINE_COPY,
    HEALTH_DEADLINES,
    HEALTH_IDS
};
#define HEALTH_BIT(id) (1u << (id))
#define HEALTH_ALL_IDS (HEALTH_BIT(HEALTH_IDS) - 1)
/* What lies on this computer: a look at these alone does not take the place of a whole report. */
#define HEALTH_HERE_IDS                                                                                      \
    (HEALTH_BIT(HEALTH_VERSIONS) | HEALTH_BIT(HEALTH_POLICY) | HEALTH_BIT(HEALTH_VAULT) |                    \
     HEALTH_BIT(HEALTH_AUDIT))

enum server_type { SERVER_IMAP, SERVER_POP3, SERVER_SMTP, SERVER_GRAPH, SERVER_EWS, SERVER_TYPES };
enum server_socket { SOCKET_TLS, SOCKET_STARTTLS, SOCKET_PLAIN };
enum server_auth { AUTH_OAUTH2, AUTH_PASSWORD, AUTH_OTHER };

/* One server of an account, as Thunderbird has it, or as the cloud has it where Thunderbird did not say. */
struct health_server {
    enum server_type type;
    char host[MAIL_HOST_SIZE];
    unsigned short port;
    enum server_socket socket;
    enum server_auth auth;
    int offline_copy;  /* 1, 0; -1: not told */
    const char *fault; /* why it gets no token, a literal; NULL: it may. Set by health_server_judge() */
};

/* A look for an access token of one resource, without that counting as use. */
struct token_look {
    bool asked, answered, renewed, read;
    uint64_t request; /* 0: none is open */
    int resource;     /* index into access, when there is one */
    struct problem problem;
    int64_t started, milliseconds;
    /* Once read: */
    struct access_claims claims;
    unsigned char hash[REJECTED_HASH_BYTES];
};

struct health_item;

struct health_account {
    struct health_account *next;
    struct health_job *job;
    char name[ACCOUNT_NAME_SIZE];
    bool servers_told;             /* servers are those that the client named */
    struct health_server *servers; /* owned */
    size_t server_count;
    struct token_look mail, graph;
    struct token_look fresh; /* of mail, once a server has refused the one at hand */
    struct health_item *authority, *sign_in, *token, *settings; /* NULL: not in the plan */
};

enum item_state { ITEM_WAITING, ITEM_RUNNING, ITEM_DONE };

struct health_item {
    struct health_item *next;
    struct health_job *job;
    enum health_id id;
    struct health_account *account; /* NULL: about none */
    struct health_server *server;   /* of a probe; NULL */
    bool again;                     /* of a probe: with a fresh token */
    bool hidden;                    /* not asked for: another one builds upon it */
    enum item_state state;
    json_t *check;  /* once done; owned */
    json_t *so_far; /* what is told when the time is up before more is known; owned, NULL: nothing */
    /* While running, and until the other end has heard of the end: what is on the wire, and where to. */
    int connections;
    int64_t began, ended; /* monotonic milliseconds */
    char host[MAIL_HOST_SIZE];
    unsigned short port;
    void *work;                   /* the step's own; owned by it */
    void (*abandon)(void *work);  /* ends the work, for which nobody waits any more */
    struct account_target target; /* of an authority */
};

/* The items to which the connections on the wire belong, one entry each. */
struct health_connections {
    const struct health_item *items[HEALTH_CONNECTIONS_MAX];
    int count;
};

struct health_job {
    struct health_job *next;
    struct service *service;
    uint64_t request;
    json_t *id;
    unsigned wanted; /* bits */
    struct health_account *accounts, **accounts_end;
    struct health_item *items, **items_end;
    size_t unknown_accounts;         /* those that only a server's entry names */
    size_t total, done;              /* of those that are not hidden */
    struct health_connections *open; /* during a turn */
    bool no_memory;
    unsigned long refused; /* wiping_refused() at the start: later, something may be missing */
    struct loop_timer *turn, *deadline;
    struct loop_timer *room; /* a connection of the job is over by then */
    int64_t started_at;      /* Unix seconds */
};

/* --- health.c --- */
/* Ends the item with the check, which is taken over: NULL is out of memory. */
void health_done(struct health_item *item, json_t *check);
/* The item, whose connection is over, waits for its next turn. */
void health_wait(struct health_item *item);
/* The item's title, and a new Check for it. */
const char *health_title(enum health_id id);
const char *health_name(enum health_id id);
json_t *health_check(const struct health_item *item, enum check_status status);
/* Ends the item as skipped, for this reason. */
void health_skip(struct health_item *item, const char *reason TEXTS);
/* Where what the item builds upon failed or was skipped, ends it: true. base may be NULL, and must be done. A
 * hidden base's failure is the item's own. */
bool health_base_failed(struct health_item *item, const struct health_item *base);
/* Steps follow at the loop's next turn. */
void health_turn(struct health_job *job);
/* Words and numbers of a problem, with the ids by which an administrator finds it in Entra's logs. */
void health_problem(json_t *check, const struct problem *problem);
/* "2026-11-26 08:15 UTC". */
#define HEALTH_DATE_SIZE 32
const char *health_date(char text[HEALTH_DATE_SIZE], int64_t time);

/* --- health_connections.c --- */
/* Sees which connections are on the wire, those of other jobs too: once a turn, as a plan may be long. */
void health_connections_look(const struct service *service, struct health_connections *open);
/* Whether so many connections to this server may be made now; then they count as the item's, which runs. For
 * steps only. */
bool health_connect(struct health_item *item, int connections, const char *host, unsigned short port);
/* Looks in so many milliseconds whether there is room for more, unless that is done anyway. */
void health_room_after(struct health_job *job, int64_t milliseconds);

/* --- health_report.c --- */
/* The report of a job whose items are done: *failed counts the checks that failed, *overall is "ok", "warn"
 * or "fail". New reference; NULL where something would be missing for lack of memory. */
json_t *health_report(const struct health_job *job, int *failed, const char **overall);
/* What report.create tells of a report: without sentences, which are most of it. New reference. */
json_t *health_essence(json_t *report);

/* --- health_plan.c --- */
/* Reads params into the job and plans. 0, or -1 with *problem. */
int health_plan(struct health_job *job, const json_t *params, struct problem *problem);
struct account_target health_target(const struct health_account *account);

/* --- the steps --- */
typedef void health_step(struct health_item *item);
health_step health_versions, health_policy, health_vault, health_audit, health_clock; /* health_here.c */
health_step health_authority;                                                         /* health_authority.c */
health_step health_sign_in, health_scopes;                                            /* health_sign_in.c */
health_step health_token;                                                             /* health_token.c */
health_step health_settings, health_offline_copy, health_deadlines;                   /* health_servers.c */
health_step health_mail;                                                              /* health_probes.c */
health_step health_graph;                                                             /* health_graph.c */

/* --- health_authority.c --- */
/* The server's clock less ours is in it; NULL until the item is done, or when it was not asked. */
struct authority_answer;
const struct authority_answer *health_authority_answer(const struct health_item *item);
/* Why the certificate of host, which may be a URL, was not believed, by libcurl's words. subject and issuer
 * are of the one that was shown; "" when not seen. */
void health_tls_failure(json_t *check, const char *words, const char *host, const char *subject,
                        const char *issuer);

/* --- health_token.c --- */
/* Asks for a token unless that was done; true once there is an answer in look, which is one of the account's.
 */
bool health_token_look(struct health_account *account, struct token_look *look);
/* Whether a token that lives is at hand. */
bool health_token_living(const struct health_account *account, bool graph);
/* The token of a look that was answered; NULL when it is gone. Borrowed: only until the loop's next turn. */
const struct secret *health_token_of(const struct health_account *account, const struct token_look *look);

/* --- health_probes.c --- */
/* What is known of a token, for the diagnosis. Borrowed from the account. */
struct mail_circumstances health_circumstances(const struct health_account *account,
                                               const struct token_look *look,
                                               const struct account_target *target);
/* Whether there is such a server, and it may have a token; else the item is ended, or waits. */
bool health_may_probe(struct health_item *item);

/* --- health_servers.c --- */
/* Sets the server's fault by the configuration as it is now. */
void health_server_judge(struct health_account *account, struct health_server *server);
/* "imap" … "ews". */
const char *server_type_name(enum server_type type);

#endif
