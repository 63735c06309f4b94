/* SPDX-License-Identifier: MPL-2.0 */
/* What a failed renewal costs: nothing that passes takes a refresh token, and one resource never stops
 * another. */
#include "identity_events.h"

static void assert_graph_goes_on(struct bench *bench)
{
    uint64_t request = want(bench, GRAPH);

    assert_waiting(bench, request);
    renew_with(bench, "graph-9", NULL);
    assert_token(bench, request, "graph-9", true);
    forget_seen(bench);
}

static void passing_trouble_keeps_all_and_hands_out_what_lives(void **state)
{
    struct bench bench;
    uint64_t request;

    (void)state;
    bench_open(&bench);
    sign_in(&bench, "outlook-1", "refresh-1");
    pass(&bench, LIFETIME - 60);
    request = want(&bench, OUTLOOK);
    fail_with(&bench, TOKEN_FAILURE_TRANSIENT, PROBLEM_NETWORK, 0);
    assert_token(&bench, request, "outlook-1", false);
    assert_refresh_token(&bench, "refresh-1");
    assert_state(&bench, "waiting", PROBLEM_NETWORK);
    assert_int_equal(count_seen(&bench, EFFECT_SAVE), 0);
    assert_int_equal(count_seen(&bench, EFFECT_ATTENTION), 0);
    assert_graph_goes_on(&bench);
    pass(&bench, BACK_OFF_FIRST_S);
    request = want(&bench, OUTLOOK);
    renew_with(&bench, "outlook-2", NULL);
    assert_token(&bench, request, "outlook-2", true);
    assert_state(&bench, "ready", PROBLEM_NONE);
    bench_close(&bench);
}

/* The look of a health check. */
static uint64_t look_for(struct bench *bench, const char *resource)
{
    const struct event event = {.kind = EVENT_TOKEN_WANTED,
                                .wanted = {.request = ++bench->last_id,
                                           .resource = resource,
                                           .scopes = "",
                                           .fallback_scope = IMAP_SCOPE,
                                           .probe = true}};

    step(bench, &event);
    return event.wanted.request;
}

static void a_look_that_fails_changes_nothing(void **state)
{
    static const struct {
        const char *resource;
        enum token_failure failure;
        enum problem_kind kind;
    } looks[] = {{GRAPH, TOKEN_FAILURE_SUSPENDED, PROBLEM_CONSENT_REQUIRED},
                 {OUTLOOK, TOKEN_FAILURE_SUSPENDED, PROBLEM_CONSENT_REQUIRED},
                 {OUTLOOK, TOKEN_FAILURE_TRANSIENT, PROBLEM_THROTTLED},
                 {OUTLOOK, TOKEN_FAILURE_DEAD, PROBLEM_SIGN_IN_REQUIRED}};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof looks / sizeof looks[0]; i++) {
        struct bench bench;
        uint64_t request;
        signed_in_long_ago(&bench); /* the token of mail has expired, and was used */
        forget_seen(&bench);
        request = look_for(&bench, looks[i].resource);
        assert_state(&bench, "ready", PROBLEM_NONE);
        fail_with(&bench, looks[i].failure, looks[i].kind, 0);
        assert_problem(&bench, request, looks[i].kind);
        assert_state(&bench, "ready", PROBLEM_NONE);
        assert_refresh_token(&bench, "refresh-1");
        assert_int_equal(count_seen(&bench, EFFECT_ATTENTION), 0);
        assert_int_equal(count_seen(&bench, EFFECT_SAVE), 0);
        request = want(&bench, looks[i].resource);
        renew_with(&bench, "renewed", NULL);
        assert_token(&bench, request, "renewed", true);
        bench_close(&bench);
    }
}

static void a_look_leaves_the_one_try_that_was_allowed_anew(void **state)
{
    struct bench bench;

    (void)state;
    signed_in_long_ago(&bench);
    want(&bench, OUTLOOK);
    fail_with(&bench, TOKEN_FAILURE_SUSPENDED, PROBLEM_CONSENT_REQUIRED, 0);
    pass(&bench, 120);
    assert_problem(&bench, want(&bench, OUTLOOK), PROBLEM_CONSENT_REQUIRED);
    happens(&bench, EVENT_RETRY);
    look_for(&bench, OUTLOOK);
    fail_with(&bench, TOKEN_FAILURE_TRANSIENT, PROBLEM_NETWORK, 0);
    pass(&bench, 60); /* between two of the same */
    assert_waiting(&bench, want(&bench, OUTLOOK));
    bench_close(&bench);
}

static void while_backing_off_the_answer_comes_at_once(void **state)
{
    struct bench bench;
    uint64_t request;

    (void)state;
    signed_in_long_ago(&bench);
    request = want(&bench, OUTLOOK);
    fail_with(&bench, TOKEN_FAILURE_TRANSIENT, PROBLEM_THROTTLED, 600);
    assert_int_equal(assert_problem(&bench, request, PROBLEM_THROTTLED)->retry_after, 600);
    pass(&bench, 100);
    assert_int_equal(assert_problem(&bench, want(&bench, OUTLOOK), PROBLEM_THROTTLED)->retry_after, 500);
    want(&bench, GRAPH); /* the line is busy with another resource */
    assert_int_equal(assert_problem(&bench, want(&bench, OUTLOOK), PROBLEM_THROTTLED)->retry_after, 500);
    renew_with(&bench, "graph-1", NULL);
    pass(&bench, 500);
    assert_waiting(&bench, want(&bench, OUTLOOK));
    bench_close(&bench);
}

static void a_resource_that_backs_off_does_not_stop_another_that_waits(void **state)
{
    struct bench bench;
    uint64_t id, mail, graph;
    struct token_answer answer;

    (void)state;
    signed_in_long_ago(&bench);
    want(&bench, OUTLOOK);
    fail_with(&bench, TOKEN_FAILURE_TRANSIENT, PROBLEM_THROTTLED, 600);
    id = start_sign_in(&bench, ALL_SCOPES);
    redirect_code(&bench, "code");
    mail = want(&bench, OUTLOOK);
    graph = want(&bench, GRAPH);
    good_code_answer(&answer, "outlook-2", "refresh-2");
    strcpy(answer.id.oid, "oid-other");
    give(&bench, &answer);
    assert_problem(&bench, mail, PROBLEM_THROTTLED);
    assert_waiting(&bench, graph);
    assert_non_null(find_seen(&bench, EFFECT_SIGN_IN_RETRY, id));
    renew_with(&bench, "graph-1", NULL);
    assert_token(&bench, graph, "graph-1", true);
    bench_close(&bench);
}

static void a_suspended_grant_is_tried_again_after_an_hour(void **state)
{
    struct bench bench;
    uint64_t request;

    (void)state;
    signed_in_long_ago(&bench);
    request = want(&bench, OUTLOOK);
    fail_with(&bench, TOKEN_FAILURE_SUSPENDED, PROBLEM_CONSENT_REQUIRED, 0);
    assert_string_equal(assert_problem(&bench, request, PROBLEM_CONSENT_REQUIRED)->resource, OUTLOOK);
    assert_refresh_token(&bench, "refresh-1");
    assert_state(&bench, "attention", PROBLEM_CONSENT_REQUIRED);
    assert_int_equal(count_seen(&bench, EFFECT_ATTENTION), 1);
    assert_graph_goes_on(&bench);
    assert_state(&bench, "attention", PROBLEM_CONSENT_REQUIRED);
    pass(&bench, SUSPENDED_RETRY_S - 1);
    assert_problem(&bench, want(&bench, OUTLOOK), PROBLEM_CONSENT_REQUIRED);
    pass(&bench, 1);
    want(&bench, OUTLOOK);
    fail_with(&bench, TOKEN_FAILURE_SUSPENDED, PROBLEM_CONSENT_REQUIRED, 0);
    assert_int_equal(count_seen(&bench, EFFECT_ATTENTION), 0);
    assert_int_equal(bench.identity.access[0].problem.since, START + LIFETIME + 1);
    pass(&bench, SUSPENDED_RETRY_S);
    request = want(&bench, OUTLOOK);
    renew_with(&bench, "outlook-2", NULL);
    assert_token(&bench, request, "outlook-2", true);
    assert_state(&bench, "ready", PROBLEM_NONE);
    bench_close(&bench);
}

static void passing_trouble_does_not_use_up_the_users_word_to_try_again(void **state)
{
    struct bench bench;
    uint64_t request;

    (void)state;
    signed_in_long_ago(&bench);
    want(&bench, OUTLOOK);
    fail_with(&bench, TOKEN_FAILURE_SUSPENDED, PROBLEM_CONSENT_REQUIRED, 0);
    pass(&bench, SAME_REQUEST_PAUSE_S);
    happens(&bench, EVENT_RETRY);
    request = want(&bench, OUTLOOK);
    fail_with(&bench, TOKEN_FAILURE_TRANSIENT, PROBLEM_NETWORK, 0);
    assert_problem(&bench, request, PROBLEM_NETWORK);
    pass(&bench, SAME_REQUEST_PAUSE_S);
    request = want(&bench, OUTLOOK);
    assert_waiting(&bench, request);
    renew_with(&bench, "outlook-2", NULL);
    assert_token(&bench, request, "outlook-2", true);
    assert_state(&bench, "ready", PROBLEM_NONE);
    bench_close(&bench);
}

static void a_suspended_resource_hands_out_its_living_token(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench);
    sign_in(&bench, "outlook-1", "refresh-1");
    pass(&bench, LIFETIME - 60);
    want(&bench, OUTLOOK);
    fail_with(&bench, TOKEN_FAILURE_SUSPENDED, PROBLEM_SIGN_IN_REQUIRED, 0);
    assert_token(&bench, want(&bench, OUTLOOK), "outlook-1", false);
    assert_problem(&bench, want_more(&bench, OUTLOOK, "", 120, "outlook-1"), PROBLEM_SIGN_IN_REQUIRED);
    pass(&bench, 60);
    assert_problem(&bench, want(&bench, OUTLOOK), PROBLEM_SIGN_IN_REQUIRED);
    bench_close(&bench);
}

static void a_dead_refresh_token_is_given_up_for_all_resources(void **state)
{
    struct bench bench;
    uint64_t mail, graph;

    (void)state;
    signed_in_long_ago(&bench);
    mail = want(&bench, OUTLOOK);
    graph = want(&bench, GRAPH);
    fail_with(&bench, TOKEN_FAILURE_DEAD, PROBLEM_SIGN_IN_REQUIRED, 0);
    assert_problem(&bench, mail, PROBLEM_SIGN_IN_REQUIRED);
    assert_problem(&bench, graph, PROBLEM_SIGN_IN_REQUIRED);
    assert_refresh_token(&bench, "");
    assert_string_equal(bench.identity.grant.oid, "oid-lena");
    assert_int_equal(count_seen(&bench, EFFECT_SAVE), 1);
    assert_int_equal(count_seen(&bench, EFFECT_ATTENTION), 1);
    assert_state(&bench, "attention", PROBLEM_SIGN_IN_REQUIRED);
    assert_problem(&bench, want(&bench, OUTLOOK), PROBLEM_SIGN_IN_REQUIRED);
    assert_int_equal(bench.on_the_wire, 0);
    bench_close(&bench);
}

static void a_living_token_outlasts_its_dead_refresh_token(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench);
    sign_in(&bench, "outlook-1", "refresh-1");
    want(&bench, GRAPH);
    fail_with(&bench, TOKEN_FAILURE_DEAD, PROBLEM_SIGN_IN_REQUIRED, 0);
    assert_token(&bench, want(&bench, OUTLOOK), "outlook-1", false);
    pass(&bench, LIFETIME - 1);
    assert_token(&bench, want(&bench, OUTLOOK), "outlook-1", false);
    pass(&bench, 1);
    assert_problem(&bench, want(&bench, OUTLOOK), PROBLEM_SIGN_IN_REQUIRED);
    bench_close(&bench);
}

static void a_reply_without_refresh_token_keeps_the_old_one(void **state)
{
    struct bench bench;

    (void)state;
    signed_in_long_ago(&bench);
    want(&bench, OUTLOOK);
    renew_with(&bench, "outlook-2", NULL);
    assert_refresh_token(&bench, "refresh-1");
    bench_close(&bench);
}

static void a_renewal_that_cannot_be_saved_is_handed_out_and_flagged(void **state)
{
    struct bench bench;
    uint64_t request;

    (void)state;
    signed_in_long_ago(&bench);
    problem_set(&bench.save_problem, PROBLEM_STORAGE, "The disk is full.", "Make room.");
    request = want(&bench, OUTLOOK);
    renew_with(&bench, "outlook-2", "refresh-2");
    assert_token(&bench, request, "outlook-2", true);
    assert_refresh_token(&bench, "refresh-2");
    assert_true(bench.identity.unsaved);
    assert_state(&bench, "waiting", PROBLEM_STORAGE);
    assert_int_equal(count_seen(&bench, EFFECT_ATTENTION), 1);
    pass(&bench, SAVE_RETRY_S);
    happens(&bench, EVENT_TIME);
    assert_int_equal(count_seen(&bench, EFFECT_ATTENTION), 1);
    assert_int_equal(bench.identity.storage.since, bench.now.wall - SAVE_RETRY_S);
    assert_token(&bench, want(&bench, OUTLOOK), "outlook-2", false);
    memset(&bench.save_problem, 0, sizeof bench.save_problem);
    pass(&bench, SAVE_RETRY_S);
    happens(&bench, EVENT_TIME);
    assert_false(bench.identity.unsaved);
    assert_state(&bench, "ready", PROBLEM_NONE);
    bench_close(&bench);
}

static void a_renewal_that_speaks_of_another_person_is_not_taken(void **state)
{
    static const char *const others[][2] = {{"uid-mallory", "utid-example"},
                                            {"uid", "utid-example"},
                                            {"uid-lena", "utid-other"},
                                            {"uid-lena2", ""}};
    struct bench bench;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct token_answer answer = {.expires_in = LIFETIME};
        uint64_t request;
        signed_in_long_ago(&bench);
        request = want(&bench, OUTLOOK);
        put_secret(&answer.access_token, "stolen");
        put_secret(&answer.refresh_token, "stolen-too");
        strcpy(answer.client_info_uid, others[i][0]);
        strcpy(answer.client_info_utid, others[i][1]);
        give(&bench, &answer);
        assert_problem(&bench, request, PROBLEM_IDENTITY_PROVIDER);
        assert_refresh_token(&bench, "refresh-1");
        bench_close(&bench);
    }
}

static void a_clock_set_back_neither_prolongs_nor_shortens_a_wait(void **state)
{
    struct bench bench;

    (void)state;
    signed_in_long_ago(&bench);
    want(&bench, OUTLOOK);
    fail_with(&bench, TOKEN_FAILURE_TRANSIENT, PROBLEM_THROTTLED, 600);
    want(&bench, GRAPH);
    fail_with(&bench, TOKEN_FAILURE_SUSPENDED, PROBLEM_CONSENT_REQUIRED, 0);
    set_clock(&bench, bench.now.wall - 86400);
    assert_problem(&bench, want(&bench, OUTLOOK), PROBLEM_THROTTLED);
    assert_problem(&bench, want(&bench, GRAPH), PROBLEM_CONSENT_REQUIRED);
    pass(&bench, 600);
    assert_waiting(&bench, want(&bench, OUTLOOK));
    renew_with(&bench, "outlook-2", NULL);
    pass(&bench, SUSPENDED_RETRY_S - 600);
    assert_waiting(&bench, want(&bench, GRAPH));
    bench_close(&bench);
}

static void what_the_shell_holds_back_is_not_handed_out(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench);
    sign_in(&bench, "outlook-1", "refresh-1");
    problem_set(&bench.identity.no_renewal, PROBLEM_MISCONFIGURED, "The file is broken.", "Mend it.");
    assert_token(&bench, want(&bench, OUTLOOK), "outlook-1", false);
    assert_problem(&bench, want(&bench, GRAPH), PROBLEM_MISCONFIGURED);
    assert_state(&bench, "attention", PROBLEM_MISCONFIGURED);
    problem_set(&bench.identity.held, PROBLEM_VAULT_LOCKED, "The keyring is locked.", "Unlock it.");
    assert_problem(&bench, want(&bench, OUTLOOK), PROBLEM_VAULT_LOCKED);
    bench.identity.no_renewal.kind = PROBLEM_NONE;
    assert_state(&bench, "locked", PROBLEM_VAULT_LOCKED);
    problem_set(&bench.identity.held, PROBLEM_POLICY_DENIED, "The policy forbids it.", "Ask.");
    assert_state(&bench, "blocked", PROBLEM_POLICY_DENIED);
    bench_close(&bench);
}

static void signing_in_again_heals(void **state)
{
    struct bench bench;

    (void)state;
    signed_in_long_ago(&bench);
    want(&bench, OUTLOOK);
    fail_with(&bench, TOKEN_FAILURE_DEAD, PROBLEM_SIGN_IN_REQUIRED, 0);
    problem_set(&bench.identity.held, PROBLEM_VAULT_DAMAGED, "The file is damaged.", "Sign in again.");
    assert_state(&bench, "attention", PROBLEM_VAULT_DAMAGED);
    sign_in(&bench, "outlook-2", "refresh-2");
    assert_state(&bench, "ready", PROBLEM_NONE);
    assert_token(&bench, want(&bench, OUTLOOK), "outlook-2", false);
    bench_close(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passing_trouble_keeps_all_and_hands_out_what_lives),
        cmocka_unit_test(while_backing_off_the_answer_comes_at_once),
        cmocka_unit_test(a_resource_that_backs_off_does_not_stop_another_that_waits),
        cmocka_unit_test(a_look_that_fails_changes_nothing),
        cmocka_unit_test(a_look_leaves_the_one_try_that_was_allowed_anew),
        cmocka_unit_test(a_suspended_grant_is_tried_again_after_an_hour),
        cmocka_unit_test(passing_trouble_does_not_use_up_the_users_word_to_try_again),
        cmocka_unit_test(a_suspended_resource_hands_out_its_living_token),
        cmocka_unit_test(a_dead_refresh_token_is_given_up_for_all_resources),
        cmocka_unit_test(a_living_token_outlasts_its_dead_refresh_token),
        cmocka_unit_test(a_reply_without_refresh_token_keeps_the_old_one),
        cmocka_unit_test(a_renewal_that_cannot_be_saved_is_handed_out_and_flagged),
        cmocka_unit_test(a_renewal_that_speaks_of_another_person_is_not_taken),
        cmocka_unit_test(a_clock_set_back_neither_prolongs_nor_shortens_a_wait),
        cmocka_unit_test(what_the_shell_holds_back_is_not_handed_out),
        cmocka_unit_test(signing_in_again_heals),
    };

    return CORE_TESTS(tests);
}
