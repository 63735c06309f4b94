/* SPDX-License-Identifier: MPL-2.0 */
/* Versions: too old, known to be broken, or fine. */
#include "core/versions.h"
#include "core_support.h"

static void versions_are_compared_by_their_numbers(void **state)
{
    (void)state;
    assert_int_equal(version_compare("140.0", "140"), 0);
    assert_int_equal(version_compare("140.12.0esr", "140.12"), 0);
    assert_true(version_compare("99.0", "140") < 0);
    assert_true(version_compare("153.7.0esr", "153.10") < 0);
    assert_true(version_compare("8.11.1", "8.11.1-DEV") == 0);
    assert_true(version_compare("1.0.18", "1.0.2") > 0);
    assert_true(version_compare("", "1") < 0);
    assert_true(version_compare("x", "0") == 0);
}

static void assert_judged(enum version_part part, const char *version, enum check_status status,
                          const char *cause)
{
    json_t *check = check_new("versions", NULL, CHECK_OK, "Versions");
    const char *first;

    version_judge(check, part, version);
    first = json_string_value(json_array_get(json_object_get(check, "causes"), 0));
    if (check_status(check) != status)
        fail_msg("%s: %s", version, json_string_value(json_object_get(check, "status")));
    if (cause == NULL)
        assert_null(first);
    else
        assert_string_equal(first, cause);
    json_decref(check);
}

static void the_old_and_the_broken_are_told(void **state)
{
    (void)state;
    assert_judged(PART_THUNDERBIRD, "128.5.0esr", CHECK_FAIL, "too-old");
    assert_judged(PART_THUNDERBIRD, "140.0", CHECK_OK, NULL);
    assert_judged(PART_THUNDERBIRD, "", CHECK_OK, NULL);
    assert_judged(PART_LIBCURL, "7.86.0", CHECK_FAIL, "too-old");
    assert_judged(PART_LIBCURL, "7.88.1", CHECK_OK, NULL);
    assert_judged(PART_LIBCURL, "8.11.0", CHECK_OK, NULL);
    assert_judged(PART_LIBCURL, "8.11.1", CHECK_WARN, "known-bad");
    assert_judged(PART_LIBCURL, "8.12.0", CHECK_OK, NULL);
    assert_judged(PART_LIBSODIUM, "1.0.13", CHECK_FAIL, "too-old");
    assert_judged(PART_EXTENSION, "0.1.0", CHECK_OK, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_are_compared_by_their_numbers),
        cmocka_unit_test(the_old_and_the_broken_are_told),
    };

    return CORE_TESTS(tests);
}
