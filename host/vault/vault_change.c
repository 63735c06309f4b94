/* SPDX-License-Identifier: MPL-2.0 */
/* The steps forward of a change of the key: begun, kept by its store, made the one to seal with. */
#include "vault/vault_change.h"
#include "vault/audit.h"
#include "vault/disk.h"
#include "vault/key_problem.h"
#include "vault/storage_problem.h"
#include "vault/vault_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum key_change vault_change_state(const struct vault *vault)
{
    return vault->recorded ? vault->record.change : KEY_CHANGE_NONE;
}

/* ---- one process at a time: a lock on the folder of the sealed files ---- */

void vault_change_release(struct vault *vault)
{
    if (vault->change_lock >= 0)
        close(vault->change_lock);
    vault->change_lock = -1;
}

void vault_change_leave(struct vault *vault)
{
    vault_change_release(vault);
}

bool vault_change_take_on(struct vault *vault)
{
    struct problem ignored;

    if (vault->change_lock >= 0)
        return true;
    vault->change_lock = folder_open_or_make(vault->identities, &ignored);
    if (vault->change_lock >= 0 && disk_lock_folder(vault->change_lock, LOCK_EX) == 0) {
        vault_load_key(vault, true); /* it may just have been finished */
        return true;
    }
    if (vault->change_lock < 0)
        vault->change_lock = -1;
    vault_change_release(vault);
    return false;
}

static int busy(const struct vault *vault, struct problem *problem)
{
    problem_setf(problem, PROBLEM_STORAGE, "Wait until the other program is done, then try again.",
                 "The key in %s is being changed already, or cannot be.", vault->folder);
    return -1;
}

int vault_change_take(struct vault *vault, struct problem *problem)
{
    int identities = vault_open_for_writing(vault, problem);

    if (identities < 0)
        return -1;
    close(identities);
    if (!vault_change_take_on(vault) || vault->record.change != KEY_CHANGE_NONE) {
        vault_change_release(vault);
        return busy(vault, problem);
    }
    /* Until the lock was had, another process could change the key: then ours is not the one that counts. */
    if (vault->unsealed.kind == PROBLEM_NONE)
        return 0;
    *problem = vault->unsealed;
    vault_change_release(vault);
    return -1;
}

/* ---- vault.json ---- */

int vault_change_folder(const struct vault *vault, struct key_folder *place, struct problem *problem)
{
    place->path = vault->folder;
    place->folder = folder_open(vault->folder, problem);
    if (place->folder == FOLDER_ABSENT)
        storage_problem(problem, "opened", vault->folder, ENOENT);
    return place->folder < 0 ? -1 : 0;
}

int vault_change_record(struct vault *vault, const struct vault_record *record, struct problem *problem)
{
    struct key_folder place;
    int result;

    if (vault_change_folder(vault, &place, problem) != 0)
        return -1;
    result = vault_record_write(place.folder, place.path, record, problem);
    close(place.folder);
    if (result == 0)
        vault->record = *record;
    return result;
}

/* ---- forward ---- */

int vault_change_begin(struct vault *vault, enum key_store store, const struct secret *passphrase,
                       struct key_task *task, struct problem *problem)
{
    unsigned char proof[ENVELOPE_PROOF_SIZE];
    struct vault_record record;

    if (vault_change_take(vault, problem) != 0)
        return -1;
    task->kind = store == KEY_STORE_SECRET_SERVICE ? KEY_TASK_STORE
                 : store == KEY_STORE_PASSPHRASE   ? KEY_TASK_WRAP
                                                   : KEY_TASK_NONE;
    if (task->kind == KEY_TASK_WRAP && passphrase == NULL) {
        key_problem_passphrase(problem, KEY_DONE, true);
        goto fail;
    }
    if (task->kind == KEY_TASK_WRAP && secret_copy(&task->passphrase, passphrase) != 0) {
        storage_problem(problem, "written", vault->folder, ENOMEM);
        goto fail;
    }
    if (vault_draw_key(vault, task, proof, problem) != 0)
        goto fail;
    record = vault->record;
    record.change = KEY_CHANGE_NEXT;
    record.second.store = store;
    memcpy(record.second.key_id, task->key_id, sizeof record.second.key_id);
    memset(record.second.proof, 0, sizeof record.second.proof);
    if (store == KEY_STORE_FILE && !vault->key_plain)
        memcpy(record.second.proof, proof, sizeof record.second.proof);
    /* First of all: whatever the store has from here on can be found again. */
    if (vault_change_record(vault, &record, problem) == 0)
        return 0;
fail:
    vault_change_release(vault);
    return -1;
}

/* A key file of this name that a change which was undone has left is nobody's. */
static int keep_in_file(struct vault *vault, const struct key_task *task, const struct key_answer *answer,
                        struct problem *problem)
{
    struct key_folder place;
    int result = -1;

    if (vault_change_folder(vault, &place, problem) != 0)
        return -1;
    if (disk_remove(place.folder, KEY_FILE_NEXT) == 0 || errno == ENOENT)
        result = task->kind == KEY_TASK_WRAP
                     ? key_file_make_wrapped(&place, KEY_FILE_NEXT, answer->wrapped, problem)
                     : key_file_make(&place, KEY_FILE_NEXT, &task->secret, problem);
    else
        storage_problem(problem, "written", vault->folder, errno);
    if (result == 1)
        storage_problem(problem, "written", vault->folder, EEXIST);
    close(place.folder);
    return result == 0 ? 0 : -1;
}

int vault_change_kept(struct vault *vault, const struct key_task *task, const struct key_answer *answer,
                      struct problem *problem)
{
    struct device_key key = {0};
    struct secret secret = {0};
    struct key_task ignored = {0};
    struct problem undoing;
    int result = -1;

    if (answer->outcome != KEY_DONE) {
        if (task->kind == KEY_TASK_WRAP)
            key_problem_passphrase(problem, answer->outcome, true);
        else
            key_problem_keyring(problem, answer->outcome, task->kind == KEY_TASK_STORE);
    } else if (task->kind == KEY_TASK_STORE || keep_in_file(vault, task, answer, problem) == 0) {
        result = secret_copy(&secret, &task->secret);
        if (result == 0)
            result = device_key_set(&key, &secret);
        key.plain = task->kind == KEY_TASK_NONE;
        if (result == 0)
            vault_adopt_key(vault, &key);
        else
            storage_problem(problem, "opened", vault->folder, ENOMEM);
    }
    secret_wipe(&secret);
    if (result != 0)
        (void)vault_change_go_back(vault, &ignored, &undoing);
    return result;
}

bool vault_change_can_go_on(const struct vault *vault)
{
    return vault->has_key && vault->record.change == KEY_CHANGE_NEXT &&
           device_key_is(&vault->other, vault->record.second.key_id);
}

struct switching {
    struct vault *vault;
    const struct vault_record *record;
};

static int record_switch(void *context, struct problem *problem)
{
    const struct switching *switching = context;

    return vault_change_record(switching->vault, switching->record, problem);
}

/* Only once nothing is sealed to the old key, with nobody writing: what comes later is sealed to the new one.
 */
int vault_change_switch(struct vault *vault, const json_t *addresses, int64_t now, bool *done,
                        struct problem *problem)
{
    struct vault_record record = vault->record;
    struct switching switching = {vault, &record};
    const struct audit_rekeying log = {.old_key = &vault->key,
                                       .new_key = &vault->other.envelope,
                                       .addresses = addresses,
                                       .now = now,
                                       .commit = record_switch,
                                       .context = &switching};
    int guard = vault_guard(vault, true, problem);
    bool any = true;
    int result = -1;

    if (guard < 0)
        return -1;
    if (vault_any_sealed_to(vault, vault->record.key.key_id, &any, problem) == 0 && any)
        result = 0; /* somebody wrote meanwhile: once more around */
    vault->resealed[0] = '\0';
    if (!any) {
        record.key = vault->record.second;
        record.second = vault->record.key;
        record.change = KEY_CHANGE_OLD;
        if (record.key.store != record.second.store)
            record.reason = KEY_REASON_MOVED;
        result = audit_rekey(vault, &log, problem);
        *done = result == 0;
    }
    close(guard);
    if (*done)
        vault_load_key(vault, true);
    return result;
}
