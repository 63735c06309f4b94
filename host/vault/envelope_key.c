/* SPDX-License-Identifier: MPL-2.0 */
#include "vault/envelope.h"

#include <sodium.h>
#include <string.h>

/* Domains of crypto_kdf: one number and one context for each key that the device secret yields. */
#define BOX_KEY_NUMBER 1
#define BOX_KEY_CONTEXT "TSealBox"
#define MAC_KEY_NUMBER 2
#define MAC_KEY_CONTEXT "TSealMac"
/* The same under the MAC key. */
#define VOUCH_KEY_NUMBER 1
#define VOUCH_KEY_CONTEXT "TSealKey"

_Static_assert(ENVELOPE_KEY_SIZE == crypto_kdf_KEYBYTES, "the device secret is a crypto_kdf key");

void envelope_recipient_identify(struct envelope_recipient *recipient)
{
    unsigned char hash[crypto_generichash_BYTES];

    crypto_generichash(hash, sizeof hash, recipient->public_key, sizeof recipient->public_key, NULL, 0);
    memcpy(recipient->id, hash, sizeof recipient->id);
}

int envelope_key_derive(struct envelope_key *key, const struct secret *device_secret)
{
    if (device_secret->length != ENVELOPE_KEY_SIZE)
        return -1;
    if (secret_reserve(&key->secret_key, ENVELOPE_KEY_SIZE) != 0 ||
        secret_reserve(&key->mac_key, ENVELOPE_KEY_SIZE) != 0) {
        envelope_key_wipe(key);
        return -1;
    }
    crypto_kdf_derive_from_key(key->secret_key.bytes, ENVELOPE_KEY_SIZE, BOX_KEY_NUMBER, BOX_KEY_CONTEXT,
                               device_secret->bytes);
    crypto_kdf_derive_from_key(key->mac_key.bytes, ENVELOPE_KEY_SIZE, MAC_KEY_NUMBER, MAC_KEY_CONTEXT,
                               device_secret->bytes);
    crypto_scalarmult_base(key->recipient.public_key, key->secret_key.bytes);
    envelope_recipient_identify(&key->recipient);
    return 0;
}

void envelope_key_vouch(unsigned char proof[ENVELOPE_PROOF_SIZE], const struct envelope_key *key,
                        const struct envelope_recipient *next)
{
    unsigned char vouch_key[ENVELOPE_KEY_SIZE];

    crypto_kdf_derive_from_key(vouch_key, sizeof vouch_key, VOUCH_KEY_NUMBER, VOUCH_KEY_CONTEXT,
                               key->mac_key.bytes);
    crypto_generichash(proof, ENVELOPE_PROOF_SIZE, next->public_key, sizeof next->public_key, vouch_key,
                       sizeof vouch_key);
    sodium_memzero(vouch_key, sizeof vouch_key);
}

void envelope_key_wipe(struct envelope_key *key)
{
    secret_wipe(&key->secret_key);
    secret_wipe(&key->mac_key);
    sodium_memzero(&key->recipient, sizeof key->recipient);
}
