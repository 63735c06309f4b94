/* SPDX-License-Identifier: MPL-2.0 */
/* What the files of the service share; nobody else includes this. */
#ifndef THUNDERSEAL_SERVICE_SERVICE_PARTS_H
#define THUNDERSEAL_SERVICE_SERVICE_PARTS_H

#include "core/identity.h"
#include "core/identity_record.h"
#include "core/rpc.h"
#include "core/settings.h"
#include "net/clock_watch.h"
#include "net/https.h"
#include "net/network_watch.h"
#include "net/redirect_listener.h"
#include "service/keys.h"
#include "service/service.h"
#include "vault/audit.h"
#include "vault/identity_lock.h"
#include "vault/vault.h"

#define REQUESTS_MAX IDENTITY_WAITERS_MAX
#define ACCOUNTS_MAX 1000
#define LIST_MAX 200 /* accounts in one reply */
/* The client has its answer within 8 s, pipes and a busy machine included. */
#define TOKEN_GET_DEADLINE_MS 7500
#define SIGN_IN_DEADLINE_S 300
#define IMPORT_TOKEN_MAX 16384 /* Entra's refresh tokens are under 3 KiB */
#define LOCK_RETRY_FIRST_MS 25 /* DESIGN 1 */
#define LOCK_RETRY_MAX_MS 250
#define WRITE_LOCK_WAIT_MS 500 /* a write of another process takes some milliseconds */
#define SIGN_IN_ID_SIZE 24
#define AUDIT_DAYS_DEFAULT 365
#define VERSION_SIZE 64    /* of Thunderbird and the add-on, as hello tells them */
#define INDEX_BUCKETS 1024 /* one for each account there may be */

/* That an entry serves an address, or will when its sign-in succeeds. */
struct claim {
    struct claim *next; /* in the bucket, older */
    struct entry *entry;
    const char *account; /* borrowed from the entry */
};

/* What the audit log was last told of a resource's renewal. */
struct audit_failure {
    enum problem_kind kind; /* PROBLEM_NONE: that it went well, or nothing */
    int aadsts;
};

/* The latest token request, once it was answered. */
struct exchange {
    struct guid request_id;
    int64_t milliseconds;
    long http_status; /* 0: no answer came */
};

/* One identity with the addresses that it serves. */
struct entry {
    struct entry *next, *next_in_bucket;
    struct service *service;
    struct identity identity;
    json_t *addresses; /* array of texts as first written; changed by address_index.c alone */
    /* An address that comes here if the sign-in succeeds, else ""; likewise. */
    char moving[ACCOUNT_NAME_SIZE];
    struct claim move; /* of what is in moving */
    struct account_wish wish;
    char name[VAULT_NAME_SIZE];
    uint64_t generation; /* of its file, as last read or written */
    uint64_t tried;      /* the latest that writing was tried with */
    bool on_disk;
    bool seen;    /* while all files are read again */
    bool untidy;  /* its file names an address that another identity has */
    bool changed; /* account.changed is due */
    /* Why the configuration lets it serve nobody, and since when. */
    enum problem_kind denied;
    int64_t denied_since;

    char sign_in_account[ACCOUNT_NAME_SIZE];
    char sign_in_id[SIGN_IN_ID_SIZE];
    enum sign_in_method sign_in_method;
    uint64_t import_request; /* the account.import that the end of the sign-in answers, or 0 */
    int64_t sign_in_expires_at;
    struct redirect_listener *listener;
    struct loop_timer *sign_in_timer;
    struct loop_timer *wake_timer; /* of identity_next_wake */
    int64_t wake_at;
    struct identity_lock lock; /* around a token request */
    struct loop_timer *lock_timer;
    int64_t lock_retry_ms;
    struct exchange exchange;
    /* Of the sign-in under way: of the latest try to redeem what it gave. */
    struct guid sign_in_request;
    unsigned handed_over; /* a bit for each resource whose token this process has handed out */
    struct audit_failure renewal_failed[IDENTITY_RESOURCES_MAX];
};

/* What a look for a token of our own came to: problem NULL: the entry has it, in access (index resource).
 * Comes from within the entry's step: nothing here may step it again. */
typedef void request_told(void *context, int resource, bool renewed, const struct problem *problem);

/* A request whose reply waits for a token. */
struct request {
    struct request *next;
    struct service *service;
    struct entry *entry;
    uint64_t number; /* what the core calls it */
    char key[RPC_KEY_SIZE];
    json_t *id;
    struct loop_timer *deadline;
    request_told *told; /* NULL: the client asked, and has the reply */
    void *told_context;
};

struct service {
    struct loop *loop;
    struct service_client client;
    struct settings settings;
    struct vault *vault;
    struct audit *audit;            /* NULL only out of memory */
    struct loop_timer *audit_timer; /* of the next try to write it */
    bool audit_told;                /* that it could not be written */
    struct keys *keys;
    /* Made at the first transfer that needs it; the second with the anchors of caFile. */
    struct https *https, *https_own_anchors;
    char *proxy;     /* Thunderbird's, from hello */
    json_t *managed; /* what Thunderbird's policies set, from hello, or NULL */
    char *state_folder;
    char extension_version[VERSION_SIZE], thunderbird_version[VERSION_SIZE]; /* from hello; "": not told */
    struct health_job *health;                                               /* health checks under way */
    json_t *last_health;                                                     /* the latest report, or NULL */
    struct entry *entries;
    struct entry *by_sign_in_name[INDEX_BUCKETS];
    struct claim *claims[INDEX_BUCKETS];
    size_t vacant_count;       /* entries without an address: what is to be swept is among them */
    bool changes_due;          /* an entry may have changed */
    bool any_locked;           /* an entry may be held because the vault is locked */
    struct backup_job *backup; /* being made or restored, or NULL */
    struct request *requests;
    size_t request_count;
    uint64_t next_number;
    bool retry_when_open; /* suspended grants are to be tried again, but could not be read yet */
    bool greeted;         /* hello succeeded */
    bool starting;        /* the vault is being read for the first time */
    bool reload_due;      /* the watch began after files were read */
    bool saving;          /* a file is being compared and written: what is older there goes anyway */
    int watch_fd;         /* inotify, or -1 */
    int folder_wd;        /* in it, the folder of the sealed files; 0: not there */
    dev_t folder_device;  /* which folder that is */
    ino_t folder_inode;
    struct loop_watch *watch;
    struct clock_watch *clock_watch;
    struct network_watch *network_watch;
};

typedef json_t *method_function(struct service *service, struct rpc_request *request,
                                struct problem *problem);

/* --- service.c --- */
int64_t wall_clock(void);
struct moment moment_now(void);
void send_message(struct service *service, json_t *message); /* takes it over; NULL: no memory for it */
void notify(struct service *service, const char *method, json_t *params);
/* Handles a request that has waited; takes it over. */
void service_handle_again(struct service *service, json_t *message);

/* --- methods: a result (new reference), or NULL with *problem, or NULL with PROBLEM_NONE: the reply comes
 * later --- */
method_function method_account_list, method_account_add, method_account_remove, method_sign_out,
    method_token_get, method_sign_in_start, method_sign_in_cancel, method_account_import, method_renew,
    method_renewable, method_audit_read, method_audit_verify, method_audit_names, method_policy_get,
    method_settings_set, method_health_check, method_report_create, method_backup_create,
    method_backup_restore, method_vault_unlock, method_key_show, method_key_change;
/* {accounts, more} in the order of account.list. */
json_t *account_page(struct service *service, const char *after, size_t limit);
json_t *hello_result(struct service *service, const json_t *params, struct problem *problem);

/* --- requests.c --- */
struct request *request_open(struct service *service, json_t *id, struct problem *problem);
/* The same for one that has no deadline of its own, and no identity to be asked of its end. */
struct request *request_open_patient(struct service *service, json_t *id, struct problem *problem);
/* One of our own. NULL out of memory. */
struct request *request_open_own(struct service *service, request_told *told, void *context);
struct request *request_by_key(struct service *service, const char *key);
struct request *request_by_number(struct service *service, uint64_t number);
void request_close(struct request *request);

/* --- address_index.c: which entry serves an address --- */
struct entry *entry_of(struct service *service, const char *account);
/* The account as it was first written, in a buffer of ACCOUNT_NAME_SIZE, which is returned; as it is given
 * when nobody has it. */
const char *account_as_written(struct service *service, const char *account, char *written);
bool entry_has_address(const struct entry *entry, const char *account);
/* Another entry that has the address too, or NULL. */
struct entry *entry_other_with(const struct entry *entry, const char *account);
int entry_add_address(struct entry *entry, const char *account);
void entry_remove_address(struct entry *entry, const char *account);
void entry_clear_addresses(struct entry *entry);
/* The address that comes here if the sign-in succeeds; "": none. */
void entry_set_moving(struct entry *entry, const char *account);
bool entry_is_moving(const struct entry *entry, const char *account);
bool keys_equal(const struct identity_key *a, const struct identity_key *b);
struct entry *entry_by_key(struct service *service, const struct identity_key *key);
/* A new entry, still without address; and one to be released. */
void index_entry(struct entry *entry);
void unindex_entry(struct entry *entry);

/* --- accounts.c --- */
/* The name of the identity's file. */
void entry_name(char name[VAULT_NAME_SIZE], const struct identity_key *key);
/* The entry for the key, made when there is none; NULL out of memory. */
struct entry *entry_make(struct service *service, const struct identity_key *key);
size_t accounts_count(const struct service *service);
/* Adds or changes an account as account.add does, without saving. The entry, or NULL with *problem. */
struct entry *account_ensure(struct service *service, const char *account, const struct account_wish *wish,
                             struct problem *problem);
/* Whether the configuration in force lets the entry hand out tokens for this address; else *problem. */
bool entry_may_serve(const struct entry *entry, const char *account, struct problem *problem);
/* Works out whether the configuration in force lets the entry renew. */
void entry_judge(struct entry *entry);
/* Releases entries that serve no address and have nothing on the wire. */
void entries_sweep(struct service *service);
void entries_free(struct service *service);
struct listed {
    const char *account;
    struct entry *entry;
};
/* All accounts sorted by lower-case name; the caller frees *list. Their number, or -1 out of memory. */
int accounts_sorted(struct service *service, struct listed **list);

/* --- account_json.c --- */
json_t *account_to_json(struct entry *entry, const char *account);
/* The state that clients are shown of it, and its problem (NULL: none); room: for one that the configuration
 * makes. */
const char *account_state(struct entry *entry, const char *account, const struct problem **problem,
                          struct problem *room);
/* A list of scopes as an array. */
json_t *scopes_to_json(const char *list);

/* --- store.c: entries on disk --- */
/* What a save changes besides the tokens: an address comes in, or goes out (NULL: none). */
struct store_change {
    const char *adds, *removes;
    bool forget_older; /* leave no older generation */
};
/*
 * Takes over what another process may have written meanwhile, and then, if there still is something to write,
 * writes. change may be NULL: only what the identity machine wants saved. 0, or -1 with *problem.
 */
int store_save(struct entry *entry, const struct store_change *change, struct problem *problem);
/* Takes an address out, on disk too: the identity's files go with its last one. 0, or -1 and nothing has
 * changed. */
int store_leave(struct entry *entry, const char *account, struct problem *problem);
/* Writes anew what is not sealed to the recipients in force. */
void store_reseal(struct service *service);
/* A last try to save what could not be saved before. */
void store_save_rest(struct service *service);

/* --- reload.c --- */
int store_load(struct service *service, struct problem *problem);
/* Takes over all that other processes wrote. */
void store_reload(struct service *service);
/* Takes over the entry's file if another process changed it. */
void store_refresh(struct entry *entry);
/* The same by the name of the file, which may be new; deleted: it was removed, but may be there again. */
void store_refresh_named(struct service *service, const char *name, bool deleted);
/* The key has come: everything is read as at the start. And: it has not, for the reason that the vault gives.
 */
void store_unlocked(struct service *service);
void store_tell_locked(struct service *service);
/* Adds the accounts that the policy names and nobody has added. */
void store_policy_accounts(struct service *service);

/* --- store_watch.c --- */
/* Watches the folder or, until it is there, where it will be made. */
void store_watch(struct service *service);
void store_unwatch(struct service *service);
/* Takes over what the watch has told, before a request is answered. */
void store_catch_up(struct service *service);

/* --- effects.c --- */
/* One step of the entry's identity, and everything that follows from it. 0, or -1 out of memory. */
int entry_step(struct entry *entry, const struct event *event);
void entry_changed(struct entry *entry);
/* The same event for every identity. */
void step_all(struct service *service, enum event_kind kind);
/* An answer as the core reads it; borrowed from http. */
struct token_http token_exchange(const struct https_answer *http);
/* The transfers that go to this authority; NULL out of memory. */
struct https *https_for(struct service *service, const char *authority);

/* --- sign_in.c --- */
/* A sign-in about to start, whatever its way. Pointers are borrowed. */
struct sign_in_plan {
    char account[ACCOUNT_NAME_SIZE]; /* as first written */
    struct account_target target;
    struct entry *entry;
    bool known; /* the account was there before */
    bool moves; /* it comes from another identity */
    json_t *asked_scopes;
    char scopes[SCOPE_LIST_SIZE]; /* with openid ones */
};
/* Finds the identity, adding the account, and makes sure that a sign-in could be saved. scopes: array or
 * NULL. 0, or -1 with *problem: then sign_in_refused takes an added account out again. */
int sign_in_prepare(struct service *service, const char *account, const json_t *scopes,
                    struct sign_in_plan *plan, struct problem *problem);
void sign_in_refused(struct service *service, const struct sign_in_plan *plan);
/* Starts it in the machine, with what the event says of its way, and its deadline. 0, or -1 out of memory. */
int sign_in_begin(const struct sign_in_plan *plan, struct event *event, int64_t seconds);
/* The result of signIn.start; NULL with *problem, or without: the reply comes later. */
json_t *sign_in_by_browser(const struct sign_in_plan *plan, bool open_browser, struct problem *problem);
json_t *sign_in_by_device(const struct sign_in_plan *plan, json_t *id, struct problem *problem);
void entry_end_sign_in(struct entry *entry, const struct problem *problem);
/* Answers the account.import that waits. */
void import_finished(struct entry *entry, const struct problem *problem);
void sign_in_finished(struct entry *entry, const struct problem *problem);
void sign_in_retry(struct entry *entry, const struct problem *problem);

/* --- log_events.c: what the log is told --- */
/* Adds the hash of the account, which may be NULL, and writes the entry if its level is wanted. */
void log_note(struct service *service, struct log_entry *entry, const char *account);
void log_simple(struct service *service, enum log_event event);
void log_problem(struct service *service, enum log_event event, const struct problem *problem);
void log_request(struct service *service, const char *method);
void log_entry_event(struct entry *entry, enum log_event event);
void log_state(struct entry *entry);
void log_timer(struct entry *entry, int64_t seconds);
/* problem: PROBLEM_NONE when it is on disk. */
void log_saved(struct entry *entry, const struct problem *problem);
void log_token_given(struct entry *entry, int resource, bool renewed);
/* The request that flight speaks of; and the answer to one, with entry->exchange. */
void log_token_request(struct entry *entry);
void log_token_answer(struct entry *entry, enum token_purpose purpose, int resource,
                      const struct problem *problem);
void log_renewal(struct entry *entry, int resource, const struct problem *problem, bool repeated);
/* request_id: of the request to the identity provider that it is about, or NULL. */
void log_audited(struct service *service, const struct audit_entry *entry, const struct guid *request_id);

/* --- audit_events.c: what the audit log is told, and the log with it; literals but for accounts --- */
/* The name by which logs call the resource (index): "outlook", "graph" or "other". */
const char *resource_word(const struct entry *entry, int resource);
void audit_events_open(struct service *service);
void audit_events_close(struct service *service);
/* Tries to write what is due. */
void audit_events_settle(struct service *service);
/* The same, unless the disk refused it: it waited for the vault. */
void audit_events_unlocked(struct service *service);
/* An account was added, changed or removed. */
void audit_account(struct service *service, const char *event, const char *account);
/* About the entry's sign-in under way. problem may be NULL. */
void audit_sign_in(struct entry *entry, const char *event, const struct problem *problem);
void audit_sign_in_finished(struct entry *entry, const struct problem *problem);
void audit_signed_out(struct entry *entry, bool everywhere);
/* A token of the resource (index) was handed out: told once in a process. */
void audit_handed_over(struct entry *entry, int resource);
/* problem: PROBLEM_NONE when it went well. */
void audit_renewed(struct entry *entry, int resource, const struct problem *problem);
/* The entry's file was set aside; previous_used: the generation before it is good. */
void audit_damaged(struct entry *entry, bool previous_used);
/* For whoever changes the device key ("made", "rotated", "moved"), and for the end of a health check. */
void audit_key_changed(struct service *service, const char *what);
void audit_health(struct service *service, const char *overall, int failed);
/* --- backup.c --- */
/* Ends a backup under way, unanswered. */
void backup_abandon(struct service *service);

/* --- health.c --- */
/* Ends the checks whose request is no longer there: it was cancelled. */
void health_tidy(struct service *service);
void health_free(struct service *service);

/* --- consent.c --- */
/* The error reply to a request for the entry, with consentUrl where consent is what is missing. */
json_t *entry_error(const struct entry *entry, json_t *id, const struct problem *problem);

/* --- policy.c, policy_check.c --- */
/* The effective values; a proxy's user and password are nobody else's business. New reference. */
json_t *policy_shown(const struct settings *settings);

/* --- environment.c, settings_files.c, browser.c --- */
/* New text, or NULL with *problem. */
char *environment_state_folder(struct problem *problem);
char *environment_config_file(struct problem *problem);
#define SETTINGS_FILE_MAX (256 * 1024) /* bytes; a policy naming 1,000 accounts takes 80 KiB */
#define SETTINGS_ADMIN_FILE THUNDERSEAL_SYSCONFDIR "/thunderseal/policy.json"
void settings_read_files(struct settings *settings);
/* One of them; whether it is there. */
bool settings_read_file(struct settings *settings, const char *path, enum settings_source source);
/* A configuration file as it is on disk. */
struct settings_file {
    char *text; /* of length bytes; owned */
    size_t length;
    bool absent;            /* there is none; then unusable too */
    const char *unusable;   /* why there is no text, or NULL; in our words a text, else the system's */
    const char *distrusted; /* why what it says does not count: its owner or mode; or NULL */
};
void settings_file_read(const char *path, struct settings_file *file);
/* The same from an open descriptor, whatever it is. *file is zeroed. */
void settings_file_read_open(int fd, struct settings_file *file);
void settings_file_clear(struct settings_file *file);
/* Starts $BROWSER, else xdg-open, with the URL. 0, or -1 with *problem. */
int browser_open(const char *url, struct problem *problem);

#endif
