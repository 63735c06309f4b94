/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The vault's key when it is in a store that makes one wait: fetched by a child while the loop goes on, and
 * the requests that cannot do without it wait, within bounds. For the service's own files.
 */
#ifndef THUNDERSEAL_SERVICE_KEYS_H
#define THUNDERSEAL_SERVICE_KEYS_H

#include "core/rpc.h"
#include "service/service.h"

struct keys; /* owned by the service */

/* NULL out of memory. */
struct keys *keys_new(struct service *service);
void keys_free(struct keys *keys);

/* Asks for the key if it is in a keyring; at the start, once the sealed files were looked at. */
void keys_start(struct keys *keys);
/* Asks, without disturbing the user, for a key that turned out to be needed. */
void keys_notice(struct keys *keys);

/* Whether the request cannot be answered before a key comes that is on its way, or can be sent for: then it
 * is handled anew when that is decided. */
bool keys_wait_before(struct keys *keys, const struct rpc_request *request);
/* The same for a request that was refused with this problem. */
bool keys_wait_after(struct keys *keys, const struct rpc_request *request, const struct problem *problem);
bool keys_waits(const struct keys *keys, const char *key);
/* The request with this key was cancelled: true when it was one that waited, and is answered. */
bool keys_cancel(struct keys *keys, const char *key);
/* A child is on its way to fetch the key. */
bool keys_fetching(const struct keys *keys);
/* A change of the key goes on, or a keyring is being told what to forget. */
bool keys_busy(const struct keys *keys);

#endif
