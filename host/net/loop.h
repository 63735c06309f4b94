/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The one event loop: file descriptors, timers and HTTPS transfers in a single curl_multi_poll. Nothing that
 * a callback does may block. Callbacks may add and remove watches, timers and transfers, their own included.
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

/* After https_global_init. NULL out of memory or descriptors. */
struct loop *loop_new(void);
/* Not from a callback. Transfers must be stopped; watches and timers are dropped. NULL is harmless. */
void loop_free(struct loop *loop);

/* Runs until loop_stop was called, and on to the end of that turn. Not from a callback. */
void loop_run(struct loop *loop);
/* Before loop_run, it makes loop_run return at once. */
void loop_stop(struct loop *loop);

typedef void loop_fd_callback(void *context, int fd, unsigned ready);
typedef void loop_timer_callback(void *context);

/* Watches fd (which stays the caller's) for LOOP_READ|LOOP_WRITE; hang-up and error count as readable. NULL
 * out of memory. */
struct loop_watch *loop_watch_fd(struct loop *loop, int fd, unsigned interest, loop_fd_callback *callback,
                                 void *context);
/* 0 pauses the watch: not even a hang-up is told. */
void loop_watch_interest(struct loop_watch *watch, unsigned interest);
/* Before fd is closed. NULL is harmless. */
void loop_unwatch(struct loop *loop, struct loop_watch *watch);

/* Fires once after so many milliseconds of the monotonic clock (0: at the next turn). NULL out of memory. */
struct loop_timer *loop_timer_start(struct loop *loop, int64_t milliseconds, loop_timer_callback *callback,
                                    void *context);
/* Harmless for NULL and inside the timer's own callback; after it the timer is gone. */
void loop_timer_cancel(struct loop *loop, struct loop_timer *timer);

/* Milliseconds of the monotonic clock that counts suspend too (CLOCK_BOOTTIME). */
int64_t loop_monotonic_ms(void);

/* Has loop_free call the timer's callback instead of dropping it: for what outlives its owner and waits on
 * the loop. */
void loop_timer_fire_at_free(struct loop_timer *timer);

/* A libcurl transfer on the loop, a member of the struct of whoever makes it; easy is a CURL, untyped so that
 * this header needs no curl.h. Several users share the loop's connections. */
struct loop_transfer {
    void *easy;
    /* It is on the loop until loop_transfer_stop: a connection that CURLOPT_CONNECT_ONLY made goes with that.
     */
    bool stays;
    /* Comes from the loop, once, when the transfer is off it or stays; code is a CURLcode. */
    void (*finished)(struct loop_transfer *transfer, int code);
};

/* Starts the transfer, whose easy and finished are set; takes its CURLOPT_PRIVATE. 0, or -1 out of memory. */
int loop_transfer_start(struct loop *loop, struct loop_transfer *transfer);
/* Takes the transfer off the loop; finished does not come. */
void loop_transfer_stop(struct loop *loop, struct loop_transfer *transfer);

#endif
