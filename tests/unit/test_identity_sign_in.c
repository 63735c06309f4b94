/* SPDX-License-Identifier: MPL-2.0 */
/* A sign-in counts when the right person gave what is needed and it is on disk; anything else changes
 * nothing. */
#include "identity_events.h"

static void a_sign_in_is_saved_before_it_succeeds(void **state)
{
    struct bench bench;
    struct token_answer answer;
    uint64_t id;

    (void)state;
    bench_open(&bench);
    id = start_sign_in(&bench, ALL_SCOPES);
    assert_state(&bench, "signing-in", PROBLEM_NONE);
    assert_int_equal(bench.on_the_wire, 0);
    redirect_code(&bench, "code-1");
    assert_int_equal(bench.identity.flight.purpose, PURPOSE_SIGN_IN);
    assert_string_equal(secret_expose(&bench.identity.sign_in.code), "code-1");
    forget_seen(&bench);
    good_code_answer(&answer, "outlook-1", "refresh-1");
    give(&bench, &answer);
    assert_int_equal(bench.seen[0].effect.kind, EFFECT_SAVE);
    finished_with(&bench, id, PROBLEM_NONE);
    assert_state(&bench, "ready", PROBLEM_NONE);
    assert_refresh_token(&bench, "refresh-1");
    assert_string_equal(bench.identity.grant.home_account_id, "uid-lena.utid-example");
    assert_string_equal(bench.identity.grant.scopes, IMAP_SCOPE " " SMTP_SCOPE " " USER_SCOPE);
    assert_null(bench.identity.sign_in.verifier.bytes);
    assert_null(bench.identity.before);
    assert_token(&bench, want(&bench, OUTLOOK), "outlook-1", false);
    bench_close(&bench);
}

static void a_sign_in_that_cannot_be_saved_leaves_all_as_it_was(void **state)
{
    struct bench bench;
    struct token_answer answer;
    uint64_t id;

    (void)state;
    bench_open(&bench);
    sign_in(&bench, "outlook-1", "refresh-1");
    want(&bench, GRAPH);
    renew_with(&bench, "graph-1", NULL);
    problem_set(&bench.save_problem, PROBLEM_STORAGE, "The disk is full.", "Make room.");
    id = start_sign_in(&bench, ALL_SCOPES);
    good_code_answer(&answer, "outlook-2", "refresh-2");
    try_with(&bench, &answer);
    finished_with(&bench, id, PROBLEM_STORAGE);
    assert_refresh_token(&bench, "refresh-1");
    assert_token(&bench, want(&bench, OUTLOOK), "outlook-1", false);
    assert_token(&bench, want(&bench, GRAPH), "graph-1", false);
    assert_state(&bench, "ready", PROBLEM_NONE);
    bench_close(&bench);

    bench_open(&bench);
    problem_set(&bench.save_problem, PROBLEM_STORAGE, "The disk is full.", "Make room.");
    start_sign_in(&bench, ALL_SCOPES);
    good_code_answer(&answer, "outlook-1", "refresh-1");
    try_with(&bench, &answer);
    assert_refresh_token(&bench, "");
    assert_state(&bench, "signed-out", PROBLEM_STORAGE);
    assert_problem(&bench, want(&bench, OUTLOOK), PROBLEM_SIGN_IN_REQUIRED);
    bench_close(&bench);
}

/* Nothing tries again by itself: that would be "waiting". */
static void a_first_sign_in_that_meets_passing_trouble_leaves_the_account_signed_out(void **state)
{
    struct bench bench;
    uint64_t id;
    int i;

    (void)state;
    bench_open(&bench);
    id = start_sign_in(&bench, ALL_SCOPES);
    for (i = 0; i < SIGN_IN_TRIES; i++) {
        redirect_code(&bench, "code");
        fail_with(&bench, TOKEN_FAILURE_TRANSIENT, PROBLEM_IDENTITY_PROVIDER, 0);
    }
    finished_with(&bench, id, PROBLEM_IDENTITY_PROVIDER);
    assert_state(&bench, "signed-out", PROBLEM_IDENTITY_PROVIDER);
    assert_int_equal(wakes_in(&bench), -1);
    bench_close(&bench);
}

static void a_new_sign_in_serves_those_who_wait(void **state)
{
    struct bench bench;
    struct token_answer answer;
    uint64_t mail, graph, id;

    (void)state;
    signed_in_long_ago(&bench);
    id = start_sign_in(&bench, ALL_SCOPES);
    redirect_code(&bench, "code");
    graph = want(&bench, GRAPH);
    mail = want(&bench, OUTLOOK);
    good_code_answer(&answer, "outlook-2", "refresh-2");
    give(&bench, &answer);
    finished_with(&bench, id, PROBLEM_NONE);
    assert_string_equal(bench.identity.access[bench.identity.flight.resource].resource, GRAPH);
    renew_with(&bench, "graph-1", NULL);
    assert_token(&bench, graph, "graph-1", true);
    assert_token(&bench, mail, "outlook-2", true);
    assert_int_equal(count_seen(&bench, EFFECT_SEND_TOKEN), 2);
    bench_close(&bench);
}

static void a_sign_in_without_refresh_token_ends_at_once(void **state)
{
    struct bench bench;
    struct token_answer answer;
    uint64_t id;

    (void)state;
    signed_in_long_ago(&bench);
    id = start_sign_in(&bench, ALL_SCOPES);
    good_code_answer(&answer, "outlook-2", "refresh-2");
    secret_wipe(&answer.refresh_token);
    try_with(&bench, &answer);
    assert_string_equal(finished_with(&bench, id, PROBLEM_CONSENT_REQUIRED)->missing_scopes,
                        "offline_access");
    assert_refresh_token(&bench, "refresh-1");
    bench_close(&bench);
}

static void a_user_who_refuses_ends_it_at_once_and_an_error_is_a_try(void **state)
{
    struct bench bench;
    uint64_t id;
    int i;

    (void)state;
    bench_open(&bench);
    id = start_sign_in(&bench, ALL_SCOPES);
    redirect_error(&bench, "access_denied", true);
    assert_int_equal(finished_with(&bench, id, PROBLEM_CANCELLED)->aadsts, 65004);
    assert_state(&bench, "signed-out", PROBLEM_NONE);
    id = start_sign_in(&bench, ALL_SCOPES);
    for (i = 1; i < SIGN_IN_TRIES; i++)
        redirect_error(&bench, "invalid_scope", false);
    retried_with(&bench, id, PROBLEM_MISCONFIGURED);
    redirect_error(&bench, "invalid_scope", false);
    finished_with(&bench, id, PROBLEM_MISCONFIGURED);
    assert_state(&bench, "attention", PROBLEM_MISCONFIGURED);
    start_sign_in(&bench, ALL_SCOPES);
    assert_state(&bench, "signing-in", PROBLEM_NONE);
    bench_close(&bench);
}

static void a_second_code_while_the_first_is_redeemed_is_ignored(void **state)
{
    struct bench bench;
    struct token_answer answer;
    uint64_t id;

    (void)state;
    bench_open(&bench);
    id = start_sign_in(&bench, ALL_SCOPES);
    redirect_code(&bench, "code-1");
    redirect_code(&bench, "code-2");
    redirect_error(&bench, "access_denied", true);
    assert_string_equal(secret_expose(&bench.identity.sign_in.code), "code-1");
    assert_int_equal(bench.on_the_wire, 1);
    good_code_answer(&answer, "outlook-1", "refresh-1");
    give(&bench, &answer);
    finished_with(&bench, id, PROBLEM_NONE);
    redirect_code(&bench, "code-3");
    assert_int_equal(bench.on_the_wire, 0);
    bench_close(&bench);
}

static void a_second_start_cancels_the_first_and_its_late_answer(void **state)
{
    struct bench bench;
    struct token_answer answer;
    uint64_t first, second;

    (void)state;
    bench_open(&bench);
    first = start_sign_in(&bench, ALL_SCOPES);
    redirect_code(&bench, "code-1");
    second = start_sign_in(&bench, ALL_SCOPES);
    finished_with(&bench, first, PROBLEM_CANCELLED);
    redirect_code(&bench, "code-2");
    assert_int_equal(count_seen(&bench, EFFECT_SEND_TOKEN), 1);
    good_code_answer(&answer, "outlook-1", "refresh-1");
    give(&bench, &answer);
    assert_refresh_token(&bench, "");
    assert_int_equal(count_seen(&bench, EFFECT_SEND_TOKEN), 2);
    assert_string_equal(secret_expose(&bench.identity.sign_in.code), "code-2");
    good_code_answer(&answer, "outlook-2", "refresh-2");
    give(&bench, &answer);
    finished_with(&bench, second, PROBLEM_NONE);
    assert_refresh_token(&bench, "refresh-2");
    bench_close(&bench);
}

static void an_ended_sign_in_ends_once_and_its_answer_changes_nothing(void **state)
{
    struct bench bench;
    struct token_answer answer;
    struct problem late;
    const struct event end = {.kind = EVENT_SIGN_IN_END, .sign_in_end = &late};
    uint64_t id;

    (void)state;
    signed_in_long_ago(&bench);
    problem_set(&late, PROBLEM_CANCELLED, "Five minutes passed.", "Start again.");
    id = start_sign_in(&bench, ALL_SCOPES);
    redirect_code(&bench, "code");
    step(&bench, &end);
    step(&bench, &end);
    assert_string_equal(finished_with(&bench, id, PROBLEM_CANCELLED)->cause, "Five minutes passed.");
    good_code_answer(&answer, "outlook-2", "refresh-2");
    give(&bench, &answer);
    assert_refresh_token(&bench, "refresh-1");
    finished_with(&bench, id, PROBLEM_CANCELLED);
    bench_close(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sign_in_is_saved_before_it_succeeds),
        cmocka_unit_test(a_sign_in_that_cannot_be_saved_leaves_all_as_it_was),
        cmocka_unit_test(a_first_sign_in_that_meets_passing_trouble_leaves_the_account_signed_out),
        cmocka_unit_test(a_new_sign_in_serves_those_who_wait),
        cmocka_unit_test(a_sign_in_without_refresh_token_ends_at_once),
        cmocka_unit_test(a_user_who_refuses_ends_it_at_once_and_an_error_is_a_try),
        cmocka_unit_test(a_second_code_while_the_first_is_redeemed_is_ignored),
        cmocka_unit_test(a_second_start_cancels_the_first_and_its_late_answer),
        cmocka_unit_test(an_ended_sign_in_ends_once_and_its_answer_changes_nothing),
    };

    return CORE_TESTS(tests);
}
