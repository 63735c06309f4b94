/* SPDX-License-Identifier: MPL-2.0 */
#include "core/json_scan.h"

#include "core/json_read.h"
#include "core/text.h"
#include <stdio.h>
#include <string.h>

static int peek(const struct json_scan *scan)
{
    return scan->at < scan->length ? (unsigned char)scan->text[scan->at] : -1;
}

static bool fail(struct json_scan *scan, const char *what)
{
    if (scan->fault != NULL)
        return false;
    switch (peek(scan)) {
    case -1:
        what = TEXT("the text ends too early");
        break;
    case '/':
    case '#':
        what = TEXT("JSON has no comments");
        break;
    case '\'':
        what = TEXT("texts stand in double quotes");
        break;
    }
    if (scan->at == 0 && scan->length >= 3 && memcmp(scan->text, "\xef\xbb\xbf", 3) == 0)
        what = TEXT("a byte order mark stands there: save the file as UTF-8 without one");
    scan->fault = what;
    return false;
}

static void skip_space(struct json_scan *scan)
{
    while (scan->at < scan->length && strchr(" \t\r\n", scan->text[scan->at]) != NULL &&
           scan->text[scan->at] != '\0')
        scan->at++;
}

static bool four_digits(const char *text)
{
    size_t i;

    for (i = 0; i < 4; i++)
        if (text[i] == '\0' || strchr("0123456789abcdefABCDEF", text[i]) == NULL)
            return false;
    return true;
}

static bool scan_string(struct json_scan *scan)
{
    for (scan->at++; peek(scan) != '"'; scan->at++) {
        if (peek(scan) < 0x20)
            return fail(scan, TEXT("the line ends within a text: its closing quote is missing"));
        if (peek(scan) != '\\')
            continue;
        scan->at++;
        if (peek(scan) <= 0 || strchr("\"\\/bfnrtu", peek(scan)) == NULL)
            return fail(scan, TEXT("a backslash stands before a character that it cannot stand before"));
        if (peek(scan) != 'u')
            continue;
        if (scan->length - scan->at < 5 || !four_digits(scan->text + scan->at + 1))
            return fail(scan, TEXT("four hexadecimal digits are missing behind \\u"));
    }
    scan->at++;
    return true;
}

static size_t digits(struct json_scan *scan)
{
    size_t count = 0;

    for (; peek(scan) >= '0' && peek(scan) <= '9'; scan->at++)
        count++;
    return count;
}

static bool number_ends_well(struct json_scan *scan)
{
    bool zero;

    if (peek(scan) == '-')
        scan->at++;
    zero = peek(scan) == '0';
    if (digits(scan) != 1 && (zero || scan->text[scan->at - 1] == '-'))
        return false;
    if (peek(scan) == '.') {
        scan->at++;
        if (digits(scan) == 0)
            return false;
    }
    if (peek(scan) == 'e' || peek(scan) == 'E') {
        scan->at++;
        if (peek(scan) == '+' || peek(scan) == '-')
            scan->at++;
        if (digits(scan) == 0)
            return false;
    }
    return true;
}

static bool scan_number(struct json_scan *scan)
{
    size_t start = scan->at;

    if (number_ends_well(scan))
        return true;
    scan->at = start;
    return fail(scan, TEXT("that is not a number"));
}

static bool scan_word(struct json_scan *scan)
{
    static const char *const words[] = {"true", "false", "null"};
    size_t i;

    for (i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t length = strlen(words[i]);
        if (scan->length - scan->at >= length && memcmp(scan->text + scan->at, words[i], length) == 0) {
            scan->at += length;
            return true;
        }
    }
    return fail(scan, TEXT("that is not a value: texts stand in double quotes"));
}

static bool scan_value(struct json_scan *scan);

/* The name by which the pointer goes on: the key's, or the item's number. */
static void enter(struct json_scan *scan, const struct json_member *member, size_t index)
{
    char number[24];
    json_t *key;

    if (!member->in_object) {
        snprintf(number, sizeof number, "%zu", index);
        json_pointer_add(scan->pointer, number);
        return;
    }
    key = json_read(scan->text + member->start, member->value - member->start,
                    JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK, NULL, NULL);
    json_pointer_add(scan->pointer, key == NULL ? "?" : json_string_value(key));
    json_decref(key);
}

/* One member of the container: its value, with its key where it has one. */
static bool scan_member(struct json_scan *scan, struct json_member *member, size_t index)
{
    size_t outer = strlen(scan->pointer);

    member->start = scan->at;
    if (member->in_object) {
        if (peek(scan) != '"')
            return fail(scan, peek(scan) == '}' ? TEXT("a comma stands before the end: remove it")
                                                : TEXT("a key in double quotes is missing"));
        if (!scan_string(scan))
            return false;
        skip_space(scan);
        if (peek(scan) != ':')
            return fail(scan, TEXT("a colon is missing behind the key"));
        scan->at++;
        skip_space(scan);
    } else if (peek(scan) == ']') {
        return fail(scan, TEXT("a comma stands before the end: remove it"));
    }
    member->value = scan->at;
    if (scan->visit != NULL)
        enter(scan, member, index);
    if (!scan_value(scan))
        return false;
    member->end = scan->at;
    member->pointer = scan->pointer;
    if (scan->visit != NULL)
        scan->visit(scan->context, member);
    scan->pointer[outer] = '\0';
    skip_space(scan);
    return true;
}

static bool scan_container(struct json_scan *scan, char end)
{
    struct json_member member = {.container = scan->at, .in_object = end == '}'};
    size_t index = 0;

    if (++scan->depth > JSON_TEXT_DEPTH_MAX)
        return fail(scan, TEXT("values are nested too deep"));
    scan->at++;
    skip_space(scan);
    if (peek(scan) != end) {
        while (scan_member(scan, &member, index) && peek(scan) == ',') {
            scan->at++;
            skip_space(scan);
            index++;
        }
        if (scan->fault == NULL && peek(scan) != end)
            (void)fail(scan, TEXT("a comma is missing before this"));
    }
    if (scan->fault != NULL)
        return false;
    scan->at++;
    scan->depth--;
    return true;
}

static bool scan_value(struct json_scan *scan)
{
    int first = peek(scan);

    if (first == '{' || first == '[')
        return scan_container(scan, first == '{' ? '}' : ']');
    if (first == '"')
        return scan_string(scan);
    if (first == '-' || (first >= '0' && first <= '9'))
        return scan_number(scan);
    return scan_word(scan);
}

bool json_scan(struct json_scan *scan)
{
    skip_space(scan);
    if (!scan_value(scan))
        return false;
    skip_space(scan);
    return scan->at == scan->length || fail(scan, TEXT("something stands behind the end"));
}
