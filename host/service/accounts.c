/* SPDX-License-Identifier: MPL-2.0 */
/* Entries: made, changed, judged, listed and released. */
#include "service/service_parts.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void entry_name(char name[VAULT_NAME_SIZE], const struct identity_key *key)
{
    const char *const parts[] = {key->authority, key->client_id, key->tenant, key->sign_in_as};

    vault_name(name, parts, sizeof parts / sizeof parts[0]);
}

struct entry *entry_make(struct service *service, const struct identity_key *key)
{
    struct entry *entry = entry_by_key(service, key);

    if (entry != NULL)
        return entry;
    entry = calloc(1, sizeof *entry);
    if (entry == NULL)
        return NULL;
    entry->addresses = json_array();
    if (entry->addresses == NULL) {
        free(entry);
        return NULL;
    }
    entry->service = service;
    entry->identity.key = *key;
    entry->identity.renew_ahead = json_is_true(json_object_get(service->settings.values, "renewAhead"));
    randombytes_buf(&entry->identity.random, sizeof entry->identity.random);
    entry->lock.descriptor = -1;
    entry_name(entry->name, key);
    entry->next = service->entries;
    service->entries = entry;
    index_entry(entry);
    return entry;
}

size_t accounts_count(const struct service *service)
{
    const struct entry *entry;
    size_t count = 0;

    for (entry = service->entries; entry != NULL; entry = entry->next)
        count += json_array_size(entry->addresses);
    return count;
}

/* The wish in force after the new one: what it leaves open stays as it was. */
static struct account_wish merge_wish(const struct entry *entry, const struct account_wish *wish)
{
    struct account_wish merged = *wish;

    if (entry == NULL)
        return merged;
    if (merged.sign_in_as[0] == '\0')
        memcpy(merged.sign_in_as, entry->identity.key.sign_in_as, sizeof merged.sign_in_as);
    if (merged.tenant[0] == '\0')
        memcpy(merged.tenant, entry->wish.tenant, sizeof merged.tenant);
    if (merged.cloud[0] == '\0')
        memcpy(merged.cloud, entry->wish.cloud, sizeof merged.cloud);
    return merged;
}

static struct entry *out_of_memory(struct problem *problem)
{
    problem_set(problem, PROBLEM_INTERNAL, "Thunderseal ran out of memory.",
                "Close other programs and try again.");
    return NULL;
}

struct entry *account_ensure(struct service *service, const char *account, const struct account_wish *wish,
                             struct problem *problem)
{
    struct entry *old = entry_of(service, account), *entry;
    struct account_wish merged = merge_wish(old, wish);
    bool nothing_asked = wish->sign_in_as[0] == '\0' && wish->tenant[0] == '\0' && wish->cloud[0] == '\0';
    struct account_target target;

    if (old != NULL && nothing_asked)
        return old;
    if (old == NULL && accounts_count(service) >= ACCOUNTS_MAX) {
        problem_set(problem, PROBLEM_POLICY_DENIED, "There are 1,000 accounts already.",
                    "Remove one that is no longer used.");
        return NULL;
    }
    settings_target(&service->settings, account, &merged, &target);
    if (!settings_allow(&service->settings, account, target.key.sign_in_as, problem))
        return NULL;
    entry = entry_make(service, &target.key);
    if (entry == NULL || entry_add_address(entry, account) != 0)
        return out_of_memory(problem);
    entry->wish = merged;
    if (old != NULL && old != entry)
        entry_remove_address(old, account);
    entry_judge(entry);
    return entry;
}

static void app_changed(struct problem *problem)
{
    problem_set(problem, PROBLEM_SIGN_IN_REQUIRED,
                "Your organisation changed the app that signs this account in.",
                "Sign in again from Thunderseal's button in Thunderbird, or with \"thunderseal login\".");
}

bool entry_may_serve(const struct entry *entry, const char *account, struct problem *problem)
{
    const struct settings *settings = &entry->service->settings;
    struct account_wish wish = merge_wish(entry, &entry->wish);
    struct account_target target;

    settings_target(settings, account, &wish, &target);
    if (!settings_allow(settings, account, target.key.sign_in_as, problem))
        return false;
    if (entry->identity.grant.serial == 0 || settings->broken.kind != PROBLEM_NONE ||
        keys_equal(&target.key, &entry->identity.key))
        return true;
    app_changed(problem);
    return false;
}

void entry_judge(struct entry *entry)
{
    const struct settings *settings = &entry->service->settings;
    const char *account = json_string_value(json_array_get(entry->addresses, 0));
    struct account_wish wish = merge_wish(entry, &entry->wish);
    struct problem *problem = &entry->identity.no_renewal;
    struct account_target target;
    const struct problem before = *problem;

    memset(problem, 0, sizeof *problem);
    if (account == NULL || entry->identity.grant.serial == 0)
        return;
    settings_target(settings, account, &wish, &target);
    if (!settings_can_sign_in(settings, &target, problem))
        problem->since = before.kind == problem->kind ? before.since : wall_clock();
}

static void entry_free(struct entry *entry)
{
    loop_timer_cancel(entry->service->loop, entry->sign_in_timer);
    loop_timer_cancel(entry->service->loop, entry->wake_timer);
    loop_timer_cancel(entry->service->loop, entry->lock_timer);
    identity_lock_release(&entry->lock);
    redirect_listener_close(entry->listener);
    unindex_entry(entry);
    identity_clear(&entry->identity);
    json_decref(entry->addresses);
    free(entry);
}

void entries_sweep(struct service *service)
{
    struct entry **link = &service->entries;

    if (service->vacant_count == 0)
        return;
    while (*link != NULL) {
        struct entry *entry = *link;
        const struct identity *identity = &entry->identity;
        if (json_array_size(entry->addresses) == 0 && entry->moving[0] == '\0' && identity->sign_in.id == 0 &&
            identity->waiter_count == 0 && identity->flight.purpose == PURPOSE_NONE &&
            identity->before == NULL && identity->lock == LOCK_FREE) {
            *link = entry->next;
            identity_lock_release(&entry->lock);
            if (!entry->on_disk)
                identity_lock_erase(service->vault, entry->name);
            entry_free(entry);
        } else {
            link = &entry->next;
        }
    }
}

void entries_free(struct service *service)
{
    while (service->entries != NULL) {
        struct entry *next = service->entries->next;
        entry_free(service->entries);
        service->entries = next;
    }
}

static int compare_listed(const void *a, const void *b)
{
    /* In the C locale, which we never leave: the order of the folded names. */
    return strcasecmp(((const struct listed *)a)->account, ((const struct listed *)b)->account);
}

int accounts_sorted(struct service *service, struct listed **list)
{
    struct entry *entry;
    json_t *address;
    size_t i, count = 0, k;

    *list = calloc(accounts_count(service) + 1, sizeof **list);
    if (*list == NULL)
        return -1;
    for (entry = service->entries; entry != NULL; entry = entry->next)
        json_array_foreach(entry->addresses, i, address)
        {
            (*list)[count].account = json_string_value(address);
            (*list)[count++].entry = entry;
        }
    for (entry = service->entries; entry != NULL; entry = entry->next)
        for (k = 0; entry->moving[0] != '\0' && k < count; k++)
            if (account_name_equal(entry->moving, (*list)[k].account))
                (*list)[k].entry = entry;
    qsort(*list, count, sizeof **list, compare_listed);
    return (int)count;
}
