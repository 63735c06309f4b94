/* SPDX-License-Identifier: MPL-2.0 */
/* Retry-After in both its forms, and in the forms that it must not have. */
#include "net/retry_after.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define NOON 1792756800 /* Fri, 23 Oct 2026 12:00:00 GMT */

static void a_number_is_seconds(void **state)
{
    (void)state;
    assert_int_equal(retry_after_seconds("0", NOON), 0);
    assert_int_equal(retry_after_seconds("120", NOON), 120);
    assert_int_equal(retry_after_seconds(" \t120 \r\n", NOON), 120);
    assert_int_equal(retry_after_seconds("3600", NOON), 3600);
}

static void a_date_is_counted_from_the_answer(void **state)
{
    (void)state;
    assert_int_equal(retry_after_seconds("Fri, 23 Oct 2026 12:01:30 GMT", NOON), 90);
    assert_int_equal(retry_after_seconds(" Fri, 23 Oct 2026 12:01:30 GMT\r\n", NOON), 90);
    assert_int_equal(retry_after_seconds("Friday, 23-Oct-26 12:01:30 GMT", NOON), 90);
    assert_int_equal(retry_after_seconds("Fri Oct 23 12:01:30 2026", NOON), 90);
    assert_int_equal(retry_after_seconds("Fri, 23 Oct 2026 11:00:00 GMT", NOON), 0);
}

static void an_hour_is_the_most(void **state)
{
    (void)state;
    assert_int_equal(retry_after_seconds("3601", NOON), RETRY_AFTER_MAX_S);
    assert_int_equal(retry_after_seconds("99999999999999999999999999999999999999", NOON), RETRY_AFTER_MAX_S);
    assert_int_equal(retry_after_seconds("Sat, 24 Oct 2026 12:00:00 GMT", NOON), RETRY_AFTER_MAX_S);
}

static void nonsense_is_no_wait(void **state)
{
    (void)state;
    assert_int_equal(retry_after_seconds("", NOON), 0);
    assert_int_equal(retry_after_seconds("-5", NOON), 0);
    assert_int_equal(retry_after_seconds("+5", NOON), 0);
    assert_int_equal(retry_after_seconds("5s", NOON), 0);
    assert_int_equal(retry_after_seconds("1.5", NOON), 0);
    assert_int_equal(retry_after_seconds("0x10", NOON), 0);
    assert_int_equal(retry_after_seconds("soon", NOON), 0);
    assert_int_equal(retry_after_seconds("\xff\xfe", NOON), 0);
    assert_int_equal(retry_after_seconds("Fri, 99 Foo 2026 12:01:30 GMT", NOON), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_is_seconds),
        cmocka_unit_test(a_date_is_counted_from_the_answer),
        cmocka_unit_test(an_hour_is_the_most),
        cmocka_unit_test(nonsense_is_no_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
