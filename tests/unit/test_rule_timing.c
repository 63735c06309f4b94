/* SPDX-License-Identifier: MPL-2.0 */
/* DESIGN 3, rule 1: when a token is renewed, and which. */
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
    } tokens[] = {{3600, 0, 3300},         {3600, 1800, 1800},  {3600, 3500, 3300},
                  {DAY, DAY / 2, DAY / 2}, {DAY, 0, DAY - 300}, {900, 0, 600},
                  {600, 0, 300},           {500, 0, 200},       {500, 100, 100}};
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

static void rule_1_is_renewed_ahead_no_more_than_once_a_minute(void **state)
{
    struct token_answer answer;
    struct bench bench;

    (void)state;
    bench_open(&bench);
    bench.identity.renew_ahead = true;
    start_sign_in(&bench, ALL_SCOPES);
    good_code_answer(&answer, "outlook-1", "refresh-1");
    answer.expires_in = 320; /* due after 20 seconds */
    try_with(&bench, &answer);
    assert_in_range(wakes_in(&bench), 18, 20);
    pass(&bench, 20);
    happens(&bench, EVENT_TIME);
    renew_for(&bench, "outlook-2", 320, 0);
    assert_int_equal(wakes_in(&bench), RENEWAL_PAUSE_S);
    bench_close(&bench);
}

static void rule_1_what_lives_no_longer_than_the_margin_is_renewed_on_demand(void **state)
{
    struct bench bench;

    (void)state;
    holds_token(&bench, RENEW_BEFORE_EXPIRY_S, 0);
    assert_int_equal(wakes_in(&bench), -1);
    pass(&bench, RENEW_BEFORE_EXPIRY_S - 120);
    assert_token(&bench, want(&bench, OUTLOOK), "outlook-2", false);
    pass(&bench, 120);
    assert_waiting(&bench, want(&bench, OUTLOOK));
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
        cmocka_unit_test(rule_1_is_renewed_ahead_no_more_than_once_a_minute),
        cmocka_unit_test(rule_1_what_lives_no_longer_than_the_margin_is_renewed_on_demand),
    };

    return CORE_TESTS(tests);
}
