/* SPDX-License-Identifier: MPL-2.0 */
#include "vault/device_key.h"
#include "vault/sealed_file.h"
#include "vault/storage_problem.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#define KEY_NAME "key"

static const unsigned char magic[6] = {'T', 'S', 'K', 'E', 'Y', 0x01};
#define KEY_FILE_SIZE (sizeof magic + ENVELOPE_KEY_SIZE)

#define RESTORE_REMEDY                                                                                       \
    "Restore the file \"key\" from a backup; without one, move this folder away and sign in again: "

static enum device_key_result locked(struct problem *problem, const struct device_key_place *place,
                                     const char *why, const char *remedy)
{
    storage_problem_parts(problem, PROBLEM_VAULT_LOCKED,
                          PARTS("The key file ", place->path, "/" KEY_NAME " ", why,
                                ", so the saved sign-ins cannot be opened."),
                          PARTS(remedy, place->path));
    return DEVICE_KEY_LOCKED;
}

/* ---- the key file ---- */

/* Fills *device_secret; DEVICE_KEY_NONE when there is no file. */
static enum device_key_result parse_key_file(const struct device_key_place *place,
                                             const struct secret *content, size_t length,
                                             struct secret *device_secret, struct problem *problem)
{
    if (length >= sizeof magic && memcmp(content->bytes, magic, sizeof magic - 1) == 0 &&
        content->bytes[sizeof magic - 1] > magic[sizeof magic - 1])
        return locked(problem, place, "was written by a newer version of Thunderseal",
                      "Install that version again, or a later one. The folder is ");
    if (length != KEY_FILE_SIZE || memcmp(content->bytes, magic, sizeof magic) != 0)
        return locked(problem, place, "is damaged or cut short", RESTORE_REMEDY);
    if (secret_set(device_secret, content->bytes + sizeof magic, ENVELOPE_KEY_SIZE) != 0)
        return locked(problem, place, "needs more memory than there is",
                      "Restart the program. The folder is ");
    return DEVICE_KEY_HAD;
}

static enum device_key_result read_key_file(const struct device_key_place *place,
                                            struct secret *device_secret, struct problem *problem)
{
    struct secret content = {0};
    struct file_read file = {.size = KEY_FILE_SIZE + 1, .forbidden = FILE_PRIVATE};
    enum device_key_result result = DEVICE_KEY_LOCKED;

    if (secret_reserve(&content, file.size) != 0)
        return locked(problem, place, "needs more memory than there is",
                      "Restart the program. The folder is ");
    file.buffer = content.bytes;
    switch (file_read(place->folder, KEY_NAME, &file)) {
    case FILE_READ:
        result = parse_key_file(place, &content, file.length, device_secret, problem);
        break;
    case FILE_ABSENT:
        result = DEVICE_KEY_NONE;
        break;
    case FILE_MISSHAPEN:
        result =
            locked(problem, place, "is not the plain file of fixed length that it should be", RESTORE_REMEDY);
        break;
    case FILE_FOREIGN:
        result = locked(problem, place, "belongs to another user",
                        "Make yourself the owner of the file \"key\" (chown) in ");
        break;
    case FILE_OPEN_TO_OTHERS:
        result =
            locked(problem, place, "can be read or changed by other users",
                   "Run \"chmod 600 key\" and, if others may have copied it, sign in again. The folder is ");
        break;
    case FILE_FAILED:
    default:
        result =
            locked(problem, place, errno == EACCES ? "may not be read by you" : "could not be read from disk",
                   "Make sure that you may read the file \"key\" and that its disk works. The folder is ");
        break;
    }
    secret_wipe(&content);
    return result;
}

static enum device_key_result load_key_file(const struct device_key_place *place, struct envelope_key *key,
                                            struct problem *problem)
{
    struct secret device_secret = {0};
    enum device_key_result result = read_key_file(place, &device_secret, problem);

    if (result == DEVICE_KEY_HAD && envelope_key_derive(key, &device_secret) != 0)
        result =
            locked(problem, place, "needs more memory than there is", "Restart the program. The folder is ");
    secret_wipe(&device_secret);
    return result;
}

static int make_key_file(const struct device_key_place *place, struct problem *problem)
{
    struct secret content = {0};
    int result = -1;

    if (secret_reserve(&content, KEY_FILE_SIZE) != 0) {
        storage_problem(problem, "written", place->path, ENOMEM);
        return -1;
    }
    memcpy(content.bytes, magic, sizeof magic);
    randombytes_buf(content.bytes + sizeof magic, ENVELOPE_KEY_SIZE);
    /* Another process may be first; its key is then ours. */
    if (file_make(place->folder, KEY_NAME, content.bytes, content.length) == 0 || errno == EEXIST)
        result = 0;
    else
        storage_problem(problem, "written", place->path, errno);
    secret_wipe(&content);
    return result;
}

/* ---- the choice of a store ---- */

static enum device_key_result refuse_store(struct problem *problem, const char *store, const char *remedy)
{
    storage_problem_parts(
        problem, PROBLEM_MISCONFIGURED,
        PARTS("The key store \"", store, "\" is not built into this version of Thunderseal yet."),
        PARTS(remedy));
    return DEVICE_KEY_LOCKED;
}

enum device_key_result device_key_choose(const char *keystore, enum key_store *store, struct problem *problem)
{
    *store = key_store_by_name(keystore);
    if (*store == KEY_STORE_FILE)
        return DEVICE_KEY_NONE;
    return refuse_store(problem, keystore, "Set \"keystore\" to \"auto\" or \"file\" in the configuration.");
}

/* Without vault.json: a key file alone is a vault that was not finished, or that lost its record. */
static enum device_key_result load_unrecorded(const struct device_key_place *place, struct envelope_key *key,
                                              enum key_store *store, struct problem *problem)
{
    enum device_key_result result = load_key_file(place, key, problem);

    if (result != DEVICE_KEY_NONE) {
        *store = KEY_STORE_FILE;
        return result;
    }
    if (place->sealed_files)
        return locked(problem, place, "is missing", RESTORE_REMEDY);
    return device_key_choose(place->keystore, store, problem);
}

static enum device_key_result load_recorded(const struct device_key_place *place,
                                            const struct vault_record *record, struct envelope_key *key,
                                            struct problem *problem)
{
    enum device_key_result result;

    if (record->store != KEY_STORE_FILE)
        return refuse_store(
            problem, key_store_name(record->store),
            "Install a version of Thunderseal that has the key store of your saved sign-ins.");
    result = load_key_file(place, key, problem);
    if (result == DEVICE_KEY_NONE)
        return locked(problem, place, "is missing", RESTORE_REMEDY);
    if (result == DEVICE_KEY_HAD && memcmp(key->recipient.id, record->key_id, sizeof record->key_id) != 0)
        return locked(problem, place, "holds another key than the one vault.json names", RESTORE_REMEDY);
    return result;
}

/* recorded: 0 with a vault.json, 1 without, as vault_record_read. */
static enum device_key_result load(const struct device_key_place *place, struct envelope_key *key,
                                   enum key_store *store, int *recorded, struct problem *problem)
{
    struct vault_record record = {.store = KEY_STORE_UNKNOWN};
    struct envelope_key fresh = {0};
    enum device_key_result result;

    *store = KEY_STORE_UNKNOWN;
    *recorded = vault_record_read(place->folder, place->path, &record, problem);
    if (*recorded < 0)
        return DEVICE_KEY_LOCKED;
    if (*recorded == 0) {
        *store = record.store;
        result = load_recorded(place, &record, &fresh, problem);
    } else {
        result = load_unrecorded(place, &fresh, store, problem);
    }
    if (result == DEVICE_KEY_HAD) {
        secret_move(&key->secret_key, &fresh.secret_key);
        secret_move(&key->mac_key, &fresh.mac_key);
        key->recipient = fresh.recipient;
    }
    envelope_key_wipe(&fresh);
    return result;
}

enum device_key_result device_key_load(const struct device_key_place *place, struct envelope_key *key,
                                       enum key_store *store, struct problem *problem)
{
    int recorded;

    return load(place, key, store, &recorded, problem);
}

int device_key_ensure(const struct device_key_place *place, struct envelope_key *key, enum key_store *store,
                      struct problem *problem)
{
    struct vault_record record;
    int recorded;
    enum device_key_result result = load(place, key, store, &recorded, problem);

    if (result == DEVICE_KEY_NONE) {
        if (make_key_file(place, problem) != 0)
            return -1;
        result = load(place, key, store, &recorded, problem);
        if (result == DEVICE_KEY_NONE)
            storage_problem(problem, "written", place->path, EIO);
    }
    if (result != DEVICE_KEY_HAD)
        return -1;
    if (recorded == 0)
        return 0;
    record.store = *store;
    memcpy(record.key_id, key->recipient.id, sizeof record.key_id);
    return vault_record_write(place->folder, place->path, &record, problem);
}
