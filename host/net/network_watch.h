/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Tells when the machine got another way into the network: a new address or route. What could not be reached
 * before may be reached now, so whoever waits to try again need not wait any longer.
 */
#ifndef THUNDERSEAL_NET_NETWORK_WATCH_H
#define THUNDERSEAL_NET_NETWORK_WATCH_H

#include "net/loop.h"

/* A network that comes up changes several things in a row; all of them within this time are told once, at its
 * end. */
#define NETWORK_SETTLE_MS 1000

struct network_watch; /* owned by the caller of network_watch_open */

/* changed comes from the loop, and may close the watch. NULL where the system does not tell such changes, or
 * out of memory or descriptors: one does without. */
struct network_watch *network_watch_open(struct loop *loop, void (*changed)(void *context), void *context);
/* Before loop_free. NULL is harmless. */
void network_watch_close(struct network_watch *watch);

#endif
