/* SPDX-License-Identifier: MPL-2.0 */
/*
 * JSON out of bytes, whole or not at all. Jansson goes on when it is refused memory: it may drop a byte of a
 * text that it is reading, or call the text wrong. A token with a byte missing would be a sign-in lost.
 */
#ifndef THUNDERSEAL_CORE_JSON_READ_H
#define THUNDERSEAL_CORE_JSON_READ_H

#include <jansson.h>
#include <stdbool.h>

/* As json_loadb: a new reference, or NULL. *no_memory (may be NULL) says whether it was for lack of memory;
 * error may be NULL. */
json_t *json_read(const char *bytes, size_t length, size_t flags, json_error_t *error, bool *no_memory);

#endif
