/* SPDX-License-Identifier: MPL-2.0 */
/* Saving entries, and taking addresses out of them. */
#include "service/service_parts.h"

#include "core/wiping_alloc.h"
#include <string.h>

/* The addresses as they will be: the one that signs in counts already, wherever it was. */
static json_t *addresses_to_save(const struct entry *entry)
{
    json_t *addresses = json_copy(entry->addresses);

    if (addresses != NULL && entry->identity.before != NULL &&
        !entry_has_address(entry, entry->sign_in_account))
        (void)json_array_append_new(addresses, json_string(entry->sign_in_account));
    return addresses;
}

static int write_file(struct entry *entry, bool forget_older, const json_t *header,
                      const struct secret *payload, struct problem *problem)
{
    struct service *service = entry->service;
    int result;

    /* A write that failed late may be on disk: each try takes a number of its own. Until one succeeds, the
     * same number of another process is news. */
    entry->tried = (entry->tried > entry->generation ? entry->tried : entry->generation) + 1;
    result = forget_older ? vault_replace(service->vault, entry->name, entry->tried, header, payload, problem)
                          : vault_write(service->vault, entry->name, entry->tried, header, payload, problem);
    if (result == 0)
        entry->generation = entry->tried;
    return result;
}

/* Tokens that are on disk but could not be read must not be overwritten by none, but for a new sign-in. */
static bool would_lose(const struct entry *entry)
{
    const struct identity *identity = &entry->identity;

    return identity->before == NULL && identity->grant.serial == 0 && identity->held.kind != PROBLEM_NONE;
}

static int write_entry(struct entry *entry, bool forget_older, struct problem *problem)
{
    struct record_header extra = {.addresses = addresses_to_save(entry)};
    struct secret payload = {0};
    unsigned long refused = wiping_refused();
    json_t *header;
    int result = -1;

    memcpy(extra.tenant, entry->wish.tenant, sizeof extra.tenant);
    memcpy(extra.cloud, entry->wish.cloud, sizeof extra.cloud);
    header = extra.addresses == NULL ? NULL : identity_header_write(&entry->identity, &extra);
    if (header != NULL && entry->service->audit != NULL)
        json_object_set_new(header, AUDIT_ANCHOR, audit_anchor(entry->service->audit, wall_clock()));
    if (header == NULL || identity_payload_write(&entry->identity, &payload) != 0 ||
        wiping_refused() != refused) /* addresses may be missing */
        problem_set(problem, PROBLEM_INTERNAL, "Thunderseal ran out of memory.", "Close other programs.");
    else
        result = write_file(entry, forget_older, header, &payload, problem);
    if (result == 0) {
        entry->on_disk = true;
        store_watch(entry->service);
    }
    secret_wipe(&payload);
    json_decref(header);
    json_decref(extra.addresses);
    return result;
}

static int erase(struct entry *entry, struct problem *problem)
{
    const struct event removed = {.kind = EVENT_REMOVED};

    if (entry->on_disk && vault_erase(entry->service->vault, entry->name, problem) != 0)
        return -1;
    entry->on_disk = false;
    return entry_step(entry, &removed);
}

/* With the write lock held, and what others wrote taken over. */
static int change_file(struct entry *entry, const struct store_change *change, struct problem *problem)
{
    const struct store_change nothing = {0};
    bool wanted = change != NULL || entry->identity.unsaved;

    if (change == NULL)
        change = &nothing;
    if (change->adds != NULL && entry_add_address(entry, change->adds) != 0) {
        problem_set(problem, PROBLEM_INTERNAL, "Thunderseal ran out of memory.", "Close other programs.");
        return -1;
    }
    if (change->removes != NULL)
        entry_remove_address(entry, change->removes);
    if (!wanted) /* another process has signed out, or in anew: nothing of ours is to be kept */
        return 0;
    if (json_array_size(entry->addresses) == 0 && entry->identity.before == NULL) {
        if (change->removes != NULL)
            return erase(entry, problem);
        if (!entry->on_disk) /* another process has erased it meanwhile */
            return 0;
    }
    if (would_lose(entry)) {
        *problem = entry->identity.held;
        return -1;
    }
    return write_entry(entry, change->forget_older, problem);
}

int store_save(struct entry *entry, const struct store_change *change, struct problem *problem)
{
    struct identity_lock lock = {.descriptor = -1};
    /* What was never written needs no lock to be forgotten, and must not make folders. */
    bool forgets = change != NULL && change->removes != NULL && !entry->on_disk;
    int result;

    if (!forgets && identity_lock_wait(&lock, entry->service->vault, entry->name, IDENTITY_LOCK_WRITE,
                                       WRITE_LOCK_WAIT_MS) == IDENTITY_LOCK_BUSY) {
        problem_set(problem, PROBLEM_STORAGE, "Another Thunderseal holds the stored sign-in of this account.",
                    "Nothing to do: saving is tried again; if it lasts, end the other program.");
        identity_lock_release(&lock);
        return -1;
    }
    entry->service->saving = true;
    store_refresh(entry);
    entry->service->saving = false;
    result = change_file(entry, change, problem);
    identity_lock_release(&lock);
    return result;
}

int store_leave(struct entry *entry, const char *account, struct problem *problem)
{
    const struct store_change change = {.removes = account, .forget_older = true};
    int result = store_save(entry, &change, problem);

    if (result != 0)
        (void)entry_add_address(entry, account);
    return result;
}

/*
 * At the start, and when the vault is unlocked: the organisation's key then opens every sign-in, not just
 * those that happen to be renewed. A configuration that cannot be read says nothing about recipients.
 */
void store_reseal(struct service *service)
{
    if (service->settings.broken.kind == PROBLEM_NONE)
        vault_follow_recipients(service->vault);
}

void store_save_rest(struct service *service)
{
    struct entry *entry;
    struct problem problem;

    for (entry = service->entries; entry != NULL; entry = entry->next)
        if (entry->identity.unsaved && json_array_size(entry->addresses) > 0)
            (void)store_save(entry, NULL, &problem);
}
