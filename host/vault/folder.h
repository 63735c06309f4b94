/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The vault's folders: opened only when they are private, made when missing, listed in sorted order.
 */
#ifndef THUNDERSEAL_VAULT_FOLDER_H
#define THUNDERSEAL_VAULT_FOLDER_H

#include "core/problem.h"
#include <stddef.h>

/* 1,000 accounts with .prev and a few .damaged-N each stay well below; more is not ours. */
#define FOLDER_NAMES_MAX ((size_t)16384)

#define FOLDER_ABSENT (-2)

/*
 * Opens the folder: a descriptor, FOLDER_ABSENT when there is none, or -1 with *problem (PROBLEM_STORAGE): a
 * symbolic link, somebody else's, or open to others.
 */
int folder_open(const char *path, struct problem *problem);
/* Closes a folder of ours to others, into which a umask or a copy has let them; what cannot be is refused by
 * folder_open. */
void folder_make_private(const char *path);
/* The same as folder_open, but makes it (0700) and the folders above it when missing. */
int folder_open_or_make(const char *path, struct problem *problem);

/* Longer names are not ours, and not listed. */
#define FOLDER_NAME_SIZE 128

/* Names in a folder; owned by the list. */
struct folder_names {
    char (*names)[FOLDER_NAME_SIZE];
    size_t count;
};

/*
 * Lists what begins with prefix ("" lists all), sorted by bytes. 0, or -1 with errno (EOVERFLOW: more than
 * FOLDER_NAMES_MAX) and an empty list. The folder stays open and is the caller's.
 */
int folder_list(int folder, const char *prefix, struct folder_names *list);
void folder_names_clear(struct folder_names *list);

#endif
