/* SPDX-License-Identifier: MPL-2.0 */
#include "core/json_edit.h"

#include <stdlib.h>
#include <string.h>

#define UNIT_DEFAULT "  "
#define INDENT_MAX 256 /* bytes; deeper ones are cut, which no reader minds */

/* How the text around an edit is written. */
struct layout {
    bool lines;             /* each member on a line of its own; else all on one */
    const char *line_end;   /* "\n" or "\r\n" */
    char outer[INDENT_MAX]; /* white space before the object's closing brace */
    char unit[INDENT_MAX];  /* by which what is within stands further in */
};

/* A text that grows; bytes is NULL once memory has run out. */
struct buffer {
    char *bytes;
    size_t length;
};

static void append(struct buffer *buffer, const char *bytes, size_t length)
{
    char *grown = buffer->bytes == NULL ? NULL : realloc(buffer->bytes, buffer->length + length + 1);

    if (grown == NULL) {
        free(buffer->bytes);
        buffer->bytes = NULL;
        return;
    }
    memcpy(grown + buffer->length, bytes, length);
    buffer->bytes = grown;
    buffer->length += length;
    grown[buffer->length] = '\0';
}

static void append_text(struct buffer *buffer, const char *text)
{
    append(buffer, text, strlen(text));
}

static struct buffer buffer_new(void)
{
    return (struct buffer){.bytes = calloc(1, 1)};
}

int json_edit_begin(struct json_edit *edit, const char *text, size_t length)
{
    struct buffer copy = buffer_new();

    append(&copy, text, length);
    *edit = (struct json_edit){copy.bytes, copy.length};
    return copy.bytes == NULL ? -1 : 0;
}

void json_edit_clear(struct json_edit *edit)
{
    free(edit->text);
    memset(edit, 0, sizeof *edit);
}

/* Puts the buffer in the place of the bytes from `from` up to `to`, and releases it. */
static int splice(struct json_edit *edit, size_t from, size_t to, struct buffer *with)
{
    struct buffer result = buffer_new();

    append(&result, edit->text, from);
    if (with->bytes != NULL)
        append(&result, with->bytes, with->length);
    append(&result, edit->text + to, edit->length - to);
    if (with->bytes == NULL || result.bytes == NULL) {
        free(with->bytes);
        free(result.bytes);
        return -1;
    }
    free(with->bytes);
    free(edit->text);
    *edit = (struct json_edit){result.bytes, result.length};
    return 0;
}

/* ---- what is there ---- */

/* The value that the pointer names. */
static bool find(const struct json_edit *edit, const char *pointer, struct json_member *member)
{
    if (pointer[0] != '\0')
        return json_text_find(edit->text, edit->length, pointer, member);
    memset(member, 0, sizeof *member);
    member->value = strspn(edit->text, " \t\r\n");
    for (member->end = edit->length; strchr(" \t\r\n", edit->text[member->end - 1]) != NULL; member->end--)
        ;
    return true;
}

/* The members of one object: the first, the last, and those beside one of them. */
struct siblings {
    size_t container, start; /* of the object, and of the member whose neighbours are wanted */
    size_t count;
    struct json_member first, last, before, after;
    bool has_before, has_after;
};

static void note(void *context, const struct json_member *member)
{
    struct siblings *siblings = context;

    if (member->container != siblings->container)
        return;
    if (siblings->count++ == 0)
        siblings->first = *member;
    if (member->start < siblings->start) {
        siblings->before = *member;
        siblings->has_before = true;
    } else if (member->start > siblings->start && !siblings->has_after) {
        siblings->after = *member;
        siblings->has_after = true;
    }
    siblings->last = *member;
}

static struct siblings siblings_in(const struct json_edit *edit, size_t container, size_t start)
{
    struct siblings siblings = {.container = container, .start = start};

    json_text_walk(edit->text, edit->length, note, &siblings);
    return siblings;
}

static bool line_between(const struct json_edit *edit, size_t from, size_t to)
{
    return memchr(edit->text + from, '\n', to - from) != NULL;
}

/* The white space at the start of the line that the offset is on. */
static void indent_at(const struct json_edit *edit, size_t offset, char indent[INDENT_MAX])
{
    size_t start = offset, length;

    while (start > 0 && edit->text[start - 1] != '\n')
        start--;
    length = strspn(edit->text + start, " \t");
    if (length >= INDENT_MAX)
        length = INDENT_MAX - 1;
    memcpy(indent, edit->text + start, length);
    indent[length] = '\0';
}

/* How far the members of the whole stand in. */
static void find_unit(const struct json_edit *edit, char unit[INDENT_MAX])
{
    size_t root = strspn(edit->text, " \t\r\n");
    struct siblings siblings = siblings_in(edit, root, 0);

    if (siblings.count > 0 && line_between(edit, root, siblings.first.start))
        indent_at(edit, siblings.first.start, unit);
    else
        memcpy(unit, UNIT_DEFAULT, sizeof UNIT_DEFAULT);
}

static struct layout layout_of(const struct json_edit *edit, const struct json_member *object,
                               const struct siblings *siblings)
{
    const char *first_line = strchr(edit->text, '\n');
    struct layout layout = {.line_end = "\n"};

    if (first_line != NULL && first_line > edit->text && first_line[-1] == '\r')
        layout.line_end = "\r\n";
    find_unit(edit, layout.unit);
    indent_at(edit, object->value, layout.outer);
    if (siblings->count > 0) {
        layout.lines = line_between(edit, object->value, siblings->first.start);
    } else { /* as the rest of the text is written */
        struct json_member whole;
        (void)find(edit, "", &whole);
        layout.lines = line_between(edit, whole.value, whole.end) || whole.end - whole.value <= 2;
    }
    return layout;
}

/* ---- writing ---- */

static void new_line(struct buffer *out, const struct layout *layout, size_t depth)
{
    size_t i;

    append_text(out, layout->line_end);
    append_text(out, layout->outer);
    for (i = 0; i < depth; i++)
        append_text(out, layout->unit);
}

static void write_scalar(struct buffer *out, const json_t *value)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY);
    json_free_t release;

    if (text != NULL) {
        append_text(out, text);
    } else { /* nothing may be written without it */
        free(out->bytes);
        out->bytes = NULL;
    }
    json_get_alloc_funcs(NULL, &release);
    release(text);
}

static void write_member(struct buffer *out, const struct layout *layout, size_t depth, const char *key,
                         const json_t *value);

static void write_value(struct buffer *out, const struct layout *layout, size_t depth, const json_t *value)
{
    bool first = true;
    const char *key;
    json_t *member;

    if (!json_is_object(value)) {
        write_scalar(out, value);
        return;
    }
    append_text(out, "{");
    json_object_foreach((json_t *)value, key, member)
    {
        if (!first)
            append_text(out, layout->lines ? "," : ", ");
        if (layout->lines)
            new_line(out, layout, depth + 1);
        write_member(out, layout, depth + 1, key, member);
        first = false;
    }
    if (layout->lines && !first)
        new_line(out, layout, depth);
    append_text(out, "}");
}

static void write_member(struct buffer *out, const struct layout *layout, size_t depth, const char *key,
                         const json_t *value)
{
    json_t *name = json_string(key);

    write_scalar(out, name);
    json_decref(name);
    append_text(out, ": ");
    write_value(out, layout, depth, value);
}

/* ---- the edits ---- */

int json_edit_add(struct json_edit *edit, const char *pointer, const char *key, const json_t *value)
{
    struct json_member object;
    struct siblings siblings;
    struct layout layout;
    struct buffer out = buffer_new();

    if (!find(edit, pointer, &object) || edit->text[object.value] != '{') {
        free(out.bytes);
        return -1;
    }
    siblings = siblings_in(edit, object.value, 0);
    layout = layout_of(edit, &object, &siblings);
    if (siblings.count > 0)
        append_text(&out, layout.lines ? "," : ", ");
    if (layout.lines)
        new_line(&out, &layout, 1);
    write_member(&out, &layout, 1, key, value);
    if (siblings.count > 0)
        return splice(edit, siblings.last.end, siblings.last.end, &out);
    if (layout.lines)
        new_line(&out, &layout, 0);
    return splice(edit, object.value + 1, object.end - 1, &out);
}

int json_edit_remove(struct json_edit *edit, const char *pointer)
{
    struct json_member member;
    struct siblings siblings;
    struct buffer nothing = buffer_new();
    size_t from, to;

    if (!json_text_find(edit->text, edit->length, pointer, &member)) {
        free(nothing.bytes);
        return -1;
    }
    siblings = siblings_in(edit, member.container, member.start);
    if (siblings.has_before) {
        from = siblings.before.end;
        to = member.end;
    } else if (siblings.has_after) {
        from = member.start;
        to = siblings.after.start;
    } else { /* the only one: the braces close */
        from = member.container + 1;
        to = member.end + strspn(edit->text + member.end, " \t\r\n");
    }
    return splice(edit, from, to, &nothing);
}

int json_edit_extend(struct json_edit *edit, const char *pointer, const char *more)
{
    struct buffer out = buffer_new();
    struct json_member member;

    if (!find(edit, pointer, &member) || edit->text[member.value] != '"') {
        free(out.bytes);
        return -1;
    }
    append_text(&out, more);
    return splice(edit, member.end - 1, member.end - 1, &out);
}

int json_edit_replace(struct json_edit *edit, const char *pointer, const char *value)
{
    struct buffer out = buffer_new();
    struct json_member member;

    if (!find(edit, pointer, &member)) {
        free(out.bytes);
        return -1;
    }
    append_text(&out, value);
    return splice(edit, member.value, member.end, &out);
}
