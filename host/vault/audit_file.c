/* SPDX-License-Identifier: MPL-2.0 */
#include "vault/audit_file.h"

#include "vault/disk.h"
#include "vault/draft.h"
#include "vault/sealed_file.h"
#include "vault/storage_problem.h"
#include "vault/vault_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* An append takes well under a millisecond, a rewriting some ten; a busy machine may add to it. */
#define LOCK_WAIT_MS 250

static int fail(const struct audit_file *file, const char *done TEXTS, int error, struct problem *problem)
{
    char path[STORAGE_TEXT_MAX];

    snprintf(path, sizeof path, "%s/" AUDIT_FILE_NAME, file->vault->folder);
    storage_problem(problem, done, path, error);
    return -1;
}

static int refuse(const struct audit_file *file, const char *why TEXTS, const char *remedy TEXTS,
                  struct problem *problem)
{
    problem_setf(problem, PROBLEM_STORAGE, remedy, why, file->vault->folder);
    return -1;
}

static int open_file(const struct audit_file *file)
{
    return disk_open(file->folder, AUDIT_FILE_NAME, O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
}

/* A log that can be read but not written can still be checked. */
static int open_to_read(const struct audit_file *file)
{
    int descriptor = open_file(file);

    if (descriptor < 0 && (errno == EROFS || errno == EACCES))
        descriptor = disk_open(file->folder, AUDIT_FILE_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    return descriptor;
}

static int make_file(const struct audit_file *file)
{
    int descriptor = disk_create(file->folder, AUDIT_FILE_NAME);

    if (descriptor >= 0)
        close(descriptor);
    else if (errno != EEXIST)
        return -1;
    return disk_sync_folder(file->folder) != 0 ? -1 : open_file(file);
}

static int check(struct audit_file *file, struct problem *problem)
{
    if (fstat(file->descriptor, &file->status) != 0)
        return fail(file, "opened", errno, problem);
    if (!S_ISREG(file->status.st_mode) || file->status.st_uid != geteuid() ||
        (file->status.st_mode & FILE_PRIVATE) != 0)
        return refuse(file, "The audit log %s/" AUDIT_FILE_NAME " is not a private file of yours.",
                      "Make it yours alone (chown, chmod 600), or move it away.", problem);
    if (file->status.st_size > (off_t)AUDIT_READ_MAX)
        return refuse(file, "The audit log %s/" AUDIT_FILE_NAME " is longer than this program ever makes it.",
                      "Move it away; a new one is begun.", problem);
    return 0;
}

static int take_lock(struct audit_file *file, struct problem *problem)
{
    if (identity_lock_wait(&file->lock, file->vault, IDENTITY_LOCK_OF_AUDIT, IDENTITY_LOCK_WRITE,
                           LOCK_WAIT_MS) != IDENTITY_LOCK_BUSY)
        return 0;
    return refuse(file, "The audit log %s/" AUDIT_FILE_NAME " is held by another Thunderseal.",
                  "Nothing to do: writing is tried again; if it lasts, end the other program.", problem);
}

enum audit_file_state audit_file_open(struct audit_file *file, const struct vault *vault, bool make,
                                      struct problem *problem)
{
    struct stat status;

    *file = (struct audit_file){.vault = vault, .descriptor = -1, .lock = {.descriptor = -1}};
    file->folder = folder_open(vault->folder, problem);
    /* Without a folder there is no vault, so there is nothing to tell of yet. */
    if (file->folder < 0)
        return file->folder == FOLDER_ABSENT ? AUDIT_FILE_ABSENT : AUDIT_FILE_FAILED;
    /* Nothing is made for a reader, not even the lock. */
    if (!make && fstatat(file->folder, AUDIT_FILE_NAME, &status, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT)
        return AUDIT_FILE_ABSENT;
    if (take_lock(file, problem) != 0)
        return AUDIT_FILE_FAILED;
    file->descriptor = make ? open_file(file) : open_to_read(file);
    if (file->descriptor < 0 && errno == ENOENT) {
        if (!make)
            return AUDIT_FILE_ABSENT;
        file->descriptor = make_file(file);
    }
    if (file->descriptor < 0) {
        fail(file, make ? "written" : "read", errno, problem);
        return AUDIT_FILE_FAILED;
    }
    return check(file, problem) == 0 ? AUDIT_FILE_HAD : AUDIT_FILE_FAILED;
}

void audit_file_close(struct audit_file *file)
{
    if (file->descriptor >= 0)
        close(file->descriptor);
    if (file->folder >= 0)
        close(file->folder);
    file->descriptor = file->folder = -1;
    identity_lock_release(&file->lock);
}

int audit_file_read(const struct audit_file *file, off_t from, char **bytes, size_t *length,
                    struct problem *problem)
{
    size_t size = (size_t)(file->status.st_size - from);

    *length = 0;
    *bytes = malloc(size + 1);
    if (*bytes == NULL)
        return fail(file, "read", ENOMEM, problem);
    while (*length < size) {
        ssize_t part = pread(file->descriptor, *bytes + *length, size - *length, from + (off_t)*length);
        if (part < 0 && errno == EINTR)
            continue;
        if (part < 0) {
            free(*bytes);
            *bytes = NULL;
            return fail(file, "read", errno, problem);
        }
        if (part == 0)
            break;
        *length += (size_t)part;
    }
    return 0;
}

/* Half of what was to be written would be taken for the work of a crash. If it cannot be cut off either, the
 * next append heals it. */
int audit_file_append(struct audit_file *file, const char *bytes, size_t length, struct problem *problem)
{
    int error;

    if (disk_write(file->descriptor, bytes, length) == 0) {
        file->status.st_size += (off_t)length;
        return 0;
    }
    error = errno;
    (void)disk_cut(file->descriptor, file->status.st_size);
    return fail(file, "written", error, problem);
}

int audit_file_sync(const struct audit_file *file, struct problem *problem)
{
    return disk_sync(file->descriptor) == 0 ? 0 : fail(file, "written", errno, problem);
}

int audit_file_cut(struct audit_file *file, off_t length, struct problem *problem)
{
    if (disk_cut(file->descriptor, length) != 0)
        return fail(file, "written", errno, problem);
    file->status.st_size = length;
    return 0;
}

int audit_file_replace(struct audit_file *file, const char *bytes, size_t length, struct problem *problem)
{
    draft_sweep(file->folder, AUDIT_FILE_NAME DRAFT_MARK);
    if (file_replace(file->folder, AUDIT_FILE_NAME, bytes, length) != 0)
        return fail(file, "written", errno, problem);
    close(file->descriptor);
    file->descriptor = -1;
    return 0;
}
