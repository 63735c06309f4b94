/* SPDX-License-Identifier: MPL-2.0 */
/* Saving entries, and taking addresses out of them. */
#include "service/service_parts.h"

#include <string.h>

/* The addresses as they will be: one that moves here counts already. */
static json_t *addresses_to_save(const struct entry *entry)
{
    json_t *addresses = json_copy(entry->addresses);

    if (addresses != NULL && entry->identity.before != NULL && entry->moving[0] != '\0' &&
        !entry_has_address(entry, entry->moving))
        (void)json_array_append_new(addresses, json_string(entry->moving));
    return addresses;
}

/* Another process may have written since: its generation is then the one to pass. */
static void pass_generation(struct entry *entry)
{
    struct vault_entry file = {0};
    struct problem problem;

    if (vault_read(entry->service->vault, entry->name, &file, &problem) == 0 &&
        file.generation > entry->generation)
        entry->generation = file.generation;
    vault_entry_clear(&file);
}

static int write_file(struct entry *entry, bool forget_older, const json_t *header,
                      const struct secret *payload, struct problem *problem)
{
    struct service *service = entry->service;

    if (!service->prepared && vault_prepare(service->vault, problem) != 0)
        return -1;
    service->prepared = true;
    /* A write that failed late may be on disk: each try takes a number of its own. */
    entry->generation++;
    return forget_older
               ? vault_replace(service->vault, entry->name, entry->generation, header, payload, problem)
               : vault_write(service->vault, entry->name, entry->generation, header, payload, problem);
}

/* Tokens that are on disk but could not be read must not be overwritten by none, but for a new sign-in. */
static bool would_lose(const struct entry *entry)
{
    const struct identity *identity = &entry->identity;

    return identity->before == NULL && identity->grant.serial == 0 &&
           (identity->held.kind == PROBLEM_VAULT_LOCKED || identity->held.kind == PROBLEM_VAULT_DAMAGED);
}

int store_save(struct entry *entry, bool forget_older, struct problem *problem)
{
    struct record_header extra = {0};
    struct secret payload = {0};
    json_t *header;
    int result = -1;

    if (would_lose(entry)) {
        *problem = entry->identity.held;
        return -1;
    }
    extra.addresses = addresses_to_save(entry);
    memcpy(extra.tenant, entry->wish.tenant, sizeof extra.tenant);
    memcpy(extra.cloud, entry->wish.cloud, sizeof extra.cloud);
    header = extra.addresses == NULL ? NULL : identity_header_write(&entry->identity, &extra);
    if (header == NULL || identity_payload_write(&entry->identity, &payload) != 0) {
        problem_set(problem, PROBLEM_INTERNAL, "Thunderseal ran out of memory.", "Close other programs.");
        goto out;
    }
    result = write_file(entry, forget_older, header, &payload, problem);
    if (result != 0 && entry->on_disk) {
        pass_generation(entry);
        result = write_file(entry, forget_older, header, &payload, problem);
    }
    if (result == 0) {
        memset(problem, 0, sizeof *problem);
        entry->on_disk = true;
        store_watch(entry->service);
    }
out:
    secret_wipe(&payload);
    json_decref(header);
    json_decref(extra.addresses);
    return result;
}

int store_leave(struct entry *entry, const char *account, struct problem *problem)
{
    const struct event removed = {.kind = EVENT_REMOVED};
    int result = 0;

    entry_remove_address(entry, account);
    if (json_array_size(entry->addresses) > 0) {
        result = store_save(entry, true, problem);
    } else {
        if (entry->on_disk)
            result = vault_erase(entry->service->vault, entry->name, problem);
        if (result == 0) {
            entry->on_disk = false;
            (void)entry_step(entry, &removed);
        }
    }
    if (result != 0)
        (void)entry_add_address(entry, account);
    return result;
}

void store_save_rest(struct service *service)
{
    struct entry *entry;
    struct problem problem;

    for (entry = service->entries; entry != NULL; entry = entry->next)
        if (entry->identity.unsaved && json_array_size(entry->addresses) > 0)
            (void)store_save(entry, false, &problem);
}
