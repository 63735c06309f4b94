/* SPDX-License-Identifier: MPL-2.0 */
#include "vault/identity_lock.h"

#include "vault/disk.h"
#include "vault/vault_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_SUFFIX ".lock"
#define LOCK_NAME_SIZE (VAULT_NAME_SIZE + sizeof LOCK_SUFFIX)
/* A write takes a few milliseconds; two steps of waiting are lost in it. */
#define WAIT_STEP_MS 2
/* An identity that is erased again and again while we want its lock: we come back later. */
#define ATTEMPTS_MAX 3
#define OPENINGS_MAX 100

/* Whoever owns the file, or could swap it, could hold us up for ever. */
static bool is_ours(int descriptor)
{
    struct stat status;

    return fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid() &&
           (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static int open_file(const struct vault *vault, const char *name)
{
    char file[LOCK_NAME_SIZE];
    struct problem problem;
    int descriptor, attempt, folder = folder_open_or_make(vault->locks, &problem);

    if (folder < 0)
        return -1;
    snprintf(file, sizeof file, "%s" LOCK_SUFFIX, name);
    /* Another process may make it before us, and one may erase it before we have opened that. */
    for (attempt = 0, descriptor = -1, errno = EEXIST;
         attempt < OPENINGS_MAX && descriptor < 0 && errno == EEXIST; attempt++) {
        descriptor = disk_open(folder, file, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
        if (descriptor < 0 && errno == ENOENT)
            descriptor = disk_create(folder, file);
    }
    close(folder);
    if (descriptor >= 0 && !is_ours(descriptor)) {
        close(descriptor);
        descriptor = -1;
    }
    return descriptor;
}

/* Another process has erased the identity meanwhile: what is locked here locks nobody out. */
static bool is_gone(int descriptor)
{
    struct stat status;

    return fstat(descriptor, &status) == 0 && status.st_nlink == 0;
}

enum identity_lock_state identity_lock_try(struct identity_lock *lock, const struct vault *vault,
                                           const char *name, enum identity_lock_kind kind)
{
    int attempt;

    for (attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
        if (lock->descriptor < 0)
            lock->descriptor = open_file(vault, name);
        if (lock->descriptor < 0)
            return IDENTITY_LOCK_IMPOSSIBLE;
        if (disk_lock(lock->descriptor, (off_t)kind, 1) != 0)
            return errno == EAGAIN || errno == EACCES ? IDENTITY_LOCK_BUSY : IDENTITY_LOCK_IMPOSSIBLE;
        if (!is_gone(lock->descriptor))
            return IDENTITY_LOCK_HAD;
        identity_lock_release(lock);
    }
    return IDENTITY_LOCK_BUSY;
}

enum identity_lock_state identity_lock_wait(struct identity_lock *lock, const struct vault *vault,
                                            const char *name, enum identity_lock_kind kind, int milliseconds)
{
    enum identity_lock_state state = identity_lock_try(lock, vault, name, kind);

    for (; state == IDENTITY_LOCK_BUSY && milliseconds > 0; milliseconds -= WAIT_STEP_MS) {
        (void)poll(NULL, 0, WAIT_STEP_MS);
        state = identity_lock_try(lock, vault, name, kind);
    }
    return state;
}

void identity_lock_release(struct identity_lock *lock)
{
    if (lock->descriptor >= 0)
        close(lock->descriptor);
    lock->descriptor = -1;
}

/* ---- with the identity ---- */

static void erase_file(int folder, const char *file)
{
    int descriptor = disk_open(folder, file, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

    if (descriptor < 0)
        return;
    if (is_ours(descriptor) && disk_lock(descriptor, 0, 0) == 0 && !is_gone(descriptor))
        (void)disk_remove(folder, file);
    close(descriptor);
}

void identity_lock_erase(const struct vault *vault, const char *name)
{
    char file[LOCK_NAME_SIZE];
    struct problem ignored;
    int folder = folder_open(vault->locks, &ignored);

    if (folder < 0)
        return;
    snprintf(file, sizeof file, "%s" LOCK_SUFFIX, name);
    erase_file(folder, file);
    close(folder);
}

static bool is_orphan(int identities, const char *file)
{
    const char *dot = strchr(file, '.');
    char name[SEALED_NAME_SIZE];

    if (dot == NULL || !vault_name_is_valid(file, (size_t)(dot - file)) || strcmp(dot, LOCK_SUFFIX) != 0 ||
        strcmp(file, IDENTITY_LOCK_OF_AUDIT LOCK_SUFFIX) == 0)
        return false;
    snprintf(name, sizeof name, "%.*s" SEALED_SUFFIX, (int)(dot - file), file);
    if (faccessat(identities, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return false;
    snprintf(name, sizeof name, "%.*s" PREVIOUS_SUFFIX, (int)(dot - file), file);
    return faccessat(identities, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0;
}

void identity_lock_sweep(const struct vault *vault)
{
    struct folder_names list;
    struct problem ignored;
    int folder = folder_open(vault->locks, &ignored);
    int identities = folder < 0 ? -1 : folder_open(vault->identities, &ignored);
    size_t i;

    if (identities >= 0 && folder_list(folder, "", &list) == 0) {
        for (i = 0; i < list.count; i++)
            if (is_orphan(identities, list.names[i]))
                erase_file(folder, list.names[i]);
        folder_names_clear(&list);
    }
    if (identities >= 0)
        close(identities);
    if (folder >= 0)
        close(folder);
}
