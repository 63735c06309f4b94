/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The bytes of a backup: sealed under a passphrase, or to somebody's public key. Pure functions from bytes to
 * bytes; no file, no clock. FORMAT.md describes every byte.
 */
#ifndef THUNDERSEAL_VAULT_BACKUP_H
#define THUNDERSEAL_VAULT_BACKUP_H

#include "core/secret.h"
#include "vault/envelope.h"
#include <stdint.h>

/* 1,000 identities with a refresh token of 3 KiB each and what is known of them. */
#define BACKUP_MAX ((size_t)4 * 1024 * 1024)
#define BACKUP_KEY_SIZE ((size_t)32)
#define BACKUP_SALT_SIZE ((size_t)16)
#define BACKUP_BOX_SIZE ((size_t)80)
/* Longer is a file given by mistake. */
#define BACKUP_PASSPHRASE_MAX ((size_t)1024)

enum backup_way {
    BACKUP_BY_PASSPHRASE = 1,
    BACKUP_BY_RECIPIENT = 2,
};

/* How the key of a backup can be had. */
struct backup_head {
    enum backup_way way;
    /* BACKUP_BY_PASSPHRASE: what Argon2id is to do */
    uint32_t passes, memory_kib;
    unsigned char salt[BACKUP_SALT_SIZE];
    /* BACKUP_BY_RECIPIENT */
    unsigned char recipient[ENVELOPE_KEY_ID_SIZE];
    unsigned char box[BACKUP_BOX_SIZE];
};

enum backup_verdict {
    BACKUP_GOOD,
    BACKUP_DAMAGED,   /* no backup, cut short, or changed by accident */
    BACKUP_NEWER,     /* of a version that this program does not know */
    BACKUP_WRONG_KEY, /* whole, but the key does not fit; or changed by somebody who made it look whole */
    BACKUP_NO_MEMORY
};

/* A new head under a passphrase: a fresh salt, and what Argon2id costs today. */
void backup_by_passphrase(struct backup_head *head);
/* A new head for a recipient and a fresh *key, which is sealed to it. 0, or -1: no public key that anything
 * can be sealed to, or no memory. */
int backup_by_recipient(struct backup_head *head, const unsigned char public_key[ENVELOPE_KEY_SIZE],
                        struct secret *key);

/* The key under the passphrase: takes half a second and 256 MiB. 0, or -1 when there is not that much. */
int backup_stretch(const struct backup_head *head, const struct secret *passphrase,
                   unsigned char key[BACKUP_KEY_SIZE]);
/* The key by the recipient's X25519 secret key. */
enum backup_verdict backup_unseal(const struct backup_head *head, const struct secret *secret_key,
                                  struct secret *key);

/* Seals length bytes under key. *sealed is the caller's, to be released by free. 0, or -1: out of memory, or
 * more than BACKUP_MAX in all. */
int backup_seal(const struct backup_head *head, const struct secret *key, const void *plain, size_t length,
                unsigned char **sealed, size_t *sealed_length);

/* Finds the head of bytes that prove nothing yet. */
enum backup_verdict backup_parse(const unsigned char *bytes, size_t length, struct backup_head *head);
/* Opens what backup_parse took. *plain is the caller's, to be released by wiping_free. */
enum backup_verdict backup_open(const struct backup_head *head, const struct secret *key,
                                const unsigned char *bytes, size_t length, unsigned char **plain,
                                size_t *plain_length);

#endif
