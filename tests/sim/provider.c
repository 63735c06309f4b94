/* SPDX-License-Identifier: MPL-2.0 */
/* A model of Entra's token endpoint: FACTS 1.3, 1.7 and 1.8. */
#include "sim.h"

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

bool provider_in_trouble(struct world *world, struct reply *reply)
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

void provider_refresh(struct world *world, struct wire *wire)
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

void provider_redeem(struct world *world, struct wire *wire)
{
    struct sign_in_attempt *attempt = &world->sign_ins[wire->sign_in];

    if (attempt->method == METHOD_IMPORT) {
        provider_refresh(world, wire);
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
