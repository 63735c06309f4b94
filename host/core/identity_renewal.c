/* SPDX-License-Identifier: MPL-2.0 */
/* Renewing access tokens: DESIGN 3.1 to 3.7. */
#include "core/identity_parts.h"

#include "core/diagnosis.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

static void throttled(struct problem *problem, const char *cause, int64_t seconds)
{
    problem_set(problem, PROBLEM_THROTTLED, cause, "Nothing to do: Thunderseal tries again later.");
    problem->retry_after = (int)(seconds < 1 ? 1 : seconds > RETRY_AFTER_MAX ? RETRY_AFTER_MAX : seconds);
}

/* A time further ahead than any wait can be was set before the clock was set back: it holds up nothing. */
static bool still_ahead(int64_t until, int64_t now, int64_t longest)
{
    return now < until && until - now <= longest;
}

/* Why no renewal can be sent for the resource, or NULL when one can. */
const struct problem *hindrance(struct identity *identity, int resource, int64_t now)
{
    struct access *access = &identity->access[resource];
    int64_t oldest = access->renewals[RENEWALS_PER_MINUTE - 1];

    if (identity->no_renewal.kind != PROBLEM_NONE)
        return &identity->no_renewal;
    if (identity->grant.serial == 0)
        return not_signed_in(identity);
    if (identity->grant.refresh_token.length == 0)
        return &identity->dead;
    if (still_ahead(access->suspended_until, now, SUSPENDED_RETRY_S))
        return &access->problem;
    if (still_ahead(access->not_before, now, RETRY_AFTER_MAX)) {
        access->problem.retry_after = (int)(access->not_before - now);
        return &access->problem;
    }
    if (oldest != 0 && now >= oldest && now - oldest < 60) {
        throttled(&identity->reply, "This account was renewed several times within a minute.",
                  oldest + 60 - now);
        return &identity->reply;
    }
    return NULL;
}

static void remember_time(int64_t *times, size_t count, int64_t now)
{
    memmove(times + 1, times, (count - 1) * sizeof *times);
    times[0] = now;
}

/* Whether the first waiter needs no renewal any more: a sign-in, or another process, brought a token
 * meanwhile. */
static bool first_is_served(const struct identity *identity, int64_t now)
{
    const struct waiter *first = &identity->waiters[0];
    const struct access *access = &identity->access[first->resource];

    return just_issued(access, now) &&
           !access_is_rejected(access, first->has_rejected ? first->rejected : NULL);
}

/* Whether somebody waits because a server refused the living token that is held. */
static bool refused_token_replaced(const struct identity *identity, int resource, int64_t now)
{
    const struct access *access = &identity->access[resource];
    size_t i;

    for (i = 0; access_living(access, now) && i < identity->waiter_count; i++) {
        const struct waiter *waiter = &identity->waiters[i];
        if (waiter->resource == resource && waiter->has_rejected &&
            access_is_rejected(access, waiter->rejected))
            return true;
    }
    return false;
}

static void send_renewal(struct identity *identity, int resource, int64_t now, struct effects *effects)
{
    struct access *access = &identity->access[resource];

    identity->flight.purpose = PURPOSE_REFRESH;
    identity->flight.serial = identity->grant.serial;
    identity->flight.sign_in = 0;
    identity->flight.resource = resource;
    identity->flight.detached = false;
    remember_time(access->renewals, RENEWALS_PER_MINUTE, now);
    if (refused_token_replaced(identity, resource, now))
        remember_time(access->rejections, REJECTED_RENEWALS_MAX, now);
    effect_add(effects, EFFECT_SEND_TOKEN)->resource = resource;
    effect_add(effects, EFFECT_CHANGED);
}

void start_next(struct identity *identity, int64_t now, struct effects *effects)
{
    if (identity->flight.purpose != PURPOSE_NONE || identity->before != NULL)
        return;
    if (identity->sign_in.code.length != 0) {
        identity->flight.purpose = PURPOSE_CODE;
        identity->flight.serial = 0;
        identity->flight.sign_in = identity->sign_in.id;
        identity->flight.detached = false;
        effect_add(effects, EFFECT_SEND_TOKEN);
        return;
    }
    while (identity->waiter_count > 0) {
        int resource = identity->waiters[0].resource;
        const struct problem *problem;
        if (first_is_served(identity, now)) {
            waiter_answer(identity, &identity->waiters[0], true, NULL, now, effects);
            waiter_remove(identity, 0);
            continue;
        }
        problem = hindrance(identity, resource, now);
        if (problem == NULL) {
            send_renewal(identity, resource, now, effects);
            return;
        }
        answer_waiters(identity, resource, false, problem, now, effects);
    }
}

void access_store(struct identity *identity, int resource, struct token_answer *answer, int64_t now)
{
    struct access *access = &identity->access[resource];
    char others[SCOPE_LIST_SIZE] = "", given[SCOPE_LIST_SIZE], scope[SCOPE_SIZE], of[RESOURCE_SIZE];
    const char *rest;

    secret_move(&access->access_token, &answer->access_token);
    access->issued_at = now;
    access->expires_at = now + answer->expires_in;
    access->suspended_until = access->not_before = 0;
    memset(&access->problem, 0, sizeof access->problem);
    scope_list_of_resource(given, answer->scopes, access->resource);
    if (given[0] == '\0')
        return; /* not told, or told in another form: what was asked for counts as granted */
    for (rest = identity->grant.scopes; scope_list_next(&rest, scope);)
        if (!scope_resource(of, scope) || strcasecmp(of, access->resource) != 0)
            (void)scope_list_add(others, scope);
    for (rest = given; scope_list_next(&rest, scope);)
        (void)scope_list_add(others, scope);
    memcpy(identity->grant.scopes, others, sizeof others);
}

static void renewal_failed(struct identity *identity, int resource, const struct token_answer *answer,
                           int64_t now, struct effects *effects)
{
    struct access *access = &identity->access[resource];
    bool news = access->problem.kind != answer->problem.kind;
    int64_t since = news ? now : access->problem.since;

    access->problem = answer->problem;
    access->problem.since = since;
    problem_copy_text(access->problem.resource, sizeof access->problem.resource, access->resource);
    if (answer->failure == TOKEN_FAILURE_TRANSIENT && answer->problem.retry_after > 0)
        access->not_before = now + answer->problem.retry_after;
    if (answer->failure == TOKEN_FAILURE_SUSPENDED)
        access->suspended_until = now + SUSPENDED_RETRY_S;
    if (answer->failure == TOKEN_FAILURE_DEAD) {
        identity->dead = access->problem;
        secret_wipe(&identity->grant.refresh_token);
        identity->unsaved = true;
        effect_add(effects, EFFECT_SAVE);
    }
    answer_waiters(identity, resource, false, &access->problem, now, effects);
    effect_add(effects, EFFECT_CHANGED);
    if (news && answer->failure != TOKEN_FAILURE_TRANSIENT)
        effect_add(effects, EFFECT_ATTENTION)->problem = &access->problem;
}

/* A renewal must speak of the same person; Entra says so in client_info (FACTS 1.3). */
static bool same_person(const struct grant *grant, const struct token_answer *answer)
{
    char home_account_id[HOME_ACCOUNT_ID_SIZE];

    if (answer->client_info_uid[0] == '\0' || grant->home_account_id[0] == '\0')
        return true;
    snprintf(home_account_id, sizeof home_account_id, "%s.%s", answer->client_info_uid,
             answer->client_info_utid);
    return strcmp(grant->home_account_id, home_account_id) == 0;
}

static void renewal_answered(struct identity *identity, struct token_answer *answer, int64_t now,
                             struct effects *effects)
{
    int resource = identity->flight.resource;

    if (identity->flight.detached || identity->flight.serial != identity->grant.serial)
        return;
    if (answer->failure == TOKEN_FAILURE_NONE && !same_person(&identity->grant, answer)) {
        diagnose_strange_answer(200, 0, &answer->problem);
        answer->failure = TOKEN_FAILURE_TRANSIENT;
    }
    if (answer->failure != TOKEN_FAILURE_NONE) {
        renewal_failed(identity, resource, answer, now, effects);
        return;
    }
    if (answer->refresh_token.length != 0)
        secret_move(&identity->grant.refresh_token, &answer->refresh_token);
    identity->grant.last_used_at = now;
    access_store(identity, resource, answer, now);
    identity->unsaved = true;
    effect_add(effects, EFFECT_SAVE);
    answer_waiters(identity, resource, true, NULL, now, effects);
    effect_add(effects, EFFECT_CHANGED);
}

void token_answered(struct identity *identity, struct token_answer *answer, int64_t now,
                    struct effects *effects)
{
    enum token_purpose purpose = identity->flight.purpose;

    if (purpose == PURPOSE_REFRESH)
        renewal_answered(identity, answer, now, effects);
    else if (purpose == PURPOSE_CODE)
        sign_in_answered(identity, answer, now, effects);
    identity->flight.purpose = PURPOSE_NONE;
    start_next(identity, now, effects);
}

void saved(struct identity *identity, const struct problem *problem, int64_t now, struct effects *effects)
{
    bool failed = problem->kind != PROBLEM_NONE;
    bool news = identity->storage.kind != problem->kind;
    long long since = news ? now : identity->storage.since;

    if (identity->before != NULL) {
        sign_in_saved(identity, problem, effects);
        start_next(identity, now, effects);
        return;
    }
    identity->unsaved = failed;
    identity->storage = *problem;
    if (failed)
        identity->storage.since = since;
    if (news)
        effect_add(effects, EFFECT_CHANGED);
    if (news && failed)
        effect_add(effects, EFFECT_ATTENTION)->problem = &identity->storage;
}
