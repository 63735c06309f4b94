/* SPDX-License-Identifier: MPL-2.0 */
/* Entries on disk: loading, saving, and taking over what another process of the user wrote. */
#include "service/service_parts.h"

#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define SEALED_SUFFIX ".sealed"

/* A header without payload is not proven: it may name accounts that nobody serves, and change nothing else.
 */
static void take_addresses(struct entry *entry, const json_t *addresses, bool proven)
{
    json_t *address;
    size_t i;

    if (proven)
        json_array_clear(entry->addresses);
    json_array_foreach((json_t *)addresses, i, address)
    {
        if (proven || entry_of(entry->service, json_string_value(address)) == NULL)
            (void)entry_add_address(entry, json_string_value(address));
    }
}

/* A file whose header cannot be used, or stands in another's place, serves nobody; it stays where it is. */
static struct entry *entry_for(struct service *service, const struct vault_entry *file)
{
    bool proven = file->payload.bytes != NULL;
    struct record_header extra = {0};
    struct entry *entry = NULL;
    struct identity identity;
    char name[VAULT_NAME_SIZE];

    memset(&identity, 0, sizeof identity);
    if (file->header == NULL || identity_header_read(file->header, &identity, &extra) != 0)
        return NULL;
    entry_name(name, &identity.key);
    if (strcmp(name, file->name) == 0)
        entry = entry_make(service, &identity.key);
    if (entry == NULL)
        goto out;
    take_addresses(entry, extra.addresses, proven);
    if (proven || !entry->on_disk) {
        memcpy(entry->wish.sign_in_as, identity.key.sign_in_as, sizeof entry->wish.sign_in_as);
        memcpy(entry->wish.tenant, extra.tenant, sizeof entry->wish.tenant);
        memcpy(entry->wish.cloud, extra.cloud, sizeof entry->wish.cloud);
    }
out:
    json_decref(extra.addresses);
    return entry;
}

static void damaged(struct problem *problem)
{
    problem_set(problem, PROBLEM_VAULT_DAMAGED, "The stored sign-in of this account is damaged.",
                "Sign in again.");
}

/* Puts what the file holds in the place of what the entry had. */
static void take_file(struct entry *entry, struct vault_entry *file)
{
    struct identity *identity = &entry->identity;

    identity_forget_tokens(identity);
    memset(&identity->dead, 0, sizeof identity->dead);
    memset(&identity->held, 0, sizeof identity->held);
    if (file->payload.bytes != NULL) {
        if (identity_payload_read(&file->payload, identity) != 0)
            damaged(&identity->held);
        /* The generation before stepped in: told, though everything goes on. */
        if (file->problem.kind != PROBLEM_NONE)
            json_array_append_new(entry->service->settings.warnings, problem_to_json(&file->problem));
    } else if (file->problem.kind != PROBLEM_NONE) {
        identity->held = file->problem;
    }
    entry->generation = file->generation;
    entry->on_disk = true;
    entry->changed = true;
    entry_judge(entry);
}

static void load_one(void *context, struct vault_entry *file)
{
    struct entry *entry = entry_for(context, file);

    if (entry != NULL)
        take_file(entry, file);
}

/* An address in two files: a crash came between writing the new identity and cleaning the old one. */
static void drop_double_addresses(struct service *service)
{
    struct entry *entry, *other;
    json_t *address;
    size_t i;

    for (entry = service->entries; entry != NULL; entry = entry->next) {
        if (entry->identity.grant.serial == 0 || entry->identity.held.kind != PROBLEM_NONE)
            continue;
        for (other = service->entries; other != NULL; other = other->next)
            json_array_foreach(entry->addresses, i, address)
            {
                if (other != entry)
                    entry_remove_address(other, json_string_value(address));
            }
    }
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

int store_load(struct service *service, struct problem *problem)
{
    if (vault_each(service->vault, load_one, service, problem) != 0)
        return -1;
    drop_double_addresses(service);
    store_policy_accounts(service);
    store_watch(service);
    return 0;
}

static struct entry *entry_by_name(struct service *service, const char *name)
{
    struct entry *entry;

    for (entry = service->entries; entry != NULL && strcmp(entry->name, name) != 0; entry = entry->next)
        ;
    return entry;
}

static void reload_one(void *context, struct vault_entry *file)
{
    const struct entry *known = entry_by_name(context, file->name);

    /* Ours, or older than what we have. */
    if (known == NULL || !known->on_disk || file->generation > known->generation)
        load_one(context, file);
}

static void drop_entry(struct entry *entry)
{
    const struct event removed = {.kind = EVENT_REMOVED};

    entry->on_disk = false;
    json_array_clear(entry->addresses);
    (void)entry_step(entry, &removed);
}

/* A file was written or removed: by us, which changes nothing, or by another process. */
static void reload_named(struct service *service, const char *name)
{
    struct vault_entry file = {0};
    struct problem problem;
    struct entry *entry;

    switch (vault_read(service->vault, name, &file, &problem)) {
    case 0:
        reload_one(service, &file);
        break;
    case 1:
        entry = entry_by_name(service, name);
        if (entry != NULL && entry->on_disk)
            drop_entry(entry);
        break;
    default: /* it cannot be read now: what is in memory stays */
        break;
    }
    vault_entry_clear(&file);
}

static void settle(struct service *service)
{
    drop_double_addresses(service);
    store_policy_accounts(service);
    entries_sweep(service);
    service_tell_changes(service);
}

void store_reload(struct service *service)
{
    struct problem problem;

    (void)vault_each(service->vault, reload_one, service, &problem);
    settle(service);
}

static void take_event(struct service *service, const struct inotify_event *event)
{
    char name[VAULT_NAME_SIZE];

    if ((event->mask & IN_Q_OVERFLOW) != 0) {
        store_reload(service);
        return;
    }
    /* The generations before and what is being written have longer names. */
    if (event->len == 0 || strlen(event->name) != VAULT_NAME_SIZE - 1 + strlen(SEALED_SUFFIX) ||
        strcmp(event->name + VAULT_NAME_SIZE - 1, SEALED_SUFFIX) != 0)
        return;
    memcpy(name, event->name, VAULT_NAME_SIZE - 1);
    name[VAULT_NAME_SIZE - 1] = '\0';
    reload_named(service, name);
}

static void folder_changed(void *context, int fd, unsigned ready)
{
    char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    const struct inotify_event *event;
    struct service *service = context;
    ssize_t length, offset;

    (void)ready;
    while ((length = read(fd, events, sizeof events)) > 0)
        for (offset = 0; offset < length; offset += (ssize_t)(sizeof *event + event->len)) {
            event = (const struct inotify_event *)(const void *)(events + offset);
            take_event(service, event);
        }
    settle(service);
}

void store_watch(struct service *service)
{
    const char *folder = vault_identities_folder(service->vault);

    if (service->watch != NULL)
        return;
    if (service->watch_fd < 0)
        service->watch_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (service->watch_fd < 0 ||
        inotify_add_watch(service->watch_fd, folder, IN_MOVED_TO | IN_DELETE | IN_ONLYDIR) < 0)
        return;
    service->watch = loop_watch_fd(service->loop, service->watch_fd, LOOP_READ, folder_changed, service);
}

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

int store_save(struct entry *entry, bool forget_older, struct problem *problem)
{
    struct record_header extra = {.addresses = addresses_to_save(entry)};
    struct secret payload = {0};
    json_t *header;
    int result = -1;

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

int store_erase(struct entry *entry, struct problem *problem)
{
    if (vault_erase(entry->service->vault, entry->name, problem) != 0)
        return -1;
    entry->on_disk = false;
    return 0;
}
