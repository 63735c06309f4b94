/* SPDX-License-Identifier: MPL-2.0 */
#include "core/text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define NUMBER_SIZE 24 /* of 64 bits, with sign and NUL */

const struct text_parts text_untranslated = {.format = ""};

/* --- formats --- */

struct writer {
    char *to;
    size_t size, used;
    struct text_parts *parts;
    va_list arguments;
};

static void put(struct writer *writer, const char *bytes, size_t length)
{
    if (writer->used < writer->size) {
        size_t room = writer->size - writer->used - 1;
        memcpy(writer->to + writer->used, bytes, length < room ? length : room);
        writer->to[writer->used + (length < room ? length : room)] = '\0';
    }
    writer->used += length;
}

static void put_argument(struct writer *writer, const char *given, bool is_text)
{
    const char *bytes = given == NULL ? "" : given;
    struct text_parts *parts = writer->parts;
    const size_t length = strlen(bytes);

    if (parts->count >= TEXT_ARGUMENTS_MAX || writer->used > UINT16_MAX || length > UINT16_MAX) {
        parts->format = text_untranslated.format;
    } else {
        parts->arguments[parts->count].at = (uint16_t)writer->used;
        parts->arguments[parts->count].length = (uint16_t)length;
        parts->texts |= (uint8_t)(is_text ? 1U << parts->count : 0);
        parts->count++;
    }
    put(writer, bytes, length);
}

/* The conversion that begins here; returns its length. */
static size_t put_conversion(struct writer *writer, const char *format)
{
    char number[NUMBER_SIZE];
    size_t length = 2;

    if (strncmp(format, "%-s", 3) == 0) {
        put_argument(writer, va_arg(writer->arguments, const char *), true);
        return 3;
    }
    switch (format[1]) {
    case 's':
        put_argument(writer, va_arg(writer->arguments, const char *), false);
        return length;
    case 'd':
        snprintf(number, sizeof number, "%d", va_arg(writer->arguments, int));
        break;
    case 'u':
        snprintf(number, sizeof number, "%u", va_arg(writer->arguments, unsigned));
        break;
    case 'z':
        snprintf(number, sizeof number, "%zu", va_arg(writer->arguments, size_t));
        length = 3;
        break;
    case 'l':
        snprintf(number, sizeof number, "%lld", va_arg(writer->arguments, long long));
        length = 4;
        break;
    default: /* "%%" */
        put(writer, "%", 1);
        return length;
    }
    put_argument(writer, number, false);
    return length;
}

size_t text_format(char *to, size_t size, struct text_parts *parts, const char *format, va_list arguments)
{
    struct writer writer = {.to = to, .size = size, .parts = parts};

    memset(parts, 0, sizeof *parts);
    parts->format = format;
    if (size > 0)
        to[0] = '\0';
    va_copy(writer.arguments, arguments);
    while (*format != '\0') {
        const size_t plain = strcspn(format, "%");
        put(&writer, format, plain);
        format += plain;
        if (*format != '\0')
            format += put_conversion(&writer, format);
    }
    va_end(writer.arguments);
    if (size > 0 && writer.used >= size)
        *parts = text_untranslated;
    else if (parts->format != text_untranslated.format && strcmp(parts->format, "%-s") == 0)
        memset(parts, 0, sizeof *parts);
    return writer.used;
}

/* --- UTF-8 --- */

/* Bytes of the character that begins here; 0 when none does, or it is cut off by the end. */
static size_t character_length(const unsigned char *text)
{
    size_t length = text[0] < 0x80 ? 1 : text[0] < 0xc2 ? 0 : text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4, i;

    if (text[0] > 0xf4 || (text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] > 0x9f) ||
        (text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f))
        return 0;
    for (i = 1; i < length; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

static bool cut_off(const unsigned char *text, size_t length)
{
    size_t i;

    for (i = 1; i < length; i++)
        if ((text[i] & 0xc0) != 0x80)
            return false;
    return length < 4 && text[0] >= 0xc2 && text[0] <= 0xf4;
}

/* Jansson refuses a whole message for one text that is not UTF-8: a character that was cut off at the end
 * goes, and other bytes that are none (a path may hold any) become question marks. */
void text_repair(char *text)
{
    unsigned char *at = (unsigned char *)text;

    while (*at != '\0') {
        size_t length = character_length(at), rest = strlen((char *)at);
        if (length != 0) {
            at += length;
            continue;
        }
        if (cut_off(at, rest))
            *at = '\0';
        else
            *at++ = '?';
    }
}

/* --- on the wire --- */

/* FNV-1a, draft-eastlake-fnv section 2: no secret, only a short name. */
void text_id(char id[TEXT_ID_SIZE], const char *format, size_t length)
{
    uint32_t hash = 2166136261U;
    size_t i;

    for (i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)format[i]) * 16777619U;
    snprintf(id, TEXT_ID_SIZE, "t%08x", hash);
}

static json_t *argument_json(const char *sentence, const struct text_parts *parts, int argument)
{
    const size_t all = strlen(sentence), at = parts->arguments[argument].at;
    const size_t rest = at < all ? all - at : 0;
    size_t length = parts->arguments[argument].length;
    char id[TEXT_ID_SIZE];

    sentence += all - rest;
    if (length > rest)
        length = rest;
    if ((parts->texts >> argument & 1) == 0)
        return json_stringn(sentence, length);
    text_id(id, sentence, length);
    return json_pack("{s:s, s:s%}", "id", id, "text", sentence, length);
}

int text_add(json_t *texts, const char *field, const char *sentence, const struct text_parts *parts)
{
    const char *format = parts->format == NULL ? sentence : parts->format;
    char id[TEXT_ID_SIZE];
    json_t *arguments;
    int i;

    if (sentence[0] == '\0' || format[0] == '\0')
        return 0;
    arguments = json_array();
    for (i = 0; format != sentence && i < parts->count; i++)
        if (json_array_append_new(arguments, argument_json(sentence, parts, i)) != 0) {
            json_decref(arguments);
            return -1;
        }
    text_id(id, format, strlen(format));
    return json_object_set_new(texts, field, json_pack("{s:s, s:o}", "id", id, "args", arguments));
}
