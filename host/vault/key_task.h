/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What is asked of a key store that may make one wait (the Secret Service, a passphrase), and its answer.
 * It is done in a short-lived child of this program: the two talk in single packets over a socket pair, so
 * that the device secret is never in an argument, the environment or on a standard descriptor.
 */
#ifndef THUNDERSEAL_VAULT_KEY_TASK_H
#define THUNDERSEAL_VAULT_KEY_TASK_H

#include "core/secret.h"
#include "vault/envelope.h"
#include "vault/passphrase.h"
#include <stdbool.h>

/* The one argument that starts the child, and the descriptor on which it finds its socket. */
#define KEY_CHILD_ARGUMENT "--key-child"
#define KEY_CHILD_FD 3

enum key_task_kind {
    KEY_TASK_NONE,
    KEY_TASK_LOOK_UP, /* Secret Service: the secret of key_id */
    KEY_TASK_STORE,   /* Secret Service: keep secret under key_id */
    KEY_TASK_DROP,    /* Secret Service: forget key_id */
    KEY_TASK_OPEN,    /* passphrase: the secret in wrapped */
    KEY_TASK_WRAP,    /* passphrase: secret into wrapped */
};

struct key_task {
    enum key_task_kind kind;
    bool may_ask; /* the user may be asked to unlock the keyring */
    unsigned char key_id[ENVELOPE_KEY_ID_SIZE];
    unsigned char wrapped[PASSPHRASE_WRAPPED_SIZE];
    struct secret secret;     /* owned */
    struct secret passphrase; /* owned */
};

enum key_outcome {
    KEY_DONE,
    KEY_ASKING, /* not the end: the user is being asked, which may take a while */
    KEY_ABSENT, /* the store is open and does not have the key */
    KEY_NO_SERVICE,
    KEY_LOCKED, /* and nobody may or can be asked */
    KEY_DISMISSED,
    KEY_WRONG_PASSPHRASE,
    KEY_NO_MEMORY,
    KEY_FAILED,
    KEY_DIED,      /* the child ended without an answer */
    KEY_TIMED_OUT, /* the child was killed at its deadline */
    KEY_OUTCOMES
};

struct key_answer {
    enum key_outcome outcome;
    unsigned char wrapped[PASSPHRASE_WRAPPED_SIZE]; /* after KEY_TASK_WRAP */
    struct secret secret;                           /* after KEY_TASK_LOOK_UP, KEY_TASK_OPEN; owned */
};

void key_task_clear(struct key_task *task);

/* One packet each. 0, or -1: the other side is gone, or what came is no such packet. */
int key_task_send(int socket, const struct key_task *task);
int key_task_receive(int socket, struct key_task *task);
int key_answer_send(int socket, const struct key_answer *answer);
/* Never waits on a non-blocking socket: -1 with errno EAGAIN. */
int key_answer_receive(int socket, struct key_answer *answer);

/* The child's life: takes the task from KEY_CHILD_FD, does it, answers. The exit status. */
int key_child_run(void);

#endif
