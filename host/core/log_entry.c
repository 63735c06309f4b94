/* SPDX-License-Identifier: MPL-2.0 */
#include "core/log_entry.h"

#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define VALUE_SIZE 48 /* of the longest: a GUID; words and numbers are shorter */
#define NAME_SIZE 48

static const struct {
    const char *name;
    enum log_level level;
} events[] = {
#define EVENT_ROW(number, name, level) {name, level},
    LOG_EVENTS(EVENT_ROW)
#undef EVENT_ROW
};

/* Also the methods of the protocol: what a client asks for by another name is not told. */
static const char *const words[] = {
    NULL,
    /* resources, ways to sign in, callers */
    "outlook",
    "graph",
    "other",
    "browser",
    "device",
    "import",
    "thunderbird",
    "command",
    /* states of an account */
    "signed-out",
    "signing-in",
    "ready",
    "renewing",
    "waiting",
    "attention",
    "blocked",
    "locked",
    /* where a connection failed */
    "dns",
    "connect",
    "tls",
    "proxy",
    "timeout",
    "http",
    /* what happened */
    "refresh",
    "sign-in",
    "device-code",
    "cache",
    "renewed",
    "everywhere",
    "previous-used",
    "lost",
    "made",
    "rotated",
    "moved",
    "ok",
    "warn",
    "fail",
    /* methods */
    "hello",
    "cancel",
    "account.list",
    "account.add",
    "account.remove",
    "account.import",
    "token.get",
    "signIn.start",
    "signIn.cancel",
    "signOut",
    "health.check",
    "vault.unlock",
    "settings.set",
    "policy.get",
    "audit.read",
    "audit.verify",
    "audit.names",
    "report.create",
    "backup.create",
    "backup.restore",
    "key.show",
    "key.change",
    "renew",
    "renewable",
};

static const char *const levels[] = {"error", "warning", "info", "debug"};
/* RFC 5424 table 2, which the journal counts by. */
static const int priorities[] = {3, 4, 6, 7};

struct log_word log_word_of(const char *text)
{
    unsigned i;

    for (i = 1; text != NULL && i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i], text) == 0)
            return (struct log_word){.index = i};
    return (struct log_word){0};
}

struct log_hash log_hash_of(const char *hex)
{
    struct log_hash hash = {0};
    size_t length;

    if (strlen(hex) != 2 * sizeof hash.bytes ||
        sodium_hex2bin(hash.bytes, sizeof hash.bytes, hex, strlen(hex), NULL, &length, NULL) != 0 ||
        length != sizeof hash.bytes)
        memset(&hash, 0, sizeof hash);
    return hash;
}

bool log_event_of(const char *name, enum log_event *event)
{
    int i;

    for (i = 0; i < LOG_EVENT_COUNT; i++)
        if (strcmp(events[i].name, name) == 0) {
            *event = (enum log_event)i;
            return true;
        }
    return false;
}

void log_entry_problem(struct log_entry *entry, const struct problem *problem)
{
    struct guid named = guid_read(problem->correlation_id);

    entry->kind = problem->kind;
    entry->stage = log_word_of(problem->stage);
    entry->aadsts = problem->aadsts;
    if (!guid_equal(&named, &entry->request_id))
        entry->correlation_id = named;
}

enum log_level log_entry_level(const struct log_entry *entry)
{
    enum log_level level = events[entry->event].level;

    return entry->repeated && level < LEVEL_DEBUG ? level + 1 : level;
}

const char *log_level_name(enum log_level level)
{
    return levels[level];
}

bool log_level_of(const char *name, enum log_level *level)
{
    int i;

    for (i = 0; i < (int)(sizeof levels / sizeof levels[0]); i++)
        if (strcmp(levels[i], name) == 0) {
            *level = (enum log_level)i;
            return true;
        }
    return false;
}

/* ---- fields as text: false when absent ---- */

static bool write_word(char text[VALUE_SIZE], const void *value)
{
    const struct log_word *word = value;

    if (word->index > 0)
        snprintf(text, VALUE_SIZE, "%s", words[word->index]);
    return word->index > 0;
}

static bool write_kind(char text[VALUE_SIZE], const void *value)
{
    enum problem_kind kind = *(const enum problem_kind *)value;

    if (kind != PROBLEM_NONE)
        snprintf(text, VALUE_SIZE, "%s", problem_kind_name(kind));
    return kind != PROBLEM_NONE;
}

static bool write_number(char text[VALUE_SIZE], const void *value)
{
    int64_t number = *(const int64_t *)value;

    if (number != 0)
        snprintf(text, VALUE_SIZE, "%lld", (long long)number);
    return number != 0;
}

static bool write_guid(char text[VALUE_SIZE], const void *value)
{
    if (guid_none(value))
        return false;
    guid_write(text, value);
    return true;
}

static bool write_hash(char text[VALUE_SIZE], const void *value)
{
    const struct log_hash *hash = value;

    if (sodium_is_zero(hash->bytes, sizeof hash->bytes) == 1)
        return false;
    sodium_bin2hex(text, VALUE_SIZE, hash->bytes, sizeof hash->bytes);
    return true;
}

/* Calls put for each field that is there. */
typedef void put_function(void *context, const char *name, const char *value);

static void each_field(const struct log_entry *entry, put_function *put, void *context)
{
    char value[VALUE_SIZE];

#define PUT_FIELD(type, name)                                                                                \
    if (_Generic(entry->name, struct log_word                                                                \
                 : write_word, enum problem_kind                                                             \
                 : write_kind, int64_t                                                                       \
                 : write_number, struct guid                                                                 \
                 : write_guid, struct log_hash                                                               \
                 : write_hash)(value, &entry->name))                                                         \
        put(context, #name, value);
    LOG_FIELDS(PUT_FIELD)
#undef PUT_FIELD
}

struct buffer {
    char *bytes;
    size_t used, size;
};

static void append(struct buffer *buffer, const char *text)
{
    size_t length = strlen(text);

    if (length >= buffer->size - buffer->used)
        return;
    memcpy(buffer->bytes + buffer->used, text, length + 1);
    buffer->used += length;
}

static void put_in_line(void *context, const char *name, const char *value)
{
    append(context, " ");
    append(context, name);
    append(context, "=");
    append(context, value);
}

size_t log_entry_text(char text[LOG_TEXT_MAX], const struct log_entry *entry)
{
    struct buffer buffer = {.bytes = text, .size = LOG_TEXT_MAX};

    append(&buffer, events[entry->event].name);
    each_field(entry, put_in_line, &buffer);
    return buffer.used;
}

static void put_in_journal(void *context, const char *name, const char *value)
{
    char upper[NAME_SIZE];
    size_t i, length = strnlen(name, sizeof upper - 1);

    for (i = 0; i < length; i++)
        upper[i] = (char)toupper((unsigned char)name[i]);
    upper[i] = '\0';
    append(context, "THUNDERSEAL_");
    append(context, upper);
    append(context, "=");
    append(context, value);
    append(context, "\n");
}

size_t log_entry_journal(char datagram[LOG_JOURNAL_MAX], const struct log_entry *entry)
{
    struct buffer buffer = {.bytes = datagram, .size = LOG_JOURNAL_MAX};
    char line[LOG_TEXT_MAX], priority[8];

    log_entry_text(line, entry);
    snprintf(priority, sizeof priority, "%d", priorities[log_entry_level(entry)]);
    append(&buffer, "MESSAGE=");
    append(&buffer, line);
    append(&buffer, "\nPRIORITY=");
    append(&buffer, priority);
    append(&buffer, "\nSYSLOG_IDENTIFIER=thunderseal\n");
    put_in_journal(&buffer, "event", events[entry->event].name);
    put_in_journal(&buffer, "version", THUNDERSEAL_VERSION);
    each_field(entry, put_in_journal, &buffer);
    return buffer.used;
}
