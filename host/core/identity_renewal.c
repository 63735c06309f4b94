/* SPDX-License-Identifier: MPL-2.0 */
/* Handing out and renewing access tokens: DESIGN 3.1 to 3.7, protocol `token.get`. */
#include "core/identity_parts.h"

#include "core/diagnosis.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

static void reply_token(struct effects *effects, uint64_t request, int resource, bool renewed)
{
    struct effect *effect = effect_add(effects, EFFECT_REPLY_TOKEN);

    effect->request = request;
    effect->resource = resource;
    effect->renewed = renewed;
}

/* A token just issued is handed out however short it lives: asking again at once would bring the same. */
static bool just_issued(const struct access *access, int64_t now)
{
    return access_living(access, now) && now >= access->issued_at &&
           now - access->issued_at < RENEWAL_PAUSE_S;
}

/* Whether the cached token satisfies the wish. */
static bool cache_suffices(const struct access *access, const struct event *event, int64_t now)
{
    int64_t lifetime = access->expires_at - access->issued_at;
    int64_t demanded = event->wanted.min_ttl < lifetime / 2 ? event->wanted.min_ttl : lifetime / 2;

    if (!access_living(access, now) || access_is_rejected(access, event->wanted.rejected))
        return false;
    return access->expires_at - now >= demanded || just_issued(access, now);
}

static void throttled(struct problem *problem, const char *cause, int64_t seconds)
{
    problem_set(problem, PROBLEM_THROTTLED, cause, "Nothing to do: Thunderseal tries again later.");
    problem->retry_after = (int)(seconds < 1 ? 1 : seconds > RETRY_AFTER_MAX ? RETRY_AFTER_MAX : seconds);
}

static const struct problem *not_signed_in(struct identity *identity)
{
    problem_set(&identity->reply, PROBLEM_SIGN_IN_REQUIRED, "This account is not signed in.",
                "Sign in from Thunderseal's button in Thunderbird, or with \"thunderseal login\".");
    return &identity->reply;
}

/* A time further ahead than any wait can be was set before the clock was set back: it holds up nothing. */
static bool still_ahead(int64_t until, int64_t now, int64_t longest)
{
    return now < until && until - now <= longest;
}

/* Why no renewal can be sent for the resource, or NULL when one can. */
static const struct problem *hindrance(struct identity *identity, int resource, int64_t now)
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

static void waiter_remove(struct identity *identity, size_t index)
{
    identity->waiter_count--;
    memmove(&identity->waiters[index], &identity->waiters[index + 1],
            (identity->waiter_count - index) * sizeof *identity->waiters);
}

static void waiter_answer(struct identity *identity, const struct waiter *waiter, bool renewed,
                          const struct problem *problem, int64_t now, struct effects *effects)
{
    const struct access *access = &identity->access[waiter->resource];
    const unsigned char *rejected = waiter->has_rejected ? waiter->rejected : NULL;

    if (problem == NULL || (access_living(access, now) && !access_is_rejected(access, rejected)))
        reply_token(effects, waiter->request, waiter->resource, renewed);
    else
        effect_reply_problem(effects, waiter->request, problem);
}

void answer_waiters(struct identity *identity, int resource, bool renewed, const struct problem *problem,
                    int64_t now, struct effects *effects)
{
    size_t kept = 0, i;

    for (i = 0; i < identity->waiter_count; i++) {
        struct waiter waiter = identity->waiters[i];
        if (resource >= 0 && waiter.resource != resource)
            identity->waiters[kept++] = waiter;
        else
            waiter_answer(identity, &waiter, renewed, problem, now, effects);
    }
    identity->waiter_count = kept;
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

static void wait_for_renewal(struct identity *identity, const struct event *event, int resource)
{
    struct waiter *waiter = &identity->waiters[identity->waiter_count++];

    memset(waiter, 0, sizeof *waiter);
    waiter->request = event->wanted.request;
    waiter->resource = resource;
    if (event->wanted.rejected != NULL) {
        waiter->has_rejected = true;
        memcpy(waiter->rejected, event->wanted.rejected, REJECTED_HASH_BYTES);
    }
}

/* No grant, or none for these scopes: answered without a request. True when so. */
static bool refuse_ungranted(struct identity *identity, const struct event *event, struct effects *effects)
{
    struct problem *problem = &identity->reply;
    char granted[SCOPE_LIST_SIZE], missing[SCOPE_LIST_SIZE];

    if (identity->grant.serial == 0) {
        effect_reply_problem(effects, event->wanted.request, not_signed_in(identity));
        return true;
    }
    scope_list_of_resource(granted, identity->grant.scopes, event->wanted.resource);
    scope_list_missing(missing, granted, event->wanted.scopes);
    if (granted[0] == '\0' && missing[0] == '\0')
        problem_copy_text(missing, sizeof missing, event->wanted.fallback_scope);
    if (missing[0] == '\0')
        return false;
    diagnose_kind(PROBLEM_CONSENT_REQUIRED, problem);
    problem_copy_text(problem->missing_scopes, sizeof problem->missing_scopes, missing);
    problem_copy_text(problem->resource, sizeof problem->resource, event->wanted.resource);
    effect_reply_problem(effects, event->wanted.request, problem);
    return true;
}

/* A server that goes on refusing fresh tokens is not served by more of them. True when the limit is reached.
 */
static bool rejected_too_often(struct identity *identity, const struct access *access, int64_t now)
{
    int64_t oldest = access->rejections[REJECTED_RENEWALS_MAX - 1];

    if (oldest == 0 || now < oldest || now - oldest >= REJECTED_WINDOW_S)
        return false;
    problem_set(&identity->advice, PROBLEM_BLOCKED,
                "The mail server refuses tokens that Microsoft issued as good.",
                "Ask your administrator whether IMAP and SMTP are allowed for this mailbox.");
    problem_copy_text(
        identity->advice.admin_remedy, sizeof identity->advice.admin_remedy,
        "Check with Get-CASMailbox that ImapEnabled is true and SmtpClientAuthenticationDisabled is "
        "not, and that the mailbox is licensed.");
    identity->advice.since = now;
    return true;
}

void token_wanted(struct identity *identity, const struct event *event, int64_t now, struct effects *effects)
{
    const struct problem *problem;
    struct access *access;
    bool rejected, renewing;
    int resource;

    if (identity->held.kind != PROBLEM_NONE) {
        effect_reply_problem(effects, event->wanted.request, &identity->held);
        return;
    }
    if (refuse_ungranted(identity, event, effects))
        return;
    resource = access_index(identity, event->wanted.resource, true);
    if (resource < 0) {
        diagnose_kind(PROBLEM_INTERNAL, &identity->reply);
        effect_reply_problem(effects, event->wanted.request, &identity->reply);
        return;
    }
    access = &identity->access[resource];
    access->used = true;
    rejected = access_living(access, now) && access_is_rejected(access, event->wanted.rejected);
    renewing = identity->flight.purpose == PURPOSE_REFRESH && !identity->flight.detached &&
               identity->flight.resource == resource;
    if (cache_suffices(access, event, now) ||
        (rejected && !renewing && rejected_too_often(identity, access, now))) {
        reply_token(effects, event->wanted.request, resource, false);
        return;
    }
    wait_for_renewal(identity, event, resource);
    problem = renewing ? NULL : hindrance(identity, resource, now);
    if (problem != NULL) /* at once, though another resource may be on the wire */
        answer_waiters(identity, resource, false, problem, now, effects);
    else
        start_next(identity, now, effects);
}

void request_ended(struct identity *identity, const struct event *event, int64_t now, struct effects *effects)
{
    size_t i;

    for (i = 0; i < identity->waiter_count && identity->waiters[i].request != event->ended.request; i++)
        ;
    if (i == identity->waiter_count)
        return;
    if (event->ended.cancelled) {
        problem_set(&identity->reply, PROBLEM_CANCELLED, "The request was cancelled.",
                    "Ask again when you need it.");
        effect_reply_problem(effects, event->ended.request, &identity->reply);
    } else {
        diagnose_transport("timeout", &identity->reply);
        waiter_answer(identity, &identity->waiters[i], false, &identity->reply, now, effects);
    }
    waiter_remove(identity, i);
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
