/* SPDX-License-Identifier: MPL-2.0 */
#include "vault/disk.h"
#include "vault/draft.h"
#include "vault/identity_lock.h"
#include "vault/storage_problem.h"
#include "vault/vault_internal.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IDENTITIES "identities"
#define LOCKS "locks"
#define PROBE_NAME "probe"
/* As large as a usual sealed file: a disk that takes it takes the sign-in. */
#define PROBE_SIZE ((size_t)16 * 1024)

#define NAME_HASH_SIZE ((size_t)16)
_Static_assert(VAULT_NAME_SIZE == NAME_HASH_SIZE * 2 + 1, "names are the hash in hex");

/* ---- names ---- */

void vault_name(char name[VAULT_NAME_SIZE], const char *const *parts, size_t count)
{
    crypto_generichash_state state;
    unsigned char hash[NAME_HASH_SIZE];
    size_t i;

    crypto_generichash_init(&state, NULL, 0, sizeof hash);
    for (i = 0; i < count; i++) {
        uint64_t length = strlen(parts[i]);
        unsigned char length_bytes[8];
        size_t at;
        for (at = 0; at < sizeof length_bytes; at++)
            length_bytes[at] = (unsigned char)(length >> (56 - 8 * at));
        crypto_generichash_update(&state, length_bytes, sizeof length_bytes);
        crypto_generichash_update(&state, (const unsigned char *)parts[i], length);
    }
    crypto_generichash_final(&state, hash, sizeof hash);
    sodium_bin2hex(name, VAULT_NAME_SIZE, hash, sizeof hash);
}

bool vault_name_is_valid(const char *name, size_t length)
{
    return length == VAULT_NAME_SIZE - 1 && strspn(name, "0123456789abcdef") >= length;
}

void vault_path(const struct vault *vault, const char *file, char *path, size_t size)
{
    snprintf(path, size, "%s/%s", vault->identities, file);
}

/* ---- opening and closing ---- */

static int refuse_unless_safe(const char *path, struct problem *problem)
{
    int folder = folder_open(path, problem);

    if (folder >= 0)
        close(folder);
    return folder == -1 ? -1 : 0;
}

/* Sweeps what a killed process left. */
static void sweep(const char *path, const char *prefix)
{
    struct problem problem;
    int folder = folder_open(path, &problem);

    if (folder < 0)
        return;
    draft_sweep(folder, prefix);
    close(folder);
}

static struct vault *allocate(const char *state_folder, const char *keystore)
{
    struct vault *vault = calloc(1, sizeof *vault);
    size_t length = strlen(state_folder);

    if (vault == NULL)
        return NULL;
    /* A slash at the end would follow a symbolic link. */
    while (length > 1 && state_folder[length - 1] == '/')
        length--;
    vault->change_lock = -1;
    vault->buffer = malloc(VAULT_FILE_MAX + 1);
    vault->keystore = strdup(keystore);
    vault->folder = strndup(state_folder, length);
    if (vault->folder == NULL || asprintf(&vault->identities, "%s/" IDENTITIES, vault->folder) < 0)
        vault->identities = NULL;
    if (vault->folder == NULL || asprintf(&vault->locks, "%s/" LOCKS, vault->folder) < 0)
        vault->locks = NULL;
    if (vault->buffer == NULL || vault->locks == NULL || vault->keystore == NULL ||
        vault->identities == NULL) {
        vault_close(vault);
        return NULL;
    }
    return vault;
}

/* mend: what is not private, and ours, is made so. */
static struct vault *load(const char *state_folder, const char *keystore, bool mend, struct problem *problem)
{
    struct vault *vault = allocate(state_folder, keystore);

    if (vault == NULL) {
        storage_problem(problem, "opened", state_folder, ENOMEM);
        return NULL;
    }
    if (mend) {
        folder_make_private(vault->folder);
        folder_make_private(vault->identities);
        folder_make_private(vault->locks);
    }
    if (refuse_unless_safe(vault->folder, problem) != 0 ||
        refuse_unless_safe(vault->identities, problem) != 0) {
        vault_close(vault);
        return NULL;
    }
    vault_load_key(vault, false);
    return vault;
}

struct vault *vault_look(const char *state_folder, const char *keystore, struct problem *problem)
{
    return load(state_folder, keystore, false, problem);
}

struct vault *vault_open(const char *state_folder, const char *keystore, struct problem *problem)
{
    struct vault *vault = load(state_folder, keystore, true, problem);

    if (vault == NULL)
        return NULL;
    sweep(vault->folder, "key" DRAFT_MARK);
    sweep(vault->folder, "key.next" DRAFT_MARK);
    sweep(vault->folder, "vault.json" DRAFT_MARK);
    sweep(vault->identities, "");
    identity_lock_sweep(vault);
    return vault;
}

void vault_close(struct vault *vault)
{
    if (vault == NULL)
        return;
    if (vault->change_lock >= 0)
        close(vault->change_lock);
    envelope_key_wipe(&vault->key);
    secret_wipe(&vault->secret);
    device_key_wipe(&vault->other);
    free(vault->buffer);
    free(vault->keystore);
    free(vault->identities);
    free(vault->locks);
    free(vault->folder);
    free(vault);
}

const char *vault_identities_folder(const struct vault *vault)
{
    return vault->identities;
}

/* ---- getting ready to write ---- */

int vault_open_for_writing(struct vault *vault, struct problem *problem)
{
    struct key_folder place = {.folder = folder_open_or_make(vault->folder, problem), .path = vault->folder};
    int identities = -1;

    if (place.folder < 0)
        return -1;
    if (vault_ensure_key(vault, &place, problem) == 0)
        identities = folder_open_or_make(vault->identities, problem);
    close(place.folder);
    return identities;
}

int vault_prepare(struct vault *vault, struct problem *problem)
{
    static const unsigned char probe[PROBE_SIZE];
    struct draft draft;
    int result = 0;
    int folder = vault_open_for_writing(vault, problem);

    if (folder < 0)
        return -1;
    if (draft_write(&draft, folder, PROBE_NAME, probe, sizeof probe) != 0) {
        storage_problem(problem, "written", vault->identities, errno);
        result = -1;
    }
    draft_drop(&draft);
    close(folder);
    return result;
}
