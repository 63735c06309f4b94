/* SPDX-License-Identifier: MPL-2.0 */
/*
 * JSON as a text: where things stand in it, so that messages can name line and column and an edit can leave
 * the rest as it is. Values come from Jansson, which keeps no places.
 */
#ifndef THUNDERSEAL_CORE_JSON_TEXT_H
#define THUNDERSEAL_CORE_JSON_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define JSON_POINTER_SIZE 512   /* of an RFC 6901 pointer, with the NUL; longer ones are cut */
#define JSON_TEXT_DEPTH_MAX 128 /* far deeper than any configuration, and no danger to the stack */

/* Both from 1; a column is a character, not a byte. */
struct json_place {
    int line, column;
};

/* A member of an object, or an item of an array: offsets of bytes. */
struct json_member {
    const char *pointer;
    size_t container;         /* of the brace or bracket that it stands behind */
    size_t start, value, end; /* of the key, or the value in an array; of the value; behind it */
    bool in_object;
};

/* Parses a text. NULL: *what is wrong at *place, a literal; out of memory, which is no fault of the text, it
 * has line 0. Keys that stand twice are a fault, unless duplicates are allowed: then the last one counts. New
 * reference. */
json_t *json_text_parse(const char *text, size_t length, bool duplicates, const char **what,
                        struct json_place *place);
struct json_place json_text_place(const char *text, size_t offset);

/* Visits every member, those of an inner object before the member that it is. The text must parse. */
void json_text_walk(const char *text, size_t length,
                    void (*visit)(void *context, const struct json_member *member), void *context);
/* The first member that the pointer names; its own pointer is NULL. False: none. */
bool json_text_find(const char *text, size_t length, const char *pointer, struct json_member *member);
/* Tells every member whose key stands in the same object already. */
void json_text_duplicates(const char *text, size_t length,
                          void (*tell)(void *context, const struct json_member *member), void *context);

/* Adds a name to a pointer in a buffer of JSON_POINTER_SIZE. RFC 6901 section 3: "~" and "/" go as "~0" and
 * "~1". */
void json_pointer_add(char *pointer, const char *name);

#endif
