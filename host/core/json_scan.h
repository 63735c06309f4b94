/* SPDX-License-Identifier: MPL-2.0 */
/* The grammar of RFC 8259, walked through byte by byte; for json_text.c. */
#ifndef THUNDERSEAL_CORE_JSON_SCAN_H
#define THUNDERSEAL_CORE_JSON_SCAN_H

#include "core/json_text.h"

/* Set text, length and, where members are wanted, visit; zero the rest. */
struct json_scan {
    const char *text;
    size_t length, at;
    const char *fault; /* what is wrong at `at`, or NULL */
    int depth;
    void (*visit)(void *context, const struct json_member *member);
    void *context;
    char pointer[JSON_POINTER_SIZE];
};

/* Goes through the whole text. False: `fault` at `at`. With visit, the text must be one that Jansson takes.
 */
bool json_scan(struct json_scan *scan);

#endif
