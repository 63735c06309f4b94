/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The audit log: what happened to sign-ins, tokens and keys, in audit.jsonl, so that what is changed, removed
 * or cut off later is found (DESIGN 4). Several processes append at once. What cannot be written is kept in
 * memory and tried again; no caller ever has to wait for it or give up because of it.
 */
#ifndef THUNDERSEAL_VAULT_AUDIT_H
#define THUNDERSEAL_VAULT_AUDIT_H

#include "core/account_name.h"
#include "core/problem.h"
#include "vault/audit_walk.h"
#include "vault/envelope.h"
#include "vault/vault.h"

/* What is kept in memory while the vault is locked or the disk is full; of more, the number is kept. */
#define AUDIT_PENDING_MAX 128
#define AUDIT_CORRELATION_SIZE 37 /* a GUID */

/* One event. Every text but the account is a literal of the program; nothing comes from outside. */
struct audit_entry {
    const char *event;
    int64_t time;                    /* Unix seconds */
    char account[ACCOUNT_NAME_SIZE]; /* goes into the log as a keyed hash; "": none */
    const char *resource, *method, *kind, *stage, *what, *by; /* NULL: absent */
    int aadsts;                                               /* 0: absent */
    int64_t count;                                            /* 0: absent */
    char correlation_id[AUDIT_CORRELATION_SIZE];              /* "": absent */
    bool until_healed; /* not told again while the log ends with it, for this account */
    bool soon;         /* need not be on disk before the call returns: the system writes it in its own time */
};

struct audit_options {
    bool enabled;
    int retention_days;
    const char *policy; /* text of the policy in force: told when it is another than before. Copied */
};

struct audit; /* owned by the caller of audit_open */

/* The vault stays the caller's and must outlive it. Writes nothing. NULL out of memory. */
struct audit *audit_open(struct vault *vault, const struct audit_options *options);
void audit_close(struct audit *audit);

/* Takes the entry up, and tries to write all that is due. */
void audit_note(struct audit *audit, const struct audit_entry *entry);
/* Whether something still waits to be written. */
bool audit_due(const struct audit *audit);
/* Tries again. 0: all is written; -1: *problem, or PROBLEM_NONE while there is no vault to write to. */
int audit_flush(struct audit *audit, struct problem *problem);
/* Why the latest try failed, or PROBLEM_NONE. */
const struct problem *audit_failed(const struct audit *audit);

/*
 * What the next envelope's header is to hold as member AUDIT_ANCHOR: how far the log goes, safe on disk. New
 * reference; NULL when there is nothing to name.
 */
#define AUDIT_ANCHOR "audit"
json_t *audit_anchor(struct audit *audit, int64_t now);
/* The anchor of an envelope that was opened and proven; NULL is harmless. */
void audit_expect(struct audit *audit, const json_t *anchor);

/* What checking the whole log gave. */
struct audit_verdict {
    bool intact;
    uint64_t entries;           /* proven ones */
    struct audit_finding first; /* the first fault, AUDIT_SOUND when intact */
    size_t findings;
    size_t half_line; /* bytes of a last line that a crash left half-written: no fault */
};

/* Checks the log and calls visit (may be NULL) for each proven entry. 0, or -1 with *problem
 * (PROBLEM_VAULT_LOCKED: without the key nothing can be told). */
int audit_check(struct audit *audit, audit_visit *visit, void *context, struct audit_verdict *verdict,
                struct problem *problem);
/* The entry of a line as an object without its mac; new reference, or NULL. */
json_t *audit_line_entry(const struct audit_line *line);
/* The hash by which the log calls an address. 0, or -1: the vault is locked. */
int audit_hash_of(const struct audit *audit, const char *account, char hash[AUDIT_HASH_SIZE]);

/*
 * For whoever changes the device key: makes every line afresh under the new one and then, with the log still
 * locked, calls commit, after which the new key counts (NULL: nothing to do). So nobody appends with the one
 * key to a log of the other. Calling it again after a crash does no harm. 0, also when there is no log, or -1
 * with *problem; then commit was not called, or failed.
 */
struct audit_rekeying {
    const struct envelope_key *old_key, *new_key;
    const json_t *addresses; /* texts: those that are to be known by their new hashes; may be NULL */
    int64_t now;
    int (*commit)(void *context, struct problem *problem);
    void *context;
};
int audit_rekey(const struct vault *vault, const struct audit_rekeying *rekeying, struct problem *problem);

#endif
