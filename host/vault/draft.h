/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A file is written as a draft beside the place it is meant for and takes that place by a rename. The writer
 * holds a lock on its draft; one that can be locked was left by a process that died and is swept away.
 * Neither clock nor process number decides, so a home folder shared between containers is safe.
 */
#ifndef THUNDERSEAL_VAULT_DRAFT_H
#define THUNDERSEAL_VAULT_DRAFT_H

#include "vault/folder.h"
#include <stdbool.h>
#include <stddef.h>

#define DRAFT_MARK ".tmp-"
/* A draft whose name is not listed would never be swept. */
#define DRAFT_NAME_SIZE FOLDER_NAME_SIZE

struct draft {
    int folder;     /* the caller's */
    int descriptor; /* -1: none; holds the lock */
    char name[DRAFT_NAME_SIZE];
};

#define DRAFT_NONE ((struct draft){.folder = -1, .descriptor = -1})

/* Writes and syncs a draft of name. 0, or -1 with errno and nothing left. draft_drop is harmless after both.
 */
int draft_write(struct draft *draft, int folder, const char *name, const void *bytes, size_t length);
/* Gives the draft its name, replacing what was there. 0, or -1 with errno; then the draft is still one. */
int draft_publish(struct draft *draft, const char *name);
/* The same, but -1 with EEXIST when there is something. */
int draft_publish_new(struct draft *draft, const char *name);
/* Removes the draft unless it was published. */
void draft_drop(struct draft *draft);

/* Whether name is that of a draft. */
bool draft_is_name(const char *name);
/* Removes the drafts that begin with prefix and that no process holds. What cannot be removed stays. */
void draft_sweep(int folder, const char *prefix);

#endif
