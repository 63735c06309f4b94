/* SPDX-License-Identifier: MPL-2.0 */
#include "service/log.h"

#include "service/service_parts.h"
#include "vault/folder.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define JOURNAL_SOCKET THUNDERSEAL_RUNSTATEDIR "/systemd/journal/socket"
#define FILE_NAME "log"
#define LINE_MAX_BYTES (LOG_TEXT_MAX + 64) /* with time, level and process */

struct log {
    enum log_sink sink;
    enum log_level level;
    int journal;        /* a datagram socket, or -1 */
    char *state_folder; /* owned; SINK_FILE */
};

bool log_sink_of(const char *name, enum log_sink *sink)
{
    static const char *const names[] = {"stderr", "journal", "file"};
    int i;

    for (i = 0; i < 3; i++)
        if (strcmp(names[i], name) == 0) {
            *sink = (enum log_sink)i;
            return true;
        }
    return false;
}

struct log *log_open(enum log_sink sink, enum log_level level)
{
    struct log *log = calloc(1, sizeof *log);
    struct problem problem;

    if (log == NULL)
        return NULL;
    log->sink = sink;
    log->level = level;
    log->journal = sink == SINK_JOURNAL ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
    log->state_folder = sink == SINK_FILE ? environment_state_folder(&problem) : NULL;
    return log;
}

void log_close(struct log *log)
{
    if (log == NULL)
        return;
    if (log->journal >= 0)
        close(log->journal);
    free(log->state_folder);
    free(log);
}

bool log_wants(const struct log *log, enum log_event event)
{
    const struct log_entry entry = {.event = event};

    return log != NULL && log_entry_level(&entry) <= log->level;
}

/* ---- the sinks ---- */

/* A write for each line, so that those of several processes do not mix. */
static void write_stderr(const struct log_entry *entry)
{
    char text[LOG_TEXT_MAX], line[LINE_MAX_BYTES];
    int length;

    log_entry_text(text, entry);
    length =
        snprintf(line, sizeof line, "thunderseal: %s: %s\n", log_level_name(log_entry_level(entry)), text);
    (void)!write(STDERR_FILENO, line, (size_t)length);
}

/* Addressed each time: the journal may be restarted. */
static void send_to_journal(const struct log *log, const struct log_entry *entry)
{
    const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET};
    char datagram[LOG_JOURNAL_MAX];
    size_t length = log_entry_journal(datagram, entry);

    if (log->journal >= 0)
        (void)sendto(log->journal, datagram, length, MSG_DONTWAIT | MSG_NOSIGNAL,
                     (const struct sockaddr *)&address, sizeof address);
}

static bool is_full(const struct stat *status)
{
    return status->st_size >= (off_t)(LOG_FILE_MAX - LINE_MAX_BYTES);
}

/*
 * Keeps the newer half, from the beginning of a line. In place, so that there is one file whatever happens;
 * what another process writes in that moment may be lost.
 */
static void cut(int fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char *bytes = malloc(LOG_FILE_KEEP), *start;
    struct stat status;
    ssize_t length;

    /* Who finds it locked leaves it to the other; who comes too late finds it short. */
    if (bytes != NULL && fcntl(fd, F_OFD_SETLK, &lock) == 0 && fstat(fd, &status) == 0 && is_full(&status)) {
        length = pread(fd, bytes, LOG_FILE_KEEP, status.st_size - (off_t)LOG_FILE_KEEP);
        start = length > 0 ? memchr(bytes, '\n', (size_t)length) : NULL;
        if (ftruncate(fd, 0) == 0 && start != NULL)
            (void)!write(fd, start + 1, (size_t)(bytes + length - start - 1));
    }
    free(bytes);
}

static int open_file(const struct log *log)
{
    struct problem problem;
    struct stat status;
    int folder, fd = -1;

    folder = log->state_folder == NULL ? -1 : folder_open_or_make(log->state_folder, &problem);
    if (folder < 0)
        return -1;
    fd = openat(folder, FILE_NAME,
                O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
    close(folder);
    if (fd < 0)
        return -1;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_uid != geteuid() ||
        fchmod(fd, 0600) != 0) {
        close(fd);
        return -1;
    }
    if (is_full(&status))
        cut(fd);
    return fd;
}

/* Opened for each entry: another process may have cut the file, or its user may have removed it. */
static void append_to_file(const struct log *log, const struct log_entry *entry)
{
    char text[LOG_TEXT_MAX], line[LINE_MAX_BYTES], at[32] = "-";
    int fd = open_file(log), length;
    struct timespec now;
    struct tm utc;

    if (fd < 0)
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    if (gmtime_r(&now.tv_sec, &utc) != NULL)
        (void)strftime(at, sizeof at, "%Y-%m-%dT%H:%M:%S", &utc);
    log_entry_text(text, entry);
    length = snprintf(line, sizeof line, "%s.%03ldZ %s [%ld] %s\n", at, now.tv_nsec / 1000000,
                      log_level_name(log_entry_level(entry)), (long)getpid(), text);
    (void)!write(fd, line, (size_t)length);
    close(fd);
}

void log_write(struct log *log, const struct log_entry *entry)
{
    int error = errno;

    if (log == NULL || log_entry_level(entry) > log->level)
        return;
    switch (log->sink) {
    case SINK_STDERR:
        write_stderr(entry);
        break;
    case SINK_JOURNAL:
        send_to_journal(log, entry);
        break;
    case SINK_FILE:
        append_to_file(log, entry);
        break;
    }
    errno = error;
}
