/* SPDX-License-Identifier: MPL-2.0 */
#include "net/loop_timers.h"

#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

int64_t loop_monotonic_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int loop_timers_init(struct loop_timers *timers)
{
    timers->fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    return timers->fd < 0 ? -1 : 0;
}

static struct loop_timer *take(struct loop_timers *timers)
{
    struct loop_timer *timer = calloc(1, sizeof *timer);
    size_t i;

    for (i = 0; timer == NULL && i < TIMERS_IN_RESERVE; i++)
        if (timers->reserve[i].callback == NULL)
            timer = &timers->reserve[i];
    return timer;
}

static void give(struct loop_timers *timers, struct loop_timer *timer)
{
    if (timer >= timers->reserve && timer < timers->reserve + TIMERS_IN_RESERVE)
        memset(timer, 0, sizeof *timer);
    else
        free(timer);
}

static void fire(struct loop_timers *timers)
{
    struct loop_timer *timer = timers->first;

    timers->first = timer->next;
    timer->callback(timer->context);
    give(timers, timer);
}

/* One that is being fired is in the list no more. */
static void cancel(struct loop_timers *timers, struct loop_timer *timer)
{
    struct loop_timer **place = &timers->first;

    while (*place != NULL && *place != timer)
        place = &(*place)->next;
    if (*place == NULL)
        return;
    *place = timer->next;
    give(timers, timer);
}

void loop_timers_free(struct loop_timers *timers)
{
    while (timers->first != NULL) {
        if (timers->first->fire_at_free)
            fire(timers);
        else
            cancel(timers, timers->first);
    }
    if (timers->fd >= 0)
        close(timers->fd);
}

void loop_timers_arm(struct loop_timers *timers)
{
    int64_t due = timers->first == NULL ? 0 : timers->first->due;
    struct itimerspec when = {.it_value = {.tv_sec = due / 1000, .tv_nsec = due % 1000 * 1000000}};

    timers->turn++;
    if (due == timers->armed_for)
        return;
    timerfd_settime(timers->fd, TFD_TIMER_ABSTIME, &when, NULL);
    timers->armed_for = due;
}

void loop_timers_dispatch(struct loop_timers *timers)
{
    int64_t now = loop_monotonic_ms();

    /* One started by a callback waits for the next turn: if it starts itself anew, it would shut out the
     * rest. */
    while (timers->first != NULL && timers->first->due <= now && timers->first->turn < timers->turn) {
        timers->armed_for = -1;
        fire(timers);
    }
}

struct loop_timer *loop_timer_start(struct loop *loop, int64_t milliseconds, loop_timer_callback *callback,
                                    void *context)
{
    struct loop_timers *timers = loop_timers(loop);
    struct loop_timer **place = &timers->first;
    struct loop_timer *timer = take(timers);
    int64_t now = loop_monotonic_ms();

    if (timer == NULL)
        return NULL;
    if (milliseconds < 0)
        milliseconds = 0;
    timer->due = milliseconds > INT64_MAX - now ? INT64_MAX : now + milliseconds;
    timer->turn = timers->turn;
    timer->callback = callback;
    timer->context = context;
    while (*place != NULL && (*place)->due <= timer->due)
        place = &(*place)->next;
    timer->next = *place;
    *place = timer;
    return timer;
}

void loop_timer_cancel(struct loop *loop, struct loop_timer *timer)
{
    if (timer != NULL)
        cancel(loop_timers(loop), timer);
}

void loop_timer_fire_at_free(struct loop_timer *timer)
{
    timer->fire_at_free = true;
}
