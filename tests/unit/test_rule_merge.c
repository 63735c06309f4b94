/* SPDX-License-Identifier: MPL-2.0 */
/* DESIGN 3, rules 2 and 3: of two copies of an identity the newer is right, whoever wrote it. */
#include "other_process.h"

/* Two processes that know the same; its tokens are an hour and a second old. */
static void two_processes(struct bench *bench, struct bench *other)
{
    signed_in_long_ago(bench);
    open_other(other, bench);
}

static void close_both(struct bench *bench, struct bench *other)
{
    bench_close(bench);
    bench_close(other);
}

static void rule_2_the_newer_renewal_wins(void **state)
{
    struct bench bench, other;

    (void)state;
    two_processes(&bench, &other);
    want(&bench, OUTLOOK);
    renew_with(&bench, "outlook-2", "refresh-2");
    take_over(&other, &bench);
    want(&other, GRAPH);
    renew_with(&other, "graph-1", "refresh-3");
    take_over(&bench, &other);
    assert_refresh_token(&bench, "refresh-3");
    assert_token(&bench, want(&bench, OUTLOOK), "outlook-2", false);
    assert_token(&bench, want(&bench, GRAPH), "graph-1", false);
    assert_int_equal(bench.identity.grant.renewals, other.identity.grant.renewals);
    close_both(&bench, &other);
}

static void rule_2_an_older_copy_of_the_grant_is_overwritten(void **state)
{
    struct bench bench, other;

    (void)state;
    two_processes(&bench, &other);
    want(&bench, OUTLOOK);
    renew_with(&bench, "outlook-2", "refresh-2");
    forget_seen(&bench);
    take_over(&bench, &other);
    assert_refresh_token(&bench, "refresh-2");
    assert_int_equal(count_seen(&bench, EFFECT_SAVE), 1);
    take_over(&other, &bench);
    assert_refresh_token(&other, "refresh-2");
    close_both(&bench, &other);
}

static void rule_2_a_copy_from_before_the_sign_in_is_overwritten(void **state)
{
    struct bench bench, other;

    (void)state;
    two_processes(&bench, &other);
    want(&other, OUTLOOK);
    renew_with(&other, "outlook-9", "refresh-9");
    sign_in(&bench, "outlook-2", "refresh-2");
    take_over(&bench, &other);
    assert_refresh_token(&bench, "refresh-2");
    assert_int_equal(count_seen(&bench, EFFECT_SAVE), 1);
    happens(&bench, EVENT_SIGN_OUT);
    forget_seen(&bench);
    take_over(&bench, &other);
    assert_refresh_token(&bench, "");
    assert_int_equal(count_seen(&bench, EFFECT_SAVE_AND_FORGET), 1);
    close_both(&bench, &other);
}

static void rule_2_the_same_copy_again_changes_nothing(void **state)
{
    struct bench bench, other;
    uint64_t request;

    (void)state;
    two_processes(&bench, &other);
    want(&bench, OUTLOOK);
    fail_with(&bench, TOKEN_FAILURE_SUSPENDED, PROBLEM_CONSENT_REQUIRED, 0);
    want(&bench, GRAPH);
    renew_with(&bench, "graph-1", "refresh-2");
    request = want_more(&bench, GRAPH, "", 120, "graph-1");
    forget_seen(&bench);
    take_over(&bench, &bench);
    assert_waiting(&bench, request);
    assert_int_equal(count_seen(&bench, EFFECT_SAVE), 0);
    assert_refresh_token(&bench, "refresh-2");
    assert_true(bench.identity.access[0].suspended);
    renew_with(&bench, "graph-2", NULL);
    assert_token(&bench, request, "graph-2", true);
    close_both(&bench, &other);
}

static void rule_2_a_dead_refresh_token_is_newer_than_the_one_it_was(void **state)
{
    struct bench bench, other;

    (void)state;
    two_processes(&bench, &other);
    want(&other, OUTLOOK);
    fail_with(&other, TOKEN_FAILURE_DEAD, PROBLEM_SIGN_IN_REQUIRED, 0);
    take_over(&bench, &other);
    assert_refresh_token(&bench, "");
    assert_problem(&bench, want(&bench, GRAPH), PROBLEM_SIGN_IN_REQUIRED);
    take_over(&other, &bench);
    assert_refresh_token(&other, "");
    close_both(&bench, &other);
}

static void rule_2_a_token_ends_the_suspension_that_came_before_it(void **state)
{
    struct bench bench, other;

    (void)state;
    two_processes(&bench, &other);
    want(&bench, OUTLOOK);
    fail_with(&bench, TOKEN_FAILURE_SUSPENDED, PROBLEM_CONSENT_REQUIRED, 0);
    take_over(&other, &bench);
    assert_true(other.identity.access[0].suspended);
    pass(&other, SUSPENDED_RETRY_S);
    want(&other, OUTLOOK);
    renew_with(&other, "outlook-2", NULL);
    take_over(&other, &bench); /* the old suspension once more */
    assert_false(other.identity.access[0].suspended);
    pass(&bench, SUSPENDED_RETRY_S);
    take_over(&bench, &other);
    assert_token(&bench, want(&bench, OUTLOOK), "outlook-2", false);
    assert_state(&bench, "ready", PROBLEM_NONE);
    close_both(&bench, &other);
}

static void rule_2_a_removed_identity_takes_what_is_written_next(void **state)
{
    struct bench bench, other;

    (void)state;
    two_processes(&bench, &other);
    happens(&bench, EVENT_REMOVED);
    happens(&other, EVENT_REMOVED);
    sign_in(&other, "outlook-2", "refresh-2");
    take_over(&bench, &other);
    assert_refresh_token(&bench, "refresh-2");
    assert_token(&bench, want(&bench, OUTLOOK), "outlook-2", false);
    close_both(&bench, &other);
}

static void rule_3_a_sign_in_after_another_processes_sign_out_is_the_later(void **state)
{
    struct token_answer answer;
    struct bench bench, other;
    uint64_t serial;

    (void)state;
    two_processes(&bench, &other);
    happens(&other, EVENT_SIGN_OUT);
    sign_in(&other, "outlook-3", "refresh-3");
    serial = other.identity.grant.serial;
    start_sign_in(&bench, ALL_SCOPES);
    redirect_code(&bench, "code");
    bench.saves_later = true;
    good_code_answer(&answer, "outlook-2", "refresh-2");
    give(&bench, &answer);
    take_over(&bench, &other); /* found in the file just before writing */
    report_saved(&bench);
    assert_refresh_token(&bench, "refresh-2");
    assert_true(bench.identity.grant.serial > serial);
    take_over(&other, &bench);
    assert_refresh_token(&other, "refresh-2");
    close_both(&bench, &other);
}

static void rule_3_the_first_reading_takes_all(void **state)
{
    struct bench bench, started;

    (void)state;
    signed_in_long_ago(&bench);
    want(&bench, GRAPH);
    renew_with(&bench, "graph-1", "refresh-2");
    open_other(&started, &bench);
    assert_int_equal(started.identity.serial, bench.identity.serial);
    assert_int_equal(started.identity.grant.serial, bench.identity.grant.serial);
    assert_refresh_token(&started, "refresh-2");
    assert_string_equal(started.identity.grant.oid, "oid-lena");
    assert_token(&started, want(&started, GRAPH), "graph-1", false);
    bench_close(&bench);
    bench_close(&started);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_2_the_newer_renewal_wins),
        cmocka_unit_test(rule_2_an_older_copy_of_the_grant_is_overwritten),
        cmocka_unit_test(rule_2_a_copy_from_before_the_sign_in_is_overwritten),
        cmocka_unit_test(rule_2_the_same_copy_again_changes_nothing),
        cmocka_unit_test(rule_2_a_dead_refresh_token_is_newer_than_the_one_it_was),
        cmocka_unit_test(rule_2_a_token_ends_the_suspension_that_came_before_it),
        cmocka_unit_test(rule_2_a_removed_identity_takes_what_is_written_next),
        cmocka_unit_test(rule_3_a_sign_in_after_another_processes_sign_out_is_the_later),
        cmocka_unit_test(rule_3_the_first_reading_takes_all),
    };

    return CORE_TESTS(tests);
}
