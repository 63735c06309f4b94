/* SPDX-License-Identifier: MPL-2.0 */
/* Microsoft's announced changes to the mail protocols, with their dates: so that nobody is surprised by one.
 */
#ifndef THUNDERSEAL_CORE_DEADLINES_H
#define THUNDERSEAL_CORE_DEADLINES_H

#include "core/check.h"
#include <stdbool.h>
#include <stdint.h>

#define DEADLINES_AS_OF "2026-11-23" /* when the table was last compared with what Microsoft announces */
#define DEADLINE_WARN_S (365 * INT64_C(86400)) /* ahead of a change: time to plan, and to move accounts */

/* One of an account's servers, as far as a change may touch it. */
struct server_use {
    const char *type; /* "imap" "pop3" "smtp" "graph" "ews" */
    bool password;    /* signs in with a password, not with OAuth2 */
};

/* Judges the uses by the table and tells it in the check, whose status it makes worse: passed for good fails;
 * passed, but an administrator may have an exception, and soon to come warn. */
void deadlines_judge(json_t *check, const struct server_use *uses, size_t count, int64_t now);

#endif
