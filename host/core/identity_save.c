/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What is on disk: saving, and taking over what another process saved. Of two copies the one with the later
 * sign-in or sign-out is right; within one grant, the one with more renewals (DESIGN 3.2, 3.3 and 3.7).
 */
#include "core/identity_parts.h"

#include <stdlib.h>
#include <string.h>

void save(struct identity *identity, enum saving saving, struct effects *effects)
{
    /* Also when signing out could not be saved at first. */
    bool signed_out = identity->grant.serial == 0;

    identity->unsaved = true;
    identity->saving = saving;
    effect_add(effects, signed_out ? EFFECT_SAVE_AND_FORGET : EFFECT_SAVE);
}

static void note_storage(struct identity *identity, const struct problem *problem, struct moment now,
                         struct effects *effects)
{
    bool failed = problem->kind != PROBLEM_NONE;
    bool news = identity->storage.kind != problem->kind;
    long long since = news ? now.wall : identity->storage.since;

    identity->unsaved = failed;
    identity->save_at = now.uptime + SAVE_RETRY_S;
    identity->storage = *problem;
    if (failed)
        identity->storage.since = since;
    if (news)
        effect_add(effects, EFFECT_CHANGED);
    if (news && failed)
        effect_add(effects, EFFECT_ATTENTION)->problem = &identity->storage;
}

void saved(struct identity *identity, const struct problem *problem, struct moment now,
           struct effects *effects)
{
    enum saving saving = identity->saving;
    struct identity *meanwhile = NULL;

    if (identity->before != NULL) {
        meanwhile = identity->before->meanwhile;
        identity->before->meanwhile = NULL;
    }
    identity->saving = SAVING_NOTHING;
    if (saving == SAVING_SIGN_IN)
        sign_in_saved(identity, problem, effects);
    else
        note_storage(identity, problem, now, effects);
    if (saving == SAVING_RENEWAL) {
        answer_waiters(identity, identity->saving_resource, true, NULL, now, effects);
        effect_add(effects, EFFECT_CHANGED);
    }
    if (meanwhile != NULL) {
        if (problem->kind != PROBLEM_NONE)
            replaced(identity, meanwhile, now, effects);
        identity_clear(meanwhile);
        free(meanwhile);
    }
    start_next(identity, now, effects);
}

/* --- what another process saved --- */

static int64_t jitter_of(struct identity *identity, const struct access *access)
{
    int64_t most = (access->refresh_at - access->issued_at) / 10;

    return random_below(identity, most > RENEW_JITTER_MAX_S ? RENEW_JITTER_MAX_S : most);
}

static void take_token(struct identity *identity, struct access *access, struct access *from,
                       struct moment now)
{
    access_take_token(access, &from->access_token);
    access->renewal = from->renewal;
    access->issued_at = from->issued_at;
    access->expires_at = from->expires_at;
    access->refresh_at = from->refresh_at;
    access->issued_uptime = 0;
    access->read = now;
    access->jitter = jitter_of(identity, access);
    access->suspended = access->retry = false;
    access->not_before = 0;
    access->failures = 0;
    memset(&access->problem, 0, sizeof access->problem);
}

static void take_suspension(struct access *access, const struct access *from)
{
    access->suspended = true;
    access->retry = false; /* what was wished for has been done, by another process */
    access->tried_at = from->tried_at;
    access->tried_uptime = 0;
    access->problem = from->problem;
}

/* Whether the failure on disk holds up more than our own, whose time may lie ahead of a clock set back. */
static bool suspended_longer(const struct access *from, const struct access *access, struct moment now)
{
    if (!from->suspended || !access->suspended)
        return from->suspended;
    return from->tried_at != access->tried_at && suspension_left(from, now) > suspension_left(access, now);
}

/* One resource of the same grant: the newer token, and the later failure unless a token followed it. */
static void merge_access(struct identity *identity, const struct identity *stored, struct access *from,
                         struct moment now)
{
    int index = access_index(identity, from->resource, true);
    struct access *access = &identity->access[index < 0 ? 0 : index];

    if (index < 0)
        return; /* no place left: what is lost can be renewed */
    if (from->access_token.length != 0 &&
        (access->access_token.length == 0 || from->renewal > access->renewal))
        take_token(identity, access, from, now);
    if (from->renewal >= access->renewal && suspended_longer(from, access, now)) {
        take_suspension(access, from);
        if (stored->claims[0] != '\0')
            memcpy(identity->claims, stored->claims, sizeof identity->claims);
    }
}

static void take_grant_of(struct identity *identity, struct identity *stored)
{
    grant_clear(&identity->grant);
    identity->grant = stored->grant; /* its refresh token moves along */
    memset(&stored->grant, 0, sizeof stored->grant);
    identity->dead = stored->dead;
    memcpy(identity->claims, stored->claims, sizeof identity->claims);
}

static void take_all(struct identity *identity, struct identity *stored, struct moment now)
{
    int i;

    /* What is on the wire was sent for another grant. */
    if (identity->flight.purpose == PURPOSE_REFRESH && stored->grant.serial != identity->grant.serial)
        identity->flight.detached = true;
    identity->serial = stored->serial;
    take_grant_of(identity, stored);
    memset(&identity->advice, 0, sizeof identity->advice);
    memset(&identity->storage, 0, sizeof identity->storage);
    identity->unsaved = false;
    for (i = 0; i < IDENTITY_RESOURCES_MAX; i++)
        access_clear(&identity->access[i]);
    for (i = 0; i < IDENTITY_RESOURCES_MAX; i++)
        if (stored->access[i].resource[0] != '\0')
            merge_access(identity, stored, &stored->access[i], now);
}

static void merge(struct identity *identity, struct identity *stored, struct moment now)
{
    bool newer = stored->grant.renewals > identity->grant.renewals;
    /* Two that renewed while neither could save count alike: all others go by the one on disk. */
    bool other = stored->grant.renewals == identity->grant.renewals &&
                 stored->grant.refresh_token.length != 0 &&
                 !secret_equal(&stored->grant.refresh_token, &identity->grant.refresh_token);
    int i;

    if (newer || other) {
        take_grant_of(identity, stored);
        identity->flight.outdated = true;
    }
    if (newer) {
        identity->unsaved = false;
        memset(&identity->storage, 0, sizeof identity->storage);
    }
    for (i = 0; i < IDENTITY_RESOURCES_MAX; i++)
        if (stored->access[i].resource[0] != '\0')
            merge_access(identity, stored, &stored->access[i], now);
}

/* Should saving the new sign-in fail, the file says what there was before. */
static void keep_meanwhile(struct former *before, struct identity *stored)
{
    if (before->meanwhile == NULL)
        before->meanwhile = calloc(1, sizeof *before->meanwhile);
    if (before->meanwhile == NULL)
        return; /* out of memory: read again when the file changes */
    identity_clear(before->meanwhile);
    *before->meanwhile = *stored; /* what it points to moves along */
    memset(stored, 0, sizeof *stored);
}

/* What this process is just about to save comes after what it finds there, whatever that is. */
static bool supersedes(struct identity *identity, struct identity *stored)
{
    bool signs_in = identity->before != NULL;
    bool signs_out = identity->saving == SAVING_SIGN_OUT;

    if (!signs_in && !signs_out)
        return false;
    if (stored->serial >= identity->serial)
        identity->serial = stored->serial + 1;
    if (signs_in) {
        identity->grant.serial = identity->serial;
        keep_meanwhile(identity->before, stored);
    }
    return true;
}

void replaced(struct identity *identity, struct identity *stored, struct moment now, struct effects *effects)
{
    bool behind = stored->serial == identity->serial && stored->grant.serial == identity->grant.serial &&
                  stored->grant.renewals < identity->grant.renewals;

    if (supersedes(identity, stored))
        return;
    if (stored->serial < identity->serial) { /* an older copy was put in its place */
        if (identity->saving == SAVING_NOTHING)
            save(identity, SAVING_STATE, effects);
        return;
    }
    if (stored->serial > identity->serial || stored->grant.serial != identity->grant.serial)
        take_all(identity, stored, now);
    else
        merge(identity, stored, now);
    if (behind && identity->saving == SAVING_NOTHING)
        save(identity, SAVING_STATE, effects); /* an older copy of the same grant */
    effect_add(effects, EFFECT_CHANGED);
    start_next(identity, now, effects);
}
