/* SPDX-License-Identifier: MPL-2.0 */
/* DESIGN 3, rules 5 and 6: what a refusal leaves of a grant, and who decides it. */
#include "other_process.h"

#define ERROR(error) "{\"error\":\"" error "\"}"
#define GRANT(suberror) "{\"error\":\"invalid_grant\",\"suberror\":\"" suberror "\"}"

/* Outlook was just refused, with this body; nobody waits. */
static void refused(struct bench *bench, const char *body)
{
    signed_in_long_ago(bench);
    want(bench, OUTLOOK);
    answer_http(bench, 400, 0, body);
    forget_seen(bench);
}

static void rule_5_only_bad_token_and_token_expired_kill_a_refresh_token(void **state)
{
    static const struct {
        const char *body;
        enum problem_kind kind;
        bool dead;
    } answers[] = {{GRANT("bad_token"), PROBLEM_SIGN_IN_REQUIRED, true},
                   {GRANT("token_expired"), PROBLEM_SIGN_IN_REQUIRED, true},
                   {GRANT("consent_required"), PROBLEM_CONSENT_REQUIRED, false},
                   {GRANT("basic_action"), PROBLEM_INTERACTION_REQUIRED, false},
                   {GRANT("additional_action"), PROBLEM_INTERACTION_REQUIRED, false},
                   {GRANT("message_only"), PROBLEM_INTERACTION_REQUIRED, false},
                   {GRANT("never_heard_of"), PROBLEM_SIGN_IN_REQUIRED, false},
                   {GRANT("Bad_Token"), PROBLEM_SIGN_IN_REQUIRED, false},
                   {ERROR("invalid_grant"), PROBLEM_SIGN_IN_REQUIRED, false},
                   {ERROR("interaction_required"), PROBLEM_INTERACTION_REQUIRED, false},
                   {ERROR("invalid_client"), PROBLEM_MISCONFIGURED, false},
                   {ERROR("unauthorized_client"), PROBLEM_MISCONFIGURED, false},
                   {ERROR("invalid_scope"), PROBLEM_MISCONFIGURED, false},
                   {ERROR("bad_token"), PROBLEM_MISCONFIGURED, false}};
    struct bench bench;
    uint64_t request;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        signed_in_long_ago(&bench);
        request = want(&bench, OUTLOOK);
        answer_http(&bench, 400, 0, answers[i].body);
        assert_problem(&bench, request, answers[i].kind);
        assert_refresh_token(&bench, answers[i].dead ? "" : "refresh-1");
        assert_int_equal(bench.identity.dead.kind != PROBLEM_NONE, answers[i].dead);
        assert_int_equal(count_seen(&bench, EFFECT_SAVE), 1);
        bench_close(&bench);
    }
}

static void rule_5_a_suspension_is_for_its_resource_alone(void **state)
{
    struct bench bench;
    uint64_t graph;

    (void)state;
    refused(&bench, GRANT("consent_required"));
    graph = want(&bench, GRAPH);
    renew_with(&bench, "graph-1", "refresh-2");
    assert_token(&bench, graph, "graph-1", true);
    assert_problem(&bench, want(&bench, OUTLOOK), PROBLEM_CONSENT_REQUIRED);
    assert_state(&bench, "attention", PROBLEM_CONSENT_REQUIRED);
    assert_refresh_token(&bench, "refresh-2");
    bench_close(&bench);
}

static void rule_5_a_suspension_is_kept_on_disk(void **state)
{
    struct bench bench, started;
    const struct problem *problem;

    (void)state;
    refused(&bench, "{\"error\":\"invalid_grant\",\"suberror\":\"consent_required\",\"error_codes\":[65001],"
                    "\"trace_id\":\"11111111-2222-3333-4444-555555555555\"}");
    pass(&bench, 100);
    open_other(&started, &bench);
    problem = assert_problem(&started, want(&started, OUTLOOK), PROBLEM_CONSENT_REQUIRED);
    assert_string_equal(problem->resource, OUTLOOK);
    assert_int_equal(problem->aadsts, 65001);
    assert_int_equal(problem->since, bench.now.wall - 100);
    assert_string_equal(problem->trace_id, "11111111-2222-3333-4444-555555555555");
    assert_state(&started, "attention", PROBLEM_CONSENT_REQUIRED);
    assert_int_equal(started.on_the_wire, 0);
    assert_waiting(&started, want(&started, GRAPH));
    bench_close(&bench);
    bench_close(&started);
}

static void rule_5_a_suspended_grant_is_tried_once_an_hour_over_all_processes(void **state)
{
    struct bench bench, other;

    (void)state;
    refused(&bench, GRANT("basic_action"));
    open_other(&other, &bench);
    pass(&bench, SUSPENDED_RETRY_S);
    pass(&other, SUSPENDED_RETRY_S - 1);
    assert_problem(&other, want(&other, OUTLOOK), PROBLEM_INTERACTION_REQUIRED);
    want(&bench, OUTLOOK);
    answer_http(&bench, 400, 0, GRANT("basic_action"));
    pass(&other, 1);
    take_over(&other, &bench);
    assert_problem(&other, want(&other, OUTLOOK), PROBLEM_INTERACTION_REQUIRED);
    pass(&other, SUSPENDED_RETRY_S - 1);
    assert_problem(&other, want(&other, OUTLOOK), PROBLEM_INTERACTION_REQUIRED);
    pass(&other, 1);
    assert_waiting(&other, want(&other, OUTLOOK));
    renew_with(&other, "outlook-2", NULL);
    pass_until(&bench, other.now.wall);
    take_over(&bench, &other);
    assert_token(&bench, want(&bench, OUTLOOK), "outlook-2", false);
    assert_state(&bench, "ready", PROBLEM_NONE);
    bench_close(&bench);
    bench_close(&other);
}

static void rule_5_a_consent_heals_without_a_new_sign_in(void **state)
{
    struct bench bench;

    (void)state;
    refused(&bench, GRANT("consent_required"));
    bench.identity.renew_ahead = true;
    assert_int_equal(wakes_in(&bench), SUSPENDED_RETRY_S);
    pass(&bench, SUSPENDED_RETRY_S);
    happens(&bench, EVENT_TIME);
    answer_http(&bench, 400, 0, GRANT("consent_required"));
    assert_int_equal(wakes_in(&bench), SUSPENDED_RETRY_S);
    assert_int_equal(count_seen(&bench, EFFECT_ATTENTION), 0);
    pass(&bench, SUSPENDED_RETRY_S);
    happens(&bench, EVENT_TIME);
    renew_with(&bench, "outlook-2", NULL);
    assert_state(&bench, "ready", PROBLEM_NONE);
    bench_close(&bench);
}

static void rule_5_the_user_may_have_it_tried_again_but_not_within_a_minute(void **state)
{
    struct bench bench;

    (void)state;
    refused(&bench, GRANT("message_only"));
    bench.identity.renew_ahead = true;
    happens(&bench, EVENT_RETRY);
    assert_problem(&bench, want(&bench, OUTLOOK), PROBLEM_INTERACTION_REQUIRED);
    pass(&bench, SAME_REQUEST_PAUSE_S - 1);
    assert_problem(&bench, want(&bench, OUTLOOK), PROBLEM_INTERACTION_REQUIRED);
    assert_int_equal(wakes_in(&bench), 1);
    pass(&bench, 1);
    happens(&bench, EVENT_TIME);
    assert_string_equal(resource_on_the_wire(&bench), OUTLOOK);
    answer_http(&bench, 400, 0, GRANT("message_only"));
    pass(&bench, SAME_REQUEST_PAUSE_S); /* it was one try */
    assert_problem(&bench, want(&bench, OUTLOOK), PROBLEM_INTERACTION_REQUIRED);
    bench_close(&bench);
}

static void rule_5_a_sign_in_that_was_started_is_the_users_word_too(void **state)
{
    struct problem given_up;
    const struct event end = {.kind = EVENT_SIGN_IN_END, .sign_in_end = &given_up};
    struct bench bench;

    (void)state;
    problem_set(&given_up, PROBLEM_CANCELLED, "It was cancelled.", "Start again.");
    refused(&bench, GRANT("consent_required"));
    start_sign_in(&bench, ALL_SCOPES);
    step(&bench, &end);
    pass(&bench, SAME_REQUEST_PAUSE_S);
    assert_waiting(&bench, want(&bench, OUTLOOK));
    renew_with(&bench, "outlook-2", NULL);
    assert_state(&bench, "ready", PROBLEM_NONE);
    bench_close(&bench);
}

static void rule_5_each_start_of_a_host_is_one_try(void **state)
{
    struct bench bench, started;

    (void)state;
    refused(&bench, GRANT("message_only"));
    open_other(&started, &bench);
    happens(&started, EVENT_RETRY);
    assert_waiting(&started, want(&started, OUTLOOK));
    answer_http(&started, 400, 0, GRANT("message_only"));
    assert_problem(&started, want(&started, OUTLOOK), PROBLEM_INTERACTION_REQUIRED);
    pass(&started, SUSPENDED_RETRY_S - 1);
    assert_problem(&started, want(&started, OUTLOOK), PROBLEM_INTERACTION_REQUIRED);
    bench_close(&bench);
    bench_close(&started);
}

static void rule_5_what_the_user_asked_for_is_done_when_another_process_has_tried(void **state)
{
    struct bench bench, started;

    (void)state;
    refused(&bench, GRANT("consent_required"));
    open_other(&started, &bench);
    happens(&bench, EVENT_RETRY); /* it waits for its minute to be over */
    pass(&bench, 10);
    pass(&started, 10);
    happens(&started, EVENT_RETRY);
    want(&started, OUTLOOK);
    answer_http(&started, 400, 0, GRANT("consent_required"));
    take_over(&bench, &started);
    pass(&bench, SUSPENDED_RETRY_S - 1);
    assert_problem(&bench, want(&bench, OUTLOOK), PROBLEM_CONSENT_REQUIRED);
    pass(&bench, 1);
    assert_waiting(&bench, want(&bench, OUTLOOK));
    bench_close(&bench);
    bench_close(&started);
}

static void rule_5_a_dead_refresh_token_is_never_sent_again(void **state)
{
    struct bench bench, started;

    (void)state;
    refused(&bench, GRANT("token_expired"));
    bench.identity.renew_ahead = true;
    assert_int_equal(wakes_in(&bench), -1);
    pass(&bench, 10 * SUSPENDED_RETRY_S);
    happens(&bench, EVENT_RETRY);
    happens(&bench, EVENT_TIME);
    happens(&bench, EVENT_NETWORK);
    assert_problem(&bench, want(&bench, OUTLOOK), PROBLEM_SIGN_IN_REQUIRED);
    assert_problem(&bench, want(&bench, GRAPH), PROBLEM_SIGN_IN_REQUIRED);
    assert_int_equal(bench.on_the_wire, 0);
    open_other(&started, &bench);
    assert_problem(&started, want(&started, GRAPH), PROBLEM_SIGN_IN_REQUIRED);
    assert_state(&started, "attention", PROBLEM_SIGN_IN_REQUIRED);
    bench_close(&bench);
    bench_close(&started);
}

static void rule_6_a_number_never_deletes(void **state)
{
    static const int numbers[] = {50034,  50053,  50057, 50076, 50079, 50105,  50126,  50128, 50173,
                                  53000,  53003,  65001, 65004, 70000, 70008,  70043,  70044, 70046,
                                  700003, 700016, 70011, 90002, 90094, 700082, 700084, 50020, 530003};
    struct bench bench;
    char body[128];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        snprintf(body, sizeof body, "{\"error\":\"invalid_grant\",\"error_codes\":[%d]}", numbers[i]);
        refused(&bench, body);
        assert_refresh_token(&bench, "refresh-1");
        assert_true(bench.identity.access[0].suspended);
        assert_int_equal(bench.identity.access[0].problem.aadsts, numbers[i]);
        bench_close(&bench);
        snprintf(body, sizeof body,
                 "{\"error\":\"invalid_grant\",\"suberror\":\"bad_token\",\"error_codes\":[%d]}", numbers[i]);
        refused(&bench, body);
        assert_refresh_token(&bench, "");
        bench_close(&bench);
    }
}

static void rule_6_a_number_may_make_an_answer_passing(void **state)
{
    static const int numbers[] = {50196, 90033, 50033};
    struct bench bench;
    char body[128];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        snprintf(body, sizeof body, "{\"error\":\"invalid_grant\",\"error_codes\":[%d]}", numbers[i]);
        refused(&bench, body);
        assert_false(bench.identity.access[0].suspended);
        assert_true(bench.identity.access[0].not_before > bench.now.uptime);
        bench_close(&bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_5_only_bad_token_and_token_expired_kill_a_refresh_token),
        cmocka_unit_test(rule_5_a_suspension_is_for_its_resource_alone),
        cmocka_unit_test(rule_5_a_suspension_is_kept_on_disk),
        cmocka_unit_test(rule_5_a_suspended_grant_is_tried_once_an_hour_over_all_processes),
        cmocka_unit_test(rule_5_a_consent_heals_without_a_new_sign_in),
        cmocka_unit_test(rule_5_the_user_may_have_it_tried_again_but_not_within_a_minute),
        cmocka_unit_test(rule_5_a_sign_in_that_was_started_is_the_users_word_too),
        cmocka_unit_test(rule_5_each_start_of_a_host_is_one_try),
        cmocka_unit_test(rule_5_what_the_user_asked_for_is_done_when_another_process_has_tried),
        cmocka_unit_test(rule_5_a_dead_refresh_token_is_never_sent_again),
        cmocka_unit_test(rule_6_a_number_never_deletes),
        cmocka_unit_test(rule_6_a_number_may_make_an_answer_passing),
    };

    return CORE_TESTS(tests);
}
