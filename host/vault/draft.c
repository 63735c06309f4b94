/* SPDX-License-Identifier: MPL-2.0 */
#include "vault/draft.h"
#include "vault/disk.h"
#include "vault/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RANDOM_DIGITS 16
/* A sweep can take a draft between its making and its lock; three in a row is not chance. */
#define ATTEMPTS_MAX 3

static int choose_name(struct draft *draft, const char *name)
{
    uint64_t number;
    int length;

    randombytes_buf(&number, sizeof number);
    length =
        snprintf(draft->name, sizeof draft->name, "%s" DRAFT_MARK "%0*" PRIx64, name, RANDOM_DIGITS, number);
    if (length < 0 || (size_t)length >= sizeof draft->name) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return 0;
}

/* Locks belong to the open file, so a second descriptor of the same process is a stranger too. */
static int lock(int descriptor)
{
    return disk_lock(descriptor, 0, 0);
}

/* A file system without locks has no sweeps either: they need the lock first. */
static bool swept_away(int descriptor)
{
    struct stat status;

    if (lock(descriptor) != 0 && (errno == EAGAIN || errno == EACCES))
        return true;
    return fstat(descriptor, &status) == 0 && status.st_nlink == 0;
}

static int create(struct draft *draft, const char *name)
{
    int attempt;

    for (attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
        if (choose_name(draft, name) != 0)
            return -1;
        draft->descriptor = disk_create(draft->folder, draft->name);
        if (draft->descriptor < 0)
            return -1;
        if (!swept_away(draft->descriptor))
            return 0;
        close(draft->descriptor);
        draft->descriptor = -1;
    }
    errno = EAGAIN;
    return -1;
}

int draft_write(struct draft *draft, int folder, const char *name, const void *bytes, size_t length)
{
    int error;

    *draft = DRAFT_NONE;
    draft->folder = folder;
    if (create(draft, name) != 0)
        return -1;
    if (disk_write(draft->descriptor, bytes, length) == 0 && disk_sync(draft->descriptor) == 0)
        return 0;
    error = errno;
    draft_drop(draft);
    errno = error;
    return -1;
}

static int published(struct draft *draft, int result)
{
    if (result == 0) {
        close(draft->descriptor);
        draft->descriptor = -1;
    }
    return result;
}

int draft_publish(struct draft *draft, const char *name)
{
    return published(draft, disk_rename(draft->folder, draft->name, name));
}

int draft_publish_new(struct draft *draft, const char *name)
{
    return published(draft, disk_rename_new(draft->folder, draft->name, name));
}

void draft_drop(struct draft *draft)
{
    if (draft->descriptor < 0)
        return;
    (void)disk_remove(draft->folder, draft->name);
    close(draft->descriptor);
    draft->descriptor = -1;
}

bool draft_is_name(const char *name)
{
    size_t length = strlen(name);
    size_t tail = strlen(DRAFT_MARK) + RANDOM_DIGITS;

    return length > tail && strncmp(name + length - tail, DRAFT_MARK, strlen(DRAFT_MARK)) == 0 &&
           strspn(name + length - RANDOM_DIGITS, "0123456789abcdef") == RANDOM_DIGITS;
}

static void sweep_one(int folder, const char *name)
{
    int descriptor = disk_open(folder, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK);

    if (descriptor < 0)
        return;
    if (lock(descriptor) == 0)
        (void)disk_remove(folder, name);
    close(descriptor);
}

void draft_sweep(int folder, const char *prefix)
{
    struct folder_names list;
    size_t i;

    if (folder_list(folder, prefix, &list) != 0)
        return;
    for (i = 0; i < list.count; i++)
        if (draft_is_name(list.names[i]))
            sweep_one(folder, list.names[i]);
    folder_names_clear(&list);
}
