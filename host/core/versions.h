/* SPDX-License-Identifier: MPL-2.0 */
/* Which versions of the parts that work together are too old, or known to be broken. */
#ifndef THUNDERSEAL_CORE_VERSIONS_H
#define THUNDERSEAL_CORE_VERSIONS_H

#include "core/check.h"

enum version_part { PART_EXTENSION, PART_THUNDERBIRD, PART_LIBCURL, PART_LIBSODIUM };

/* Compares "140.12.0esr" and the like by their numbers; what follows them does not count. Below 0: a is
 * older. */
int version_compare(const char *a, const char *b);
/* Judges one part's version by the table and makes the check's status worse where it must; "" is not known
 * and not judged. */
void version_judge(json_t *check, enum version_part part, const char *version);

#endif
