/* SPDX-License-Identifier: MPL-2.0 */
/* What must hold for every token that is handed out: DESIGN section 6, 1, 3 and 4. */
#include "sim.h"

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
