/* SPDX-License-Identifier: MPL-2.0 */
/* Handing out access tokens and letting requests wait for them: protocol `token.get`. */
#include "core/identity_parts.h"

#include "core/diagnosis.h"
#include <string.h>

const struct problem *not_signed_in(struct identity *identity)
{
    problem_set(&identity->reply, PROBLEM_SIGN_IN_REQUIRED, "This account is not signed in.",
                "Sign in from Thunderseal's button in Thunderbird, or with \"thunderseal login\".");
    return &identity->reply;
}

const struct problem *not_granted(struct identity *identity, const char *resource)
{
    diagnose_kind(PROBLEM_CONSENT_REQUIRED, &identity->reply);
    problem_copy_text(identity->reply.resource, sizeof identity->reply.resource, resource);
    return &identity->reply;
}

static void reply_token(struct effects *effects, uint64_t request, int resource, bool renewed)
{
    struct effect *effect = effect_add(effects, EFFECT_REPLY_TOKEN);

    effect->request = request;
    effect->resource = resource;
    effect->renewed = renewed;
}

static const unsigned char *rejected_by(const struct waiter *waiter)
{
    return waiter->has_rejected ? waiter->rejected : NULL;
}

/* Whether it is not about the token, but about whether the sign-in still brings one. */
static bool wants_renewal(const struct waiter *waiter)
{
    return waiter->when_due || waiter->anyway;
}

/* Whether the token at hand satisfies the wish. A token just issued is handed out however short it lives:
 * asking again at once would bring the same. */
static bool cache_suffices(const struct identity *identity, const struct waiter *waiter, struct moment now)
{
    const struct access *access = &identity->access[waiter->resource];
    int64_t lifetime = access->expires_at - access->issued_at;
    int64_t demanded = waiter->min_ttl < lifetime / 2 ? waiter->min_ttl : lifetime / 2;

    if (!access_living(access, now) || access_is_rejected(access, rejected_by(waiter)))
        return false;
    if (wants_renewal(waiter) && (access->suspended || identity->grant.refresh_token.length == 0))
        return false;
    if (access_just_issued(access, now))
        return true;
    return lifetime - access_age(access, now) >= demanded && !waiter->anyway &&
           !(waiter->when_due && access_due(access, now));
}

static void answer(struct identity *identity, const struct waiter *waiter, bool renewed,
                   const struct problem *problem, struct moment now, struct effects *effects)
{
    const struct access *access = &identity->access[waiter->resource];

    if (access_living(access, now) &&
        (problem == NULL || (!wants_renewal(waiter) && !access_is_rejected(access, rejected_by(waiter)))))
        reply_token(effects, waiter->request, waiter->resource, renewed);
    else
        effect_reply_problem(effects, waiter->request, problem != NULL ? problem : not_signed_in(identity));
}

void answer_waiters(struct identity *identity, int resource, bool renewed, const struct problem *problem,
                    struct moment now, struct effects *effects)
{
    size_t kept = 0, i;

    for (i = 0; i < identity->waiter_count; i++) {
        struct waiter waiter = identity->waiters[i];
        if (resource >= 0 && waiter.resource != resource)
            identity->waiters[kept++] = waiter;
        else
            answer(identity, &waiter, renewed, problem, now, effects);
    }
    identity->waiter_count = kept;
}

void settle_waiters(struct identity *identity, struct moment now, struct effects *effects)
{
    size_t kept = 0, i;

    for (i = 0; i < identity->waiter_count; i++) {
        struct waiter waiter = identity->waiters[i];
        const struct problem *problem;
        if (cache_suffices(identity, &waiter, now)) {
            reply_token(effects, waiter.request, waiter.resource, true);
            continue;
        }
        problem =
            renewal_in_flight(identity, waiter.resource) ? NULL : hindrance(identity, waiter.resource, now);
        if (problem != NULL)
            answer(identity, &waiter, false, problem, now, effects);
        else
            identity->waiters[kept++] = waiter;
    }
    identity->waiter_count = kept;
}

/* No grant, or none for these scopes: answered without a request. True when so. */
static bool refuse_ungranted(struct identity *identity, const struct event *event, struct effects *effects)
{
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
    effect_reply_problem(effects, event->wanted.request, not_granted(identity, event->wanted.resource));
    problem_copy_text(identity->reply.missing_scopes, sizeof identity->reply.missing_scopes, missing);
    return true;
}

static bool rejections_exhausted(const struct access *access, struct moment now)
{
    int64_t oldest = access->rejections[REJECTED_RENEWALS_MAX - 1];

    return oldest != 0 && now.uptime - oldest < REJECTED_WINDOW_S;
}

/* A server that goes on refusing fresh tokens is not served by more of them. */
static void advise_server_refuses(struct identity *identity, struct moment now, struct effects *effects)
{
    if (identity->advice.kind != PROBLEM_NONE)
        return;
    problem_set(&identity->advice, PROBLEM_BLOCKED,
                "The mail server refuses tokens that Microsoft issued as good.",
                "Ask your administrator whether IMAP and SMTP are allowed for this mailbox.");
    problem_admin_remedy(
        &identity->advice,
        "Check with Get-CASMailbox that ImapEnabled is true and SmtpClientAuthenticationDisabled is "
        "not, and that the mailbox is licensed.");
    identity->advice.since = now.wall;
    effect_add(effects, EFFECT_CHANGED);
}

/* No refusal for a whole window: the server takes them again. */
static void withdraw_advice(struct identity *identity, struct moment now, struct effects *effects)
{
    int i;

    if (identity->advice.kind == PROBLEM_NONE)
        return;
    for (i = 0; i < IDENTITY_RESOURCES_MAX; i++)
        if (identity->access[i].rejections[0] != 0 &&
            now.uptime - identity->access[i].rejections[0] < REJECTED_WINDOW_S)
            return;
    memset(&identity->advice, 0, sizeof identity->advice);
    effect_add(effects, EFFECT_CHANGED);
}

static struct waiter waiter_of(const struct event *event, int resource)
{
    struct waiter waiter = {.request = event->wanted.request,
                            .resource = resource,
                            .min_ttl = event->wanted.min_ttl,
                            .when_due = event->wanted.when_due,
                            .anyway = event->wanted.anyway,
                            .probe = event->wanted.probe,
                            .has_rejected = event->wanted.rejected != NULL};

    if (waiter.has_rejected)
        memcpy(waiter.rejected, event->wanted.rejected, REJECTED_HASH_BYTES);
    return waiter;
}

/* Of the two renewals a minute a look takes none that Thunderbird may need. */
static bool renewed_lately(const struct access *access, struct moment now)
{
    return access->renewals[0] != 0 && now.uptime - access->renewals[0] < RENEWAL_PAUSE_S;
}

void token_wanted(struct identity *identity, const struct event *event, struct moment now,
                  struct effects *effects)
{
    int resource = -1;
    struct access *access;
    struct waiter waiter;
    bool rejected;

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
    if (!event->wanted.probe)
        access->used = true;
    waiter = waiter_of(event, resource);
    rejected = access_living(access, now) && access_is_rejected(access, event->wanted.rejected);
    if (rejected && waiter.probe && renewed_lately(access, now)) {
        reply_token(effects, waiter.request, resource, false);
        return;
    }
    if (rejected && !renewal_in_flight(identity, resource) && rejections_exhausted(access, now)) {
        if (!waiter.probe)
            advise_server_refuses(identity, now, effects);
        reply_token(effects, waiter.request, resource, false);
        return;
    }
    if (!rejected && !waiter.probe)
        withdraw_advice(identity, now, effects);
    if (identity->saving == SAVING_NOTHING && cache_suffices(identity, &waiter, now)) {
        reply_token(effects, waiter.request, resource, false);
        return;
    }
    identity->waiters[identity->waiter_count++] = waiter;
    start_next(identity, now, effects);
}

void request_ended(struct identity *identity, const struct event *event, struct moment now,
                   struct effects *effects)
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
        if (identity->lock == LOCK_WANTED)
            problem_cause(&identity->reply,
                          "Another Thunderseal of yours has been asking Microsoft for this account all the "
                          "time, or hangs.");
        answer(identity, &identity->waiters[i], false, &identity->reply, now, effects);
    }
    identity->waiter_count--;
    memmove(&identity->waiters[i], &identity->waiters[i + 1],
            (identity->waiter_count - i) * sizeof *identity->waiters);
    start_next(identity, now, effects); /* nobody may want the lock any more */
}
