/* SPDX-License-Identifier: MPL-2.0 */
/* `thunderseal policy merge`: Thunderbird's policies.json gets our part, or loses it, in one step or not at
 * all. */
#include "service/service_parts.h"

#include "core/policy_merge.h"
#include "vault/disk.h"
#include "vault/draft.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define POLICIES_MAX (1024 * 1024) /* bytes; with lists of every known extension they stay far below */
#define FOLDER_MODE 0755           /* Thunderbird reads both as whoever runs it */
#define FILE_MODE 0644
#define RETRY "Correct that and try again; nothing was changed."

/* The file while it is being changed. */
struct target {
    char *path;   /* without symbolic links */
    char *folder; /* that it is in */
    const char *name;
    int folder_fd; /* -1: none */
    bool present;
    struct stat before;
    struct json_edit edit;
};

static int fail(struct problem *problem, const char *path, const char *reason)
{
    problem_setf(problem, PROBLEM_STORAGE, RETRY, "%s cannot be changed: %s.", path, reason);
    return -1;
}

/* Splits the path; folders are followed, and so is the file itself if it is a link: the link stays. */
static int resolve(struct target *target, const char *path, struct problem *problem)
{
    struct stat link;
    char *slash;

    target->path = realpath(path, NULL);
    target->present = target->path != NULL;
    if (!target->present && errno != ENOENT)
        return fail(problem, path, strerror(errno));
    if (!target->present && lstat(path, &link) == 0)
        return fail(problem, path, "it is a symbolic link to a file that is not there");
    if (!target->present)
        target->path = strchr(path, '/') != NULL ? strdup(path) : NULL;
    if (target->path == NULL && asprintf(&target->path, "./%s", path) < 0)
        target->path = NULL;
    target->folder = target->path == NULL ? NULL : strdup(target->path);
    if (target->folder == NULL)
        return fail(problem, path, strerror(ENOMEM));
    slash = strrchr(target->folder, '/');
    target->name = strrchr(target->path, '/') + 1;
    slash[slash == target->folder] = '\0'; /* "/" stays */
    if (target->name[0] == '\0')
        return fail(problem, path, "it names a folder");
    return 0;
}

/* One folder that is missing is made: Debian's Thunderbird comes without /etc/thunderbird/policies. */
static int open_folder(struct target *target, bool make, struct problem *problem)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

    target->folder_fd = open(target->folder, flags);
    if (target->folder_fd < 0 && errno == ENOENT && make && mkdir(target->folder, FOLDER_MODE) == 0) {
        target->folder_fd = open(target->folder, flags);
        if (target->folder_fd >= 0)
            (void)fchmod(target->folder_fd, FOLDER_MODE); /* whatever the umask */
    }
    return target->folder_fd < 0 ? fail(problem, target->folder, strerror(errno)) : 0;
}

/* The text of the file; NULL with *problem. */
static char *read_text(struct target *target, size_t *length, struct problem *problem)
{
    int fd =
        openat(target->folder_fd, target->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    char *text = NULL;
    ssize_t part = 1;

    *length = 0;
    if (fd < 0 || fstat(fd, &target->before) != 0) {
        fail(problem, target->path, strerror(errno));
        goto out;
    }
    if (!S_ISREG(target->before.st_mode)) {
        fail(problem, target->path, "it is not a regular file");
        goto out;
    }
    text = malloc(POLICIES_MAX + 1);
    while (text != NULL && part > 0 && *length <= POLICIES_MAX) {
        part = read(fd, text + *length, POLICIES_MAX + 1 - *length);
        if (part < 0 && errno == EINTR)
            part = 1;
        else if (part > 0)
            *length += (size_t)part;
    }
    if (text == NULL || part < 0)
        fail(problem, target->path, strerror(errno));
    else if (*length > POLICIES_MAX)
        fail(problem, target->path, "it is larger than 1 MiB");
    else
        goto out;
    free(text);
    text = NULL;
out:
    if (fd >= 0)
        close(fd);
    return text;
}

/* The text as it is, ready to be edited. */
static int begin(struct target *target, struct problem *problem)
{
    struct json_place place;
    const char *what;
    size_t length;
    char *text = read_text(target, &length, problem);
    json_t *value = text == NULL ? NULL : json_text_parse(text, length, false, &what, &place);
    int result = -1;

    if (text == NULL)
        return -1;
    if (value == NULL)
        problem_setf(problem, PROBLEM_MISCONFIGURED, "Correct the file and try again; it was left as it is.",
                     "%s:%d:%d: it is not JSON: %s.", target->path, place.line, place.column, what);
    else if (json_edit_begin(&target->edit, text, length) != 0)
        fail(problem, target->path, strerror(ENOMEM));
    else
        result = 0;
    json_decref(value);
    free(text);
    return result;
}

/* Whether somebody else has written to it since it was read. */
static bool changed_meanwhile(const struct target *target)
{
    const struct stat *before = &target->before;
    struct stat now;

    if (fstatat(target->folder_fd, target->name, &now, AT_SYMLINK_NOFOLLOW) != 0)
        return target->present;
    return !target->present || now.st_dev != before->st_dev || now.st_ino != before->st_ino ||
           now.st_size != before->st_size || now.st_mtim.tv_sec != before->st_mtim.tv_sec ||
           now.st_mtim.tv_nsec != before->st_mtim.tv_nsec;
}

/* The draft gets owner and mode of the file whose place it takes. */
static int take_over(const struct target *target, int fd)
{
    mode_t mode = target->present ? target->before.st_mode & 07777 : FILE_MODE;
    struct stat own;

    if (target->present) {
        if (fstat(fd, &own) != 0)
            return -1;
        if ((own.st_uid != target->before.st_uid || own.st_gid != target->before.st_gid) &&
            fchown(fd, target->before.st_uid, target->before.st_gid) != 0)
            return -1;
    }
    return fchmod(fd, mode);
}

static int save(const struct target *target, struct problem *problem)
{
    struct draft draft = DRAFT_NONE;
    char prefix[NAME_MAX + sizeof DRAFT_MARK];
    int result = -1;

    snprintf(prefix, sizeof prefix, "%s" DRAFT_MARK, target->name);
    draft_sweep(target->folder_fd, prefix);
    if (draft_write(&draft, target->folder_fd, target->name, target->edit.text, target->edit.length) != 0 ||
        take_over(target, draft.descriptor) != 0 || disk_sync(draft.descriptor) != 0) {
        fail(problem, target->path, strerror(errno));
    } else if (changed_meanwhile(target)) {
        fail(problem, target->path, "another program has changed it in this moment");
    } else if ((target->present ? draft_publish(&draft, target->name)
                                : draft_publish_new(&draft, target->name)) != 0 ||
               disk_sync_folder(target->folder_fd) != 0) {
        fail(problem, target->path, strerror(errno));
    } else {
        result = 0;
    }
    draft_drop(&draft);
    return result;
}

/* 1: the text has changed; 0: it says already what it should; -1 with *problem. */
static int edit(struct target *target, bool remove, struct problem *problem)
{
    char *before = strdup(target->edit.text);
    int result;

    if (before == NULL)
        return fail(problem, target->path, strerror(ENOMEM));
    result = remove ? policy_unmerge(&target->edit, target->path, problem)
                    : policy_merge(&target->edit, THUNDERSEAL_XPI, target->path, problem);
    if (result == 0)
        result = strcmp(before, target->edit.text) != 0;
    free(before);
    return result;
}

json_t *service_policy_merge(const char *path, bool remove, struct problem *problem)
{
    struct target target = {.folder_fd = -1};
    json_t *result = NULL;
    int changed = 0;

    if (resolve(&target, path, problem) != 0)
        goto out;
    if (target.present || !remove) {
        if (open_folder(&target, !target.present, problem) != 0)
            goto out;
        if ((target.present ? begin(&target, problem) : json_edit_begin(&target.edit, "{}\n", 3)) != 0)
            goto out;
        changed = edit(&target, remove, problem);
        if (changed < 0 || (changed > 0 && save(&target, problem) != 0))
            goto out;
    }
    result =
        json_pack("{s:s, s:b, s:b}", "file", path, "changed", changed, "created", changed && !target.present);
    if (result == NULL)
        problem_set(problem, PROBLEM_INVALID_PARAMS, "The name of the file is not valid UTF-8.",
                    "Give it another name.");
out:
    json_edit_clear(&target.edit);
    if (target.folder_fd >= 0)
        close(target.folder_fd);
    free(target.folder);
    free(target.path);
    return result;
}
