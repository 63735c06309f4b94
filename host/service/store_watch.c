/* SPDX-License-Identifier: MPL-2.0 */
/* The folder of the sealed files, watched: a sign-in or sign-out by another process is taken over at once. */
#include "service/service_parts.h"

#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define SEALED_SUFFIX ".sealed"
#define EVENTS_SIZE 4096

static void take_event(struct service *service, const struct inotify_event *event)
{
    char name[VAULT_NAME_SIZE];

    if ((event->mask & IN_Q_OVERFLOW) != 0) {
        store_reload(service);
        return;
    }
    if ((event->mask & IN_IGNORED) != 0) { /* the folder was removed: one made anew is watched anew */
        loop_unwatch(service->loop, service->watch);
        service->watch = NULL;
        return;
    }
    /* The generations before and what is being written have longer names. */
    if (event->len == 0 || strlen(event->name) != VAULT_NAME_SIZE - 1 + strlen(SEALED_SUFFIX) ||
        strcmp(event->name + VAULT_NAME_SIZE - 1, SEALED_SUFFIX) != 0)
        return;
    memcpy(name, event->name, VAULT_NAME_SIZE - 1);
    name[VAULT_NAME_SIZE - 1] = '\0';
    store_refresh_named(service, name, (event->mask & IN_DELETE) != 0);
}

static void take_events(struct service *service)
{
    char events[EVENTS_SIZE] __attribute__((aligned(__alignof__(struct inotify_event))));
    const struct inotify_event *event;
    ssize_t length, offset;
    bool any = false;

    while ((length = read(service->watch_fd, events, sizeof events)) > 0)
        for (offset = 0; offset < length; offset += (ssize_t)(sizeof *event + event->len)) {
            event = (const struct inotify_event *)(const void *)(events + offset);
            take_event(service, event);
            any = true;
        }
    if (any)
        store_policy_accounts(service);
}

/* The key is back, or another process made a vault where there was none. */
static bool may_open_now(struct service *service)
{
    const struct entry *entry;
    struct problem problem;

    if (!service->any_locked)
        return false;
    for (entry = service->entries; entry != NULL && entry->identity.held.kind != PROBLEM_VAULT_LOCKED;
         entry = entry->next)
        ;
    service->any_locked = entry != NULL;
    return entry != NULL && vault_prepare(service->vault, &problem) == 0;
}

void store_catch_up(struct service *service)
{
    if (service->watch != NULL)
        take_events(service);
    else
        store_watch(service);
    if (service->watch == NULL || service->reload_due || may_open_now(service)) {
        service->reload_due = false;
        store_reload(service);
    }
}

static void folder_changed(void *context, int fd, unsigned ready)
{
    struct service *service = context;

    (void)fd;
    (void)ready;
    take_events(service);
    keys_notice(service->keys);
    entries_sweep(service);
    service_tell_changes(service);
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
    service->reload_due = !service->starting;
}
