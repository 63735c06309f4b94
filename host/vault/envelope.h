/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Envelope v1: the bytes of one sealed file. Pure functions from bytes to bytes; no file, no clock. FORMAT.md
 * describes every byte.
 */
#ifndef THUNDERSEAL_VAULT_ENVELOPE_H
#define THUNDERSEAL_VAULT_ENVELOPE_H

#include "core/secret.h"
#include <stdbool.h>
#include <stdint.h>

#define ENVELOPE_KEY_SIZE 32      /* device secret, data key, public key */
#define ENVELOPE_KEY_ID_SIZE 8    /* enough to tell the few keys of one user apart; proves nothing */
#define ENVELOPE_PROOF_SIZE 32    /* by which one device key vouches for the next */
#define ENVELOPE_RECIPIENTS_MAX 8 /* the device, a recovery key, and room for both to be rotated */

/* Who can open an envelope: a public key and its id. */
struct envelope_recipient {
    unsigned char id[ENVELOPE_KEY_ID_SIZE];
    unsigned char public_key[ENVELOPE_KEY_SIZE];
};

/* What the device secret yields: it opens and, by the MAC, it makes. Owns its secrets. */
struct envelope_key {
    struct envelope_recipient recipient;
    struct secret secret_key; /* X25519 */
    struct secret mac_key;    /* BLAKE2b */
};

/* The parts of an envelope; the pointers stand in the bytes it was read from. */
struct envelope {
    uint64_t generation;
    const unsigned char *header; /* JSON text, not terminated */
    size_t header_length;
    const unsigned char *recipients; /* recipient_count times key id and sealed box */
    size_t recipient_count;
    const unsigned char *nonce;
    const unsigned char *ciphertext; /* with its tag */
    size_t ciphertext_length;
};

enum envelope_verdict {
    ENVELOPE_GENUINE,
    ENVELOPE_DAMAGED,  /* meant for this key, or for none: the shape or the MAC is wrong */
    ENVELOPE_FOREIGN,  /* well-formed, but sealed to other keys only */
    ENVELOPE_NO_MEMORY /* the secret arena is full */
};

/* Derives the keys from a device secret of ENVELOPE_KEY_SIZE bytes. 0, or -1 (wrong length, arena full). */
int envelope_key_derive(struct envelope_key *key, const struct secret *device_secret);
void envelope_key_wipe(struct envelope_key *key);
/* The first bytes of the hash over recipient->public_key become recipient->id. */
void envelope_recipient_identify(struct envelope_recipient *recipient);
/* What only a holder of key can say: that the key of next is to take its place. */
void envelope_key_vouch(unsigned char proof[ENVELOPE_PROOF_SIZE], const struct envelope_key *key,
                        const struct envelope_recipient *next);

/* Finds the parts of bytes that prove nothing yet: for a header to show while the key is locked. 0 or -1. */
int envelope_parse(const unsigned char *bytes, size_t length, struct envelope *envelope);

/* Whether it is sealed to these recipients, in this order, and to nobody else; by their ids. */
bool envelope_sealed_to(const struct envelope *envelope, const struct envelope_recipient *const *recipients,
                        size_t count);

/* Whether a box names the key id; that it can be opened with that key is not proven. */
bool envelope_names_recipient(const struct envelope *envelope, const unsigned char id[ENVELOPE_KEY_ID_SIZE]);

/*
 * Checks that bytes are the envelope that a holder of key made for name; only then fills *envelope and, where
 * payload is not NULL, *payload. The pointers in *envelope live as long as bytes.
 */
enum envelope_verdict envelope_open(const struct envelope_key *key, const char *name,
                                    const unsigned char *bytes, size_t length, struct envelope *envelope,
                                    struct secret *payload);

/* What is to be sealed; everything stays the caller's. */
struct envelope_content {
    const char *name; /* binds the envelope to its file name */
    uint64_t generation;
    const char *header; /* text of a JSON object */
    size_t header_length;
    const struct secret *payload;
    const struct envelope_recipient *others; /* beside the device, NULL when other_count is 0 */
    size_t other_count;
};

/*
 * Seals content to key's own recipient and the others, with a fresh data key and nonce. *sealed is the
 * caller's, to be released by free; NULL on failure (-1): out of memory, or a header or number of recipients
 * that no reader takes.
 */
int envelope_seal(const struct envelope_key *key, const struct envelope_content *content,
                  unsigned char **sealed, size_t *sealed_length);

#endif
