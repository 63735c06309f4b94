/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Writing identities. The new generation is on disk as a draft before anything that was there is touched.
 */
#include "vault/disk.h"
#include "vault/draft.h"
#include "vault/storage_problem.h"
#include "vault/vault_internal.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* Alone, it is held for as long as the sealed files are looked through: some milliseconds. */
#define GUARD_WAIT_MS 500
#define GUARD_STEP_MS 2

struct sealing {
    struct vault *vault;
    int folder;
    const char *name;
    char file[SEALED_NAME_SIZE]; /* name + SEALED_SUFFIX */
    char path[STORAGE_TEXT_MAX]; /* of it, for the texts */
    struct copy old;             /* what stands under file; if genuine, its bytes are in the vault's buffer */
    unsigned char *bytes;        /* the new envelope; owned */
    size_t length;
    struct problem *problem;
};

static int fail(struct sealing *sealing, const char *done TEXTS)
{
    storage_problem(sealing->problem, done, sealing->path, errno);
    return -1;
}

int vault_guard(struct vault *vault, bool alone, struct problem *problem)
{
    int folder = folder_open_or_make(vault->folder, problem);
    int waited = 0;

    if (folder < 0)
        return -1;
    while (disk_lock_folder(folder, alone ? LOCK_EX : LOCK_SH) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR && !alone)
            return folder;
        if (waited >= GUARD_WAIT_MS || (errno != EWOULDBLOCK && errno != EINTR)) {
            problem_setf(problem, PROBLEM_STORAGE, "Nothing to do: saving is tried again.",
                         "Another Thunderseal is changing the key in %s.", vault->folder);
            close(folder);
            return -1;
        }
        (void)poll(NULL, 0, GUARD_STEP_MS);
        waited += GUARD_STEP_MS;
    }
    return folder;
}

/* ---- before anything is changed ---- */

static int check_generation(struct sealing *sealing, uint64_t generation)
{
    struct copy previous;
    const struct copy *newest = &sealing->old;

    vault_examine(sealing->vault, sealing->folder, sealing->name, SEALED_SUFFIX, &sealing->old, NULL,
                  sealing->problem);
    if (sealing->old.state == COPY_REFUSED)
        return -1;
    if (sealing->old.state != COPY_GENUINE) {
        vault_examine(sealing->vault, sealing->folder, sealing->name, PREVIOUS_SUFFIX, &previous, NULL,
                      sealing->problem);
        newest = &previous;
    }
    /* It opens with a key that is on its way here: never set aside for one that is not. */
    if (sealing->old.state == COPY_FOREIGN && vault_awaits_key(sealing->vault)) {
        *sealing->problem = sealing->vault->unsealed;
        return -1;
    }
    if (newest->state != COPY_GENUINE || newest->envelope.generation < generation)
        return 0;
    problem_setf(sealing->problem, PROBLEM_STORAGE, "Try again: the newer one is then used.",
                 "The sign-in was saved meanwhile by another process, in %s.", sealing->path);
    return -1;
}

static int seal(struct sealing *sealing, uint64_t generation, const json_t *header,
                const struct secret *payload)
{
    struct envelope_content content = {.name = sealing->name, .generation = generation, .payload = payload};
    size_t flags = JSON_COMPACT | JSON_SORT_KEYS;
    char *text = NULL;
    int result = -1;

    content.header_length = json_dumpb(header, NULL, 0, flags);
    if (content.header_length > 0)
        text = malloc(content.header_length);
    errno = ENOMEM;
    if (text != NULL) {
        content.header = text;
        if (json_dumpb(header, text, content.header_length, flags) == content.header_length)
            result =
                vault_seal(sealing->vault, &sealing->vault->key, &content, &sealing->bytes, &sealing->length);
    }
    if (result != 0)
        (void)fail(sealing, "written");
    free(text);
    return result;
}

/* ---- the change ---- */

/* Removes the files of an identity but the one under its name and, unless drafts is set, drafts. 0, or -1
 * with errno. */
static int remove_remains(int folder, const char *name, bool drafts)
{
    struct folder_names list;
    char prefix[SEALED_NAME_SIZE];
    int result = 0;
    int error = 0;
    size_t i;

    snprintf(prefix, sizeof prefix, "%s" SEALED_SUFFIX ".", name);
    if (folder_list(folder, prefix, &list) != 0)
        return -1;
    for (i = 0; i < list.count; i++) {
        if (!drafts && draft_is_name(list.names[i]))
            continue;
        if (disk_remove(folder, list.names[i]) != 0 && errno != ENOENT) {
            error = errno;
            result = -1;
        }
    }
    folder_names_clear(&list);
    errno = error;
    return result;
}

/*
 * Keeps what is under the name as previous generation or, when it is no good, set aside; the name itself goes
 * on showing a good one. If nothing older may survive, it goes before the new one comes: a crash in between
 * leaves the old generation alone, and nobody was told of success.
 */
static int keep_old(struct sealing *sealing, bool only)
{
    char previous[SEALED_NAME_SIZE];

    switch (sealing->old.state) {
    case COPY_GENUINE:
        if (only)
            return remove_remains(sealing->folder, sealing->name, false);
        snprintf(previous, sizeof previous, "%s" PREVIOUS_SUFFIX, sealing->name);
        return file_replace(sealing->folder, previous, sealing->vault->buffer, sealing->old.length);
    case COPY_DAMAGED:
    case COPY_FOREIGN:
        return file_set_aside(sealing->folder, sealing->name, sealing->file, &sealing->old.status);
    case COPY_ABSENT:
    case COPY_UNTRIED:
    case COPY_REFUSED:
    default:
        return 0;
    }
}

static int put_in_place(struct sealing *sealing, bool only)
{
    struct draft draft;
    int result = -1;
    int error;

    if (draft_write(&draft, sealing->folder, sealing->file, sealing->bytes, sealing->length) == 0 &&
        keep_old(sealing, only) == 0 && draft_publish(&draft, sealing->file) == 0 &&
        disk_sync_folder(sealing->folder) == 0)
        result = 0;
    error = errno;
    draft_drop(&draft);
    errno = error;
    if (result == 0 && only &&
        (remove_remains(sealing->folder, sealing->name, false) != 0 ||
         disk_sync_folder(sealing->folder) != 0))
        result = -1;
    return result == 0 ? 0 : fail(sealing, "written");
}

static int write_generation(struct sealing *sealing, uint64_t generation, const json_t *header,
                            const struct secret *payload, bool only)
{
    int result = -1;
    int guard;

    if (!vault_name_is_valid(sealing->name, strlen(sealing->name)) || !json_is_object(header)) {
        problem_set(sealing->problem, PROBLEM_INTERNAL, "A sign-in without a name or header cannot be saved.",
                    "Report this as a bug in Thunderseal.");
        return -1;
    }
    snprintf(sealing->file, sizeof sealing->file, "%s" SEALED_SUFFIX, sealing->name);
    vault_path(sealing->vault, sealing->file, sealing->path, sizeof sealing->path);
    guard = vault_guard(sealing->vault, false, sealing->problem);
    if (guard < 0)
        return -1;
    sealing->folder = vault_open_for_writing(sealing->vault, sealing->problem);
    if (sealing->folder >= 0) {
        if (check_generation(sealing, generation) == 0 && seal(sealing, generation, header, payload) == 0)
            result = put_in_place(sealing, only);
        free(sealing->bytes);
        close(sealing->folder);
    }
    close(guard);
    return result;
}

int vault_write(struct vault *vault, const char *name, uint64_t generation, const json_t *header,
                const struct secret *payload, struct problem *problem)
{
    struct sealing sealing = {.vault = vault, .name = name, .problem = problem};

    return write_generation(&sealing, generation, header, payload, false);
}

int vault_replace(struct vault *vault, const char *name, uint64_t generation, const json_t *header,
                  const struct secret *payload, struct problem *problem)
{
    struct sealing sealing = {.vault = vault, .name = name, .problem = problem};

    return write_generation(&sealing, generation, header, payload, true);
}

/* The file itself goes last: without it, a previous generation left by a crash would come back to life. */
int vault_erase(struct vault *vault, const char *name, struct problem *problem)
{
    char file[SEALED_NAME_SIZE];
    int result = -1;
    int folder;

    if (!vault_name_is_valid(name, strlen(name)))
        return 0;
    folder = folder_open(vault->identities, problem);
    if (folder == FOLDER_ABSENT)
        return 0;
    if (folder < 0)
        return -1;
    snprintf(file, sizeof file, "%s" SEALED_SUFFIX, name);
    if (remove_remains(folder, name, true) == 0 && (disk_remove(folder, file) == 0 || errno == ENOENT) &&
        disk_sync_folder(folder) == 0)
        result = 0;
    else
        storage_problem(problem, "removed", vault->identities, errno);
    close(folder);
    return result;
}
