/* SPDX-License-Identifier: MPL-2.0 */
/* DESIGN 3, rule 10: what goes by which clock, and what a clock that jumps does. */
#include "other_process.h"

#define DAY 86400

/* Outlook has a token of this life, and nothing else was asked for. */
static void holds_token(struct bench *bench, int64_t expires_in, int64_t refresh_in)
{
    signed_in_long_ago(bench);
    want(bench, OUTLOOK);
    renew_for(bench, "outlook-2", expires_in, refresh_in);
    bench->identity.renew_ahead = true;
    forget_seen(bench);
}

static void rule_10_a_clock_that_is_set_prolongs_no_token_issued_here(void **state)
{
    struct bench bench;
    uint64_t request;

    (void)state;
    holds_token(&bench, LIFETIME, 0);
    set_clock(&bench, bench.now.wall - 3 * DAY);
    pass(&bench, LIFETIME - 121);
    assert_token(&bench, want(&bench, OUTLOOK), "outlook-2", false);
    pass(&bench, 121);
    request = want_more(&bench, OUTLOOK, "", 0, NULL);
    assert_waiting(&bench, request);
    renew_with(&bench, "outlook-3", NULL);
    assert_token(&bench, request, "outlook-3", true);
    set_clock(&bench, bench.now.wall + DAY); /* past what its receivers were told */
    happens(&bench, EVENT_TIME);
    assert_waiting(&bench, want(&bench, OUTLOOK));
    bench_close(&bench);
}

static void rule_10_a_token_that_was_read_grows_older_by_both_clocks(void **state)
{
    struct bench bench, other;

    (void)state;
    holds_token(&bench, LIFETIME, 0);
    pass(&bench, 1000);
    open_other(&other, &bench);
    set_clock(&other, other.now.wall - 900);
    pass(&other, LIFETIME - 1000 - 1);
    assert_token(&other, want_more(&other, OUTLOOK, "", 0, NULL), "outlook-2", false);
    pass(&other, 1);
    assert_waiting(&other, want_more(&other, OUTLOOK, "", 0, NULL));
    bench_close(&other);
    open_other(&other, &bench);
    set_clock(&other, other.now.wall + LIFETIME);
    assert_waiting(&other, want_more(&other, OUTLOOK, "", 0, NULL));
    bench_close(&other);
    set_clock(&bench, START); /* read at a time before it was issued: nobody knows how old it is */
    open_other(&other, &bench);
    assert_waiting(&other, want_more(&other, OUTLOOK, "", 0, NULL));
    bench_close(&bench);
    bench_close(&other);
}

static void rule_10_a_resume_re_evaluates_everything_at_once(void **state)
{
    struct bench bench;

    (void)state;
    holds_token(&bench, LIFETIME, 0);
    want(&bench, GRAPH);
    fail_with(&bench, TOKEN_FAILURE_TRANSIENT, PROBLEM_THROTTLED, 3600);
    assert_int_equal(bench.on_the_wire, 0);
    pass(&bench, 8 * 3600); /* suspended */
    assert_true(identity_next_wake(&bench.identity, bench.now) <= bench.now.uptime);
    happens(&bench, EVENT_TIME);
    assert_string_equal(resource_on_the_wire(&bench), OUTLOOK);
    renew_with(&bench, "outlook-3", NULL);
    assert_string_equal(resource_on_the_wire(&bench), GRAPH);
    renew_with(&bench, "graph-1", NULL);
    assert_state(&bench, "ready", PROBLEM_NONE);
    bench_close(&bench);
}

static void rule_10_a_clock_that_is_set_moves_no_wait(void **state)
{
    struct bench bench;
    int64_t wait;

    (void)state;
    signed_in_long_ago(&bench);
    bench.identity.renew_ahead = true;
    want(&bench, OUTLOOK);
    fail_with(&bench, TOKEN_FAILURE_TRANSIENT, PROBLEM_THROTTLED, 600);
    wait = wakes_in(&bench);
    assert_in_range(wait, 600 + BACK_OFF_FIRST_S, 600 + 2 * BACK_OFF_FIRST_S - 1);
    set_clock(&bench, bench.now.wall + DAY);
    happens(&bench, EVENT_TIME);
    assert_int_equal(wakes_in(&bench), wait);
    set_clock(&bench, bench.now.wall - 3 * DAY);
    happens(&bench, EVENT_TIME);
    assert_int_equal(wakes_in(&bench), wait);
    assert_int_equal(identity_next_renewal(&bench.identity, bench.now), bench.now.wall + wait);
    assert_problem(&bench, want(&bench, OUTLOOK), PROBLEM_THROTTLED);
    bench_close(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_10_a_clock_that_is_set_prolongs_no_token_issued_here),
        cmocka_unit_test(rule_10_a_token_that_was_read_grows_older_by_both_clocks),
        cmocka_unit_test(rule_10_a_resume_re_evaluates_everything_at_once),
        cmocka_unit_test(rule_10_a_clock_that_is_set_moves_no_wait),
    };

    return CORE_TESTS(tests);
}
