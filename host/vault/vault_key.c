/* SPDX-License-Identifier: MPL-2.0 */
/* Which key the vault has, needs or may make: vault.json and the key files against what is in memory. */
#include "vault/draft.h"
#include "vault/key_problem.h"
#include "vault/secret_service.h"
#include "vault/storage_problem.h"
#include "vault/vault_internal.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

/* ---- what is on disk ---- */

/* Anything with the name of an identity counts, damaged or not: a key may still come back for it. */
static int has_sealed_files(const struct vault *vault, bool *found, struct problem *problem)
{
    struct folder_names list;
    int folder = folder_open(vault->identities, problem);
    size_t i;

    *found = false;
    if (folder == FOLDER_ABSENT)
        return 0;
    if (folder < 0)
        return -1;
    if (folder_list(folder, "", &list) != 0) {
        storage_problem(problem, "read", vault->identities, errno);
        close(folder);
        return -1;
    }
    for (i = 0; i < list.count; i++)
        if (strstr(list.names[i], SEALED_SUFFIX) != NULL && !draft_is_name(list.names[i]))
            *found = true;
    folder_names_clear(&list);
    close(folder);
    return 0;
}

static void want(struct vault *vault, enum vault_want what, const unsigned char *id)
{
    vault->want = what;
    if (id != NULL)
        memcpy(vault->wanted_id, id, sizeof vault->wanted_id);
}

static enum device_key_result explain_want(const struct vault *vault, struct problem *problem)
{
    if (vault->want == VAULT_WANTS_PASSPHRASE || vault->want == VAULT_WANTS_NEW_PASSPHRASE)
        key_problem_passphrase(problem, vault->outcome, vault->want == VAULT_WANTS_NEW_PASSPHRASE);
    else if (vault->other_key)
        key_problem_other_key(problem);
    else
        key_problem_keyring(problem, vault->outcome, vault->want == VAULT_WANTS_STORE);
    return DEVICE_KEY_LOCKED;
}

static void refuse_stranger(const struct key_folder *place, struct problem *problem)
{
    problem_setf(
        problem, PROBLEM_VAULT_LOCKED, NULL,
        "The key in %s is another than the one that this program works with, and nothing shows that it "
        "follows it.",
        place->path);
    problem_remedy(problem,
                   "If you made the vault anew, restart Thunderbird; if not, look who can write to %s.",
                   place->path);
}

/* A key from a plain file, unless it could be anybody's. */
static enum device_key_result take_file(struct vault *vault, const struct key_folder *place,
                                        struct device_key *key, const struct key_place *wanted,
                                        struct problem *problem)
{
    if (vault_trusts_file(vault, key, wanted)) {
        vault_adopt_key(vault, key);
        return DEVICE_KEY_HAD;
    }
    device_key_wipe(key);
    refuse_stranger(place, problem);
    return DEVICE_KEY_LOCKED;
}

/* ---- where there is no vault ---- */

/* The store that a new vault would have. */
static enum device_key_result choose(struct vault *vault)
{
    struct vault_record *record = &vault->record;

    memset(record, 0, sizeof *record);
    record->reason = KEY_REASON_CONFIGURED;
    if (strcmp(vault->keystore, "auto") != 0) {
        record->key.store = key_store_by_name(vault->keystore);
        if (record->key.store == KEY_STORE_SECRET_SERVICE)
            want(vault, VAULT_WANTS_STORE, NULL);
        else if (record->key.store == KEY_STORE_PASSPHRASE)
            want(vault, VAULT_WANTS_NEW_PASSPHRASE, NULL);
        return DEVICE_KEY_NONE;
    }
    record->key.store = KEY_STORE_FILE;
    record->reason =
        vault->keyring_failed && vault->outcome != KEY_NO_SERVICE ? KEY_REASON_LOCKED : KEY_REASON_NO_KEYRING;
    if (!vault->keyring_failed && secret_service_thinkable()) {
        record->key.store = KEY_STORE_SECRET_SERVICE;
        record->reason = KEY_REASON_KEYRING;
        want(vault, VAULT_WANTS_STORE, NULL);
    }
    return DEVICE_KEY_NONE;
}

/* Without vault.json: a key file alone is a vault that was not finished, or that lost its record. */
static enum device_key_result load_unrecorded(struct vault *vault, const struct key_folder *place,
                                              struct problem *problem)
{
    struct device_key key = {0};
    struct key_file file = {.key = &key};
    enum device_key_result result = key_file_read(place, KEY_FILE, &file, problem);
    bool sealed_files;

    if (result == DEVICE_KEY_HAD || result == DEVICE_KEY_WRAPPED) {
        memset(&vault->record, 0, sizeof vault->record);
        vault->record.key.store = result == DEVICE_KEY_HAD ? KEY_STORE_FILE : KEY_STORE_PASSPHRASE;
        memcpy(vault->record.key.key_id, file.key_id, sizeof file.key_id);
    }
    if (result == DEVICE_KEY_HAD) {
        result = take_file(vault, place, &key, &vault->record.key, problem);
    } else if (result == DEVICE_KEY_WRAPPED) {
        result = DEVICE_KEY_HAD;
        if (!vault_holds_key(vault, file.key_id)) {
            want(vault, VAULT_WANTS_PASSPHRASE, file.key_id);
            result = explain_want(vault, problem);
        }
    } else if (result == DEVICE_KEY_NONE) {
        if (has_sealed_files(vault, &sealed_files, problem) != 0)
            return DEVICE_KEY_LOCKED;
        if (!sealed_files)
            return choose(vault);
        problem_setf(problem, PROBLEM_VAULT_LOCKED, NULL,
                     "The key file %s/" KEY_FILE " is missing, so the saved sign-ins cannot be opened.",
                     place->path);
        problem_remedy(problem, KEY_RESTORE_REMEDY, place->path);
        result = DEVICE_KEY_LOCKED;
    }
    return result;
}

/* ---- where there is one ---- */

/* Gets the key of one place into memory if the disk has it; else says what to ask for. */
static enum device_key_result load_place(struct vault *vault, const struct key_folder *place,
                                         const struct key_place *wanted, struct problem *problem)
{
    struct device_key key = {0};
    struct key_file file = {.key = &key};
    enum device_key_result result;

    if (wanted->store == KEY_STORE_UNKNOWN) {
        problem_set(
            problem, PROBLEM_VAULT_LOCKED,
            "The key to the saved sign-ins is in a store that this version of Thunderseal does not know.",
            NULL);
        problem_remedy(problem, "Install the version that wrote %s/vault.json, or later.", place->path);
        return DEVICE_KEY_LOCKED;
    }
    if (wanted->store == KEY_STORE_SECRET_SERVICE) {
        if (vault_holds_key(vault, wanted->key_id))
            return DEVICE_KEY_HAD;
        want(vault, VAULT_WANTS_LOOK_UP, wanted->key_id);
        return explain_want(vault, problem);
    }
    /* From disk each time, also when it is in memory: what is sealed with a key that is no longer on disk
     * could not be opened after the next start. */
    result = key_file_find(place, wanted->key_id, &file, NULL, problem);
    if (result == DEVICE_KEY_HAD) {
        result = take_file(vault, place, &key, wanted, problem);
    } else if (result == DEVICE_KEY_WRAPPED) {
        result = DEVICE_KEY_HAD;
        if (!vault_holds_key(vault, wanted->key_id)) {
            want(vault, VAULT_WANTS_PASSPHRASE, wanted->key_id);
            result = explain_want(vault, problem);
        }
    } else if (result == DEVICE_KEY_NONE) {
        problem_setf(problem, PROBLEM_VAULT_LOCKED, NULL,
                     "The key file %s/" KEY_FILE " is missing, so the saved sign-ins cannot be opened.",
                     place->path);
        problem_remedy(problem, KEY_RESTORE_REMEDY, place->path);
        result = DEVICE_KEY_LOCKED;
    }
    return result;
}

static enum device_key_result load_recorded(struct vault *vault, const struct key_folder *place,
                                            struct problem *problem)
{
    enum device_key_result result = load_place(vault, place, &vault->record.key, problem);
    struct problem ignored;
    enum vault_want wanted = vault->want;
    unsigned char id[ENVELOPE_KEY_ID_SIZE];

    /* Some files may be sealed to the next key. The first is what everything else waits for. */
    if (vault->record.change == KEY_CHANGE_NEXT) {
        memcpy(id, vault->wanted_id, sizeof id);
        (void)load_place(vault, place, &vault->record.second, &ignored);
        if (wanted != VAULT_WANTS_NOTHING)
            want(vault, wanted, id);
    }
    return result;
}

static enum device_key_result load(struct vault *vault, const struct key_folder *place,
                                   struct problem *problem)
{
    struct vault_record record;
    int recorded;

    vault->want = VAULT_WANTS_NOTHING;
    vault->recorded = false;
    if (place->folder == FOLDER_ABSENT)
        return choose(vault);
    recorded = vault_record_read(place->folder, place->path, &record, problem);
    if (recorded < 0)
        return DEVICE_KEY_LOCKED;
    vault->recorded = recorded == 0;
    if (recorded != 0)
        return load_unrecorded(vault, place, problem);
    vault->record = record;
    return load_recorded(vault, place, problem);
}

static enum device_key_result look(struct vault *vault, const struct key_folder *place,
                                   struct problem *problem)
{
    enum device_key_result result = load(vault, place, problem);

    if (result != DEVICE_KEY_LOCKED)
        memset(problem, 0, sizeof *problem);
    vault->unsealed = *problem;
    if (vault->has_key)
        memset(&vault->locked, 0, sizeof vault->locked);
    else
        vault->locked = *problem;
    return result;
}

/* ---- for the rest of the vault ---- */

void vault_load_key(struct vault *vault, bool force)
{
    struct problem problem = {0};
    struct key_folder place = {.path = vault->folder};

    if (vault->has_key && !force)
        return;
    place.folder = folder_open(vault->folder, &problem);
    if (place.folder == -1)
        vault->locked = problem;
    else
        (void)look(vault, &place, &problem);
    if (place.folder >= 0)
        close(place.folder);
}

bool vault_awaits_key(const struct vault *vault)
{
    return vault->want == VAULT_WANTS_LOOK_UP || vault->want == VAULT_WANTS_PASSPHRASE;
}

static int make_key_file(const struct key_folder *place, struct problem *problem)
{
    struct secret secret = {0};
    int result = -1;

    if (secret_reserve(&secret, ENVELOPE_KEY_SIZE) != 0) {
        storage_problem(problem, "written", place->path, ENOMEM);
        return -1;
    }
    randombytes_buf(secret.bytes, secret.length);
    /* Another process may be first; its key is then ours. */
    result = key_file_make(place, KEY_FILE, &secret, problem) < 0 ? -1 : 0;
    secret_wipe(&secret);
    return result;
}

int vault_ensure_key(struct vault *vault, const struct key_folder *place, struct problem *problem)
{
    enum device_key_result result = look(vault, place, problem);
    enum key_reason reason = vault->record.reason;

    if (result == DEVICE_KEY_NONE && vault->want != VAULT_WANTS_NOTHING) {
        (void)explain_want(vault, problem);
        return -1;
    }
    if (result == DEVICE_KEY_NONE && vault->has_key && !vault->key_plain) {
        refuse_stranger(place, problem);
        return -1;
    }
    if (result == DEVICE_KEY_NONE) {
        if (make_key_file(place, problem) != 0)
            return -1;
        result = look(vault, place, problem);
        vault->record.reason = reason;
        if (result == DEVICE_KEY_NONE)
            storage_problem(problem, "written", place->path, EIO);
    }
    if (result != DEVICE_KEY_HAD)
        return -1;
    if (vault->recorded)
        return 0;
    switch (vault_record_make(place->folder, place->path, &vault->record, problem)) {
    case 0:
        vault->recorded = true;
        return 0;
    case 1: /* another process was faster, perhaps with another store: what it wrote counts */
        return look(vault, place, problem) == DEVICE_KEY_HAD ? 0 : -1;
    default:
        return -1;
    }
}
