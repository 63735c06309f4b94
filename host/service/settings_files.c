/* SPDX-License-Identifier: MPL-2.0 */
/* Reading policy.json and config.json: protocol section 5. */
#include "service/service_parts.h"

#include "core/json_text.h"
#include "vault/disk.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SETTINGS_FILE_MAX (256 * 1024) /* a policy naming 1,000 accounts takes 80 KiB */

/* Why the open file must not be believed, or NULL. */
static const char *distrust(int fd, struct stat *status)
{
    if (fstat(fd, status) != 0)
        return strerror(errno);
    if (!S_ISREG(status->st_mode))
        return "it is not a regular file";
    if (status->st_uid != 0 && status->st_uid != getuid())
        return "it belongs to another user";
    if ((status->st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return "others than its owner may write to it";
    if (status->st_size > SETTINGS_FILE_MAX)
        return "it is larger than 256 KiB";
    return NULL;
}

static ssize_t read_all(int fd, char *text, size_t size)
{
    size_t used = 0;

    while (used < size) {
        ssize_t part = read(fd, text + used, size - used);
        if (part < 0 && errno == EINTR)
            continue;
        if (part < 0)
            return -1;
        if (part == 0)
            break;
        used += (size_t)part;
    }
    return (ssize_t)used;
}

static void apply_text(struct settings *settings, const char *text, size_t length,
                       enum settings_source source, const char *path)
{
    json_error_t error;
    bool no_memory;
    json_t *object = json_read(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL,
                               &error, &no_memory);
    char cause[128];

    if (no_memory) {
        settings_break(settings, path, "out of memory");
        return;
    }
    if (object == NULL) {
        snprintf(cause, sizeof cause, "line %d, column %d: %s", error.line, error.column,
                 json_error_code(&error) == json_error_duplicate_key ? "a key stands there twice"
                                                                     : "not valid JSON");
        settings_break(settings, path, cause);
        return;
    }
    settings_apply(settings, object, source, path);
    json_decref(object);
}

static void read_file(struct settings *settings, const char *path, enum settings_source source)
{
    /* O_NONBLOCK: a fifo in the file's place must not hold us up. */
    int fd = disk_open(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    char *text = NULL;
    struct stat status;
    const char *reason;
    ssize_t length;

    if (fd < 0) {
        if (errno != ENOENT && errno != ENOTDIR)
            settings_break(settings, path, strerror(errno));
        return;
    }
    reason = distrust(fd, &status);
    if (reason != NULL) {
        settings_break(settings, path, reason);
        goto out;
    }
    text = malloc(SETTINGS_FILE_MAX + 1);
    length = text == NULL ? -1 : read_all(fd, text, SETTINGS_FILE_MAX + 1);
    if (length < 0)
        settings_break(settings, path, text == NULL ? "out of memory" : strerror(errno));
    else
        apply_text(settings, text, (size_t)length, source, path);
out:
    free(text);
    close(fd);
}

/* Found out at the first connection, an unreadable file would look like a fault of the network. */
static void check_ca_file(struct settings *settings)
{
    const char *path = settings_text(settings, "caFile");
    int fd = path == NULL ? -1 : disk_open(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);

    if (fd >= 0)
        close(fd);
    else if (path != NULL)
        settings_break(settings, "The file that caFile names", strerror(errno));
}

void settings_read_files(struct settings *settings)
{
    struct problem problem;
    char *user_file = environment_config_file(&problem);

    if (user_file != NULL)
        read_file(settings, user_file, SETTINGS_USER);
    read_file(settings, THUNDERSEAL_SYSCONFDIR "/thunderseal/policy.json", SETTINGS_ADMIN);
    settings_settle(settings);
    check_ca_file(settings);
    free(user_file);
}
