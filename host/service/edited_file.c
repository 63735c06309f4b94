/* SPDX-License-Identifier: MPL-2.0 */
#include "service/edited_file.h"

#include "vault/disk.h"
#include "vault/draft.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MAX (1024 * 1024) /* bytes; a policies.json that lists every known extension stays far below */
#define RETRY "Correct that and try again; nothing was changed."

static int fail(struct problem *problem, const char *path, const char *reason TEXTS)
{
    problem_setf(problem, PROBLEM_STORAGE, RETRY, "%s cannot be changed: %-s.", path, reason);
    return -1;
}

/* Splits the path; folders are followed, and so is the file itself if it is a link: the link stays. */
static int resolve(struct edited_file *file, const char *path, struct problem *problem)
{
    struct stat link;
    char *slash;

    file->path = realpath(path, NULL);
    file->present = file->path != NULL;
    if (!file->present && errno != ENOENT)
        return fail(problem, path, strerror(errno));
    if (!file->present && lstat(path, &link) == 0)
        return fail(problem, path, "it is a symbolic link to a file that is not there");
    if (!file->present)
        file->path = strchr(path, '/') != NULL ? strdup(path) : NULL;
    if (file->path == NULL && asprintf(&file->path, "./%s", path) < 0)
        file->path = NULL;
    file->folder = file->path == NULL ? NULL : strdup(file->path);
    if (file->folder == NULL)
        return fail(problem, path, strerror(ENOMEM));
    slash = strrchr(file->folder, '/');
    file->name = strrchr(file->path, '/') + 1;
    slash[slash == file->folder] = '\0'; /* "/" stays */
    if (file->name[0] == '\0')
        return fail(problem, path, "it names a folder");
    return 0;
}

/* Makes what is missing of a path of folders, or its last one alone. 0, or -1 with errno. */
static int make_folders(char *path, enum edited_folders make, mode_t mode)
{
    char *slash = make == FOLDERS_ALL ? path : strrchr(path, '/');
    int result = 0;

    while (slash != NULL && result == 0) {
        slash = strchr(slash + 1, '/');
        if (slash != NULL)
            *slash = '\0';
        if (mkdir(path, mode) == 0)
            result = chmod(path, mode); /* whatever the umask */
        else if (errno != EEXIST)
            result = -1;
        if (slash != NULL)
            *slash = '/';
    }
    return result;
}

static int open_folder(struct edited_file *file, enum edited_folders make, mode_t mode,
                       struct problem *problem)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

    file->folder_fd = open(file->folder, flags);
    if (file->folder_fd < 0 && errno == ENOENT && make != FOLDERS_NONE &&
        make_folders(file->folder, make, mode) == 0)
        file->folder_fd = open(file->folder, flags);
    return file->folder_fd < 0 ? fail(problem, file->folder, strerror(errno)) : 0;
}

/* The text of the file; NULL with *problem. */
static char *read_text(struct edited_file *file, size_t *length, struct problem *problem)
{
    int fd = openat(file->folder_fd, file->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    char *text = NULL;
    ssize_t part = 1;

    *length = 0;
    if (fd < 0 || fstat(fd, &file->before) != 0) {
        fail(problem, file->path, strerror(errno));
        goto out;
    }
    if (!S_ISREG(file->before.st_mode)) {
        fail(problem, file->path, "it is not a regular file");
        goto out;
    }
    text = malloc(TEXT_MAX + 1);
    while (text != NULL && part > 0 && *length <= TEXT_MAX) {
        part = read(fd, text + *length, TEXT_MAX + 1 - *length);
        if (part < 0 && errno == EINTR)
            part = 1;
        else if (part > 0)
            *length += (size_t)part;
    }
    if (text == NULL || part < 0)
        fail(problem, file->path, strerror(errno));
    else if (*length > TEXT_MAX)
        fail(problem, file->path, "it is larger than 1 MiB");
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
static int begin(struct edited_file *file, struct problem *problem)
{
    struct json_place place;
    const char *what;
    size_t length;
    char *text = read_text(file, &length, problem);
    json_t *value = text == NULL ? NULL : json_text_parse(text, length, false, &what, &place);
    int result = -1;

    if (text == NULL)
        return -1;
    if (value == NULL)
        problem_setf(problem, PROBLEM_MISCONFIGURED, "Correct the file and try again; it was left as it is.",
                     "%s:%d:%d: it is not JSON: %-s.", file->path, place.line, place.column, what);
    else if (json_edit_begin(&file->edit, text, length) != 0)
        fail(problem, file->path, strerror(ENOMEM));
    else
        result = 0;
    json_decref(value);
    free(text);
    return result;
}

/* Whether somebody else has written to it since it was read. */
static bool changed_meanwhile(const struct edited_file *file)
{
    const struct stat *before = &file->before;
    struct stat now;

    if (fstatat(file->folder_fd, file->name, &now, AT_SYMLINK_NOFOLLOW) != 0)
        return file->present;
    return !file->present || now.st_dev != before->st_dev || now.st_ino != before->st_ino ||
           now.st_size != before->st_size || now.st_mtim.tv_sec != before->st_mtim.tv_sec ||
           now.st_mtim.tv_nsec != before->st_mtim.tv_nsec;
}

/* The draft gets owner and mode of the file whose place it takes. */
static int take_over(const struct edited_file *file, int fd, mode_t mode)
{
    struct stat own;

    if (file->present) {
        if (fstat(fd, &own) != 0)
            return -1;
        if ((own.st_uid != file->before.st_uid || own.st_gid != file->before.st_gid) &&
            fchown(fd, file->before.st_uid, file->before.st_gid) != 0)
            return -1;
    }
    return fchmod(fd, file->present ? file->before.st_mode & 07777 : mode);
}

int edited_file_save(const struct edited_file *file, mode_t mode, struct problem *problem)
{
    struct draft draft = DRAFT_NONE;
    char prefix[NAME_MAX + sizeof DRAFT_MARK];
    int result = -1;

    snprintf(prefix, sizeof prefix, "%s" DRAFT_MARK, file->name);
    draft_sweep(file->folder_fd, prefix);
    if (draft_write(&draft, file->folder_fd, file->name, file->edit.text, file->edit.length) != 0 ||
        take_over(file, draft.descriptor, mode) != 0 || disk_sync(draft.descriptor) != 0) {
        fail(problem, file->path, strerror(errno));
    } else if (changed_meanwhile(file)) {
        fail(problem, file->path, "another program has changed it in this moment");
    } else if ((file->present ? draft_publish(&draft, file->name) : draft_publish_new(&draft, file->name)) !=
                   0 ||
               disk_sync_folder(file->folder_fd) != 0) {
        fail(problem, file->path, strerror(errno));
    } else {
        result = 0;
    }
    draft_drop(&draft);
    return result;
}

int edited_file_open(struct edited_file *file, const char *path, enum edited_folders make, mode_t folder_mode,
                     struct problem *problem)
{
    memset(file, 0, sizeof *file);
    file->folder_fd = -1;
    if (resolve(file, path, problem) != 0)
        return -1;
    if (!file->present && make == FOLDERS_NONE)
        return json_edit_begin(&file->edit, "{}\n", 3);
    if (open_folder(file, make, folder_mode, problem) != 0)
        return -1;
    return file->present ? begin(file, problem) : json_edit_begin(&file->edit, "{}\n", 3);
}

void edited_file_close(struct edited_file *file)
{
    json_edit_clear(&file->edit);
    if (file->folder_fd >= 0)
        close(file->folder_fd);
    free(file->folder);
    free(file->path);
}
