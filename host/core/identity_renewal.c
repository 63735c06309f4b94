/* SPDX-License-Identifier: MPL-2.0 */
/* Renewing access tokens: DESIGN 3.1 to 3.7. */
#include "core/identity_parts.h"

#include "core/diagnosis.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

static void throttled(struct problem *problem, int64_t seconds)
{
    problem_set(problem, PROBLEM_THROTTLED, "This account was renewed several times within a minute.",
                "Nothing to do: Thunderseal tries again later.");
    problem->retry_after = (int)(seconds < 1 ? 1 : seconds);
}

const struct problem *hindrance(struct identity *identity, int resource, struct moment now)
{
    struct access *access = &identity->access[resource];
    int64_t oldest = access->renewals[RENEWALS_PER_MINUTE - 1];

    if (identity->held.kind != PROBLEM_NONE)
        return &identity->held;
    if (identity->no_renewal.kind != PROBLEM_NONE)
        return &identity->no_renewal;
    if (identity->grant.serial == 0)
        return not_signed_in(identity);
    if (identity->grant.refresh_token.length == 0)
        return &identity->dead;
    if (!access_granted(identity, access))
        return not_granted(identity, access->resource);
    if (suspension_left(access, now) > 0)
        return &access->problem;
    if (access->not_before > now.uptime) {
        access->problem.retry_after = (int)(access->not_before - now.uptime);
        return &access->problem;
    }
    if (oldest != 0 && now.uptime - oldest < 60) {
        throttled(&identity->reply, oldest + 60 - now.uptime);
        return &identity->reply;
    }
    return NULL;
}

bool renewal_in_flight(const struct identity *identity, int resource)
{
    return identity->flight.purpose == PURPOSE_REFRESH && !identity->flight.detached &&
           identity->flight.resource == resource;
}

/* Whether somebody waits because a server refused the living token that is held. */
static bool replaces_refused(const struct identity *identity, int resource, struct moment now)
{
    const struct access *access = &identity->access[resource];
    size_t i;

    for (i = 0; access_living(access, now) && i < identity->waiter_count; i++) {
        const struct waiter *waiter = &identity->waiters[i];
        if (waiter->resource == resource && waiter->has_rejected && !waiter->probe &&
            access_is_rejected(access, waiter->rejected))
            return true;
    }
    return false;
}

static bool only_probes_wait(const struct identity *identity, int resource)
{
    size_t i;

    for (i = 0; i < identity->waiter_count; i++)
        if (identity->waiters[i].resource == resource && !identity->waiters[i].probe)
            return false;
    return true;
}

bool flight_is_look(const struct identity *identity)
{
    return identity->flight.look && only_probes_wait(identity, identity->flight.resource);
}

static void send_sign_in(struct identity *identity, struct effects *effects)
{
    identity->flight.purpose = PURPOSE_SIGN_IN;
    identity->flight.serial = 0;
    identity->flight.sign_in = identity->sign_in.id;
    identity->flight.detached = false;
    effect_add(effects, EFFECT_SEND_TOKEN);
}

static void send_renewal(struct identity *identity, int resource, struct moment now, struct effects *effects)
{
    struct access *access = &identity->access[resource];

    identity->flight.purpose = PURPOSE_REFRESH;
    identity->flight.serial = identity->grant.serial;
    identity->flight.outdated = false;
    identity->flight.sign_in = 0;
    identity->flight.resource = resource;
    identity->flight.detached = false;
    identity->flight.look = identity->waiter_count > 0 && only_probes_wait(identity, resource);
    access->retry = false;
    remember_time(access->renewals, RENEWALS_PER_MINUTE, now.uptime);
    if (replaces_refused(identity, resource, now))
        remember_time(access->rejections, REJECTED_RENEWALS_MAX, now.uptime);
    effect_add(effects, EFFECT_SEND_TOKEN)->resource = resource;
    effect_add(effects, EFFECT_CHANGED);
}

static void give_lock_back(struct identity *identity, struct effects *effects)
{
    if (identity->lock == LOCK_FREE)
        return;
    identity->lock = LOCK_FREE;
    effect_add(effects, EFFECT_UNLOCK);
}

void start_next(struct identity *identity, struct moment now, struct effects *effects)
{
    bool sign_in = sign_in_due(identity, now);
    int resource;

    /* Nobody is told of anything before it is saved. */
    if (identity->saving != SAVING_NOTHING)
        return;
    settle_waiters(identity, now, effects);
    if (identity->flight.purpose != PURPOSE_NONE)
        return;
    resource = identity->waiter_count > 0 ? identity->waiters[0].resource : due_ahead(identity, now);
    if (!sign_in && (resource < 0 || hindrance(identity, resource, now) != NULL)) {
        give_lock_back(identity, effects);
    } else if (identity->lock == LOCK_FREE) {
        identity->lock = LOCK_WANTED;
        effect_add(effects, EFFECT_LOCK);
    } else if (identity->lock == LOCK_HELD) {
        if (sign_in)
            send_sign_in(identity, effects);
        else
            send_renewal(identity, resource, now, effects);
    }
}

/* What Entra says was granted replaces what was asked for, for this resource. */
static void take_granted_scopes(struct grant *grant, const char *resource, const char *answered)
{
    char others[SCOPE_LIST_SIZE] = "", given[SCOPE_LIST_SIZE], scope[SCOPE_SIZE], of[RESOURCE_SIZE];
    const char *rest;

    scope_list_of_resource(given, answered, resource);
    if (given[0] == '\0')
        return; /* not told, or told in another form: what was asked for counts as granted */
    for (rest = grant->scopes; scope_list_next(&rest, scope);)
        if (!scope_resource(of, scope) || strcasecmp(of, resource) != 0)
            (void)scope_list_add(others, scope);
    for (rest = given; scope_list_next(&rest, scope);)
        (void)scope_list_add(others, scope);
    memcpy(grant->scopes, others, sizeof others);
}

/* DESIGN 3.1. A token that lives shorter than the margin is not renewed ahead, and due at its end. */
static int64_t refresh_after(const struct token_answer *answer)
{
    int64_t seconds = answer->expires_in - RENEW_BEFORE_EXPIRY_S;

    if (seconds <= 0)
        seconds = answer->expires_in;
    return answer->refresh_in > 0 && answer->refresh_in < seconds ? answer->refresh_in : seconds;
}

static int64_t jitter(struct identity *identity, int64_t refresh_after_seconds)
{
    int64_t most = refresh_after_seconds / 10;

    return random_below(identity, most > RENEW_JITTER_MAX_S ? RENEW_JITTER_MAX_S : most);
}

static void forget_trouble(struct access *access)
{
    access->suspended = access->retry = false;
    access->tried_at = access->tried_uptime = 0;
    access->not_before = 0;
    access->failures = 0;
    memset(&access->problem, 0, sizeof access->problem);
}

void access_store(struct identity *identity, int resource, struct token_answer *answer, struct moment now)
{
    struct access *access = &identity->access[resource];

    access_take_token(access, &answer->access_token);
    access->renewal = identity->grant.renewals;
    access->issued_at = now.wall;
    access->issued_uptime = now.uptime;
    access->expires_at = now.wall + answer->expires_in;
    access->refresh_at = now.wall + refresh_after(answer);
    access->jitter = jitter(identity, refresh_after(answer));
    forget_trouble(access);
    take_granted_scopes(&identity->grant, access->resource, answer->scopes);
}

/* Whether the request got nowhere, and certainly not to Entra, so that it counts for no loop there. */
static bool never_sent(const struct problem *problem)
{
    static const char *const stages[] = {"dns", "proxy", "connect", "tls"};
    size_t i;

    for (i = 0; i < sizeof stages / sizeof stages[0]; i++)
        if (problem->stage != NULL && strcmp(problem->stage, stages[i]) == 0)
            return true;
    return false;
}

/* DESIGN 3.4 to 3.6: what the failure leaves of the grant. True when that has to be saved. */
static bool take_failure(struct identity *identity, struct access *access, const struct token_answer *answer,
                         struct moment now)
{
    if (answer->failure == TOKEN_FAILURE_TRANSIENT) {
        if (never_sent(&answer->problem))
            forget_latest_time(access->renewals, RENEWALS_PER_MINUTE);
        access->retry = access->suspended; /* nobody has said yet whether the refusal still stands */
        set_back_off(identity, access, answer->problem.retry_after, now);
        return false;
    }
    access->suspended = true;
    access->tried_at = now.wall;
    access->tried_uptime = now.uptime;
    if (answer->failure == TOKEN_FAILURE_DEAD) {
        identity->dead = access->problem;
        secret_wipe(&identity->grant.refresh_token);
        identity->grant.renewals++;
    }
    if (answer->claims[0] != '\0') /* else what another resource demanded still stands */
        memcpy(identity->claims, answer->claims, sizeof identity->claims);
    return true;
}

/* A probe's failure to get a token changes no state (DESIGN 3): who next needs a renewal finds out. */
static void look_failed(struct identity *identity, int resource, const struct token_answer *answer,
                        struct moment now, struct effects *effects)
{
    struct access *access = &identity->access[resource];

    if (never_sent(&answer->problem))
        forget_latest_time(access->renewals, RENEWALS_PER_MINUTE);
    if (answer->failure == TOKEN_FAILURE_TRANSIENT)
        access->retry = access->suspended; /* as before the look, which took that one try */
    identity->reply = answer->problem;
    answer_waiters(identity, resource, false, &identity->reply, now, effects);
}

static void renewal_failed(struct identity *identity, int resource, const struct token_answer *answer,
                           struct moment now, struct effects *effects)
{
    struct access *access = &identity->access[resource];
    bool news = access->problem.kind != answer->problem.kind;
    int64_t since = news ? now.wall : access->problem.since;
    bool keep;

    access->problem = answer->problem;
    access->problem.since = since;
    problem_copy_text(access->problem.resource, sizeof access->problem.resource, access->resource);
    keep = take_failure(identity, access, answer, now);
    answer_waiters(identity, resource, false, &access->problem, now, effects);
    effect_add(effects, EFFECT_CHANGED);
    if (news && keep && access->used)
        effect_add(effects, EFFECT_ATTENTION)->problem = &access->problem;
    if (keep)
        save(identity, SAVING_STATE, effects);
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

static void renewal_answered(struct identity *identity, struct token_answer *answer, struct moment now,
                             struct effects *effects)
{
    int resource = identity->flight.resource;

    if (identity->flight.detached || identity->flight.serial != identity->grant.serial)
        return;
    /* Not every file system knows locks: another process may have renewed what this one sent. Its failure
     * says nothing of what is held then. */
    if (identity->flight.outdated &&
        (answer->failure == TOKEN_FAILURE_SUSPENDED || answer->failure == TOKEN_FAILURE_DEAD))
        return;
    if (answer->failure == TOKEN_FAILURE_NONE && !same_person(&identity->grant, answer)) {
        diagnose_strange_answer(200, 0, &answer->problem);
        answer->failure = TOKEN_FAILURE_TRANSIENT;
    }
    if (answer->failure != TOKEN_FAILURE_NONE && flight_is_look(identity)) {
        look_failed(identity, resource, answer, now, effects);
        return;
    }
    if (answer->failure != TOKEN_FAILURE_NONE) {
        renewal_failed(identity, resource, answer, now, effects);
        return;
    }
    if (answer->refresh_token.length != 0)
        secret_move(&identity->grant.refresh_token, &answer->refresh_token);
    identity->grant.renewals++;
    identity->grant.last_used_at = now.wall;
    access_store(identity, resource, answer, now);
    identity->saving_resource = resource;
    save(identity, SAVING_RENEWAL, effects);
}

void token_answered(struct identity *identity, struct token_answer *answer, struct moment now,
                    struct effects *effects)
{
    enum token_purpose purpose = identity->flight.purpose;

    identity->flight.purpose = PURPOSE_NONE;
    if (purpose == PURPOSE_REFRESH)
        renewal_answered(identity, answer, now, effects);
    else if (purpose == PURPOSE_SIGN_IN)
        sign_in_answered(identity, answer, now, effects);
    start_next(identity, now, effects);
}
