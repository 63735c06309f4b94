/* SPDX-License-Identifier: MPL-2.0 */
/* Scopes and lists of them, at their bounds. */
#include "core/scope.h"

#include "core_support.h"

static void fill(char *text, size_t length, char c)
{
    memset(text, c, length);
    text[length] = '\0';
}

static void a_scope_is_visible_ascii_of_at_most_255_bytes(void **state)
{
    static const char *const refused[] = {"",     " ",     "a b",       "a\"b", "a\\b",
                                          "a\tb", "a\x7f", "a\xc3\xa9", "a\nb", "\x01"};
    char scope[SCOPE_SIZE + 1];
    size_t i;

    (void)state;
    assert_true(scope_valid("openid"));
    assert_true(scope_valid("!#[]^~"));
    assert_true(scope_valid(IMAP_SCOPE));
    for (i = 0; i < sizeof refused / sizeof refused[0]; i++)
        assert_false(scope_valid(refused[i]));
    fill(scope, SCOPE_SIZE - 1, 'a');
    assert_true(scope_valid(scope));
    fill(scope, SCOPE_SIZE, 'a');
    assert_false(scope_valid(scope));
}

static void openid_scopes_belong_to_no_resource(void **state)
{
    (void)state;
    assert_true(scope_is_openid("openid") && scope_is_openid("PROFILE") && scope_is_openid("email") &&
                scope_is_openid("Offline_Access"));
    assert_false(scope_is_openid("openid2"));
    assert_false(scope_is_openid(""));
    assert_false(scope_is_openid(IMAP_SCOPE));
}

static void the_resource_is_what_stands_before_the_permission(void **state)
{
    static const char *const bare[] = {"",           "openid",     "IMAP.AccessAsUser.All", "https://",
                                       "https:///",  "https:///x", "https://host",          "https://host/",
                                       "http://h/p", "x/https://h"};
    char resource[RESOURCE_SIZE] = "untouched", longest[400];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof bare / sizeof bare[0]; i++)
        assert_false(scope_resource(resource, bare[i]));
    assert_string_equal(resource, "untouched");
    assert_true(scope_resource(resource, IMAP_SCOPE));
    assert_string_equal(resource, OUTLOOK);
    assert_true(scope_resource(resource, "HTTPS://h:1/api/.default"));
    assert_string_equal(resource, "HTTPS://h:1/api");
    strcpy(longest, "https://");
    memset(longest + 8, 'h', sizeof longest - 8);
    strcpy(longest + RESOURCE_SIZE - 1, "/P");
    assert_true(scope_resource(resource, longest));
    assert_int_equal(strlen(resource), RESOURCE_SIZE - 1);
    memset(longest + 8, 'h', sizeof longest - 8);
    strcpy(longest + RESOURCE_SIZE, "/P");
    assert_false(scope_resource(resource, longest));
}

static void a_list_is_walked_whatever_blanks_it_has(void **state)
{
    char scope[SCOPE_SIZE], list[SCOPE_LIST_SIZE];
    const char *rest = "  a   bb ccc  ";

    (void)state;
    assert_true(scope_list_next(&rest, scope));
    assert_string_equal(scope, "a");
    assert_true(scope_list_next(&rest, scope));
    assert_string_equal(scope, "bb");
    assert_true(scope_list_next(&rest, scope));
    assert_string_equal(scope, "ccc");
    assert_false(scope_list_next(&rest, scope));
    assert_false(scope_list_next(&rest, scope));
    fill(list, SCOPE_SIZE, 'x');
    strcat(list, " after");
    rest = list;
    assert_true(scope_list_next(&rest, scope));
    assert_string_equal(scope, "after");
    fill(list, SCOPE_SIZE - 1, 'x');
    rest = list;
    assert_true(scope_list_next(&rest, scope));
    assert_int_equal(strlen(scope), SCOPE_SIZE - 1);
}

static void a_list_holds_each_scope_once_without_case(void **state)
{
    char list[SCOPE_LIST_SIZE] = "";

    (void)state;
    assert_int_equal(scope_list_add(list, "Mail.Read"), 0);
    assert_int_equal(scope_list_add(list, "MAIL.read"), 0);
    assert_int_equal(scope_list_add(list, "Mail"), 0);
    assert_string_equal(list, "Mail.Read Mail");
    assert_true(scope_list_contains(list, "mail"));
    assert_false(scope_list_contains(list, "Read"));
    assert_false(scope_list_contains(list, ""));
    assert_false(scope_list_contains("", "Mail"));
}

static void a_list_is_full_at_1023_bytes_and_then_unchanged(void **state)
{
    char list[SCOPE_LIST_SIZE] = "", scope[SCOPE_SIZE], before[SCOPE_LIST_SIZE];
    char c;

    (void)state;
    for (c = 'a'; c < 'd'; c++) {
        fill(scope, SCOPE_SIZE - 1, c);
        assert_int_equal(scope_list_add(list, scope), 0);
    }
    assert_int_equal(strlen(list), 767);
    fill(scope, SCOPE_SIZE - 1, 'd');
    assert_int_equal(scope_list_add(list, scope), 0);
    assert_int_equal(strlen(list), SCOPE_LIST_SIZE - 1);
    strcpy(before, list);
    assert_int_equal(scope_list_add(list, "e"), -1);
    assert_string_equal(list, before);
    list[SCOPE_LIST_SIZE - 3] = '\0';
    assert_int_equal(scope_list_add(list, "ee"), -1);
    list[SCOPE_LIST_SIZE - 4] = '\0';
    assert_int_equal(scope_list_add(list, "ee"), 0);
    assert_int_equal(strlen(list), SCOPE_LIST_SIZE - 1);
}

static void a_list_is_sorted_by_resource(void **state)
{
    char out[SCOPE_LIST_SIZE] = "rubbish";

    (void)state;
    scope_list_of_resource(out, ALL_SCOPES, "https://OUTLOOK.office.com");
    assert_string_equal(out, IMAP_SCOPE " " SMTP_SCOPE);
    scope_list_of_resource(out, ALL_SCOPES, GRAPH);
    assert_string_equal(out, USER_SCOPE);
    scope_list_of_resource(out, ALL_SCOPES, "");
    assert_string_equal(out, "");
    scope_list_of_resource(out, ALL_SCOPES, "https://outlook.office");
    assert_string_equal(out, "");
}

static void what_is_missing_is_named_without_openid_scopes(void **state)
{
    char out[SCOPE_LIST_SIZE];

    (void)state;
    scope_list_missing(out, IMAP_SCOPE, ALL_SCOPES);
    assert_string_equal(out, SMTP_SCOPE " " USER_SCOPE);
    scope_list_missing(out, ALL_SCOPES, "offline_access https://outlook.office.com/smtp.send");
    assert_string_equal(out, "");
    scope_list_missing(out, "", "");
    assert_string_equal(out, "");
}

static void resources_are_counted_once(void **state)
{
    (void)state;
    assert_int_equal(scope_list_resources("", 4), 0);
    assert_int_equal(scope_list_resources("openid offline_access", 4), 0);
    assert_int_equal(scope_list_resources("https://a/X", 4), 1);
    assert_int_equal(scope_list_resources("https://a/X openid https://A/Y https://b/X https://a/Z", 4), 2);
    assert_int_equal(scope_list_resources("https://a/X https://b/X https://c/X https://d/X", 2), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resources_are_counted_once),
        cmocka_unit_test(a_scope_is_visible_ascii_of_at_most_255_bytes),
        cmocka_unit_test(openid_scopes_belong_to_no_resource),
        cmocka_unit_test(the_resource_is_what_stands_before_the_permission),
        cmocka_unit_test(a_list_is_walked_whatever_blanks_it_has),
        cmocka_unit_test(a_list_holds_each_scope_once_without_case),
        cmocka_unit_test(a_list_is_full_at_1023_bytes_and_then_unchanged),
        cmocka_unit_test(a_list_is_sorted_by_resource),
        cmocka_unit_test(what_is_missing_is_named_without_openid_scopes),
    };

    return CORE_TESTS(tests);
}
