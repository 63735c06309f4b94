/* SPDX-License-Identifier: MPL-2.0 */
/* What users do: check mail, sign in when told to, sign out, and use the command line. */
#include "sim.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIGN_IN_DEADLINE_AFTER (300 * SECOND)

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

/* --- signing in --- */

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
    if (random_chance(&world->random, 0.3)) /* whoever waits for the browser tries other things meanwhile */
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

void command_run(struct world *world)
{
    struct random *random = &world->random;
    struct pending wish = {.min_ttl = some_min_ttl(random)};

    if (!world->awake || world->processes[1].alive)
        return;
    process_start(world, 1, false);
    if (!world->processes[1].alive)
        return;
    if (random_chance(random, 0.1)) {
        if (random_chance(random, 0.5))
            renew_anyway(world, 0);
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
