/* SPDX-License-Identifier: MPL-2.0 */
/* Faults in JSON are told where they are; edits change nothing else. */
#include "core/json_edit.h"

#include "core_support.h"

static const struct {
    const char *text;
    int line, column;
    const char *what;
} faults[] = {
    {"", 1, 1, "ends too early"},
    {"{", 1, 2, "ends too early"},
    {"{\n  \"a\": [1, 2", 2, 13, "ends too early"},
    {"{\"a\": 1,}", 1, 9, "comma stands before the end"},
    {"[1, ]", 1, 5, "comma stands before the end"},
    {"{\"a\": 1\n \"b\": 2}", 2, 2, "comma is missing"},
    {"{\"\xc3\xa4\": 1 \"b\": 2}", 1, 9, "comma is missing"},
    {"{\"a\" 1}", 1, 6, "colon is missing"},
    {"{a: 1}", 1, 2, "key in double quotes"},
    {"{'a': 1}", 1, 2, "double quotes"},
    {"{\"a\": tru}", 1, 7, "not a value"},
    {"{\"a\": 01}", 1, 7, "not a number"},
    {"{\"a\": 1.}", 1, 7, "not a number"},
    {"{\"a\": -}", 1, 7, "not a number"},
    {"{\"a\": \"b\n\"}", 1, 9, "closing quote"},
    {"{\"a\": \"\\x\"}", 1, 9, "backslash"},
    {"{\"a\": \"\\u12\"}", 1, 9, "hexadecimal"},
    {"{ // c\n}", 1, 3, "no comments"},
    {"# c\n{}", 1, 1, "no comments"},
    {"{} {}", 1, 4, "behind the end"},
    {"\xef\xbb\xbf{}", 1, 1, "byte order mark"},
    {"{\"a\": 1, \"b\": {\"c\": 1,\n\"c\": 2}}", 2, 1, "twice"},
    {"{\"a\": \"\xff\"}", 1, 7, "UTF-8"},
    {"{\"a\": 99999999999999999999}", 1, 26, "too large"},
};

static void faults_are_told_with_their_place(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        const char *what = "taken";
        struct json_place place = {0, 0};
        json_t *value = json_text_parse(faults[i].text, strlen(faults[i].text), false, &what, &place);
        if (value != NULL || strstr(what, faults[i].what) == NULL || place.line != faults[i].line ||
            (place.column != faults[i].column && strcmp(faults[i].what, "UTF-8") != 0))
            fail_msg("%s: %d:%d: %s", faults[i].text, place.line, place.column, what);
    }
}

/* Whatever a text is cut to, the scanner and Jansson are of one mind. */
static void the_scanner_takes_what_jansson_takes(void **state)
{
    static const char text[] =
        " {\"a\\u00e9\": [1, -2.5e+3, true, null, {}], \"b\": {\"c\": \"d\\\"\"}, \"e\": 0}\n";
    size_t length, i;

    (void)state;
    for (length = 0; length < sizeof text; length++) {
        for (i = 0; i < length; i++) {
            char changed[sizeof text], *exact;
            static const char letters[] = "{}[]:,\"\\0-.eu \x01/";
            size_t k;
            for (k = 0; k < sizeof letters - 1; k++) {
                const char *what = NULL;
                struct json_place place;
                json_t *own, *theirs;
                memcpy(changed, text, sizeof text);
                changed[i] = letters[k];
                exact = malloc(length); /* so that reading past the end is noticed */
                memcpy(exact, changed, length);
                own = json_text_parse(exact, length, true, &what, &place);
                theirs = json_loadb(exact, length, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
                if ((own == NULL) != (theirs == NULL))
                    fail_msg("%.*s: %s", (int)length, exact, what == NULL ? "taken" : what);
                json_decref(own);
                json_decref(theirs);
                free(exact);
            }
        }
    }
}

static void nesting_is_bounded(void **state)
{
    char text[2 * JSON_TEXT_DEPTH_MAX + 4] = "";
    const char *what;
    struct json_place place;
    json_t *value;

    (void)state;
    memset(text, '[', JSON_TEXT_DEPTH_MAX);
    memset(text + JSON_TEXT_DEPTH_MAX, ']', JSON_TEXT_DEPTH_MAX);
    value = json_text_parse(text, strlen(text), false, &what, &place);
    assert_non_null(value);
    json_decref(value);
    memset(text, '[', JSON_TEXT_DEPTH_MAX + 1);
    memset(text + JSON_TEXT_DEPTH_MAX + 1, ']', JSON_TEXT_DEPTH_MAX + 1);
    assert_null(json_text_parse(text, strlen(text), false, &what, &place));
    assert_string_equal(what, "values are nested too deep");
}

static void members_are_found_by_their_pointer(void **state)
{
    static const char text[] = "{\"a/b\": {\"~\": [10, {\"x\": 20}]}, \"\": 30}";
    static const struct {
        const char *pointer, *value;
    } cases[] = {{"/a~1b/~0/0", "10"}, {"/a~1b/~0/1/x", "20"}, {"/", "30"}, {"/a~1b/~0/1", "{\"x\": 20}"}};
    struct json_member member;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(json_text_find(text, strlen(text), cases[i].pointer, &member));
        assert_int_equal(member.end - member.value, strlen(cases[i].value));
        assert_memory_equal(text + member.value, cases[i].value, strlen(cases[i].value));
    }
    assert_false(json_text_find(text, strlen(text), "/a", &member));
}

static const struct {
    const char *before, *pointer, *after; /* what adding "k": {"v": 1} there makes of it */
} additions[] = {
    {"{}", "", "{\n  \"k\": {\n    \"v\": 1\n  }\n}"},
    {"{\"a\": 1}", "", "{\"a\": 1, \"k\": {\"v\": 1}}"},
    {"{\"a\": {}}", "/a", "{\"a\": {\"k\": {\"v\": 1}}}"},
    {"{\n\t\"a\": 1.0e0\n}\n", "", "{\n\t\"a\": 1.0e0,\n\t\"k\": {\n\t\t\"v\": 1\n\t}\n}\n"},
    {"{\n   \"a\": {\n      \"b\": [\n1]\n   }\n}", "/a",
     "{\n   \"a\": {\n      \"b\": [\n1],\n      \"k\": {\n         \"v\": 1\n      }\n   }\n}"},
    {"{\r\n  \"a\": {}\r\n}", "/a", "{\r\n  \"a\": {\r\n    \"k\": {\r\n      \"v\": 1\r\n    }\r\n  }\r\n}"},
    {"{\n  \"a\": {\"b\": 1},\n  \"c\": 2\n}", "/a",
     "{\n  \"a\": {\"b\": 1, \"k\": {\"v\": 1}},\n  \"c\": 2\n}"},
};

static void what_is_added_looks_like_its_neighbours_and_goes_without_a_trace(void **state)
{
    json_t *value = json_pack("{s:i}", "v", 1);
    char pointer[JSON_POINTER_SIZE];
    struct json_edit edit;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof additions / sizeof additions[0]; i++) {
        assert_int_equal(json_edit_begin(&edit, additions[i].before, strlen(additions[i].before)), 0);
        assert_int_equal(json_edit_add(&edit, additions[i].pointer, "k", value), 0);
        assert_string_equal(edit.text, additions[i].after);
        snprintf(pointer, sizeof pointer, "%s/k", additions[i].pointer);
        assert_int_equal(json_edit_remove(&edit, pointer), 0);
        assert_string_equal(edit.text, additions[i].before);
        json_edit_clear(&edit);
    }
    json_decref(value);
}

static void the_first_and_the_middle_member_go_with_one_comma(void **state)
{
    struct json_edit edit;

    (void)state;
    assert_int_equal(json_edit_begin(&edit, "{ \"a\": 1, \"b\": 2,\n \"c\": 3 }", 27), 0);
    assert_int_equal(json_edit_remove(&edit, "/b"), 0);
    assert_string_equal(edit.text, "{ \"a\": 1,\n \"c\": 3 }");
    assert_int_equal(json_edit_remove(&edit, "/a"), 0);
    assert_string_equal(edit.text, "{ \"c\": 3 }");
    assert_int_equal(json_edit_remove(&edit, "/x"), -1);
    assert_int_equal(json_edit_replace(&edit, "/c", "\"t\\/\""), 0);
    assert_int_equal(json_edit_extend(&edit, "/c", "u"), 0);
    assert_string_equal(edit.text, "{ \"c\": \"t\\/u\" }");
    json_edit_clear(&edit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_are_told_with_their_place),
        cmocka_unit_test(the_scanner_takes_what_jansson_takes),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(members_are_found_by_their_pointer),
        cmocka_unit_test(what_is_added_looks_like_its_neighbours_and_goes_without_a_trace),
        cmocka_unit_test(the_first_and_the_middle_member_go_with_one_comma),
    };

    return CORE_TESTS(tests);
}
