/* SPDX-License-Identifier: MPL-2.0 */
#include "core/identity_parts.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct effect *effect_add(struct effects *effects, enum effect_kind kind)
{
    struct effect *effect = &effects->list[effects->count++];

    memset(effect, 0, sizeof *effect);
    effect->kind = kind;
    return effect;
}

void effect_reply_problem(struct effects *effects, uint64_t request, const struct problem *problem)
{
    struct effect *effect = effect_add(effects, EFFECT_REPLY_PROBLEM);

    effect->request = request;
    effect->problem = problem;
}

void effect_sign_in(struct effects *effects, enum effect_kind kind, uint64_t id,
                    const struct problem *problem)
{
    struct effect *effect = effect_add(effects, kind);

    effect->request = id;
    effect->problem = problem;
}

static int waiters_reserve(struct identity *identity)
{
    size_t capacity = identity->waiter_capacity == 0 ? 8 : identity->waiter_capacity * 2;
    struct waiter *waiters;

    if (identity->waiter_count < identity->waiter_capacity)
        return 0;
    if (identity->waiter_count >= IDENTITY_WAITERS_MAX)
        return -1;
    waiters = realloc(identity->waiters, capacity * sizeof *waiters);
    if (waiters == NULL)
        return -1;
    identity->waiters = waiters;
    identity->waiter_capacity = capacity;
    return 0;
}

/* Every problem that came up in this step is known since now. */
static void date_problems(struct identity *identity, int64_t now)
{
    struct problem *const problems[] = {
        &identity->storage,    &identity->dead,   &identity->sign_in_failed, &identity->held,
        &identity->no_renewal, &identity->advice, &identity->reply,          &identity->sign_in_reply};
    size_t i;

    for (i = 0; i < sizeof problems / sizeof problems[0]; i++)
        if (problems[i]->kind != PROBLEM_NONE && problems[i]->since == 0)
            problems[i]->since = now;
}

static void time_came(struct identity *identity, struct moment now, struct effects *effects)
{
    if (identity->unsaved && identity->saving == SAVING_NOTHING && now.uptime >= identity->save_at)
        save(identity, SAVING_STATE, effects);
    start_next(identity, now, effects);
}

/* What was held up by the network alone goes at once. */
static void network_changed(struct identity *identity, struct moment now, struct effects *effects)
{
    int i;

    for (i = 0; i < IDENTITY_RESOURCES_MAX; i++)
        if (identity->access[i].problem.kind == PROBLEM_NETWORK)
            identity->access[i].not_before = 0;
    start_next(identity, now, effects);
}

void allow_retry(struct identity *identity)
{
    int i;

    for (i = 0; i < IDENTITY_RESOURCES_MAX; i++)
        identity->access[i].retry = identity->access[i].suspended;
}

static void try_again(struct identity *identity, struct moment now, struct effects *effects)
{
    allow_retry(identity);
    network_changed(identity, now, effects);
}

static void removed(struct identity *identity, struct moment now, struct effects *effects)
{
    if (identity->before != NULL)
        return; /* the sign-in that is being saved makes the file anew */
    sign_out(identity, now, effects);
    identity->serial = 0; /* whoever makes the file anew begins again */
    identity->saving = SAVING_NOTHING;
    identity->unsaved = false;
    memset(&identity->storage, 0, sizeof identity->storage);
    start_next(identity, now, effects);
}

static void locked(struct identity *identity, struct moment now, struct effects *effects)
{
    if (identity->lock != LOCK_WANTED)
        return;
    identity->lock = LOCK_HELD;
    start_next(identity, now, effects);
}

static void dispatch(struct identity *identity, const struct event *event, struct moment now,
                     struct effects *effects)
{
    switch (event->kind) {
    case EVENT_TOKEN_WANTED:
        token_wanted(identity, event, now, effects);
        break;
    case EVENT_REQUEST_ENDED:
        request_ended(identity, event, now, effects);
        break;
    case EVENT_LOCKED:
        locked(identity, now, effects);
        break;
    case EVENT_TOKEN_ANSWER:
        token_answered(identity, event->answer, now, effects);
        break;
    case EVENT_TIME:
        time_came(identity, now, effects);
        break;
    case EVENT_NETWORK:
        network_changed(identity, now, effects);
        break;
    case EVENT_RETRY:
        try_again(identity, now, effects);
        break;
    case EVENT_SIGN_IN_START:
        sign_in_start(identity, event, now, effects);
        break;
    case EVENT_REDIRECT:
        sign_in_redirect(identity, event, now, effects);
        break;
    case EVENT_SIGN_IN_END:
        sign_in_end(identity, event->sign_in_end, effects);
        start_next(identity, now, effects);
        break;
    case EVENT_SIGN_OUT:
        sign_out(identity, now, effects);
        save(identity, SAVING_SIGN_OUT, effects);
        break;
    case EVENT_REMOVED:
        removed(identity, now, effects);
        break;
    case EVENT_REPLACED:
        replaced(identity, event->replaced, now, effects);
        break;
    case EVENT_SAVED:
        saved(identity, event->saved, now, effects);
        break;
    }
}

int identity_step(struct identity *identity, const struct event *event, struct moment now,
                  struct effects *effects)
{
    effects->count = 0;
    /* Only who wants to wait needs a place: an answer must come through when all places are taken. */
    if (event->kind == EVENT_TOKEN_WANTED && waiters_reserve(identity) != 0)
        return -1;
    dispatch(identity, event, now, effects);
    date_problems(identity, now.wall);
    return 0;
}

/* Waiters and the request on the wire refer to a resource by index: its place outlives what it held. */
void access_clear(struct access *access)
{
    struct access empty = {.used = access->used};

    memcpy(empty.resource, access->resource, RESOURCE_SIZE);
    secret_wipe(&access->access_token);
    *access = empty;
}

void grant_clear(struct grant *grant)
{
    secret_wipe(&grant->refresh_token);
    memset(grant, 0, sizeof *grant);
}

void sign_in_clear(struct sign_in *sign_in)
{
    secret_wipe(&sign_in->state);
    secret_wipe(&sign_in->nonce);
    secret_wipe(&sign_in->verifier);
    secret_wipe(&sign_in->code);
    memset(sign_in, 0, sizeof *sign_in);
}

void before_clear(struct identity *identity)
{
    int i;

    if (identity->before == NULL)
        return;
    if (identity->before->meanwhile != NULL)
        identity_clear(identity->before->meanwhile);
    free(identity->before->meanwhile);
    grant_clear(&identity->before->grant);
    for (i = 0; i < IDENTITY_RESOURCES_MAX; i++)
        access_clear(&identity->before->access[i]);
    free(identity->before);
    identity->before = NULL;
}

void identity_forget_tokens(struct identity *identity)
{
    int i;

    grant_clear(&identity->grant);
    for (i = 0; i < IDENTITY_RESOURCES_MAX; i++)
        access_clear(&identity->access[i]);
}

void identity_clear(struct identity *identity)
{
    identity_forget_tokens(identity);
    before_clear(identity);
    sign_in_clear(&identity->sign_in);
    free(identity->waiters);
    memset(identity, 0, sizeof *identity);
}

bool access_granted(const struct identity *identity, const struct access *access)
{
    char granted[SCOPE_LIST_SIZE];

    scope_list_of_resource(granted, identity->grant.scopes, access->resource);
    return granted[0] != '\0';
}

/* A place whose resource the grant no longer has, and for which nobody waits. */
static bool slot_is_idle(const struct identity *identity, int index)
{
    size_t i;

    if (access_granted(identity, &identity->access[index]) ||
        (identity->flight.purpose == PURPOSE_REFRESH && identity->flight.resource == index))
        return false;
    for (i = 0; i < identity->waiter_count && identity->waiters[i].resource != index; i++)
        ;
    return i == identity->waiter_count;
}

int access_index(struct identity *identity, const char *resource, bool make)
{
    int i;

    if (resource[0] == '\0')
        return -1;
    for (i = 0; i < IDENTITY_RESOURCES_MAX; i++)
        if (strcasecmp(identity->access[i].resource, resource) == 0)
            return i;
    for (i = 0; make && i < IDENTITY_RESOURCES_MAX; i++)
        if (identity->access[i].resource[0] == '\0') {
            problem_copy_text(identity->access[i].resource, RESOURCE_SIZE, resource);
            return i;
        }
    for (i = 0; make && i < IDENTITY_RESOURCES_MAX; i++)
        if (slot_is_idle(identity, i)) {
            access_clear(&identity->access[i]);
            problem_copy_text(identity->access[i].resource, RESOURCE_SIZE, resource);
            return i;
        }
    return -1;
}

const struct access *identity_find_access(const struct identity *identity, const char *resource)
{
    int i;

    for (i = 0; i < IDENTITY_RESOURCES_MAX; i++)
        if (resource[0] != '\0' && strcasecmp(identity->access[i].resource, resource) == 0)
            return &identity->access[i];
    return NULL;
}

void access_take_token(struct access *access, struct secret *token)
{
    secret_move(&access->access_token, token);
    crypto_hash_sha256(access->hash, access->access_token.bytes, access->access_token.length);
}

bool access_is_rejected(const struct access *access, const unsigned char *rejected)
{
    return rejected != NULL && access->access_token.length != 0 &&
           sodium_memcmp(access->hash, rejected, sizeof access->hash) == 0;
}
