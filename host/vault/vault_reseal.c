/* SPDX-License-Identifier: MPL-2.0 */
/* Sealing what is there anew, to another device key: same generation, same content, new envelope. */
#include "vault/draft.h"
#include "vault/identity_lock.h"
#include "vault/storage_problem.h"
#include "vault/vault_change.h"
#include "vault/vault_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A write of another process takes some milliseconds. */
#define LOCK_WAIT_MS 2000

static const char *const suffixes[] = {SEALED_SUFFIX, PREVIOUS_SUFFIX};
#define SUFFIXES (sizeof suffixes / sizeof *suffixes)

static int fail(const struct vault *vault, const char *done TEXTS, int error, struct problem *problem)
{
    storage_problem(problem, done, vault->identities, error);
    return -1;
}

/* ---- one identity ---- */

int vault_seal_anew(struct vault *vault, int folder, const char *name, const char *file,
                    const struct envelope_key *key, const struct copy *copy, const struct secret *payload,
                    struct problem *problem)
{
    struct envelope_content content = {.name = name,
                                       .generation = copy->envelope.generation,
                                       .header = (const char *)copy->envelope.header,
                                       .header_length = copy->envelope.header_length,
                                       .payload = payload};
    unsigned char *bytes = NULL;
    size_t length = 0;
    int result;

    if (vault_seal(vault, key, &content, &bytes, &length) != 0)
        return fail(vault, "written", errno, problem);
    result = file_replace(folder, file, bytes, length);
    free(bytes);
    return result == 0 ? 0 : fail(vault, "written", errno, problem);
}

static int reseal_file(struct vault *vault, int folder, const char *name, const char *suffix,
                       struct problem *problem)
{
    char file[SEALED_NAME_SIZE];
    struct secret payload = {0};
    struct copy copy;
    int result = 0;

    snprintf(file, sizeof file, "%s%s", name, suffix);
    vault_examine(vault, folder, name, suffix, &copy, &payload, problem);
    switch (copy.state) {
    case COPY_GENUINE:
        if (copy.key == &vault->key)
            result =
                vault_seal_anew(vault, folder, name, file, &vault->other.envelope, &copy, &payload, problem);
        break;
    case COPY_DAMAGED:
        /* Under the new key it would look like one that only another key opens. */
        result = file_set_aside(folder, name, file, &copy.status) == 0
                     ? 0
                     : fail(vault, "renamed", errno, problem);
        break;
    case COPY_REFUSED:
        result = -1;
        break;
    case COPY_ABSENT:
    case COPY_FOREIGN:
    case COPY_UNTRIED:
    default:
        break;
    }
    secret_wipe(&payload);
    return result;
}

static int reseal(struct vault *vault, int folder, const char *name, struct problem *problem)
{
    struct identity_lock lock = {.descriptor = -1};
    int result = 0;
    size_t i;

    if (identity_lock_wait(&lock, vault, name, IDENTITY_LOCK_WRITE, LOCK_WAIT_MS) == IDENTITY_LOCK_HAD) {
        for (i = 0; i < SUFFIXES && result == 0; i++)
            result = reseal_file(vault, folder, name, suffixes[i], problem);
    } else {
        result = fail(vault, "locked", EAGAIN, problem);
    }
    identity_lock_release(&lock);
    return result;
}

/* ---- all of them ---- */

bool vault_name_in(const char *file, char name[VAULT_NAME_SIZE])
{
    const char *dot = strchr(file, '.');

    if (dot == NULL || !vault_name_is_valid(file, (size_t)(dot - file)) ||
        (strcmp(dot, SEALED_SUFFIX) != 0 && strcmp(dot, PREVIOUS_SUFFIX) != 0))
        return false;
    memcpy(name, file, VAULT_NAME_SIZE - 1);
    name[VAULT_NAME_SIZE - 1] = '\0';
    return true;
}

static bool is_sealed_to(const struct copy *copy, const unsigned char id[ENVELOPE_KEY_ID_SIZE])
{
    const struct envelope *envelope = &copy->envelope;

    if (copy->state == COPY_GENUINE)
        return memcmp(copy->key->recipient.id, id, ENVELOPE_KEY_ID_SIZE) == 0;
    return (copy->state == COPY_FOREIGN || copy->state == COPY_UNTRIED) &&
           envelope_names_recipient(envelope, id);
}

/* Looks for a file that needs the key with this id, behind the identity named in name; which then is its own.
 */
static int find_sealed_to(struct vault *vault, int folder, const unsigned char id[ENVELOPE_KEY_ID_SIZE],
                          char name[VAULT_NAME_SIZE], bool *found, struct problem *problem)
{
    struct folder_names list;
    struct copy copy;
    char after[VAULT_NAME_SIZE];
    bool current = memcmp(id, vault->record.key.key_id, sizeof vault->record.key.key_id) == 0;
    int result = 0;
    size_t i;

    memcpy(after, name, sizeof after);
    *found = false;
    if (folder_list(folder, "", &list) != 0)
        return fail(vault, "read", errno, problem);
    for (i = 0; i < list.count && result == 0 && !*found; i++) {
        if (!vault_name_in(list.names[i], name) || strcmp(name, after) <= 0)
            continue;
        vault_examine(vault, folder, name, list.names[i] + strlen(name), &copy, NULL, problem);
        /* What is damaged still has to be set aside, with the key that tells. */
        if (copy.state == COPY_REFUSED)
            result = -1;
        else
            *found = is_sealed_to(&copy, id) || (copy.state == COPY_DAMAGED && current && vault->has_key);
    }
    folder_names_clear(&list);
    return result;
}

int vault_any_sealed_to(struct vault *vault, const unsigned char id[ENVELOPE_KEY_ID_SIZE], bool *any,
                        struct problem *problem)
{
    char name[VAULT_NAME_SIZE] = "";
    int folder = folder_open(vault->identities, problem);
    int result;

    *any = false;
    if (folder == FOLDER_ABSENT)
        return 0;
    if (folder < 0)
        return -1;
    result = find_sealed_to(vault, folder, id, name, any, problem);
    close(folder);
    return result;
}

int vault_change_go_on(struct vault *vault, const json_t *addresses, int64_t now, bool *done,
                       struct problem *problem)
{
    unsigned char old[ENVELOPE_KEY_ID_SIZE];
    char name[VAULT_NAME_SIZE];
    bool found = false;
    int folder = folder_open(vault->identities, problem);
    int result = 0;

    *done = false;
    memcpy(old, vault->record.key.key_id, sizeof old);
    memcpy(name, vault->resealed, sizeof name);
    if (folder == -1)
        return -1;
    if (folder >= 0) {
        result = find_sealed_to(vault, folder, old, name, &found, problem);
        if (result == 0 && found)
            result = reseal(vault, folder, name, problem);
        if (result == 0 && found)
            memcpy(vault->resealed, name, sizeof vault->resealed);
        close(folder);
    }
    if (result != 0 || found)
        return result;
    return vault_change_switch(vault, addresses, now, done, problem);
}
