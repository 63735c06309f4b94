/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Reading identities: the file, else its previous generation, else what is left to say which identity it was.
 */
#include "core/json_read.h"
#include "vault/draft.h"
#include "vault/storage_problem.h"
#include "vault/vault_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- from a file to an entry ---- */

static int take_header(struct vault_entry *entry, const struct envelope *envelope)
{
    entry->header = json_read((const char *)envelope->header, envelope->header_length, JSON_REJECT_DUPLICATES,
                              NULL, NULL);
    if (entry->header != NULL && !json_is_object(entry->header)) {
        json_decref(entry->header);
        entry->header = NULL;
    }
    return entry->header == NULL ? -1 : 0;
}

static int take_genuine(struct vault *vault, struct vault_entry *entry, const struct copy *copy,
                        struct problem *problem)
{
    entry->generation = copy->envelope.generation;
    if (take_header(entry, &copy->envelope) == 0)
        return 0;
    secret_wipe(&entry->payload);
    storage_problem(problem, "read", vault->identities, ENOMEM);
    return -1;
}

/* The header of a file that nobody could check: better than no address at all, and shown with the problem. */
static int take_unproven(const struct vault *vault, struct vault_entry *entry, const struct copy *copy)
{
    if (copy->state == COPY_UNTRIED || copy->state == COPY_FOREIGN)
        (void)take_header(entry, &copy->envelope);
    if (copy->state != COPY_FOREIGN && vault->locked.kind != PROBLEM_NONE) {
        entry->problem = vault->locked;
        return 0;
    }
    if (vault_awaits_key(vault)) {
        entry->problem = vault->unsealed;
        return 0;
    }
    problem_setf(&entry->problem, PROBLEM_VAULT_LOCKED,
                 "Restore the key that belongs to it from a backup, or sign in again.",
                 "The saved sign-in was sealed with another device key than the one in %s.", vault->folder);
    return 0;
}

static void report_damage(const struct vault *vault, struct vault_entry *entry, const char *remedy TEXTS)
{
    char path[STORAGE_TEXT_MAX];

    vault_path(vault, entry->name, path, sizeof path);
    problem_setf(&entry->problem, PROBLEM_VAULT_DAMAGED, remedy,
                 "The saved sign-in %s" SEALED_SUFFIX " was damaged, changed by another program, or removed.",
                 path);
}

/* The file set aside last tells which account it was. */
static int take_remains(struct vault *vault, int folder, struct vault_entry *entry)
{
    struct folder_names list;
    char prefix[SEALED_NAME_SIZE];
    struct copy copy;
    struct problem ignored;
    size_t i;
    int found;

    snprintf(prefix, sizeof prefix, "%s" DAMAGED_SUFFIX, entry->name);
    if (folder_list(folder, prefix, &list) != 0)
        return 0;
    found = list.count != 0;
    for (i = list.count; i > 0 && entry->header == NULL; i--) {
        vault_examine(vault, folder, entry->name, list.names[i - 1] + strlen(entry->name), &copy, NULL,
                      &ignored);
        if (envelope_parse(vault->buffer, copy.length, &copy.envelope) == 0)
            (void)take_header(entry, &copy.envelope);
    }
    folder_names_clear(&list);
    return found;
}

/* ---- one identity ---- */

static void set_aside(const struct vault *vault, int folder, const char *name, const char *suffix,
                      const struct copy *copy)
{
    char file[SEALED_NAME_SIZE];

    /* Without the key, nobody can tell what is damaged; where nothing can be renamed, the report must do. */
    if (!vault->has_key)
        return;
    snprintf(file, sizeof file, "%s%s", name, suffix);
    (void)file_set_aside(folder, name, file, &copy->status);
}

static int load_previous(struct vault *vault, int folder, struct vault_entry *entry, bool damaged,
                         struct problem *problem)
{
    struct copy copy;

    vault_examine(vault, folder, entry->name, PREVIOUS_SUFFIX, &copy, &entry->payload, problem);
    switch (copy.state) {
    case COPY_GENUINE:
        report_damage(vault, entry,
                      "Nothing: the copy saved before it is in use. If this comes again, check the disk.");
        return take_genuine(vault, entry, &copy, problem);
    case COPY_UNTRIED:
    case COPY_FOREIGN:
        return take_unproven(vault, entry, &copy);
    case COPY_REFUSED:
        return -1;
    case COPY_DAMAGED:
        set_aside(vault, folder, entry->name, PREVIOUS_SUFFIX, &copy);
        damaged = true;
        break;
    case COPY_ABSENT:
    default:
        break;
    }
    if (!vault->has_key && damaged)
        return take_unproven(vault, entry, &copy);
    if (take_remains(vault, folder, entry) == 0 && !damaged)
        return 1;
    report_damage(vault, entry, "Sign in again; what is left of the file is kept beside it.");
    return 0;
}

static int load(struct vault *vault, int folder, struct vault_entry *entry, struct problem *problem)
{
    struct copy copy;

    vault_examine(vault, folder, entry->name, SEALED_SUFFIX, &copy, &entry->payload, problem);
    if (copy.state == COPY_FOREIGN) {
        /* Another process may have made the vault anew, with a new key. */
        vault_load_key(vault, true);
        vault_examine(vault, folder, entry->name, SEALED_SUFFIX, &copy, &entry->payload, problem);
    }
    switch (copy.state) {
    case COPY_GENUINE:
        return take_genuine(vault, entry, &copy, problem);
    case COPY_UNTRIED:
    case COPY_FOREIGN:
        return take_unproven(vault, entry, &copy);
    case COPY_REFUSED:
        return -1;
    case COPY_DAMAGED:
        set_aside(vault, folder, entry->name, SEALED_SUFFIX, &copy);
        return load_previous(vault, folder, entry, true, problem);
    case COPY_ABSENT:
    default:
        return load_previous(vault, folder, entry, false, problem);
    }
}

int vault_read(struct vault *vault, const char *name, struct vault_entry *entry, struct problem *problem)
{
    int folder;
    int result;

    vault_load_key(vault, false);
    if (!vault_name_is_valid(name, strlen(name)))
        return 1;
    folder = folder_open(vault->identities, problem);
    if (folder == FOLDER_ABSENT)
        return 1;
    if (folder < 0)
        return -1;
    memcpy(entry->name, name, VAULT_NAME_SIZE);
    result = load(vault, folder, entry, problem);
    close(folder);
    return result;
}

void vault_entry_clear(struct vault_entry *entry)
{
    json_decref(entry->header);
    secret_wipe(&entry->payload);
    memset(entry, 0, sizeof *entry);
}

/* ---- all of them ---- */

/* Whether file is one of an identity's and not a draft; then name is the identity's. */
static bool identity_of(const char *file, char name[VAULT_NAME_SIZE])
{
    const char *dot = strchr(file, '.');

    if (dot == NULL || !vault_name_is_valid(file, (size_t)(dot - file)) ||
        (strcmp(dot, SEALED_SUFFIX) != 0 && strcmp(dot, PREVIOUS_SUFFIX) != 0 &&
         strncmp(dot, DAMAGED_SUFFIX, strlen(DAMAGED_SUFFIX)) != 0) ||
        draft_is_name(file))
        return false;
    memcpy(name, file, VAULT_NAME_SIZE - 1);
    name[VAULT_NAME_SIZE - 1] = '\0';
    return true;
}

static void visit_one(struct vault *vault, int folder, const char *name,
                      void (*visit)(void *context, struct vault_entry *entry), void *context)
{
    struct vault_entry entry = {0};
    struct problem problem = {0};
    int result;

    memcpy(entry.name, name, VAULT_NAME_SIZE);
    result = load(vault, folder, &entry, &problem);
    if (result < 0)
        entry.problem = problem;
    if (result <= 0)
        visit(context, &entry);
    vault_entry_clear(&entry);
}

int vault_each(struct vault *vault, void (*visit)(void *context, struct vault_entry *entry), void *context,
               struct problem *problem)
{
    struct folder_names list;
    char name[VAULT_NAME_SIZE];
    char last[VAULT_NAME_SIZE] = "";
    int folder;
    size_t i;

    vault_load_key(vault, false);
    folder = folder_open(vault->identities, problem);
    if (folder == FOLDER_ABSENT)
        return 0;
    if (folder < 0)
        return -1;
    if (folder_list(folder, "", &list) != 0) {
        storage_problem(problem, "read", vault->identities, errno);
        close(folder);
        return -1;
    }
    /* Sorted, the files of an identity stand together. */
    for (i = 0; i < list.count; i++) {
        if (!identity_of(list.names[i], name) || strcmp(name, last) == 0)
            continue;
        memcpy(last, name, sizeof last);
        visit_one(vault, folder, name, visit, context);
    }
    folder_names_clear(&list);
    close(folder);
    return 0;
}
