/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Which entry serves an address, and which has a key, without walking through all of them: every message
 * asks. An entry's addresses change only here.
 */
#include "service/service_parts.h"

#include <stdlib.h>
#include <string.h>

/* FNV-1a over the lower-case bytes: the keys of the index are the user's own accounts, not an attacker's. */
static size_t bucket_of(const char *name)
{
    uint32_t hash = 2166136261U;

    for (; *name != '\0'; name++) {
        unsigned char byte = (unsigned char)(*name >= 'A' && *name <= 'Z' ? *name - 'A' + 'a' : *name);
        hash = (hash ^ byte) * 16777619U;
    }
    return hash % INDEX_BUCKETS;
}

static void link_claim(struct entry *entry, struct claim *claim, const char *account)
{
    struct claim **first = &entry->service->claims[bucket_of(account)];

    claim->entry = entry;
    claim->account = account;
    claim->next = *first;
    *first = claim;
}

static void unlink_claim(struct claim *claim)
{
    struct claim **link = &claim->entry->service->claims[bucket_of(claim->account)];

    while (*link != claim)
        link = &(*link)->next;
    *link = claim->next;
}

static bool is_move(const struct claim *claim)
{
    return claim == &claim->entry->move;
}

/* While an address moves to another identity, the one it moves to speaks for it. */
struct entry *entry_of(struct service *service, const char *account)
{
    struct claim *claim;
    struct entry *found = NULL;

    for (claim = service->claims[bucket_of(account)]; claim != NULL; claim = claim->next) {
        if (!account_name_equal(claim->account, account))
            continue;
        if (is_move(claim))
            return claim->entry;
        if (found == NULL)
            found = claim->entry;
    }
    return found;
}

const char *account_as_written(struct service *service, const char *account, char *written)
{
    const struct claim *claim = service->claims[bucket_of(account)];

    while (claim != NULL && (is_move(claim) || !account_name_equal(claim->account, account)))
        claim = claim->next;
    problem_copy_text(written, ACCOUNT_NAME_SIZE, claim == NULL ? account : claim->account);
    return written;
}

static struct claim *claim_of(const struct entry *entry, const char *account)
{
    struct claim *claim = entry->service->claims[bucket_of(account)];

    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it does not follow that remove_at unlinks what it frees */
    while (claim != NULL &&
           (claim->entry != entry || is_move(claim) || !account_name_equal(claim->account, account)))
        claim = claim->next;
    return claim;
}

bool entry_has_address(const struct entry *entry, const char *account)
{
    return claim_of(entry, account) != NULL;
}

struct entry *entry_other_with(const struct entry *entry, const char *account)
{
    struct claim *claim = entry->service->claims[bucket_of(account)];

    while (claim != NULL &&
           (claim->entry == entry || is_move(claim) || !account_name_equal(claim->account, account)))
        claim = claim->next;
    return claim == NULL ? NULL : claim->entry;
}

int entry_add_address(struct entry *entry, const char *account)
{
    struct claim *claim;
    json_t *address;

    if (entry_has_address(entry, account))
        return 0;
    claim = malloc(sizeof *claim);
    address = claim == NULL ? NULL : json_string(account);
    if (claim == NULL || json_array_append_new(entry->addresses, address) != 0) {
        free(claim);
        return -1;
    }
    link_claim(entry, claim, json_string_value(address));
    if (json_array_size(entry->addresses) == 1)
        entry->service->vacant_count--;
    return 0;
}

static void remove_at(struct entry *entry, size_t index)
{
    struct claim *claim = claim_of(entry, json_string_value(json_array_get(entry->addresses, index)));

    if (claim != NULL) {
        unlink_claim(claim);
        free(claim);
    }
    json_array_remove(entry->addresses, index);
    if (json_array_size(entry->addresses) == 0)
        entry->service->vacant_count++;
}

void entry_remove_address(struct entry *entry, const char *account)
{
    size_t i;

    if (!entry_has_address(entry, account))
        return;
    for (i = json_array_size(entry->addresses); i-- > 0;)
        if (account_name_equal(json_string_value(json_array_get(entry->addresses, i)), account)) {
            remove_at(entry, i);
            return;
        }
}

void entry_clear_addresses(struct entry *entry)
{
    while (json_array_size(entry->addresses) > 0)
        remove_at(entry, json_array_size(entry->addresses) - 1);
}

void entry_set_moving(struct entry *entry, const char *account)
{
    if (entry->moving[0] != '\0')
        unlink_claim(&entry->move);
    problem_copy_text(entry->moving, sizeof entry->moving, account);
    if (entry->moving[0] != '\0')
        link_claim(entry, &entry->move, entry->moving);
}

bool entry_is_moving(const struct entry *entry, const char *account)
{
    return entry->moving[0] != '\0' && account_name_equal(entry->moving, account);
}

/* --- by key --- */

bool keys_equal(const struct identity_key *a, const struct identity_key *b)
{
    return strcmp(a->authority, b->authority) == 0 && strcmp(a->tenant, b->tenant) == 0 &&
           strcmp(a->client_id, b->client_id) == 0 && strcmp(a->sign_in_as, b->sign_in_as) == 0;
}

struct entry *entry_by_key(struct service *service, const struct identity_key *key)
{
    struct entry *entry = service->by_sign_in_name[bucket_of(key->sign_in_as)];

    while (entry != NULL && !keys_equal(&entry->identity.key, key))
        entry = entry->next_in_bucket;
    return entry;
}

void index_entry(struct entry *entry)
{
    struct entry **first = &entry->service->by_sign_in_name[bucket_of(entry->identity.key.sign_in_as)];

    entry->next_in_bucket = *first;
    *first = entry;
    entry->service->vacant_count++;
}

void unindex_entry(struct entry *entry)
{
    struct entry **link = &entry->service->by_sign_in_name[bucket_of(entry->identity.key.sign_in_as)];

    entry_set_moving(entry, "");
    entry_clear_addresses(entry);
    while (*link != entry)
        link = &(*link)->next_in_bucket;
    *link = entry->next_in_bucket;
    entry->service->vacant_count--;
}
