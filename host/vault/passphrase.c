/* SPDX-License-Identifier: MPL-2.0 */
#include "vault/passphrase.h"

#include <sodium.h>
#include <stdint.h>
#include <string.h>

static const unsigned char magic[6] = {'T', 'S', 'W', 'R', 'P', 0x01};

#define ID_AT (sizeof magic)
#define PASSES_AT (ID_AT + ENVELOPE_KEY_ID_SIZE)
#define KIB_AT (PASSES_AT + 4)
#define SALT_AT (KIB_AT + 4)
#define NONCE_AT (SALT_AT + crypto_pwhash_SALTBYTES)
#define SEALED_AT (NONCE_AT + crypto_aead_xchacha20poly1305_ietf_NPUBBYTES)
#define SEALED_SIZE (ENVELOPE_KEY_SIZE + crypto_aead_xchacha20poly1305_ietf_ABYTES)

/* libsodium's "moderate" of 2015 to 2026: fixed here, as a file must open with any version of it. */
#define DEFAULT_PASSES 3
#define DEFAULT_KIB (256 * 1024)
/* Who can write the file could otherwise have us compute for hours, or take all memory. */
#define PASSES_MAX 16
#define KIB_MAX (1024 * 1024)

_Static_assert(SEALED_AT + SEALED_SIZE == PASSPHRASE_WRAPPED_SIZE, "the parts make the whole");

#ifndef THUNDERSEAL_FAULTS
const
#endif
    struct passphrase_cost passphrase_cost_default = {.passes = DEFAULT_PASSES, .kib = DEFAULT_KIB};

static void write_number(unsigned char *to, unsigned number)
{
    int i;

    for (i = 0; i < 4; i++)
        to[i] = (unsigned char)(number >> (24 - 8 * i));
}

static unsigned read_number(const unsigned char *from)
{
    return (unsigned)from[0] << 24 | (unsigned)from[1] << 16 | (unsigned)from[2] << 8 | from[3];
}

int passphrase_wrapped_key_id(const unsigned char *bytes, size_t length,
                              unsigned char key_id[ENVELOPE_KEY_ID_SIZE])
{
    unsigned passes, kib;

    if (length != PASSPHRASE_WRAPPED_SIZE || memcmp(bytes, magic, sizeof magic) != 0)
        return -1;
    passes = read_number(bytes + PASSES_AT);
    kib = read_number(bytes + KIB_AT);
    if (passes < crypto_pwhash_OPSLIMIT_MIN || passes > PASSES_MAX ||
        kib < crypto_pwhash_MEMLIMIT_MIN / 1024 || kib > KIB_MAX)
        return -1;
    memcpy(key_id, bytes + ID_AT, ENVELOPE_KEY_ID_SIZE);
    return 0;
}

/* The wrapping key from what stands in the file and the passphrase. 0, or -1 out of memory. */
static int stretch(struct secret *key, const unsigned char *wrapped, const struct secret *passphrase)
{
    if (secret_reserve(key, crypto_aead_xchacha20poly1305_ietf_KEYBYTES) != 0)
        return -1;
    return crypto_pwhash(key->bytes, key->length, secret_expose(passphrase), passphrase->length,
                         wrapped + SALT_AT, read_number(wrapped + PASSES_AT),
                         (size_t)read_number(wrapped + KIB_AT) * 1024, crypto_pwhash_ALG_ARGON2ID13);
}

int passphrase_wrap(unsigned char wrapped[PASSPHRASE_WRAPPED_SIZE], const struct secret *device_secret,
                    const unsigned char key_id[ENVELOPE_KEY_ID_SIZE], const struct secret *passphrase,
                    const struct passphrase_cost *cost)
{
    struct secret key = {0};
    int result = -1;

    memcpy(wrapped, magic, sizeof magic);
    memcpy(wrapped + ID_AT, key_id, ENVELOPE_KEY_ID_SIZE);
    write_number(wrapped + PASSES_AT, cost->passes);
    write_number(wrapped + KIB_AT, cost->kib);
    randombytes_buf(wrapped + SALT_AT, SEALED_AT - SALT_AT);
    if (device_secret->length == ENVELOPE_KEY_SIZE && stretch(&key, wrapped, passphrase) == 0)
        result = crypto_aead_xchacha20poly1305_ietf_encrypt(wrapped + SEALED_AT, NULL, device_secret->bytes,
                                                            device_secret->length, wrapped, NONCE_AT, NULL,
                                                            wrapped + NONCE_AT, key.bytes);
    secret_wipe(&key);
    return result;
}

enum passphrase_result passphrase_open(struct secret *device_secret,
                                       const unsigned char wrapped[PASSPHRASE_WRAPPED_SIZE],
                                       const struct secret *passphrase)
{
    struct secret key = {0};
    struct secret plain = {0};
    enum passphrase_result result = PASSPHRASE_NO_MEMORY;

    if (secret_reserve(&plain, ENVELOPE_KEY_SIZE) != 0 || stretch(&key, wrapped, passphrase) != 0)
        goto out;
    result = PASSPHRASE_WRONG;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain.bytes, NULL, NULL, wrapped + SEALED_AT, SEALED_SIZE,
                                                   wrapped, NONCE_AT, wrapped + NONCE_AT, key.bytes) == 0) {
        secret_move(device_secret, &plain);
        result = PASSPHRASE_OPENED;
    }
out:
    secret_wipe(&key);
    secret_wipe(&plain);
    return result;
}
