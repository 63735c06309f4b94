/* SPDX-License-Identifier: MPL-2.0 */
/* What the tests of the core share. */
#ifndef THUNDERSEAL_TEST_CORE_SUPPORT_H
#define THUNDERSEAL_TEST_CORE_SUPPORT_H

#include "core/secret.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OUTLOOK "https://outlook.office.com"
#define GRAPH "https://graph.microsoft.com"
#define IMAP_SCOPE OUTLOOK "/IMAP.AccessAsUser.All"
#define SMTP_SCOPE OUTLOOK "/SMTP.Send"
#define USER_SCOPE GRAPH "/User.Read"
#define ALL_SCOPES IMAP_SCOPE " " SMTP_SCOPE " " USER_SCOPE " offline_access openid profile"
#define USER "lena@example.org"

static inline int core_open(void **state)
{
    (void)state;
    return sodium_init() >= 0 && secret_arena_open() == 0 ? 0 : -1;
}

static inline int core_close(void **state)
{
    (void)state;
    secret_arena_close();
    return 0;
}

static inline void put_secret(struct secret *secret, const char *text)
{
    assert_int_equal(secret_set(secret, text, strlen(text)), 0);
}

#define CORE_TESTS(tests) cmocka_run_group_tests(tests, core_open, core_close)

#endif
