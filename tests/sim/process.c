/* SPDX-License-Identifier: MPL-2.0 */
/* A process from its start to its end, and what it learns from the others: their files and their locks. */
#include "sim.h"

#include <stdio.h>
#include <string.h>

static void deliver_copy(struct world *world, int index)
{
    struct identity copy;
    struct event event = {.kind = EVENT_REPLACED, .replaced = &copy};

    disk_read(world, index, &copy);
    deliver(world, index, &event);
    identity_clear(&copy);
}

void notice(struct world *world, int index)
{
    struct process *process = &world->processes[index];

    if (world->disk.exists && process->seen_generation != world->disk.generation) {
        deliver_copy(world, index);
    } else if (!world->disk.exists && process->seen_file) {
        see_removed(world, index);
        deliver_plain(world, index, EVENT_REMOVED);
    }
}

void lock_try(struct world *world, int index)
{
    struct process *process = &world->processes[index];

    if (!process->lock_wanted ||
        (world->lock_holder != -1 && world->lock_holder != index && !world->no_locks))
        return;
    world->lock_holder = index;
    process->lock_wanted = false;
    process->locking = true;
    notice(world, index);
    process->locking = false;
    if (process->alive && world->lock_holder == index && process->identity.lock == LOCK_WANTED)
        deliver_plain(world, index, EVENT_LOCKED);
    if (process->alive)
        check_at_rest(world, index);
}

void process_start(struct world *world, int index, bool native)
{
    struct process *process = &world->processes[index];
    struct identity_key *key = &process->identity.key;
    uint64_t instance = ++world->instances;

    memset(process, 0, sizeof *process);
    process->instance = instance;
    process->alive = true;
    process->native = native;
    process->started_at = world->now;
    process->wake_at = NO_WAKE;
    process->identity.renew_ahead = native;
    process->identity.random = random_next(&world->random);
    strcpy(key->authority, "https://login.microsoftonline.com");
    strcpy(key->tenant, "organizations");
    strcpy(key->client_id, CLIENT_ID);
    snprintf(key->sign_in_as, sizeof key->sign_in_as, "user%d@example.com", world->index);
    trace(world, "%d starts", index);
    if (world->disk.exists)
        deliver_copy(world, index);
    if (native && process->alive)
        deliver_plain(world, index, EVENT_RETRY);
}

void process_stop(struct world *world, int index)
{
    struct process *process = &world->processes[index];
    struct problem problem;
    struct event event = {.kind = EVENT_SIGN_IN_END, .sign_in_end = &problem};
    uint64_t instance = process->instance;
    int i;

    trace(world, "%d stops", index);
    problem_set(&problem, PROBLEM_CANCELLED, "Thunderbird ends.", "Start it again.");
    if (process->sign_in != 0)
        deliver(world, index, &event);
    for (i = 0; i < PENDING_MAX && process->alive && process->instance == instance; i++) {
        struct event ended = {.kind = EVENT_REQUEST_ENDED,
                              .ended = {.request = process->pending[i].request, .cancelled = true}};
        if (process->pending[i].request != 0)
            deliver(world, index, &ended);
    }
    if (!process->alive || world->failed)
        return;
    process->stopping = true;
    if (at_rest(&process->identity))
        process_die(world, index);
}

void process_die(struct world *world, int index)
{
    struct process *process = &world->processes[index];

    if (!process->alive)
        return;
    if (!at_rest(&process->identity) || process->identity.unsaved)
        world->totals->crashes++;
    if (process->identity.unsaved && process->family != 0)
        world->families[process->family - 1].excuse = true;
    network_forget(world, index);
    process->alive = false;
    unlock(world, index);
    identity_clear(&process->identity);
}
