/* SPDX-License-Identifier: MPL-2.0 */
#include "vault/sealed_file.h"
#include "vault/disk.h"
#include "vault/draft.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- reading ---- */

static enum file_result judge_failed_open(int error)
{
    switch (error) {
    case ENOENT:
        return FILE_ABSENT;
    case ELOOP: /* a symbolic link, by O_NOFOLLOW */
    case ENXIO: /* a socket */
    case ENODEV:
        return FILE_MISSHAPEN;
    default:
        return FILE_FAILED;
    }
}

static enum file_result judge_status(const struct stat *status, const struct file_read *read)
{
    if (!S_ISREG(status->st_mode))
        return FILE_MISSHAPEN;
    if (status->st_uid != geteuid())
        return FILE_FOREIGN;
    if ((status->st_mode & read->forbidden) != 0)
        return FILE_OPEN_TO_OTHERS;
    if (status->st_size < 0 || (size_t)status->st_size >= read->size)
        return FILE_MISSHAPEN;
    return FILE_READ;
}

static enum file_result read_all(int descriptor, struct file_read *file)
{
    while (file->length < file->size) {
        ssize_t got = read(descriptor, file->buffer + file->length, file->size - file->length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return FILE_FAILED;
        if (got == 0)
            return FILE_READ;
        file->length += (size_t)got;
    }
    return FILE_MISSHAPEN;
}

enum file_result file_read(int folder, const char *name, struct file_read *read)
{
    enum file_result result;
    int descriptor;
    int error;

    read->length = 0;
    memset(&read->status, 0, sizeof read->status);
    descriptor = disk_open(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (descriptor < 0) {
        result = judge_failed_open(errno);
        error = errno;
        if (result == FILE_MISSHAPEN)
            (void)fstatat(folder, name, &read->status, AT_SYMLINK_NOFOLLOW);
        errno = error;
        return result;
    }
    if (fstat(descriptor, &read->status) != 0)
        result = FILE_FAILED;
    else
        result = judge_status(&read->status, read);
    if (result == FILE_READ)
        result = read_all(descriptor, read);
    error = errno;
    close(descriptor);
    errno = error;
    return result;
}

/* ---- writing ---- */

static int write_and_publish(int folder, const char *name, const void *bytes, size_t length,
                             int (*publish)(struct draft *draft, const char *name))
{
    struct draft draft;
    int result = -1;
    int error;

    if (draft_write(&draft, folder, name, bytes, length) == 0 && publish(&draft, name) == 0 &&
        disk_sync_folder(folder) == 0)
        result = 0;
    error = errno;
    draft_drop(&draft);
    errno = error;
    return result;
}

int file_replace(int folder, const char *name, const void *bytes, size_t length)
{
    return write_and_publish(folder, name, bytes, length, draft_publish);
}

int file_make(int folder, const char *name, const void *bytes, size_t length)
{
    return write_and_publish(folder, name, bytes, length, draft_publish_new);
}

/* ---- setting aside ---- */

/* Another process may have put a good file there since the bad one was read; a renaming alone changes its
 * ctime. */
static bool is_same_file(int folder, const char *file, const struct stat *status, bool renamed)
{
    struct stat found;

    return fstatat(folder, file, &found, AT_SYMLINK_NOFOLLOW) == 0 && found.st_dev == status->st_dev &&
           found.st_ino == status->st_ino &&
           (renamed || (found.st_ctim.tv_sec == status->st_ctim.tv_sec &&
                        found.st_ctim.tv_nsec == status->st_ctim.tv_nsec));
}

int file_set_aside(int folder, const char *base, const char *file, const struct stat *status)
{
    char aside[SEALED_NAME_SIZE];
    int number;

    for (number = 1; number <= DAMAGED_MAX; number++) {
        if (status != NULL && !is_same_file(folder, file, status, false))
            return 0;
        snprintf(aside, sizeof aside, "%s" DAMAGED_SUFFIX "%d", base, number);
        if (faccessat(folder, aside, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
            continue;
        if (disk_rename_new(folder, file, aside) == 0) {
            /* It came between the look and the renaming: back with it, unless there is a newer one still. */
            if (status != NULL && !is_same_file(folder, aside, status, true))
                (void)disk_rename_new(folder, aside, file);
            return disk_sync_folder(folder);
        }
        if (errno == ENOENT)
            return 0;
        if (errno != EEXIST)
            return -1;
    }
    errno = EEXIST;
    return -1;
}
