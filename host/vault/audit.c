/* SPDX-License-Identifier: MPL-2.0 */
#include "vault/audit_internal.h"

#include "vault/draft.h"
#include "vault/storage_problem.h"
#include "vault/vault_internal.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DAY_S ((int64_t)86400)
/* A full disk is rarely emptied faster, and whoever waits for a held lock keeps everybody waiting. */
#define RETRY_PAUSE_S 30

/* ---- opening and closing ---- */

struct audit *audit_open(struct vault *vault, const struct audit_options *options)
{
    struct audit *audit = calloc(1, sizeof *audit);
    struct problem ignored;
    int folder;

    if (audit == NULL)
        return NULL;
    audit->vault = vault;
    audit->enabled = options->enabled;
    audit->retention = options->retention_days * DAY_S;
    audit->policy = strdup(options->policy);
    audit->pending = calloc(AUDIT_PENDING_MAX, sizeof *audit->pending);
    if (audit->policy == NULL || audit->pending == NULL) {
        audit_close(audit);
        return NULL;
    }
    /* What a process left that was killed while rewriting. */
    folder = folder_open(vault->folder, &ignored);
    if (folder >= 0) {
        draft_sweep(folder, AUDIT_FILE_NAME DRAFT_MARK);
        close(folder);
    }
    return audit;
}

void audit_close(struct audit *audit)
{
    if (audit == NULL)
        return;
    if (audit->pending != NULL)
        sodium_memzero(audit->pending, AUDIT_PENDING_MAX * sizeof *audit->pending);
    free(audit->pending);
    free(audit->policy);
    free(audit);
}

int audit_keys_of(const struct audit *audit, struct audit_keys *keys, struct problem *problem)
{
    memset(keys, 0, sizeof *keys);
    *problem = audit->vault->has_key ? audit->vault->unsealed : audit->vault->locked;
    if (!audit->vault->has_key || problem->kind != PROBLEM_NONE)
        return -1;
    if (audit_keys_derive(keys, &audit->vault->key.mac_key) == 0)
        return 0;
    storage_problem(problem, "read", audit->vault->folder, ENOMEM);
    return -1;
}

void audit_mind_key(struct audit *audit)
{
    const struct envelope_key *key = &audit->vault->key;

    if (!audit->vault->has_key || memcmp(audit->key_id, key->recipient.id, sizeof audit->key_id) == 0)
        return;
    memcpy(audit->key_id, key->recipient.id, sizeof audit->key_id);
    memset(&audit->expected, 0, sizeof audit->expected);
    audit->begun = false;
}

/* ---- events ---- */

static int write_all(struct audit *audit, struct problem *problem)
{
    struct audit_keys keys = {0};
    struct audit_file file = {.descriptor = -1, .folder = -1, .lock = {.descriptor = -1}};
    struct problem ignored;
    int result = -1;

    *problem = audit->vault->locked;
    if (!audit->vault->has_key)
        return -1;
    /* With the log locked nobody changes the key; it may have been changed until here. */
    if (audit_file_open(&file, audit->vault, true, problem) == AUDIT_FILE_HAD) {
        vault_load_key(audit->vault, true);
        audit_mind_key(audit);
        if (audit_keys_of(audit, &keys, problem) == 0)
            result = audit_append(audit, &file, &keys, problem);
    }
    /* What is too old may stay for another day. */
    if (result == 0)
        (void)audit_prune(audit, &file, &keys, &ignored);
    audit_file_close(&file);
    audit_keys_wipe(&keys);
    audit->seen.keys = NULL;
    return result;
}

int audit_flush(struct audit *audit, struct problem *problem)
{
    int result = write_all(audit, problem);

    memset(&audit->failed, 0, sizeof audit->failed);
    if (result != 0)
        audit->failed = *problem;
    audit->tried_at = audit->now;
    return result;
}

bool audit_may_try(const struct audit *audit)
{
    int64_t since = audit->now - audit->tried_at;

    return audit->failed.kind != PROBLEM_STORAGE || since < 0 || since >= RETRY_PAUSE_S;
}

void audit_note(struct audit *audit, const struct audit_entry *entry)
{
    struct problem problem;

    if (!audit->enabled)
        return;
    audit->now = entry->time;
    if (audit->pending_count < AUDIT_PENDING_MAX)
        audit->pending[audit->pending_count++] = *entry;
    else
        audit->lost++;
    if (audit_may_try(audit))
        (void)audit_flush(audit, &problem);
}

bool audit_due(const struct audit *audit)
{
    return audit->pending_count != 0 || audit->lost != 0;
}

const struct problem *audit_failed(const struct audit *audit)
{
    return &audit->failed;
}
