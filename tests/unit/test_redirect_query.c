/* SPDX-License-Identifier: MPL-2.0 */
/* Only the one right answer passes, whatever else a page makes the browser send. */
#include "net/redirect_listener.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define STATE "Zm9vYmFyLXN0YXRl"

static struct secret expected;

static int set_up(void **state)
{
    (void)state;
    return sodium_init() >= 0 && secret_arena_open() == 0 ? secret_set(&expected, STATE, strlen(STATE)) : -1;
}

static int tear_down(void **state)
{
    (void)state;
    secret_wipe(&expected);
    secret_arena_close();
    return 0;
}

static bool parse(const char *query, struct redirect_answer *answer)
{
    return redirect_query_parse(query, &expected, answer);
}

static void assert_code(const char *query, const char *code)
{
    struct redirect_answer answer;

    assert_true(parse(query, &answer));
    assert_string_equal(secret_expose(&answer.code), code);
    assert_int_equal(answer.code.length, strlen(code));
    assert_null(answer.error);
    secret_wipe(&answer.code);
}

static void a_code_with_the_right_state_passes(void **state)
{
    (void)state;
    assert_code("code=0.AXkA-_.x&state=" STATE, "0.AXkA-_.x");
    assert_code("state=" STATE "&code=a", "a");
    assert_code("code=a%2Bb%3d&state=" STATE, "a+b=");
    assert_code("code=a=b&state=" STATE, "a=b");
    assert_code("code=a&state=" STATE "&session_state=00a&client_info=eyJ1aWQi&&iss=https%3A%2F%2Fx", "a");
    assert_code("code=a&st%61te=" STATE, "a");
    assert_code("code=a&state=" STATE "#fragment", "a");
    assert_code("code=a&state=" STATE "#", "a");
}

static void anything_else_is_refused(void **state)
{
    static const char *const refused[] = {
        "",
        "&",
        "=",
        "=&=",
        "code",
        "state=" STATE,
        "code=a",
        "code=a&state=",
        "code=a&state",
        "code=a&state=wrong",
        "code=a&state=" STATE "x",
        "code=a&state=Zm9vYmFyLXN0YXR",
        "code=a&state=zm9vYmFyLXN0YXRl",
        "code=&state=" STATE,
        "code&state=" STATE,
        "code=a&code=b&state=" STATE,
        "code=a&code=a&state=" STATE,
        "code=a&c%6fde=b&state=" STATE,
        "code=a&state=" STATE "&state=" STATE,
        "code=a&state=" STATE "&state=x",
        "code=a&state=x&state=" STATE,
        "code=a&state=" STATE "&st%61te=x",
        "code=a&error=access_denied&state=" STATE,
        "code=a&error=&state=" STATE,
        "code=&error=access_denied&state=" STATE,
        "error=access_denied&error=x&state=" STATE,
        "error=a&error_description=x&error_description=y&state=" STATE,
        "error=access_denied",
        "Code=a&state=" STATE,
        "code=a&State=" STATE,
        "code=a%&state=" STATE,
        "code=a%4&state=" STATE,
        "code=a%4g&state=" STATE,
        "code=a%g4&state=" STATE,
        "code=a%00&state=" STATE,
        "code=a%00b&state=" STATE,
        "code=a%0d%0aSet-Cookie:x&state=" STATE,
        "code=a%7f&state=" STATE,
        "code=a%ff&state=" STATE,
        "code=a\xff&state=" STATE,
        "code=a\n&state=" STATE,
        "code=a b&state=" STATE,
        "code=a+b&state=" STATE,
        "code=a&state=" STATE "&x=%",
        "code=a&state=" STATE "&%=x",
        "code=a;state=" STATE,
        "#code=a&state=" STATE,
        "code=a&state=" STATE "%00",
        "code=a&state=" STATE "+",
        "%",
        "%4",
    };
    struct redirect_answer answer;

    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        if (parse(refused[i], &answer))
            fail_msg("passed: %s", refused[i]);
        assert_null(answer.code.bytes);
        assert_null(answer.error);
    }
}

static void without_an_expected_state_nothing_passes(void **state)
{
    struct secret none = {0};
    struct secret empty = {0};
    struct redirect_answer answer;

    (void)state;
    assert_false(redirect_query_parse("code=a&state=", &none, &answer));
    assert_false(redirect_query_parse("code=a", &none, &answer));
    assert_int_equal(secret_set(&empty, "", 0), 0);
    assert_false(redirect_query_parse("code=a&state=", &empty, &answer));
    secret_wipe(&empty);
}

static void assert_error(const char *query, const char *error, int aadsts, bool by_user)
{
    struct redirect_answer answer;

    assert_true(parse(query, &answer));
    assert_non_null(answer.error);
    assert_string_equal(answer.error, error);
    assert_int_equal(answer.aadsts, aadsts);
    assert_int_equal(answer.access_denied_by_user, by_user);
    assert_null(answer.code.bytes);
}

static void an_error_passes_as_one_of_our_own_literals(void **state)
{
    (void)state;
    assert_error("error=access_denied&state=" STATE, "access_denied", 0, true);
    assert_error(
        "error=access_denied&error_subcode=cancel&error_description=AADSTS65004%3a+User&state=" STATE,
        "access_denied", 65004, true);
    assert_error("error=server_error&error_subcode=cancel&state=" STATE, "server_error", 0, true);
    assert_error("error=invalid_request&error_description=AADSTS50011%3A+The&state=" STATE, "invalid_request",
                 50011, false);
    assert_error("error=%3Cscript%3E&state=" STATE, "invalid_answer", 0, false);
    assert_error("error=&state=" STATE, "invalid_answer", 0, false);
    assert_error("error=a%0ab&state=" STATE, "invalid_answer", 0, false);
    assert_error("error=some_new_error&state=" STATE, "invalid_answer", 0, false);
}

static void only_a_plausible_number_is_taken_from_the_description(void **state)
{
    (void)state;
    assert_error("error=x&error_description=&state=" STATE, "invalid_answer", 0, false);
    assert_error("error=x&error_description=AADSTS&state=" STATE, "invalid_answer", 0, false);
    assert_error("error=x&error_description=AADSTSabc&state=" STATE, "invalid_answer", 0, false);
    assert_error("error=x&error_description=xx+AADSTS9002326+AADSTS1&state=" STATE, "invalid_answer", 9002326,
                 false);
    assert_error("error=x&error_description=AADSTS99999999&state=" STATE, "invalid_answer", 99999999, false);
    assert_error("error=x&error_description=AADSTS999999999&state=" STATE, "invalid_answer", 0, false);
    assert_error("error=x&error_description=%e2%80%ae%1b%5b0m&state=" STATE, "invalid_answer", 0, false);
}

static void a_query_beyond_the_bound_is_refused(void **state)
{
    static char query[REDIRECT_REQUEST_MAX + 64];
    struct redirect_answer answer;
    int begin = snprintf(query, sizeof query, "state=%s&code=", STATE);

    (void)state;
    memset(query + begin, 'c', REDIRECT_REQUEST_MAX - (size_t)begin);
    assert_true(parse(query, &answer));
    assert_int_equal(answer.code.length, REDIRECT_REQUEST_MAX - begin);
    secret_wipe(&answer.code);
    query[REDIRECT_REQUEST_MAX] = 'c';
    assert_false(parse(query, &answer));
}

static void no_cut_or_changed_query_harms(void **state)
{
    static const char right[] = "code=a%2Bb&error_description=AADSTS1&state=" STATE;
    static const char marks[] = "0%&=+#\x01\xff";
    struct redirect_answer answer;
    char query[sizeof right];

    (void)state;
    for (size_t cut = 0; cut < sizeof right; cut++) {
        for (size_t mark = 0; mark < sizeof marks; mark++) {
            memcpy(query, right, sizeof right);
            query[cut] = marks[mark];
            query[sizeof right - 1] = '\0';
            if (parse(query, &answer))
                assert_non_null(strstr(query, STATE));
            secret_wipe(&answer.code);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_code_with_the_right_state_passes),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(without_an_expected_state_nothing_passes),
        cmocka_unit_test(an_error_passes_as_one_of_our_own_literals),
        cmocka_unit_test(only_a_plausible_number_is_taken_from_the_description),
        cmocka_unit_test(a_query_beyond_the_bound_is_refused),
        cmocka_unit_test(no_cut_or_changed_query_harms),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
