/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The one event loop: file descriptors, timers and HTTPS transfers in a single curl_multi_poll. Nothing that a
 * callback does may block. Callbacks may add and remove watches, timers and transfers, their own included.
 */
#ifndef THUNDERSEAL_NET_LOOP_H
#define THUNDERSEAL_NET_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;       /* owned by the caller of loop_new */
struct loop_watch; /* owned by the loop until loop_unwatch */
struct loop_timer; /* owned by the loop until it fired (once) or loop_timer_cancel */

#define LOOP_READ 1u
#define LOOP_WRITE 2u

/* NULL out of memory. */
struct loop *loop_new(void);
void loop_free(struct loop *loop);

/* Runs until loop_stop was called. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

typedef void loop_fd_callback(void *context, int fd, unsigned ready);
typedef void loop_timer_callback(void *context);

/* Watches fd (which stays the caller's) for LOOP_READ|LOOP_WRITE; hang-up and error count as readable. NULL out of memory. */
struct loop_watch *loop_watch_fd(struct loop *loop, int fd, unsigned interest, loop_fd_callback *callback, void *context);
void loop_watch_interest(struct loop_watch *watch, unsigned interest);
void loop_unwatch(struct loop *loop, struct loop_watch *watch);

/* Fires once after so many milliseconds of the monotonic clock (0: at the next turn). NULL out of memory. */
struct loop_timer *loop_timer_start(struct loop *loop, int64_t milliseconds, loop_timer_callback *callback, void *context);
void loop_timer_cancel(struct loop *loop, struct loop_timer *timer); /* NULL is harmless */

/* Milliseconds of the monotonic clock that counts suspend too (CLOCK_BOOTTIME). */
int64_t loop_monotonic_ms(void);

/* The CURLM of the loop, for https.c alone; as void so that this header needs no curl.h. */
void *loop_curl_multi(struct loop *loop);
/* https.c registers what is to be called after each curl_multi_perform. */
void loop_set_transfer_callback(struct loop *loop, void (*callback)(void *context), void *context);

#endif
