/* SPDX-License-Identifier: MPL-2.0 */
/* What the audit log's own files share: audit.c (life, events), audit_append.c, audit_lines.c,
 * audit_anchor.c, audit_prune.c, audit_check.c, audit_rekey.c. */
#ifndef THUNDERSEAL_VAULT_AUDIT_INTERNAL_H
#define THUNDERSEAL_VAULT_AUDIT_INTERNAL_H

#include "vault/audit.h"
#include "vault/audit_file.h"

struct audit {
    struct vault *vault; /* borrowed */
    bool enabled;
    int64_t retention; /* seconds */
    char *policy;      /* owned */
    int64_t now;       /* of the latest event */

    struct audit_entry *pending; /* owned; room for AUDIT_PENDING_MAX */
    size_t pending_count;
    int64_t lost; /* events that found no room */
    struct problem failed;

    /* What this process has walked of the file. */
    struct audit_walk seen;
    bool begun; /* device, inode and offset say which file, and how far */
    dev_t device;
    ino_t inode;
    off_t offset;
    off_t synced; /* what is known to be on disk */
    int64_t tried_at;
    struct audit_place expected;                /* what saved sign-ins name */
    unsigned char key_id[ENVELOPE_KEY_ID_SIZE]; /* of the key under which all this was seen */
};

/* --- audit_lines.c: lines to be written, in a growing buffer --- */
struct audit_lines {
    const struct audit_keys *keys;
    struct audit_place at;
    char *bytes; /* owned */
    size_t length, capacity;
};
/* A new object with its first three members. */
json_t *audit_object(uint64_t seq, int64_t time, const char *event);
/* Takes entry over. 0, or -1: out of memory, or it does not fit. */
int audit_lines_add(struct audit_lines *lines, json_t *entry);
int audit_lines_add_bytes(struct audit_lines *lines, const char *bytes, size_t length);
/* An event as the entry that comes next. */
json_t *audit_entry_object(const struct audit_lines *lines, const struct audit_entry *entry);

/* --- audit_append.c --- */
/* Writes what is due, after what the log itself has to tell. keys are had anew if the device key was changed.
 * 0 or -1. */
int audit_append(struct audit *audit, struct audit_file *file, struct audit_keys *keys,
                 struct problem *problem);

/* --- audit_prune.c --- */
/* Drops what is too old, or too much, if that is due. The file is then closed. 0 or -1. */
int audit_prune(struct audit *audit, struct audit_file *file, const struct audit_keys *keys,
                struct problem *problem);

/* --- audit.c --- */
/* The keys of the vault. 0, or -1 with *problem (PROBLEM_NONE: there is no vault yet). */
int audit_keys_of(const struct audit *audit, struct audit_keys *keys, struct problem *problem);
/* What was seen under another device key says nothing under this one. */
void audit_mind_key(struct audit *audit);
/* Whether the pause after a failure is over. */
bool audit_may_try(const struct audit *audit);

/* --- audit_anchor.c --- */
/* The log must hold this place, or be behind it. */
void audit_expect_place(struct audit *audit, const struct audit_place *place);

#endif
