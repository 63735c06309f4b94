/* SPDX-License-Identifier: MPL-2.0 */
#include "vault/vault_record.h"
#include "vault/sealed_file.h"
#include "vault/storage_problem.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define RECORD_NAME "vault.json"
#define RECORD_VERSION 1
/* Three short members; room for those of later versions. */
#define RECORD_MAX ((size_t)4096)
#define KEY_ID_HEX_SIZE (ENVELOPE_KEY_ID_SIZE * 2 + 1)

static const struct {
    const char *name;
    const char *protection;
} stores[] = {
    [KEY_STORE_FILE] = {"file",
                        "The key lies in a file beside the sealed sign-ins: other users of this computer "
                        "cannot read them; a program that you run, or whoever has the disk, can."},
    [KEY_STORE_SECRET_SERVICE] = {"secret-service",
                                  "The key lies in your keyring: while it is locked, nobody can read the "
                                  "sign-ins, not even with the disk in hand."},
    [KEY_STORE_PASSPHRASE] = {"passphrase",
                              "The key is made from your passphrase: without it, nobody can read "
                              "the sign-ins, not even with the disk in hand."},
    [KEY_STORE_UNKNOWN] = {"unknown", "The key store is not known to this version of Thunderseal."},
};

const char *key_store_name(enum key_store store)
{
    return stores[store].name;
}

const char *key_store_protection(enum key_store store)
{
    return stores[store].protection;
}

enum key_store key_store_by_name(const char *name)
{
    enum key_store store;

    if (strcmp(name, "auto") == 0)
        return KEY_STORE_FILE;
    for (store = KEY_STORE_FILE; store < KEY_STORE_UNKNOWN; store++)
        if (strcmp(name, stores[store].name) == 0)
            return store;
    return KEY_STORE_UNKNOWN;
}

/* ---- reading ---- */

static int refuse(struct problem *problem, const char *path, const char *why, const char *remedy)
{
    storage_problem_parts(problem, PROBLEM_VAULT_LOCKED, PARTS(path, "/" RECORD_NAME " ", why, "."),
                          PARTS(remedy, " (", path, "/" RECORD_NAME ")."));
    return -1;
}

static int parse(const char *path, json_t *json, struct vault_record *record, struct problem *problem)
{
    const char *store = NULL;
    const char *key_id = NULL;
    json_int_t version = 0;
    size_t length = 0;

    if (json_unpack(json, "{s:I}", "version", &version) == 0 && version > RECORD_VERSION)
        return refuse(problem, path, "was written by a newer version of Thunderseal",
                      "Install that version again, or a later one");
    if (version != RECORD_VERSION ||
        json_unpack(json, "{s:s,s:s}", "keystore", &store, "keyId", &key_id) != 0 ||
        strlen(key_id) != KEY_ID_HEX_SIZE - 1 ||
        sodium_hex2bin(record->key_id, sizeof record->key_id, key_id, strlen(key_id), NULL, &length, NULL) !=
            0 ||
        length != sizeof record->key_id)
        return refuse(problem, path, "is damaged",
                      "Restore the file from a backup; if the file \"key\" is still beside it, removing the "
                      "damaged one is enough");
    record->store = key_store_by_name(strcmp(store, "auto") == 0 ? "" : store);
    return 0;
}

static int read_text(int folder, const char *path, char text[RECORD_MAX + 1], size_t *length,
                     struct problem *problem)
{
    struct file_read file = {
        .buffer = (unsigned char *)text, .size = RECORD_MAX + 1, .forbidden = FILE_NOT_WRITABLE_BY_OTHERS};

    switch (file_read(folder, RECORD_NAME, &file)) {
    case FILE_READ:
        *length = file.length;
        return 0;
    case FILE_ABSENT:
        return 1;
    case FILE_MISSHAPEN:
        return refuse(problem, path, "is not a plain file, or too long", "Restore the file from a backup");
    case FILE_FOREIGN:
        return refuse(problem, path, "belongs to another user",
                      "Make yourself the owner of the file (chown)");
    case FILE_OPEN_TO_OTHERS:
        return refuse(problem, path, "can be changed by other users", "Run \"chmod 600\" on the file");
    case FILE_FAILED:
    default:
        storage_problem_parts(
            problem, PROBLEM_VAULT_LOCKED,
            PARTS(path, "/" RECORD_NAME " could not be read: ", strerrordesc_np(errno), "."),
            PARTS("Make sure that you may read the file and that its disk works."));
        return -1;
    }
}

int vault_record_read(int folder, const char *path, struct vault_record *record, struct problem *problem)
{
    char text[RECORD_MAX + 1];
    size_t length = 0;
    json_t *json;
    int result = read_text(folder, path, text, &length, problem);

    if (result != 0)
        return result;
    /* Not JSON gives NULL, which unpacks to nothing. */
    json = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
    result = parse(path, json, record, problem);
    json_decref(json);
    return result;
}

/* ---- writing ---- */

int vault_record_write(int folder, const char *path, const struct vault_record *record,
                       struct problem *problem)
{
    char key_id[KEY_ID_HEX_SIZE];
    char text[RECORD_MAX];
    int length;

    sodium_bin2hex(key_id, sizeof key_id, record->key_id, sizeof record->key_id);
    length = snprintf(text, sizeof text,
                      "{\n  \"version\": %d,\n  \"keystore\": \"%s\",\n  \"keyId\": \"%s\"\n}\n",
                      RECORD_VERSION, key_store_name(record->store), key_id);
    if (file_replace(folder, RECORD_NAME, text, (size_t)length) == 0)
        return 0;
    storage_problem(problem, "written", path, errno);
    return -1;
}
