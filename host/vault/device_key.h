/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The device key, and the files in which the stores `file` and `passphrase` keep it: "key" and, while it is
 * being changed, "key.next". Which key they hold is told by its id, never by the file's name.
 */
#ifndef THUNDERSEAL_VAULT_DEVICE_KEY_H
#define THUNDERSEAL_VAULT_DEVICE_KEY_H

#include "core/problem.h"
#include "vault/envelope.h"
#include "vault/passphrase.h"
#include <stdbool.h>

#define KEY_FILE "key"
#define KEY_FILE_NEXT "key.next"

/* Owns its secrets; zeroed: none. */
struct device_key {
    bool had;
    bool plain; /* it lies in a plain file: whoever can write there has it */
    struct secret secret;
    struct envelope_key envelope;
};

/* Takes over secret. 0, or -1 when the arena is full or the length wrong; then *key is left as it was. */
int device_key_set(struct device_key *key, struct secret *secret);
void device_key_move(struct device_key *to, struct device_key *from);
void device_key_wipe(struct device_key *key);
bool device_key_is(const struct device_key *key, const unsigned char id[ENVELOPE_KEY_ID_SIZE]);

enum device_key_result {
    DEVICE_KEY_HAD,     /* *key holds it */
    DEVICE_KEY_WRAPPED, /* a passphrase opens it: wrapped and key_id are filled */
    DEVICE_KEY_NONE,    /* there is no such file */
    DEVICE_KEY_LOCKED,  /* *problem says why; nothing on disk may be changed */
};

/* Where key files are looked for. */
struct key_folder {
    int folder;
    const char *path; /* of it, for the texts */
};

struct key_file {
    struct device_key *key; /* the caller's; left as it was unless DEVICE_KEY_HAD */
    unsigned char wrapped[PASSPHRASE_WRAPPED_SIZE];
    unsigned char key_id[ENVELOPE_KEY_ID_SIZE];
};

/* Reads one of the two files. */
enum device_key_result key_file_read(const struct key_folder *place, const char *name, struct key_file *file,
                                     struct problem *problem);
/* The file, of the two, that holds the key with this id; DEVICE_KEY_LOCKED when "key" holds another. *name,
 * if not NULL, is then the file's. */
enum device_key_result key_file_find(const struct key_folder *place,
                                     const unsigned char id[ENVELOPE_KEY_ID_SIZE], struct key_file *file,
                                     const char **name, struct problem *problem);
/* Writes a plain key under a name that is free; 1 when it is not (another process was faster). */
int key_file_make(const struct key_folder *place, const char *name, const struct secret *secret,
                  struct problem *problem);
int key_file_make_wrapped(const struct key_folder *place, const char *name,
                          const unsigned char wrapped[PASSPHRASE_WRAPPED_SIZE], struct problem *problem);

/* The remedy for a key that is gone for good; the folder's path goes behind it. */
#define KEY_RESTORE_REMEDY                                                                                   \
    "Restore the file \"key\" from a backup; without one, move this folder away and sign in again: %s"

#endif
