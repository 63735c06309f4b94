/* SPDX-License-Identifier: MPL-2.0 */
/* How often the provider may be asked, and how soon whoever can recover has a token again. */
#include "sim.h"

#include <string.h>
#include <strings.h>

#define ROUNDING SECOND /* the core counts in whole seconds */
/* The longest wait is an hour: Retry-After is believed up to that, and a suspended grant is tried again then.
 */
#define RECOVERY_MAX (HOUR + 2 * MINUTE)
#define ORDINARY_LIFETIME 1800         /* seconds: shorter ones are renewed as often as need be */
#define IDEAL_LIFETIME (4200 * SECOND) /* of the average token, less the lead of a renewal */
#define LOAD_FACTOR 1.6
#define LOAD_SLACK 40

/* One process never repeats a refused request within a minute, and not within an hour unless asked to; what
 * the other one was refused, it knows from the disk. */
static void check_refused(struct world *world, int index, enum resource resource)
{
    struct process *process = &world->processes[index];
    struct history *history = &process->history[resource];
    struct refusal *refusal = &history->refusal;
    bool credit;

    if (world->refusals_on_disk[resource].at > refusal->at && !world->no_locks)
        refusal = &world->refusals_on_disk[resource];
    if (refusal->at == 0 || refusal->serial != process->identity.grant.serial ||
        world->jumped_at >= refusal->at)
        return;
    credit = history->credit_at != 0 && history->credit_at >= refusal->sent_at;
    if (world->now - refusal->sent_at < SAME_REQUEST_PAUSE_S * SECOND - ROUNDING &&
        (refusal == &history->refusal || !credit))
        fail(world, "the same request is sent %lld ms after it was refused",
             (long long)(world->now - refusal->at));
    if (world->now - refusal->at < SUSPENDED_RETRY_S * SECOND - 2 * ROUNDING && !credit)
        fail(world, "a suspended grant is tried again after %lld s",
             (long long)((world->now - refusal->at) / SECOND));
}

void load_sent(struct world *world, int index, enum resource resource)
{
    struct history *history = &world->processes[index].history[resource];

    world->requests++;
    world->totals->renewals++;
    if (history->sent_at[1] != 0 && world->now - history->sent_at[1] < MINUTE - ROUNDING)
        fail(world, "a third renewal within a minute");
    history->sent_at[1] = history->sent_at[0];
    history->sent_at[0] = world->now;
    check_refused(world, index, resource);
    if (world->now < history->retry_after - ROUNDING)
        fail(world, "sent %lld s before the end of Retry-After",
             (long long)((history->retry_after - world->now) / SECOND));
}

void load_new_grant(struct process *process)
{
    int i;

    /* Other requests than before, and a user who has just been there. */
    for (i = 0; i < RESOURCES; i++) {
        process->history[i].sent_at[0] = process->history[i].sent_at[1] = 0;
        process->history[i].retry_after = process->history[i].refusal.at = 0;
    }
}

static int64_t asked_to_wait(const struct reply *reply)
{
    bool throttled = reply->status == 429 || reply->status == 503 || reply->aadsts == 50196;

    if (reply->retry_after > 0)
        return (reply->retry_after < 3600 ? reply->retry_after : 3600) * SECOND;
    return throttled ? MINUTE : 0;
}

/* What got nowhere counts for no loop at the provider. */
static bool never_left(const struct reply *reply)
{
    return reply->kind == REPLY_TRANSPORT &&
           (strcmp(reply->stage, "dns") == 0 || strcmp(reply->stage, "connect") == 0);
}

/* Backing off, a process that is never served asks at most this often. */
static void remember_failure(struct world *world, struct history *history)
{
    if (history->failed_at[FAILURES_AN_HOUR - 1] != 0 &&
        world->now - history->failed_at[FAILURES_AN_HOUR - 1] < HOUR)
        fail(world, "%d requests failed within an hour", FAILURES_AN_HOUR + 1);
    memmove(&history->failed_at[1], &history->failed_at[0],
            (FAILURES_AN_HOUR - 1) * sizeof history->failed_at[0]);
    history->failed_at[0] = world->now;
}

static bool ends_refresh_token(const struct reply *reply)
{
    return reply->suberror != NULL &&
           (strcmp(reply->suberror, "bad_token") == 0 || strcmp(reply->suberror, "token_expired") == 0);
}

void load_answered(struct world *world, const struct wire *wire)
{
    struct history *history = &world->processes[wire->process].history[wire->resource];
    const struct reply *reply = &wire->reply;
    const size_t last = sizeof history->fresh / sizeof history->fresh[0] - 1;
    int i;

    if (wire->purpose != PURPOSE_REFRESH)
        return;
    if (reply->kind != REPLY_TOKENS) {
        world->excused_requests++;
        remember_failure(world, history);
        if (never_left(reply)) {
            history->sent_at[0] = history->sent_at[1];
            history->sent_at[1] = 0;
        }
        if (asked_to_wait(reply) > 0)
            history->retry_after = world->now + asked_to_wait(reply);
        else if (reply->kind == REPLY_ERROR && reply->status == 400 && !ends_refresh_token(reply) &&
                 (!world->no_locks || !world->processes[wire->process].identity.flight.outdated)) {
            history->refusal = (struct refusal){.at = world->now,
                                                .sent_at = wire->sent_at,
                                                .wall = world_moment(world).wall,
                                                .serial = wire->grant_serial};
            if (history->credit_at <= wire->sent_at)
                history->credit_at = 0;
        }
        return;
    }
    memset(history->failed_at, 0, sizeof history->failed_at);
    history->credit_at = 0;
    /* Who is served is neither throttled nor refused any more, and the other process learns it from the new
     * token. */
    for (i = 0; i < PROCESSES; i++) {
        world->processes[i].history[wire->resource].retry_after = 0;
        world->processes[i].history[wire->resource].refusal.at = 0;
    }
    if (world->tokens[reply->token].lifetime < ORDINARY_LIFETIME) {
        world->excused_requests++;
        return;
    }
    if (history->fresh[last] != 0 && world->now - history->fresh[last] < 10 * MINUTE - ROUNDING)
        fail(world, "%d good tokens were renewed within ten minutes", (int)last + 1);
    memmove(&history->fresh[1], &history->fresh[0], last * sizeof history->fresh[0]);
    history->fresh[0] = world->now;
}

/* What both processes know, because it is on disk. */
void load_written(struct world *world, int index)
{
    struct process *process = &world->processes[index];
    int resource;

    for (resource = 0; resource < RESOURCES; resource++) {
        const struct access *access = identity_find_access(&process->identity, resource_names[resource]);
        const struct refusal *own = &process->history[resource].refusal;
        struct refusal *known = &world->refusals_on_disk[resource];
        if (access == NULL || !access->suspended)
            known->at = 0;
        else if (own->at != 0 && own->wall == access->tried_at)
            *known = *own;
        else if (known->wall != access->tried_at)
            known->at = 0;
    }
}

void load_retry_allowed(struct world *world, int index)
{
    struct process *process = &world->processes[index];
    int resource;

    for (resource = 0; resource < RESOURCES; resource++) {
        const struct access *access = identity_find_access(&process->identity, resource_names[resource]);
        if (access != NULL && access->suspended)
            process->history[resource].credit_at = world->now;
    }
}

/* --- the least number of requests that the use needs --- */

static void ideal_up_to(struct world *world, enum resource resource)
{
    int64_t *until = &world->ideal_until[resource];

    if (*until == 0 || *until >= world->now)
        return;
    if (*until < world->woke_at)
        *until = world->now - 1; /* nobody kept it alive meanwhile */
    while (*until < world->now) {
        world->ideal += 1;
        *until += IDEAL_LIFETIME;
    }
}

void ideal_use(struct world *world, enum resource resource)
{
    if (world->ideal_until[resource] == 0)
        world->ideal_until[resource] = world->now - 1;
    ideal_up_to(world, resource);
}

void ideal_while_running(struct world *world)
{
    ideal_up_to(world, OUTLOOK);
    ideal_up_to(world, GRAPH);
}

void check_end(struct world *world)
{
    double most = LOAD_FACTOR * world->ideal + LOAD_SLACK;

    world->totals->ideal += world->ideal;
    if (world->requests > world->excused_requests &&
        (double)(world->requests - world->excused_requests) > most)
        fail(world, "%llu renewals where %.0f would do", (unsigned long long)world->requests, world->ideal);
}

/* --- recovery --- */

/* Since when nothing has stood in the way of a token for the resource; NEVER while something does. */
static int64_t well_since(const struct world *world, int index, enum resource resource)
{
    int64_t since = world->processes[index].started_at;
    const int64_t moments[] = {world->woke_at, world->jumped_at, world->trouble_at, world->signed_in_at};
    size_t i;

    for (i = 0; i < sizeof moments / sizeof moments[0]; i++)
        if (moments[i] > since)
            since = moments[i];
    for (i = 0; i < CONDITIONS; i++) {
        if (i == SHORT_LIVED || i == REFUSING)
            continue;
        if (resource == GRAPH ? i == NO_CONSENT_OUTLOOK || i == MFA_OUTLOOK
                              : i == NO_CONSENT_GRAPH || i == MFA_GRAPH)
            continue;
        if (world->conditions[i])
            return NEVER;
        if (world->condition_ended[i] > since)
            since = world->condition_ended[i];
    }
    return since;
}

static bool passing(enum problem_kind kind)
{
    return kind == PROBLEM_NETWORK || kind == PROBLEM_THROTTLED || kind == PROBLEM_IDENTITY_PROVIDER ||
           kind == PROBLEM_STORAGE;
}

static bool withheld(const struct world *world, int index, const struct pending *pending)
{
    const struct identity *identity = &world->processes[index].identity;
    const struct access *access = identity_find_access(identity, resource_names[pending->resource]);
    int64_t token = access == NULL ? -1 : access_token_read(world, &access->access_token);

    return token >= 0 && !pending->when_due && !pending->anyway &&
           !(pending->rejecting && pending->rejected == token) && access->issued_uptime != 0 &&
           access->expires_at > world_moment(world).wall + 1 &&
           world->tokens[token].arrived_at + world->tokens[token].lifetime * SECOND - world->now > 2 * SECOND;
}

void check_reply_problem(struct world *world, int index, const struct pending *pending,
                         const struct problem *problem, enum event_kind trigger)
{
    const struct disk *disk = &world->disk;
    int64_t since = well_since(world, index, pending->resource);

    if (problem == NULL || problem->kind == PROBLEM_NONE || problem->cause[0] == '\0' ||
        problem->remedy[0] == '\0') {
        fail(world, "a problem without a cause or a next step");
        return;
    }
    if (trigger == EVENT_REQUEST_ENDED && problem->kind == PROBLEM_CANCELLED)
        return;
    if (passing(problem->kind) && withheld(world, index, pending))
        fail(world, "a living token is withheld for passing trouble (%s)", problem_kind_name(problem->kind));
    if (pending->rejecting || !disk->exists || disk->family == 0 ||
        !provider_accepts(world, disk->family - 1, disk->number, pending->resource))
        return;
    if (since != NEVER && world->now - since > RECOVERY_MAX)
        fail(world, "no token (%s: %s) though all has been well for %lld s", problem_kind_name(problem->kind),
             problem->cause, (long long)((world->now - since) / SECOND));
}
