/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Where the log goes: standard error, systemd's journal, or a file in the state folder. What cannot be
 * written is dropped without a word: a log never disturbs the program, and never makes it wait.
 */
#ifndef THUNDERSEAL_SERVICE_LOG_H
#define THUNDERSEAL_SERVICE_LOG_H

#include "core/log_entry.h"
#include <stdbool.h>

#define LOG_FILE_MAX ((size_t)1024 * 1024) /* some 8,000 entries: weeks, at level info */
#define LOG_FILE_KEEP ((size_t)512 * 1024) /* what stays of it when it is full */

enum log_sink { SINK_STDERR, SINK_JOURNAL, SINK_FILE };

struct log; /* owned by the caller of log_open */

/* Entries up to this level. NULL, which all functions take, when nothing can be logged. */
struct log *log_open(enum log_sink sink, enum log_level level);
void log_close(struct log *log);
/* false: no sink is called so. */
bool log_sink_of(const char *name, enum log_sink *sink);

/* Whether an entry of the event would be written, if it is no repetition. */
bool log_wants(const struct log *log, enum log_event event);
void log_write(struct log *log, const struct log_entry *entry);

#endif
