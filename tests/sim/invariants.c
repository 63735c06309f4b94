/* SPDX-License-Identifier: MPL-2.0 */
/* What must hold after every step: DESIGN section 6. */
#include "sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

void fail(struct world *world, const char *format, ...)
{
    va_list arguments;

    if (world->failed)
        return;
    va_start(arguments, format);
    vsnprintf(world->rule, sizeof world->rule, format, arguments);
    va_end(arguments);
    world->failed = true;
    world->failed_at = world->now;
}

void glance_take(struct glance *glance, const struct world *world, int index)
{
    const struct process *process = &world->processes[index];
    int i;

    glance->serial = process->identity.grant.serial;
    glance->dead = process->identity.dead.kind;
    glance->family = process->family;
    glance->renewals = process->identity.grant.renewals;
    for (i = 0; i < IDENTITY_RESOURCES_MAX; i++) {
        glance->suspended[i] = process->identity.access[i].suspended;
        glance->problems[i] = process->identity.access[i].problem.kind;
    }
}

/* Invariant 6: a failure takes neither the refresh token nor another resource with it. */
static void check_failure(struct world *world, int index, const struct glance *before)
{
    const struct process *process = &world->processes[index];
    const struct wire *wire = world->answering;
    bool passing =
        wire->reply.status != 400 || wire->reply.kind != REPLY_ERROR || wire->reply.aadsts == 50196;
    int i;

    if (process->family != before->family || process->identity.grant.serial != before->serial)
        fail(world, "an answer that brought no token changed the grant");
    for (i = 0; i < IDENTITY_RESOURCES_MAX; i++) {
        const struct access *access = &process->identity.access[i];
        if (access->resource[0] != '\0' &&
            strcasecmp(access->resource, resource_names[wire->resource]) != 0 &&
            (access->suspended != before->suspended[i] ||
             (access->problem.kind != before->problems[i] && process->identity.dead.kind == PROBLEM_NONE)))
            fail(world, "a failure for %s changed %s", resource_names[wire->resource], access->resource);
        if (passing && access->suspended && !before->suspended[i])
            fail(world, "passing trouble suspends the grant");
    }
}

/* An answer to an older grant changes nothing. */
static void check_late(struct world *world, int index, const struct glance *before)
{
    const struct process *process = &world->processes[index];
    int i;

    if (process->identity.grant.serial != before->serial || process->family != before->family ||
        process->identity.grant.renewals != before->renewals)
        fail(world, "a late answer changed a newer grant");
    for (i = 0; i < IDENTITY_RESOURCES_MAX; i++)
        if (process->identity.access[i].suspended != before->suspended[i] ||
            process->identity.access[i].problem.kind != before->problems[i])
            fail(world, "a late answer changed %s of a newer grant", process->identity.access[i].resource);
}

/* A request once sent is never in vain while its grant is the one that is held. */
static void check_taken(struct world *world, int index)
{
    const struct process *process = &world->processes[index];
    const struct wire *wire = world->answering;
    const struct access *access = identity_find_access(&process->identity, resource_names[wire->resource]);
    uint32_t family, number;

    if (!refresh_token_read(world, &process->identity.grant.refresh_token, &family, &number) ||
        family != wire->reply.family || number < wire->reply.number)
        fail(world, "the refresh token R%u.%u of an answer was not taken over", wire->reply.family,
             wire->reply.number);
    if (access == NULL || access_token_read(world, &access->access_token) != wire->reply.token)
        fail(world, "the access token of an answer was not taken over");
}

static void check_grant(struct world *world, int index, const struct glance *before, bool replaced)
{
    struct process *process = &world->processes[index];
    const struct identity *identity = &process->identity;
    uint32_t family = 0, number = 0;

    if (identity->grant.serial == 0) {
        process->family = 0;
        return;
    }
    if (identity->grant.refresh_token.length == 0 && before->serial != identity->grant.serial) {
        process->family = world->disk.family; /* a sign-in was not saved, the former grant is back */
        if (identity->dead.kind == PROBLEM_NONE)
            fail(world, "the refresh token is gone without a reason");
        return;
    }
    if (identity->grant.refresh_token.length == 0) {
        const struct family *dead = before->family == 0 ? NULL : &world->families[before->family - 1];
        if (identity->dead.kind == PROBLEM_NONE)
            fail(world, "the refresh token is gone without a reason");
        if (!replaced && before->dead == PROBLEM_NONE) {
            if (dead == NULL || dead->dead == CAUSE_NONE || dead->bare)
                fail(world, "a refresh token that is good, or may be, was given up");
            else if (dead->dead == CAUSE_STRICT_REUSE)
                world->totals->strict_losses++;
            world->totals->causes[dead == NULL ? CAUSE_NONE : dead->dead]++;
        }
        return;
    }
    if (!refresh_token_read(world, &identity->grant.refresh_token, &family, &number)) {
        fail(world, "the refresh token is none of this identity");
        return;
    }
    if (process->family != family + 1)
        load_new_grant(process);
    process->family = family + 1;
    if (world->families[family].wrong_account)
        fail(world, "somebody else's grant was taken over");
    if (world->families[family].signed_out_at != 0 &&
        world->families[family].signed_out_at <= process->seen_generation)
        fail(world, "a grant that was signed out is back in memory");
}

static void check_tokens_held(struct world *world, int index)
{
    const struct process *process = &world->processes[index];
    int i;

    for (i = 0; i < IDENTITY_RESOURCES_MAX; i++) {
        const struct access *access = &process->identity.access[i];
        int64_t token = access_token_read(world, &access->access_token);
        if (access->access_token.length == 0)
            continue;
        if (token < 0 || world->families[world->tokens[token].family].wrong_account)
            fail(world, "an access token of nobody here is held");
        else if (strcasecmp(access->resource, resource_names[world->tokens[token].resource]) != 0)
            fail(world, "an access token is held for the wrong resource");
        else if (world->families[world->tokens[token].family].signed_out_at != 0 &&
                 world->families[world->tokens[token].family].signed_out_at <= process->seen_generation)
            fail(world, "an access token outlives its sign-out in memory");
    }
}

void check_step(struct world *world, int index, const struct event *event, const struct glance *before)
{
    const struct identity *identity = &world->processes[index].identity;
    const struct wire *wire = world->answering;

    check_grant(world, index, before, event->kind == EVENT_REPLACED);
    if (event->kind == EVENT_REPLACED || event->kind == EVENT_TOKEN_ANSWER || event->kind == EVENT_SAVED ||
        event->kind == EVENT_REMOVED)
        check_tokens_held(world, index);
    if (event->kind == EVENT_TOKEN_ANSWER && wire->purpose == PURPOSE_REFRESH) {
        if (wire->grant_serial != before->serial)
            check_late(world, index, before);
        else if (wire->reply.kind == REPLY_TOKENS)
            check_taken(world, index);
        else
            check_failure(world, index, before);
    }
    if (event->kind == EVENT_REPLACED && identity->grant.serial == before->serial &&
        identity->grant.renewals < before->renewals)
        fail(world, "an older copy of the same grant was taken from the disk");
    if ((event->kind == EVENT_SIGN_OUT || event->kind == EVENT_REMOVED) && identity->grant.serial != 0 &&
        !(event->kind == EVENT_REMOVED && identity->saving == SAVING_SIGN_IN))
        fail(world, "signed out, and still a grant");
}

void check_at_rest(struct world *world, int index)
{
    const struct process *process = &world->processes[index];

    if (world->no_locks)
        return;
    if (world->lock_holder == index && process->identity.flight.purpose == PURPOSE_NONE &&
        process->identity.saving == SAVING_NOTHING)
        fail(world, "the lock is kept though nothing is on the wire");
    if (world->lock_holder == index && process->identity.lock != LOCK_HELD)
        fail(world, "the lock is held and the core does not know");
}
