/* SPDX-License-Identifier: MPL-2.0 */
#include "vault/device_key.h"
#include "vault/sealed_file.h"
#include "vault/storage_problem.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

static const unsigned char magic[6] = {'T', 'S', 'K', 'E', 'Y', 0x01};
#define PLAIN_SIZE (sizeof magic + ENVELOPE_KEY_SIZE)
/* The longer of the two kinds. */
#define CONTENT_MAX ((size_t)PASSPHRASE_WRAPPED_SIZE)

/* ---- the key in memory ---- */

int device_key_set(struct device_key *key, struct secret *secret)
{
    struct device_key fresh = {.had = true};

    if (envelope_key_derive(&fresh.envelope, secret) != 0)
        return -1;
    secret_move(&fresh.secret, secret);
    device_key_move(key, &fresh);
    return 0;
}

void device_key_move(struct device_key *to, struct device_key *from)
{
    device_key_wipe(to);
    secret_move(&to->secret, &from->secret);
    secret_move(&to->envelope.secret_key, &from->envelope.secret_key);
    secret_move(&to->envelope.mac_key, &from->envelope.mac_key);
    to->envelope.recipient = from->envelope.recipient;
    to->had = from->had;
    to->plain = from->plain;
    device_key_wipe(from);
}

void device_key_wipe(struct device_key *key)
{
    secret_wipe(&key->secret);
    envelope_key_wipe(&key->envelope);
    key->had = key->plain = false;
}

bool device_key_is(const struct device_key *key, const unsigned char id[ENVELOPE_KEY_ID_SIZE])
{
    return key->had && memcmp(key->envelope.recipient.id, id, ENVELOPE_KEY_ID_SIZE) == 0;
}

/* ---- reading ---- */

static enum device_key_result locked(struct problem *problem, const struct key_folder *place,
                                     const char *name, const char *why TEXTS, const char *remedy TEXTS)
{
    problem_setf(problem, PROBLEM_VAULT_LOCKED, NULL,
                 "The key file %s/%s %-s, so the saved sign-ins cannot be opened.", place->path, name, why);
    problem_remedy(problem, remedy, place->path);
    return DEVICE_KEY_LOCKED;
}

static enum device_key_result no_memory(struct problem *problem, const struct key_folder *place,
                                        const char *name)
{
    return locked(problem, place, name, "needs more memory than there is",
                  "Restart the program. The folder is %s");
}

static enum device_key_result parse(const struct key_folder *place, const char *name,
                                    const struct secret *content, size_t length, struct key_file *file,
                                    struct problem *problem)
{
    struct secret device_secret = {0};

    if (length > sizeof magic && memcmp(content->bytes, magic, sizeof magic - 1) == 0 &&
        content->bytes[sizeof magic - 1] > magic[sizeof magic - 1])
        return locked(problem, place, name, "was written by a newer version of Thunderseal",
                      "Install that version again, or a later one. The folder is %s");
    if (passphrase_wrapped_key_id(content->bytes, length, file->key_id) == 0) {
        memcpy(file->wrapped, content->bytes, length);
        return DEVICE_KEY_WRAPPED;
    }
    if (length != PLAIN_SIZE || memcmp(content->bytes, magic, sizeof magic) != 0)
        return locked(problem, place, name, "is damaged or cut short", KEY_RESTORE_REMEDY);
    if (secret_set(&device_secret, content->bytes + sizeof magic, ENVELOPE_KEY_SIZE) != 0 ||
        device_key_set(file->key, &device_secret) != 0) {
        secret_wipe(&device_secret);
        return no_memory(problem, place, name);
    }
    file->key->plain = true;
    memcpy(file->key_id, file->key->envelope.recipient.id, sizeof file->key_id);
    return DEVICE_KEY_HAD;
}

static enum device_key_result refuse(const struct key_folder *place, const char *name,
                                     enum file_result result, struct problem *problem)
{
    switch (result) {
    case FILE_MISSHAPEN:
        return locked(problem, place, name, "is not the plain file of fixed length that it should be",
                      KEY_RESTORE_REMEDY);
    case FILE_FOREIGN:
        return locked(problem, place, name, "belongs to another user",
                      "Make yourself the owner of the file \"key\" (chown) in %s");
    case FILE_OPEN_TO_OTHERS:
        return locked(
            problem, place, name, "can be read or changed by other users",
            "Run \"chmod 600 key\" and, if others may have copied it, sign in again. The folder is %s");
    case FILE_READ:
    case FILE_ABSENT:
    case FILE_FAILED:
    default:
        return locked(
            problem, place, name, errno == EACCES ? "may not be read by you" : "could not be read from disk",
            "Make sure that you may read the file \"key\" and that its disk works. The folder is %s");
    }
}

enum device_key_result key_file_read(const struct key_folder *place, const char *name, struct key_file *file,
                                     struct problem *problem)
{
    struct secret content = {0};
    struct file_read read = {.size = CONTENT_MAX + 1, .forbidden = FILE_PRIVATE};
    enum device_key_result result = DEVICE_KEY_NONE;
    enum file_result found;

    if (secret_reserve(&content, read.size) != 0)
        return no_memory(problem, place, name);
    read.buffer = content.bytes;
    found = file_read(place->folder, name, &read);
    if (found == FILE_READ)
        result = parse(place, name, &content, read.length, file, problem);
    else if (found != FILE_ABSENT)
        result = refuse(place, name, found, problem);
    secret_wipe(&content);
    return result;
}

enum device_key_result key_file_find(const struct key_folder *place,
                                     const unsigned char id[ENVELOPE_KEY_ID_SIZE], struct key_file *file,
                                     const char **name, struct problem *problem)
{
    static const char *const names[] = {KEY_FILE, KEY_FILE_NEXT};
    struct device_key key = {0};
    struct key_file one = {.key = &key};
    enum device_key_result result = DEVICE_KEY_NONE, first = DEVICE_KEY_NONE;
    struct problem ignored;
    size_t i;

    for (i = 0; i < sizeof names / sizeof *names; i++) {
        result = key_file_read(place, names[i], &one, i == 0 ? problem : &ignored);
        if (i == 0)
            first = result;
        if ((result == DEVICE_KEY_HAD || result == DEVICE_KEY_WRAPPED) &&
            memcmp(one.key_id, id, sizeof one.key_id) == 0)
            break;
    }
    if (i < sizeof names / sizeof *names) {
        if (name != NULL)
            *name = names[i];
        memcpy(file->wrapped, one.wrapped, sizeof file->wrapped);
        memcpy(file->key_id, one.key_id, sizeof file->key_id);
        if (result == DEVICE_KEY_HAD && file->key != NULL)
            device_key_move(file->key, &key);
    } else if (first == DEVICE_KEY_HAD || first == DEVICE_KEY_WRAPPED) {
        result = locked(problem, place, KEY_FILE, "holds another key than the one vault.json names",
                        KEY_RESTORE_REMEDY);
    } else {
        result = first;
    }
    device_key_wipe(&key);
    return result;
}

/* ---- writing ---- */

static int make(const struct key_folder *place, const char *name, const void *bytes, size_t length,
                struct problem *problem)
{
    if (file_make(place->folder, name, bytes, length) == 0)
        return 0;
    if (errno == EEXIST)
        return 1;
    storage_problem(problem, "written", place->path, errno);
    return -1;
}

int key_file_make(const struct key_folder *place, const char *name, const struct secret *secret,
                  struct problem *problem)
{
    struct secret content = {0};
    int result;

    if (secret->length != ENVELOPE_KEY_SIZE || secret_reserve(&content, PLAIN_SIZE) != 0) {
        storage_problem(problem, "written", place->path, ENOMEM);
        return -1;
    }
    memcpy(content.bytes, magic, sizeof magic);
    memcpy(content.bytes + sizeof magic, secret->bytes, ENVELOPE_KEY_SIZE);
    result = make(place, name, content.bytes, content.length, problem);
    secret_wipe(&content);
    return result;
}

int key_file_make_wrapped(const struct key_folder *place, const char *name,
                          const unsigned char wrapped[PASSPHRASE_WRAPPED_SIZE], struct problem *problem)
{
    return make(place, name, wrapped, PASSPHRASE_WRAPPED_SIZE, problem);
}
