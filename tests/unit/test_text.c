/* SPDX-License-Identifier: MPL-2.0 */
/* What a sentence was made of, for other languages. */
#include "core/text.h"

#include "core/check.h"
#include "core_support.h"

static size_t format(char *to, size_t size, struct text_parts *parts, const char *pattern, ...)
{
    va_list arguments;
    size_t length;

    va_start(arguments, pattern);
    length = text_format(to, size, parts, pattern, arguments);
    va_end(arguments);
    return length;
}

/* The text of a sentence as it goes over the wire, as JSON. */
static void assert_told(const char *sentence, const struct text_parts *parts, const char *wanted)
{
    json_t *texts = json_object();
    char *told;

    assert_int_equal(text_add(texts, "cause", sentence, parts), 0);
    told = json_dumps(texts, JSON_COMPACT);
    assert_string_equal(told, wanted);
    free(told);
    json_decref(texts);
}

/* Vectors of draft-eastlake-fnv, appendix C. */
static void ids_are_the_hash_of_the_format(void **state)
{
    char id[TEXT_ID_SIZE];

    (void)state;
    text_id(id, "", 0);
    assert_string_equal(id, "t811c9dc5");
    text_id(id, "a", 1);
    assert_string_equal(id, "te40c292c");
    text_id(id, "foobar and more", 6);
    assert_string_equal(id, "tbf9cf968");
}

static void a_sentence_reads_as_printf_writes_it(void **state)
{
    struct text_parts parts;
    char text[200];

    (void)state;
    assert_int_equal(format(text, sizeof text, &parts, "%s %d %u %lld 100%%", "a", -1, 7U, -5000000000LL),
                     23);
    assert_string_equal(text, "a -1 7 -5000000000 100%");
    assert_int_equal(format(NULL, 0, &parts, "%-s of %zu", "one", (size_t)12), 9);
    format(text, sizeof text, &parts, "%s%-s.", NULL, NULL);
    assert_string_equal(text, ".");
}

static void the_arguments_are_told_beside_the_id(void **state)
{
    struct text_parts parts;
    char text[200];

    (void)state;
    format(text, sizeof text, &parts, "%s could not be %-s (%d).", "/a/b", "read", 5);
    assert_string_equal(text, "/a/b could not be read (5).");
    assert_told(text, &parts,
                "{\"cause\":{\"id\":\"t3a8b24db\",\"args\":[\"/a/"
                "b\",{\"id\":\"tcedfa3c5\",\"text\":\"read\"},\"5\"]}}");
}

static void a_text_without_arguments_is_its_own_format(void **state)
{
    const struct text_parts own = {.format = NULL};
    struct text_parts parts;
    char text[200];

    (void)state;
    format(text, sizeof text, &parts, "%-s", "read");
    assert_told(text, &parts, "{\"cause\":{\"id\":\"tcedfa3c5\",\"args\":[]}}");
    assert_told("read", &own, "{\"cause\":{\"id\":\"tcedfa3c5\",\"args\":[]}}");
    assert_told("", &own, "{}");
}

/* A translation would be of another sentence than the one that is shown. */
static void what_was_cut_or_has_too_many_arguments_is_not_translated(void **state)
{
    struct text_parts parts;
    char text[12];

    (void)state;
    assert_int_equal(format(text, sizeof text, &parts, "Not %s.", "abcdefghij"), 15);
    assert_string_equal(text, "Not abcdefg");
    assert_told(text, &parts, "{}");
    assert_int_equal(format(text, 1, &parts, "%-s", "read"), 4);
    assert_told("", &parts, "{}");
    format(text, sizeof text, &parts, "%s%s%s%s%s%s", "1", "2", "3", "4", "5", "6");
    assert_string_equal(text, "123456");
    assert_told(text, &parts, "{}");
}

/* Arguments are noted before the text is mended, and must still fit it. */
static void arguments_are_utf8_as_the_sentence_is(void **state)
{
    struct text_parts parts;
    char text[40];

    (void)state;
    format(text, sizeof text, &parts, "%s is %s", "a\xff", "b\xe2\x82");
    text_repair(text);
    assert_string_equal(text, "a? is b");
    assert_told(text, &parts, "{\"cause\":{\"id\":\"t23ebec21\",\"args\":[\"a?\",\"b\"]}}");
}

static void a_check_tells_the_texts_that_stand_last(void **state)
{
    json_t *check = check_new("clock", NULL, CHECK_OK, "read"), *copy, *texts;

    (void)state;
    check_detail(check, "%s.", "first");
    check_detail(check, "%-s", "read");
    check_remedy(check, "%-s", "read");
    copy = json_deep_copy(check);
    check_title(copy, "written");
    texts = json_object_get(check, "texts");
    assert_int_equal(json_object_size(texts), 3);
    assert_true(json_equal(json_object_get(texts, "detail"), json_object_get(texts, "title")));
    assert_true(json_equal(json_object_get(texts, "detail"), json_object_get(texts, "remedy")));
    json_decref(copy);
    json_decref(check);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_the_hash_of_the_format),
        cmocka_unit_test(a_sentence_reads_as_printf_writes_it),
        cmocka_unit_test(the_arguments_are_told_beside_the_id),
        cmocka_unit_test(a_text_without_arguments_is_its_own_format),
        cmocka_unit_test(what_was_cut_or_has_too_many_arguments_is_not_translated),
        cmocka_unit_test(arguments_are_utf8_as_the_sentence_is),
        cmocka_unit_test(a_check_tells_the_texts_that_stand_last),
    };

    return CORE_TESTS(tests);
}
