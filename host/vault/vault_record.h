/* SPDX-License-Identifier: MPL-2.0 */
/*
 * vault.json: which key store the vault chose when it was made, and the id of the device key. In clear, for
 * the user and for a later version; it proves nothing and is checked against the key.
 */
#ifndef THUNDERSEAL_VAULT_VAULT_RECORD_H
#define THUNDERSEAL_VAULT_VAULT_RECORD_H

#include "core/problem.h"
#include "vault/envelope.h"

enum key_store {
    KEY_STORE_FILE,
    KEY_STORE_SECRET_SERVICE,
    KEY_STORE_PASSPHRASE,
    KEY_STORE_UNKNOWN,
};

struct vault_record {
    enum key_store store;
    unsigned char key_id[ENVELOPE_KEY_ID_SIZE];
};

/* Reads the record in folder, whose path is for the texts. 0: read; 1: there is none; -1: *problem, which is
 * PROBLEM_VAULT_LOCKED. */
int vault_record_read(int folder, const char *path, struct vault_record *record, struct problem *problem);
/* Writes it. 0, or -1 with *problem (PROBLEM_STORAGE). */
int vault_record_write(int folder, const char *path, const struct vault_record *record,
                       struct problem *problem);

/* "file", "secret-service", "passphrase"; "unknown". */
const char *key_store_name(enum key_store store);
/* The store of a configured or recorded name; "auto" is the file store. */
enum key_store key_store_by_name(const char *name);
/* One sentence for the user: against what the store protects. */
const char *key_store_protection(enum key_store store);

#endif
