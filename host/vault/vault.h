/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The vault: sealed identities on disk and the device key that opens them. Every function that can fail
 * returns 0 or -1 and then fills *problem (PROBLEM_STORAGE, PROBLEM_VAULT_LOCKED, PROBLEM_VAULT_DAMAGED,
 * PROBLEM_MISCONFIGURED). Folder: see PROTOCOL files; format: FORMAT.md beside this file.
 */
#ifndef THUNDERSEAL_VAULT_VAULT_H
#define THUNDERSEAL_VAULT_VAULT_H

#include "core/problem.h"
#include "core/secret.h"
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* An envelope is read only up to this size; 1,000 addresses and two tokens of 64 KiB stay below it. */
#define VAULT_FILE_MAX ((size_t)256 * 1024)
/* Lower-case hex of a 16-byte keyless BLAKE2b over what makes an identity, and its NUL: the base name. */
#define VAULT_NAME_SIZE 33

#define VAULT_RECOVERY_KEY_SIZE 32 /* X25519 */

struct vault; /* opaque; owned by the caller of vault_open */

/* One identity as it stands on disk. */
struct vault_entry {
    char name[VAULT_NAME_SIZE];
    uint64_t generation;    /* counts the writes, from 1; 0 without a payload */
    json_t *header;         /* clear, no secrets; owned by the entry */
    struct secret payload;  /* JSON text of the tokens; empty while the vault is locked; owned by the entry */
    struct problem problem; /* PROBLEM_NONE, or why header and payload could not be had or came from .prev */
};

/*
 * Opens the vault in state_folder ("…/thunderseal"); creates nothing. keystore is the configured value
 * ("auto", "file", …). A folder that does not exist is an empty vault. A vault whose device key cannot be had
 * opens all the same, locked: vault_locked() then says why. Returns NULL only with *problem filled (out of
 * memory, or a folder that is a symlink, foreign or open to others: PROBLEM_STORAGE). A folder of ours that
 * is open to others is closed to them first.
 */
struct vault *vault_open(const char *state_folder, const char *keystore, struct problem *problem);
/* The same to look at it only: not even what a killed process left there is swept away. */
struct vault *vault_look(const char *state_folder, const char *keystore, struct problem *problem);
/* Wipes the key and releases everything; NULL is harmless. */
void vault_close(struct vault *vault);

/*
 * From here on everything is sealed to this X25519 key too, of which the vault has no other half: who has it
 * can open a copy, and write nothing.
 */
void vault_set_recovery_key(struct vault *vault, const unsigned char public_key[VAULT_RECOVERY_KEY_SIZE]);
/*
 * Seals anew what is sealed to other recipients than those in force, previous generations too, with the same
 * generation and content. What cannot be opened or written now is left for the next time.
 */
void vault_follow_recipients(struct vault *vault);

/* PROBLEM_NONE when sealed files can be opened and made; otherwise why not. */
const struct problem *vault_locked(const struct vault *vault);

/* What a child of ours could bring, so that a locked vault opens or a new one can be made. */
enum vault_want {
    VAULT_WANTS_NOTHING,
    VAULT_WANTS_LOOK_UP,       /* the keyring has the key */
    VAULT_WANTS_PASSPHRASE,    /* for the key file */
    VAULT_WANTS_STORE,         /* there is no vault: the keyring is to keep its new key */
    VAULT_WANTS_NEW_PASSPHRASE /* there is no vault: its key is to be put under a passphrase */
};
enum vault_want vault_want(const struct vault *vault);
/* The id of the key that is wanted. */
const unsigned char *vault_wanted_id(const struct vault *vault);
/* Looks at the disk again for what is wanted. */
void vault_look_again(struct vault *vault);

struct key_task;
struct key_answer;
/* Fills *task (zeroed) with what gets that; passphrase is only copied, and NULL where none is wanted. 0, or
 * -1 with *problem. */
int vault_key_task(struct vault *vault, const struct secret *passphrase, struct key_task *task,
                   struct problem *problem);
/*
 * What came of the task. 0: the vault is open, or can be made; 1: likewise, and *task has become one more to
 * be done, whose answer matters to nobody; -1: *problem, as vault_locked() from here on.
 */
int vault_key_take(struct vault *vault, struct key_task *task, struct key_answer *answer,
                   struct problem *problem);

/*
 * Makes sure that a sign-in could be saved, before any URL is made: creates folders, vault.json and key if
 * there is no vault yet (the first write chooses the store), and writes and removes a probe file. 0 or -1.
 */
int vault_prepare(struct vault *vault, struct problem *problem);

/* Folder that holds the sealed files, for a watch; valid as long as the vault. It may not exist yet. */
const char *vault_identities_folder(const struct vault *vault);

/*
 * Calls visit for each sealed identity (by name, in sorted order), damaged ones included. The entry is the
 * visitor's only during the call; it may move payload out and take its own reference to header. 0, or -1 when
 * the folder cannot be read.
 */
int vault_each(struct vault *vault, void (*visit)(void *context, struct vault_entry *entry), void *context,
               struct problem *problem);
/*
 * Reads one identity into *entry (zeroed by the caller). 0: found; 1: there is none; -1: *problem. A damaged
 * file is set aside (".damaged-N") and the previous generation used when good: entry->problem then says so.
 * The header is proven only when there is a payload (payload.bytes is not NULL); without one it is for
 * display alone.
 */
int vault_read(struct vault *vault, const char *name, struct vault_entry *entry, struct problem *problem);
/* Releases what an entry holds. */
void vault_entry_clear(struct vault_entry *entry);

/*
 * Seals and writes: returns only after fsync of file and folder; the previous generation stays as ".prev" and
 * a failure leaves the old generation or, if only the last fsync failed, the new one. generation must be
 * higher than the one on disk, so a retry takes a higher one again; header and payload stay the caller's.
 */
int vault_write(struct vault *vault, const char *name, uint64_t generation, const json_t *header,
                const struct secret *payload, struct problem *problem);
/* The same without ".prev" and ".damaged-N": for a sign-out or an address erased, nothing older survives. */
int vault_replace(struct vault *vault, const char *name, uint64_t generation, const json_t *header,
                  const struct secret *payload, struct problem *problem);
/* Removes every file of the identity (.prev, .damaged-N, temporaries). 0 also when there was none. */
int vault_erase(struct vault *vault, const char *name, struct problem *problem);

/* The base name for an identity: hash over its parts in the order given, each preceded by its length. */
void vault_name(char name[VAULT_NAME_SIZE], const char *const *parts, size_t count);

/* What vault.json says, for `status`: "file", what it protects against, and why it was chosen; static texts.
 */
const char *vault_keystore_name(const struct vault *vault);
const char *vault_keystore_protection(const struct vault *vault);
const char *vault_keystore_reason(const struct vault *vault);
/* The id of the device key in hex, "" when there is none; valid until the next call. */
const char *vault_key_id(const struct vault *vault);

#endif
