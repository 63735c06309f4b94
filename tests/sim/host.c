/* SPDX-License-Identifier: MPL-2.0 */
/* The shell around the core: it carries out effects in their order, and may die between any two of them. */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CRASH_AT_EFFECT (1.0 / 3000) /* so that an identity of average use dies this way once or twice */
#define WAKES_IN_A_ROW_MAX 8         /* EVENT_TIME at one instant: more is a loop */

struct moment world_moment(const struct world *world)
{
    double since_start = (double)world->now * world->drift;
    int64_t wall = world->now + (int64_t)since_start + world->clock_offset;
    struct moment moment = {.wall = EPOCH + wall / SECOND, .uptime = (world->now - world->boot) / SECOND};

    return moment;
}

/* The process may be killed at any moment. True when it was at this one. */
static bool crash(struct world *world, int index)
{
    if (world->processes[index].alive && random_chance(&world->random, CRASH_AT_EFFECT)) {
        trace(world, "%d dies", index);
        process_die(world, index);
        later(world, random_between(&world->random, SECOND, 20 * MINUTE), PROCESS_START, index, 1);
    }
    return !world->processes[index].alive;
}

static struct pending *find_pending(struct process *process, uint64_t request)
{
    int i;

    for (i = 0; i < PENDING_MAX; i++)
        if (process->pending[i].request == request)
            return &process->pending[i];
    return NULL;
}

static void reply(struct world *world, int index, const struct effect *effect, enum event_kind trigger)
{
    struct process *process = &world->processes[index];
    struct pending *pending = find_pending(process, effect->request);

    if (pending == NULL) {
        fail(world, "request %llu is answered twice, or was never asked",
             (unsigned long long)effect->request);
        return;
    }
    if (effect->kind == EFFECT_REPLY_TOKEN) {
        check_reply_token(world, index, pending, effect, trigger);
    } else {
        world->totals->answered_with_problem++;
        check_reply_problem(world, index, pending, effect->problem, trigger);
        user_is_told(world, index, effect->problem);
    }
    memset(pending, 0, sizeof *pending);
}

void unlock(struct world *world, int index)
{
    int other = 1 - index;

    world->processes[index].lock_wanted = false;
    if (world->lock_holder != index)
        return;
    world->lock_holder = -1;
    if (world->processes[other].alive && world->processes[other].lock_wanted)
        later(world, random_between(&world->random, 0, 250), LOCK_TRY, other, 0);
}

static void sign_in_told(struct world *world, int index, const struct effect *effect)
{
    struct process *process = &world->processes[index];
    int64_t sign_in = process->sign_in;

    if (process->sign_in_before != 0 && effect->request == (uint64_t)process->sign_in_before) {
        process->sign_in_before = 0; /* the second start ends the first */
        return;
    }
    if (sign_in == 0 || effect->request != (uint64_t)sign_in) {
        fail(world, "sign-in %llu is told of, but %lld is open", (unsigned long long)effect->request,
             (long long)sign_in);
        return;
    }
    if (effect->kind == EFFECT_SIGN_IN_RETRY) {
        if (++process->retries_told >= SIGN_IN_TRIES)
            fail(world, "a sign-in stays open after %d tries", process->retries_told);
        if (world->sign_ins[sign_in - 1].method == METHOD_BROWSER)
            later(world, random_between(&world->random, 5 * SECOND, MINUTE), REDIRECT, index, sign_in - 1);
        return;
    }
    process->sign_in = 0;
    if (effect->problem == NULL)
        check_signed_in(world, index);
    else if (process->family != 0 && process->family == world->sign_ins[sign_in - 1].family)
        fail(world, "a sign-in is called failed, and its grant is held");
}

static void carry_out_one(struct world *world, int index, const struct effect *effect,
                          enum event_kind trigger, enum write_result *written, bool *save)
{
    struct process *process = &world->processes[index];

    switch (effect->kind) {
    case EFFECT_REPLY_TOKEN:
    case EFFECT_REPLY_PROBLEM:
        reply(world, index, effect, trigger);
        break;
    case EFFECT_LOCK:
        process->lock_wanted = true;
        later(world, 0, LOCK_TRY, index, 0);
        break;
    case EFFECT_UNLOCK:
        unlock(world, index);
        break;
    case EFFECT_SEND_TOKEN:
        check_send(world, index);
        if (!world->failed)
            network_send(world, index);
        break;
    case EFFECT_SAVE:
    case EFFECT_SAVE_AND_FORGET:
        *save = true;
        *written = disk_write(world, index);
        break;
    case EFFECT_SIGN_IN_FINISHED:
    case EFFECT_SIGN_IN_RETRY:
        sign_in_told(world, index, effect);
        break;
    case EFFECT_ATTENTION:
        user_is_told(world, index, effect->problem);
        break;
    case EFFECT_CHANGED:
        break;
    }
}

/* One step and its effects. True when something is to be saved; *written says how the first try went. */
static bool step(struct world *world, int index, struct event *event, enum write_result *written)
{
    struct process *process = &world->processes[index];
    enum event_kind trigger = event->kind;
    struct glance before;
    bool save = false;
    size_t i;

    world->totals->events++;
    if (world->tracing)
        trace_event(world, index, event);
    glance_take(&before, world, index);
    if (identity_step(&process->identity, event, world_moment(world), &process->effects) != 0)
        fail(world, "a step runs out of memory");
    check_step(world, index, event, &before);
    for (i = 0; i < process->effects.count && !world->failed; i++) {
        if (crash(world, index))
            return false;
        if (world->tracing)
            trace_effect(world, index, &process->effects.list[i]);
        carry_out_one(world, index, &process->effects.list[i], trigger, written, &save);
    }
    return save && !crash(world, index);
}

void see_removed(struct world *world, int index)
{
    world->processes[index].seen_file = false;
    world->processes[index].seen_generation = world->disk.generation;
}

/* Another process was faster: its copy comes first, then what is still to be written. */
static enum write_result give_way(struct world *world, int index, enum write_result written)
{
    struct process *process = &world->processes[index];
    struct identity copy;
    struct event event = {.kind = EVENT_REPLACED, .replaced = &copy};
    enum write_result ignored;

    while (process->alive && !world->failed && (written == WRITE_CONFLICT || written == WRITE_GONE)) {
        memset(&copy, 0, sizeof copy);
        event.kind = written == WRITE_GONE ? EVENT_REMOVED : EVENT_REPLACED;
        if (written == WRITE_GONE)
            see_removed(world, index);
        else
            disk_read(world, index, &copy);
        (void)step(world, index, &event, &ignored);
        identity_clear(&copy);
        if (process->alive)
            written = process->identity.unsaved ? disk_write(world, index) : WRITTEN;
    }
    return written;
}

static void plan_wake(struct world *world, int index)
{
    struct process *process = &world->processes[index];
    struct moment now = world_moment(world);
    int64_t wake = identity_next_wake(&process->identity, now);

    if (wake == process->wake_at && wake > now.uptime)
        return;
    process->wake_at = wake;
    process->wake++;
    if (wake == NO_WAKE)
        return;
    wake = world->boot + wake * SECOND;
    later(world, wake > world->now ? wake - world->now : 0, WAKE, index, (int64_t)process->wake);
}

bool at_rest(const struct identity *identity)
{
    return identity->flight.purpose == PURPOSE_NONE && identity->saving == SAVING_NOTHING;
}

void deliver(struct world *world, int index, struct event *event)
{
    struct process *process = &world->processes[index];
    struct problem problem = {0};
    struct event saved = {.kind = EVENT_SAVED, .saved = &problem};
    enum write_result written = WRITTEN;

    if (!process->alive || world->failed)
        return;
    if (event->kind != EVENT_TIME || process->woken_at != world->now)
        process->wakes_in_a_row = 0;
    process->woken_at = world->now;
    if (event->kind == EVENT_TIME && ++process->wakes_in_a_row > WAKES_IN_A_ROW_MAX)
        fail(world, "EVENT_TIME asks for itself at once, again and again");
    while (step(world, index, event, &written) && !world->failed) {
        written = give_way(world, index, written);
        if (!process->alive)
            return;
        if (written == WRITE_FAILED)
            problem_set(&problem, PROBLEM_STORAGE, "The disk is full.", "Make room.");
        else
            problem.kind = PROBLEM_NONE;
        event = &saved;
    }
    if (!process->alive || world->failed)
        return;
    if (process->stopping && at_rest(&process->identity)) {
        process_die(world, index);
        return;
    }
    if (!process->locking)
        check_at_rest(world, index);
    plan_wake(world, index);
}

void deliver_plain(struct world *world, int index, enum event_kind kind)
{
    struct event event = {.kind = kind};

    if (kind == EVENT_RETRY)
        load_retry_allowed(world, index);
    deliver(world, index, &event);
}
