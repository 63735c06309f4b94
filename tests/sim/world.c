/* SPDX-License-Identifier: MPL-2.0 */
/* A machine and its days: when it is on, asleep or off, and which programs run on it. */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void later(struct world *world, int64_t delay, enum what what, int process, int64_t value)
{
    queue_add(&world->queue, (struct entry){.at = world->now + delay,
                                            .what = what,
                                            .process = process,
                                            .instance = process < 0 ? 0 : world->processes[process].instance,
                                            .value = value});
}

/* --- days --- */

/* From the end of a session to the next one. */
static int64_t pause_between_sessions(struct world *world)
{
    struct random *random = &world->random;
    int64_t day = world->now / DAY, start;

    if (world->habit == HABIT_ALWAYS_ON)
        return random_between(random, MINUTE, 10 * MINUTE);
    do {
        day++;
        start = day * DAY + (world->habit == HABIT_OFFICE ? random_between(random, 8 * HOUR, 10 * HOUR)
                                                          : random_between(random, 7 * HOUR, 21 * HOUR));
        /* Day 0 is a Friday. */
    } while (world->habit == HABIT_OFFICE ? day % 7 == 1 || day % 7 == 2 : random_chance(random, 0.35));
    if (random_chance(random, 0.01))
        start += random_between(random, DAY, 20 * DAY); /* holidays */
    return start - world->now;
}

static int64_t session_length(struct world *world)
{
    struct random *random = &world->random;

    if (world->habit == HABIT_ALWAYS_ON)
        return random_between(random, 3 * DAY, 20 * DAY);
    return world->habit == HABIT_OFFICE ? random_between(random, 6 * HOUR, 9 * HOUR)
                                        : random_between(random, 15 * MINUTE, 100 * MINUTE);
}

void network_changed_for_all(struct world *world)
{
    int i;

    for (i = 0; i < PROCESSES && world->awake; i++)
        deliver_plain(world, i, EVENT_NETWORK);
}

void tell_time(struct world *world)
{
    int i;

    for (i = 0; i < PROCESSES && world->awake; i++) {
        world->processes[i].wakes_in_a_row = 0;
        deliver_plain(world, i, EVENT_TIME);
    }
}

static void switched_on(struct world *world)
{
    bool restarted = world->powered_off && random_chance(&world->random, 0.7);

    if (restarted) {
        process_die(world, 0);
        process_die(world, 1);
        world->boot = (world->now / SECOND - random_between(&world->random, 30, 120)) * SECOND;
    }
    tell_time(world);
    network_changed_for_all(world);
    if (!world->processes[0].alive)
        later(world, random_between(&world->random, 0, MINUTE), PROCESS_START, 0, 1);
}

static void session_start(struct world *world)
{
    int64_t length = session_length(world);

    world->awake = true;
    world->woke_at = world->now;
    switched_on(world);
    later(world, length, SESSION_END, -1, 0);
    if (world->second_profile && random_chance(&world->random, 0.6))
        later(world, random_between(&world->random, MINUTE, length), PROCESS_START, 1, 1);
    if (random_chance(&world->random, world->habit == HABIT_ALWAYS_ON ? 0.8 : 0.08))
        later(world, random_between(&world->random, MINUTE, length), COMMAND, -1, 0);
}

static void session_end(struct world *world)
{
    bool asleep = random_chance(&world->random, 0.5);
    int i;

    ideal_while_running(world);
    for (i = 0; i < PROCESSES && !asleep; i++) {
        if (random_chance(&world->random, 0.1))
            process_die(world, i);
        else if (world->processes[i].alive)
            process_stop(world, i);
    }
    trace(world, "-- the machine %s", asleep ? "falls asleep" : "is off");
    world->powered_off = !asleep;
    world->awake = false;
    world->wakes_at = world->now + pause_between_sessions(world);
    later(world, world->wakes_at - world->now, SESSION_START, -1, 0);
}

/* --- one after the other --- */

static void handle_shared(struct world *world, const struct entry *entry)
{
    switch (entry->what) {
    case SESSION_START:
        session_start(world);
        break;
    case SESSION_END:
        session_end(world);
        break;
    case CONDITION:
        condition_toggle(world, (enum condition)entry->value);
        break;
    case ACCOUNT_TROUBLE:
        account_trouble(world);
        break;
    case CLOCK_JUMP:
        clock_jump(world);
        break;
    case COMMAND:
        command_run(world, entry->value != 0);
        break;
    case PROCESS_START:
        if (!world->awake || world->processes[entry->process].alive)
            break;
        process_start(world, entry->process, true);
        later(world, random_between(&world->random, 0, 10 * SECOND), MAIL_CHECK, entry->process, 0);
        break;
    default:
        break;
    }
}

static void handle_own(struct world *world, const struct entry *entry)
{
    struct process *process = &world->processes[entry->process];

    switch (entry->what) {
    case MAIL_CHECK:
        mail_check(world, entry->process);
        break;
    case PROCESS_STOP:
        process_stop(world, entry->process);
        break;
    case WAKE:
        if ((uint64_t)entry->value == process->wake)
            deliver_plain(world, entry->process, EVENT_TIME);
        break;
    case DEADLINE:
    case CANCEL:
        request_ends(world, entry->process, (uint64_t)entry->value, entry->what == CANCEL);
        break;
    case LOCK_TRY:
        lock_try(world, entry->process);
        break;
    case NOTICE:
        notice(world, entry->process);
        break;
    case USER_SIGN_IN:
        user_signs_in(world, entry->process);
        break;
    case REDIRECT:
        user_redirected(world, entry->process, entry->value);
        break;
    case SIGN_IN_DEADLINE:
        sign_in_expired(world, entry->process, entry->value);
        break;
    default:
        break;
    }
}

static void handle(struct world *world, struct entry *entry)
{
    const struct process *process = entry->process < 0 ? NULL : &world->processes[entry->process];

    if (entry->what == ARRIVAL) {
        network_arrival(world, (int)entry->value);
    } else if (entry->what <= PROCESS_START) {
        handle_shared(world, entry);
    } else if (entry->what != ANSWER && (!process->alive || process->instance != entry->instance)) {
        return;
    } else if (!world->awake) { /* what was due while it slept comes when it wakes up */
        entry->at = world->wakes_at + 1 + (entry->at & 0x3f);
        queue_add(&world->queue, *entry);
    } else if (entry->what == ANSWER) {
        network_answer(world, (int)entry->value);
    } else {
        handle_own(world, entry);
    }
}

void world_run(struct world *world)
{
    struct entry entry;

    while (!world->failed && queue_take(&world->queue, &entry) && entry.at <= world->end) {
        world->now = entry.at;
        handle(world, &entry);
    }
    if (!world->failed) {
        world->now = world->end;
        if (world->awake)
            ideal_while_running(world);
        check_end(world);
    }
}

/* Most identities have signed in long ago. */
static void sign_in_before(struct world *world)
{
    struct process *process = &world->processes[0];
    struct grant *grant = &process->identity.grant;
    int64_t ago = random_chance(&world->random, 0.03) ? random_between(&world->random, 80 * DAY, 95 * DAY)
                                                      : random_between(&world->random, 0, 20 * DAY);
    uint32_t family = provider_new_family(world, false, -ago);
    char text[TOKEN_TEXT];

    refresh_token_text(text, world, family, 1);
    if (secret_set(&grant->refresh_token, text, strlen(text)) != 0)
        abort();
    grant->serial = process->identity.serial = 1;
    grant->renewals = 1;
    grant->obtained_at = grant->last_used_at = EPOCH - ago / SECOND;
    snprintf(grant->oid, sizeof grant->oid, "oid-user-%d", world->index);
    strcpy(grant->tid, "tid");
    snprintf(grant->home_account_id, sizeof grant->home_account_id, "%s.%s", grant->oid, grant->tid);
    snprintf(grant->scopes, sizeof grant->scopes, "%s %s", resource_scopes[OUTLOOK], resource_scopes[GRAPH]);
    process->family = family + 1;
    (void)disk_write(world, 0);
    identity_clear(&process->identity);
    memset(process, 0, sizeof *process);
}

void world_open(struct world *world, uint64_t seed, int index, int days, struct totals *totals)
{
    double habit;

    memset(world, 0, sizeof *world);
    world->seed = seed;
    world->index = index;
    world->totals = totals;
    world->end = days * DAY;
    world->lock_holder = -1;
    world->random.state = seed * 0x10001 + (uint64_t)index;
    world->random.state = random_next(&world->random);
    habit = (double)random_between(&world->random, 0, 99);
    world->habit = habit < 3 ? HABIT_ALWAYS_ON : habit < 10 ? HABIT_OFFICE : HABIT_EVENINGS;
    world->second_profile = random_chance(&world->random, 0.3);
    world->uses_graph = random_chance(&world->random, 0.4);
    world->no_locks = random_chance(&world->random, 0.08);
    if (world->no_locks)
        world->second_profile = true;
    world->strict = !world->no_locks && random_chance(&world->random, 0.2);
    world->disk.round_trip = index % 8 == 7;
    world->drift = (double)random_between(&world->random, -50, 50) * 1e-6;
    world->boot = -random_between(&world->random, 60, 1000000) * SECOND;
    totals->identities++;
    if (random_chance(&world->random, 0.85))
        sign_in_before(world);
    conditions_start(world);
    later(world, random_between(&world->random, 0, 10 * HOUR), SESSION_START, -1, 0);
}

void world_close(struct world *world)
{
    int i;

    for (i = 0; i < PROCESSES; i++)
        identity_clear(&world->processes[i].identity);
    identity_clear(&world->disk.copy);
    secret_wipe(&world->disk.payload);
    queue_free(&world->queue);
    free(world->tokens);
}
