/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A short-lived child of ourselves for work that would hold the loop up: Argon2id takes half a second and 256
 * MiB. It is a fork without exec: it has what we have, and gives back a few bytes through a pipe.
 */
#ifndef THUNDERSEAL_NET_CHILD_H
#define THUNDERSEAL_NET_CHILD_H

#include "core/secret.h"
#include "net/loop.h"

/* A key. Far below PIPE_BUF, so that the pipe holds all of it or nothing. */
#define CHILD_RESULT_MAX 64

struct child; /* owned by the loop until done was called, or by the caller until child_stop */

/* In the child, which has no descriptor but its pipe: fills result, 0 or -1. It may allocate. */
typedef int child_work(void *context, unsigned char *result, size_t size);
/* In the parent, from the loop: result is the caller's to move out of, empty when the child failed, died, or
 * did not end in time. */
typedef void child_done(void *context, struct secret *result);

/* NULL: no process, memory or descriptor is left; nothing is called. context is the same for both. */
struct child *child_start(struct loop *loop, size_t result_size, int64_t deadline_ms, child_work *work,
                          child_done *done, void *context);
/* Kills it; done is not called. NULL is harmless. */
void child_stop(struct child *child);

#endif
