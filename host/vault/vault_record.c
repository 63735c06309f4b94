/* SPDX-License-Identifier: MPL-2.0 */
#include "vault/vault_record.h"
#include "core/json_read.h"
#include "core/wiping_alloc.h"
#include "vault/sealed_file.h"
#include "vault/storage_problem.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORD_NAME "vault.json"
#define RECORD_VERSION 1
/* A few short members; room for those of later versions. */
#define RECORD_MAX ((size_t)4096)
#define KEY_ID_HEX_SIZE (ENVELOPE_KEY_ID_SIZE * 2 + 1)
#define PROOF_HEX_SIZE (ENVELOPE_PROOF_SIZE * 2 + 1)

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

static const struct {
    const char *name;
    const char *text;
} reasons[KEY_REASONS] = {
    [KEY_REASON_UNKNOWN] = {"unknown", "Where the choice came from is not recorded."},
    [KEY_REASON_CONFIGURED] = {"configured", "The configuration asked for it when the vault was made."},
    [KEY_REASON_KEYRING] = {"keyring", "A keyring answered when the vault was made."},
    [KEY_REASON_NO_KEYRING] = {"no-keyring", "No keyring answered when the vault was made."},
    [KEY_REASON_LOCKED] = {"keyring-locked", "The keyring could not be unlocked when the vault was made."},
    [KEY_REASON_MOVED] = {"moved", "The key was moved there by \"thunderseal key move\"."},
};

const char *key_reason_text(enum key_reason reason)
{
    return reasons[reason].text;
}

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

    for (store = KEY_STORE_FILE; store < KEY_STORE_UNKNOWN; store++)
        if (strcmp(name, stores[store].name) == 0)
            return store;
    return KEY_STORE_UNKNOWN;
}

/* ---- reading ---- */

static int refuse(struct problem *problem, const char *path, const char *why TEXTS, const char *remedy TEXTS)
{
    problem_setf(problem, PROBLEM_VAULT_LOCKED, NULL, "%s/" RECORD_NAME " %-s.", path, why);
    problem_remedy(problem, remedy, path);
    return -1;
}

static int parse_hex(unsigned char *bytes, size_t size, const char *hex)
{
    size_t length = 0;

    return strlen(hex) == size * 2 && sodium_hex2bin(bytes, size, hex, size * 2, NULL, &length, NULL) == 0 &&
                   length == size
               ? 0
               : -1;
}

static int parse_place(const json_t *json, struct key_place *place)
{
    const char *store = NULL, *key_id = NULL, *proof = NULL;

    if (json_unpack((json_t *)json, "{s:s,s:s,s?:s}", "keystore", &store, "keyId", &key_id, "proof",
                    &proof) != 0 ||
        parse_hex(place->key_id, sizeof place->key_id, key_id) != 0 ||
        (proof != NULL && parse_hex(place->proof, sizeof place->proof, proof) != 0))
        return -1;
    place->store = key_store_by_name(store);
    return 0;
}

static int parse_change(const json_t *json, struct vault_record *record)
{
    const json_t *next = json_object_get(json, "next"), *old = json_object_get(json, "old");

    if (next == NULL && old == NULL)
        return 0;
    record->change = next != NULL ? KEY_CHANGE_NEXT : KEY_CHANGE_OLD;
    return parse_place(next != NULL ? next : old, &record->second);
}

/* What a later version writes there is no reason to refuse the file. */
static enum key_reason parse_reason(const json_t *json)
{
    const char *name = json_string_value(json_object_get(json, "reason"));
    enum key_reason reason;

    for (reason = KEY_REASON_UNKNOWN; name != NULL && reason < KEY_REASONS; reason++)
        if (strcmp(reasons[reason].name, name) == 0)
            return reason;
    return KEY_REASON_UNKNOWN;
}

static int parse(const char *path, json_t *json, struct vault_record *record, struct problem *problem)
{
    json_int_t version = 0;

    memset(record, 0, sizeof *record);
    if (json_unpack(json, "{s:I}", "version", &version) == 0 && version > RECORD_VERSION)
        return refuse(problem, path, "was written by a newer version of Thunderseal",
                      "Install that version again, or a later one (%s/" RECORD_NAME ").");
    if (version != RECORD_VERSION || parse_place(json, &record->key) != 0 || parse_change(json, record) != 0)
        return refuse(problem, path, "is damaged",
                      "Restore the file from a backup; if the file \"key\" is still beside it, removing the "
                      "damaged one is enough (%s/" RECORD_NAME ").");
    record->reason = parse_reason(json);
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
        return refuse(problem, path, "is not a plain file, or too long",
                      "Restore the file from a backup (%s/" RECORD_NAME ").");
    case FILE_FOREIGN:
        return refuse(problem, path, "belongs to another user",
                      "Make yourself the owner of the file (chown) (%s/" RECORD_NAME ").");
    case FILE_OPEN_TO_OTHERS:
        return refuse(problem, path, "can be changed by other users",
                      "Run \"chmod 600\" on the file (%s/" RECORD_NAME ").");
    case FILE_FAILED:
    default:
        problem_setf(problem, PROBLEM_VAULT_LOCKED,
                     "Make sure that you may read the file and that its disk works.",
                     "%s/" RECORD_NAME " could not be read: %s.", path, strerrordesc_np(errno));
        return -1;
    }
}

int vault_record_read(int folder, const char *path, struct vault_record *record, struct problem *problem)
{
    char text[RECORD_MAX + 1];
    size_t length = 0;
    unsigned long refused = wiping_refused();
    json_t *json;
    int result = read_text(folder, path, text, &length, problem);

    if (result != 0)
        return result;
    json = json_read(text, length, JSON_REJECT_DUPLICATES, NULL, NULL);
    /* Not JSON gives NULL, which unpacks to nothing. */
    result = parse(path, json, record, problem);
    json_decref(json);
    if (wiping_refused() == refused)
        return result;
    storage_problem(problem, "read", path, ENOMEM); /* so it may be whole */
    return -1;
}

/* ---- writing ---- */

static json_t *place_to_json(const struct key_place *place)
{
    char key_id[KEY_ID_HEX_SIZE], proof[PROOF_HEX_SIZE];

    sodium_bin2hex(key_id, sizeof key_id, place->key_id, sizeof place->key_id);
    sodium_bin2hex(proof, sizeof proof, place->proof, sizeof place->proof);
    return json_pack("{s:s, s:s, s:s*}", "keystore", key_store_name(place->store), "keyId", key_id, "proof",
                     sodium_is_zero(place->proof, sizeof place->proof) ? NULL : proof);
}

static json_t *to_json(const struct vault_record *record)
{
    json_t *json = json_pack("{s:i}", "version", RECORD_VERSION);

    if (json_object_update_new(json, place_to_json(&record->key)) != 0 ||
        (record->reason != KEY_REASON_UNKNOWN &&
         json_object_set_new(json, "reason", json_string(reasons[record->reason].name)) != 0) ||
        (record->change != KEY_CHANGE_NONE &&
         json_object_set_new(json, record->change == KEY_CHANGE_NEXT ? "next" : "old",
                             place_to_json(&record->second)) != 0)) {
        json_decref(json);
        return NULL;
    }
    return json;
}

typedef int write_function(int folder, const char *name, const void *bytes, size_t length);

/* 0, or -1 with errno. */
static int write_record(int folder, const struct vault_record *record, write_function *write)
{
    json_t *json = to_json(record);
    char text[RECORD_MAX];
    size_t length = json == NULL ? 0 : json_dumpb(json, text, sizeof text - 1, JSON_INDENT(2));

    json_decref(json);
    if (length == 0 || length >= sizeof text) {
        errno = ENOMEM;
        return -1;
    }
    text[length++] = '\n';
    return write(folder, RECORD_NAME, text, length);
}

int vault_record_write(int folder, const char *path, const struct vault_record *record,
                       struct problem *problem)
{
    if (write_record(folder, record, file_replace) == 0)
        return 0;
    storage_problem(problem, "written", path, errno);
    return -1;
}

int vault_record_make(int folder, const char *path, const struct vault_record *record,
                      struct problem *problem)
{
    if (write_record(folder, record, file_make) == 0)
        return 0;
    if (errno == EEXIST)
        return 1;
    storage_problem(problem, "written", path, errno);
    return -1;
}
