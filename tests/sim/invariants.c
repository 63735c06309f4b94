/* SPDX-License-Identifier: MPL-2.0 */
/* What must hold after every step, at every reply and at every write: DESIGN section 6. */
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

/* --- after a step --- */

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

/* --- at a reply --- */

static void check_lives(struct world *world, int index, const struct token *token,
                        const struct access *access)
{
    const struct process *process = &world->processes[index];
    int64_t left = token->arrived_at + token->lifetime * SECOND - world->now;

    if (token->arrived_at == 0)
        fail(world, "a token is handed out that never arrived");
    else if (token->instance == process->instance && left <= 0)
        fail(world, "a token is handed out %lld ms after its end", (long long)-left);
    else if (token->clock_jumps == world->clock_jumps && left <= -2 * SECOND)
        fail(world, "another process's token is handed out %lld ms after its end", (long long)-left);
    else if (token->instance != process->instance && access->expires_at <= world_moment(world).wall)
        fail(world, "a token is handed out that has expired by the clock");
}

/* Why a short-lived token may have been handed out: no renewal was possible. */
static bool renewal_impossible(const struct world *world, const struct identity *identity,
                               const struct access *access)
{
    int64_t uptime = world_moment(world).uptime;
    int64_t oldest = access->renewals[RENEWALS_PER_MINUTE - 1];

    return access->suspended || access->not_before > uptime || identity->grant.refresh_token.length == 0 ||
           identity->no_renewal.kind != PROBLEM_NONE || (oldest != 0 && uptime - oldest < 60);
}

static void check_min_ttl(struct world *world, int index, const struct pending *pending,
                          const struct token *token, const struct access *access, enum event_kind trigger)
{
    struct moment now = world_moment(world);
    int64_t half = (access->expires_at - access->issued_at) / 2, left = access->expires_at - now.wall;
    int64_t demanded = pending->min_ttl < half ? pending->min_ttl : half;

    if (access->issued_uptime != 0)
        left = access->expires_at - access->issued_at - (now.uptime - access->issued_uptime);
    if (left >= demanded || trigger == EVENT_REQUEST_ENDED || trigger == EVENT_TOKEN_ANSWER ||
        trigger == EVENT_SAVED || now.wall - access->issued_at < RENEWAL_PAUSE_S ||
        world->now - token->arrived_at < RENEWAL_PAUSE_S * SECOND ||
        renewal_impossible(world, &world->processes[index].identity, access))
        return;
    fail(world,
         "a token with %lld s left was handed out though %lld s were asked for and it could be renewed",
         (long long)left, (long long)demanded);
}

void check_reply_token(struct world *world, int index, const struct pending *pending,
                       const struct effect *effect, enum event_kind trigger)
{
    struct process *process = &world->processes[index];
    const struct access *access = &process->identity.access[effect->resource];
    int64_t oldest = access->rejections[REJECTED_RENEWALS_MAX - 1];
    int64_t uptime = world_moment(world).uptime, index_of_token;
    const struct token *token;

    index_of_token = access_token_read(world, &access->access_token);
    if (index_of_token < 0) {
        fail(world, "a token is handed out that was not issued to this identity");
        return;
    }
    token = &world->tokens[index_of_token];
    if (token->resource != pending->resource)
        fail(world, "a token is handed out for another resource");
    if (world->families[token->family].wrong_account)
        fail(world, "somebody else's token is handed out");
    if (!token->saved && !token->save_failed && !world->no_locks &&
        process->identity.storage.kind == PROBLEM_NONE)
        fail(world, "a token is handed out before it was saved");
    if (pending->rejecting && pending->rejected == index_of_token &&
        (oldest == 0 || uptime - oldest >= REJECTED_WINDOW_S))
        fail(world, "the token that a server refused is handed out again");
    check_lives(world, index, token, access);
    if (!pending->rejecting || pending->rejected != index_of_token) /* else it is the last resort */
        check_min_ttl(world, index, pending, token, access, trigger);
    process->history[pending->resource].last_handed = index_of_token + 1;
}

void check_signed_in(struct world *world, int index)
{
    const struct process *process = &world->processes[index];

    if (!world->disk.exists || process->family == 0 || world->disk.family != process->family)
        fail(world, "a sign-in is called done that is not on disk");
    world->signed_in_at = world->now;
    world->totals->sign_ins++;
}

/* --- at a request and at a write --- */

void check_send(struct world *world, int index)
{
    const struct identity *identity = &world->processes[index].identity;
    int i;

    for (i = 0; i < WIRE_MAX; i++) {
        const struct wire *wire = &world->wires[i];
        const struct process *sender = &world->processes[wire->process];
        if (world->no_locks && wire->process != index)
            continue;
        if (wire->used && sender->alive && sender->instance == wire->instance)
            fail(world, "a second token request is sent while one is on the wire");
    }
    if (world->lock_holder != index && !world->no_locks)
        fail(world, "a token request is sent without the lock");
    world->totals->requests++;
    if (identity->flight.purpose == PURPOSE_REFRESH)
        load_sent(world, index,
                  strcasecmp(identity->access[identity->flight.resource].resource, resource_names[GRAPH]) == 0
                      ? GRAPH
                      : OUTLOOK);
}

static void mark_saved(struct world *world, int index)
{
    const struct identity *identity = &world->processes[index].identity;
    int i;

    for (i = 0; i < IDENTITY_RESOURCES_MAX; i++) {
        int64_t token = access_token_read(world, &identity->access[i].access_token);
        if (token >= 0)
            world->tokens[token].saved = true;
    }
    load_written(world, index);
}

void check_not_written(struct world *world, int index)
{
    struct process *process = &world->processes[index];
    const struct identity *identity = &process->identity;
    uint32_t family, number;
    int i;

    if (refresh_token_read(world, &identity->grant.refresh_token, &family, &number) &&
        number > world->families[family].newest_saved)
        process->unsaved_family = family + 1;

    for (i = 0; i < IDENTITY_RESOURCES_MAX; i++) {
        int64_t token = access_token_read(world, &identity->access[i].access_token);
        if (token >= 0)
            world->tokens[token].save_failed = true;
    }
}

/* A grant leaves the disk only when somebody signs out, or for a newer sign-in. */
static void check_replaced_on_disk(struct world *world, const struct process *process, uint32_t family)
{
    struct disk *disk = &world->disk;
    struct family *former = &world->families[disk->family - 1];

    if (process->identity.serial <= disk->serial)
        fail(world, "the grant on disk is replaced by an older one (%llu, %llu)",
             (unsigned long long)process->identity.serial, (unsigned long long)disk->serial);
    if (family == 0 && !process->signing_out)
        fail(world, "the grant on disk is erased and nobody has signed out");
    if (family == 0)
        former->signed_out_at = disk->generation;
}

void check_written(struct world *world, int index)
{
    struct process *process = &world->processes[index];
    const struct identity *identity = &process->identity;
    struct disk *disk = &world->disk;
    uint32_t family = 0, number = 0;

    if (identity->grant.refresh_token.length != 0 &&
        refresh_token_read(world, &identity->grant.refresh_token, &family, &number)) {
        struct family *written = &world->families[family++];
        if (written->signed_out_at != 0)
            fail(world, "a grant that was signed out is on disk again");
        if (disk->family == family && number < disk->number && process->unsaved_family != family &&
            !world->no_locks)
            fail(world, "R%u.%u on disk is overwritten by the older %u", family - 1, disk->number, number);
        if (number == written->newest)
            written->excuse = false;
        if (number > written->newest_saved)
            written->newest_saved = number;
        process->unsaved_family = 0;
    } else if (identity->grant.serial != 0) {
        family = identity->grant.serial == disk->grant_serial ? disk->family : process->family;
    }
    if (disk->family != 0 && disk->family != family)
        check_replaced_on_disk(world, process, family);
    disk->family = family;
    disk->number = number;
    disk->serial = identity->serial;
    disk->grant_serial = identity->grant.serial;
    mark_saved(world, index);
}
