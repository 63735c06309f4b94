/* SPDX-License-Identifier: MPL-2.0 */
/* Reading what lies around, and commands that a shell takes as they are meant. */
#include "service/doctor.h"

#include "core/json_read.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define JSON_FILE_MAX ((size_t)16 * 1024 * 1024) /* an extensions.json with a hundred add-ons has 1 MiB */

char *doctor_text(const char *format, ...)
{
    va_list arguments;
    char *text = NULL;

    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    va_end(arguments);
    return text;
}

/* Inside single quotes a shell takes everything as it is, but the quote itself. */
char *doctor_word(const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
    char *word, *end;

    if (text == NULL)
        return NULL;
    if (text[0] != '\0' && text[strspn(text, plain)] == '\0')
        return strdup(text);
    word = malloc(strlen(text) * 4 + 3);
    if (word == NULL)
        return NULL;
    end = word;
    *end++ = '\'';
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            end = stpcpy(end, "'\\''");
        else
            *end++ = *text;
    }
    *end++ = '\'';
    *end = '\0';
    return word;
}

static char *read_open(int fd, size_t max)
{
    struct stat status;
    char *text;
    size_t used = 0;

    if (fstat(fd, &status) != 0)
        return NULL;
    if (!S_ISREG(status.st_mode) || (size_t)status.st_size > max) {
        errno = S_ISREG(status.st_mode) ? EFBIG : EINVAL;
        return NULL;
    }
    text = malloc((size_t)status.st_size + 1);
    while (text != NULL && used < (size_t)status.st_size) {
        ssize_t part = read(fd, text + used, (size_t)status.st_size - used);
        if (part < 0 && errno == EINTR)
            continue;
        if (part < 0) {
            free(text);
            return NULL;
        }
        if (part == 0)
            break;
        used += (size_t)part;
    }
    if (text != NULL)
        text[used] = '\0';
    return text;
}

char *doctor_read(const char *path, size_t max)
{
    /* O_NONBLOCK: a fifo in the file's place must not hold us up. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), error;
    char *text;

    if (fd < 0)
        return NULL;
    text = read_open(fd, max);
    error = errno;
    close(fd);
    errno = error;
    return text;
}

json_t *doctor_read_json(const char *path, char cause[DOCTOR_CAUSE_SIZE])
{
    json_error_t error;
    char *text = doctor_read(path, JSON_FILE_MAX);
    json_t *value;

    cause[0] = '\0';
    if (text == NULL) {
        if (errno != ENOENT && errno != ENOTDIR)
            snprintf(cause, DOCTOR_CAUSE_SIZE, "%s",
                     errno == EINVAL ? "it is not a regular file" : strerror(errno));
        return NULL;
    }
    value = json_read(text, strlen(text), JSON_DECODE_ANY, &error, NULL);
    if (value == NULL)
        snprintf(cause, DOCTOR_CAUSE_SIZE, "line %d, column %d: not valid JSON", error.line, error.column);
    free(text);
    return value;
}

const char *doctor_sudo(const char *path)
{
    struct stat status;

    return geteuid() == 0 || (stat(path, &status) == 0 && status.st_uid == geteuid()) ? "" : "sudo ";
}

bool doctor_trusted(json_t *check, const char *path)
{
    struct stat status;
    char *word;

    if (stat(path, &status) != 0)
        return true; /* what is not there is said by whoever needs it */
    word = doctor_word(path);
    if (status.st_uid != 0 && status.st_uid != geteuid()) {
        check_worsen(check, CHECK_FAIL);
        check_detail(check, "%s belongs to another user, who could change it.", path);
        check_remedy(check, "Give it to root. Run: %schown root %s", doctor_sudo(path), word);
    } else if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        check_worsen(check, CHECK_FAIL);
        check_detail(check, "Others than its owner may write to %s.", path);
        check_remedy(check, "Take that right away. Run: %schmod go-w %s", doctor_sudo(path), word);
    } else {
        free(word);
        return true;
    }
    check_evidence_text(check, "path", path);
    check_evidence(check, "owner", json_integer((json_int_t)status.st_uid));
    check_evidence(check, "mode", json_sprintf("%04o", (unsigned)status.st_mode & 07777u));
    free(word);
    return false;
}

char *doctor_find_program(const char *search, const char *name)
{
    struct stat status;

    if (strchr(name, '/') != NULL)
        search = "";
    while (search != NULL) {
        size_t length = strcspn(search, ":");
        char *path = strchr(name, '/') != NULL
                         ? doctor_text("%s", name)
                         : doctor_text("%.*s/%s", (int)length, length == 0 ? "." : search, name);
        if (path != NULL && stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0)
            return path;
        free(path);
        search = search[length] == ':' ? search + length + 1 : NULL;
    }
    return NULL;
}

static char *trim(char *text)
{
    size_t length;

    text += strspn(text, " \t\r");
    for (length = strlen(text); length > 0 && strchr(" \t\r", text[length - 1]) != NULL; length--)
        text[length - 1] = '\0';
    return text;
}

void doctor_each_line(char *text,
                      void (*take)(void *context, const char *section, const char *key, const char *value),
                      void *context)
{
    const char *section = "";
    char *rest = text, *line;

    while ((line = strsep(&rest, "\n")) != NULL) {
        char *end;
        line = trim(line);
        if (line[0] == '[' && (end = strchr(line, ']')) != NULL) {
            *end = '\0';
            section = line + 1;
        } else if (line[0] != ';' && line[0] != '#' && (end = strchr(line, '=')) != NULL) {
            *end = '\0';
            take(context, section, trim(line), trim(end + 1));
        }
    }
}
