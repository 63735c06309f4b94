/* SPDX-License-Identifier: MPL-2.0 */
/* Why a key store gave no key, in plain words with a next step: PROBLEM_VAULT_LOCKED. */
#ifndef THUNDERSEAL_VAULT_KEY_PROBLEM_H
#define THUNDERSEAL_VAULT_KEY_PROBLEM_H

#include "core/problem.h"
#include "vault/key_task.h"

/* The keyring; KEY_DONE: it has not answered yet. is_new: it was to take a new key, not to give one. */
void key_problem_keyring(struct problem *problem, enum key_outcome outcome, bool is_new);
/* The keyring has something under the key's id that is not the key. */
void key_problem_other_key(struct problem *problem);
/* The passphrase; KEY_DONE: it has not been given yet. is_new: there is no vault, so it will be chosen. */
void key_problem_passphrase(struct problem *problem, enum key_outcome outcome, bool is_new);

#endif
