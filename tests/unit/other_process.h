/* SPDX-License-Identifier: MPL-2.0 */
/* What another process of the same user does to the identity's file, as the shell reports it. */
#ifndef THUNDERSEAL_TEST_OTHER_PROCESS_H
#define THUNDERSEAL_TEST_OTHER_PROCESS_H

#include "core/identity_record.h"
#include "identity_events.h"

/* The file holds this payload. */
static inline void file_says(struct bench *bench, const struct secret *payload)
{
    struct identity *stored = calloc(1, sizeof *stored);
    const struct event event = {.kind = EVENT_REPLACED, .replaced = stored};

    assert_non_null(stored);
    assert_int_equal(identity_payload_read(payload, stored), 0);
    step(bench, &event);
    identity_clear(stored);
    free(stored);
}

/* What one process has saved is read by the other. */
static inline void take_over(struct bench *bench, const struct bench *other)
{
    struct secret payload = {0};

    assert_int_equal(identity_payload_write(&other->identity, &payload), 0);
    file_says(bench, &payload);
    secret_wipe(&payload);
}

/* Another process that has started at the same time and read the same file. */
static inline void open_other(struct bench *other, const struct bench *bench)
{
    bench_open(other);
    other->now = bench->now;
    other->last_id = 1000000;
    take_over(other, bench);
    forget_seen(other);
}

#endif
