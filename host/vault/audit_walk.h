/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Walking along the audit log's bytes and saying where they are not what was written: pure, and in pieces, so
 * that a process need only walk what came since it last looked.
 */
#ifndef THUNDERSEAL_VAULT_AUDIT_WALK_H
#define THUNDERSEAL_VAULT_AUDIT_WALK_H

#include "vault/audit_line.h"

enum audit_damage {
    AUDIT_SOUND,
    AUDIT_CHANGED,      /* an entry is not as it was written */
    AUDIT_MISSING,      /* entries before this one were removed */
    AUDIT_OUT_OF_ORDER, /* an entry stands where it was not written, or twice */
    AUDIT_NO_ENTRY,     /* a line that is no entry at all */
    AUDIT_REPLACED,     /* an entry is not the one that a saved sign-in names */
    AUDIT_CUT_SHORT,    /* a saved sign-in names an entry behind the last one */
    AUDIT_REMOVED,      /* the same, and there is no entry at all */
    AUDIT_NOTED         /* an entry says that damage was found when it was written */
};

struct audit_finding {
    enum audit_damage damage;
    uint64_t line; /* from 1; 0: the end */
    uint64_t seq;  /* of the entry there, 0 when unknown */
};

/* Accounts with damage that nothing has healed yet; of more, it is told again. */
#define AUDIT_AILING_MAX 32
#define AUDIT_VAULT_DAMAGED "vault-damaged"

typedef void audit_visit(void *context, const struct audit_line *line);

/* Zeroed but for what the caller sets: nothing was walked. */
struct audit_walk {
    /* --- set by the caller --- */
    const struct audit_keys *keys;
    struct audit_place expected; /* what a saved sign-in names; seq 0: nothing */
    audit_visit *visit;          /* called for each proven entry; may be NULL */
    void *context;

    /* --- result --- */
    struct audit_place at;             /* the last line's */
    unsigned char mac[AUDIT_MAC_SIZE]; /* that the last line ends with; zeros when it is no entry */
    struct audit_place proven;         /* the proven entry with the highest seq */
    uint64_t lines;
    uint64_t entries;             /* proven ones */
    int64_t oldest;               /* time of the first entry but one that stands in for others; 0: none */
    int64_t pruned_at;            /* time of log-pruned, or 0 */
    char policy[AUDIT_HASH_SIZE]; /* the latest that an entry names, or "" */
    char ailing[AUDIT_AILING_MAX][AUDIT_HASH_SIZE]; /* with vault-damaged as latest news; "": free */
    size_t findings;                                /* all */
    struct audit_finding first;                     /* of all */
    struct audit_finding unnoted;                   /* the first that no log-damaged behind it tells of */
};

/* Walks the whole lines in bytes. The number of bytes walked: what is left is a line that is not complete. */
size_t audit_walk_take(struct audit_walk *walk, const char *bytes, size_t length);
/* Whether the latest news of the account (its hash) is AUDIT_VAULT_DAMAGED. */
bool audit_walk_ailing(const struct audit_walk *walk, const char *account);
/* Looks for what is missing at the end. */
void audit_walk_end(struct audit_walk *walk);
/* "changed", "missing", …: for programs, and for the entry log-damaged. */
const char *audit_damage_name(enum audit_damage damage);

#endif
