/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Whatever happens in whatever order, the invariants of the identity machine hold. A run that fails names its
 * seed; "test_identity_random SEED" plays it again.
 */
#include "identity_bench.h"

#include "core/identity_record.h"

#define EVENTS 20000
#define SEEDS 5
#define IDS_MAX (EVENTS + 100)

enum request_state { UNUSED, PENDING, ANSWERED };

struct play {
    struct bench bench;
    uint32_t seed, random;
    int event;
    bool finished;
    unsigned char request[IDS_MAX];  /* enum request_state by id */
    unsigned char resource[IDS_MAX]; /* asked for, index into resources */
    unsigned char sign_in[IDS_MAX];  /* enum request_state by id */
    size_t pending;
    uint64_t open_sign_in;
    char refresh_token[32]; /* the one that must be held */
    int token_number;
};

static const char *const resources[] = {OUTLOOK, GRAPH};
static struct play play;
static uint32_t first_seed = 1, seeds = SEEDS;

static uint32_t draw(uint32_t below)
{
    play.random ^= play.random << 13;
    play.random ^= play.random >> 17;
    play.random ^= play.random << 5;
    return play.random % below;
}

/* --- what must hold --- */

static void request_answered(const struct seen *seen)
{
    uint64_t id = seen->effect.request;

    assert_true(id < IDS_MAX);
    assert_int_equal(play.request[id], PENDING);
    play.request[id] = ANSWERED;
    play.pending--;
    if (seen->effect.kind == EFFECT_REPLY_TOKEN) {
        assert_true(seen->expires_at > seen->at);
        assert_string_equal(seen->resource, resources[play.resource[id]]);
        assert_int_equal(strncmp(seen->token, seen->resource + strlen("https://"), 5), 0);
    }
}

static void sign_in_finished(const struct seen *seen)
{
    uint64_t id = seen->effect.request;

    assert_true(id < IDS_MAX);
    assert_int_equal(play.sign_in[id], PENDING);
    play.sign_in[id] = ANSWERED;
    if (play.open_sign_in == id)
        play.open_sign_in = 0;
}

static void check_effects(void)
{
    size_t i;

    for (i = 0; i < play.bench.seen_count; i++) {
        const struct seen *seen = &play.bench.seen[i];
        if (seen->effect.kind == EFFECT_REPLY_TOKEN || seen->effect.kind == EFFECT_REPLY_PROBLEM)
            request_answered(seen);
        if (seen->effect.kind == EFFECT_SIGN_IN_FINISHED)
            sign_in_finished(seen);
        if (seen->effect.kind == EFFECT_SIGN_IN_RETRY)
            assert_int_equal(seen->effect.request, play.open_sign_in);
    }
    forget_seen(&play.bench);
}

static void check_identity(void)
{
    const struct identity *identity = &play.bench.identity;
    const struct problem *problem;

    check_effects();
    assert_true(play.bench.on_the_wire == 0 || play.bench.on_the_wire == 1);
    assert_int_equal(identity->flight.purpose != PURPOSE_NONE, play.bench.on_the_wire);
    assert_int_equal(identity->waiter_count, play.pending);
    if (play.bench.on_the_wire == 0)
        assert_int_equal(play.pending, 0);
    assert_refresh_token(&play.bench, play.refresh_token);
    assert_int_equal(identity->sign_in.id, play.open_sign_in);
    assert_null(identity->before);
    assert_non_null(identity_state(identity, &problem));
}

/* --- what happens --- */

static void somebody_asks(void)
{
    const char *token = secret_expose(&play.bench.identity.access[draw(2)].access_token);
    uint64_t id = play.bench.last_id + 1;
    char copy[64];

    play.resource[id] = (unsigned char)draw(2);
    play.request[id] = PENDING;
    play.pending++;
    snprintf(copy, sizeof copy, "%s", token);
    want_more(&play.bench, resources[play.resource[id]], draw(20) == 0 ? OUTLOOK "/Unknown" : "", draw(1801),
              draw(3) == 0 ? copy : NULL);
}

static void somebody_leaves(void)
{
    if (play.bench.identity.waiter_count != 0)
        end_request(&play.bench,
                    play.bench.identity.waiters[draw((uint32_t)play.bench.identity.waiter_count)].request,
                    draw(2) == 0);
}

static void name_token(char token[32], const char *resource)
{
    snprintf(token, 32, "%.5s-%d", resource + strlen("https://"), ++play.token_number);
}

/* The answer to a renewal, and what it must do to the refresh token. */
static void answer_renewal(void)
{
    const struct identity *identity = &play.bench.identity;
    bool counts = !identity->flight.detached && identity->flight.serial == identity->grant.serial;
    char token[32], refresh_token[32];
    int retry_after;

    switch (draw(8)) {
    case 0:
        if (counts)
            play.refresh_token[0] = '\0';
        fail_with(&play.bench, TOKEN_FAILURE_DEAD, PROBLEM_SIGN_IN_REQUIRED, 0);
        break;
    case 1:
        fail_with(&play.bench, TOKEN_FAILURE_SUSPENDED, PROBLEM_CONSENT_REQUIRED, 0);
        break;
    case 2:
        retry_after = draw(2) == 0 ? 0 : (int)draw(3600);
        fail_with(&play.bench, TOKEN_FAILURE_TRANSIENT, PROBLEM_NETWORK, retry_after);
        break;
    default:
        name_token(token, identity->access[identity->flight.resource].resource);
        snprintf(refresh_token, sizeof refresh_token, "refresh-%d", play.token_number);
        if (counts && draw(2) == 0) {
            strcpy(play.refresh_token, refresh_token);
            renew_with(&play.bench, token, refresh_token);
        } else {
            renew_with(&play.bench, token, counts ? NULL : refresh_token);
        }
    }
}

static void answer_code(void)
{
    const struct identity *identity = &play.bench.identity;
    bool counts = !identity->flight.detached && play.bench.save_problem.kind == PROBLEM_NONE;
    struct token_answer answer;
    char token[32], refresh_token[32];

    name_token(token, OUTLOOK);
    snprintf(refresh_token, sizeof refresh_token, "refresh-%d", play.token_number);
    good_code_answer(&answer, token, refresh_token);
    answer.expires_in = 1 + draw(7200);
    switch (draw(6)) {
    case 0:
        strcpy(answer.id.oid, "oid-mallory");
        strcpy(answer.id.preferred_username, "mallory@example.org");
        counts = false;
        break;
    case 1:
        secret_wipe(&answer.refresh_token);
        counts = false;
        break;
    case 2:
        strcpy(answer.id.nonce, "stale");
        counts = false;
        break;
    default:
        break;
    }
    if (counts)
        strcpy(play.refresh_token, refresh_token);
    give(&play.bench, &answer);
}

static void an_answer_comes(void)
{
    if (play.bench.identity.flight.purpose == PURPOSE_REFRESH)
        answer_renewal();
    else if (play.bench.identity.flight.purpose == PURPOSE_CODE)
        answer_code();
}

static void a_sign_in_starts(void)
{
    uint64_t id = play.bench.last_id + 1, before = play.open_sign_in;

    play.sign_in[id] = PENDING;
    play.open_sign_in = id;
    start_sign_in(&play.bench, ALL_SCOPES);
    check_effects();
    if (before != 0)
        assert_int_equal(play.sign_in[before], ANSWERED);
}

static void a_sign_in_ends(void)
{
    struct problem problem;
    const struct event event = {.kind = EVENT_SIGN_IN_END, .sign_in_end = &problem};

    problem_set(&problem, PROBLEM_CANCELLED, "It was cancelled.", "Start again.");
    step(&play.bench, &event);
}

static void all_is_forgotten(void)
{
    play.refresh_token[0] = '\0';
    sign_in_event(&play.bench, draw(2) == 0 ? EVENT_SIGN_OUT : EVENT_REMOVED);
}

/* Another process wrote the same file, or the disk brought back what was written. */
static void the_file_is_read_again(void)
{
    struct identity *identity = &play.bench.identity;
    struct secret payload = {0};

    assert_int_equal(identity_payload_write(identity, &payload), 0);
    identity_forget_tokens(identity);
    assert_int_equal(identity_payload_read(&payload, identity), 0);
    secret_wipe(&payload);
}

static void the_world_changes(void)
{
    struct identity *identity = &play.bench.identity;

    memset(&play.bench.save_problem, 0, sizeof play.bench.save_problem);
    memset(&identity->no_renewal, 0, sizeof identity->no_renewal);
    memset(&identity->held, 0, sizeof identity->held);
    switch (draw(8)) {
    case 0:
        problem_set(&play.bench.save_problem, PROBLEM_STORAGE, "The disk is full.", "Make room.");
        break;
    case 1:
        problem_set(&identity->no_renewal, PROBLEM_MISCONFIGURED, "The file is broken.", "Mend it.");
        break;
    case 2:
        problem_set(&identity->held, PROBLEM_VAULT_LOCKED, "The keyring is locked.", "Unlock it.");
        break;
    case 3:
        the_file_is_read_again();
        break;
    default:
        break;
    }
}

static void time_passes(void)
{
    if (draw(100) == 0)
        play.bench.now -= draw(90000);
    else
        play.bench.now += draw(2) == 0 ? draw(30) : draw(4000);
}

static void something_happens(void)
{
    uint32_t what = draw(100);

    if (what < 35)
        somebody_asks();
    else if (what < 42)
        somebody_leaves();
    else if (what < 65)
        an_answer_comes();
    else if (what < 70)
        a_sign_in_starts();
    else if (what < 78)
        redirect_code(&play.bench, "code");
    else if (what < 80)
        redirect_error(&play.bench, "access_denied", draw(2) == 0);
    else if (what < 82)
        a_sign_in_ends();
    else if (what < 84)
        all_is_forgotten();
    else if (what < 88)
        the_world_changes();
    else
        time_passes();
}

static void the_invariants_hold_in_any_order(void **state)
{
    (void)state;
    for (; seeds > 0; seeds--, first_seed++) {
        memset(&play, 0, sizeof play);
        play.seed = first_seed;
        play.random = first_seed * 2654435761U | 1U;
        bench_open(&play.bench);
        for (play.event = 0; play.event < EVENTS; play.event++) {
            something_happens();
            check_identity();
        }
        sign_in_event(&play.bench, EVENT_REMOVED);
        play.refresh_token[0] = '\0';
        check_effects();
        assert_int_equal(play.pending, 0);
        bench_close(&play.bench);
    }
    play.finished = true;
}

static int name_the_seed(void **state)
{
    if (!play.finished)
        print_message("seed %u failed at event %d\n", play.seed, play.event);
    return core_close(state);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_invariants_hold_in_any_order, core_open, name_the_seed),
    };

    if (argc > 1) {
        first_seed = (uint32_t)strtoul(argv[1], NULL, 10);
        seeds = 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
