/* SPDX-License-Identifier: MPL-2.0 */
#include "core/json_text.h"

#include "core/json_read.h"
#include "core/json_scan.h"
#include "core/problem.h"
#include <string.h>

void json_pointer_add(char *pointer, const char *name)
{
    char escaped[JSON_POINTER_SIZE];
    size_t used = strlen(pointer), length = 0;

    escaped[length++] = '/';
    for (; *name != '\0' && length + 2 < sizeof escaped; name++) {
        bool special = *name == '~' || *name == '/';
        if (special)
            escaped[length++] = '~';
        escaped[length++] = special ? (*name == '~' ? '0' : '1') : *name;
    }
    escaped[length] = '\0';
    problem_copy_text(pointer + used, JSON_POINTER_SIZE - used, escaped);
}

struct json_place json_text_place(const char *text, size_t offset)
{
    struct json_place place = {1, 1};
    size_t i;

    for (i = 0; i < offset; i++) {
        if (text[i] == '\n') {
            place.line++;
            place.column = 1;
        } else if (((unsigned char)text[i] & 0xc0) != 0x80) { /* not a further byte of a character */
            place.column++;
        }
    }
    return place;
}

void json_text_walk(const char *text, size_t length,
                    void (*visit)(void *context, const struct json_member *member), void *context)
{
    struct json_scan scan = {.text = text, .length = length, .visit = visit, .context = context};

    (void)json_scan(&scan);
}

struct search {
    const char *pointer;
    struct json_member *member;
    bool found;
};

static void compare(void *context, const struct json_member *member)
{
    struct search *search = context;

    if (search->found || strcmp(member->pointer, search->pointer) != 0)
        return;
    *search->member = *member;
    search->member->pointer = NULL;
    search->found = true;
}

bool json_text_find(const char *text, size_t length, const char *pointer, struct json_member *member)
{
    struct search search = {.pointer = pointer, .member = member};

    json_text_walk(text, length, compare, &search);
    return search.found;
}

struct twins {
    const char *text;
    json_t *seen; /* "offset of the object:key" */
    void (*tell)(void *context, const struct json_member *member);
    void *context;
};

static void note(void *context, const struct json_member *member)
{
    struct twins *twins = context;
    json_t *key, *name;

    if (!member->in_object)
        return;
    key = json_read(twins->text + member->start, member->value - member->start,
                    JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK, NULL, NULL);
    name = json_sprintf("%zu:%s", member->container, key == NULL ? "" : json_string_value(key));
    if (json_object_get(twins->seen, json_string_value(name)) != NULL)
        twins->tell(twins->context, member);
    else
        json_object_set_new(twins->seen, json_string_value(name), json_true());
    json_decref(key);
    json_decref(name);
}

void json_text_duplicates(const char *text, size_t length,
                          void (*tell)(void *context, const struct json_member *member), void *context)
{
    struct twins twins = {.text = text, .seen = json_object(), .tell = tell, .context = context};

    json_text_walk(text, length, note, &twins);
    json_decref(twins.seen);
}

static void take_first(void *context, const struct json_member *member)
{
    size_t *offset = context;

    if (*offset == 0)
        *offset = member->start;
}

json_t *json_text_parse(const char *text, size_t length, bool duplicates, const char **what,
                        struct json_place *place)
{
    struct json_scan scan = {.text = text, .length = length};
    size_t twin = 0;
    json_error_t error;
    bool no_memory;
    json_t *value;

    if (!json_scan(&scan)) {
        *what = scan.fault;
        *place = json_text_place(text, scan.at);
        return NULL;
    }
    value =
        json_read(text, length, JSON_DECODE_ANY | JSON_ALLOW_NUL | (duplicates ? 0 : JSON_REJECT_DUPLICATES),
                  &error, &no_memory);
    if (value != NULL)
        return value;
    if (no_memory) {
        *place = (struct json_place){0, 0};
        *what = TEXT("out of memory");
        return NULL;
    }
    *place = (struct json_place){error.line, error.column};
    *what = TEXT("not valid JSON");
    switch (json_error_code(&error)) {
    case json_error_duplicate_key:
        json_text_duplicates(text, length, take_first, &twin);
        *place = json_text_place(text, twin);
        *what = TEXT("a key stands there twice");
        break;
    case json_error_invalid_utf8:
        *what = TEXT("it is not in UTF-8");
        break;
    case json_error_numeric_overflow:
        *what = TEXT("the number is too large");
        break;
    default:
        break;
    }
    return NULL;
}
