/* SPDX-License-Identifier: MPL-2.0 */
#include "vault/backup.h"

#include "core/wiping_alloc.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static const unsigned char magic[6] = {'T', 'S', 'B', 'A', 'K', 0x01};

#define WAY_SIZE ((size_t)1)
#define COST_SIZE ((size_t)4)
#define PASSPHRASE_HEAD_SIZE (sizeof magic + WAY_SIZE + 2 * COST_SIZE + BACKUP_SALT_SIZE)
#define RECIPIENT_HEAD_SIZE (sizeof magic + WAY_SIZE + ENVELOPE_KEY_ID_SIZE + BACKUP_BOX_SIZE)
#define NONCE_SIZE ((size_t)crypto_aead_xchacha20poly1305_ietf_NPUBBYTES)
#define TAG_SIZE ((size_t)crypto_aead_xchacha20poly1305_ietf_ABYTES)
#define HASH_SIZE ((size_t)32)

/* Half a second: whoever has a stolen backup pays as much for each guess. */
#define PASSES ((uint32_t)3)
#define MEMORY_KIB ((uint32_t)256 * 1024)
/* A hostile file must not have us compute for hours or take all memory: four times of each. */
#define PASSES_MAX (4 * PASSES)
#define MEMORY_KIB_MAX (4 * MEMORY_KIB)
#define MEMORY_KIB_MIN ((uint32_t)(crypto_pwhash_MEMLIMIT_MIN / 1024))

_Static_assert(BACKUP_KEY_SIZE == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "the key seals the payload");
_Static_assert(BACKUP_SALT_SIZE == crypto_pwhash_SALTBYTES, "Argon2id's salt");
_Static_assert(BACKUP_BOX_SIZE == BACKUP_KEY_SIZE + crypto_box_SEALBYTES, "the key in a sealed box");

/* ---- keys ---- */

void backup_by_passphrase(struct backup_head *head)
{
    memset(head, 0, sizeof *head);
    head->way = BACKUP_BY_PASSPHRASE;
    head->passes = PASSES;
    head->memory_kib = MEMORY_KIB;
    randombytes_buf(head->salt, sizeof head->salt);
}

int backup_by_recipient(struct backup_head *head, const unsigned char public_key[ENVELOPE_KEY_SIZE],
                        struct secret *key)
{
    struct envelope_recipient recipient;

    memset(head, 0, sizeof *head);
    head->way = BACKUP_BY_RECIPIENT;
    memcpy(recipient.public_key, public_key, sizeof recipient.public_key);
    envelope_recipient_identify(&recipient);
    memcpy(head->recipient, recipient.id, sizeof head->recipient);
    if (secret_reserve(key, BACKUP_KEY_SIZE) != 0)
        return -1;
    randombytes_buf(key->bytes, key->length);
    return crypto_box_seal(head->box, key->bytes, key->length, public_key);
}

int backup_stretch(const struct backup_head *head, const struct secret *passphrase,
                   unsigned char key[BACKUP_KEY_SIZE])
{
    return crypto_pwhash(key, BACKUP_KEY_SIZE, secret_expose(passphrase), passphrase->length, head->salt,
                         head->passes, (size_t)head->memory_kib * 1024, crypto_pwhash_ALG_ARGON2ID13);
}

enum backup_verdict backup_unseal(const struct backup_head *head, const struct secret *secret_key,
                                  struct secret *key)
{
    struct envelope_recipient recipient;

    if (secret_key->length != ENVELOPE_KEY_SIZE)
        return BACKUP_WRONG_KEY;
    if (secret_reserve(key, BACKUP_KEY_SIZE) != 0)
        return BACKUP_NO_MEMORY;
    if (crypto_scalarmult_base(recipient.public_key, secret_key->bytes) != 0)
        return BACKUP_WRONG_KEY;
    envelope_recipient_identify(&recipient);
    if (memcmp(recipient.id, head->recipient, sizeof recipient.id) != 0 ||
        crypto_box_seal_open(key->bytes, head->box, sizeof head->box, recipient.public_key,
                             secret_key->bytes) != 0)
        return BACKUP_WRONG_KEY;
    return BACKUP_GOOD;
}

/* ---- writing ---- */

static unsigned char *put(unsigned char *to, const void *bytes, size_t length)
{
    memcpy(to, bytes, length);
    return to + length;
}

static unsigned char *put_number(unsigned char *to, uint32_t number)
{
    const unsigned char bytes[COST_SIZE] = {(unsigned char)(number >> 24), (unsigned char)(number >> 16),
                                            (unsigned char)(number >> 8), (unsigned char)number};

    return put(to, bytes, sizeof bytes);
}

static size_t head_size(enum backup_way way)
{
    return way == BACKUP_BY_PASSPHRASE ? PASSPHRASE_HEAD_SIZE : RECIPIENT_HEAD_SIZE;
}

static unsigned char *put_head(unsigned char *to, const struct backup_head *head)
{
    to = put(to, magic, sizeof magic);
    *to++ = (unsigned char)head->way;
    if (head->way == BACKUP_BY_PASSPHRASE) {
        to = put_number(to, head->passes);
        to = put_number(to, head->memory_kib);
        return put(to, head->salt, sizeof head->salt);
    }
    to = put(to, head->recipient, sizeof head->recipient);
    return put(to, head->box, sizeof head->box);
}

int backup_seal(const struct backup_head *head, const struct secret *key, const void *plain, size_t length,
                unsigned char **sealed, size_t *sealed_length)
{
    size_t front = head_size(head->way);
    size_t total = front + NONCE_SIZE + length + TAG_SIZE + HASH_SIZE;
    unsigned char *nonce, *end;

    *sealed = NULL;
    *sealed_length = 0;
    if (length > BACKUP_MAX || total > BACKUP_MAX || key->length != BACKUP_KEY_SIZE)
        return -1;
    *sealed = malloc(total);
    if (*sealed == NULL)
        return -1;
    nonce = put_head(*sealed, head);
    randombytes_buf(nonce, NONCE_SIZE);
    end = nonce + NONCE_SIZE;
    crypto_aead_xchacha20poly1305_ietf_encrypt(end, NULL, plain, length, *sealed, front, NULL, nonce,
                                               key->bytes);
    end += length + TAG_SIZE;
    crypto_generichash(end, HASH_SIZE, *sealed, total - HASH_SIZE, NULL, 0);
    *sealed_length = total;
    return 0;
}

/* ---- reading ---- */

static uint32_t number_at(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* The hash keeps nobody from changing anything: it tells an accident from a wrong passphrase. */
static bool is_whole(const unsigned char *bytes, size_t length)
{
    unsigned char hash[HASH_SIZE];

    crypto_generichash(hash, sizeof hash, bytes, length - HASH_SIZE, NULL, 0);
    return memcmp(hash, bytes + length - HASH_SIZE, HASH_SIZE) == 0;
}

enum backup_verdict backup_parse(const unsigned char *bytes, size_t length, struct backup_head *head)
{
    const unsigned char *at = bytes + sizeof magic + WAY_SIZE;

    memset(head, 0, sizeof *head);
    if (length < sizeof magic + WAY_SIZE + HASH_SIZE || length > BACKUP_MAX ||
        memcmp(bytes, magic, sizeof magic - 1) != 0 || !is_whole(bytes, length))
        return BACKUP_DAMAGED;
    if (bytes[sizeof magic - 1] > magic[sizeof magic - 1])
        return BACKUP_NEWER;
    head->way = (enum backup_way)bytes[sizeof magic];
    if (bytes[sizeof magic - 1] != magic[sizeof magic - 1] ||
        (head->way != BACKUP_BY_PASSPHRASE && head->way != BACKUP_BY_RECIPIENT) ||
        length < head_size(head->way) + NONCE_SIZE + TAG_SIZE + HASH_SIZE)
        return BACKUP_DAMAGED;
    if (head->way == BACKUP_BY_PASSPHRASE) {
        head->passes = number_at(at);
        head->memory_kib = number_at(at + COST_SIZE);
        memcpy(head->salt, at + 2 * COST_SIZE, BACKUP_SALT_SIZE);
        return head->passes >= crypto_pwhash_OPSLIMIT_MIN && head->passes <= PASSES_MAX &&
                       head->memory_kib >= MEMORY_KIB_MIN && head->memory_kib <= MEMORY_KIB_MAX
                   ? BACKUP_GOOD
                   : BACKUP_DAMAGED;
    }
    memcpy(head->recipient, at, sizeof head->recipient);
    memcpy(head->box, at + sizeof head->recipient, sizeof head->box);
    return BACKUP_GOOD;
}

enum backup_verdict backup_open(const struct backup_head *head, const struct secret *key,
                                const unsigned char *bytes, size_t length, unsigned char **plain,
                                size_t *plain_length)
{
    size_t front = head_size(head->way);
    const unsigned char *nonce = bytes + front;
    size_t sealed = length - front - NONCE_SIZE - HASH_SIZE;

    *plain_length = sealed - TAG_SIZE;
    *plain = key->length == BACKUP_KEY_SIZE ? wiping_malloc(*plain_length + 1) : NULL;
    if (*plain == NULL)
        return BACKUP_NO_MEMORY;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(*plain, NULL, NULL, nonce + NONCE_SIZE, sealed, bytes,
                                                   front, nonce, key->bytes) == 0)
        return BACKUP_GOOD;
    wiping_free(*plain);
    *plain = NULL;
    return BACKUP_WRONG_KEY;
}
