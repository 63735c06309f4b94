/* SPDX-License-Identifier: MPL-2.0 */
/* DESIGN 3, rules 2 and 3: one request at a time over all processes, which nobody aborts and no late answer
 * abuses. */
#include "other_process.h"

static void rule_2_the_lock_comes_before_the_request_and_goes_after_it(void **state)
{
    static const enum effect_kind order[] = {EFFECT_LOCK, EFFECT_SEND_TOKEN, EFFECT_SAVE, EFFECT_REPLY_TOKEN,
                                             EFFECT_UNLOCK};
    struct bench bench;
    size_t i, next = 0;

    (void)state;
    signed_in_long_ago(&bench);
    bench.lock_busy = true;
    want(&bench, OUTLOOK);
    assert_int_equal(bench.on_the_wire, 0);
    assert_state(&bench, "ready", PROBLEM_NONE);
    grant_lock(&bench);
    renew_with(&bench, "outlook-2", "refresh-2");
    for (i = 0; i < bench.seen_count; i++)
        if (next < 5 && bench.seen[i].effect.kind == order[next])
            next++;
    assert_int_equal(next, 5);
    assert_false(bench.lock_held);
    bench_close(&bench);
}

static void rule_2_everybody_who_asks_shares_one_request(void **state)
{
    struct bench bench;
    uint64_t first, waiting, flying;

    (void)state;
    signed_in_long_ago(&bench);
    bench.lock_busy = true;
    first = want(&bench, OUTLOOK);
    waiting = want(&bench, OUTLOOK);
    grant_lock(&bench);
    flying = want(&bench, OUTLOOK);
    renew_with(&bench, "outlook-2", NULL);
    assert_token(&bench, first, "outlook-2", true);
    assert_token(&bench, waiting, "outlook-2", true);
    assert_token(&bench, flying, "outlook-2", true);
    assert_int_equal(count_seen(&bench, EFFECT_LOCK), 1);
    assert_int_equal(count_seen(&bench, EFFECT_SEND_TOKEN), 1);
    assert_int_equal(count_seen(&bench, EFFECT_UNLOCK), 1);
    bench_close(&bench);
}

static void rule_2_the_lock_is_given_up_when_nobody_wants_it_any_more(void **state)
{
    struct problem late;
    const struct event end = {.kind = EVENT_SIGN_IN_END, .sign_in_end = &late};
    struct bench bench;
    uint64_t request;

    (void)state;
    signed_in_long_ago(&bench);
    bench.lock_busy = true;
    request = want(&bench, OUTLOOK);
    end_request(&bench, request, true);
    assert_false(bench.lock_wanted);
    request = want(&bench, OUTLOOK);
    end_request(&bench, request, false);
    assert_false(bench.lock_wanted);
    problem_set(&late, PROBLEM_CANCELLED, "Five minutes passed.", "Start again.");
    start_sign_in(&bench, ALL_SCOPES);
    redirect_code(&bench, "code");
    assert_true(bench.lock_wanted);
    step(&bench, &end);
    assert_false(bench.lock_wanted);
    want(&bench, OUTLOOK);
    happens(&bench, EVENT_SIGN_OUT);
    assert_false(bench.lock_wanted);
    assert_int_equal(count_seen(&bench, EFFECT_SEND_TOKEN), 0);
    bench_close(&bench);
}

static void rule_2_what_another_process_renewed_serves_those_who_wait_for_the_lock(void **state)
{
    struct bench bench, other;
    uint64_t mail[2], graph;

    (void)state;
    signed_in_long_ago(&bench);
    open_other(&other, &bench);
    want(&other, OUTLOOK);
    bench.lock_busy = true; /* the other holds it */
    mail[0] = want(&bench, OUTLOOK);
    mail[1] = want(&bench, OUTLOOK);
    renew_with(&other, "outlook-2", "refresh-2");
    take_over(&bench, &other);
    assert_token(&bench, mail[0], "outlook-2", true);
    assert_token(&bench, mail[1], "outlook-2", true);
    assert_false(bench.lock_wanted);
    assert_int_equal(count_seen(&bench, EFFECT_SEND_TOKEN), 0);
    assert_refresh_token(&bench, "refresh-2");
    /* A token of another resource does not serve: the wait goes on. */
    graph = want(&bench, GRAPH);
    want_more(&other, OUTLOOK, "", 120, "outlook-2");
    renew_with(&other, "outlook-3", "refresh-3");
    take_over(&bench, &other);
    assert_waiting(&bench, graph);
    grant_lock(&bench);
    assert_string_equal(resource_on_the_wire(&bench), GRAPH);
    renew_with(&bench, "graph-1", NULL);
    assert_token(&bench, graph, "graph-1", true);
    bench_close(&bench);
    bench_close(&other);
}

static void rule_2_a_failure_of_another_process_answers_those_who_wait_for_the_lock(void **state)
{
    struct bench bench, other;
    uint64_t request;

    (void)state;
    signed_in_long_ago(&bench);
    open_other(&other, &bench);
    bench.lock_busy = true;
    request = want(&bench, OUTLOOK);
    want(&other, OUTLOOK);
    fail_with(&other, TOKEN_FAILURE_SUSPENDED, PROBLEM_CONSENT_REQUIRED, 0);
    take_over(&bench, &other);
    assert_problem(&bench, request, PROBLEM_CONSENT_REQUIRED);
    assert_state(&bench, "attention", PROBLEM_CONSENT_REQUIRED);
    assert_false(bench.lock_wanted);
    bench_close(&bench);
    bench_close(&other);
}

static void rule_2_a_sign_out_by_another_process_stops_handing_out_at_once(void **state)
{
    struct bench bench, other;
    uint64_t request;

    (void)state;
    bench_open(&bench);
    sign_in(&bench, "outlook-1", "refresh-1");
    open_other(&other, &bench);
    bench.lock_busy = true;
    request = want(&bench, GRAPH);
    happens(&other, EVENT_SIGN_OUT);
    take_over(&bench, &other);
    assert_problem(&bench, request, PROBLEM_SIGN_IN_REQUIRED);
    assert_problem(&bench, want(&bench, OUTLOOK), PROBLEM_SIGN_IN_REQUIRED);
    assert_state(&bench, "signed-out", PROBLEM_NONE);
    assert_non_null(find_seen(&bench, EFFECT_CHANGED, NOT_KNOWN));
    bench_close(&bench);
    bench_close(&other);
}

static void rule_2_a_sign_in_by_another_process_is_taken_over_and_announced(void **state)
{
    struct bench bench, other;
    uint64_t request;

    (void)state;
    signed_in_long_ago(&bench);
    open_other(&other, &bench);
    request = want(&bench, OUTLOOK);
    fail_with(&bench, TOKEN_FAILURE_DEAD, PROBLEM_SIGN_IN_REQUIRED, 0);
    assert_problem(&bench, request, PROBLEM_SIGN_IN_REQUIRED);
    take_over(&other, &bench);
    assert_state(&other, "attention", PROBLEM_SIGN_IN_REQUIRED);
    forget_seen(&bench);
    sign_in(&other, "outlook-2", "refresh-2");
    take_over(&bench, &other);
    assert_state(&bench, "ready", PROBLEM_NONE);
    assert_non_null(find_seen(&bench, EFFECT_CHANGED, NOT_KNOWN));
    assert_token(&bench, want(&bench, OUTLOOK), "outlook-2", false);
    bench_close(&bench);
    bench_close(&other);
}

static void rule_3_cancel_and_deadline_only_detach(void **state)
{
    struct bench bench;
    uint64_t cancelled, late;

    (void)state;
    signed_in_long_ago(&bench);
    cancelled = want(&bench, OUTLOOK);
    late = want(&bench, OUTLOOK);
    end_request(&bench, cancelled, true);
    end_request(&bench, late, false);
    assert_problem(&bench, cancelled, PROBLEM_CANCELLED);
    assert_problem(&bench, late, PROBLEM_NETWORK);
    assert_true(bench.lock_held); /* whoever comes next waits for the answer */
    assert_state(&bench, "renewing", PROBLEM_NONE);
    renew_with(&bench, "outlook-2", "refresh-2");
    assert_refresh_token(&bench, "refresh-2");
    assert_int_equal(count_seen(&bench, EFFECT_SAVE), 1);
    assert_token(&bench, want(&bench, OUTLOOK), "outlook-2", false);
    bench_close(&bench);
}

/* A renewal is on the wire while something else happens; its answer must not count. */
static void answer_late(struct bench *bench, enum token_failure failure)
{
    if (failure == TOKEN_FAILURE_NONE)
        renew_with(bench, "outlook-late", "refresh-late");
    else
        fail_with(bench, failure, PROBLEM_SIGN_IN_REQUIRED, 0);
}

static void rule_3_a_late_answer_never_overwrites_a_newer_sign_in(void **state)
{
    enum token_failure failure;
    struct bench bench, other;

    (void)state;
    for (failure = TOKEN_FAILURE_NONE; failure <= TOKEN_FAILURE_DEAD; failure++) {
        signed_in_long_ago(&bench);
        open_other(&other, &bench);
        want(&bench, OUTLOOK);
        sign_in(&other, "outlook-2", "refresh-2");
        take_over(&bench, &other);
        forget_seen(&bench);
        answer_late(&bench, failure);
        assert_refresh_token(&bench, "refresh-2");
        assert_int_equal(count_seen(&bench, EFFECT_SAVE), 0);
        assert_state(&bench, "ready", PROBLEM_NONE);
        assert_token(&bench, want(&bench, OUTLOOK), "outlook-2", false);
        bench_close(&bench);
        bench_close(&other);
    }
}

static void rule_3_a_late_answer_never_resurrects_what_was_signed_out_or_removed(void **state)
{
    static const enum event_kind ways[] = {EVENT_SIGN_OUT, EVENT_REMOVED};
    enum token_failure failure;
    struct bench bench;
    size_t way;

    (void)state;
    for (way = 0; way < 2; way++)
        for (failure = TOKEN_FAILURE_NONE; failure <= TOKEN_FAILURE_DEAD; failure++) {
            signed_in_long_ago(&bench);
            want(&bench, OUTLOOK);
            happens(&bench, ways[way]);
            forget_seen(&bench);
            answer_late(&bench, failure);
            assert_refresh_token(&bench, "");
            assert_int_equal(count_seen(&bench, EFFECT_SAVE), 0);
            assert_state(&bench, "signed-out", PROBLEM_NONE);
            assert_problem(&bench, want(&bench, OUTLOOK), PROBLEM_SIGN_IN_REQUIRED);
            bench_close(&bench);
        }
}

/* Removed and signed in again, serial numbers begin anew: the number alone does not tell. */
static void rule_3_a_late_answer_to_a_removed_grant_does_not_count_for_the_next(void **state)
{
    enum token_failure failure;
    struct bench bench, other;

    (void)state;
    for (failure = TOKEN_FAILURE_NONE; failure <= TOKEN_FAILURE_DEAD; failure++) {
        signed_in_long_ago(&bench);
        open_other(&other, &bench);
        want(&bench, OUTLOOK);
        happens(&bench, EVENT_REMOVED);
        happens(&other, EVENT_REMOVED);
        sign_in(&other, "outlook-2", "refresh-2");
        take_over(&bench, &other);
        assert_int_equal(bench.identity.grant.serial, 1);
        answer_late(&bench, failure);
        assert_refresh_token(&bench, "refresh-2");
        assert_token(&bench, want(&bench, OUTLOOK), "outlook-2", false);
        bench_close(&bench);
        bench_close(&other);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_2_the_lock_comes_before_the_request_and_goes_after_it),
        cmocka_unit_test(rule_2_everybody_who_asks_shares_one_request),
        cmocka_unit_test(rule_2_the_lock_is_given_up_when_nobody_wants_it_any_more),
        cmocka_unit_test(rule_2_what_another_process_renewed_serves_those_who_wait_for_the_lock),
        cmocka_unit_test(rule_2_a_failure_of_another_process_answers_those_who_wait_for_the_lock),
        cmocka_unit_test(rule_2_a_sign_out_by_another_process_stops_handing_out_at_once),
        cmocka_unit_test(rule_2_a_sign_in_by_another_process_is_taken_over_and_announced),
        cmocka_unit_test(rule_3_cancel_and_deadline_only_detach),
        cmocka_unit_test(rule_3_a_late_answer_never_overwrites_a_newer_sign_in),
        cmocka_unit_test(rule_3_a_late_answer_never_resurrects_what_was_signed_out_or_removed),
        cmocka_unit_test(rule_3_a_late_answer_to_a_removed_grant_does_not_count_for_the_next),
    };

    return CORE_TESTS(tests);
}
