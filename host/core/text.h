/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Sentences for people, in English, and what the add-on needs to say them in another language: an id and the
 * arguments. As with gettext, the English format is the text: its id is computed from it, so that a text that
 * changes gets another id, and a translation never stands for a sentence that it was not made from.
 *
 * Formats are literals, and tests/texts finds them by the marks below. They take %s, %d, %lld, %u, %zu and
 * %%, no others; and %-s, which prints like %s and says that the argument is a text itself, one without
 * arguments.
 */
#ifndef THUNDERSEAL_CORE_TEXT_H
#define THUNDERSEAL_CORE_TEXT_H

#include <jansson.h>
#include <stdarg.h>
#include <stdint.h>

/* Marks a literal that is a text, where nothing else shows it. */
#define TEXT(literal) literal
/* Marks a table, behind its name: each of its literals that holds a blank is a text. Marks a parameter: what
 * is given for it is a text. */
#define TEXTS

#define TEXT_ARGUMENTS_MAX 5
#define TEXT_ID_SIZE 10 /* "t", eight hexadecimal digits, NUL */

/* What a sentence was made of. Plain value; zeroed: it is a text without arguments, its own format. */
struct text_parts {
    const char *format; /* static, or NULL */
    uint8_t count;
    uint8_t texts; /* bit n: argument n is a text itself */
    struct {
        uint16_t at, length; /* bytes of the sentence */
    } arguments[TEXT_ARGUMENTS_MAX];
};

/*
 * Writes the sentence like vsnprintf, and returns its whole length in bytes. An argument NULL is "". *parts
 * belongs to the sentence as it was written: when that is cut, text_add leaves the sentence out.
 */
size_t text_format(char *to, size_t size, struct text_parts *parts, const char *format, va_list arguments);
/* Parts of a sentence that has no translation, such as one that was cut. */
extern const struct text_parts text_untranslated;

/* Makes the text valid UTF-8, without growing: a character cut off at the end goes, and other bytes that are
 * none become question marks. */
void text_repair(char *text);

/*
 * Puts {"id","args"} of the sentence into texts (borrowed, a JSON object) under the field's name; an argument
 * is a string, or {"id","text"} where it is a text itself. "" and what is untranslated are left out. -1: out
 * of memory.
 */
int text_add(json_t *texts, const char *field, const char *sentence, const struct text_parts *parts);

/* "t" and the FNV-1a hash (32 bits) of the format in lower-case hexadecimal. */
void text_id(char id[TEXT_ID_SIZE], const char *format, size_t length);

#endif
