/* SPDX-License-Identifier: MPL-2.0 */
/* What keys.c, keys_parked.c and key_change.c share; nobody else includes this. */
#ifndef THUNDERSEAL_SERVICE_KEYS_PARTS_H
#define THUNDERSEAL_SERVICE_KEYS_PARTS_H

#include "service/key_worker.h"
#include "service/keys.h"

struct keys {
    struct service *service;
    struct key_worker *worker; /* fetches the key for task */
    struct key_task task;
    struct key_worker *dropper; /* has a keyring forget a key that nobody needs */
    struct secret passphrase;   /* while it may open a second key */
    struct problem failure;     /* of the last try */
    int64_t last_try;           /* when it ended, by the monotonic clock */
    struct loop_timer *retry;
    int64_t retry_ms;
    struct parked *parked;
    size_t parked_count;
    bool handling_again; /* a request that has waited: it waits once only */
    bool dismissed;      /* the user was asked by the keyring and closed its window */
    struct key_change_run *change;
};

/* Sends for what the vault wants. Whether a child is on its way; else *problem, where there is one. */
bool keys_fetch(struct keys *keys, bool may_ask, const struct secret *passphrase, struct problem *problem);

/* A key_worker_done for dropper. */
void keys_dropped(void *context, struct key_answer *answer);

/* --- keys_parked.c --- */
/* Keeps the request until parked_run, or until its client should have an answer. false: too many wait. */
bool parked_add(struct keys *keys, const struct rpc_request *request);
void parked_run(struct keys *keys);
void parked_free(struct keys *keys);

/* --- key_change.c --- */
/* Goes on with a change that was begun, here or by a process that died, if its keys are at hand. */
void key_change_resume(struct keys *keys);
void key_change_free(struct key_change_run *change);

#endif
