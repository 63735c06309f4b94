/* SPDX-License-Identifier: MPL-2.0 */
#include "core/guid.h"

#include <sodium.h>
#include <string.h>

/* Where the hyphens are. */
static bool is_gap(size_t position)
{
    return position == 8 || position == 13 || position == 18 || position == 23;
}

struct guid guid_of_random(const unsigned char random[GUID_BYTES])
{
    struct guid guid;

    memcpy(guid.bytes, random, sizeof guid.bytes);
    guid.bytes[6] = (unsigned char)((guid.bytes[6] & 0x0f) | 0x40); /* version */
    guid.bytes[8] = (unsigned char)((guid.bytes[8] & 0x3f) | 0x80); /* variant */
    return guid;
}

struct guid guid_read(const char *text)
{
    char digits[2 * GUID_BYTES];
    struct guid guid = {0};
    size_t i, count = 0;

    if (strlen(text) != GUID_TEXT_SIZE - 1)
        return guid;
    for (i = 0; i < GUID_TEXT_SIZE - 1; i++) {
        if (is_gap(i) != (text[i] == '-'))
            return guid;
        if (!is_gap(i))
            digits[count++] = text[i];
    }
    if (sodium_hex2bin(guid.bytes, sizeof guid.bytes, digits, sizeof digits, NULL, NULL, NULL) != 0)
        memset(&guid, 0, sizeof guid);
    return guid;
}

void guid_write(char text[GUID_TEXT_SIZE], const struct guid *guid)
{
    char digits[2 * GUID_BYTES + 1];
    size_t i, count = 0;

    sodium_bin2hex(digits, sizeof digits, guid->bytes, sizeof guid->bytes);
    for (i = 0; i < GUID_TEXT_SIZE - 1; i++)
        text[i] = is_gap(i) ? '-' : digits[count++];
    text[i] = '\0';
}

bool guid_none(const struct guid *guid)
{
    return sodium_is_zero(guid->bytes, sizeof guid->bytes) == 1;
}

bool guid_equal(const struct guid *a, const struct guid *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}
