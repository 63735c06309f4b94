/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The file of the audit log under its lock: opened only when it is a plain private file of ours, appended to
 * whole or not at all, and rewritten by a rename. Failures come as *problem (PROBLEM_STORAGE).
 */
#ifndef THUNDERSEAL_VAULT_AUDIT_FILE_H
#define THUNDERSEAL_VAULT_AUDIT_FILE_H

#include "vault/identity_lock.h"
#include "vault/vault.h"
#include <sys/stat.h>

#define AUDIT_FILE_NAME "audit.jsonl"
/* Some 15,000 entries: years of one user's mail. Beyond it, the older half goes. */
#define AUDIT_FILE_MAX ((size_t)4 * 1024 * 1024)
/* What is read at all: others may append while we hold no lock, but not so much. */
#define AUDIT_READ_MAX (2 * AUDIT_FILE_MAX)

struct audit_file {
    const struct vault *vault;
    int folder, descriptor; /* -1: closed */
    struct identity_lock lock;
    struct stat status; /* as of opening */
};

enum audit_file_state {
    AUDIT_FILE_HAD,
    AUDIT_FILE_ABSENT, /* only when it was not to be made */
    AUDIT_FILE_FAILED
};

/* Takes the lock and opens the file; make: also when there is none. Where no lock can be had at all, it goes
 * on without, as with the identities. audit_file_close is harmless after each. */
enum audit_file_state audit_file_open(struct audit_file *file, const struct vault *vault, bool make,
                                      struct problem *problem);
void audit_file_close(struct audit_file *file);

/* What stands behind from, as the caller's own bytes (free; not NULL even when there are none). 0 or -1. */
int audit_file_read(const struct audit_file *file, off_t from, char **bytes, size_t *length,
                    struct problem *problem);
/* Writes at the end, all of it or nothing. 0 or -1. */
int audit_file_append(struct audit_file *file, const char *bytes, size_t length, struct problem *problem);
/* Has what any process appended on disk before it returns. 0 or -1. */
int audit_file_sync(const struct audit_file *file, struct problem *problem);
/* Cuts off what is behind length. 0 or -1. */
int audit_file_cut(struct audit_file *file, off_t length, struct problem *problem);
/* Puts bytes in the place of the whole file, and closes it. 0 or -1. */
int audit_file_replace(struct audit_file *file, const char *bytes, size_t length, struct problem *problem);

#endif
