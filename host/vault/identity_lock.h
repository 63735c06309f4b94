/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Locks of one identity over all processes of the user: one around each token request (DESIGN 3.2), one
 * around each change of its file. They are byte ranges of locks/NAME.lock, of the open file description
 * (F_OFD_SETLK), so a crashed process leaves none behind. The lock file is made when first wanted and never
 * unlinked.
 */
#ifndef THUNDERSEAL_VAULT_IDENTITY_LOCK_H
#define THUNDERSEAL_VAULT_IDENTITY_LOCK_H

#include "vault/vault.h"

enum identity_lock_kind {
    IDENTITY_LOCK_REQUEST, /* held as long as a token request takes */
    IDENTITY_LOCK_WRITE    /* held for the moment of reading, deciding and writing */
};

enum identity_lock_state {
    IDENTITY_LOCK_HAD,
    IDENTITY_LOCK_BUSY,       /* another process has it: ask again */
    IDENTITY_LOCK_IMPOSSIBLE, /* no space, no rights, no such file system: to go on without is all that is
                                 left */
};

struct identity_lock {
    int descriptor; /* -1: closed */
};

/* Opens the lock file if lock->descriptor is -1, and tries, without waiting. */
enum identity_lock_state identity_lock_try(struct identity_lock *lock, const struct vault *vault,
                                           const char *name, enum identity_lock_kind kind);
/* The same, but waits for a busy one, at most so many milliseconds. */
enum identity_lock_state identity_lock_wait(struct identity_lock *lock, const struct vault *vault,
                                            const char *name, enum identity_lock_kind kind, int milliseconds);
/* Gives back what is held. Harmless when closed. */
void identity_lock_release(struct identity_lock *lock);

#endif
