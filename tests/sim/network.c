/* SPDX-License-Identifier: MPL-2.0 */
/* The way to the provider and back: slow, lossy, and sometimes not there at all. */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

static enum resource resource_of(const char *name)
{
    return strcmp(name, resource_names[GRAPH]) == 0 ? GRAPH : OUTLOOK;
}

static struct wire *free_wire(struct world *world)
{
    int i;

    for (i = 0; i < WIRE_MAX; i++)
        if (!world->wires[i].used)
            return &world->wires[i];
    abort();
}

static void transport_fails(struct reply *reply, const char *stage)
{
    memset(reply, 0, sizeof *reply);
    reply->kind = REPLY_TRANSPORT;
    reply->stage = stage;
}

static void travel(struct world *world, struct wire *wire)
{
    struct random *random = &world->random;
    int index = (int)(wire - world->wires);
    int64_t way = random_between(random, 60, 800);

    if (world->conditions[OFFLINE]) {
        transport_fails(&wire->reply, random_chance(random, 0.5) ? "dns" : "connect");
        later(world, way, ANSWER, wire->process, index);
        return;
    }
    if (random_chance(random, world->conditions[SLOW] || world->no_locks ? 0.5 : 0.02))
        way = random_between(random, 1 * SECOND, 22 * SECOND);
    if (random_chance(random, 0.003)) { /* the request is lost */
        world->trouble_at = world->now;
        transport_fails(&wire->reply, "timeout");
        later(world, TRANSPORT_TIMEOUT, ANSWER, wire->process, index);
        return;
    }
    wire->answer_lost = way > TRANSPORT_TIMEOUT || random_chance(random, 0.003);
    later(world, way / 2, ARRIVAL, wire->process, index);
    later(world, wire->answer_lost ? TRANSPORT_TIMEOUT : way, ANSWER, wire->process, index);
    if (wire->answer_lost || way > 5 * SECOND)
        world->trouble_at = world->now + TRANSPORT_TIMEOUT;
}

void network_send(struct world *world, int index)
{
    struct process *process = &world->processes[index];
    struct identity *identity = &process->identity;
    struct wire *wire = free_wire(world);
    const struct secret *sent = &identity->grant.refresh_token;

    memset(wire, 0, sizeof *wire);
    wire->used = true;
    wire->process = index;
    wire->instance = process->instance;
    wire->purpose = identity->flight.purpose;
    wire->sent_at = world->now;
    wire->grant_serial = identity->grant.serial;
    if (wire->purpose == PURPOSE_SIGN_IN) {
        wire->sign_in = (int64_t)identity->sign_in.id - 1;
        sent = &identity->sign_in.code;
        wire->resource = OUTLOOK;
    } else {
        wire->resource = resource_of(identity->access[identity->flight.resource].resource);
    }
    if ((wire->purpose == PURPOSE_REFRESH || world->sign_ins[wire->sign_in].method == METHOD_IMPORT) &&
        !refresh_token_read(world, sent, &wire->family, &wire->number))
        fail(world, "what was sent is no refresh token of this identity: \"%s\"", secret_expose(sent));
    else
        travel(world, wire);
}

void network_arrival(struct world *world, int index)
{
    struct wire *wire = &world->wires[index];

    if (!wire->used)
        return;
    wire->processed = true;
    if (provider_in_trouble(world, &wire->reply))
        world->trouble_at = world->now;
    else if (wire->purpose == PURPOSE_SIGN_IN)
        provider_redeem(world, wire);
    else
        provider_refresh(world, wire);
    trace(world, "   provider: %s R%u.%u %s -> %d %s %s %d", resource_names[wire->resource] + 8, wire->family,
          wire->number, wire->answer_lost ? "(answer lost)" : "", wire->reply.status,
          wire->reply.error == NULL ? "" : wire->reply.error,
          wire->reply.suberror == NULL ? "" : wire->reply.suberror, wire->reply.aadsts);
}

static void lose_answer(struct world *world, struct wire *wire, const char *stage)
{
    if (wire->reply.kind == REPLY_TOKENS)
        world->families[wire->reply.family].excuse = true;
    world->trouble_at = world->now;
    transport_fails(&wire->reply, stage);
}

void network_answer(struct world *world, int index)
{
    struct wire *wire = &world->wires[index];
    struct process *process = &world->processes[wire->process];
    struct token_answer answer;
    struct event event = {.kind = EVENT_TOKEN_ANSWER, .answer = &answer};
    struct wire answered;

    if (!process->alive || process->instance != wire->instance) {
        wire->used = false;
        return;
    }
    if (wire->answer_lost || wire->reply.kind == REPLY_NONE)
        lose_answer(world, wire, "timeout");
    else if (world->woke_at > wire->sent_at && random_chance(&world->random, 0.5))
        lose_answer(world, wire, "http"); /* no connection outlives a suspended machine for long */
    if (wire->reply.kind == REPLY_TOKENS) {
        struct token *token = &world->tokens[wire->reply.token];
        token->arrived_at = world->now;
        token->instance = wire->instance;
        token->clock_jumps = world->clock_jumps;
    }
    answer_make(world, wire, &answer);
    load_answered(world, wire);
    wire->used = false; /* it is not in flight any more */
    answered = *wire;
    world->answering = &answered;
    deliver(world, wire->process, &event);
    world->answering = NULL;
    token_answer_clear(&answer);
}

void network_forget(struct world *world, int index)
{
    int i;

    for (i = 0; i < WIRE_MAX; i++) {
        struct wire *wire = &world->wires[i];
        if (!wire->used || wire->process != index || wire->instance != world->processes[index].instance)
            continue;
        wire->answer_lost = true;
        if (wire->reply.kind == REPLY_TOKENS)
            world->families[wire->reply.family].excuse = true;
        world->trouble_at = world->now + TRANSPORT_TIMEOUT;
    }
}
