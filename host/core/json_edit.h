/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Edits of a JSON text that leave every byte as it is but those of the members edited: whoever wrote it finds
 * their order, indentation and notation again. What is added is written as its neighbours are.
 */
#ifndef THUNDERSEAL_CORE_JSON_EDIT_H
#define THUNDERSEAL_CORE_JSON_EDIT_H

#include "core/json_text.h"

/* The text parses, without duplicate keys, before and after each edit. */
struct json_edit {
    char *text; /* owned; with a NUL behind it */
    size_t length;
};

/* Copies a text that parses. 0, or -1 out of memory. */
int json_edit_begin(struct json_edit *edit, const char *text, size_t length);
void json_edit_clear(struct json_edit *edit);

/* The edits: 0, or -1 out of memory or when the pointer names no such value. "" is the whole text. */
/* Adds a member at the end of an object that has none of this key. */
int json_edit_add(struct json_edit *edit, const char *pointer, const char *key, const json_t *value);
/* Takes a member of an object out. */
int json_edit_remove(struct json_edit *edit, const char *pointer);
/* Puts a text behind what a text value says; it must need no escapes. */
int json_edit_extend(struct json_edit *edit, const char *pointer, const char *more);
/* Puts another value, written as JSON, in a value's place. */
int json_edit_replace(struct json_edit *edit, const char *pointer, const char *value);

#endif
