/* SPDX-License-Identifier: MPL-2.0 */
/* A GUID, such as those by which Entra's sign-in log names a request: 16 bytes, so that no other text fits.
 */
#ifndef THUNDERSEAL_CORE_GUID_H
#define THUNDERSEAL_CORE_GUID_H

#include <stdbool.h>

#define GUID_BYTES 16
#define GUID_TEXT_SIZE 37 /* 36 characters and the NUL */

/* Zeroed: none. A plain value. */
struct guid {
    unsigned char bytes[GUID_BYTES];
};

/* A version 4 UUID (RFC 9562 section 5.4) of random bytes. */
struct guid guid_of_random(const unsigned char random[GUID_BYTES]);
/* The GUID of a text; none when the text is anything else. */
struct guid guid_read(const char *text);
/* Lower case, with hyphens. */
void guid_write(char text[GUID_TEXT_SIZE], const struct guid *guid);
bool guid_none(const struct guid *guid);
bool guid_equal(const struct guid *a, const struct guid *b);

#endif
