/* SPDX-License-Identifier: MPL-2.0 */
/* What happens to the identity on a bench. */
#ifndef THUNDERSEAL_TEST_IDENTITY_EVENTS_H
#define THUNDERSEAL_TEST_IDENTITY_EVENTS_H

#include "identity_bench.h"

/* An event that says no more than its kind. */
static inline void happens(struct bench *bench, enum event_kind kind)
{
    const struct event event = {.kind = kind};

    step(bench, &event);
}

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

/* A good answer of a token with this life; refresh_in 0: not told. */
static inline void renew_for(struct bench *bench, const char *access_token, int64_t expires_in,
                             int64_t refresh_in)
{
    struct token_answer answer = {.expires_in = expires_in, .refresh_in = refresh_in};

    put_secret(&answer.access_token, access_token);
    give(bench, &answer);
}

/* The answer as it comes over the wire, with the diagnosis made for it. */
static inline void answer_http(struct bench *bench, long status, int retry_after, const char *text)
{
    struct secret body = {0};
    const struct token_http http = {.status = status, .retry_after = retry_after, .body = &body};
    struct token_answer answer = {0};

    put_secret(&body, text);
    token_answer_read(&answer, &http);
    secret_wipe(&body);
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
    pass(bench, LIFETIME + 1);
}

static inline void try_with(struct bench *bench, struct token_answer *answer)
{
    redirect_code(bench, "code");
    give(bench, answer);
}

#endif
