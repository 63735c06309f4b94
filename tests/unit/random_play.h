/* SPDX-License-Identifier: MPL-2.0 */
/* The state of a random run of the identity machine, and what must hold after each of its events. */
#ifndef THUNDERSEAL_TEST_RANDOM_PLAY_H
#define THUNDERSEAL_TEST_RANDOM_PLAY_H

#include "other_process.h"

#define EVENTS 20000
#define IDS_MAX (EVENTS + 100)
#define TOKENS_MAX (2 * EVENTS)
#define COPIES_MAX 4

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
    char sent[32];          /* the one on the wire */
    int token_number;
    int64_t dies_at[TOKENS_MAX];      /* uptime by the number of the access token */
    struct secret copies[COPIES_MAX]; /* what the file held before, at some time */
};

static const char *const resources[] = {OUTLOOK, GRAPH};
static struct play play;

static inline uint32_t draw(uint32_t below)
{
    play.random ^= play.random << 13;
    play.random ^= play.random >> 17;
    play.random ^= play.random << 5;
    return play.random % below;
}

/* "outlo-7" for the seventh token, of outlook. */
static inline void name_token(char token[32], const char *resource, int64_t lifetime)
{
    snprintf(token, 32, "%.5s-%d", resource + strlen("https://"), ++play.token_number);
    assert_true(play.token_number < TOKENS_MAX);
    play.dies_at[play.token_number] = play.bench.now.uptime + lifetime;
}

static inline int number_of_token(const char *token)
{
    return atoi(strchr(token, '-') + 1);
}

/* How long a token of another process has lived, the clock on the wall alone tells. */
static inline void believe_the_file(void)
{
    const struct moment now = play.bench.now;
    int i;

    for (i = 0; i < IDENTITY_RESOURCES_MAX; i++) {
        const struct access *access = &play.bench.identity.access[i];
        if (access->access_token.length != 0 && access->issued_uptime == 0 &&
            access->read.uptime == now.uptime && access->read.wall == now.wall)
            play.dies_at[number_of_token(secret_expose(&access->access_token))] =
                now.uptime + access->expires_at - now.wall;
    }
}

/* --- what must hold --- */

static inline void request_answered(const struct seen *seen)
{
    uint64_t id = seen->effect.request;

    assert_true(id < IDS_MAX);
    assert_int_equal(play.request[id], PENDING);
    play.request[id] = ANSWERED;
    play.pending--;
    if (seen->effect.kind == EFFECT_REPLY_TOKEN) {
        assert_string_equal(seen->resource, resources[play.resource[id]]);
        assert_int_equal(strncmp(seen->token, seen->resource + strlen("https://"), 5), 0);
        assert_true(play.bench.now.uptime < play.dies_at[number_of_token(seen->token)]);
    }
}

static inline void sign_in_finished(const struct seen *seen)
{
    uint64_t id = seen->effect.request;

    assert_true(id < IDS_MAX);
    assert_int_equal(play.sign_in[id], PENDING);
    play.sign_in[id] = ANSWERED;
    if (play.open_sign_in == id)
        play.open_sign_in = 0;
}

static inline void check_effects(void)
{
    size_t i;

    for (i = 0; i < play.bench.seen_count; i++) {
        const struct seen *seen = &play.bench.seen[i];
        if (seen->effect.kind == EFFECT_REPLY_TOKEN || seen->effect.kind == EFFECT_REPLY_PROBLEM)
            request_answered(seen);
        if (seen->effect.kind == EFFECT_SIGN_IN_FINISHED)
            sign_in_finished(seen);
        if (seen->effect.kind == EFFECT_SEND_TOKEN)
            strcpy(play.sent, secret_expose(&play.bench.identity.grant.refresh_token));
        if (seen->effect.kind == EFFECT_SIGN_IN_RETRY)
            assert_int_equal(seen->effect.request, play.open_sign_in);
    }
    forget_seen(&play.bench);
}

static inline void check_lock(void)
{
    const struct bench *bench = &play.bench;

    assert_int_equal(bench->identity.lock == LOCK_WANTED, bench->lock_wanted);
    assert_int_equal(bench->identity.lock == LOCK_HELD, bench->lock_held);
    if (bench->lock_held) /* only for as long as it is needed */
        assert_int_equal(bench->on_the_wire, 1);
    if (bench->on_the_wire == 0 && !bench->lock_wanted)
        assert_int_equal(play.pending, 0);
}

static inline void check_identity(void)
{
    const struct identity *identity = &play.bench.identity;
    const struct problem *problem;

    check_effects();
    assert_true(play.bench.on_the_wire == 0 || play.bench.on_the_wire == 1);
    assert_int_equal(identity->flight.purpose != PURPOSE_NONE, play.bench.on_the_wire);
    assert_int_equal(identity->waiter_count, play.pending);
    check_lock();
    assert_refresh_token(&play.bench, play.refresh_token);
    assert_int_equal(identity->sign_in.id, play.open_sign_in);
    assert_null(identity->before);
    assert_int_equal(identity->saving, SAVING_NOTHING);
    assert_non_null(identity_state(identity, &problem));
}

/* --- the file --- */

/* Which of two copies is right: the later sign-in or sign-out; within one grant, that of more renewals. */
static inline bool is_newer(const struct identity *stored, uint64_t serial, const struct grant *grant)
{
    if (stored->serial != serial)
        return stored->serial > serial;
    if (stored->grant.serial != grant->serial || stored->grant.renewals != grant->renewals)
        return stored->grant.serial != grant->serial || stored->grant.renewals > grant->renewals;
    return stored->grant.refresh_token.length != 0; /* a tie: others go by what is on disk */
}

/* A sign-in or sign-out that is being saved wins, unless a sign-in cannot be saved. */
static inline bool will_be_taken(const struct identity *stored, const struct identity *identity)
{
    const struct former *before = identity->before;

    if (before != NULL)
        return play.bench.save_problem.kind != PROBLEM_NONE &&
               is_newer(stored, before->serial, &before->grant);
    return identity->saving != SAVING_SIGN_OUT && is_newer(stored, identity->serial, &identity->grant);
}

/* Another process has gone on from this copy. */
static inline void go_on(struct identity *copy)
{
    struct access *access = &copy->access[0];
    char token[32], refresh_token[32];

    if (draw(3) == 0) {
        identity_forget_tokens(copy);
        copy->serial++;
        return;
    }
    if (draw(2) == 0 || copy->grant.serial == 0)
        copy->grant.serial = ++copy->serial;
    copy->grant.renewals++;
    name_token(token, OUTLOOK, LIFETIME);
    snprintf(refresh_token, sizeof refresh_token, "refresh-%d", play.token_number);
    strcpy(copy->grant.scopes, IMAP_SCOPE " " SMTP_SCOPE " " USER_SCOPE);
    put_secret(&copy->grant.refresh_token, refresh_token);
    memset(&copy->dead, 0, sizeof copy->dead);
    strcpy(access->resource, OUTLOOK);
    put_secret(&access->access_token, token);
    access->renewal = copy->grant.renewals;
    access->issued_at = play.bench.now.wall;
    access->expires_at = access->issued_at + LIFETIME;
    access->refresh_at = access->issued_at + LIFETIME - RENEW_BEFORE_EXPIRY_S;
    access->suspended = false;
    memset(&access->problem, 0, sizeof access->problem);
}

/* The file holds what this process wrote, at some time or just before, or what another has made of it. */
static inline void the_file_is_read_again(void)
{
    struct identity *identity = &play.bench.identity, stored = {0};
    struct secret *copy = &play.copies[draw(COPIES_MAX)];
    const struct event event = {.kind = EVENT_REPLACED, .replaced = &stored};

    if (copy->length == 0 || draw(2) == 0)
        assert_int_equal(identity_payload_write(identity, copy), 0);
    assert_int_equal(identity_payload_read(copy, &stored), 0);
    if (draw(2) == 0)
        go_on(&stored);
    if (will_be_taken(&stored, identity))
        strcpy(play.refresh_token, secret_expose(&stored.grant.refresh_token));
    step(&play.bench, &event);
    identity_clear(&stored);
    believe_the_file();
}

#endif
