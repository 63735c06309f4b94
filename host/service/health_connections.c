/* SPDX-License-Identifier: MPL-2.0 */
/* How many connections the health checks have at a time, in all and to one server. */
#include "service/health.h"

#include <strings.h>

/* ---- room ---- */

static void make_room(void *context);

void health_room_after(struct health_job *job, int64_t milliseconds)
{
    if (job->room == NULL)
        job->room = loop_timer_start(job->service->loop, milliseconds, make_room, job);
}

/* Items wait for a connection, those of other jobs too. What ended since has its own turn later. */
static void make_room(void *context)
{
    struct health_job *job = context, *each;
    struct health_item *item;
    int64_t now = loop_monotonic_ms(), left = 0;

    job->room = NULL;
    for (item = job->items; item != NULL; item = item->next) {
        if (item->connections == 0 || item->state == ITEM_RUNNING)
            continue;
        if (now - item->ended >= HEALTH_CLOSE_MS)
            item->connections = 0;
        else if (left == 0 || item->ended + HEALTH_CLOSE_MS - now < left)
            left = item->ended + HEALTH_CLOSE_MS - now;
    }
    if (left > 0)
        health_room_after(job, left);
    for (each = job->service->health; each != NULL; each = each->next)
        health_turn(each);
}

/* ---- the connections ---- */

void health_connections_look(const struct service *service, struct health_connections *open)
{
    const struct health_job *job;
    const struct health_item *item;

    open->count = 0;
    for (job = service->health; job != NULL; job = job->next)
        for (item = job->items; item != NULL; item = item->next)
            for (int i = 0; i < item->connections && open->count < HEALTH_CONNECTIONS_MAX; i++)
                open->items[open->count++] = item;
}

bool health_connect(struct health_item *item, int connections, const char *host, unsigned short port)
{
    struct health_connections *open = item->job->open;
    int i, all = 0, there = 0;

    for (i = 0; i < open->count; i++) {
        const struct health_item *each = open->items[i];
        if (each == item)
            continue;
        all++;
        there += each->port == port && strcasecmp(each->host, host) == 0;
    }
    if (all + connections > HEALTH_CONNECTIONS_MAX || there + connections > HEALTH_CONNECTIONS_PER_SERVER)
        return false;
    item->connections = connections;
    problem_copy_text(item->host, sizeof item->host, host);
    item->port = port;
    item->state = ITEM_RUNNING;
    item->began = loop_monotonic_ms();
    for (i = 0; i < connections && open->count < HEALTH_CONNECTIONS_MAX; i++)
        open->items[open->count++] = item;
    return true;
}
