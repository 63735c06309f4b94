/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the vault's own files share: vault.c (opening, key), vault_copy.c, vault_read.c, vault_write.c.
 */
#ifndef THUNDERSEAL_VAULT_VAULT_INTERNAL_H
#define THUNDERSEAL_VAULT_VAULT_INTERNAL_H

#include "vault/envelope.h"
#include "vault/folder.h"
#include "vault/sealed_file.h"
#include "vault/vault.h"
#include "vault/vault_record.h"

struct vault {
    char *folder;
    char *identities;
    char *locks;
    char *keystore; /* as configured */
    bool has_key;   /* once had, a key stays for the life of the process */
    struct envelope_key key;
    bool has_recovery;
    struct envelope_recipient recovery;
    enum key_store store;
    struct problem locked; /* PROBLEM_NONE when there is a key or one may be made */
    unsigned char *buffer; /* of VAULT_FILE_MAX + 1, for the file that is being read */
};

/* Looks for the key on disk, again if one is there already and force is set. The outcome is vault_locked().
 */
void vault_load_key(struct vault *vault, bool force);
/* Makes folders, key and vault.json where missing. The open identities folder, or -1 with *problem. */
int vault_open_for_writing(struct vault *vault, struct problem *problem);

/* Whether name is one that vault_name makes. */
bool vault_name_is_valid(const char *name, size_t length);
/* "folder/name" + suffix + ": " for texts; path has STORAGE_TEXT_MAX bytes. */
void vault_path(const struct vault *vault, const char *file, char *path, size_t size);

/* What one file of an identity turned out to be. */
enum copy_state {
    COPY_GENUINE,
    COPY_ABSENT,
    COPY_DAMAGED,
    COPY_FOREIGN, /* well-formed, sealed to another device key */
    COPY_UNTRIED, /* well-formed, but there is no key to try */
    COPY_REFUSED, /* *problem: cannot be read, or belongs to or is open to others */
};

struct copy {
    enum copy_state state;
    struct envelope
        envelope;  /* COPY_GENUINE, COPY_FOREIGN, COPY_UNTRIED; its pointers stand in vault->buffer */
    size_t length; /* of the bytes in vault->buffer */
    struct stat status;
};

/* Reads the file name + suffix of an identity into vault->buffer and judges it. payload may be NULL. */
void vault_examine(struct vault *vault, int folder, const char *name, const char *suffix, struct copy *copy,
                   struct secret *payload, struct problem *problem);

/* --- vault_write.c --- */
/* Every envelope is sealed by this: to the device and to whoever else can open it. As envelope_seal. */
int vault_seal(const struct vault *vault, const struct envelope_key *key, struct envelope_content *content,
               unsigned char **sealed, size_t *sealed_length);

#endif
