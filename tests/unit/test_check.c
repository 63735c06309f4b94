/* SPDX-License-Identifier: MPL-2.0 */
/* The checks of a report: their JSON, and how bad the whole is. */
#include "core/check.h"
#include "core_support.h"

static const char *text_of(const json_t *check, const char *name)
{
    const char *text = json_string_value(json_object_get(check, name));

    assert_non_null(text);
    return text;
}

static void a_check_becomes_the_json_of_the_protocol(void **state)
{
    json_t *check = check_new("clock", NULL, CHECK_WARN, "Clock");
    json_t *wanted = json_pack("{s:s, s:n, s:s, s:s, s:s, s:s, s:s, s:[s, s], s:{s:i}}", "id", "clock",
                               "account", "status", "warn", "title", "Clock", "detail", "It is 61 s off.",
                               "remedy", "Set it.", "adminRemedy", "Set it for everybody.", "causes", "drift",
                               "suspend", "evidence", "aheadSeconds", 61);

    (void)state;
    check_detail(check, "It is %d s off.", 60);
    check_detail(check, "It is %d s off.", 61);
    check_remedy(check, "Set %s.", "it");
    check_admin_remedy(check, "Set it for everybody.");
    check_cause(check, "drift");
    check_cause(check, "suspend");
    check_evidence(check, "aheadSeconds", json_integer(61));
    assert_int_equal(json_object_size(json_object_get(check, "texts")), 4);
    json_object_del(check, "texts");
    assert_true(json_equal(check, wanted));
    json_decref(wanted);
    json_decref(check);
    check = check_new("imap", USER, CHECK_OK, "IMAP");
    assert_string_equal(text_of(check, "account"), USER);
    json_decref(check);
}

static void a_problem_gives_its_words_and_its_kind(void **state)
{
    json_t *check = check_new("authority", NULL, CHECK_FAIL, "Sign-in service");
    struct problem problem;

    (void)state;
    problem_set(&problem, PROBLEM_NETWORK, "It cannot be reached.", "Check the cable.");
    check_problem(check, &problem);
    assert_string_equal(text_of(check, "detail"), "It cannot be reached.");
    assert_string_equal(text_of(check, "remedy"), "Check the cable.");
    assert_null(json_object_get(check, "adminRemedy"));
    assert_string_equal(json_string_value(json_array_get(json_object_get(check, "causes"), 0)), "network");
    json_decref(check);
}

static void no_text_is_cut_and_bytes_that_are_no_characters_are_replaced(void **state)
{
    json_t *check = check_new("vault", NULL, CHECK_OK, "Saved sign-ins");
    char path[5001];

    (void)state;
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    check_remedy(check, "Run: chmod 700 /%s", path);
    assert_int_equal(strlen(text_of(check, "remedy")), strlen("Run: chmod 700 /") + 5000);
    check_detail(check, "/\xff\xfe/%s", "a\xc3");
    assert_string_equal(text_of(check, "detail"), "/?"
                                                  "?/a");
    check_evidence_text(check, "path", "\xff");
    assert_string_equal(text_of(json_object_get(check, "evidence"), "path"), "?");
    json_decref(check);
}

static void a_status_only_gets_worse(void **state)
{
    json_t *check = check_new("vault", NULL, CHECK_OK, "Saved sign-ins");

    (void)state;
    check_worsen(check, CHECK_WARN);
    assert_int_equal(check_status(check), CHECK_WARN);
    check_worsen(check, CHECK_OK);
    assert_int_equal(check_status(check), CHECK_WARN);
    check_worsen(check, CHECK_FAIL);
    check_worsen(check, CHECK_WARN);
    assert_string_equal(text_of(check, "status"), "fail");
    json_decref(check);
}

static void a_report_is_as_bad_as_its_worst_check(void **state)
{
    static const struct {
        enum check_status checks[3];
        const char *overall;
    } cases[] = {
        {{CHECK_SKIPPED, CHECK_SKIPPED, CHECK_SKIPPED}, "ok"}, {{CHECK_OK, CHECK_SKIPPED, CHECK_OK}, "ok"},
        {{CHECK_OK, CHECK_WARN, CHECK_SKIPPED}, "warn"},       {{CHECK_FAIL, CHECK_WARN, CHECK_OK}, "fail"},
        {{CHECK_WARN, CHECK_WARN, CHECK_FAIL}, "fail"},
    };
    size_t i, k;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct check_list list = {0};
        assert_string_equal(check_list_overall(&list), "ok");
        for (k = 0; k < 3; k++)
            check_list_add(&list, check_new("x", NULL, cases[i].checks[k], "X"));
        assert_string_equal(check_list_overall(&list), cases[i].overall);
        assert_int_equal(json_array_size(list.checks), 3);
        assert_false(list.incomplete);
        check_list_clear(&list);
    }
}

static void a_check_that_memory_did_not_suffice_for_is_not_passed_over(void **state)
{
    struct check_list list = {0};

    (void)state;
    check_detail(NULL, "nothing");
    check_cause(NULL, "nothing");
    check_evidence(NULL, "nothing", json_integer(1));
    check_worsen(NULL, CHECK_FAIL);
    check_list_add(&list, NULL);
    assert_true(list.incomplete);
    assert_string_equal(check_list_overall(&list), "fail");
    check_list_clear(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_check_becomes_the_json_of_the_protocol),
        cmocka_unit_test(a_problem_gives_its_words_and_its_kind),
        cmocka_unit_test(no_text_is_cut_and_bytes_that_are_no_characters_are_replaced),
        cmocka_unit_test(a_status_only_gets_worse),
        cmocka_unit_test(a_report_is_as_bad_as_its_worst_check),
        cmocka_unit_test(a_check_that_memory_did_not_suffice_for_is_not_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
