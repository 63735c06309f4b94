/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Thunderseal's part of Thunderbird's policies.json: the add-on installed, its managed storage, and its place
 * on the list of allowed experiments. packaging/policies/policies.json is the same text.
 */
#ifndef THUNDERSEAL_CORE_POLICY_MERGE_H
#define THUNDERSEAL_CORE_POLICY_MERGE_H

#include "core/json_edit.h"
#include "core/problem.h"
#include <stdbool.h>

/*
 * Adds what is missing of ours. Values that are there stay; nothing else changes a byte. xpi: the add-on's
 * absolute path. 0; or -1 with *problem (of which where names the file) when the text has not the shape of a
 * policies.json, or out of memory: then the text may be half done.
 */
int policy_merge(struct json_edit *edit, const char *xpi, const char *where, struct problem *problem);
/* Takes ours out: the two entries under the add-on's id whatever is in them, its id from the list, and
 * objects that this leaves empty, but "policies". */
int policy_unmerge(struct json_edit *edit, const char *where, struct problem *problem);

#endif
