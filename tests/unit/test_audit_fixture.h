/* SPDX-License-Identifier: MPL-2.0 */
/* What the audit log's tests share: a vault with a log, and the log's lines as bytes to be tampered with. */
#ifndef THUNDERSEAL_TEST_AUDIT_FIXTURE_H
#define THUNDERSEAL_TEST_AUDIT_FIXTURE_H

#include "test_vault_fixture.h"
#include "vault/audit.h"

#define LOG "audit.jsonl"

static const struct audit_options usual = {.enabled = true, .retention_days = 365, .policy = "{}"};

static struct vault *log_vault;
static unsigned char log_bytes[FILE_ROOM];
static size_t log_length;
static char taken_out[2048];
static size_t taken_out_at, taken_out_length;

static inline struct audit *open_log(const struct audit_options *options)
{
    struct audit *audit;

    log_vault = open_vault();
    audit = audit_open(log_vault, options);
    assert_non_null(audit);
    return audit;
}

static inline void close_log(struct audit *audit)
{
    audit_close(audit);
    vault_close(log_vault);
}

static inline void note(struct audit *audit, const char *event, int64_t now)
{
    const struct audit_entry entry = {.event = event, .time = now, .account = "anna@example.org"};

    audit_note(audit, &entry);
}

/* Opens the log there is and adds so many events. */
static inline struct audit *log_again(int events)
{
    static const char *const names[] = {"event-a", "event-b", "event-c", "event-d", "event-e"};
    struct audit *audit = open_log(&usual);
    int i;

    for (i = 0; i < events; i++)
        note(audit, names[i], 1000);
    return audit;
}

/* A new vault with a log: log-started, policy-changed, and so many events. */
static inline struct audit *log_of(int events)
{
    struct audit *audit;

    make_vault("x");
    audit = log_again(events);
    if (events == 0) {
        struct problem problem;
        assert_int_equal(audit_flush(audit, &problem), 0);
    }
    return audit;
}

static inline int lines_of_log(void)
{
    size_t i;
    int lines = 0;

    log_length = read_bytes(LOG, log_bytes);
    for (i = 0; i < log_length; i++)
        lines += log_bytes[i] == '\n';
    return lines;
}

static inline void write_log(void)
{
    write_bytes(LOG, log_bytes, log_length);
}

/* Start and length of a line, counted from 1, with its newline. */
static inline unsigned char *line_at(int line, size_t *length)
{
    unsigned char *start = log_bytes;

    for (; line > 1; line--)
        start = (unsigned char *)memchr(start, '\n', log_length - (size_t)(start - log_bytes)) + 1;
    *length =
        (size_t)((unsigned char *)memchr(start, '\n', log_length - (size_t)(start - log_bytes)) - start) + 1;
    return start;
}

static inline void insert_bytes(size_t at, const void *bytes, size_t length)
{
    memmove(log_bytes + at + length, log_bytes + at, log_length - at);
    memcpy(log_bytes + at, bytes, length);
    log_length += length;
    write_log();
}

static inline void remove_line(int line)
{
    unsigned char *start = line_at(line, &taken_out_length);

    taken_out_at = (size_t)(start - log_bytes);
    memcpy(taken_out, start, taken_out_length);
    memmove(start, start + taken_out_length, log_length - taken_out_at - taken_out_length);
    log_length -= taken_out_length;
    write_log();
}

static inline void insert_back(void)
{
    insert_bytes(taken_out_at, taken_out, taken_out_length);
}

static inline void append_to_log(const void *bytes, size_t length)
{
    (void)lines_of_log();
    insert_bytes(log_length, bytes, length);
}

static inline void repeat_line(int line)
{
    char copy[2048];
    size_t length;
    const unsigned char *start = line_at(line, &length);

    memcpy(copy, start, length);
    append_to_log(copy, length);
}

/* A line and the one after it. */
static inline void exchange_lines(int line, int next)
{
    size_t length;

    assert_int_equal(next, line + 1);
    remove_line(line);
    (void)line_at(line, &length);
    insert_bytes(taken_out_at + length, taken_out, taken_out_length);
}

static inline int count_events(const char *event)
{
    char member[64];
    const unsigned char *at = log_bytes, *end;
    int count = 0;

    (void)lines_of_log();
    end = log_bytes + log_length;
    snprintf(member, sizeof member, "\"event\":\"%s\"", event);
    while ((at = memmem(at, (size_t)(end - at), member, strlen(member))) != NULL) {
        count++;
        at++;
    }
    return count;
}

static inline void assert_event(int line, const char *event)
{
    char member[64];
    size_t length;
    const unsigned char *start;

    (void)lines_of_log();
    start = line_at(line, &length);
    snprintf(member, sizeof member, "\"event\":\"%s\"", event);
    assert_non_null(memmem(start, length, member, strlen(member)));
}

static inline void assert_intact(struct audit *audit, int entries)
{
    struct audit_verdict verdict;
    struct problem problem;

    assert_int_equal(audit_check(audit, NULL, NULL, &verdict, &problem), 0);
    if (!verdict.intact)
        fail_msg("%s in line %d", audit_damage_name(verdict.first.damage), (int)verdict.first.line);
    assert_int_equal(verdict.entries, entries);
    assert_int_equal(verdict.half_line, 0);
}

static inline void assert_finding(struct audit *audit, enum audit_damage damage, int line)
{
    struct audit_verdict verdict;
    struct problem problem;

    assert_int_equal(audit_check(audit, NULL, NULL, &verdict, &problem), 0);
    assert_false(verdict.intact);
    assert_string_equal(audit_damage_name(verdict.first.damage), audit_damage_name(damage));
    assert_int_equal(verdict.first.line, line);
}

#endif
