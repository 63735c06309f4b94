/* SPDX-License-Identifier: MPL-2.0 */
/* Tasks for the child that asks a key store, and what comes of its answers. */
#include "vault/key_problem.h"
#include "vault/storage_problem.h"
#include "vault/vault_internal.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

enum vault_want vault_want(const struct vault *vault)
{
    return vault->want;
}

const unsigned char *vault_wanted_id(const struct vault *vault)
{
    return vault->wanted_id;
}

void vault_look_again(struct vault *vault)
{
    vault_load_key(vault, true);
}

const struct problem *vault_locked(const struct vault *vault)
{
    return &vault->locked;
}

const char *vault_keystore_name(const struct vault *vault)
{
    return key_store_name(vault->record.key.store);
}

const char *vault_keystore_protection(const struct vault *vault)
{
    return key_store_protection(vault->record.key.store);
}

const char *vault_keystore_reason(const struct vault *vault)
{
    return vault->recorded ? key_reason_text(vault->record.reason)
                           : "There is no vault yet; this is where its key would be kept.";
}

const char *vault_key_id(const struct vault *vault)
{
    static char text[ENVELOPE_KEY_ID_SIZE * 2 + 1];

    if (!vault->recorded && !vault->has_key)
        return "";
    return sodium_bin2hex(text, sizeof text, vault->record.key.key_id, ENVELOPE_KEY_ID_SIZE);
}

/* ---- tasks ---- */

static int no_memory(const struct vault *vault, struct problem *problem)
{
    storage_problem(problem, "opened", vault->folder, ENOMEM);
    return -1;
}

int vault_draw_key(struct vault *vault, struct key_task *task, unsigned char proof[ENVELOPE_PROOF_SIZE],
                   struct problem *problem)
{
    struct device_key key = {0};
    struct secret copy = {0};
    int result = -1;

    if (secret_reserve(&task->secret, ENVELOPE_KEY_SIZE) == 0) {
        randombytes_buf(task->secret.bytes, task->secret.length);
        if (secret_copy(&copy, &task->secret) == 0 && device_key_set(&key, &copy) == 0) {
            memcpy(task->key_id, key.envelope.recipient.id, sizeof task->key_id);
            if (proof != NULL)
                envelope_key_vouch(proof, &vault->key, &key.envelope.recipient);
            result = 0;
        }
    }
    secret_wipe(&copy);
    device_key_wipe(&key);
    return result == 0 ? 0 : no_memory(vault, problem);
}

static int find_wrapped(struct vault *vault, struct key_task *task, struct problem *problem)
{
    struct key_folder place = {.folder = folder_open(vault->folder, problem), .path = vault->folder};
    struct key_file file = {0};
    struct device_key key = {0};
    enum device_key_result result;

    if (place.folder < 0)
        return -1;
    file.key = &key;
    result = key_file_find(&place, task->key_id, &file, NULL, problem);
    close(place.folder);
    device_key_wipe(&key);
    if (result == DEVICE_KEY_NONE)
        key_problem_passphrase(problem, KEY_FAILED, false);
    if (result != DEVICE_KEY_WRAPPED)
        return -1;
    memcpy(task->wrapped, file.wrapped, sizeof task->wrapped);
    return 0;
}

int vault_key_task(struct vault *vault, const struct secret *passphrase, struct key_task *task,
                   struct problem *problem)
{
    bool takes_passphrase =
        vault->want == VAULT_WANTS_PASSPHRASE || vault->want == VAULT_WANTS_NEW_PASSPHRASE;

    if (takes_passphrase && passphrase == NULL) {
        key_problem_passphrase(problem, KEY_DONE, vault->want == VAULT_WANTS_NEW_PASSPHRASE);
        return -1;
    }
    if (takes_passphrase && secret_copy(&task->passphrase, passphrase) != 0)
        return no_memory(vault, problem);
    memcpy(task->key_id, vault->wanted_id, sizeof task->key_id);
    switch (vault->want) {
    case VAULT_WANTS_LOOK_UP:
        task->kind = KEY_TASK_LOOK_UP;
        return 0;
    case VAULT_WANTS_PASSPHRASE:
        task->kind = KEY_TASK_OPEN;
        /* What became of an earlier passphrase says nothing of this one. */
        vault->outcome = KEY_DONE;
        vault_load_key(vault, true);
        return find_wrapped(vault, task, problem);
    case VAULT_WANTS_STORE:
        task->kind = KEY_TASK_STORE;
        return vault_draw_key(vault, task, NULL, problem);
    case VAULT_WANTS_NEW_PASSPHRASE:
        task->kind = KEY_TASK_WRAP;
        return vault_draw_key(vault, task, NULL, problem);
    case VAULT_WANTS_NOTHING:
    default:
        task->kind = KEY_TASK_NONE;
        return 0;
    }
}

/* ---- answers ---- */

static int still_locked(struct vault *vault, struct problem *problem)
{
    vault_load_key(vault, true);
    *problem = vault->has_key ? vault->unsealed : vault->locked;
    return problem->kind == PROBLEM_NONE ? 0 : -1;
}

static int take_secret(struct vault *vault, const struct key_task *task, struct key_answer *answer,
                       struct problem *problem)
{
    struct device_key key = {0};

    vault->outcome = answer->outcome;
    vault->other_key = false;
    if (answer->outcome != KEY_DONE)
        return still_locked(vault, problem);
    if (device_key_set(&key, &answer->secret) != 0) {
        vault->outcome = KEY_NO_MEMORY;
    } else if (!device_key_is(&key, task->key_id)) {
        vault->other_key = true;
        device_key_wipe(&key);
    } else {
        vault_adopt_key(vault, &key);
    }
    return still_locked(vault, problem);
}

/* The new key is kept: only now is there a vault. 1 when another process made one meanwhile. */
static int make_record(struct vault *vault, struct key_task *task, const struct key_answer *answer,
                       struct problem *problem)
{
    struct key_folder place = {.folder = folder_open_or_make(vault->folder, problem), .path = vault->folder};
    struct vault_record record = vault->record;
    struct device_key key = {0};
    int made = 0;

    if (place.folder < 0)
        return -1;
    memcpy(record.key.key_id, task->key_id, sizeof record.key.key_id);
    if (task->kind == KEY_TASK_WRAP)
        made = key_file_make_wrapped(&place, KEY_FILE, answer->wrapped, problem);
    if (made == 0)
        made = vault_record_make(place.folder, place.path, &record, problem);
    if (made == 0 && device_key_set(&key, &task->secret) == 0) {
        vault->record = record;
        vault_adopt_key(vault, &key);
    }
    close(place.folder);
    return made;
}

static int take_new(struct vault *vault, struct key_task *task, const struct key_answer *answer,
                    struct problem *problem)
{
    int made;

    vault->outcome = answer->outcome;
    if (answer->outcome != KEY_DONE) {
        /* Once: a keyring that comes up later would otherwise be chosen by half of the processes. */
        if (task->kind == KEY_TASK_STORE && strcmp(vault->keystore, "auto") == 0) {
            vault->keyring_failed = true;
            return still_locked(vault, problem);
        }
        if (task->kind == KEY_TASK_STORE)
            key_problem_keyring(problem, answer->outcome, true);
        else
            key_problem_passphrase(problem, answer->outcome, true);
        return -1;
    }
    made = make_record(vault, task, answer, problem);
    if (made < 0)
        return -1;
    if (made == 1 && task->kind == KEY_TASK_STORE) {
        task->kind = KEY_TASK_DROP;
        secret_wipe(&task->secret);
        vault_load_key(vault, true);
        return 1;
    }
    return still_locked(vault, problem);
}

int vault_key_take(struct vault *vault, struct key_task *task, struct key_answer *answer,
                   struct problem *problem)
{
    memset(problem, 0, sizeof *problem);
    switch (task->kind) {
    case KEY_TASK_LOOK_UP:
    case KEY_TASK_OPEN:
        return take_secret(vault, task, answer, problem);
    case KEY_TASK_STORE:
    case KEY_TASK_WRAP:
        return take_new(vault, task, answer, problem);
    case KEY_TASK_NONE:
    case KEY_TASK_DROP:
    default:
        return 0;
    }
}
