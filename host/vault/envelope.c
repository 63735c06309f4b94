/* SPDX-License-Identifier: MPL-2.0 */
#include "vault/envelope.h"

#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const unsigned char magic[6] = {'T', 'S', 'E', 'A', 'L', 0x01};

#define GENERATION_SIZE ((size_t)8)
#define HEADER_LENGTH_SIZE ((size_t)4)
#define COUNT_SIZE ((size_t)1)
#define BOX_SIZE ((size_t)ENVELOPE_KEY_SIZE + crypto_box_SEALBYTES)
#define RECIPIENT_SIZE ((size_t)ENVELOPE_KEY_ID_SIZE + BOX_SIZE)
#define NONCE_SIZE ((size_t)crypto_aead_xchacha20poly1305_ietf_NPUBBYTES)
#define TAG_SIZE ((size_t)crypto_aead_xchacha20poly1305_ietf_ABYTES)
#define MAC_SIZE ((size_t)32)
/* A JSON object has at least its braces. */
#define HEADER_MIN ((size_t)2)

_Static_assert(ENVELOPE_KEY_SIZE == crypto_box_PUBLICKEYBYTES, "recipients are X25519 keys");
_Static_assert(ENVELOPE_KEY_SIZE == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "data keys are as long");

/* Each name has its own MAC key, so a file put under another identity's name is no envelope there. */
static void compute_mac(unsigned char mac[MAC_SIZE], const struct envelope_key *key, const char *name,
                        const unsigned char *bytes, size_t length)
{
    unsigned char name_key[ENVELOPE_KEY_SIZE];

    crypto_generichash(name_key, sizeof name_key, (const unsigned char *)name, strlen(name),
                       key->mac_key.bytes, key->mac_key.length);
    crypto_generichash(mac, MAC_SIZE, bytes, length, name_key, sizeof name_key);
    sodium_memzero(name_key, sizeof name_key);
}

/* ---- numbers, big-endian ---- */

static uint64_t read_number(const unsigned char *bytes, size_t size)
{
    uint64_t number = 0;
    size_t i;

    for (i = 0; i < size; i++)
        number = number << 8 | bytes[i];
    return number;
}

static unsigned char *write_number(unsigned char *to, uint64_t number, size_t size)
{
    size_t i;

    for (i = 0; i < size; i++)
        to[i] = (unsigned char)(number >> (8 * (size - 1 - i)));
    return to + size;
}

static unsigned char *write_bytes(unsigned char *to, const void *bytes, size_t length)
{
    memcpy(to, bytes, length);
    return to + length;
}

/* ---- reading ---- */

struct cursor {
    const unsigned char *bytes;
    size_t left;
};

/* The next size bytes, or NULL when fewer are left: the only way that reading moves on. */
static const unsigned char *take(struct cursor *cursor, size_t size)
{
    const unsigned char *taken = cursor->bytes;

    if (size > cursor->left)
        return NULL;
    cursor->bytes += size;
    cursor->left -= size;
    return taken;
}

static bool is_header(const unsigned char *header, size_t length)
{
    return header != NULL && length >= HEADER_MIN && header[0] == '{' && header[length - 1] == '}';
}

int envelope_parse(const unsigned char *bytes, size_t length, struct envelope *envelope)
{
    struct cursor cursor = {bytes, length};
    const unsigned char *part;

    memset(envelope, 0, sizeof *envelope);
    part = take(&cursor, sizeof magic);
    if (part == NULL || memcmp(part, magic, sizeof magic) != 0)
        return -1;
    part = take(&cursor, GENERATION_SIZE);
    if (part == NULL)
        return -1;
    envelope->generation = read_number(part, GENERATION_SIZE);
    part = take(&cursor, HEADER_LENGTH_SIZE);
    if (part == NULL)
        return -1;
    envelope->header_length = (size_t)read_number(part, HEADER_LENGTH_SIZE);
    envelope->header = take(&cursor, envelope->header_length);
    if (!is_header(envelope->header, envelope->header_length))
        return -1;
    part = take(&cursor, COUNT_SIZE);
    if (part == NULL || part[0] == 0 || part[0] > ENVELOPE_RECIPIENTS_MAX)
        return -1;
    envelope->recipient_count = part[0];
    envelope->recipients = take(&cursor, envelope->recipient_count * RECIPIENT_SIZE);
    if (envelope->recipients == NULL)
        return -1;
    envelope->nonce = take(&cursor, NONCE_SIZE);
    if (envelope->nonce == NULL || cursor.left < TAG_SIZE + MAC_SIZE)
        return -1;
    envelope->ciphertext_length = cursor.left - MAC_SIZE;
    envelope->ciphertext = take(&cursor, envelope->ciphertext_length);
    return 0;
}

bool envelope_sealed_to(const struct envelope *envelope, const struct envelope_recipient *const *recipients,
                        size_t count)
{
    size_t i;

    if (envelope->recipient_count != count)
        return false;
    for (i = 0; i < count; i++)
        if (memcmp(envelope->recipients + i * RECIPIENT_SIZE, recipients[i]->id, ENVELOPE_KEY_ID_SIZE) != 0)
            return false;
    return true;
}

bool envelope_names_recipient(const struct envelope *envelope, const unsigned char id[ENVELOPE_KEY_ID_SIZE])
{
    size_t i;

    for (i = 0; i < envelope->recipient_count; i++)
        if (memcmp(envelope->recipients + i * RECIPIENT_SIZE, id, ENVELOPE_KEY_ID_SIZE) == 0)
            return true;
    return false;
}

static bool unseal_data_key(unsigned char data_key[ENVELOPE_KEY_SIZE], const struct envelope_key *key,
                            const unsigned char *recipient)
{
    return crypto_box_seal_open(data_key, recipient + ENVELOPE_KEY_ID_SIZE, BOX_SIZE,
                                key->recipient.public_key, key->secret_key.bytes) == 0;
}

/* Whether any box is ours by its id or, should the id be what was damaged, by opening. */
static bool is_sealed_to(const struct envelope *envelope, const struct envelope_key *key)
{
    unsigned char data_key[ENVELOPE_KEY_SIZE];
    bool ours = false;
    size_t i;

    for (i = 0; i < envelope->recipient_count && !ours; i++) {
        const unsigned char *recipient = envelope->recipients + i * RECIPIENT_SIZE;
        ours = memcmp(recipient, key->recipient.id, ENVELOPE_KEY_ID_SIZE) == 0 ||
               unseal_data_key(data_key, key, recipient);
    }
    sodium_memzero(data_key, sizeof data_key);
    return ours;
}

static bool find_data_key(unsigned char data_key[ENVELOPE_KEY_SIZE], const struct envelope *envelope,
                          const struct envelope_key *key)
{
    size_t i;

    for (i = 0; i < envelope->recipient_count; i++) {
        const unsigned char *recipient = envelope->recipients + i * RECIPIENT_SIZE;
        if (memcmp(recipient, key->recipient.id, ENVELOPE_KEY_ID_SIZE) == 0 &&
            unseal_data_key(data_key, key, recipient))
            return true;
    }
    return false;
}

static enum envelope_verdict open_payload(const struct envelope_key *key, const unsigned char *bytes,
                                          const struct envelope *envelope, struct secret *payload)
{
    unsigned char data_key[ENVELOPE_KEY_SIZE];
    struct secret plain = {0};
    enum envelope_verdict verdict = ENVELOPE_DAMAGED;

    if (!find_data_key(data_key, envelope, key))
        goto out;
    if (secret_reserve(&plain, envelope->ciphertext_length - TAG_SIZE) != 0) {
        verdict = ENVELOPE_NO_MEMORY;
        goto out;
    }
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(
            plain.bytes, NULL, NULL, envelope->ciphertext, envelope->ciphertext_length, bytes,
            (unsigned long long)(envelope->nonce - bytes), envelope->nonce, data_key) != 0)
        goto out;
    secret_move(payload, &plain);
    verdict = ENVELOPE_GENUINE;
out:
    sodium_memzero(data_key, sizeof data_key);
    secret_wipe(&plain);
    return verdict;
}

enum envelope_verdict envelope_open(const struct envelope_key *key, const char *name,
                                    const unsigned char *bytes, size_t length, struct envelope *envelope,
                                    struct secret *payload)
{
    struct envelope parts;
    unsigned char mac[MAC_SIZE];
    enum envelope_verdict verdict = ENVELOPE_GENUINE;

    if (length < MAC_SIZE)
        return ENVELOPE_DAMAGED;
    compute_mac(mac, key, name, bytes, length - MAC_SIZE);
    if (sodium_memcmp(mac, bytes + length - MAC_SIZE, MAC_SIZE) != 0) {
        if (envelope_parse(bytes, length, &parts) != 0 || is_sealed_to(&parts, key))
            return ENVELOPE_DAMAGED;
        return ENVELOPE_FOREIGN;
    }
    if (envelope_parse(bytes, length, &parts) != 0)
        return ENVELOPE_DAMAGED;
    if (payload != NULL)
        verdict = open_payload(key, bytes, &parts, payload);
    if (verdict == ENVELOPE_GENUINE)
        *envelope = parts;
    return verdict;
}

/* ---- writing ---- */

static unsigned char *write_recipient(unsigned char *to, const struct envelope_recipient *recipient,
                                      const unsigned char data_key[ENVELOPE_KEY_SIZE])
{
    to = write_bytes(to, recipient->id, sizeof recipient->id);
    if (crypto_box_seal(to, data_key, ENVELOPE_KEY_SIZE, recipient->public_key) != 0)
        return NULL;
    return to + BOX_SIZE;
}

/* Everything before the nonce; NULL when a recipient's public key is unusable. */
static unsigned char *write_front(unsigned char *to, const struct envelope_key *key,
                                  const struct envelope_content *content,
                                  const unsigned char data_key[ENVELOPE_KEY_SIZE])
{
    size_t i;

    to = write_bytes(to, magic, sizeof magic);
    to = write_number(to, content->generation, GENERATION_SIZE);
    to = write_number(to, content->header_length, HEADER_LENGTH_SIZE);
    to = write_bytes(to, content->header, content->header_length);
    to = write_number(to, content->other_count + 1, COUNT_SIZE);
    to = write_recipient(to, &key->recipient, data_key);
    for (i = 0; i < content->other_count && to != NULL; i++)
        to = write_recipient(to, &content->others[i], data_key);
    return to;
}

static size_t sealed_size(const struct envelope_content *content)
{
    return sizeof magic + GENERATION_SIZE + HEADER_LENGTH_SIZE + content->header_length + COUNT_SIZE +
           (content->other_count + 1) * RECIPIENT_SIZE + NONCE_SIZE + content->payload->length + TAG_SIZE +
           MAC_SIZE;
}

int envelope_seal(const struct envelope_key *key, const struct envelope_content *content,
                  unsigned char **sealed, size_t *sealed_length)
{
    unsigned char data_key[ENVELOPE_KEY_SIZE];
    unsigned char *bytes = NULL;
    unsigned char *nonce;
    unsigned char *end;
    int result = -1;

    *sealed = NULL;
    *sealed_length = 0;
    if (!is_header((const unsigned char *)content->header, content->header_length) ||
        content->header_length > UINT32_MAX || content->payload->length > SECRET_MAX_LENGTH ||
        content->other_count >= ENVELOPE_RECIPIENTS_MAX)
        return -1;
    bytes = malloc(sealed_size(content));
    if (bytes == NULL)
        return -1;
    crypto_aead_xchacha20poly1305_ietf_keygen(data_key);
    nonce = write_front(bytes, key, content, data_key);
    if (nonce == NULL)
        goto out;
    randombytes_buf(nonce, NONCE_SIZE);
    end = nonce + NONCE_SIZE;
    crypto_aead_xchacha20poly1305_ietf_encrypt(end, NULL, content->payload->bytes, content->payload->length,
                                               bytes, (unsigned long long)(nonce - bytes), NULL, nonce,
                                               data_key);
    end += content->payload->length + TAG_SIZE;
    compute_mac(end, key, content->name, bytes, (size_t)(end - bytes));
    *sealed = bytes;
    *sealed_length = (size_t)(end - bytes) + MAC_SIZE;
    bytes = NULL;
    result = 0;
out:
    sodium_memzero(data_key, sizeof data_key);
    free(bytes);
    return result;
}
