/* SPDX-License-Identifier: MPL-2.0 */
/* A whole company switches on at nine, and gets tokens of the same life in the same second. */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DESKTOPS 60
#define LIFE "3600"
#define AT_ONCE_MAX 10                      /* renewals in one second */
#define SPREAD_MIN (RENEW_JITTER_MAX_S / 2) /* seconds from the first to the last */

static void give(struct identity *identity, struct event *event, struct moment now, struct effects *effects)
{
    if (identity_step(identity, event, now, effects) != 0)
        abort();
}

static bool asks_for(const struct effects *effects, enum effect_kind kind)
{
    size_t i;

    for (i = 0; i < effects->count; i++)
        if (effects->list[i].kind == kind)
            return true;
    return false;
}

static void signed_in_once(struct identity *copy)
{
    copy->grant.serial = copy->serial = copy->grant.renewals = 1;
    copy->grant.obtained_at = copy->grant.last_used_at = EPOCH;
    strcpy(copy->grant.scopes, resource_scopes[OUTLOOK]);
    if (secret_set(&copy->grant.refresh_token, "R", 1) != 0)
        abort();
}

static void answer_made(struct token_answer *answer)
{
    static const char text[] = "{\"token_type\":\"Bearer\",\"access_token\":\"A\",\"refresh_token\":\"R\","
                               "\"expires_in\":" LIFE "}";
    struct secret body = {0};
    struct token_http http = {.body = &body, .status = 200};

    memset(answer, 0, sizeof *answer);
    if (secret_set(&body, text, sizeof text - 1) != 0)
        abort();
    token_answer_read(answer, &http);
    secret_wipe(&body);
}

/* The uptime at which one desktop renews its first token without being asked; NO_WAKE when it never does. */
static int64_t first_renewal(uint64_t random)
{
    struct identity identity = {.renew_ahead = true, .random = random}, copy = {0};
    struct effects effects;
    struct problem saved = {0};
    struct moment now = {.wall = EPOCH, .uptime = 1000};
    struct token_answer answer;
    struct event wanted = {.kind = EVENT_TOKEN_WANTED,
                           .wanted = {.request = 1,
                                      .resource = resource_names[OUTLOOK],
                                      .scopes = "",
                                      .fallback_scope = "",
                                      .min_ttl = 120}};
    struct event replaced = {.kind = EVENT_REPLACED, .replaced = &copy}, locked = {.kind = EVENT_LOCKED};
    struct event answered = {.kind = EVENT_TOKEN_ANSWER, .answer = &answer}, time = {.kind = EVENT_TIME};
    struct event written = {.kind = EVENT_SAVED, .saved = &saved};
    int64_t wake;

    signed_in_once(&copy);
    give(&identity, &replaced, now, &effects);
    give(&identity, &wanted, now, &effects);
    give(&identity, &locked, now, &effects);
    answer_made(&answer);
    give(&identity, &answered, now, &effects);
    give(&identity, &written, now, &effects);
    for (wake = identity_next_wake(&identity, now); wake != NO_WAKE;
         wake = identity_next_wake(&identity, now)) {
        now.wall += wake - now.uptime;
        now.uptime = wake;
        give(&identity, &time, now, &effects);
        if (asks_for(&effects, EFFECT_LOCK) || asks_for(&effects, EFFECT_SEND_TOKEN))
            break;
    }
    token_answer_clear(&answer);
    identity_clear(&copy);
    identity_clear(&identity);
    return wake;
}

const char *check_jitter(uint64_t seed)
{
    struct random random = {.state = seed};
    int64_t times[DESKTOPS], first = NO_WAKE, last = 0;
    int i, j, at_once;

    for (i = 0; i < DESKTOPS; i++) {
        times[i] = first_renewal(random_next(&random));
        if (times[i] == NO_WAKE)
            return "a token in use is not renewed before it expires";
        if (times[i] > 1000 + 3600 - RENEW_BEFORE_EXPIRY_S)
            return "a token in use is renewed too late";
        first = times[i] < first ? times[i] : first;
        last = times[i] > last ? times[i] : last;
        for (at_once = 1, j = 0; j < i; j++)
            at_once += times[j] == times[i];
        if (at_once > AT_ONCE_MAX)
            return "desktops that start at nine all renew in the same second";
    }
    return last - first < SPREAD_MIN ? "renewals of desktops that start at nine are not spread" : NULL;
}
