/* SPDX-License-Identifier: MPL-2.0 */
/*
 * vault.json: which key store the vault chose when it was made, and the id of the device key. In clear, for
 * the user and for a later version; it proves nothing but which key follows which, and is checked against the
 * key.
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

/* Why this store; kept for `status`. */
enum key_reason {
    KEY_REASON_UNKNOWN,
    KEY_REASON_CONFIGURED,
    KEY_REASON_KEYRING,    /* auto: a keyring answered */
    KEY_REASON_NO_KEYRING, /* auto: none did */
    KEY_REASON_LOCKED,     /* auto: it could not be unlocked */
    KEY_REASON_MOVED,      /* by `key move` */
    KEY_REASONS
};

struct key_place {
    enum key_store store;
    unsigned char key_id[ENVELOPE_KEY_ID_SIZE];
    unsigned char proof[ENVELOPE_PROOF_SIZE]; /* by the key before it; zeros: none is needed */
};

/* While the key is being changed: which of the two the second one is. FORMAT.md has the steps. */
enum key_change { KEY_CHANGE_NONE, KEY_CHANGE_NEXT, KEY_CHANGE_OLD };

struct vault_record {
    struct key_place key; /* what is written is sealed to it */
    enum key_reason reason;
    enum key_change change;
    struct key_place second; /* unless KEY_CHANGE_NONE */
};

/* Reads the record in folder, whose path is for the texts. 0: read; 1: there is none; -1: *problem, which is
 * PROBLEM_VAULT_LOCKED. */
int vault_record_read(int folder, const char *path, struct vault_record *record, struct problem *problem);
/* Writes it. 0, or -1 with *problem (PROBLEM_STORAGE). */
int vault_record_write(int folder, const char *path, const struct vault_record *record,
                       struct problem *problem);
/* The same where there is none: 1 when another process has written one meanwhile. */
int vault_record_make(int folder, const char *path, const struct vault_record *record,
                      struct problem *problem);

/* "file", "secret-service", "passphrase"; "unknown". */
const char *key_store_name(enum key_store store);
/* The store of that name; KEY_STORE_UNKNOWN for "auto" too. */
enum key_store key_store_by_name(const char *name);
/* One sentence for the user: against what the store protects. */
const char *key_store_protection(enum key_store store);
/* One sentence: why it is this store. */
const char *key_reason_text(enum key_reason reason);

#endif
