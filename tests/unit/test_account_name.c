/* SPDX-License-Identifier: MPL-2.0 */
/* What passes for an account name. */
#include "core/account_name.h"

#include "core_support.h"

static void ordinary_and_odd_names_are_valid(void **state)
{
    static const char *const names[] = {"a@b",
                                        "lena@example.org",
                                        "Lena.O'Hara+x@sub.example.org",
                                        "\"quoted name\"@example.org",
                                        "*@example.org",
                                        "l\xc3\xa9na@ex\xc3\xa4mple.org",
                                        "\xc2\xa0@x",
                                        "\xf0\x9f\x93\xa7@x"};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_true(account_name_valid(names[i]));
}

static void anything_else_is_refused(void **state)
{
    static const char *const names[] = {
        "",        "@",     "a",       "a@",   "@b",      "a@b@c",      "a@@b",       "a\n@b",
        "a@b\r\n", "a\t@b", "a\177@b", "\1@b", "a@b\x1f", "\xc2\x80@b", "a@\xc2\x9f", "a\xc2\x85@b"};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_false(account_name_valid(names[i]));
}

static void a_name_has_at_most_254_bytes(void **state)
{
    char name[300];

    (void)state;
    memset(name, 'a', sizeof name);
    name[1] = '@';
    name[254] = '\0';
    assert_true(account_name_valid(name));
    name[254] = 'a';
    name[255] = '\0';
    assert_false(account_name_valid(name));
    name[255] = 'a';
    name[299] = '\0';
    assert_false(account_name_valid(name));
}

static void names_are_compared_without_case_of_ascii(void **state)
{
    char folded[ACCOUNT_NAME_SIZE];

    (void)state;
    assert_true(account_name_equal("LENA@Example.ORG", "lena@example.org"));
    assert_false(account_name_equal("lena@example.org", "lena@example.or"));
    assert_false(account_name_equal("lena@example.org", "lena@example.org2"));
    assert_false(account_name_equal("l\xc3\x89@x", "l\xc3\xa9@x"));
    assert_false(account_name_equal("[@x", "{@x"));
    account_name_fold(folded, "@AZ[`az{\xc3\x89");
    assert_string_equal(folded, "@az[`az{\xc3\x89");
}

static void the_domain_stands_after_the_at(void **state)
{
    (void)state;
    assert_string_equal(account_name_domain("lena@Example.org"), "Example.org");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ordinary_and_odd_names_are_valid),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(a_name_has_at_most_254_bytes),
        cmocka_unit_test(names_are_compared_without_case_of_ascii),
        cmocka_unit_test(the_domain_stands_after_the_at),
    };

    return CORE_TESTS(tests);
}
