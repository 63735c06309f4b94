/* SPDX-License-Identifier: MPL-2.0 */
/* Loading entries from disk, and taking over what another process of the user has written. */
#include "service/service_parts.h"

#include <stdlib.h>
#include <string.h>

static bool target_matches(const struct entry *entry, const char *account)
{
    struct account_target target;

    settings_target(&entry->service->settings, account, &entry->wish, &target);
    return keys_equal(&target.key, &entry->identity.key);
}

/* Of two identities with the same address the one that the configuration wants keeps it; else the later
 * sign-in. */
static bool claims_better(const struct entry *a, const struct entry *b, const char *account)
{
    bool a_matches = target_matches(a, account), b_matches = target_matches(b, account);

    if (a_matches != b_matches)
        return a_matches;
    return a->identity.grant.obtained_at > b->identity.grant.obtained_at;
}

/*
 * An address cannot be in two identities. While the host runs, the file that was written last is right:
 * another process is moving the address. At the start a crash came between writing the new file and cleaning
 * the old one.
 */
static int take_address(struct entry *entry, const char *address)
{
    bool starting = entry->service->starting;
    struct entry *other;

    while ((other = entry_other_with(entry, address)) != NULL) {
        if (starting && claims_better(other, entry, address)) {
            entry->untidy = true;
            return 0;
        }
        entry_remove_address(other, address);
        other->untidy = starting;
    }
    return entry_add_address(entry, address);
}

/* A header without payload is not proven: it may name accounts that nobody serves, and change nothing else.
 * 0, or -1 out of memory. */
static int take_header(struct entry *entry, const struct record_header *extra, bool proven)
{
    json_t *address;
    int result = 0;
    size_t i;

    /* Before the addresses: who may keep one depends on what was asked for. */
    if (proven || json_array_size(entry->addresses) == 0) {
        memcpy(entry->wish.sign_in_as, entry->identity.key.sign_in_as, sizeof entry->wish.sign_in_as);
        memcpy(entry->wish.tenant, extra->tenant, sizeof entry->wish.tenant);
        memcpy(entry->wish.cloud, extra->cloud, sizeof entry->wish.cloud);
    }
    if (proven)
        entry_clear_addresses(entry);
    json_array_foreach(extra->addresses, i, address)
    {
        if (proven)
            result |= take_address(entry, json_string_value(address));
        else if (entry_of(entry->service, json_string_value(address)) == NULL)
            result |= entry_add_address(entry, json_string_value(address));
    }
    return result;
}

/* A file whose header cannot be used, or stands in another's place, serves nobody; it stays where it is. */
static struct entry *entry_for(struct service *service, const struct vault_entry *file,
                               struct record_header *extra)
{
    struct identity identity;
    char name[VAULT_NAME_SIZE];

    memset(&identity, 0, sizeof identity);
    if (file->header == NULL || identity_header_read(file->header, &identity, extra) != 0)
        return NULL;
    entry_name(name, &identity.key);
    return strcmp(name, file->name) == 0 ? entry_make(service, &identity.key) : NULL;
}

static void damaged(struct problem *problem)
{
    problem_set(problem, PROBLEM_VAULT_DAMAGED, "The stored sign-in of this account is damaged.",
                "Sign in again.");
}

/* Gives the machine what the file holds. 0, -1 when that is no identity, or 1 out of memory. */
static int replace(struct entry *entry, const struct secret *payload)
{
    struct identity *stored = calloc(1, sizeof *stored);
    const struct event event = {.kind = EVENT_REPLACED, .replaced = stored};
    int result;

    if (stored == NULL)
        return 1;
    result = identity_payload_read(payload, stored);
    if (result == 0)
        (void)entry_step(entry, &event);
    identity_clear(stored);
    free(stored);
    return result;
}

static void take_tokens(struct entry *entry, const struct secret *payload)
{
    int result = replace(entry, payload);

    if (result < 0)
        damaged(&entry->identity.held);
    else if (result > 0)
        problem_set_no_memory(&entry->identity.held);
}

/* Puts the tokens of the file in the place of those that the entry had. */
static void take_payload(struct entry *entry, struct vault_entry *file)
{
    struct identity *identity = &entry->identity;
    const struct problem before = identity->held;

    memset(&identity->held, 0, sizeof identity->held);
    entry->generation = file->generation;
    entry->on_disk = entry->seen = true;
    entry_changed(entry);
    if (file->payload.bytes != NULL) {
        take_tokens(entry, &file->payload);
        /* The generation before stepped in: told, though everything goes on. */
        if (file->problem.kind != PROBLEM_NONE)
            settings_warn(&entry->service->settings, &file->problem);
        if (file->problem.kind == PROBLEM_VAULT_DAMAGED)
            audit_damaged(entry, true);
    } else if (file->problem.kind != PROBLEM_NONE) {
        identity->held = file->problem;
    } else {
        damaged(&identity->held);
    }
    if (identity->held.kind == PROBLEM_NONE)
        return;
    identity_forget_tokens(identity);
    /* The reader has no clock. What lasts is known since it was first seen. */
    identity->held.since = identity->held.kind == before.kind ? before.since : wall_clock();
    if (identity->held.kind == PROBLEM_VAULT_DAMAGED && before.kind != PROBLEM_VAULT_DAMAGED)
        audit_damaged(entry, false);
    if (identity->held.kind == PROBLEM_VAULT_LOCKED)
        entry->service->any_locked = true;
    /* A file that could not be read says nothing of what is in it: with the next message it may. */
    if (identity->held.kind == PROBLEM_STORAGE || identity->held.kind == PROBLEM_INTERNAL)
        entry->service->reload_due = true;
}

/* An address is missing in memory: nothing of the entry may be written until it has been read again. */
static void hold_incomplete(struct entry *entry)
{
    problem_set_no_memory(&entry->identity.held);
    entry->identity.held.since = wall_clock();
    identity_forget_tokens(&entry->identity);
    entry->service->reload_due = true;
}

static void load_one(void *context, struct vault_entry *file)
{
    struct record_header extra = {0};
    struct service *service = context;
    struct entry *entry = entry_for(service, file, &extra);

    /* What is proven says how far the audit log goes. */
    if (file->payload.bytes != NULL && service->audit != NULL)
        audit_expect(service->audit, json_object_get(file->header, AUDIT_ANCHOR));
    if (entry != NULL) {
        take_payload(entry, file);
        if (take_header(entry, &extra, file->payload.bytes != NULL) != 0)
            hold_incomplete(entry);
        entry_judge(entry);
    }
    json_decref(extra.addresses);
}

/* Accounts named in policy exist without account.add. */
void store_policy_accounts(struct service *service)
{
    json_t *accounts = json_object_get(service->settings.values, "accounts"), *value;
    const struct account_wish nothing = {0};
    const char *account;
    struct problem problem;

    json_object_foreach(accounts, account, value)
    {
        if (account[0] != '*' && entry_of(service, account) == NULL)
            (void)account_ensure(service, account, &nothing, &problem);
    }
}

/* What cannot be cleaned now is found again at the next start. */
static void tidy_up(struct service *service)
{
    const struct event removed = {.kind = EVENT_REMOVED};
    const struct store_change change = {.forget_older = true};
    struct entry *entry;
    struct problem problem;

    for (entry = service->entries; entry != NULL; entry = entry->next) {
        if (!entry->untidy)
            continue;
        entry->untidy = false;
        if (json_array_size(entry->addresses) > 0)
            (void)store_save(entry, &change, &problem);
        else if (vault_erase(service->vault, entry->name, &problem) == 0)
            entry->on_disk = false;
        if (json_array_size(entry->addresses) == 0)
            (void)entry_step(entry, &removed);
    }
}

int store_load(struct service *service, struct problem *problem)
{
    int result;

    service->starting = true;
    store_watch(service); /* before reading, so that no change falls between */
    result = vault_each(service->vault, load_one, service, problem);
    service->starting = false;
    if (result != 0)
        return -1;
    tidy_up(service);
    store_reseal(service);
    store_policy_accounts(service);
    entries_sweep(service);
    return 0;
}

/* --- while running --- */

static struct entry *entry_by_name(struct service *service, const char *name)
{
    struct entry *entry;

    for (entry = service->entries; entry != NULL && strcmp(entry->name, name) != 0; entry = entry->next)
        ;
    return entry;
}

/* Whether an older copy was put in the place of what this process has seen: memory supersedes it (DESIGN 4).
 */
static bool is_older(const struct entry *known, const struct vault_entry *file)
{
    return known->on_disk && file->generation < known->generation && file->payload.bytes != NULL &&
           known->identity.held.kind == PROBLEM_NONE && !known->service->saving;
}

static void reload_one(void *context, struct vault_entry *file)
{
    struct entry *known = entry_by_name(context, file->name);

    if (known != NULL)
        known->seen = true;
    /* Ours, or older than what we have; but what could not be read before is always news. */
    if (known == NULL || !known->on_disk || file->generation > known->generation ||
        (known->identity.held.kind != PROBLEM_NONE && file->payload.bytes != NULL))
        load_one(context, file);
    else if (is_older(known, file))
        (void)replace(known, &file->payload); /* the machine writes what it has over it */
}

/* Its file is gone: another process erased the identity. */
static void drop_entry(struct entry *entry)
{
    const struct event removed = {.kind = EVENT_REMOVED};

    entry->on_disk = false;
    entry->generation = 0;
    entry_clear_addresses(entry);
    (void)entry_step(entry, &removed);
}

void store_refresh_named(struct service *service, const char *name, bool deleted)
{
    struct entry *entry = entry_by_name(service, name);
    struct vault_entry file = {0};
    struct problem problem;
    int result = vault_read(service->vault, name, &file, &problem);

    /* Gone, or gone and made anew since: its generations began again. A file that cannot be read changes
     * nothing. */
    if (entry != NULL && entry->on_disk &&
        (result == 1 || (result == 0 && deleted && file.generation < entry->generation)))
        drop_entry(entry);
    if (result == 0)
        reload_one(service, &file);
    vault_entry_clear(&file);
}

void store_refresh(struct entry *entry)
{
    store_refresh_named(entry->service, entry->name, false);
}

void store_reload(struct service *service)
{
    struct entry *entry;
    struct problem problem;

    for (entry = service->entries; entry != NULL; entry = entry->next)
        entry->seen = false;
    if (vault_each(service->vault, reload_one, service, &problem) == 0)
        for (entry = service->entries; entry != NULL; entry = entry->next)
            if (entry->on_disk && !entry->seen)
                drop_entry(entry);
    store_reseal(service);
    store_policy_accounts(service);
}

/* Of two files with the same address the better claim counts, as at the start. */
void store_unlocked(struct service *service)
{
    service->starting = true;
    store_reload(service);
    service->starting = false;
    tidy_up(service);
}

void store_tell_locked(struct service *service)
{
    const struct problem *locked = vault_locked(service->vault);
    struct entry *entry;
    struct problem *held;
    int64_t since;

    for (entry = service->entries; entry != NULL; entry = entry->next) {
        held = &entry->identity.held;
        if (held->kind != PROBLEM_VAULT_LOCKED || strcmp(held->cause, locked->cause) == 0)
            continue;
        since = held->since;
        *held = *locked;
        held->since = since;
        entry_changed(entry);
    }
}
