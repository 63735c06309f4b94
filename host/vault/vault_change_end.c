/* SPDX-License-Identifier: MPL-2.0 */
/* The end of a change of the key, or the way back: what is dropped. And another passphrase for the same key.
 */
#include "vault/disk.h"
#include "vault/key_problem.h"
#include "vault/storage_problem.h"
#include "vault/vault_change.h"
#include "vault/vault_internal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* ---- the files ---- */

static bool in_file(enum key_store store)
{
    return store == KEY_STORE_FILE || store == KEY_STORE_PASSPHRASE;
}

/* Leaves the key that counts in "key", and no other. */
static int tidy_files(struct vault *vault, const struct key_folder *place, const struct key_place *kept,
                      struct problem *problem)
{
    struct key_file file = {0};
    struct device_key key = {0};
    const char *name = NULL;
    enum device_key_result found;
    int result = 0;

    file.key = &key;
    if (!in_file(kept->store)) {
        if ((disk_remove(place->folder, KEY_FILE) != 0 && errno != ENOENT) ||
            (disk_remove(place->folder, KEY_FILE_NEXT) != 0 && errno != ENOENT))
            result = -1;
    } else if ((found = key_file_find(place, kept->key_id, &file, &name, problem)) == DEVICE_KEY_NONE) {
        result = -1;
        errno = ENOENT;
    } else if (found == DEVICE_KEY_LOCKED) {
        return -1;
    } else if (strcmp(name, KEY_FILE_NEXT) == 0) {
        result = disk_rename(place->folder, KEY_FILE_NEXT, KEY_FILE);
    } else if (disk_remove(place->folder, KEY_FILE_NEXT) != 0 && errno != ENOENT) {
        result = -1;
    }
    device_key_wipe(&key);
    if (result == 0)
        result = disk_sync_folder(place->folder);
    if (result != 0)
        storage_problem(problem, "written", vault->folder, errno);
    return result;
}

/* kept stays, dropped goes. */
static int drop(struct vault *vault, const struct key_place *kept, const struct key_place *dropped,
                struct key_task *task, struct problem *problem)
{
    struct key_folder place;
    int result;

    if (vault_change_folder(vault, &place, problem) != 0)
        return -1;
    result = tidy_files(vault, &place, kept, problem);
    close(place.folder);
    if (dropped->store == KEY_STORE_SECRET_SERVICE) {
        task->kind = KEY_TASK_DROP;
        memcpy(task->key_id, dropped->key_id, sizeof task->key_id);
    }
    return result;
}

int vault_change_tidy(struct vault *vault, struct key_task *task, struct problem *problem)
{
    return drop(vault, &vault->record.key, &vault->record.second, task, problem);
}

int vault_change_end(struct vault *vault, bool dropped, struct problem *problem)
{
    struct vault_record record = vault->record;
    int result = 0;

    if (dropped) {
        record.change = KEY_CHANGE_NONE;
        memset(&record.second, 0, sizeof record.second);
        result = vault_change_record(vault, &record, problem);
        device_key_wipe(&vault->other);
    }
    vault_change_release(vault);
    vault_load_key(vault, true);
    return result;
}

/* ---- back ---- */

bool vault_change_can_go_back(struct vault *vault)
{
    struct problem ignored;
    bool any = true;

    return vault->record.change == KEY_CHANGE_NEXT &&
           vault_any_sealed_to(vault, vault->record.second.key_id, &any, &ignored) == 0 && !any;
}

int vault_change_go_back(struct vault *vault, struct key_task *task, struct problem *problem)
{
    if (drop(vault, &vault->record.key, &vault->record.second, task, problem) != 0) {
        vault_change_release(vault);
        return -1;
    }
    return vault_change_end(vault, true, problem);
}

/* ---- another passphrase ---- */

int vault_rewrap_task(struct vault *vault, const struct secret *passphrase, struct key_task *task,
                      struct problem *problem)
{
    if (vault_change_take(vault, problem) != 0)
        return -1;
    task->kind = KEY_TASK_WRAP;
    memcpy(task->key_id, vault->record.key.key_id, sizeof task->key_id);
    if (secret_copy(&task->passphrase, passphrase) == 0 && secret_copy(&task->secret, &vault->secret) == 0)
        return 0;
    vault_change_release(vault);
    storage_problem(problem, "written", vault->folder, ENOMEM);
    return -1;
}

int vault_rewrapped(struct vault *vault, const struct key_answer *answer, struct problem *problem)
{
    struct key_folder place;
    int result = -1;

    if (answer->outcome != KEY_DONE) {
        key_problem_passphrase(problem, answer->outcome, false);
    } else if (vault_change_folder(vault, &place, problem) == 0) {
        result = file_replace(place.folder, KEY_FILE, answer->wrapped, sizeof answer->wrapped);
        if (result != 0)
            storage_problem(problem, "written", vault->folder, errno);
        close(place.folder);
    }
    vault_change_release(vault);
    return result;
}
