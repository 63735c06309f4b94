/* SPDX-License-Identifier: MPL-2.0 */
/* What a backup holds of the identities, and how one of them comes back. */
#include "service/backup_parts.h"

#include "core/json_read.h"
#include "core/wiping_alloc.h"
#include <stdlib.h>
#include <string.h>

static int no_memory(struct problem *problem)
{
    problem_set(problem, PROBLEM_INTERNAL, "Thunderseal ran out of memory.", "Close other programs.");
    return -1;
}

/* ---- going out ---- */

/* Access tokens end within the hour, and a refresh token gives new ones: they would only make it larger. */
static json_t *payload_to_keep(const struct identity *identity)
{
    struct secret payload = {0};
    json_t *object = NULL;

    if (identity_payload_write(identity, &payload) == 0)
        object = json_read(secret_expose(&payload), payload.length, 0, NULL, NULL);
    secret_wipe(&payload);
    if (object != NULL && json_object_set_new(object, "access", json_array()) != 0) {
        json_decref(object);
        object = NULL;
    }
    return object;
}

static json_t *identity_to_keep(const struct entry *entry, bool tokens)
{
    struct record_header extra = {.addresses = entry->addresses};
    json_t *header, *payload;

    memcpy(extra.tenant, entry->wish.tenant, sizeof extra.tenant);
    memcpy(extra.cloud, entry->wish.cloud, sizeof extra.cloud);
    header = identity_header_write(&entry->identity, &extra);
    payload = tokens && entry->identity.grant.serial != 0 ? payload_to_keep(&entry->identity) : json_null();
    return json_pack("{s:o, s:o}", "header", header, "payload", payload);
}

json_t *backup_content(const struct service *service, bool tokens)
{
    json_t *identities = json_array(), *kept;
    const struct entry *entry;

    for (entry = service->entries; entry != NULL; entry = entry->next) {
        if (json_array_size(entry->addresses) == 0)
            continue;
        kept = identity_to_keep(entry, tokens);
        if (kept == NULL || json_array_append_new(identities, kept) != 0) {
            json_decref(identities);
            return NULL;
        }
    }
    return json_pack("{s:i, s:I, s:b, s:o}", "version", BACKUP_CONTENT_VERSION, "createdAt",
                     (json_int_t)wall_clock(), "tokens", tokens, "identities", identities);
}

json_t *backup_missing(const struct service *service)
{
    json_t *missing = json_array(), *address;
    const struct entry *entry;
    size_t i;

    for (entry = service->entries; entry != NULL; entry = entry->next) {
        if (entry->identity.held.kind == PROBLEM_NONE || entry->identity.grant.serial != 0)
            continue;
        json_array_foreach(entry->addresses, i, address) json_array_append(missing, address);
    }
    return missing;
}

/* ---- coming back ---- */

struct returning {
    struct service *service;
    struct identity *stored; /* owned; key and, with tokens, the grant */
    struct record_header extra;
    char name[VAULT_NAME_SIZE];
    struct problem *problem;
};

static int damaged(struct problem *problem)
{
    problem_set(problem, PROBLEM_VAULT_DAMAGED, "The backup holds a sign-in that makes no sense.",
                "Use another backup, or sign in again; nothing was changed here.");
    return -1;
}

/* As identity_payload_read. */
static int read_payload(const json_t *object, struct identity *stored)
{
    unsigned long refused = wiping_refused();
    char *text = json_dumps(object, JSON_COMPACT);
    struct secret payload = {0};
    int result = 1;

    if (text != NULL && secret_set(&payload, text, strlen(text)) == 0)
        result = identity_payload_read(&payload, stored);
    secret_wipe(&payload);
    wiping_free(text);
    return wiping_refused() != refused ? 1 : result;
}

static int read_identity(struct returning *returning, const json_t *item)
{
    const json_t *payload = json_object_get(item, "payload");
    int result = identity_header_read(json_object_get(item, "header"), returning->stored, &returning->extra);

    if (result == 0 && !json_is_null(payload))
        result = read_payload(payload, returning->stored);
    if (result != 0)
        return result > 0 ? no_memory(returning->problem) : damaged(returning->problem);
    entry_name(returning->name, &returning->stored->key);
    return 0;
}

/*
 * A backup never takes the place of what is newer here: the later sign-in wins and, within one sign-in, the
 * one used last. A sign-out here is no sign-in: who restores wants it back.
 */
static bool is_wanted(const struct returning *returning, const struct entry *entry)
{
    const struct grant *stored = &returning->stored->grant;
    const struct grant *here = entry == NULL ? NULL : &entry->identity.grant;

    if (stored->serial == 0 || stored->refresh_token.length == 0)
        return false;
    if (here == NULL || here->serial == 0 || here->refresh_token.length == 0)
        return entry == NULL || entry->identity.sign_in.id == 0;
    if (entry->identity.sign_in.id != 0)
        return false;
    return stored->obtained_at != here->obtained_at ? stored->obtained_at > here->obtained_at
                                                    : stored->last_used_at > here->last_used_at;
}

/* Whether an address may come in: nobody else serves it, policy lets it, and there is room. */
static bool has_room(const struct returning *returning, const char *address, size_t more)
{
    struct service *service = returning->service;
    struct problem ignored;

    return entry_of(service, address) == NULL && accounts_count(service) + more < ACCOUNTS_MAX &&
           settings_allow(&service->settings, address, returning->stored->key.sign_in_as, &ignored);
}

static json_t *addresses_with(const struct returning *returning, const struct entry *entry)
{
    json_t *addresses = entry == NULL ? json_array() : json_copy(entry->addresses), *address;
    size_t i, more = 0;

    json_array_foreach(returning->extra.addresses, i, address)
    {
        if (has_room(returning, json_string_value(address), more)) {
            json_array_append(addresses, address);
            more++;
        }
    }
    return addresses;
}

/* Written as another process would, and then taken over from the disk: so memory never holds what is not
 * saved. */
static int write_grant(struct returning *returning, const struct entry *entry)
{
    struct identity *stored = returning->stored;
    struct record_header extra = {.addresses = addresses_with(returning, entry)};
    struct secret payload = {0};
    unsigned long refused = wiping_refused();
    json_t *header = NULL;
    int result = -1;

    memcpy(extra.tenant, entry != NULL ? entry->wish.tenant : returning->extra.tenant, sizeof extra.tenant);
    memcpy(extra.cloud, entry != NULL ? entry->wish.cloud : returning->extra.cloud, sizeof extra.cloud);
    /* It counts as a sign-in of this moment: other processes and late answers go by the serial number. */
    if (entry != NULL && entry->identity.serial > stored->serial)
        stored->serial = entry->identity.serial;
    stored->grant.serial = ++stored->serial;
    if (extra.addresses != NULL && wiping_refused() == refused && json_array_size(extra.addresses) == 0) {
        result = 0; /* its addresses have gone to others meanwhile, or may not be */
        goto out;
    }
    header = identity_header_write(stored, &extra);
    if (header == NULL || identity_payload_write(stored, &payload) != 0 || wiping_refused() != refused) {
        no_memory(returning->problem);
        goto out;
    }
    result = vault_write(returning->service->vault, returning->name,
                         entry == NULL ? 1 : entry->generation + 1, header, &payload, returning->problem);
    if (result == 0)
        store_refresh_named(returning->service, returning->name, false);
out:
    secret_wipe(&payload);
    json_decref(header);
    json_decref(extra.addresses);
    return result;
}

static int bring_grant_back(struct returning *returning, bool *came)
{
    struct identity_lock lock = {.descriptor = -1};
    struct service *service = returning->service;
    struct entry *entry;
    int result = 0;

    *came = false;
    if (identity_lock_wait(&lock, service->vault, returning->name, IDENTITY_LOCK_WRITE, WRITE_LOCK_WAIT_MS) ==
        IDENTITY_LOCK_BUSY) {
        problem_set(returning->problem, PROBLEM_STORAGE, "Another Thunderseal holds a stored sign-in.",
                    "Restore again: what has come back already stays.");
        result = -1;
    } else {
        store_refresh_named(service, returning->name, false);
        entry = entry_by_key(service, &returning->stored->key);
        if (is_wanted(returning, entry)) {
            *came = true;
            result = write_grant(returning, entry);
        }
    }
    identity_lock_release(&lock);
    return result;
}

/* An account without its sign-in, or beside a newer one. */
static int bring_address_back(const struct returning *returning, const char *address)
{
    const struct store_change change = {.adds = address};
    struct entry *entry = entry_make(returning->service, &returning->stored->key);

    if (entry == NULL)
        return no_memory(returning->problem);
    if (!entry->on_disk) {
        memcpy(entry->wish.sign_in_as, entry->identity.key.sign_in_as, sizeof entry->wish.sign_in_as);
        memcpy(entry->wish.tenant, returning->extra.tenant, sizeof entry->wish.tenant);
        memcpy(entry->wish.cloud, returning->extra.cloud, sizeof entry->wish.cloud);
    }
    if (store_save(entry, &change, returning->problem) != 0) {
        entry_remove_address(entry, address);
        return -1;
    }
    entry_judge(entry);
    entry_changed(entry);
    return 0;
}

static int bring_back(struct returning *returning, json_t *restored, json_t *kept)
{
    struct entry *entry;
    json_t *address;
    bool came = false;
    size_t i;

    if (returning->stored->grant.serial != 0 && bring_grant_back(returning, &came) != 0)
        return -1;
    json_array_foreach(returning->extra.addresses, i, address)
    {
        const char *account = json_string_value(address);
        bool comes = has_room(returning, account, 0);
        if (comes && bring_address_back(returning, account) != 0)
            return -1;
        entry = entry_of(returning->service, account);
        if (entry != NULL && (comes || (came && keys_equal(&entry->identity.key, &returning->stored->key))))
            json_array_append(restored, address);
        else
            json_array_append(kept, address);
    }
    store_watch(returning->service);
    return 0;
}

static int returning_open(struct returning *returning, const json_t *item)
{
    returning->stored = calloc(1, sizeof *returning->stored);
    return returning->stored == NULL ? no_memory(returning->problem) : read_identity(returning, item);
}

static void returning_close(struct returning *returning)
{
    json_decref(returning->extra.addresses);
    if (returning->stored != NULL)
        identity_clear(returning->stored);
    free(returning->stored);
}

int backup_check_one(const json_t *item, struct problem *problem)
{
    struct returning returning = {.problem = problem};
    int result = returning_open(&returning, item);

    returning_close(&returning);
    return result;
}

int backup_restore_one(struct service *service, const json_t *item, json_t *restored, json_t *kept,
                       struct problem *problem)
{
    struct returning returning = {.service = service, .problem = problem};
    int result = returning_open(&returning, item);

    if (result == 0)
        result = bring_back(&returning, restored, kept);
    returning_close(&returning);
    return result;
}
