/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A bench holds one identity, plays the shell around it (saves at once and reports it), and keeps a copy of
 * every effect, so that a test can ask afterwards who was answered what.
 */
#ifndef THUNDERSEAL_TEST_IDENTITY_BENCH_H
#define THUNDERSEAL_TEST_IDENTITY_BENCH_H

#include "core/identity.h"
#include "core_support.h"

#define CLIENT "11111111-2222-3333-4444-555555555555"
#define NONCE "bm9uY2U"
#define START ((int64_t)1800000000)
#define LIFETIME 3600
#define NOT_KNOWN ((uint64_t)0)

/* A copy of an effect, made when it came: the token it would have handed out, the problem it pointed to. */
struct seen {
    struct effect effect;
    struct problem problem;
    char resource[RESOURCE_SIZE];
    char token[64];
    int64_t expires_at, at;
};

struct bench {
    struct identity identity;
    struct effects effects;
    int64_t now;
    uint64_t last_id;
    struct problem save_problem; /* PROBLEM_NONE: saving works */
    struct seen *seen;
    size_t seen_count, seen_capacity;
    int on_the_wire; /* token requests sent and not answered */
};

static inline void bench_open(struct bench *bench)
{
    memset(bench, 0, sizeof *bench);
    bench->now = START;
    strcpy(bench->identity.key.authority, "https://login.microsoftonline.com");
    strcpy(bench->identity.key.tenant, "organizations");
    strcpy(bench->identity.key.client_id, CLIENT);
    strcpy(bench->identity.key.sign_in_as, USER);
}

static inline void bench_close(struct bench *bench)
{
    identity_clear(&bench->identity);
    effects_free(&bench->effects);
    free(bench->seen);
}

static inline void forget_seen(struct bench *bench)
{
    bench->seen_count = 0;
}

/* Every effect that carries a problem must carry a whole one: a kind, a cause and a next step. */
static inline void note_effect(struct bench *bench, const struct effect *effect)
{
    struct seen *seen;

    if (bench->seen_count == bench->seen_capacity) {
        bench->seen_capacity = bench->seen_capacity == 0 ? 64 : bench->seen_capacity * 2;
        bench->seen = realloc(bench->seen, bench->seen_capacity * sizeof *bench->seen);
        assert_non_null(bench->seen);
    }
    seen = &bench->seen[bench->seen_count++];
    memset(seen, 0, sizeof *seen);
    seen->effect = *effect;
    seen->at = bench->now;
    if (effect->kind == EFFECT_REPLY_PROBLEM || effect->kind == EFFECT_SIGN_IN_RETRY ||
        effect->kind == EFFECT_ATTENTION)
        assert_non_null(effect->problem);
    if (effect->problem != NULL) {
        seen->problem = *effect->problem;
        assert_true(seen->problem.kind != PROBLEM_NONE);
        assert_true(seen->problem.cause[0] != '\0');
        assert_true(seen->problem.remedy[0] != '\0');
    }
    if (effect->kind == EFFECT_SEND_TOKEN)
        bench->on_the_wire++;
    if (effect->kind == EFFECT_REPLY_TOKEN) {
        const struct access *access = &bench->identity.access[effect->resource];
        assert_true(access->access_token.length > 0);
        strcpy(seen->resource, access->resource);
        snprintf(seen->token, sizeof seen->token, "%s", secret_expose(&access->access_token));
        seen->expires_at = access->expires_at;
    }
}

static inline void step(struct bench *bench, const struct event *event)
{
    bool save = false;
    size_t i;

    assert_int_equal(identity_step(&bench->identity, event, bench->now, &bench->effects), 0);
    for (i = 0; i < bench->effects.count; i++) {
        enum effect_kind kind = bench->effects.list[i].kind;
        note_effect(bench, &bench->effects.list[i]);
        save = save || kind == EFFECT_SAVE || kind == EFFECT_SAVE_AND_FORGET;
    }
    if (save) {
        struct problem problem = bench->save_problem;
        const struct event saved = {.kind = EVENT_SAVED, .saved = &problem};
        step(bench, &saved);
    }
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
    assert_true(seen->expires_at > seen->at);
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

/* --- events --- */

/* What token.get asks for; text of the rejected token, or NULL. */
static inline uint64_t want_more(struct bench *bench, const char *resource, const char *scopes,
                                 int64_t min_ttl, const char *rejected)
{
    unsigned char digest[crypto_hash_sha256_BYTES];
    struct event event = {.kind = EVENT_TOKEN_WANTED};

    event.wanted.request = ++bench->last_id;
    event.wanted.resource = resource;
    event.wanted.scopes = scopes;
    event.wanted.fallback_scope = IMAP_SCOPE;
    event.wanted.min_ttl = min_ttl;
    if (rejected != NULL) {
        crypto_hash_sha256(digest, (const unsigned char *)rejected, strlen(rejected));
        event.wanted.rejected = digest;
    }
    step(bench, &event);
    return event.wanted.request;
}

static inline uint64_t want(struct bench *bench, const char *resource)
{
    return want_more(bench, resource, "", 120, NULL);
}

static inline void end_request(struct bench *bench, uint64_t request, bool cancelled)
{
    struct event event = {.kind = EVENT_REQUEST_ENDED};

    event.ended.request = request;
    event.ended.cancelled = cancelled;
    step(bench, &event);
}

static inline void give(struct bench *bench, struct token_answer *answer)
{
    const struct event event = {.kind = EVENT_TOKEN_ANSWER, .answer = answer};

    assert_int_equal(bench->on_the_wire, 1);
    bench->on_the_wire--;
    step(bench, &event);
    token_answer_clear(answer);
}

/* A good answer to a renewal; refresh_token NULL: none came. */
static inline void renew_with(struct bench *bench, const char *access_token, const char *refresh_token)
{
    struct token_answer answer = {.expires_in = LIFETIME};

    put_secret(&answer.access_token, access_token);
    if (refresh_token != NULL)
        put_secret(&answer.refresh_token, refresh_token);
    give(bench, &answer);
}

static inline void fail_with(struct bench *bench, enum token_failure failure, enum problem_kind kind,
                             int retry_after)
{
    struct token_answer answer = {.failure = failure};

    problem_set(&answer.problem, kind, "It failed.", "Do something.");
    answer.problem.retry_after = retry_after;
    give(bench, &answer);
}

static inline uint64_t start_sign_in(struct bench *bench, const char *scopes)
{
    struct secret state = {0}, nonce = {0}, verifier = {0};
    struct event event = {.kind = EVENT_SIGN_IN_START};

    put_secret(&state, "state");
    put_secret(&nonce, NONCE);
    put_secret(&verifier, "verifier");
    event.start.id = ++bench->last_id;
    event.start.redirect_uri = "http://localhost:40000";
    event.start.scopes = scopes;
    event.start.state = &state;
    event.start.nonce = &nonce;
    event.start.verifier = &verifier;
    step(bench, &event);
    assert_null(state.bytes);
    assert_null(nonce.bytes);
    assert_null(verifier.bytes);
    return event.start.id;
}

static inline void redirect_code(struct bench *bench, const char *text)
{
    struct secret code = {0};
    struct event event = {.kind = EVENT_REDIRECT};

    put_secret(&code, text);
    event.redirect.code = &code;
    step(bench, &event);
    secret_wipe(&code);
}

static inline void redirect_error(struct bench *bench, const char *error, bool refused_by_user)
{
    struct event event = {.kind = EVENT_REDIRECT};

    event.redirect.error = error;
    event.redirect.aadsts = 65004;
    event.redirect.refused_by_user = refused_by_user;
    step(bench, &event);
}

/* An answer to a code that is right in every respect; tests spoil one. */
static inline void good_code_answer(struct token_answer *answer, const char *access_token,
                                    const char *refresh_token)
{
    memset(answer, 0, sizeof *answer);
    answer->expires_in = LIFETIME;
    put_secret(&answer->access_token, access_token);
    put_secret(&answer->refresh_token, refresh_token);
    answer->id.present = true;
    strcpy(answer->id.audience, CLIENT);
    strcpy(answer->id.nonce, NONCE);
    strcpy(answer->id.oid, "oid-lena");
    strcpy(answer->id.tid, "tid-example");
    strcpy(answer->id.preferred_username, "Lena@Example.org");
    strcpy(answer->client_info_uid, "uid-lena");
    strcpy(answer->client_info_utid, "utid-example");
}

static inline void sign_in_event(struct bench *bench, enum event_kind kind)
{
    const struct event event = {.kind = kind};

    step(bench, &event);
}

/* A whole sign-in for outlook and graph; brings the first access token of outlook. */
static inline void sign_in(struct bench *bench, const char *access_token, const char *refresh_token)
{
    struct token_answer answer;
    uint64_t id = start_sign_in(bench, ALL_SCOPES);

    redirect_code(bench, "code");
    good_code_answer(&answer, access_token, refresh_token);
    give(bench, &answer);
    assert_non_null(find_seen(bench, EFFECT_SIGN_IN_FINISHED, id));
    assert_null(find_seen(bench, EFFECT_SIGN_IN_FINISHED, id)->effect.problem);
    forget_seen(bench);
}

/* Signed in an hour and a second ago: the refresh token lives, no access token does. */
static inline void signed_in_long_ago(struct bench *bench)
{
    bench_open(bench);
    sign_in(bench, "outlook-1", "refresh-1");
    bench->now += LIFETIME + 1;
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

static inline void try_with(struct bench *bench, struct token_answer *answer)
{
    redirect_code(bench, "code");
    give(bench, answer);
}

#endif
