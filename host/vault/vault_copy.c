/* SPDX-License-Identifier: MPL-2.0 */
/*
 * One file of an identity: read and judged.
 */
#include "vault/storage_problem.h"
#include "vault/vault_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static enum envelope_verdict try_key(struct vault *vault, const struct envelope_key *key, const char *name,
                                     struct copy *copy, struct secret *payload)
{
    copy->key = key;
    return envelope_open(key, name, vault->buffer, copy->length, &copy->envelope, payload);
}

static enum copy_state judge_envelope(struct vault *vault, const char *name, const char *path,
                                      struct copy *copy, struct secret *payload, struct problem *problem)
{
    enum envelope_verdict verdict = ENVELOPE_FOREIGN;

    if (vault->has_key)
        verdict = try_key(vault, &vault->key, name, copy, payload);
    if (verdict == ENVELOPE_FOREIGN && vault->other.had)
        verdict = try_key(vault, &vault->other.envelope, name, copy, payload);
    switch (verdict) {
    case ENVELOPE_GENUINE:
        return COPY_GENUINE;
    case ENVELOPE_NO_MEMORY:
        storage_problem(problem, "opened", path, ENOMEM);
        return COPY_REFUSED;
    case ENVELOPE_FOREIGN:
        if (envelope_parse(vault->buffer, copy->length, &copy->envelope) == 0)
            return vault->has_key ? COPY_FOREIGN : COPY_UNTRIED;
        return COPY_DAMAGED;
    case ENVELOPE_DAMAGED:
    default:
        return COPY_DAMAGED;
    }
}

void vault_examine(struct vault *vault, int folder, const char *name, const char *suffix, struct copy *copy,
                   struct secret *payload, struct problem *problem)
{
    struct file_read file = {
        .buffer = vault->buffer, .size = VAULT_FILE_MAX + 1, .forbidden = FILE_NOT_WRITABLE_BY_OTHERS};
    char file_name[SEALED_NAME_SIZE];
    char path[STORAGE_TEXT_MAX];
    enum file_result result;

    memset(copy, 0, sizeof *copy);
    snprintf(file_name, sizeof file_name, "%s%s", name, suffix);
    vault_path(vault, file_name, path, sizeof path);
    result = file_read(folder, file_name, &file);
    copy->length = file.length;
    copy->status = file.status;
    copy->state = COPY_REFUSED;
    switch (result) {
    case FILE_READ:
        copy->state = judge_envelope(vault, name, path, copy, payload, problem);
        break;
    case FILE_ABSENT:
        copy->state = COPY_ABSENT;
        break;
    case FILE_MISSHAPEN:
        copy->state = COPY_DAMAGED;
        break;
    case FILE_FOREIGN:
        problem_setf(problem, PROBLEM_STORAGE, NULL, "The file %s belongs to another user.", path);
        problem_remedy(problem, "Make yourself the owner of %s (chown), then try again.", path);
        break;
    case FILE_OPEN_TO_OTHERS:
        problem_setf(problem, PROBLEM_STORAGE, NULL, "The file %s can be changed by other users.", path);
        problem_remedy(problem, "Run \"chmod 600 %s\", then try again.", path);
        break;
    case FILE_FAILED:
    default:
        storage_problem(problem, "read", path, errno);
        break;
    }
}
