/* SPDX-License-Identifier: MPL-2.0 */
/* The last lines of what happened to an identity that is being replayed. */
#include "sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINES 60
#define LINE_SIZE 240

static char lines[LINES][LINE_SIZE];
static unsigned line_count;

void trace(struct world *world, const char *format, ...)
{
    char *line = lines[line_count % LINES];
    long long seconds = world->now / SECOND;
    va_list arguments;
    int used;

    if (!world->tracing)
        return;
    used = snprintf(line, LINE_SIZE, "day %2lld %02lld:%02lld:%02lld.%03lld ", seconds / 86400,
                    seconds / 3600 % 24, seconds / 60 % 60, seconds % 60, (long long)(world->now % SECOND));
    va_start(arguments, format);
    vsnprintf(line + used, (size_t)(LINE_SIZE - used), format, arguments);
    va_end(arguments);
    line_count++;
    if (world->verbose)
        puts(line);
}

void trace_event(struct world *world, int index, const struct event *event)
{
    static const char *const names[] = {
        "TOKEN_WANTED",  "REQUEST_ENDED", "LOCKED",      "TOKEN_ANSWER", "TIME",    "NETWORK",  "RETRY",
        "SIGN_IN_START", "REDIRECT",      "SIGN_IN_END", "SIGN_OUT",     "REMOVED", "REPLACED", "SAVED"};
    const struct identity *identity = &world->processes[index].identity;
    char detail[120] = "";

    if (event->kind == EVENT_TOKEN_WANTED)
        snprintf(detail, sizeof detail, "%llu %s ttl %lld%s%s", (unsigned long long)event->wanted.request,
                 event->wanted.resource + 8, (long long)event->wanted.min_ttl,
                 event->wanted.rejected != NULL ? " rejecting" : "", event->wanted.when_due ? " due" : "");
    if (event->kind == EVENT_REQUEST_ENDED)
        snprintf(detail, sizeof detail, "%llu%s", (unsigned long long)event->ended.request,
                 event->ended.cancelled ? " cancelled" : "");
    if (event->kind == EVENT_TOKEN_ANSWER)
        snprintf(detail, sizeof detail, "%s %s R:%s %lld s",
                 event->answer->failure == TOKEN_FAILURE_NONE
                     ? "tokens"
                     : problem_kind_name(event->answer->problem.kind),
                 secret_expose(&event->answer->access_token), secret_expose(&event->answer->refresh_token),
                 (long long)event->answer->expires_in);
    if (event->kind == EVENT_REPLACED)
        snprintf(detail, sizeof detail, "serial %llu renewals %llu R:%s",
                 (unsigned long long)event->replaced->serial,
                 (unsigned long long)event->replaced->grant.renewals,
                 secret_expose(&event->replaced->grant.refresh_token));
    if (event->kind == EVENT_SAVED)
        snprintf(detail, sizeof detail, "%s", problem_kind_name(event->saved->kind));
    trace(world, "%d %s %s   [serial %llu renewals %llu flight %d lock %d saving %d waiters %zu%s]", index,
          names[event->kind], detail, (unsigned long long)identity->serial,
          (unsigned long long)identity->grant.renewals, (int)identity->flight.purpose, (int)identity->lock,
          (int)identity->saving, identity->waiter_count, identity->unsaved ? " unsaved" : "");
}

void trace_effect(struct world *world, int index, const struct effect *effect)
{
    static const char *const names[] = {
        "REPLY_TOKEN",     "REPLY_PROBLEM",    "LOCK",          "UNLOCK",  "SEND_TOKEN", "SAVE",
        "SAVE_AND_FORGET", "SIGN_IN_FINISHED", "SIGN_IN_RETRY", "CHANGED", "ATTENTION"};
    const struct access *access = &world->processes[index].identity.access[effect->resource];

    if (effect->kind == EFFECT_CHANGED)
        return;
    trace(world, "%d    -> %s %llu %s %s", index, names[effect->kind], (unsigned long long)effect->request,
          effect->problem == NULL ? "" : problem_kind_name(effect->problem->kind),
          effect->kind == EFFECT_REPLY_TOKEN ? secret_expose(&access->access_token) : "");
}

void trace_print(void)
{
    unsigned i;

    for (i = line_count > LINES ? line_count - LINES : 0; i < line_count; i++)
        puts(lines[i % LINES]);
}
