/* SPDX-License-Identifier: MPL-2.0 */
/* Handing out access tokens and letting requests wait for them: protocol `token.get`. */
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
bool just_issued(const struct access *access, int64_t now)
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

const struct problem *not_signed_in(struct identity *identity)
{
    problem_set(&identity->reply, PROBLEM_SIGN_IN_REQUIRED, "This account is not signed in.",
                "Sign in from Thunderseal's button in Thunderbird, or with \"thunderseal login\".");
    return &identity->reply;
}

void waiter_remove(struct identity *identity, size_t index)
{
    identity->waiter_count--;
    memmove(&identity->waiters[index], &identity->waiters[index + 1],
            (identity->waiter_count - index) * sizeof *identity->waiters);
}

void waiter_answer(struct identity *identity, const struct waiter *waiter, bool renewed,
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
