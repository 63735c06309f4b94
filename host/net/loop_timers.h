/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The timers of a loop, all behind one descriptor of CLOCK_BOOTTIME: a poll's own time-out does not count the
 * time spent suspended, so timers would be late after a resume. For loop.c.
 */
#ifndef THUNDERSEAL_NET_LOOP_TIMERS_H
#define THUNDERSEAL_NET_LOOP_TIMERS_H

#include "net/loop.h"
#include <stdbool.h>
#include <stdint.h>

/* Set aside for when there is no memory: what has been begun must go on, and waits for its timer. */
#define TIMERS_IN_RESERVE 16

struct loop_timer {
    struct loop_timer *next;
    int64_t due;             /* CLOCK_BOOTTIME, ms */
    unsigned long long turn; /* in which it was started */
    bool fire_at_free;
    loop_timer_callback *callback; /* NULL: free, in the reserve */
    void *context;
};

struct loop_timers {
    struct loop_timer reserve[TIMERS_IN_RESERVE];
    struct loop_timer *first; /* earliest first */
    int fd;                   /* readable when a timer is due */
    int64_t armed_for;
    unsigned long long turn;
};

/* Returns 0, or -1 out of descriptors; then it may be freed still. */
int loop_timers_init(struct loop_timers *timers);
void loop_timers_free(struct loop_timers *timers);
/* Before each wait for the descriptor: begins a turn. */
void loop_timers_arm(struct loop_timers *timers);
/* After it: calls what is due. */
void loop_timers_dispatch(struct loop_timers *timers);

/* In loop.c. */
struct loop_timers *loop_timers(struct loop *loop);

#endif
