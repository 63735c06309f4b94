/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Changing the device key, and with it perhaps its store, in steps between which the process may die at any
 * point: FORMAT.md has them. One process at a time; the others go on and take over. Returns as in vault.h.
 */
#ifndef THUNDERSEAL_VAULT_VAULT_CHANGE_H
#define THUNDERSEAL_VAULT_VAULT_CHANGE_H

#include "vault/key_task.h"
#include "vault/vault.h"
#include "vault/vault_record.h"

/* What vault.json says: whether a change was begun (KEY_CHANGE_NEXT) or has only to be tidied up (_OLD). */
enum key_change vault_change_state(const struct vault *vault);
/* Takes on what another process has left unfinished. false: one is at it, or it cannot be told. */
bool vault_change_take_on(struct vault *vault);
/* Leaves it as it is, to whoever can go on with it. */
void vault_change_leave(struct vault *vault);

/*
 * Begins: a new key for that store, which is the one in force for a mere rotation. *task (zeroed) is then
 * what has the store keep it, with the passphrase for that store; KEY_TASK_NONE: nothing need be asked.
 */
int vault_change_begin(struct vault *vault, enum key_store store, const struct secret *passphrase,
                       struct key_task *task, struct problem *problem);
/* The store has it, or not: then everything is as before. */
int vault_change_kept(struct vault *vault, const struct key_task *task, const struct key_answer *answer,
                      struct problem *problem);
/* Whether both keys are in memory, so that it can go forward; and whether, instead, it can go back. */
bool vault_change_can_go_on(const struct vault *vault);
bool vault_change_can_go_back(struct vault *vault);
/* Reseals one identity or, when none is left, makes the new key the one to seal with, and the audit log
 * afresh under it: then *done. addresses: texts, those that the log is to know by their new hashes. */
int vault_change_go_on(struct vault *vault, const json_t *addresses, int64_t now, bool *done,
                       struct problem *problem);
/* Forgets the next key. *task as below. */
int vault_change_go_back(struct vault *vault, struct key_task *task, struct problem *problem);
/* Drops the old key from disk. *task (zeroed) is what drops it from a keyring, or KEY_TASK_NONE. */
int vault_change_tidy(struct vault *vault, struct key_task *task, struct problem *problem);
/* After that, or when it has to be left for another day: false keeps the old key's place in vault.json. */
int vault_change_end(struct vault *vault, bool dropped, struct problem *problem);

/* The same key under another passphrase; only where the store is a passphrase. */
int vault_rewrap_task(struct vault *vault, const struct secret *passphrase, struct key_task *task,
                      struct problem *problem);
int vault_rewrapped(struct vault *vault, const struct key_answer *answer, struct problem *problem);

#endif
