/* SPDX-License-Identifier: MPL-2.0 */
/* From events to lines. */
#include "vault/audit_internal.h"

#include <stdlib.h>
#include <string.h>

json_t *audit_object(uint64_t seq, int64_t time, const char *event)
{
    return json_pack("{s:I, s:I, s:s}", "seq", (json_int_t)seq, "time", (json_int_t)time, "event", event);
}

int audit_lines_add_bytes(struct audit_lines *lines, const char *bytes, size_t length)
{
    size_t wanted = lines->length + length;
    char *grown;

    if (wanted > lines->capacity) {
        grown = realloc(lines->bytes, wanted * 2);
        if (grown == NULL)
            return -1;
        lines->bytes = grown;
        lines->capacity = wanted * 2;
    }
    memcpy(lines->bytes + lines->length, bytes, length);
    lines->length = wanted;
    return 0;
}

int audit_lines_add(struct audit_lines *lines, json_t *entry)
{
    char line[AUDIT_LINE_MAX];
    size_t length = entry == NULL ? 0 : audit_line_write(line, entry, lines->keys, &lines->at);

    json_decref(entry);
    return length == 0 ? -1 : audit_lines_add_bytes(lines, line, length);
}

static void set_word(json_t *object, const char *name, const char *word)
{
    if (word != NULL && word[0] != '\0')
        json_object_set_new(object, name, json_string(word));
}

static void set_number(json_t *object, const char *name, int64_t number)
{
    if (number != 0)
        json_object_set_new(object, name, json_integer(number));
}

/* It came from a server: whatever is no GUID is not written. */
static bool is_correlation_id(const char *text)
{
    return text[0] != '\0' && strspn(text, "0123456789abcdefABCDEF-") == strlen(text);
}

json_t *audit_entry_object(const struct audit_lines *lines, const struct audit_entry *entry)
{
    json_t *object = audit_object(lines->at.seq + 1, entry->time, entry->event);
    char hash[AUDIT_HASH_SIZE] = "";

    if (entry->account[0] != '\0')
        audit_account_hash(hash, lines->keys, entry->account);
    set_word(object, "account", hash);
    set_word(object, "resource", entry->resource);
    set_word(object, "method", entry->method);
    set_word(object, "kind", entry->kind);
    set_word(object, "stage", entry->stage);
    set_number(object, "aadsts", entry->aadsts);
    if (is_correlation_id(entry->correlation_id))
        set_word(object, "correlationId", entry->correlation_id);
    set_word(object, "what", entry->what);
    set_number(object, "count", entry->count);
    set_word(object, "by", entry->by);
    return object;
}
