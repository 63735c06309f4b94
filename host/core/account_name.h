/* SPDX-License-Identifier: MPL-2.0 */
/* Mail account names as Thunderbird's servers have them, and sign-in names: the same rules hold for both. */
#ifndef THUNDERSEAL_CORE_ACCOUNT_NAME_H
#define THUNDERSEAL_CORE_ACCOUNT_NAME_H

#include <stdbool.h>
#include <stddef.h>

#define ACCOUNT_NAME_SIZE 255 /* RFC 5321 section 4.5.3.1.3: at most 254 bytes; and the NUL */

/* One "@" with something on both sides, at most 254 bytes, no control characters. */
bool account_name_valid(const char *name);
/* ASCII lower case of name, which must be valid, into folded. */
void account_name_fold(char folded[ACCOUNT_NAME_SIZE], const char *name);
/* Compares without case. */
bool account_name_equal(const char *a, const char *b);
/* What stands after "@"; name must be valid. */
const char *account_name_domain(const char *name);

#endif
