/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the vault's own files share: vault.c (opening, key), vault_copy.c, vault_read.c, vault_write.c,
 * vault_recipients.c and those of a change of the key.
 */
#ifndef THUNDERSEAL_VAULT_VAULT_INTERNAL_H
#define THUNDERSEAL_VAULT_VAULT_INTERNAL_H

#include "vault/device_key.h"
#include "vault/envelope.h"
#include "vault/folder.h"
#include "vault/key_task.h"
#include "vault/sealed_file.h"
#include "vault/vault.h"
#include "vault/vault_record.h"

struct vault {
    char *folder;
    char *identities;
    char *locks;
    char *keystore; /* as configured */
    bool has_key;   /* once had, a key stays for the life of the process */
    bool key_plain; /* it was read from a plain file */
    struct envelope_key key;
    bool has_recovery;
    struct envelope_recipient recovery;
    struct secret secret;       /* what key was made of */
    struct device_key other;    /* opens, too: the key before or after this one, while it is being changed */
    struct problem locked;      /* PROBLEM_NONE when there is a key or one may be made */
    struct problem unsealed;    /* PROBLEM_NONE when key is the one that files are to be sealed to */
    bool recorded;              /* there is a vault.json */
    struct vault_record record; /* what it says or, without one, what it would */
    enum vault_want want;
    unsigned char wanted_id[ENVELOPE_KEY_ID_SIZE]; /* VAULT_WANTS_LOOK_UP, VAULT_WANTS_PASSPHRASE */
    enum key_outcome outcome;       /* of the last try for what is wanted; KEY_DONE: none yet */
    bool other_key;                 /* the last try gave a key with another id */
    bool keyring_failed;            /* auto has to do without */
    int change_lock;                /* held while this process changes the key, or -1 */
    char resealed[VAULT_NAME_SIZE]; /* the last identity that it sealed anew, "": none */
    unsigned char *buffer;          /* of VAULT_FILE_MAX + 1, for the file that is being read */
};

/* --- vault_held.c --- */
/* Whether the key is in memory; if it is the one to seal with, it is then vault->key. */
bool vault_holds_key(struct vault *vault, const unsigned char id[ENVELOPE_KEY_ID_SIZE]);
/* Makes it vault->key if that is the one to seal with, else vault->other. Takes it over. */
void vault_adopt_key(struct vault *vault, struct device_key *key);
/*
 * Whether a key from a plain file may be adopted for place. Whoever can write to the vault's folder could put
 * one there, and would then read what is sealed to it: after a key that is in a keyring or under a passphrase
 * it counts only with that key's proof.
 */
bool vault_trusts_file(const struct vault *vault, const struct device_key *key,
                       const struct key_place *place);

/* --- vault_key.c --- */
/* Looks for the key on disk, again if one is there already and force is set. The outcome is vault_locked().
 */
void vault_load_key(struct vault *vault, bool force);
/* Makes key and vault.json where missing and possible. 0 when what is sealed with vault->key will be opened
 * at the next start, else -1 with *problem. */
int vault_ensure_key(struct vault *vault, const struct key_folder *place, struct problem *problem);
/* Whether a file that vault->key does not open could be one of a change of the key that is under way. */
bool vault_awaits_key(const struct vault *vault);

/* --- vault_unlock.c --- */
/* Fills secret and key_id of *task with a new key; proof (may be NULL) is by vault->key. 0, or -1 with
 * *problem. */
int vault_draw_key(struct vault *vault, struct key_task *task, unsigned char proof[ENVELOPE_PROOF_SIZE],
                   struct problem *problem);

/* --- vault.c --- */
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
    const struct envelope_key *key; /* COPY_GENUINE: which of the vault's opened it */
    struct envelope
        envelope;  /* COPY_GENUINE, COPY_FOREIGN, COPY_UNTRIED; its pointers stand in vault->buffer */
    size_t length; /* of the bytes in vault->buffer */
    struct stat status;
};

/* Reads the file name + suffix of an identity into vault->buffer and judges it. payload may be NULL. */
void vault_examine(struct vault *vault, int folder, const char *name, const char *suffix, struct copy *copy,
                   struct secret *payload, struct problem *problem);

/* --- vault_change.c, vault_reseal.c --- */
/* The lock that a change is made under: had for a new one, with the key that counts in memory, or -1 with
 * *problem; and given back. */
int vault_change_take(struct vault *vault, struct problem *problem);
void vault_change_release(struct vault *vault);
/* The vault's folder, to be closed. 0, or -1 with *problem. */
int vault_change_folder(const struct vault *vault, struct key_folder *place, struct problem *problem);
/* Writes vault.json, and has it so in memory. */
int vault_change_record(struct vault *vault, const struct vault_record *record, struct problem *problem);
/* Makes the next key the one to seal with, if nothing is sealed to the old one any more: then *done. */
int vault_change_switch(struct vault *vault, const json_t *addresses, int64_t now, bool *done,
                        struct problem *problem);
/* The name in file, if it is that of a sealed file or of its previous generation. */
bool vault_name_in(const char *file, char name[VAULT_NAME_SIZE]);
/* Seals to key, in its place, what vault_examine found in file. 0, or -1 with *problem. */
int vault_seal_anew(struct vault *vault, int folder, const char *name, const char *file,
                    const struct envelope_key *key, const struct copy *copy, const struct secret *payload,
                    struct problem *problem);
/* Whether any file needs the key with this id. */
int vault_any_sealed_to(struct vault *vault, const unsigned char id[ENVELOPE_KEY_ID_SIZE], bool *any,
                        struct problem *problem);

/* --- vault_write.c --- */
/*
 * One writer or reader of vault.json at a time while the key to seal with changes: writers share it, who
 * changes it has it alone. A descriptor to close, or -1 when it could not be had in half a second; then
 * *problem. Where the file system cannot lock, sharing always succeeds.
 */
int vault_guard(struct vault *vault, bool alone, struct problem *problem);

/* --- vault_recipients.c --- */
/* Every envelope is sealed by this: to the device and to whoever else can open it. As envelope_seal, but -1
 * with errno (EFBIG: too large to be read again). */
int vault_seal(const struct vault *vault, const struct envelope_key *key, struct envelope_content *content,
               unsigned char **sealed, size_t *sealed_length);

#endif
