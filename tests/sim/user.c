/* SPDX-License-Identifier: MPL-2.0 */
/* What users do: check mail, renew and sign out; signing in is in signing_in.c. */
#include "sim.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static struct pending *free_pending(struct process *process)
{
    int i;

    for (i = 0; i < PENDING_MAX; i++)
        if (process->pending[i].request == 0)
            return &process->pending[i];
    return NULL;
}

static int64_t some_min_ttl(struct random *random)
{
    static const int64_t wishes[] = {0, 600, 1800};

    return random_chance(random, 0.9) ? 120 : wishes[random_between(random, 0, 2)];
}

static void ask(struct world *world, int index, const struct pending *wish)
{
    struct process *process = &world->processes[index];
    struct pending *pending = free_pending(process);
    unsigned char digest[crypto_hash_sha256_BYTES];
    char text[TOKEN_TEXT];
    struct event event = {.kind = EVENT_TOKEN_WANTED,
                          .wanted = {.request = ++world->last_request,
                                     .resource = resource_names[wish->resource],
                                     .scopes = "",
                                     .fallback_scope = resource_scopes[GRAPH],
                                     .min_ttl = wish->min_ttl,
                                     .when_due = wish->when_due,
                                     .anyway = wish->anyway}};

    if (pending == NULL || !process->alive || process->stopping)
        return;
    *pending = *wish;
    pending->request = event.wanted.request;
    pending->asked_at = world->now;
    if (pending->rejecting) {
        access_token_text(text, world, pending->rejected);
        crypto_hash_sha256(digest, (const unsigned char *)text, strlen(text));
        event.wanted.rejected = digest;
    }
    world->totals->asks++;
    ideal_use(world, wish->resource);
    deliver(world, index, &event);
    if (!process->alive || pending->request != event.wanted.request)
        return;
    later(world, REQUEST_DEADLINE, DEADLINE, index, (int64_t)pending->request);
    if (random_chance(&world->random, 0.05))
        later(world, random_between(&world->random, 0, REQUEST_DEADLINE), CANCEL, index,
              (int64_t)pending->request);
}

void mail_check(struct world *world, int index)
{
    struct process *process = &world->processes[index];
    struct random *random = &world->random;
    struct pending wish = {.min_ttl = some_min_ttl(random), .when_due = random_chance(random, 0.01)};
    const struct history *history;

    if (world->uses_graph && random_chance(random, 0.2))
        wish.resource = GRAPH;
    history = &process->history[wish.resource];
    wish.rejecting =
        history->last_handed != 0 && random_chance(random, world->conditions[REFUSING] ? 0.95 : 0.01);
    wish.rejected = history->last_handed - 1;
    ask(world, index, &wish);
    if (random_chance(random, 0.1)) /* a second folder at the same moment */
        ask(world, index, &wish);
    if (process->native && process->alive && !process->stopping)
        later(world,
              world->conditions[REFUSING] ? random_between(random, 20 * SECOND, 40 * SECOND)
                                          : random_between(random, 5 * MINUTE, 20 * MINUTE),
              MAIL_CHECK, index, 0);
}

void renew_anyway(struct world *world, int index)
{
    struct pending wish = {.anyway = true, .min_ttl = 120};

    if (world->uses_graph && random_chance(&world->random, 0.5))
        wish.resource = GRAPH;
    ask(world, index, &wish);
}

void request_ends(struct world *world, int index, uint64_t request, bool cancelled)
{
    struct process *process = &world->processes[index];
    struct event event = {.kind = EVENT_REQUEST_ENDED, .ended = {.request = request, .cancelled = cancelled}};
    uint64_t instance = process->instance;
    int i;

    for (i = 0; i < PENDING_MAX && process->pending[i].request != request; i++)
        ;
    if (i == PENDING_MAX)
        return;
    deliver(world, index, &event);
    if (process->alive && process->instance == instance && process->pending[i].request == request)
        fail(world, "a request that has ended is not answered");
}

void user_is_told(struct world *world, int index, const struct problem *problem)
{
    struct process *process = &world->processes[index];
    double wait = random_chance(&world->random, 0.15) ? (double)(2 * MINUTE) : (double)(3 * HOUR);

    if ((problem->kind != PROBLEM_SIGN_IN_REQUIRED && problem->kind != PROBLEM_INTERACTION_REQUIRED &&
         problem->kind != PROBLEM_CONSENT_REQUIRED) ||
        process->sign_in_planned || process->stopping || !process->native || process->sign_in != 0)
        return;
    process->sign_in_planned = true;
    later(world, 5 * SECOND + random_after(&world->random, wait), USER_SIGN_IN, index, 0);
}

/* --- the command line --- */

static void sign_out(struct world *world, int index, bool remove)
{
    struct process *process = &world->processes[index];

    process->signing_out = true;
    world->totals->sign_outs++;
    deliver_plain(world, index, EVENT_SIGN_OUT);
    if (!remove || !process->alive || world->failed)
        return;
    disk_remove(world, index);
    notice(world, index);
}

void command_run(struct world *world, bool sign_out_now)
{
    struct random *random = &world->random;
    struct pending wish = {.min_ttl = some_min_ttl(random)};

    if (!world->awake || world->processes[1].alive)
        return;
    if (!sign_out_now && random_chance(random, 0.05)) { /* while a renewal is on the wire */
        renew_anyway(world, 0);
        later(world, random_between(random, 1, SECOND), COMMAND, -1, 1);
        return;
    }
    process_start(world, 1, false);
    if (!world->processes[1].alive)
        return;
    if (sign_out_now || random_chance(random, 0.06)) {
        sign_out(world, 1, random_chance(random, 0.25));
    } else if (random_chance(random, 0.2)) {
        wish.when_due = true;
        deliver_plain(world, 1, EVENT_RETRY);
        ask(world, 1, &wish);
    } else {
        mail_check(world, 1);
    }
    if (world->processes[1].alive)
        later(world, random_between(random, 0, 20 * SECOND), PROCESS_STOP, 1, 0);
}
