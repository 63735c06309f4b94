/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The parent's side of the child that asks a key store (vault/key_task.h): started, heard from the loop,
 * and killed at its deadline.
 */
#ifndef THUNDERSEAL_SERVICE_KEY_WORKER_H
#define THUNDERSEAL_SERVICE_KEY_WORKER_H

#include "net/loop.h"
#include "vault/key_task.h"

struct key_worker; /* owned by the loop until done was called, or by the caller until key_worker_stop */

/* From the loop, once; answer is the callee's to move out of. */
typedef void key_worker_done(void *context, struct key_answer *answer);

/* Starts the child with the task, which stays the caller's. NULL: no process, memory or descriptor is left.
 */
struct key_worker *key_worker_start(struct loop *loop, const struct key_task *task, key_worker_done *done,
                                    void *context);
/* Kills it; done is not called. NULL is harmless. */
void key_worker_stop(struct key_worker *worker);
/* The user is being asked. */
bool key_worker_asking(const struct key_worker *worker);

#endif
