/* SPDX-License-Identifier: MPL-2.0 */
/* The keys in memory: the one to seal with, and a second that opens while the key is being changed. */
#include "vault/vault_internal.h"

#include <sodium.h>
#include <string.h>

static bool current_is(const struct vault *vault, const unsigned char id[ENVELOPE_KEY_ID_SIZE])
{
    return vault->has_key && memcmp(vault->key.recipient.id, id, ENVELOPE_KEY_ID_SIZE) == 0;
}

/* What was vault->key opens on: files may still be sealed to it. */
static void make_current(struct vault *vault, struct device_key *key)
{
    struct device_key before = {
        .had = vault->has_key, .plain = vault->key_plain, .secret = vault->secret, .envelope = vault->key};
    struct device_key now = *key;

    memset(key, 0, sizeof *key);
    vault->secret = now.secret;
    vault->key = now.envelope;
    vault->has_key = true;
    vault->key_plain = now.plain;
    if (before.had)
        device_key_move(&vault->other, &before);
    device_key_wipe(&before);
}

void vault_adopt_key(struct vault *vault, struct device_key *key)
{
    const unsigned char *id = key->envelope.recipient.id;

    if (current_is(vault, id)) {
        device_key_wipe(key);
    } else if (memcmp(id, vault->record.key.key_id, ENVELOPE_KEY_ID_SIZE) == 0) {
        if (device_key_is(&vault->other, id))
            device_key_wipe(&vault->other);
        make_current(vault, key);
    } else {
        device_key_move(&vault->other, key);
    }
}

bool vault_holds_key(struct vault *vault, const unsigned char id[ENVELOPE_KEY_ID_SIZE])
{
    struct device_key key = {0};

    if (device_key_is(&vault->other, id)) {
        device_key_move(&key, &vault->other);
        vault_adopt_key(vault, &key);
    }
    return current_is(vault, id) || device_key_is(&vault->other, id);
}

bool vault_trusts_file(const struct vault *vault, const struct device_key *key, const struct key_place *place)
{
    unsigned char proof[ENVELOPE_PROOF_SIZE];
    const unsigned char *id = key->envelope.recipient.id;

    if (!vault->has_key) /* what is to come after a key waits for it */
        return memcmp(id, vault->record.key.key_id, ENVELOPE_KEY_ID_SIZE) == 0;
    if (vault->key_plain || current_is(vault, id))
        return true;
    envelope_key_vouch(proof, &vault->key, &key->envelope.recipient);
    return sodium_memcmp(proof, place->proof, sizeof proof) == 0;
}
