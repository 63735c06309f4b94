/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The timers of a loop, all behind one descriptor of CLOCK_BOOTTIME: a poll's own time-out does not count the
 * time spent suspended, so timers would be late after a resume. For loop.c.
 */
#ifndef THUNDERSEAL_NET_LOOP_TIMERS_H
#define THUNDERSEAL_NET_LOOP_TIMERS_H

#include "net/loop.h"

struct loop_timers {
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
