/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The device key: made once with the vault, had again at each start. This version keeps it in a file; other
 * stores are recognised and refused with a next step.
 */
#ifndef THUNDERSEAL_VAULT_DEVICE_KEY_H
#define THUNDERSEAL_VAULT_DEVICE_KEY_H

#include "core/problem.h"
#include "vault/envelope.h"
#include "vault/vault_record.h"
#include <stdbool.h>

enum device_key_result {
    DEVICE_KEY_HAD,
    DEVICE_KEY_NONE,   /* no vault yet: one may be made */
    DEVICE_KEY_LOCKED, /* *problem says why; nothing on disk may be changed */
};

/* Where the key is looked for. */
struct device_key_place {
    int folder;           /* the vault's folder */
    const char *path;     /* of it, for the texts */
    const char *keystore; /* as configured; counts only while there is no vault */
    bool sealed_files;    /* whether there are any, so that a missing key is a loss, not a beginning */
};

/*
 * Gets the key into *key, which is left as it was on any other result. *store is the store in force or,
 * without a vault, the one that would be chosen.
 */
enum device_key_result device_key_load(const struct device_key_place *place, struct envelope_key *key,
                                       enum key_store *store, struct problem *problem);

/* The same for a folder that does not exist: DEVICE_KEY_NONE, or locked when the configured store is not
 * built. */
enum device_key_result device_key_choose(const char *keystore, enum key_store *store,
                                         struct problem *problem);

/*
 * Makes the vault's key if device_key_load says that there is none, and writes what is missing of key and
 * vault.json. Of two processes that do so at once both get the same key. 0, or -1 with *problem.
 */
int device_key_ensure(const struct device_key_place *place, struct envelope_key *key, enum key_store *store,
                      struct problem *problem);

#endif
