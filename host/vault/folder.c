/* SPDX-License-Identifier: MPL-2.0 */
#include "vault/folder.h"
#include "vault/disk.h"
#include "vault/storage_problem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder into which others may look or write gives them our file names, or lets them swap the files. */
#define FORBIDDEN_MODE ((mode_t)077)

static int refuse_unless_private(int descriptor, const char *path, struct problem *problem)
{
    struct stat status;

    if (fstat(descriptor, &status) != 0) {
        storage_problem(problem, "opened", path, errno);
        return -1;
    }
    if (status.st_uid != geteuid()) {
        problem_setf(problem, PROBLEM_STORAGE, NULL, "The folder %s belongs to another user.", path);
        problem_remedy(problem,
                       "As administrator, run \"chown -R %u %s\", or move the folder away; then try again.",
                       (unsigned)geteuid(), path);
        return -1;
    }
    if ((status.st_mode & FORBIDDEN_MODE) != 0) {
        problem_setf(problem, PROBLEM_STORAGE, NULL, "The folder %s can be opened by other users.", path);
        problem_remedy(problem, "Run \"chmod 700 %s\", then try again.", path);
        return -1;
    }
    return 0;
}

/* With O_DIRECTORY, Linux answers ENOTDIR for a symbolic link; the user is told which of the two it is. */
static void explain_failed_open(const char *path, int error, struct problem *problem)
{
    struct stat status;

    if (error == ENOTDIR && lstat(path, &status) == 0 && S_ISLNK(status.st_mode))
        error = ELOOP;
    storage_problem(problem, "opened", path, error);
}

int folder_open(const char *path, struct problem *problem)
{
    int descriptor = disk_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);

    if (descriptor < 0) {
        if (errno == ENOENT)
            return FOLDER_ABSENT;
        explain_failed_open(path, errno, problem);
        return -1;
    }
    if (refuse_unless_private(descriptor, path, problem) != 0) {
        close(descriptor);
        return -1;
    }
    return descriptor;
}

void folder_make_private(const char *path)
{
    int descriptor = disk_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    struct stat status;

    if (descriptor < 0)
        return;
    if (fstat(descriptor, &status) == 0 && status.st_uid == geteuid() &&
        (status.st_mode & FORBIDDEN_MODE) != 0)
        (void)fchmod(descriptor, S_IRWXU);
    close(descriptor);
}

/* A folder is on disk when the one above it is synced. Not every user may read the one above: then it is
 * left. */
static int sync_parent(const char *path)
{
    char *parent = strdup(path);
    char *slash = parent == NULL ? NULL : strrchr(parent, '/');
    int descriptor = -1;
    int result = 0;

    if (parent == NULL)
        return -1;
    if (slash != NULL)
        slash[slash == parent ? 1 : 0] = '\0';
    descriptor = disk_open(AT_FDCWD, slash == NULL ? "." : parent, O_RDONLY | O_DIRECTORY);
    if (descriptor >= 0) {
        result = disk_sync_folder(descriptor);
        close(descriptor);
    }
    free(parent);
    return result;
}

static int make_one(const char *path)
{
    if (disk_make_folder(path) == 0)
        return sync_parent(path);
    return errno == EEXIST ? 0 : -1;
}

static int make_with_parents(const char *path)
{
    char *copy = strdup(path);
    char *slash;
    struct stat status;
    int result = -1;

    if (copy == NULL)
        return -1;
    for (slash = strchr(copy + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (stat(copy, &status) != 0 && make_one(copy) != 0)
            goto out;
        *slash = '/';
    }
    result = make_one(copy);
out:
    free(copy);
    return result;
}

int folder_open_or_make(const char *path, struct problem *problem)
{
    int descriptor = folder_open(path, problem);

    if (descriptor != FOLDER_ABSENT)
        return descriptor;
    if (make_with_parents(path) != 0) {
        storage_problem(problem, "made", path, errno);
        return -1;
    }
    descriptor = folder_open(path, problem);
    if (descriptor == FOLDER_ABSENT) {
        storage_problem(problem, "made", path, ENOENT);
        return -1;
    }
    return descriptor;
}

static int make_room(struct folder_names *list, size_t *room)
{
    size_t more = *room == 0 ? 64 : *room * 2;
    char(*grown)[FOLDER_NAME_SIZE];

    if (list->count < *room)
        return 0;
    if (list->count >= FOLDER_NAMES_MAX) {
        errno = EOVERFLOW;
        return -1;
    }
    grown = realloc(list->names, more * sizeof *grown);
    if (grown == NULL)
        return -1;
    list->names = grown;
    *room = more;
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

static bool is_wanted(const char *name, const char *prefix)
{
    return strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && strlen(name) < FOLDER_NAME_SIZE &&
           strncmp(name, prefix, strlen(prefix)) == 0;
}

static int list_stream(DIR *stream, const char *prefix, struct folder_names *list)
{
    size_t room = 0;

    for (;;) {
        const struct dirent *found;
        errno = 0;
        found = readdir(stream);
        if (found == NULL)
            return errno == 0 ? 0 : -1;
        if (!is_wanted(found->d_name, prefix))
            continue;
        if (make_room(list, &room) != 0)
            return -1;
        memcpy(list->names[list->count], found->d_name, strlen(found->d_name) + 1);
        list->count++;
    }
}

int folder_list(int folder, const char *prefix, struct folder_names *list)
{
    /* Opened afresh, not duplicated: a duplicate shares its position with every other listing. */
    int descriptor = disk_open(folder, ".", O_RDONLY | O_DIRECTORY);
    DIR *stream = descriptor < 0 ? NULL : fdopendir(descriptor);
    int result;
    int error;

    memset(list, 0, sizeof *list);
    if (stream == NULL) {
        error = errno;
        if (descriptor >= 0)
            close(descriptor);
        errno = error;
        return -1;
    }
    result = list_stream(stream, prefix, list);
    error = errno;
    closedir(stream);
    if (result != 0)
        folder_names_clear(list);
    else if (list->count > 1)
        qsort(list->names, list->count, sizeof *list->names, compare_names);
    errno = error;
    return result;
}

void folder_names_clear(struct folder_names *list)
{
    free(list->names);
    memset(list, 0, sizeof *list);
}
