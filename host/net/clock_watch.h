/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Tells when the wall clock was set, and when the machine resumed from a suspend: expiry times mean something
 * else then (DESIGN section 3.10). A clock that is only slewed is not told.
 */
#ifndef THUNDERSEAL_NET_CLOCK_WATCH_H
#define THUNDERSEAL_NET_CLOCK_WATCH_H

#include "net/loop.h"

struct clock_watch; /* owned by the caller of clock_watch_open */

/* jumped comes from the loop, and may close the watch. NULL when the system has no such timer, or out of
 * memory or descriptors. */
struct clock_watch *clock_watch_open(struct loop *loop, void (*jumped)(void *context), void *context);
/* Before loop_free. NULL is harmless. */
void clock_watch_close(struct clock_watch *watch);

#ifdef THUNDERSEAL_FAULTS
/* For tests, which cannot set the clock: unless -1, a copy of this descriptor stands for the timer, and the
 * clock jumps when it can be read. */
extern int clock_watch_test_fd;
#endif

#endif
