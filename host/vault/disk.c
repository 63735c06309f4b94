/* SPDX-License-Identifier: MPL-2.0 */
#include "vault/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef THUNDERSEAL_FAULTS
struct disk_fault disk_fault, disk_look_fault;

static void fault_from_environment(struct disk_fault *fault, const char *name)
{
    const char *at = getenv(name);
    const char *error = getenv("THUNDERSEAL_FAULT_ERROR");

    if (fault->at != 0 || at == NULL || error == NULL)
        return;
    fault->at = strtol(at, NULL, 10);
    fault->error = strcmp(error, "kill") == 0 ? DISK_FAULT_KILL : (int)strtol(error, NULL, 10);
    fault->lasts = getenv("THUNDERSEAL_FAULT_LASTS") != NULL;
}

static bool falls(struct disk_fault *fault, char call)
{
    if (fault->calls < DISK_JOURNAL_SIZE - 1)
        fault->journal[fault->calls] = call;
    fault->calls++;
    if (fault->at == 0 || fault->calls < fault->at || (fault->calls > fault->at && !fault->lasts))
        return false;
    if (fault->error == DISK_FAULT_KILL)
        raise(SIGKILL);
    errno = fault->error;
    return true;
}

static bool fault(char call)
{
    if (disk_fault.calls == 0)
        fault_from_environment(&disk_fault, "THUNDERSEAL_FAULT_AT");
    return falls(&disk_fault, call);
}

static bool look_fault(char call)
{
    if (disk_look_fault.calls == 0)
        fault_from_environment(&disk_look_fault, "THUNDERSEAL_FAULT_LOOK_AT");
    if (!falls(&disk_look_fault, call))
        return false;
    if (call == 'l')
        errno = ENOLCK;
    return true;
}
#else
static bool fault(char call)
{
    (void)call;
    return false;
}

static bool look_fault(char call)
{
    return fault(call);
}
#endif

int disk_create(int folder, const char *name)
{
    if (fault('c'))
        return -1;
    return openat(folder, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

static int write_all(int descriptor, const unsigned char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(descriptor, bytes, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written == 0)
            errno = ENOSPC;
        if (written <= 0)
            return -1;
        bytes += written;
        length -= (size_t)written;
    }
    return 0;
}

/* In two halves with the seam between them, so that a fault leaves half a file, as a full disk does. */
int disk_write(int descriptor, const void *bytes, size_t length)
{
    const unsigned char *from = bytes;
    size_t half = length / 2;

    if (write_all(descriptor, from, half) != 0 || fault('w'))
        return -1;
    return write_all(descriptor, from + half, length - half);
}

int disk_cut(int descriptor, off_t length)
{
    if (fault('t'))
        return -1;
    return ftruncate(descriptor, length);
}

int disk_sync(int descriptor)
{
    int result;

    if (fault('s'))
        return -1;
    do
        result = fsync(descriptor);
    while (result != 0 && errno == EINTR);
    return result;
}

int disk_sync_folder(int folder)
{
    int result = disk_sync(folder);

    return result != 0 && (errno == EINVAL || errno == ENOTSUP) ? 0 : result;
}

int disk_rename(int folder, const char *from, const char *to)
{
    if (fault('r'))
        return -1;
    return renameat(folder, from, folder, to);
}

int disk_rename_new(int folder, const char *from, const char *to)
{
    if (fault('n'))
        return -1;
    if (renameat2(folder, from, folder, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    /* A file system without the flag: a hard link does not replace either. */
    if (linkat(folder, from, folder, to, 0) != 0)
        return -1;
    return unlinkat(folder, from, 0);
}

int disk_remove(int folder, const char *name)
{
    if (fault('u'))
        return -1;
    return unlinkat(folder, name, 0);
}

int disk_make_folder(const char *path)
{
    if (fault('m'))
        return -1;
    return mkdir(path, 0700);
}

int disk_open(int folder, const char *name, int flags)
{
    int descriptor;

    if (look_fault('o'))
        return -1;
    do
        descriptor = openat(folder, name, flags | O_CLOEXEC);
    while (descriptor < 0 && errno == EINTR);
    return descriptor;
}

int disk_lock(int descriptor, off_t from, off_t length)
{
    struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = from, .l_len = length};

    if (look_fault('l'))
        return -1;
    return fcntl(descriptor, F_OFD_SETLK, &range);
}

int disk_lock_folder(int folder, int operation)
{
    if (look_fault('l'))
        return -1;
    return flock(folder, operation | LOCK_NB);
}
