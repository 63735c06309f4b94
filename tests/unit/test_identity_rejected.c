/* SPDX-License-Identifier: MPL-2.0 */
/* A token that a mail server refused is replaced, but a server that refuses good ones causes no storm. */
#include "identity_events.h"

static uint64_t reject(struct bench *bench, const char *resource, const char *token)
{
    return want_more(bench, resource, "", 120, token);
}

/* Rejects outlook-N and renews to outlook-N+1, count times, as soon as the pause allows. */
static int reject_and_renew(struct bench *bench, int number, int count)
{
    char old[32], fresh[32];
    uint64_t request;

    for (; count > 0; count--, number++) {
        snprintf(old, sizeof old, "outlook-%d", number);
        snprintf(fresh, sizeof fresh, "outlook-%d", number + 1);
        request = reject(bench, OUTLOOK, old);
        assert_waiting(bench, request);
        renew_with(bench, fresh, NULL);
        assert_token(bench, request, fresh, true);
        pass(bench, 31);
    }
    return number;
}

static void a_refused_token_is_renewed_at_once(void **state)
{
    struct bench bench;
    uint64_t request;

    (void)state;
    bench_open(&bench);
    sign_in(&bench, "outlook-1", "refresh-1");
    request = reject(&bench, OUTLOOK, "outlook-1");
    assert_waiting(&bench, request);
    assert_token(&bench, reject(&bench, OUTLOOK, "outlook-0"), "outlook-1", false);
    assert_token(&bench, want(&bench, OUTLOOK), "outlook-1", false);
    renew_with(&bench, "outlook-2", NULL);
    assert_token(&bench, request, "outlook-2", true);
    assert_token(&bench, reject(&bench, OUTLOOK, "outlook-1"), "outlook-2", false);
    bench_close(&bench);
}

static void a_refused_token_is_not_handed_out_when_its_renewal_fails(void **state)
{
    struct bench bench;
    uint64_t refused, other, late;

    (void)state;
    bench_open(&bench);
    sign_in(&bench, "outlook-1", "refresh-1");
    pass(&bench, LIFETIME - 60);
    other = want(&bench, OUTLOOK);
    refused = reject(&bench, OUTLOOK, "outlook-1");
    late = reject(&bench, OUTLOOK, "outlook-1");
    end_request(&bench, late, false);
    assert_problem(&bench, late, PROBLEM_NETWORK);
    fail_with(&bench, TOKEN_FAILURE_TRANSIENT, PROBLEM_IDENTITY_PROVIDER, 0);
    assert_token(&bench, other, "outlook-1", false);
    assert_problem(&bench, refused, PROBLEM_IDENTITY_PROVIDER);
    bench_close(&bench);
}

static void the_fourth_refusal_in_ten_minutes_gets_the_newest_token_and_advice(void **state)
{
    struct bench bench;
    int number;

    (void)state;
    bench_open(&bench);
    sign_in(&bench, "outlook-1", "refresh-1");
    pass(&bench, 100);
    number = reject_and_renew(&bench, 1, REJECTED_RENEWALS_MAX);
    assert_int_equal(number, 4);
    assert_state(&bench, "ready", PROBLEM_NONE);
    assert_token(&bench, reject(&bench, OUTLOOK, "outlook-4"), "outlook-4", false);
    assert_state(&bench, "ready", PROBLEM_BLOCKED);
    assert_waiting(&bench, want(&bench, GRAPH));
    renew_with(&bench, "graph-1", NULL);
    pass_until(&bench, START + 100 + REJECTED_WINDOW_S - 1);
    assert_token(&bench, reject(&bench, OUTLOOK, "outlook-4"), "outlook-4", false);
    pass(&bench, 1);
    assert_waiting(&bench, reject(&bench, OUTLOOK, "outlook-4"));
    bench_close(&bench);
}

static void a_sign_out_withdraws_the_advice(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench);
    sign_in(&bench, "outlook-1", "refresh-1");
    pass(&bench, 100);
    reject_and_renew(&bench, 1, REJECTED_RENEWALS_MAX);
    assert_token(&bench, reject(&bench, OUTLOOK, "outlook-4"), "outlook-4", false);
    assert_state(&bench, "ready", PROBLEM_BLOCKED);
    happens(&bench, EVENT_SIGN_OUT);
    assert_state(&bench, "signed-out", PROBLEM_NONE);
    bench_close(&bench);
}

static void refusals_are_counted_for_each_resource_alone(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench);
    sign_in(&bench, "outlook-1", "refresh-1");
    want(&bench, GRAPH);
    renew_with(&bench, "graph-1", NULL);
    pass(&bench, 100);
    reject_and_renew(&bench, 1, REJECTED_RENEWALS_MAX);
    assert_waiting(&bench, reject(&bench, GRAPH, "graph-1"));
    bench_close(&bench);
}

static void one_renewal_counts_once_however_many_were_refused(void **state)
{
    struct bench bench;
    uint64_t request;
    int i;

    (void)state;
    bench_open(&bench);
    sign_in(&bench, "outlook-1", "refresh-1");
    pass(&bench, 100);
    want(&bench, GRAPH); /* the line is busy: those refused wait for their turn */
    for (i = 0; i < 10; i++)
        assert_waiting(&bench, reject(&bench, OUTLOOK, "outlook-1"));
    renew_with(&bench, "graph-1", NULL);
    for (i = 0; i < 10; i++)
        assert_waiting(&bench, reject(&bench, OUTLOOK, "outlook-1"));
    renew_with(&bench, "outlook-2", NULL);
    request = reject(&bench, OUTLOOK, "outlook-2");
    assert_waiting(&bench, request);
    renew_with(&bench, "outlook-3", NULL);
    assert_token(&bench, request, "outlook-3", true);
    bench_close(&bench);
}

static void a_refusal_that_led_to_no_renewal_does_not_count(void **state)
{
    struct bench bench;
    int i;

    (void)state;
    bench_open(&bench);
    sign_in(&bench, "outlook-1", "refresh-1");
    pass(&bench, 100);
    reject(&bench, OUTLOOK, "outlook-1");
    renew_with(&bench, "outlook-2", NULL);
    reject(&bench, OUTLOOK, "outlook-2");
    renew_with(&bench, "outlook-3", NULL);
    for (i = 0; i < 5; i++)
        assert_problem(&bench, reject(&bench, OUTLOOK, "outlook-3"), PROBLEM_THROTTLED);
    pass(&bench, 60);
    assert_waiting(&bench, reject(&bench, OUTLOOK, "outlook-3"));
    assert_state(&bench, "renewing", PROBLEM_NONE);
    bench_close(&bench);
}

static void an_expired_token_that_was_refused_is_renewed_without_counting(void **state)
{
    struct bench bench;

    (void)state;
    signed_in_long_ago(&bench);
    reject(&bench, OUTLOOK, "outlook-1");
    renew_with(&bench, "outlook-2", NULL);
    pass(&bench, 100);
    reject_and_renew(&bench, 2, REJECTED_RENEWALS_MAX);
    bench_close(&bench);
}

/* A health check's, whose mail server refused the token at hand. */
static uint64_t look_again(struct bench *bench, const char *token)
{
    unsigned char hash[REJECTED_HASH_BYTES];
    const struct event event = {.kind = EVENT_TOKEN_WANTED,
                                .wanted = {.request = ++bench->last_id,
                                           .resource = OUTLOOK,
                                           .scopes = "",
                                           .fallback_scope = IMAP_SCOPE,
                                           .rejected = hash,
                                           .probe = true}};

    crypto_hash_sha256(hash, (const unsigned char *)token, strlen(token));
    step(bench, &event);
    return event.wanted.request;
}

static void a_look_that_is_refused_everything_shows_in_no_state(void **state)
{
    static const struct {
        enum token_failure failure;
        enum problem_kind kind;
    } failures[] = {{TOKEN_FAILURE_TRANSIENT, PROBLEM_IDENTITY_PROVIDER},
                    {TOKEN_FAILURE_SUSPENDED, PROBLEM_SIGN_IN_REQUIRED},
                    {TOKEN_FAILURE_DEAD, PROBLEM_SIGN_IN_REQUIRED}};
    struct bench bench;
    uint64_t request;
    size_t i;

    (void)state;
    bench_open(&bench);
    sign_in(&bench, "outlook-1", "refresh-1");
    assert_token(&bench, want(&bench, OUTLOOK), "outlook-1", false);
    for (i = 0; i < sizeof failures / sizeof failures[0]; i++) {
        pass(&bench, RENEWAL_PAUSE_S);
        forget_seen(&bench);
        request = look_again(&bench, "outlook-1");
        assert_waiting(&bench, request);
        assert_state(&bench, "ready", PROBLEM_NONE);
        fail_with(&bench, failures[i].failure, failures[i].kind, 0);
        assert_problem(&bench, request, failures[i].kind);
        assert_state(&bench, "ready", PROBLEM_NONE);
        assert_int_equal(count_seen(&bench, EFFECT_ATTENTION), 0);
        assert_refresh_token(&bench, "refresh-1");
        assert_token(&bench, want(&bench, OUTLOOK), "outlook-1", false);
    }
    bench_close(&bench);
}

static void looks_leave_thunderbird_its_renewals(void **state)
{
    struct bench bench;
    uint64_t request;
    int i;

    (void)state;
    bench_open(&bench);
    sign_in(&bench, "outlook-1", "refresh-1");
    pass(&bench, RENEWAL_PAUSE_S);
    request = look_again(&bench, "outlook-1");
    renew_with(&bench, "outlook-2", NULL);
    assert_token(&bench, request, "outlook-2", true);
    for (i = 0; i < REJECTED_RENEWALS_MAX + 1; i++)
        assert_token(&bench, look_again(&bench, "outlook-2"), "outlook-2", false);
    request = reject(&bench, OUTLOOK, "outlook-2");
    assert_waiting(&bench, request);
    renew_with(&bench, "outlook-3", NULL);
    assert_token(&bench, request, "outlook-3", true);
    assert_state(&bench, "ready", PROBLEM_NONE);
    bench_close(&bench);
}

static void a_look_withdraws_no_advice(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench);
    sign_in(&bench, "outlook-1", "refresh-1");
    pass(&bench, 100);
    reject_and_renew(&bench, 1, REJECTED_RENEWALS_MAX);
    assert_token(&bench, reject(&bench, OUTLOOK, "outlook-4"), "outlook-4", false);
    pass(&bench, REJECTED_WINDOW_S);
    assert_token(&bench, look_again(&bench, "outlook-1"), "outlook-4", false);
    assert_state(&bench, "ready", PROBLEM_BLOCKED);
    assert_token(&bench, want(&bench, OUTLOOK), "outlook-4", false);
    assert_state(&bench, "ready", PROBLEM_NONE);
    bench_close(&bench);
}

static void who_needs_the_token_makes_a_look_s_failure_count(void **state)
{
    struct bench bench;
    uint64_t look, request;

    (void)state;
    bench_open(&bench);
    sign_in(&bench, "outlook-1", "refresh-1");
    pass(&bench, RENEWAL_PAUSE_S);
    look = look_again(&bench, "outlook-1");
    request = reject(&bench, OUTLOOK, "outlook-1");
    fail_with(&bench, TOKEN_FAILURE_SUSPENDED, PROBLEM_SIGN_IN_REQUIRED, 0);
    assert_problem(&bench, look, PROBLEM_SIGN_IN_REQUIRED);
    assert_problem(&bench, request, PROBLEM_SIGN_IN_REQUIRED);
    assert_state(&bench, "attention", PROBLEM_SIGN_IN_REQUIRED);
    bench_close(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_token_is_renewed_at_once),
        cmocka_unit_test(a_look_that_is_refused_everything_shows_in_no_state),
        cmocka_unit_test(looks_leave_thunderbird_its_renewals),
        cmocka_unit_test(a_look_withdraws_no_advice),
        cmocka_unit_test(a_sign_out_withdraws_the_advice),
        cmocka_unit_test(who_needs_the_token_makes_a_look_s_failure_count),
        cmocka_unit_test(a_refused_token_is_not_handed_out_when_its_renewal_fails),
        cmocka_unit_test(the_fourth_refusal_in_ten_minutes_gets_the_newest_token_and_advice),
        cmocka_unit_test(refusals_are_counted_for_each_resource_alone),
        cmocka_unit_test(one_renewal_counts_once_however_many_were_refused),
        cmocka_unit_test(a_refusal_that_led_to_no_renewal_does_not_count),
        cmocka_unit_test(an_expired_token_that_was_refused_is_renewed_without_counting),
    };

    return CORE_TESTS(tests);
}
