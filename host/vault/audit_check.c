/* SPDX-License-Identifier: MPL-2.0 */
/* Reading the whole log and saying whether it is what was written. */
#include "vault/audit_internal.h"

#include "core/json_read.h"
#include "vault/vault_internal.h"

#include <stdlib.h>
#include <string.h>

static void judge(struct audit_walk *walk, size_t half, struct audit_verdict *verdict)
{
    audit_walk_end(walk);
    verdict->entries = walk->entries;
    verdict->first = walk->first;
    verdict->findings = walk->findings;
    verdict->intact = walk->findings == 0;
    verdict->half_line = half;
}

int audit_check(struct audit *audit, audit_visit *visit, void *context, struct audit_verdict *verdict,
                struct problem *problem)
{
    struct audit_keys keys = {0};
    struct audit_walk walk = {.keys = &keys, .visit = visit, .context = context};
    struct audit_file file;
    enum audit_file_state state = audit_file_open(&file, audit->vault, false, problem);
    char *bytes = NULL;
    size_t length = 0, taken = 0;
    int result = -1;

    memset(verdict, 0, sizeof *verdict);
    verdict->intact = true;
    if (state == AUDIT_FILE_FAILED)
        goto out;
    /* With the log locked nobody changes the key; it may have been changed until here. */
    vault_load_key(audit->vault, true);
    audit_mind_key(audit);
    if (audit_keys_of(audit, &keys, problem) != 0) {
        result = problem->kind == PROBLEM_NONE ? 0 : -1; /* no vault, so nothing that could have been told */
        goto out;
    }
    if (state == AUDIT_FILE_HAD && audit_file_read(&file, 0, &bytes, &length, problem) != 0)
        goto out;
    walk.expected = audit->expected;
    if (bytes != NULL)
        taken = audit_walk_take(&walk, bytes, length);
    judge(&walk, length - taken, verdict);
    result = 0;
out:
    audit_file_close(&file);
    free(bytes);
    audit_keys_wipe(&keys);
    return result;
}

json_t *audit_line_entry(const struct audit_line *line)
{
    char text[AUDIT_LINE_MAX];

    if (line->length + 1 >= sizeof text)
        return NULL;
    memcpy(text, line->text, line->length);
    text[line->length] = '}';
    return json_read(text, line->length + 1, JSON_REJECT_DUPLICATES, NULL, NULL);
}

int audit_hash_of(const struct audit *audit, const char *account, char hash[AUDIT_HASH_SIZE])
{
    struct audit_keys keys;
    struct problem problem;

    if (audit_keys_of(audit, &keys, &problem) != 0)
        return -1;
    audit_account_hash(hash, &keys, account);
    audit_keys_wipe(&keys);
    return 0;
}
