/* SPDX-License-Identifier: MPL-2.0 */
/* What is signed out, removed or replaced stays so: no late answer brings it back or mixes it up. */
#include "other_process.h"

static void signing_out_forgets_everything_and_leaves_no_copy(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench);
    sign_in(&bench, "outlook-1", "refresh-1");
    happens(&bench, EVENT_SIGN_OUT);
    assert_int_equal(count_seen(&bench, EFFECT_SAVE_AND_FORGET), 1);
    assert_refresh_token(&bench, "");
    assert_int_equal(bench.identity.grant.serial, 0);
    assert_state(&bench, "signed-out", PROBLEM_NONE);
    assert_problem(&bench, want(&bench, OUTLOOK), PROBLEM_SIGN_IN_REQUIRED);
    bench_close(&bench);
}

static void removal_saves_nothing(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench);
    sign_in(&bench, "outlook-1", "refresh-1");
    problem_set(&bench.save_problem, PROBLEM_STORAGE, "The disk is full.", "Make room.");
    want(&bench, GRAPH);
    renew_with(&bench, "graph-1", "refresh-2");
    forget_seen(&bench);
    happens(&bench, EVENT_REMOVED);
    assert_int_equal(count_seen(&bench, EFFECT_SAVE) + count_seen(&bench, EFFECT_SAVE_AND_FORGET), 0);
    assert_false(bench.identity.unsaved);
    assert_refresh_token(&bench, "");
    assert_state(&bench, "signed-out", PROBLEM_NONE);
    bench_close(&bench);
}

static void a_sign_out_that_cannot_be_saved_is_told(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench);
    sign_in(&bench, "outlook-1", "refresh-1");
    problem_set(&bench.save_problem, PROBLEM_STORAGE, "The disk is full.", "Make room.");
    happens(&bench, EVENT_SIGN_OUT);
    assert_true(bench.identity.unsaved);
    assert_state(&bench, "waiting", PROBLEM_STORAGE);
    assert_refresh_token(&bench, "");
    bench_close(&bench);
}

static void everybody_who_waits_is_told_in_words_of_their_own(void **state)
{
    struct bench bench;
    const enum event_kind ways[] = {EVENT_SIGN_OUT, EVENT_REMOVED};
    uint64_t id, waiters[3];
    size_t way, i;

    (void)state;
    for (way = 0; way < 2; way++) {
        signed_in_long_ago(&bench);
        waiters[0] = want(&bench, OUTLOOK);
        waiters[1] = want(&bench, GRAPH);
        waiters[2] = want(&bench, OUTLOOK);
        id = start_sign_in(&bench, ALL_SCOPES);
        redirect_code(&bench, "code");
        happens(&bench, ways[way]);
        assert_string_equal(find_seen(&bench, EFFECT_SIGN_IN_FINISHED, id)->problem.cause,
                            "The sign-in was cancelled.");
        for (i = 0; i < 3; i++)
            assert_string_equal(assert_problem(&bench, waiters[i], PROBLEM_SIGN_IN_REQUIRED)->cause,
                                "This account was signed out.");
        renew_with(&bench, "outlook-2", "refresh-2");
        assert_refresh_token(&bench, "");
        assert_int_equal(bench.on_the_wire, 0);
        bench_close(&bench);
    }
}

static void a_late_answer_does_not_bring_a_signed_out_identity_back(void **state)
{
    struct bench bench;

    (void)state;
    signed_in_long_ago(&bench);
    want(&bench, OUTLOOK);
    happens(&bench, EVENT_SIGN_OUT);
    forget_seen(&bench);
    renew_with(&bench, "outlook-2", "refresh-2");
    assert_int_equal(bench.seen_count, 1);
    assert_int_equal(bench.seen[0].effect.kind, EFFECT_UNLOCK);
    assert_state(&bench, "signed-out", PROBLEM_NONE);
    bench_close(&bench);
}

static void a_late_code_does_not_sign_in_what_was_signed_out(void **state)
{
    struct bench bench;
    struct token_answer answer;

    (void)state;
    bench_open(&bench);
    start_sign_in(&bench, ALL_SCOPES);
    redirect_code(&bench, "code");
    happens(&bench, EVENT_REMOVED);
    good_code_answer(&answer, "outlook-1", "refresh-1");
    give(&bench, &answer);
    assert_refresh_token(&bench, "");
    assert_state(&bench, "signed-out", PROBLEM_NONE);
    bench_close(&bench);
}

static void a_sign_in_after_sign_out_waits_for_the_late_answer_and_ignores_it(void **state)
{
    struct bench bench;
    struct token_answer answer;
    uint64_t id, request;

    (void)state;
    signed_in_long_ago(&bench);
    want(&bench, OUTLOOK);
    happens(&bench, EVENT_SIGN_OUT);
    forget_seen(&bench);
    id = start_sign_in(&bench, ALL_SCOPES);
    redirect_code(&bench, "code");
    assert_int_equal(count_seen(&bench, EFFECT_SEND_TOKEN), 0);
    fail_with(&bench, TOKEN_FAILURE_DEAD, PROBLEM_SIGN_IN_REQUIRED, 0);
    assert_int_equal(count_seen(&bench, EFFECT_SEND_TOKEN), 1);
    good_code_answer(&answer, "outlook-2", "refresh-2");
    give(&bench, &answer);
    assert_non_null(find_seen(&bench, EFFECT_SIGN_IN_FINISHED, id));
    assert_refresh_token(&bench, "refresh-2");
    request = want(&bench, OUTLOOK);
    assert_token(&bench, request, "outlook-2", false);
    bench_close(&bench);
}

/* Another process wrote the identity's file. */
static void reload(struct bench *bench, uint64_t serial, uint64_t renewals, const char *refresh_token,
                   const char *access)
{
    char text[2048];
    struct secret payload = {0};

    snprintf(
        text, sizeof text,
        "{\"version\":1,\"serial\":%d,\"lastSerial\":%d,\"renewals\":%d,\"refreshToken\":\"%s\","
        "\"obtainedAt\":%lld,"
        "\"lastUsedAt\":%lld,"
        "\"oid\":\"oid-lena\",\"tid\":\"tid-example\",\"homeAccountId\":\"\",\"scopes\":\"%s\",\"access\":[%"
        "s]}",
        (int)serial, (int)serial, (int)renewals, refresh_token, (long long)bench->now.wall,
        (long long)bench->now.wall, IMAP_SCOPE " " SMTP_SCOPE " " USER_SCOPE, access);
    put_secret(&payload, text);
    file_says(bench, &payload);
    secret_wipe(&payload);
}

static void a_file_of_another_process_does_not_mix_up_resources(void **state)
{
    struct bench bench;
    uint64_t mail, graph;

    (void)state;
    signed_in_long_ago(&bench);
    mail = want(&bench, OUTLOOK);
    graph = want(&bench, GRAPH);
    renew_with(&bench, "outlook-2", NULL);
    reload(&bench, bench.identity.grant.serial, 0, "refresh-0",
           "{\"resource\":\"" GRAPH "\",\"accessToken\":\"graph-8\",\"issuedAt\":1,\"expiresAt\":2}");
    renew_with(&bench, "graph-9", NULL);
    assert_token(&bench, mail, "outlook-2", true);
    assert_token(&bench, graph, "graph-9", true);
    assert_string_equal(find_seen(&bench, EFFECT_REPLY_TOKEN, graph)->resource, GRAPH);
    assert_token(&bench, want(&bench, OUTLOOK), "outlook-2", false);
    bench_close(&bench);
}

static void a_sign_in_by_another_process_is_not_overwritten_by_a_late_answer(void **state)
{
    struct bench bench;
    uint64_t request;

    (void)state;
    signed_in_long_ago(&bench);
    request = want(&bench, OUTLOOK);
    reload(&bench, bench.identity.grant.serial + 1, 0, "refresh-9", "");
    renew_with(&bench, "outlook-2", "refresh-2");
    assert_refresh_token(&bench, "refresh-9");
    assert_waiting(&bench, request);
    renew_with(&bench, "outlook-3", NULL);
    assert_token(&bench, request, "outlook-3", true);
    bench_close(&bench);
}

/* A renewal by another process while ours is on the wire: the lock does not hold on every file system. */
static void a_late_answer_to_a_replaced_refresh_token_changes_nothing(void **state)
{
    struct token_answer answer = {0};
    struct bench bench;

    (void)state;
    signed_in_long_ago(&bench);
    want(&bench, OUTLOOK);
    reload(&bench, bench.identity.grant.serial, bench.identity.grant.renewals + 1, "refresh-9", "");
    answer.failure = TOKEN_FAILURE_DEAD;
    problem_set(&answer.problem, PROBLEM_SIGN_IN_REQUIRED, "Revoked.", "Sign in.");
    give(&bench, &answer);
    assert_refresh_token(&bench, "refresh-9");
    bench_close(&bench);
}

static void an_erasure_by_another_process_leaves_nobody_without_words(void **state)
{
    struct bench bench, other;
    uint64_t mail, graph;

    (void)state;
    signed_in_long_ago(&bench);
    open_other(&other, &bench);
    happens(&other, EVENT_SIGN_OUT);
    mail = want(&bench, OUTLOOK);
    graph = want(&bench, GRAPH);
    take_over(&bench, &other);
    renew_with(&bench, "outlook-2", "refresh-2");
    assert_problem(&bench, mail, PROBLEM_SIGN_IN_REQUIRED);
    assert_problem(&bench, graph, PROBLEM_SIGN_IN_REQUIRED);
    assert_refresh_token(&bench, "");
    assert_int_equal(bench.on_the_wire, 0);
    bench_close(&bench);
    bench_close(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signing_out_forgets_everything_and_leaves_no_copy),
        cmocka_unit_test(removal_saves_nothing),
        cmocka_unit_test(a_sign_out_that_cannot_be_saved_is_told),
        cmocka_unit_test(everybody_who_waits_is_told_in_words_of_their_own),
        cmocka_unit_test(a_late_answer_does_not_bring_a_signed_out_identity_back),
        cmocka_unit_test(a_late_code_does_not_sign_in_what_was_signed_out),
        cmocka_unit_test(a_sign_in_after_sign_out_waits_for_the_late_answer_and_ignores_it),
        cmocka_unit_test(a_file_of_another_process_does_not_mix_up_resources),
        cmocka_unit_test(a_sign_in_by_another_process_is_not_overwritten_by_a_late_answer),
        cmocka_unit_test(a_late_answer_to_a_replaced_refresh_token_changes_nothing),
        cmocka_unit_test(an_erasure_by_another_process_leaves_nobody_without_words),
    };

    return CORE_TESTS(tests);
}
