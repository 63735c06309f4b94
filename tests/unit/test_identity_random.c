/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Whatever happens in whatever order, the invariants of the identity machine hold. A run that fails names its
 * seed; "test_identity_random SEED" plays it again.
 */
#include "random_play.h"

#define SEEDS 5

static uint32_t first_seed = 1, seeds = SEEDS;

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

/* The answer to a renewal, and what it must do to the refresh token. */
static void answer_renewal(void)
{
    const struct identity *identity = &play.bench.identity;
    bool counts = !identity->flight.detached && identity->flight.serial == identity->grant.serial;
    bool current = strcmp(play.sent, play.refresh_token) == 0;
    char token[32], refresh_token[32];
    int retry_after;

    switch (draw(8)) {
    case 0:
        if (counts && current)
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
        name_token(token, identity->access[identity->flight.resource].resource, LIFETIME);
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
    int64_t lifetime = 1 + draw(7200);

    name_token(token, OUTLOOK, lifetime);
    snprintf(refresh_token, sizeof refresh_token, "refresh-%d", play.token_number);
    good_code_answer(&answer, token, refresh_token);
    answer.expires_in = lifetime;
    answer.refresh_in = draw(2) == 0 ? 0 : draw((uint32_t)lifetime);
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
    else if (play.bench.identity.flight.purpose == PURPOSE_SIGN_IN)
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
    happens(&play.bench, draw(2) == 0 ? EVENT_SIGN_OUT : EVENT_REMOVED);
}

static void the_world_changes(void)
{
    struct identity *identity = &play.bench.identity;

    memset(&play.bench.save_problem, 0, sizeof play.bench.save_problem);
    memset(&identity->no_renewal, 0, sizeof identity->no_renewal);
    memset(&identity->held, 0, sizeof identity->held);
    play.bench.lock_busy = draw(4) == 0;
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
        happens(&play.bench, EVENT_NETWORK);
        break;
    case 4:
        happens(&play.bench, EVENT_RETRY);
        break;
    default:
        break;
    }
}

static void the_lock_comes(void)
{
    if (play.bench.lock_wanted)
        grant_lock(&play.bench);
}

/* Mostly it goes by; at times somebody sets the clock. */
static void time_passes(void)
{
    switch (draw(50)) {
    case 0:
        set_clock(&play.bench, play.bench.now.wall - draw(90000));
        break;
    case 1:
        set_clock(&play.bench, play.bench.now.wall + draw(90000));
        break;
    default:
        pass(&play.bench, draw(2) == 0 ? draw(30) : draw(4000));
    }
}

/* As the shell does after each step: saving is reported, and an alarm rings when it is due, but not forever.
 */
static void what_follows(void)
{
    const struct identity *identity = &play.bench.identity;
    bool read = false;
    int rings = 0;

    for (;;) {
        check_effects();
        if (identity->saving != SAVING_NOTHING) {
            if (!read && draw(4) == 0)
                the_file_is_read_again();
            read = true;
            report_saved(&play.bench);
        } else if (identity_next_wake(identity, play.bench.now) <= play.bench.now.uptime) {
            assert_true(++rings < 4);
            happens(&play.bench, EVENT_TIME);
        } else {
            return;
        }
    }
}

static void something_happens(void)
{
    uint32_t what = draw(100);

    if (what < 33)
        somebody_asks();
    else if (what < 40)
        somebody_leaves();
    else if (what < 62)
        an_answer_comes();
    else if (what < 66)
        a_sign_in_starts();
    else if (what < 73)
        redirect_code(&play.bench, "code");
    else if (what < 75)
        redirect_error(&play.bench, "access_denied", draw(2) == 0);
    else if (what < 77)
        a_sign_in_ends();
    else if (what < 79)
        all_is_forgotten();
    else if (what < 83)
        the_file_is_read_again();
    else if (what < 87)
        the_world_changes();
    else if (what < 91)
        the_lock_comes();
    else
        time_passes();
    what_follows();
}

static void open_play(void)
{
    int i;

    for (i = 0; i < COPIES_MAX; i++)
        secret_wipe(&play.copies[i]);
    memset(&play, 0, sizeof play);
    play.seed = first_seed;
    play.random = first_seed * 2654435761U | 1U;
    bench_open(&play.bench);
    play.bench.saves_later = true;
    play.bench.identity.renew_ahead = true;
}

static void the_invariants_hold_in_any_order(void **state)
{
    (void)state;
    for (; seeds > 0; seeds--, first_seed++) {
        open_play();
        for (play.event = 0; play.event < EVENTS; play.event++) {
            something_happens();
            check_identity();
        }
        happens(&play.bench, EVENT_REMOVED);
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
