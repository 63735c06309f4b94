/* SPDX-License-Identifier: MPL-2.0 */
/* Reading policy.json and config.json: protocol section 5. */
#include "service/service_parts.h"

#include "vault/disk.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Fills unusable and distrusted. */
static void judge(int fd, struct settings_file *file)
{
    struct stat status;

    if (fstat(fd, &status) != 0)
        file->unusable = strerror(errno);
    else if (!S_ISREG(status.st_mode))
        file->unusable = TEXT("it is not a regular file");
    else if (status.st_size > SETTINGS_FILE_MAX)
        file->unusable = TEXT("it is larger than 256 KiB");
    else if (status.st_uid != 0 && status.st_uid != getuid())
        file->distrusted = TEXT("it belongs to another user");
    else if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        file->distrusted = TEXT("others than its owner may write to it");
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

void settings_file_read_open(int fd, struct settings_file *file)
{
    ssize_t length = -1;

    file->text = malloc(SETTINGS_FILE_MAX + 1);
    if (file->text != NULL)
        length = read_all(fd, file->text, SETTINGS_FILE_MAX + 1);
    if (length < 0)
        file->unusable = file->text == NULL ? TEXT("out of memory") : strerror(errno);
    else if (length > SETTINGS_FILE_MAX)
        file->unusable = TEXT("it is larger than 256 KiB");
    else
        file->length = (size_t)length;
}

void settings_file_read(const char *path, struct settings_file *file)
{
    /* O_NONBLOCK: a fifo in the file's place must not hold us up. */
    int fd = disk_open(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);

    memset(file, 0, sizeof *file);
    if (fd < 0) {
        file->absent = errno == ENOENT || errno == ENOTDIR;
        file->unusable = strerror(errno);
        return;
    }
    judge(fd, file);
    if (file->unusable == NULL)
        settings_file_read_open(fd, file);
    close(fd);
}

void settings_file_clear(struct settings_file *file)
{
    free(file->text);
    memset(file, 0, sizeof *file);
}

static void apply_text(struct settings *settings, const struct settings_file *file,
                       enum settings_source source, const char *path)
{
    struct json_place place;
    const char *what;
    json_t *object = json_text_parse(file->text, file->length, false, &what, &place);

    if (object == NULL) {
        if (place.line == 0)
            settings_break(settings, path, what);
        else
            settings_break_at(settings, path, place, what);
        return;
    }
    settings_apply(settings, object, source, path);
    json_decref(object);
}

bool settings_read_file(struct settings *settings, const char *path, enum settings_source source)
{
    struct settings_file file;
    bool present;

    settings_file_read(path, &file);
    present = !file.absent;
    if (file.unusable == NULL && file.distrusted == NULL)
        apply_text(settings, &file, source, path);
    else if (present)
        settings_break(settings, path, file.unusable != NULL ? file.unusable : file.distrusted);
    settings_file_clear(&file);
    return present;
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

    (void)settings_read_file(settings, SETTINGS_ADMIN_FILE, SETTINGS_ADMIN);
    if (user_file != NULL)
        (void)settings_read_file(settings, user_file, SETTINGS_USER);
    check_ca_file(settings);
    free(user_file);
}
