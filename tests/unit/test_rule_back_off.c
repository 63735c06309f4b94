/* SPDX-License-Identifier: MPL-2.0 */
/* DESIGN 3, rule 4: passing trouble costs time and nothing else. */
#include "identity_events.h"

#define SEEDS 40

/* The wait after so many failures in a row, with this seed. */
static int64_t wait_after(int failures, int seed)
{
    struct bench bench;
    int64_t wait = 0;

    signed_in_long_ago(&bench);
    bench.identity.random = (uint64_t)seed * 1000003;
    for (; failures > 0; failures--) {
        want(&bench, OUTLOOK);
        fail_with(&bench, TOKEN_FAILURE_TRANSIENT, PROBLEM_IDENTITY_PROVIDER, 0);
        wait = bench.identity.access[0].not_before - bench.now.uptime;
        if (failures > 1)
            pass(&bench, wait > 60 ? wait : 60);
    }
    bench_close(&bench);
    return wait;
}

static void rule_4_the_back_off_doubles_with_full_jitter_up_to_its_cap(void **state)
{
    int64_t bound = BACK_OFF_FIRST_S, earliest, latest, wait;
    int failures, seed;

    (void)state;
    for (failures = 1; failures <= 12; failures++) {
        earliest = INT64_MAX;
        latest = 0;
        for (seed = 1; seed <= SEEDS; seed++) {
            wait = wait_after(failures, seed);
            earliest = wait < earliest ? wait : earliest;
            latest = wait > latest ? wait : latest;
        }
        assert_in_range(earliest, 1, bound / 2);
        assert_in_range(latest, bound / 2 + 1, bound);
        bound = bound * 2 > BACK_OFF_MAX_S ? BACK_OFF_MAX_S : bound * 2;
    }
}

static void rule_4_a_success_begins_the_back_off_anew(void **state)
{
    struct bench bench;
    int i;

    (void)state;
    signed_in_long_ago(&bench);
    for (i = 0; i < 8; i++) {
        want(&bench, OUTLOOK);
        fail_with(&bench, TOKEN_FAILURE_TRANSIENT, PROBLEM_IDENTITY_PROVIDER, 0);
        pass(&bench, BACK_OFF_MAX_S);
    }
    want(&bench, OUTLOOK);
    renew_with(&bench, "outlook-2", NULL);
    pass(&bench, LIFETIME);
    want(&bench, OUTLOOK);
    fail_with(&bench, TOKEN_FAILURE_TRANSIENT, PROBLEM_IDENTITY_PROVIDER, 0);
    assert_in_range(bench.identity.access[0].not_before - bench.now.uptime, 1, BACK_OFF_FIRST_S);
    bench_close(&bench);
}

static void rule_4_a_connection_may_break_once(void **state)
{
    struct bench bench;

    (void)state;
    signed_in_long_ago(&bench);
    assert_waiting(&bench, want(&bench, OUTLOOK));
    fail_with(&bench, TOKEN_FAILURE_TRANSIENT, PROBLEM_NETWORK, 0);
    assert_waiting(&bench, want(&bench, OUTLOOK));
    fail_with(&bench, TOKEN_FAILURE_TRANSIENT, PROBLEM_NETWORK, 0);
    assert_in_range(bench.identity.access[0].not_before - bench.now.uptime, 1, 2 * BACK_OFF_FIRST_S);
    assert_problem(&bench, want(&bench, OUTLOOK), PROBLEM_NETWORK);
    bench_close(&bench);
}

static void rule_4_retry_after_is_honoured_and_shortened_by_nothing(void **state)
{
    struct bench bench;
    int seconds;

    (void)state;
    for (seconds = 1; seconds <= 3600; seconds *= 60) {
        signed_in_long_ago(&bench);
        want(&bench, OUTLOOK);
        fail_with(&bench, TOKEN_FAILURE_TRANSIENT, PROBLEM_THROTTLED, seconds);
        pass(&bench, seconds - 1);
        happens(&bench, EVENT_NETWORK);
        happens(&bench, EVENT_RETRY);
        happens(&bench, EVENT_TIME);
        assert_problem(&bench, want(&bench, OUTLOOK), PROBLEM_THROTTLED);
        pass(&bench, 1);
        assert_waiting(&bench, want(&bench, OUTLOOK));
        bench_close(&bench);
    }
}

/* It is never renewed ahead; but what shows as passing trouble is tried again. */
static void rule_4_a_short_lived_token_is_tried_again_after_a_failure(void **state)
{
    struct bench bench;

    (void)state;
    signed_in_long_ago(&bench);
    bench.identity.renew_ahead = true;
    want(&bench, OUTLOOK);
    renew_for(&bench, "outlook-2", 60, 0);
    assert_int_equal(identity_next_renewal(&bench.identity, bench.now), 0);
    pass(&bench, 61);
    want(&bench, OUTLOOK);
    fail_with(&bench, TOKEN_FAILURE_TRANSIENT, PROBLEM_IDENTITY_PROVIDER, 0);
    assert_state(&bench, "waiting", PROBLEM_IDENTITY_PROVIDER);
    assert_true(identity_next_renewal(&bench.identity, bench.now) > bench.now.wall);
    pass(&bench, wakes_in(&bench));
    happens(&bench, EVENT_TIME);
    renew_for(&bench, "outlook-3", 60, 0);
    assert_state(&bench, "ready", PROBLEM_NONE);
    assert_int_equal(identity_next_renewal(&bench.identity, bench.now), 0);
    bench_close(&bench);
}

static void rule_4_while_backing_off_the_answer_comes_at_once_with_what_lives(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench);
    sign_in(&bench, "outlook-1", "refresh-1");
    pass(&bench, LIFETIME - 60);
    want(&bench, OUTLOOK);
    fail_with(&bench, TOKEN_FAILURE_TRANSIENT, PROBLEM_IDENTITY_PROVIDER, 300);
    assert_token(&bench, want(&bench, OUTLOOK), "outlook-1", false);
    assert_problem(&bench, want_more(&bench, OUTLOOK, "", 120, "outlook-1"), PROBLEM_IDENTITY_PROVIDER);
    pass(&bench, 60);
    assert_int_equal(assert_problem(&bench, want(&bench, OUTLOOK), PROBLEM_IDENTITY_PROVIDER)->retry_after,
                     240);
    assert_false(bench.lock_wanted);
    assert_int_equal(count_seen(&bench, EFFECT_SEND_TOKEN), 1);
    bench_close(&bench);
}

static void rule_4_a_network_that_is_back_ends_the_wait_for_it(void **state)
{
    struct bench bench;
    uint64_t request;

    (void)state;
    signed_in_long_ago(&bench);
    bench.identity.renew_ahead = true;
    want(&bench, OUTLOOK);
    fail_with(&bench, TOKEN_FAILURE_TRANSIENT, PROBLEM_NETWORK, 0);
    pass(&bench, RENEWAL_PAUSE_S);
    bench.identity.access[0].not_before = bench.now.uptime + 500;
    assert_problem(&bench, want(&bench, OUTLOOK), PROBLEM_NETWORK);
    happens(&bench, EVENT_NETWORK);
    assert_string_equal(resource_on_the_wire(&bench), OUTLOOK);
    request = want(&bench, OUTLOOK);
    renew_with(&bench, "outlook-2", NULL);
    assert_token(&bench, request, "outlook-2", true);
    assert_state(&bench, "ready", PROBLEM_NONE);
    bench_close(&bench);
}

static void rule_4_a_renewal_ahead_waits_as_well_and_then_goes_on(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench);
    sign_in(&bench, "outlook-1", "refresh-1");
    bench.identity.renew_ahead = true;
    pass(&bench, wakes_in(&bench));
    happens(&bench, EVENT_TIME);
    fail_with(&bench, TOKEN_FAILURE_TRANSIENT, PROBLEM_THROTTLED, 120);
    assert_state(&bench, "waiting", PROBLEM_THROTTLED);
    assert_in_range(wakes_in(&bench), 120 + BACK_OFF_FIRST_S, 120 + 2 * BACK_OFF_FIRST_S - 1);
    pass(&bench, wakes_in(&bench));
    happens(&bench, EVENT_TIME);
    renew_with(&bench, "outlook-2", NULL);
    assert_state(&bench, "ready", PROBLEM_NONE);
    bench_close(&bench);
}

static void rule_4_what_passes_keeps_everything(void **state)
{
    static const struct {
        long status;
        const char *body;
        enum problem_kind kind;
    } answers[] = {
        {408, "", PROBLEM_IDENTITY_PROVIDER},
        {429, "{\"error\":\"invalid_grant\",\"suberror\":\"bad_token\"}", PROBLEM_THROTTLED},
        {500, "{\"error\":\"invalid_grant\"}", PROBLEM_IDENTITY_PROVIDER},
        {503, "<html>", PROBLEM_THROTTLED},
        {400, "{\"error\":\"temporarily_unavailable\"}", PROBLEM_IDENTITY_PROVIDER},
        {400, "{\"error\":\"invalid_grant\",\"error_codes\":[50196]}", PROBLEM_THROTTLED},
        {400, "{\"error\":\"invalid_grant\",\"error_codes\":[90033]}", PROBLEM_IDENTITY_PROVIDER},
        {200, "{\"error\":\"invalid_grant\",\"suberror\":\"bad_token\"}", PROBLEM_IDENTITY_PROVIDER},
    };
    struct bench bench;
    uint64_t request;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        signed_in_long_ago(&bench);
        request = want(&bench, OUTLOOK);
        answer_http(&bench, answers[i].status, 0, answers[i].body);
        assert_problem(&bench, request, answers[i].kind);
        assert_refresh_token(&bench, "refresh-1");
        assert_int_equal(count_seen(&bench, EFFECT_SAVE), 0);
        assert_int_equal(count_seen(&bench, EFFECT_ATTENTION), 0);
        assert_false(bench.identity.access[0].suspended);
        assert_state(&bench, "waiting", answers[i].kind);
        assert_waiting(&bench, want(&bench, GRAPH));
        bench_close(&bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_4_the_back_off_doubles_with_full_jitter_up_to_its_cap),
        cmocka_unit_test(rule_4_a_success_begins_the_back_off_anew),
        cmocka_unit_test(rule_4_a_connection_may_break_once),
        cmocka_unit_test(rule_4_retry_after_is_honoured_and_shortened_by_nothing),
        cmocka_unit_test(rule_4_a_short_lived_token_is_tried_again_after_a_failure),
        cmocka_unit_test(rule_4_while_backing_off_the_answer_comes_at_once_with_what_lives),
        cmocka_unit_test(rule_4_a_network_that_is_back_ends_the_wait_for_it),
        cmocka_unit_test(rule_4_a_renewal_ahead_waits_as_well_and_then_goes_on),
        cmocka_unit_test(rule_4_what_passes_keeps_everything),
    };

    return CORE_TESTS(tests);
}
