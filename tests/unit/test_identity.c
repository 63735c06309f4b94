/* SPDX-License-Identifier: MPL-2.0 */
/* Who asks for a token gets one: from the cache, or by one renewal that all share. */
#include "core/diagnosis.h"
#include "identity_events.h"

#define SHARING 100

static void nobody_gets_a_token_before_signing_in(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench);
    assert_problem(&bench, want(&bench, OUTLOOK), PROBLEM_SIGN_IN_REQUIRED);
    assert_int_equal(bench.on_the_wire, 0);
    assert_state(&bench, "signed-out", PROBLEM_NONE);
    bench_close(&bench);
}

static void a_living_token_comes_from_the_cache(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench);
    sign_in(&bench, "outlook-1", "refresh-1");
    pass(&bench, 1000);
    assert_token(&bench, want(&bench, OUTLOOK), "outlook-1", false);
    assert_token(&bench, want(&bench, "HTTPS://Outlook.Office.COM"), "outlook-1", false);
    assert_int_equal(bench.on_the_wire, 0);
    assert_int_equal(count_seen(&bench, EFFECT_SAVE), 0);
    assert_state(&bench, "ready", PROBLEM_NONE);
    bench_close(&bench);
}

static void an_expired_token_is_renewed_and_saved_before_it_is_handed_out(void **state)
{
    struct bench bench;
    uint64_t request;

    (void)state;
    signed_in_long_ago(&bench);
    request = want(&bench, OUTLOOK);
    assert_waiting(&bench, request);
    assert_state(&bench, "renewing", PROBLEM_NONE);
    assert_int_equal(bench.identity.flight.purpose, PURPOSE_REFRESH);
    forget_seen(&bench);
    renew_with(&bench, "outlook-2", "refresh-2");
    assert_token(&bench, request, "outlook-2", true);
    assert_refresh_token(&bench, "refresh-2");
    assert_int_equal(bench.seen[0].effect.kind, EFFECT_SAVE);
    assert_int_equal(bench.identity.grant.last_used_at, bench.now.wall);
    assert_int_equal(bench.identity.grant.obtained_at, START);
    assert_state(&bench, "ready", PROBLEM_NONE);
    bench_close(&bench);
}

static void a_token_that_expires_this_second_is_not_handed_out(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench);
    sign_in(&bench, "outlook-1", "refresh-1");
    pass_until(&bench, START + LIFETIME - 1);
    assert_token(&bench, want_more(&bench, OUTLOOK, "", 0, NULL), "outlook-1", false);
    pass_until(&bench, START + LIFETIME);
    assert_waiting(&bench, want_more(&bench, OUTLOOK, "", 0, NULL));
    bench_close(&bench);
}

static void min_ttl_is_kept_to_the_second(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench);
    sign_in(&bench, "outlook-1", "refresh-1");
    pass_until(&bench, START + LIFETIME - 120);
    assert_token(&bench, want(&bench, OUTLOOK), "outlook-1", false);
    pass(&bench, 1);
    assert_waiting(&bench, want(&bench, OUTLOOK));
    bench_close(&bench);
}

static void never_more_than_half_of_the_lifetime_is_demanded(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench);
    sign_in(&bench, "outlook-1", "refresh-1");
    bench.identity.access[0].expires_at = START + 600;
    pass_until(&bench, START + 300);
    assert_token(&bench, want_more(&bench, OUTLOOK, "", 1800, NULL), "outlook-1", false);
    pass(&bench, 1);
    assert_waiting(&bench, want_more(&bench, OUTLOOK, "", 1800, NULL));
    bench_close(&bench);
}

static void a_token_just_issued_is_handed_out_however_short_it_lives(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench);
    sign_in(&bench, "outlook-1", "refresh-1");
    bench.identity.access[0].expires_at = START + 100;
    pass_until(&bench, START + RENEWAL_PAUSE_S - 1);
    assert_token(&bench, want_more(&bench, OUTLOOK, "", 1800, NULL), "outlook-1", false);
    pass(&bench, 1);
    assert_waiting(&bench, want_more(&bench, OUTLOOK, "", 1800, NULL));
    bench_close(&bench);
}

static void a_renewal_is_shared_by_everybody_who_asks(void **state)
{
    struct bench bench;
    uint64_t requests[SHARING];
    size_t i;

    (void)state;
    signed_in_long_ago(&bench);
    for (i = 0; i < SHARING; i++)
        requests[i] = want(&bench, OUTLOOK);
    assert_int_equal(count_seen(&bench, EFFECT_SEND_TOKEN), 1);
    renew_with(&bench, "outlook-2", "refresh-2");
    for (i = 0; i < SHARING; i++)
        assert_token(&bench, requests[i], "outlook-2", true);
    assert_int_equal(count_seen(&bench, EFFECT_SEND_TOKEN), 1);
    assert_int_equal(count_seen(&bench, EFFECT_SAVE), 1);
    bench_close(&bench);
}

static void two_resources_are_renewed_one_after_the_other(void **state)
{
    struct bench bench;
    uint64_t mail[2], graph[2];

    (void)state;
    signed_in_long_ago(&bench);
    mail[0] = want(&bench, OUTLOOK);
    graph[0] = want(&bench, GRAPH);
    mail[1] = want(&bench, OUTLOOK);
    graph[1] = want(&bench, GRAPH);
    assert_int_equal(count_seen(&bench, EFFECT_SEND_TOKEN), 1);
    assert_string_equal(bench.identity.access[bench.identity.flight.resource].resource, OUTLOOK);
    renew_with(&bench, "outlook-2", "refresh-2");
    assert_token(&bench, mail[0], "outlook-2", true);
    assert_token(&bench, mail[1], "outlook-2", true);
    assert_waiting(&bench, graph[0]);
    assert_int_equal(count_seen(&bench, EFFECT_SEND_TOKEN), 2);
    assert_string_equal(bench.identity.access[bench.identity.flight.resource].resource, GRAPH);
    renew_with(&bench, "graph-1", "refresh-3");
    assert_token(&bench, graph[0], "graph-1", true);
    assert_token(&bench, graph[1], "graph-1", true);
    assert_token(&bench, want(&bench, OUTLOOK), "outlook-2", false);
    assert_refresh_token(&bench, "refresh-3");
    bench_close(&bench);
}

static void at_most_two_renewals_a_minute_then_throttled(void **state)
{
    struct bench bench;
    const struct problem *problem;
    int i;

    (void)state;
    signed_in_long_ago(&bench);
    for (i = 0; i < RENEWALS_PER_MINUTE; i++) {
        uint64_t request = want(&bench, OUTLOOK);
        fail_with(&bench, TOKEN_FAILURE_TRANSIENT, PROBLEM_NETWORK, 0);
        assert_problem(&bench, request, PROBLEM_NETWORK);
        pass(&bench, 10);
    }
    problem = assert_problem(&bench, want(&bench, OUTLOOK), PROBLEM_THROTTLED);
    assert_int_equal(problem->retry_after, 40);
    assert_waiting(&bench, want(&bench, GRAPH));
    renew_with(&bench, "graph-1", NULL);
    pass(&bench, 39);
    problem = assert_problem(&bench, want(&bench, OUTLOOK), PROBLEM_THROTTLED);
    assert_int_equal(problem->retry_after, 1);
    pass(&bench, 1);
    assert_waiting(&bench, want(&bench, OUTLOOK));
    bench_close(&bench);
}

/* A laptop that wakes up asks before the network is there: that is no reason to wait once it is. */
static void renewals_that_never_left_are_not_counted(void **state)
{
    static const char *const stages[] = {"dns", "proxy", "connect", "tls"};
    struct bench bench;
    size_t i;

    (void)state;
    signed_in_long_ago(&bench);
    bench.identity.renew_ahead = false;
    for (i = 0; i < sizeof stages / sizeof stages[0]; i++) {
        struct token_answer answer = {.failure = TOKEN_FAILURE_TRANSIENT};
        uint64_t request = want(&bench, OUTLOOK);
        diagnose_transport(stages[i], &answer.problem);
        give(&bench, &answer);
        assert_problem(&bench, request, PROBLEM_NETWORK);
        happens(&bench, EVENT_NETWORK);
    }
    assert_waiting(&bench, want(&bench, OUTLOOK));
    renew_with(&bench, "outlook-2", NULL);
    bench_close(&bench);
}

static void a_full_list_of_waiters_is_still_answered(void **state)
{
    struct bench bench;
    struct event event = {.kind = EVENT_TOKEN_WANTED};
    uint64_t first, last = 0;
    size_t i;

    (void)state;
    signed_in_long_ago(&bench);
    first = want(&bench, OUTLOOK);
    for (i = 1; i < IDENTITY_WAITERS_MAX; i++)
        last = want(&bench, OUTLOOK);
    event.wanted.request = last + 1;
    event.wanted.resource = OUTLOOK;
    event.wanted.scopes = event.wanted.fallback_scope = "";
    assert_int_equal(identity_step(&bench.identity, &event, bench.now, &bench.effects), -1);
    renew_with(&bench, "outlook-2", NULL);
    assert_token(&bench, first, "outlook-2", true);
    assert_token(&bench, last, "outlook-2", true);
    assert_int_equal(bench.identity.waiter_count, 0);
    assert_token(&bench, want(&bench, OUTLOOK), "outlook-2", false);
    bench_close(&bench);
}

static void a_deadline_gives_the_living_token_or_a_timeout(void **state)
{
    struct bench bench;
    uint64_t request;

    (void)state;
    bench_open(&bench);
    sign_in(&bench, "outlook-1", "refresh-1");
    pass(&bench, LIFETIME - 60);
    request = want(&bench, OUTLOOK);
    assert_waiting(&bench, request);
    end_request(&bench, request, false);
    assert_token(&bench, request, "outlook-1", false);
    pass(&bench, 60);
    request = want(&bench, OUTLOOK);
    end_request(&bench, request, false);
    assert_string_equal(assert_problem(&bench, request, PROBLEM_NETWORK)->stage, "timeout");
    end_request(&bench, request, false);
    assert_int_equal(answers_to(&bench, request), 1);
    assert_int_equal(bench.on_the_wire, 1);
    renew_with(&bench, "outlook-2", "refresh-2");
    assert_refresh_token(&bench, "refresh-2");
    assert_token(&bench, want(&bench, OUTLOOK), "outlook-2", false);
    bench_close(&bench);
}

static void a_cancelled_request_is_told_so_and_the_others_go_on(void **state)
{
    struct bench bench;
    uint64_t cancelled, other;

    (void)state;
    signed_in_long_ago(&bench);
    cancelled = want(&bench, OUTLOOK);
    other = want(&bench, OUTLOOK);
    end_request(&bench, cancelled, true);
    assert_problem(&bench, cancelled, PROBLEM_CANCELLED);
    assert_waiting(&bench, other);
    renew_with(&bench, "outlook-2", NULL);
    assert_token(&bench, other, "outlook-2", true);
    assert_int_equal(answers_to(&bench, cancelled), 1);
    bench_close(&bench);
}

static void a_scope_never_granted_is_named_without_a_request(void **state)
{
    struct bench bench;
    const struct problem *problem;
    const char *wanted = IMAP_SCOPE " " OUTLOOK "/POP.AccessAsUser.All offline_access";

    (void)state;
    signed_in_long_ago(&bench);
    problem = assert_problem(&bench, want_more(&bench, OUTLOOK, wanted, 120, NULL), PROBLEM_CONSENT_REQUIRED);
    assert_string_equal(problem->missing_scopes, OUTLOOK "/POP.AccessAsUser.All");
    assert_string_equal(problem->resource, OUTLOOK);
    problem = assert_problem(&bench, want(&bench, "https://example.org"), PROBLEM_CONSENT_REQUIRED);
    assert_string_equal(problem->missing_scopes, IMAP_SCOPE);
    assert_int_equal(bench.on_the_wire, 0);
    assert_waiting(&bench,
                   want_more(&bench, OUTLOOK, "https://OUTLOOK.office.com/smtp.send openid", 120, NULL));
    bench_close(&bench);
}

static void what_entra_says_it_granted_replaces_what_was_asked_for(void **state)
{
    struct bench bench;
    struct token_answer answer = {.expires_in = LIFETIME};

    (void)state;
    signed_in_long_ago(&bench);
    want(&bench, OUTLOOK);
    put_secret(&answer.access_token, "outlook-2");
    strcpy(answer.scopes,
           "https://outlook.office.com/imap.accessasuser.all " OUTLOOK "/POP.AccessAsUser.All");
    give(&bench, &answer);
    assert_token(&bench, want_more(&bench, OUTLOOK, OUTLOOK "/POP.AccessAsUser.All", 120, NULL), "outlook-2",
                 false);
    assert_problem(&bench, want_more(&bench, OUTLOOK, SMTP_SCOPE, 120, NULL), PROBLEM_CONSENT_REQUIRED);
    assert_waiting(&bench, want_more(&bench, GRAPH, USER_SCOPE, 120, NULL));
    bench_close(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_gets_a_token_before_signing_in),
        cmocka_unit_test(a_living_token_comes_from_the_cache),
        cmocka_unit_test(an_expired_token_is_renewed_and_saved_before_it_is_handed_out),
        cmocka_unit_test(a_token_that_expires_this_second_is_not_handed_out),
        cmocka_unit_test(min_ttl_is_kept_to_the_second),
        cmocka_unit_test(never_more_than_half_of_the_lifetime_is_demanded),
        cmocka_unit_test(a_token_just_issued_is_handed_out_however_short_it_lives),
        cmocka_unit_test(a_renewal_is_shared_by_everybody_who_asks),
        cmocka_unit_test(two_resources_are_renewed_one_after_the_other),
        cmocka_unit_test(at_most_two_renewals_a_minute_then_throttled),
        cmocka_unit_test(renewals_that_never_left_are_not_counted),
        cmocka_unit_test(a_full_list_of_waiters_is_still_answered),
        cmocka_unit_test(a_deadline_gives_the_living_token_or_a_timeout),
        cmocka_unit_test(a_cancelled_request_is_told_so_and_the_others_go_on),
        cmocka_unit_test(a_scope_never_granted_is_named_without_a_request),
        cmocka_unit_test(what_entra_says_it_granted_replaces_what_was_asked_for),
    };

    return CORE_TESTS(tests);
}
