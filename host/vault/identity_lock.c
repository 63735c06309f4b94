/* SPDX-License-Identifier: MPL-2.0 */
#include "vault/identity_lock.h"

#include "vault/disk.h"
#include "vault/vault_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_SUFFIX ".lock"
#define LOCK_NAME_SIZE (VAULT_NAME_SIZE + sizeof LOCK_SUFFIX)
/* A write takes a few milliseconds; two steps of waiting are lost in it. */
#define WAIT_STEP_MS 2

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
    int descriptor, folder = folder_open_or_make(vault->locks, &problem);

    if (folder < 0)
        return -1;
    snprintf(file, sizeof file, "%s" LOCK_SUFFIX, name);
    descriptor = openat(folder, file, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (descriptor < 0 && errno == ENOENT) {
        descriptor = disk_create(folder, file);
        if (descriptor < 0 && errno == EEXIST) /* another process was faster */
            descriptor = openat(folder, file, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    }
    close(folder);
    if (descriptor >= 0 && !is_ours(descriptor)) {
        close(descriptor);
        descriptor = -1;
    }
    return descriptor;
}

enum identity_lock_state identity_lock_try(struct identity_lock *lock, const struct vault *vault,
                                           const char *name, enum identity_lock_kind kind)
{
    struct flock byte = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)kind, .l_len = 1};

    if (lock->descriptor < 0)
        lock->descriptor = open_file(vault, name);
    if (lock->descriptor < 0)
        return IDENTITY_LOCK_IMPOSSIBLE;
    if (fcntl(lock->descriptor, F_OFD_SETLK, &byte) == 0)
        return IDENTITY_LOCK_HAD;
    return errno == EAGAIN || errno == EACCES ? IDENTITY_LOCK_BUSY : IDENTITY_LOCK_IMPOSSIBLE;
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
