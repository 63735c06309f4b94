/* SPDX-License-Identifier: MPL-2.0 */
/* DESIGN 3, rule 7: what is told is on disk, and what cannot be put there is not lost. */
#include "other_process.h"

static void disk_is_full(struct bench *bench)
{
    problem_set(&bench->save_problem, PROBLEM_STORAGE, "The disk is full.", "Make room.");
}

static void disk_has_room(struct bench *bench)
{
    memset(&bench->save_problem, 0, sizeof bench->save_problem);
}

/* A sign-in that was answered well and is being saved. */
static uint64_t sign_in_being_saved(struct bench *bench)
{
    struct token_answer answer;
    uint64_t id = start_sign_in(bench, ALL_SCOPES);

    bench->saves_later = true;
    good_code_answer(&answer, "outlook-2", "refresh-2");
    try_with(bench, &answer);
    return id;
}

static void rule_7_a_reply_without_refresh_token_keeps_the_old_one(void **state)
{
    struct bench bench;

    (void)state;
    signed_in_long_ago(&bench);
    want(&bench, OUTLOOK);
    renew_with(&bench, "outlook-2", NULL);
    assert_refresh_token(&bench, "refresh-1");
    want(&bench, GRAPH);
    renew_with(&bench, "graph-1", "refresh-2");
    assert_refresh_token(&bench, "refresh-2");
    bench_close(&bench);
}

static void rule_7_a_sign_in_succeeds_only_when_saved(void **state)
{
    struct bench bench;
    uint64_t id;

    (void)state;
    bench_open(&bench);
    id = sign_in_being_saved(&bench);
    assert_int_equal(count_seen(&bench, EFFECT_SAVE), 1);
    assert_null(find_seen(&bench, EFFECT_SIGN_IN_FINISHED, id));
    assert_state(&bench, "signing-in", PROBLEM_NONE);
    report_saved(&bench);
    finished_with(&bench, id, PROBLEM_NONE);
    assert_state(&bench, "ready", PROBLEM_NONE);
    assert_false(bench.lock_held);
    bench_close(&bench);
}

static void rule_7_a_sign_in_that_cannot_be_saved_brings_the_former_grant_back(void **state)
{
    struct bench bench, other;
    uint64_t id;

    (void)state;
    bench_open(&bench);
    sign_in(&bench, "outlook-1", "refresh-1");
    want(&bench, GRAPH);
    renew_with(&bench, "graph-1", NULL);
    open_other(&other, &bench);
    id = sign_in_being_saved(&bench);
    disk_is_full(&bench);
    report_saved(&bench);
    finished_with(&bench, id, PROBLEM_STORAGE);
    assert_refresh_token(&bench, "refresh-1");
    assert_token(&bench, want(&bench, OUTLOOK), "outlook-1", false);
    assert_token(&bench, want(&bench, GRAPH), "graph-1", false);
    assert_state(&bench, "ready", PROBLEM_NONE);
    assert_int_equal(wakes_in(&bench), -1); /* nothing is left to be saved */
    /* A renewal by another process is newer than what came back. */
    want_more(&other, OUTLOOK, "", 120, "outlook-1");
    renew_with(&other, "outlook-9", "refresh-9");
    forget_seen(&bench);
    take_over(&bench, &other);
    assert_int_equal(count_seen(&bench, EFFECT_SAVE), 0);
    assert_refresh_token(&bench, "refresh-9");
    bench_close(&bench);
    bench_close(&other);
}

static void rule_7_what_was_dead_stays_dead_when_a_sign_in_cannot_be_saved(void **state)
{
    struct bench bench;

    (void)state;
    signed_in_long_ago(&bench);
    want(&bench, OUTLOOK);
    fail_with(&bench, TOKEN_FAILURE_DEAD, PROBLEM_SIGN_IN_REQUIRED, 0);
    sign_in_being_saved(&bench);
    disk_is_full(&bench);
    report_saved(&bench);
    assert_refresh_token(&bench, "");
    assert_state(&bench, "attention", PROBLEM_SIGN_IN_REQUIRED);
    assert_problem(&bench, want(&bench, OUTLOOK), PROBLEM_SIGN_IN_REQUIRED);
    bench_close(&bench);
}

/* The file is read before it is written. */
static void rule_7_a_sign_out_found_while_saving_counts_when_a_sign_in_cannot_be_saved(void **state)
{
    struct bench bench, other;
    bool fails;

    (void)state;
    for (fails = false;; fails = true) {
        bench_open(&bench);
        sign_in(&bench, "outlook-1", "refresh-1");
        open_other(&other, &bench);
        happens(&other, EVENT_SIGN_OUT);
        sign_in_being_saved(&bench);
        take_over(&bench, &other);
        if (fails)
            disk_is_full(&bench);
        report_saved(&bench);
        assert_refresh_token(&bench, fails ? "" : "refresh-2");
        take_over(&other, &bench);
        assert_refresh_token(&other, fails ? "" : "refresh-2");
        bench_close(&bench);
        bench_close(&other);
        if (fails)
            break;
    }
}

static void rule_7_a_sign_in_is_saved_without_what_was_wrong_before(void **state)
{
    struct bench bench, started;

    (void)state;
    signed_in_long_ago(&bench);
    want(&bench, OUTLOOK);
    fail_with(&bench, TOKEN_FAILURE_DEAD, PROBLEM_SIGN_IN_REQUIRED, 0);
    strcpy(bench.identity.claims, "{\"access_token\":{}}");
    sign_in_being_saved(&bench);
    open_other(&started, &bench); /* what is written at this moment */
    assert_state(&started, "ready", PROBLEM_NONE);
    assert_string_equal(started.identity.claims, "");
    assert_token(&started, want(&started, OUTLOOK), "outlook-2", false);
    report_saved(&bench);
    bench_close(&bench);
    bench_close(&started);
}

static void rule_7_a_renewal_is_handed_out_once_saving_was_tried(void **state)
{
    struct bench bench;
    uint64_t before, meanwhile;

    (void)state;
    signed_in_long_ago(&bench);
    before = want(&bench, OUTLOOK);
    bench.saves_later = true;
    renew_with(&bench, "outlook-2", "refresh-2");
    meanwhile = want(&bench, OUTLOOK);
    assert_waiting(&bench, before);
    assert_waiting(&bench, meanwhile);
    report_saved(&bench);
    assert_token(&bench, before, "outlook-2", true);
    assert_token(&bench, meanwhile, "outlook-2", true);
    bench_close(&bench);
}

static void rule_7_a_renewal_that_cannot_be_saved_is_handed_out_and_saved_later(void **state)
{
    struct bench bench;
    uint64_t request;

    (void)state;
    signed_in_long_ago(&bench);
    disk_is_full(&bench);
    request = want(&bench, OUTLOOK);
    renew_with(&bench, "outlook-2", "refresh-2");
    assert_token(&bench, request, "outlook-2", true);
    assert_refresh_token(&bench, "refresh-2");
    assert_state(&bench, "waiting", PROBLEM_STORAGE);
    assert_int_equal(wakes_in(&bench), SAVE_RETRY_S);
    forget_seen(&bench);
    pass(&bench, SAVE_RETRY_S - 1);
    happens(&bench, EVENT_TIME);
    assert_int_equal(count_seen(&bench, EFFECT_SAVE), 0);
    pass(&bench, 1);
    happens(&bench, EVENT_TIME);
    assert_int_equal(count_seen(&bench, EFFECT_SAVE), 1);
    assert_int_equal(count_seen(&bench, EFFECT_ATTENTION), 0);
    disk_has_room(&bench);
    pass(&bench, SAVE_RETRY_S);
    happens(&bench, EVENT_TIME);
    assert_state(&bench, "ready", PROBLEM_NONE);
    assert_int_equal(wakes_in(&bench), -1);
    bench_close(&bench);
}

static void rule_7_an_unsaved_refresh_token_outlasts_a_change_by_another_process(void **state)
{
    struct bench bench, other;

    (void)state;
    signed_in_long_ago(&bench);
    open_other(&other, &bench);
    disk_is_full(&bench);
    want(&bench, OUTLOOK);
    renew_with(&bench, "outlook-2", "refresh-2");
    disk_has_room(&bench);
    forget_seen(&bench);
    take_over(&bench, &other); /* it added an address: its tokens are the old ones */
    assert_refresh_token(&bench, "refresh-2");
    assert_token(&bench, want(&bench, OUTLOOK), "outlook-2", false);
    assert_int_equal(count_seen(&bench, EFFECT_SAVE), 1);
    take_over(&other, &bench);
    assert_refresh_token(&other, "refresh-2");
    bench_close(&bench);
    bench_close(&other);
}

static void rule_7_a_sign_out_that_is_saved_at_last_leaves_no_older_generation(void **state)
{
    struct bench bench, other;

    (void)state;
    bench_open(&bench);
    sign_in(&bench, "outlook-1", "refresh-1");
    open_other(&other, &bench);
    disk_is_full(&bench);
    happens(&bench, EVENT_SIGN_OUT);
    assert_state(&bench, "waiting", PROBLEM_STORAGE);
    assert_problem(&bench, want(&bench, OUTLOOK), PROBLEM_SIGN_IN_REQUIRED);
    take_over(&bench, &other); /* it does not know of it yet */
    assert_refresh_token(&bench, "");
    disk_has_room(&bench);
    forget_seen(&bench);
    pass(&bench, SAVE_RETRY_S);
    happens(&bench, EVENT_TIME);
    assert_int_equal(count_seen(&bench, EFFECT_SAVE_AND_FORGET), 1);
    assert_state(&bench, "signed-out", PROBLEM_NONE);
    bench_close(&bench);
    bench_close(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_7_a_reply_without_refresh_token_keeps_the_old_one),
        cmocka_unit_test(rule_7_a_sign_in_succeeds_only_when_saved),
        cmocka_unit_test(rule_7_a_sign_in_that_cannot_be_saved_brings_the_former_grant_back),
        cmocka_unit_test(rule_7_what_was_dead_stays_dead_when_a_sign_in_cannot_be_saved),
        cmocka_unit_test(rule_7_a_sign_out_found_while_saving_counts_when_a_sign_in_cannot_be_saved),
        cmocka_unit_test(rule_7_a_sign_in_is_saved_without_what_was_wrong_before),
        cmocka_unit_test(rule_7_a_renewal_is_handed_out_once_saving_was_tried),
        cmocka_unit_test(rule_7_a_renewal_that_cannot_be_saved_is_handed_out_and_saved_later),
        cmocka_unit_test(rule_7_an_unsaved_refresh_token_outlasts_a_change_by_another_process),
        cmocka_unit_test(rule_7_a_sign_out_that_is_saved_at_last_leaves_no_older_generation),
    };

    return CORE_TESTS(tests);
}
