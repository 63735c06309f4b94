/* SPDX-License-Identifier: MPL-2.0 */
/* A user who signs in when told to: in the browser, by device code, or by import; not always to the end. */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIGN_IN_DEADLINE_AFTER (300 * SECOND)

static void make_secret(struct secret *secret, const char *format, uint64_t number)
{
    char text[TOKEN_TEXT];

    snprintf(text, sizeof text, format, (unsigned long long)number);
    if (secret_set(secret, text, strlen(text)) != 0)
        abort();
}

static enum sign_in_method some_method(struct random *random)
{
    if (random_chance(random, 0.1))
        return METHOD_DEVICE;
    return random_chance(random, 0.05) ? METHOD_IMPORT : METHOD_BROWSER;
}

/* What the user will do with it, and when it ends in any case. */
static void plan_sign_in(struct world *world, int index, int64_t sign_in)
{
    struct random *random = &world->random;
    struct sign_in_attempt *attempt = &world->sign_ins[sign_in];
    int64_t end = SIGN_IN_DEADLINE_AFTER;

    if (random_chance(random, 0.08))
        end = random_between(random, SECOND, MINUTE); /* cancelled */
    later(world, end, SIGN_IN_DEADLINE, index, sign_in);
    attempt->authorized_at = world->now + random_between(random, 5 * SECOND, 350 * SECOND);
    attempt->wrong_account = random_chance(random, 0.05);
    if (attempt->method == METHOD_BROWSER && random_chance(random, 0.92))
        later(world, random_between(random, 3 * SECOND, 320 * SECOND), REDIRECT, index, sign_in);
    if (random_chance(random, 0.05)) /* and once more, impatiently */
        later(world, random_between(random, SECOND, 2 * MINUTE), USER_SIGN_IN, index, 0);
}

static void start_sign_in(struct world *world, int index)
{
    struct process *process = &world->processes[index];
    int64_t sign_in = world->sign_in_count++;
    struct sign_in_attempt *attempt = &world->sign_ins[sign_in];
    struct secret state = {0}, nonce = {0}, verifier = {0}, code = {0};
    char scopes[SCOPE_LIST_SIZE], text[TOKEN_TEXT];
    struct event event = {.kind = EVENT_SIGN_IN_START,
                          .start = {.id = (uint64_t)sign_in + 1,
                                    .redirect_uri = "http://localhost:1024/",
                                    .scopes = scopes,
                                    .state = &state,
                                    .nonce = &nonce,
                                    .verifier = &verifier,
                                    .code = &code,
                                    .interval = 5}};

    attempt->method = event.start.method = some_method(&world->random);
    attempt->nonce = (uint64_t)sign_in;
    snprintf(scopes, sizeof scopes, "%s %s offline_access openid profile", resource_scopes[OUTLOOK],
             resource_scopes[GRAPH]);
    make_secret(&state, "s%llu", (uint64_t)sign_in);
    make_secret(&nonce, "n%llu", attempt->nonce);
    make_secret(&verifier, "v%llu", (uint64_t)sign_in);
    make_secret(&code, "D%llu", (uint64_t)sign_in);
    if (attempt->method == METHOD_IMPORT) {
        refresh_token_text(text, world, provider_new_family(world, false, world->now - DAY), 1);
        if (secret_set(&code, text, strlen(text)) != 0)
            abort();
    }
    load_retry_allowed(world, index);
    process->sign_in_before = process->sign_in;
    process->sign_in = sign_in + 1;
    process->retries_told = 0;
    plan_sign_in(world, index, sign_in);
    deliver(world, index, &event);
    process->sign_in_before = 0;
    secret_wipe(&state);
    secret_wipe(&nonce);
    secret_wipe(&verifier);
    secret_wipe(&code);
}

void user_signs_in(struct world *world, int index)
{
    struct process *process = &world->processes[index];
    const struct problem *problem;
    const char *state = identity_state(&process->identity, &problem);

    process->sign_in_planned = false;
    if (process->stopping || strcmp(state, "ready") == 0 || strcmp(state, "renewing") == 0 ||
        strcmp(state, "waiting") == 0)
        return;
    if (world->sign_in_count == SIGN_INS_MAX || world->family_count > FAMILIES_MAX - 8)
        return;
    if (random_chance(&world->random, 0.15))
        deliver_plain(world, index, EVENT_RETRY);
    else
        start_sign_in(world, index);
}

static bool refused_at_sign_in(struct world *world, struct event *event)
{
    if (world->conditions[DISABLED])
        event->redirect.aadsts = 50057;
    else if (world->conditions[NO_CONSENT_OUTLOOK] || world->conditions[NO_CONSENT_GRAPH])
        event->redirect.aadsts = 90094;
    else if (random_chance(&world->random, 0.03))
        event->redirect.refused_by_user = true;
    else
        return false;
    event->redirect.error = "access_denied";
    return true;
}

void user_redirected(struct world *world, int index, int64_t sign_in)
{
    struct process *process = &world->processes[index];
    struct sign_in_attempt *attempt = &world->sign_ins[sign_in];
    struct secret code = {0};
    struct event event = {.kind = EVENT_REDIRECT};
    int i;

    if (process->sign_in != sign_in + 1)
        return; /* nobody listens any more */
    if (!refused_at_sign_in(world, &event)) {
        make_secret(&code, "C%llu", (uint64_t)sign_in);
        event.redirect.code = &code;
        attempt->redeemed = false;
        for (i = MFA_OUTLOOK; i <= MFA_GRAPH; i++)
            if (world->conditions[i]) {
                world->conditions[i] = false;
                world->condition_ended[i] = world->now;
            }
    }
    if (random_chance(&world->random,
                      world->no_locks ? 0.7
                                      : 0.3)) /* whoever waits for the browser tries other things meanwhile */
        renew_anyway(world, 1 - index);
    else if (random_chance(&world->random, 0.3) && world->processes[1 - index].alive)
        deliver_plain(world, 1 - index, EVENT_RETRY);
    deliver(world, index, &event);
    if (attempt->wrong_account)
        attempt->wrong_account = random_chance(&world->random, 0.3);
    secret_wipe(&code);
}

void sign_in_expired(struct world *world, int index, int64_t sign_in)
{
    struct process *process = &world->processes[index];
    uint64_t instance = process->instance;
    struct problem problem;
    struct event event = {.kind = EVENT_SIGN_IN_END, .sign_in_end = &problem};

    if (process->sign_in != sign_in + 1)
        return;
    problem_set(&problem, random_chance(&world->random, 0.5) ? PROBLEM_CANCELLED : PROBLEM_SIGN_IN_REQUIRED,
                "The sign-in took too long.", "Start it again.");
    deliver(world, index, &event);
    if (process->alive && process->instance == instance && process->sign_in == sign_in + 1)
        fail(world, "a sign-in that has ended is not finished");
}
