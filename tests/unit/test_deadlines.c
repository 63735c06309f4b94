/* SPDX-License-Identifier: MPL-2.0 */
/* Microsoft's announced changes: told ahead, told when they are there, and told to nobody whom they spare. */
#include "core/deadlines.h"
#include "core_support.h"

#define DAY INT64_C(86400)
#define FIRST_OF_OCTOBER_2026 INT64_C(1790812800)
#define END_OF_2026 INT64_C(1798675200)
#define FIRST_OF_APRIL_2027 INT64_C(1806537600)

static json_t *judge(const char *type, bool password, int64_t now)
{
    const struct server_use use = {.type = type, .password = password};
    json_t *check = check_new("deadlines", USER, CHECK_OK, "Announced changes");

    deadlines_judge(check, &use, 1, now);
    return check;
}

static void assert_judged(const char *type, bool password, int64_t now, enum check_status status,
                          const char *cause)
{
    json_t *check = judge(type, password, now);
    const char *first = json_string_value(json_array_get(json_object_get(check, "causes"), 0));

    if (check_status(check) != status)
        fail_msg("%s at %lld: %s", type, (long long)now, json_string_value(json_object_get(check, "status")));
    if (cause == NULL) {
        assert_null(first);
    } else {
        assert_string_equal(first, cause);
        assert_non_null(json_object_get(check, "remedy"));
    }
    json_decref(check);
}

static void a_change_is_told_a_year_ahead_and_no_sooner(void **state)
{
    (void)state;
    assert_judged("smtp", true, END_OF_2026 - 366 * DAY, CHECK_OK, NULL);
    assert_judged("smtp", true, END_OF_2026 - 365 * DAY, CHECK_WARN, "password-retired");
    assert_judged("ews", false, FIRST_OF_OCTOBER_2026 - 365 * DAY, CHECK_WARN, "ews-blocked");
}

static void what_an_administrator_may_except_warns_and_what_is_final_fails(void **state)
{
    (void)state;
    assert_judged("smtp", true, END_OF_2026 + DAY, CHECK_WARN, "password-retired");
    assert_judged("ews", false, FIRST_OF_OCTOBER_2026 + DAY, CHECK_WARN, "ews-blocked");
    assert_judged("ews", false, FIRST_OF_APRIL_2027 - 1, CHECK_WARN, "ews-blocked");
    assert_judged("ews", false, FIRST_OF_APRIL_2027, CHECK_FAIL, "ews-blocked");
    assert_judged("imap", true, END_OF_2026, CHECK_FAIL, "password-retired");
    assert_judged("pop3", true, END_OF_2026, CHECK_FAIL, "password-retired");
}

static void who_uses_oauth2_is_left_in_peace(void **state)
{
    (void)state;
    assert_judged("imap", false, FIRST_OF_APRIL_2027, CHECK_OK, NULL);
    assert_judged("pop3", false, FIRST_OF_APRIL_2027, CHECK_OK, NULL);
    assert_judged("smtp", false, FIRST_OF_APRIL_2027, CHECK_OK, NULL);
    assert_judged("graph", false, FIRST_OF_APRIL_2027, CHECK_OK, NULL);
}

static void the_worst_of_several_is_told(void **state)
{
    const struct server_use uses[] = {{.type = "smtp", .password = true}, {.type = "imap", .password = true}};
    json_t *check = check_new("deadlines", USER, CHECK_OK, "Announced changes");

    (void)state;
    deadlines_judge(check, uses, 2, END_OF_2026 - DAY);
    assert_int_equal(check_status(check), CHECK_FAIL);
    assert_non_null(strstr(json_string_value(json_object_get(check, "detail")), "IMAP"));
    assert_int_equal(json_array_size(json_object_get(json_object_get(check, "evidence"), "deadlines")), 2);
    json_decref(check);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_is_told_a_year_ahead_and_no_sooner),
        cmocka_unit_test(what_an_administrator_may_except_warns_and_what_is_final_fails),
        cmocka_unit_test(who_uses_oauth2_is_left_in_peace),
        cmocka_unit_test(the_worst_of_several_is_told),
    };

    return CORE_TESTS(tests);
}
