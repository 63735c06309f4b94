/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Files of the vault as bytes: read only when they are plain files of ours, replaced so that a crash at any
 * instant leaves the old or the new one, and set aside instead of deleted when damaged. Failures come as
 * errno.
 */
#ifndef THUNDERSEAL_VAULT_SEALED_FILE_H
#define THUNDERSEAL_VAULT_SEALED_FILE_H

#include <stddef.h>
#include <sys/stat.h>

#define SEALED_SUFFIX ".sealed"
#define PREVIOUS_SUFFIX SEALED_SUFFIX ".prev"
#define DAMAGED_SUFFIX SEALED_SUFFIX ".damaged-"
/* Base name, the longest suffix with its number, NUL. */
#define SEALED_NAME_SIZE 96
/* So many broken copies of one identity are no accident any more; the next one stays where it is. */
#define DAMAGED_MAX 999

/* Permissions that a file must not have. */
#define FILE_NOT_WRITABLE_BY_OTHERS ((mode_t)022)
#define FILE_PRIVATE ((mode_t)077)

enum file_result {
    FILE_READ,
    FILE_ABSENT,
    FILE_MISSHAPEN,      /* a link, a pipe, a folder, or longer than the buffer: not a file that we wrote */
    FILE_FOREIGN,        /* belongs to another user */
    FILE_OPEN_TO_OTHERS, /* has a forbidden permission */
    FILE_FAILED          /* errno says why */
};

struct file_read {
    unsigned char *buffer; /* the caller's */
    size_t size;           /* of the buffer; a file must be shorter */
    mode_t forbidden;
    size_t length;      /* out */
    struct stat status; /* out: which file it was; zero when it could not be told */
};

/* Reads a whole file. Never follows a link, never waits for a pipe. */
enum file_result file_read(int folder, const char *name, struct file_read *read);

/* Writes bytes under name so that name always has either the old or the new content, and syncs. 0, or -1 with
 * errno. */
int file_replace(int folder, const char *name, const void *bytes, size_t length);
/* The same, but -1 with EEXIST when name is there. */
int file_make(int folder, const char *name, const void *bytes, size_t length);

/*
 * Renames file (base + SEALED_SUFFIX or PREVIOUS_SUFFIX) to the first free base + DAMAGED_SUFFIX + number, if
 * it still is the one that status describes (NULL: whichever it is). 0, also when it has gone, or -1 with
 * errno.
 */
int file_set_aside(int folder, const char *base, const char *file, const struct stat *status);

#endif
