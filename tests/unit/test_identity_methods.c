/* SPDX-License-Identifier: MPL-2.0 */
/* Signing in without a browser here: by device code (RFC 8628), and by taking over a refresh token. */
#include "other_process.h"

#define INTERVAL 7

static uint64_t start_by(struct bench *bench, enum sign_in_method method, const char *text, int64_t interval)
{
    struct event event = {.kind = EVENT_SIGN_IN_START};
    struct secret code = {0};

    put_secret(&code, text);
    event.start.id = ++bench->last_id;
    event.start.method = method;
    event.start.redirect_uri = "";
    event.start.scopes = ALL_SCOPES;
    event.start.code = &code;
    event.start.interval = interval;
    step(bench, &event);
    assert_null(code.bytes);
    return event.start.id;
}

static uint64_t start_device(struct bench *bench, int64_t interval)
{
    bench_open(bench);
    return start_by(bench, METHOD_DEVICE, "device-code", interval);
}

/* What a poll is answered; pending and slow_down come as failures (RFC 8628 section 3.5). */
static void poll_says(struct bench *bench, enum device_poll poll, enum problem_kind kind)
{
    struct token_answer answer = {.failure = TOKEN_FAILURE_SUSPENDED, .device_poll = poll};

    problem_set(&answer.problem, kind, "It failed.", "Do something.");
    give(bench, &answer);
}

/* Nothing is sent before so many seconds have passed, and then it is. */
static void polls_after(struct bench *bench, int64_t seconds)
{
    assert_int_equal(bench->on_the_wire, 0);
    assert_false(bench->lock_held);
    assert_int_equal(wakes_in(bench), seconds);
    pass(bench, seconds - 1);
    happens(bench, EVENT_TIME);
    assert_int_equal(bench->on_the_wire, 0);
    pass(bench, 1);
    happens(bench, EVENT_TIME);
    assert_int_equal(bench->on_the_wire, 1);
    assert_int_equal(bench->identity.flight.purpose, PURPOSE_SIGN_IN);
    assert_string_equal(secret_expose(&bench->identity.sign_in.code), "device-code");
}

static void device_a_pending_code_is_polled_at_the_servers_interval(void **state)
{
    struct token_answer answer;
    struct bench bench;
    uint64_t id = start_device(&bench, INTERVAL);
    int i;

    (void)state;
    assert_state(&bench, "signing-in", PROBLEM_NONE);
    for (i = 0; i < 5; i++) {
        polls_after(&bench, INTERVAL);
        poll_says(&bench, DEVICE_POLL_PENDING, PROBLEM_SIGN_IN_REQUIRED);
    }
    polls_after(&bench, INTERVAL);
    good_code_answer(&answer, "outlook-1", "refresh-1");
    answer.id.nonce[0] = '\0'; /* none was sent */
    give(&bench, &answer);
    finished_with(&bench, id, PROBLEM_NONE);
    assert_int_equal(bench.identity.grant.method, METHOD_DEVICE);
    assert_refresh_token(&bench, "refresh-1");
    assert_int_equal(count_seen(&bench, EFFECT_SIGN_IN_RETRY), 0);
    assert_int_equal(wakes_in(&bench), -1);
    bench_close(&bench);
}

static void device_slow_down_adds_five_seconds_each_time(void **state)
{
    struct bench bench;

    (void)state;
    start_device(&bench, INTERVAL);
    polls_after(&bench, INTERVAL);
    poll_says(&bench, DEVICE_POLL_SLOW_DOWN, PROBLEM_THROTTLED);
    polls_after(&bench, INTERVAL + 5);
    poll_says(&bench, DEVICE_POLL_SLOW_DOWN, PROBLEM_THROTTLED);
    polls_after(&bench, INTERVAL + 10);
    poll_says(&bench, DEVICE_POLL_PENDING, PROBLEM_SIGN_IN_REQUIRED);
    polls_after(&bench, INTERVAL + 10);
    bench_close(&bench);
}

static void device_passing_trouble_doubles_the_interval_up_to_a_bound(void **state)
{
    static const int64_t waits[] = {14, 28, 56, 60, 60};
    struct bench bench;
    size_t i;

    (void)state;
    start_device(&bench, INTERVAL);
    polls_after(&bench, INTERVAL);
    for (i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        fail_with(&bench, TOKEN_FAILURE_TRANSIENT, PROBLEM_NETWORK, 0);
        polls_after(&bench, waits[i]);
    }
    fail_with(&bench, TOKEN_FAILURE_TRANSIENT, PROBLEM_THROTTLED, 100);
    polls_after(&bench, 100);
    bench_close(&bench);
}

static void device_never_more_often_than_the_server_asked(void **state)
{
    struct bench bench;

    (void)state;
    start_device(&bench, 90);
    polls_after(&bench, 90);
    poll_says(&bench, DEVICE_POLL_PENDING, PROBLEM_SIGN_IN_REQUIRED);
    polls_after(&bench, 90);
    fail_with(&bench, TOKEN_FAILURE_TRANSIENT, PROBLEM_NETWORK, 0);
    polls_after(&bench, 90);
    bench_close(&bench);
    start_device(&bench, 0); /* it did not say */
    polls_after(&bench, DEVICE_INTERVAL_DEFAULT_S);
    bench_close(&bench);
    start_device(&bench, INTERVAL);
    happens(&bench, EVENT_NETWORK);
    happens(&bench, EVENT_RETRY);
    set_clock(&bench, START + 86400);
    happens(&bench, EVENT_TIME);
    polls_after(&bench, INTERVAL);
    bench_close(&bench);
}

static void device_a_declined_or_expired_code_ends_it_at_once(void **state)
{
    struct bench bench;
    uint64_t id;

    (void)state;
    id = start_device(&bench, INTERVAL);
    polls_after(&bench, INTERVAL);
    poll_says(&bench, DEVICE_POLL_DECLINED, PROBLEM_CANCELLED);
    finished_with(&bench, id, PROBLEM_CANCELLED);
    assert_state(&bench, "signed-out", PROBLEM_NONE);
    assert_int_equal(wakes_in(&bench), -1);
    bench_close(&bench);
    id = start_device(&bench, INTERVAL);
    polls_after(&bench, INTERVAL);
    poll_says(&bench, DEVICE_POLL_EXPIRED, PROBLEM_SIGN_IN_REQUIRED);
    finished_with(&bench, id, PROBLEM_SIGN_IN_REQUIRED);
    assert_int_equal(wakes_in(&bench), -1);
    bench_close(&bench);
}

static void device_a_cancelled_sign_in_polls_no_more(void **state)
{
    struct problem problem;
    const struct event end = {.kind = EVENT_SIGN_IN_END, .sign_in_end = &problem};
    struct token_answer answer;
    struct bench bench;
    uint64_t id = start_device(&bench, INTERVAL);

    (void)state;
    problem_set(&problem, PROBLEM_CANCELLED, "It was cancelled.", "Start again.");
    polls_after(&bench, INTERVAL);
    step(&bench, &end);
    finished_with(&bench, id, PROBLEM_CANCELLED);
    good_code_answer(&answer, "outlook-1", "refresh-1");
    give(&bench, &answer);
    assert_refresh_token(&bench, "");
    assert_int_equal(wakes_in(&bench), -1);
    bench_close(&bench);
}

static void device_tokens_are_renewed_between_two_polls(void **state)
{
    struct bench bench;
    uint64_t request;

    (void)state;
    signed_in_long_ago(&bench);
    start_by(&bench, METHOD_DEVICE, "device-code", INTERVAL);
    request = want(&bench, OUTLOOK);
    renew_with(&bench, "outlook-2", NULL);
    assert_token(&bench, request, "outlook-2", true);
    polls_after(&bench, INTERVAL);
    bench_close(&bench);
}

static void import_takes_a_refresh_token_over_after_one_renewal(void **state)
{
    struct token_answer answer;
    struct bench bench;
    uint64_t id;

    (void)state;
    bench_open(&bench);
    id = start_by(&bench, METHOD_IMPORT, "refresh-0", 0);
    assert_int_equal(bench.identity.flight.purpose, PURPOSE_SIGN_IN);
    assert_string_equal(secret_expose(&bench.identity.sign_in.code), "refresh-0");
    assert_int_equal(count_seen(&bench, EFFECT_SAVE), 0);
    good_code_answer(&answer, "outlook-1", "refresh-1");
    answer.id.nonce[0] = '\0';
    give(&bench, &answer);
    finished_with(&bench, id, PROBLEM_NONE);
    assert_refresh_token(&bench, "refresh-1");
    assert_int_equal(bench.identity.grant.method, METHOD_IMPORT);
    assert_token(&bench, want(&bench, OUTLOOK), "outlook-1", false);
    bench_close(&bench);
}

static void import_keeps_the_old_refresh_token_when_none_comes(void **state)
{
    struct token_answer answer;
    struct bench bench, started;
    uint64_t id;

    (void)state;
    bench_open(&bench);
    id = start_by(&bench, METHOD_IMPORT, "refresh-0", 0);
    good_code_answer(&answer, "outlook-1", "refresh-1");
    secret_wipe(&answer.refresh_token);
    give(&bench, &answer);
    finished_with(&bench, id, PROBLEM_NONE);
    assert_refresh_token(&bench, "refresh-0");
    open_other(&started, &bench);
    assert_refresh_token(&started, "refresh-0");
    assert_int_equal(started.identity.grant.method, METHOD_IMPORT);
    bench_close(&bench);
    bench_close(&started);
}

static void import_stores_nothing_on_failure(void **state)
{
    enum { REFUSED, PASSING, WRONG_ACCOUNT, FOREIGN_CLIENT, NO_ID_TOKEN, WAYS };
    static const enum problem_kind kinds[WAYS] = {PROBLEM_SIGN_IN_REQUIRED, PROBLEM_NETWORK,
                                                  PROBLEM_WRONG_ACCOUNT, PROBLEM_IDENTITY_PROVIDER,
                                                  PROBLEM_IDENTITY_PROVIDER};
    struct token_answer answer;
    struct bench bench;
    uint64_t id;
    int way;

    (void)state;
    for (way = 0; way < WAYS; way++) {
        bench_open(&bench);
        id = start_by(&bench, METHOD_IMPORT, "refresh-0", 0);
        good_code_answer(&answer, "outlook-1", "refresh-1");
        if (way <= PASSING) {
            token_answer_clear(&answer);
            answer.failure = way == PASSING ? TOKEN_FAILURE_TRANSIENT : TOKEN_FAILURE_DEAD;
            problem_set(&answer.problem, kinds[way], "It failed.", "Do something.");
        } else if (way == WRONG_ACCOUNT) {
            strcpy(answer.id.preferred_username, "mallory@example.org");
        } else if (way == FOREIGN_CLIENT) {
            strcpy(answer.id.audience, "another-client");
        } else {
            memset(&answer.id, 0, sizeof answer.id);
        }
        give(&bench, &answer);
        finished_with(&bench, id, kinds[way]);
        assert_refresh_token(&bench, "");
        assert_null(bench.identity.sign_in.code.bytes);
        assert_int_equal(count_seen(&bench, EFFECT_SAVE), 0);
        assert_int_equal(bench.on_the_wire, 0);
        bench_close(&bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(device_a_pending_code_is_polled_at_the_servers_interval),
        cmocka_unit_test(device_slow_down_adds_five_seconds_each_time),
        cmocka_unit_test(device_passing_trouble_doubles_the_interval_up_to_a_bound),
        cmocka_unit_test(device_never_more_often_than_the_server_asked),
        cmocka_unit_test(device_a_declined_or_expired_code_ends_it_at_once),
        cmocka_unit_test(device_a_cancelled_sign_in_polls_no_more),
        cmocka_unit_test(device_tokens_are_renewed_between_two_polls),
        cmocka_unit_test(import_takes_a_refresh_token_over_after_one_renewal),
        cmocka_unit_test(import_keeps_the_old_refresh_token_when_none_comes),
        cmocka_unit_test(import_stores_nothing_on_failure),
    };

    return CORE_TESTS(tests);
}
