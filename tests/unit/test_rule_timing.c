/* SPDX-License-Identifier: MPL-2.0 */
/* DESIGN 3, rules 1 and 10: when a token is renewed, and by which clock. */
#include "other_process.h"

#define SEEDS 60
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

static void rule_1_renews_at_refresh_in_or_five_minutes_before_expiry_with_jitter(void **state)
{
    static const struct {
        int64_t expires_in, refresh_in, due;
    } tokens[] = {{3600, 0, 3300},     {3600, 1800, 1800}, {3600, 3500, 3300}, {DAY, DAY / 2, DAY / 2},
                  {DAY, 0, DAY - 300}, {900, 0, 600},      {600, 0, 300},      {500, 0, 250},
                  {300, 0, 150},       {300, 100, 100}};
    struct bench bench;
    size_t i;
    int seed;

    (void)state;
    for (i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
        int64_t most = tokens[i].due / 10 > RENEW_JITTER_MAX_S ? RENEW_JITTER_MAX_S : tokens[i].due / 10;
        int64_t earliest = INT64_MAX, latest = 0;
        for (seed = 1; seed <= SEEDS; seed++) {
            signed_in_long_ago(&bench);
            bench.identity.renew_ahead = true;
            bench.identity.random = (uint64_t)seed;
            want(&bench, OUTLOOK);
            renew_for(&bench, "outlook-2", tokens[i].expires_in, tokens[i].refresh_in);
            earliest = wakes_in(&bench) < earliest ? wakes_in(&bench) : earliest;
            latest = wakes_in(&bench) > latest ? wakes_in(&bench) : latest;
            assert_int_equal(identity_next_renewal(&bench.identity, bench.now) - bench.now.wall,
                             wakes_in(&bench));
            bench_close(&bench);
        }
        assert_in_range(earliest, tokens[i].due - most + 1, tokens[i].due - most / 2);
        assert_in_range(latest, tokens[i].due - most / 2, tokens[i].due);
    }
}

static void rule_1_a_renewal_ahead_goes_out_at_its_time_and_not_before(void **state)
{
    struct bench bench;

    (void)state;
    holds_token(&bench, LIFETIME, 0);
    pass(&bench, wakes_in(&bench) - 1);
    happens(&bench, EVENT_TIME);
    assert_int_equal(bench.on_the_wire, 0);
    pass(&bench, 1);
    happens(&bench, EVENT_TIME);
    assert_string_equal(resource_on_the_wire(&bench), OUTLOOK);
    assert_state(&bench, "renewing", PROBLEM_NONE);
    assert_int_equal(wakes_in(&bench), -1);
    assert_token(&bench, want(&bench, OUTLOOK), "outlook-2", false);
    renew_with(&bench, "outlook-3", "refresh-3");
    assert_token(&bench, want(&bench, OUTLOOK), "outlook-3", false);
    bench_close(&bench);
}

static void rule_1_only_what_was_asked_for_since_start_is_renewed_ahead(void **state)
{
    struct bench bench, started;

    (void)state;
    holds_token(&bench, LIFETIME, 0);
    want(&bench, GRAPH);
    renew_with(&bench, "graph-1", NULL);
    open_other(&started, &bench);
    started.identity.renew_ahead = true;
    assert_int_equal(wakes_in(&started), -1);
    assert_int_equal(identity_next_renewal(&started.identity, started.now), 0);
    assert_token(&started, want(&started, GRAPH), "graph-1", false);
    assert_in_range(wakes_in(&started), 3300 - RENEW_JITTER_MAX_S, 3300);
    pass(&started, LIFETIME);
    happens(&started, EVENT_TIME);
    assert_string_equal(resource_on_the_wire(&started), GRAPH);
    renew_with(&started, "graph-2", NULL);
    assert_int_equal(started.on_the_wire, 0);
    bench_close(&bench);
    bench_close(&started);
}

static void rule_1_without_renew_ahead_only_on_demand(void **state)
{
    struct bench bench;

    (void)state;
    holds_token(&bench, LIFETIME, 1800);
    bench.identity.renew_ahead = false;
    assert_int_equal(wakes_in(&bench), -1);
    assert_int_equal(identity_next_renewal(&bench.identity, bench.now), 0);
    pass(&bench, LIFETIME - 120);
    happens(&bench, EVENT_TIME);
    assert_int_equal(bench.on_the_wire, 0);
    assert_token(&bench, want(&bench, OUTLOOK), "outlook-2", false);
    pass(&bench, 1);
    assert_waiting(&bench, want(&bench, OUTLOOK));
    bench_close(&bench);
}

static void rule_1_who_asks_for_a_due_token_has_it_renewed(void **state)
{
    struct event event = {.kind = EVENT_TOKEN_WANTED};
    struct bench bench;

    (void)state;
    holds_token(&bench, LIFETIME, 1800);
    event.wanted.resource = OUTLOOK;
    event.wanted.scopes = event.wanted.fallback_scope = "";
    event.wanted.when_due = true;
    pass(&bench, 1799);
    event.wanted.request = ++bench.last_id;
    step(&bench, &event);
    assert_token(&bench, event.wanted.request, "outlook-2", false);
    pass(&bench, 1);
    event.wanted.request = ++bench.last_id;
    step(&bench, &event);
    assert_waiting(&bench, event.wanted.request);
    bench_close(&bench);
}

static void rule_1_one_request_is_for_one_resource(void **state)
{
    struct bench bench;

    (void)state;
    holds_token(&bench, LIFETIME, 0);
    want(&bench, GRAPH);
    renew_with(&bench, "graph-1", NULL);
    pass(&bench, LIFETIME);
    forget_seen(&bench);
    happens(&bench, EVENT_TIME);
    assert_string_equal(resource_on_the_wire(&bench), OUTLOOK);
    renew_with(&bench, "outlook-3", NULL);
    assert_string_equal(resource_on_the_wire(&bench), GRAPH);
    renew_with(&bench, "graph-2", NULL);
    assert_int_equal(count_seen(&bench, EFFECT_SEND_TOKEN), 2);
    bench_close(&bench);
}

static void rule_1_a_resource_that_the_grant_lacks_is_not_renewed(void **state)
{
    struct token_answer answer;
    struct bench bench;
    uint64_t graph;

    (void)state;
    holds_token(&bench, LIFETIME, 0);
    want(&bench, GRAPH);
    renew_with(&bench, "graph-1", NULL);
    bench.identity.renew_ahead = false;
    pass(&bench, LIFETIME - 60);
    start_sign_in(&bench, IMAP_SCOPE " offline_access openid profile");
    redirect_code(&bench, "code");
    graph = want(&bench, GRAPH);
    assert_waiting(&bench, graph);
    good_code_answer(&answer, "outlook-3", "refresh-3");
    give(&bench, &answer);
    assert_problem(&bench, graph, PROBLEM_CONSENT_REQUIRED);
    bench.identity.renew_ahead = true;
    assert_int_equal(bench.on_the_wire, 0);
    pass(&bench, wakes_in(&bench));
    happens(&bench, EVENT_TIME);
    assert_string_equal(resource_on_the_wire(&bench), OUTLOOK);
    bench_close(&bench);
}

static void rule_1_a_token_just_issued_is_used_up_first(void **state)
{
    struct token_answer answer;
    struct bench bench;

    (void)state;
    bench_open(&bench);
    bench.identity.renew_ahead = true;
    start_sign_in(&bench, ALL_SCOPES);
    good_code_answer(&answer, "outlook-1", "refresh-1");
    answer.expires_in = 90;
    try_with(&bench, &answer);
    assert_int_equal(wakes_in(&bench), RENEWAL_PAUSE_S);
    pass(&bench, RENEWAL_PAUSE_S);
    happens(&bench, EVENT_TIME);
    renew_for(&bench, "outlook-2", 30, 0);
    assert_int_equal(wakes_in(&bench), RENEWAL_PAUSE_S);
    bench_close(&bench);
}

static void rule_10_a_token_issued_here_lives_by_the_clock_that_nobody_sets(void **state)
{
    struct bench bench;

    (void)state;
    holds_token(&bench, LIFETIME, 0);
    set_clock(&bench, bench.now.wall + DAY);
    assert_token(&bench, want(&bench, OUTLOOK), "outlook-2", false);
    set_clock(&bench, bench.now.wall - 3 * DAY);
    pass(&bench, LIFETIME - 121);
    assert_token(&bench, want(&bench, OUTLOOK), "outlook-2", false);
    pass(&bench, 121);
    assert_waiting(&bench, want_more(&bench, OUTLOOK, "", 0, NULL));
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
    assert_in_range(wait, 601, 605);
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
        cmocka_unit_test(rule_1_renews_at_refresh_in_or_five_minutes_before_expiry_with_jitter),
        cmocka_unit_test(rule_1_a_renewal_ahead_goes_out_at_its_time_and_not_before),
        cmocka_unit_test(rule_1_only_what_was_asked_for_since_start_is_renewed_ahead),
        cmocka_unit_test(rule_1_without_renew_ahead_only_on_demand),
        cmocka_unit_test(rule_1_who_asks_for_a_due_token_has_it_renewed),
        cmocka_unit_test(rule_1_one_request_is_for_one_resource),
        cmocka_unit_test(rule_1_a_resource_that_the_grant_lacks_is_not_renewed),
        cmocka_unit_test(rule_1_a_token_just_issued_is_used_up_first),
        cmocka_unit_test(rule_10_a_token_issued_here_lives_by_the_clock_that_nobody_sets),
        cmocka_unit_test(rule_10_a_token_that_was_read_grows_older_by_both_clocks),
        cmocka_unit_test(rule_10_a_resume_re_evaluates_everything_at_once),
        cmocka_unit_test(rule_10_a_clock_that_is_set_moves_no_wait),
    };

    return CORE_TESTS(tests);
}
