/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A bench holds one identity and plays the shell around it: it grants the lock and saves at once, unless a
 * test says otherwise, and keeps a copy of every effect, so that one can ask afterwards who was answered
 * what. What may never happen it refuses: a token request without the lock, a token past its life.
 */
#ifndef THUNDERSEAL_TEST_IDENTITY_BENCH_H
#define THUNDERSEAL_TEST_IDENTITY_BENCH_H

#include "core/identity.h"
#include "core_support.h"

#define CLIENT "11111111-2222-3333-4444-555555555555"
#define NONCE "bm9uY2U"
#define START ((int64_t)1800000000)
#define UPTIME ((int64_t)5000)
#define LIFETIME 3600
#define NOT_KNOWN ((uint64_t)0)

/* A copy of an effect, made when it came: the token it would have handed out, the problem it pointed to. */
struct seen {
    struct effect effect;
    struct problem problem;
    char resource[RESOURCE_SIZE];
    char token[64];
    int64_t seconds_left; /* of the token */
};

struct bench {
    struct identity identity;
    struct effects effects;
    struct moment now;
    uint64_t last_id;
    struct problem save_problem; /* PROBLEM_NONE: saving works */
    bool saves_later;            /* saving is reported by report_saved alone */
    bool lock_busy;              /* another process holds the lock until grant_lock */
    bool lock_wanted, lock_held;
    struct seen *seen;
    size_t seen_count, seen_capacity;
    int on_the_wire; /* token requests sent and not answered */
};

static inline void bench_open(struct bench *bench)
{
    memset(bench, 0, sizeof *bench);
    bench->now.wall = START;
    bench->now.uptime = UPTIME;
    bench->identity.random = 1;
    strcpy(bench->identity.key.authority, "https://login.microsoftonline.com");
    strcpy(bench->identity.key.tenant, "organizations");
    strcpy(bench->identity.key.client_id, CLIENT);
    strcpy(bench->identity.key.sign_in_as, USER);
}

static inline void bench_close(struct bench *bench)
{
    identity_clear(&bench->identity);
    free(bench->seen);
}

/* Seconds until EVENT_TIME is due; negative: never. */
static inline int64_t wakes_in(const struct bench *bench)
{
    int64_t at = identity_next_wake(&bench->identity, bench->now);

    return at == NO_WAKE ? -1 : at - bench->now.uptime;
}

/* Whose token the request on the wire is for. */
static inline const char *resource_on_the_wire(const struct bench *bench)
{
    assert_int_equal(bench->on_the_wire, 1);
    return bench->identity.access[bench->identity.flight.resource].resource;
}

/* Time goes by for both clocks. */
static inline void pass(struct bench *bench, int64_t seconds)
{
    bench->now.wall += seconds;
    bench->now.uptime += seconds;
}

static inline void pass_until(struct bench *bench, int64_t wall)
{
    pass(bench, wall - bench->now.wall);
}

/* Somebody sets the wall clock; no time goes by. */
static inline void set_clock(struct bench *bench, int64_t wall)
{
    bench->now.wall = wall;
}

static inline void forget_seen(struct bench *bench)
{
    bench->seen_count = 0;
}

static inline void note_token(const struct bench *bench, struct seen *seen)
{
    const struct access *access = &bench->identity.access[seen->effect.resource];
    int64_t age = access->issued_uptime != 0 ? bench->now.uptime - access->issued_uptime
                                             : bench->now.wall - access->issued_at;

    assert_true(access->access_token.length > 0);
    strcpy(seen->resource, access->resource);
    snprintf(seen->token, sizeof seen->token, "%s", secret_expose(&access->access_token));
    seen->seconds_left = access->expires_at - access->issued_at - age;
    assert_true(seen->seconds_left > 0);
}

static inline void note_lock(struct bench *bench, enum effect_kind kind)
{
    if (kind == EFFECT_LOCK) {
        assert_false(bench->lock_wanted || bench->lock_held);
        bench->lock_wanted = true;
    } else if (kind == EFFECT_UNLOCK) {
        assert_true(bench->lock_wanted || bench->lock_held);
        assert_int_equal(bench->on_the_wire, 0);
        bench->lock_wanted = bench->lock_held = false;
    } else if (kind == EFFECT_SEND_TOKEN) {
        assert_true(bench->lock_held);
        assert_int_equal(bench->on_the_wire, 0);
        bench->on_the_wire++;
    }
}

static inline struct seen *add_seen(struct bench *bench)
{
    if (bench->seen_count == bench->seen_capacity) {
        bench->seen_capacity = bench->seen_capacity == 0 ? 64 : bench->seen_capacity * 2;
        bench->seen = realloc(bench->seen, bench->seen_capacity * sizeof *bench->seen);
        assert_non_null(bench->seen);
    }
    memset(&bench->seen[bench->seen_count], 0, sizeof *bench->seen);
    return &bench->seen[bench->seen_count++];
}

/* Every effect that carries a problem must carry a whole one: a kind, a cause and a next step. */
static inline void note_effect(struct bench *bench, const struct effect *effect)
{
    struct seen *seen = add_seen(bench);

    seen->effect = *effect;
    if (effect->kind == EFFECT_REPLY_PROBLEM || effect->kind == EFFECT_SIGN_IN_RETRY ||
        effect->kind == EFFECT_ATTENTION)
        assert_non_null(effect->problem);
    if (effect->problem != NULL) {
        seen->problem = *effect->problem;
        assert_true(seen->problem.kind != PROBLEM_NONE);
        assert_true(seen->problem.cause[0] != '\0');
        assert_true(seen->problem.remedy[0] != '\0');
    }
    note_lock(bench, effect->kind);
    if (effect->kind == EFFECT_REPLY_TOKEN)
        note_token(bench, seen);
}

static inline void step(struct bench *bench, const struct event *event);

static inline void report_saved(struct bench *bench)
{
    struct problem problem = bench->save_problem;
    const struct event saved = {.kind = EVENT_SAVED, .saved = &problem};

    step(bench, &saved);
}

/* The process that held the lock gives it back. */
static inline void grant_lock(struct bench *bench)
{
    const struct event locked = {.kind = EVENT_LOCKED};

    assert_true(bench->lock_wanted);
    bench->lock_wanted = false;
    bench->lock_held = true;
    step(bench, &locked);
}

static inline void step(struct bench *bench, const struct event *event)
{
    bool save = false, lock = false;
    size_t i;

    assert_int_equal(identity_step(&bench->identity, event, bench->now, &bench->effects), 0);
    for (i = 0; i < bench->effects.count; i++) {
        enum effect_kind kind = bench->effects.list[i].kind;
        note_effect(bench, &bench->effects.list[i]);
        save = save || kind == EFFECT_SAVE || kind == EFFECT_SAVE_AND_FORGET;
        lock = lock || kind == EFFECT_LOCK;
    }
    if (save && !bench->saves_later)
        report_saved(bench);
    if (lock && bench->lock_wanted && !bench->lock_busy)
        grant_lock(bench);
}

static inline const struct seen *find_seen(const struct bench *bench, enum effect_kind kind, uint64_t id)
{
    size_t i;

    for (i = 0; i < bench->seen_count; i++)
        if (bench->seen[i].effect.kind == kind && (id == NOT_KNOWN || bench->seen[i].effect.request == id))
            return &bench->seen[i];
    return NULL;
}

static inline size_t count_seen(const struct bench *bench, enum effect_kind kind)
{
    size_t count = 0, i;

    for (i = 0; i < bench->seen_count; i++)
        count += bench->seen[i].effect.kind == kind;
    return count;
}

static inline size_t answers_to(const struct bench *bench, uint64_t request)
{
    size_t count = 0, i;

    for (i = 0; i < bench->seen_count; i++)
        count +=
            bench->seen[i].effect.request == request && (bench->seen[i].effect.kind == EFFECT_REPLY_TOKEN ||
                                                         bench->seen[i].effect.kind == EFFECT_REPLY_PROBLEM);
    return count;
}

static inline void assert_waiting(const struct bench *bench, uint64_t request)
{
    assert_int_equal(answers_to(bench, request), 0);
}

static inline void assert_token(const struct bench *bench, uint64_t request, const char *token, bool renewed)
{
    const struct seen *seen = find_seen(bench, EFFECT_REPLY_TOKEN, request);

    assert_int_equal(answers_to(bench, request), 1);
    assert_non_null(seen);
    assert_string_equal(seen->token, token);
    assert_int_equal(seen->effect.renewed, renewed);
}

static inline const struct problem *assert_problem(const struct bench *bench, uint64_t request,
                                                   enum problem_kind kind)
{
    const struct seen *seen = find_seen(bench, EFFECT_REPLY_PROBLEM, request);

    assert_int_equal(answers_to(bench, request), 1);
    assert_non_null(seen);
    assert_string_equal(problem_kind_name(seen->problem.kind), problem_kind_name(kind));
    return &seen->problem;
}

static inline void assert_state(const struct bench *bench, const char *state, enum problem_kind kind)
{
    const struct problem *problem;

    assert_string_equal(identity_state(&bench->identity, &problem), state);
    assert_int_equal(problem == NULL ? PROBLEM_NONE : problem->kind, kind);
}

static inline void assert_refresh_token(const struct bench *bench, const char *text)
{
    assert_string_equal(secret_expose(&bench->identity.grant.refresh_token), text);
}

static inline const struct problem *finished_with(const struct bench *bench, uint64_t id,
                                                  enum problem_kind kind)
{
    const struct seen *seen = find_seen(bench, EFFECT_SIGN_IN_FINISHED, id);
    size_t count = 0, i;

    for (i = 0; i < bench->seen_count; i++)
        count += bench->seen[i].effect.kind == EFFECT_SIGN_IN_FINISHED && bench->seen[i].effect.request == id;
    assert_int_equal(count, 1);
    assert_int_equal(seen->effect.problem == NULL, kind == PROBLEM_NONE);
    assert_string_equal(problem_kind_name(seen->problem.kind), problem_kind_name(kind));
    return &seen->problem;
}

static inline const struct problem *retried_with(const struct bench *bench, uint64_t id,
                                                 enum problem_kind kind)
{
    const struct seen *seen = find_seen(bench, EFFECT_SIGN_IN_RETRY, id);

    assert_non_null(seen);
    assert_null(find_seen(bench, EFFECT_SIGN_IN_FINISHED, id));
    assert_string_equal(problem_kind_name(seen->problem.kind), problem_kind_name(kind));
    return &seen->problem;
}

#endif
