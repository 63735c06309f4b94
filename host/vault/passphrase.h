/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The device secret under a passphrase: Argon2id makes a key of it that wraps the secret, so that a new
 * passphrase seals nothing anew. Takes half a second and 256 MiB, so it is done in a child. FORMAT.md has
 * the bytes.
 */
#ifndef THUNDERSEAL_VAULT_PASSPHRASE_H
#define THUNDERSEAL_VAULT_PASSPHRASE_H

#include "core/secret.h"
#include "vault/envelope.h"

/* Longer than anybody types; what a file or another program gives still fits. */
#define PASSPHRASE_MAX 1024

/* magic, key id, passes, KiB, salt, nonce, sealed secret with its tag */
#define PASSPHRASE_WRAPPED_SIZE (6 + 8 + 4 + 4 + 16 + 24 + 32 + 16)

/* What Argon2id costs. */
struct passphrase_cost {
    unsigned passes;
    unsigned kib;
};
#ifdef THUNDERSEAL_FAULTS
extern struct passphrase_cost passphrase_cost_default; /* tests have other things to wait for */
#else
extern const struct passphrase_cost passphrase_cost_default;
#endif

enum passphrase_result {
    PASSPHRASE_OPENED,
    PASSPHRASE_WRONG, /* or the bytes were changed: nobody can tell */
    PASSPHRASE_NO_MEMORY
};

/* Whether bytes look like a wrapped secret, with a cost that this program would pay; then *key_id. */
int passphrase_wrapped_key_id(const unsigned char *bytes, size_t length,
                              unsigned char key_id[ENVELOPE_KEY_ID_SIZE]);
/* 0, or -1 out of memory. */
int passphrase_wrap(unsigned char wrapped[PASSPHRASE_WRAPPED_SIZE], const struct secret *device_secret,
                    const unsigned char key_id[ENVELOPE_KEY_ID_SIZE], const struct secret *passphrase,
                    const struct passphrase_cost *cost);
enum passphrase_result passphrase_open(struct secret *device_secret,
                                       const unsigned char wrapped[PASSPHRASE_WRAPPED_SIZE],
                                       const struct secret *passphrase);

#endif
