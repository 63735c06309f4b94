/* SPDX-License-Identifier: MPL-2.0 */
/* A model of Entra's token endpoint (FACTS 1.3, 1.7, 1.8), and of the network in between. */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint32_t provider_new_family(struct world *world, bool wrong_account, int64_t last_used)
{
    struct family *family = &world->families[world->family_count];

    if (world->family_count == FAMILIES_MAX)
        abort();
    memset(family, 0, sizeof *family);
    family->newest = 1;
    family->last_used = last_used;
    family->wrong_account = wrong_account;
    return world->family_count++;
}

int64_t provider_issue(struct world *world, uint32_t family, enum resource resource)
{
    struct token *token;

    if (world->token_count == world->token_capacity) {
        world->token_capacity = world->token_capacity == 0 ? 256 : world->token_capacity * 2;
        world->tokens = realloc(world->tokens, (size_t)world->token_capacity * sizeof *world->tokens);
        if (world->tokens == NULL)
            abort();
    }
    token = &world->tokens[world->token_count];
    memset(token, 0, sizeof *token);
    token->resource = resource;
    token->family = family;
    token->issued_at = world->now;
    token->lifetime = world->conditions[SHORT_LIVED] ? random_between(&world->random, 60, 600)
                                                     : random_between(&world->random, 3600, 5400);
    return world->token_count++;
}

static void say_error(struct reply *reply, const char *error, const char *suberror, int aadsts)
{
    reply->kind = REPLY_ERROR;
    reply->status = 400;
    reply->error = error;
    reply->suberror = suberror;
    reply->aadsts = aadsts;
}

static int some_retry_after(struct world *world)
{
    if (random_chance(&world->random, 0.4))
        return 0;
    return random_chance(&world->random, 0.05) ? 7200 : (int)random_between(&world->random, 1, 600);
}

/* What concerns every request alike. True when it came to nothing. */
static bool passing_trouble(struct world *world, struct reply *reply)
{
    static const int statuses[] = {500, 502, 503, 504};

    if (world->conditions[GARBAGE]) {
        reply->kind = REPLY_GARBAGE;
        reply->status = random_chance(&world->random, 0.5) ? 200 : 404;
        return true;
    }
    if (random_chance(&world->random, world->conditions[OUTAGE] ? 0.8 : 0.002)) {
        /* What the body says, a proxy may have put there: the status counts. */
        say_error(reply, random_chance(&world->random, 0.5) ? "temporarily_unavailable" : "invalid_grant",
                  NULL, 0);
        if (random_chance(&world->random, 0.5))
            reply->kind = REPLY_GARBAGE;
        reply->status = statuses[random_between(&world->random, 0, 3)];
        reply->retry_after = reply->status == 503 ? some_retry_after(world) : 0;
        return true;
    }
    if (world->conditions[THROTTLING] && random_chance(&world->random, 0.8)) {
        say_error(reply, "invalid_grant", NULL, 50196); /* the loop guard, in a permanent one's clothes */
        if (random_chance(&world->random, 0.7)) {
            say_error(reply, "temporarily_unavailable", NULL, 90055);
            reply->status = 429;
            reply->retry_after = some_retry_after(world);
        }
        return true;
    }
    return false;
}

static void say_dead(const struct family *family, struct reply *reply)
{
    if (family->bare)
        say_error(reply, "invalid_grant", NULL, 50173);
    else if (family->dead == CAUSE_IDLE)
        say_error(reply, "invalid_grant", "token_expired", 700082);
    else
        say_error(reply, "invalid_grant", "bad_token", family->dead == CAUSE_PASSWORD ? 50133 : 50173);
}

static void say_tokens(struct world *world, struct wire *wire, uint32_t index)
{
    struct family *family = &world->families[index];
    struct reply *reply = &wire->reply;

    reply->kind = REPLY_TOKENS;
    reply->status = 200;
    reply->family = index;
    reply->token = provider_issue(world, index, wire->resource);
    family->last_used = world->now;
    if (wire->purpose == PURPOSE_REFRESH && !world->strict && random_chance(&world->random, 0.05))
        reply->without_refresh_token = true;
    else if (wire->purpose == PURPOSE_REFRESH || family->newest > 1)
        family->newest++;
    reply->number = reply->without_refresh_token ? wire->number : family->newest;
    if (random_chance(&world->random, 0.1))
        reply->refresh_in = world->tokens[reply->token].lifetime / 2;
    if (wire->answer_lost)
        family->excuse = true;
}

static bool unwelcome(const struct world *world, enum resource resource, struct reply *reply)
{
    if (world->conditions[DISABLED]) {
        say_error(reply, "invalid_grant", NULL, 50057);
        return true;
    }
    if (world->conditions[NO_CONSENT_OUTLOOK + (int)resource]) {
        say_error(reply, "invalid_grant", "consent_required", 65001);
        return true;
    }
    if (world->conditions[MFA_OUTLOOK + (int)resource]) {
        say_error(reply, "interaction_required", "basic_action", 50076);
        reply->claims = true;
        return true;
    }
    return false;
}

static void refresh(struct world *world, struct wire *wire)
{
    struct family *family = &world->families[wire->family];

    if (family->dead == CAUSE_NONE && world->now - family->last_used > 90 * DAY)
        family->dead = CAUSE_IDLE;
    if (family->dead == CAUSE_NONE && world->strict && wire->number != family->newest) {
        family->dead = CAUSE_STRICT_REUSE;
        if (!family->excuse && !wire->answer_lost)
            fail(world, "a refresh token was used again though nothing was lost (%u of %u)", wire->number,
                 family->newest);
    }
    if (family->dead != CAUSE_NONE)
        say_dead(family, &wire->reply);
    else if (!unwelcome(world, wire->resource, &wire->reply))
        say_tokens(world, wire, wire->family);
}

static void redeem(struct world *world, struct wire *wire)
{
    struct sign_in_attempt *attempt = &world->sign_ins[wire->sign_in];

    if (attempt->method == METHOD_IMPORT) {
        refresh(world, wire);
        return;
    }
    if (attempt->method == METHOD_DEVICE && world->now < attempt->authorized_at) {
        say_error(&wire->reply, random_chance(&world->random, 0.05) ? "slow_down" : "authorization_pending",
                  NULL, 70016);
        return;
    }
    wire->wrong_account = attempt->wrong_account;
    if (attempt->redeemed || random_chance(&world->random, 0.02))
        say_error(&wire->reply, "invalid_grant", NULL, 54005);
    else if (!unwelcome(world, wire->resource, &wire->reply))
        say_tokens(world, wire, provider_new_family(world, wire->wrong_account, world->now));
    attempt->redeemed = true;
    attempt->family = wire->reply.kind == REPLY_TOKENS ? wire->reply.family + 1 : 0;
    if (wire->reply.kind == REPLY_TOKENS && random_chance(&world->random, 0.01))
        wire->reply.without_refresh_token = true;
}

bool provider_accepts(const struct world *world, uint32_t index, uint32_t number, enum resource resource)
{
    const struct family *family = &world->families[index];
    struct reply reply;

    return family->dead == CAUSE_NONE && world->now - family->last_used <= 90 * DAY &&
           !(world->strict && number != family->newest) && !unwelcome(world, resource, &reply);
}

/* --- on the wire --- */

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
    if (random_chance(random, world->conditions[SLOW] ? 0.5 : 0.02))
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

void provider_send(struct world *world, int index)
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
    wire->grant_renewals = identity->grant.renewals;
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

void provider_arrival(struct world *world, int index)
{
    struct wire *wire = &world->wires[index];

    if (!wire->used)
        return;
    wire->processed = true;
    if (passing_trouble(world, &wire->reply))
        world->trouble_at = world->now;
    else if (wire->purpose == PURPOSE_SIGN_IN)
        redeem(world, wire);
    else
        refresh(world, wire);
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

void provider_answer(struct world *world, int index)
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

void provider_forget(struct world *world, int index)
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
