/* SPDX-License-Identifier: MPL-2.0 */
#include "vault/audit_line.h"

#include "core/account_name.h"
#include <sodium.h>
#include <string.h>

/* Domains of crypto_kdf under the MAC key. */
#define KEYS_CONTEXT "TSealLog"
#define CHAIN_KEY_NUMBER 1
#define NAMES_KEY_NUMBER 2
#define KEY_SIZE ((size_t)32)
_Static_assert(KEY_SIZE == crypto_kdf_KEYBYTES, "the MAC key is a crypto_kdf key");

#define HASH_BYTES ((size_t)16)
_Static_assert(AUDIT_HASH_SIZE == 2 * HASH_BYTES + 1, "the hash in hex");

/* What is hashed under the names key: the first byte keeps addresses and other texts apart. */
#define DOMAIN_ACCOUNT 'a'
#define DOMAIN_TEXT 't'

#define MAC_HEX ((size_t)2 * AUDIT_MAC_SIZE)
#define MAC_HEAD ",\"mac\":\""
#define MAC_TAIL "\"}"
#define TAIL_LENGTH (sizeof MAC_HEAD - 1 + MAC_HEX + sizeof MAC_TAIL - 1)

/* ---- keys and hashes ---- */

int audit_keys_derive(struct audit_keys *keys, const struct secret *mac_key)
{
    memset(keys, 0, sizeof *keys);
    if (mac_key->length != KEY_SIZE || secret_reserve(&keys->chain, KEY_SIZE) != 0 ||
        secret_reserve(&keys->names, KEY_SIZE) != 0) {
        audit_keys_wipe(keys);
        return -1;
    }
    crypto_kdf_derive_from_key(keys->chain.bytes, KEY_SIZE, CHAIN_KEY_NUMBER, KEYS_CONTEXT, mac_key->bytes);
    crypto_kdf_derive_from_key(keys->names.bytes, KEY_SIZE, NAMES_KEY_NUMBER, KEYS_CONTEXT, mac_key->bytes);
    return 0;
}

void audit_keys_wipe(struct audit_keys *keys)
{
    secret_wipe(&keys->chain);
    secret_wipe(&keys->names);
}

static void hash_text(char hash[AUDIT_HASH_SIZE], const struct audit_keys *keys, char domain,
                      const char *text)
{
    crypto_generichash_state state;
    unsigned char bytes[HASH_BYTES];

    crypto_generichash_init(&state, keys->names.bytes, keys->names.length, sizeof bytes);
    crypto_generichash_update(&state, (const unsigned char *)&domain, 1);
    crypto_generichash_update(&state, (const unsigned char *)text, strlen(text));
    crypto_generichash_final(&state, bytes, sizeof bytes);
    sodium_bin2hex(hash, AUDIT_HASH_SIZE, bytes, sizeof bytes);
}

void audit_account_hash(char hash[AUDIT_HASH_SIZE], const struct audit_keys *keys, const char *account)
{
    char folded[ACCOUNT_NAME_SIZE];

    account_name_fold(folded, account);
    hash_text(hash, keys, DOMAIN_ACCOUNT, folded);
}

void audit_text_hash(char hash[AUDIT_HASH_SIZE], const struct audit_keys *keys, const char *text)
{
    hash_text(hash, keys, DOMAIN_TEXT, text);
}

static void compute_mac(unsigned char mac[AUDIT_MAC_SIZE], const struct audit_keys *keys,
                        const unsigned char previous[AUDIT_MAC_SIZE], const char *text, size_t length)
{
    crypto_generichash_state state;

    crypto_generichash_init(&state, keys->chain.bytes, keys->chain.length, AUDIT_MAC_SIZE);
    crypto_generichash_update(&state, previous, AUDIT_MAC_SIZE);
    crypto_generichash_update(&state, (const unsigned char *)text, length);
    crypto_generichash_final(&state, mac, AUDIT_MAC_SIZE);
}

/* ---- reading ---- */

static const unsigned char nothing_before[AUDIT_MAC_SIZE];

struct scan {
    const char *at, *end;
};

static bool skip(struct scan *scan, const char *text)
{
    size_t length = strlen(text);

    if ((size_t)(scan->end - scan->at) < length || memcmp(scan->at, text, length) != 0)
        return false;
    scan->at += length;
    return true;
}

static bool scan_number(struct scan *scan, uint64_t max, uint64_t *number)
{
    const char *start = scan->at;

    *number = 0;
    for (; scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9'; scan->at++) {
        if (*number > (max - 9) / 10)
            return false;
        *number = *number * 10 + (uint64_t)(*scan->at - '0');
    }
    return scan->at > start;
}

static bool scan_word(struct scan *scan, char word[AUDIT_EVENT_SIZE])
{
    size_t length = 0;

    for (; scan->at < scan->end && *scan->at != '"'; scan->at++) {
        if (length + 1 >= AUDIT_EVENT_SIZE || ((*scan->at < 'a' || *scan->at > 'z') && *scan->at != '-'))
            return false;
        word[length++] = *scan->at;
    }
    word[length] = '\0';
    return length > 0 && skip(scan, "\"");
}

static bool scan_mac(struct scan *scan, unsigned char mac[AUDIT_MAC_SIZE])
{
    size_t length = 0;

    if ((size_t)(scan->end - scan->at) < MAC_HEX ||
        sodium_hex2bin(mac, AUDIT_MAC_SIZE, scan->at, MAC_HEX, NULL, &length, NULL) != 0 ||
        length != AUDIT_MAC_SIZE)
        return false;
    scan->at += MAC_HEX;
    return true;
}

int audit_line_read(struct audit_line *line, const char *bytes, size_t length)
{
    struct scan scan = {.at = bytes};
    struct scan tail = {.at = bytes + length - TAIL_LENGTH, .end = bytes + length};
    uint64_t time = 0;

    if (length <= TAIL_LENGTH || length >= AUDIT_LINE_MAX)
        return -1;
    memset(line, 0, sizeof *line);
    scan.end = tail.at;
    line->text = bytes;
    line->length = length - TAIL_LENGTH;
    if (!skip(&tail, MAC_HEAD) || !scan_mac(&tail, line->mac) || !skip(&tail, MAC_TAIL) ||
        !skip(&scan, "{\"seq\":") || !scan_number(&scan, UINT64_MAX / 2, &line->place.seq) ||
        !skip(&scan, ",\"time\":") || !scan_number(&scan, INT64_MAX, &time) ||
        !skip(&scan, ",\"event\":\"") || !scan_word(&scan, line->event))
        return -1;
    line->time = (int64_t)time;
    memcpy(line->place.mac, line->mac, sizeof line->mac);
    line->stands_in =
        strcmp(line->event, AUDIT_LOG_PRUNED) == 0 || strcmp(line->event, AUDIT_LOG_REKEYED) == 0;
    line->first = line->stands_in || strcmp(line->event, AUDIT_LOG_STARTED) == 0;
    if (strcmp(line->event, AUDIT_LOG_PRUNED) == 0 &&
        (!skip(&scan, ",\"after\":\"") || !scan_mac(&scan, line->place.mac)))
        return -1;
    line->alone = line->first || strcmp(line->event, AUDIT_LOG_DAMAGED) == 0;
    return 0;
}

bool audit_line_ends_with(const char *bytes, size_t length, const unsigned char mac[AUDIT_MAC_SIZE])
{
    unsigned char found[AUDIT_MAC_SIZE];
    struct scan scan = {.at = bytes + length - AUDIT_LINE_END, .end = bytes + length};

    return length >= AUDIT_LINE_END && scan_mac(&scan, found) && skip(&scan, MAC_TAIL "\n") &&
           sodium_memcmp(found, mac, sizeof found) == 0;
}

bool audit_line_proven(const struct audit_line *line, const struct audit_keys *keys,
                       const struct audit_place *previous)
{
    unsigned char mac[AUDIT_MAC_SIZE];

    compute_mac(mac, keys, line->alone ? nothing_before : previous->mac, line->text, line->length);
    return sodium_memcmp(mac, line->mac, sizeof mac) == 0;
}

/* ---- writing ---- */

size_t audit_line_write(char line[AUDIT_LINE_MAX], const json_t *entry, const struct audit_keys *keys,
                        struct audit_place *place)
{
    size_t length = json_dumpb(entry, line, AUDIT_LINE_MAX, JSON_COMPACT);
    unsigned char mac[AUDIT_MAC_SIZE] = {0};
    char hex[MAC_HEX + 1];
    struct audit_line written;
    size_t text = length - 1;

    if (length < 2 || text + TAIL_LENGTH + 1 >= AUDIT_LINE_MAX)
        return 0;
    memcpy(line + text, MAC_HEAD, sizeof MAC_HEAD - 1);
    memset(line + text + sizeof MAC_HEAD - 1, '0', MAC_HEX);
    memcpy(line + text + TAIL_LENGTH - 2, MAC_TAIL "\n", sizeof MAC_TAIL);
    /* Read back before it is hashed: whether it begins a chain is known by one place alone. */
    if (audit_line_read(&written, line, text + TAIL_LENGTH) != 0)
        return 0;
    compute_mac(mac, keys, written.alone ? nothing_before : place->mac, line, text);
    sodium_bin2hex(hex, sizeof hex, mac, sizeof mac);
    memcpy(line + text + sizeof MAC_HEAD - 1, hex, MAC_HEX);
    if (strcmp(written.event, AUDIT_LOG_PRUNED) == 0)
        memcpy(mac, written.place.mac, sizeof mac);
    place->seq = written.place.seq;
    memcpy(place->mac, mac, sizeof mac);
    return text + TAIL_LENGTH + 1;
}
