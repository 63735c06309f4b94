/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Locks of one identity over all processes of the user: one around each token request (DESIGN 3.2), one
 * around each change of its file. They are byte ranges of locks/NAME.lock, of the open file description
 * (F_OFD_SETLK), so a crashed process leaves none behind. The lock file is made when first wanted and holds
 * no byte, but its name is a hash of the address, so it goes with the identity. That is safe because it is
 * unlinked only by who holds all of its bytes, and a lock counts only on a file that is still linked: who was
 * waiting for the old one gets it, sees that it has gone, and begins again with the new one.
 */
#ifndef THUNDERSEAL_VAULT_IDENTITY_LOCK_H
#define THUNDERSEAL_VAULT_IDENTITY_LOCK_H

#include "vault/vault.h"

/* Of an identity that there is not, for no hash comes out as nothing: what the audit log is locked by. */
#define IDENTITY_LOCK_OF_AUDIT "00000000000000000000000000000000"

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
/* Removes the lock file of an identity that is no more, unless somebody holds a lock in it. */
void identity_lock_erase(const struct vault *vault, const char *name);
/* The same for all that a killed process left; the audit log's is of no identity and stays. */
void identity_lock_sweep(const struct vault *vault);
/* Gives back what is held. Harmless when closed. */
void identity_lock_release(struct identity_lock *lock);

#endif
