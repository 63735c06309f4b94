/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The folder of the sealed files, watched: a sign-in or sign-out by another process is taken over at once.
 * The folder may not be there yet, be removed, or be renamed and another one put in its place; so the folders
 * above it are watched too and, since only two of them are, each request looks which folder it is.
 */
#include "service/service_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEALED_SUFFIX ".sealed"
#define EVENTS_SIZE 4096

#define OF_FILES (IN_MOVED_TO | IN_DELETE)
#define OF_ITSELF (IN_MOVE_SELF | IN_DELETE_SELF)
#define OF_WHAT_IS_BELOW (IN_CREATE | IN_MOVED_TO)

/* ---- what is watched ---- */

/* From the top down, so that whatever is made meanwhile below a folder makes an event. Of those above the
 * sealed files, the two that are next to what there is stay watched: events of a home folder are many. */
static void add_watches(struct service *service, char *path)
{
    int above[2] = {-1, -1}, wd;
    struct stat status;
    char *slash;

    for (slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        wd = inotify_add_watch(service->watch_fd, path, OF_WHAT_IS_BELOW | OF_ITSELF | IN_ONLYDIR);
        *slash = '/';
        if (wd < 0 && (errno == ENOENT || errno == ENOTDIR))
            return;
        if (wd < 0 || wd == above[1]) /* it may be passed through, but not read */
            continue;
        if (above[0] > 0)
            (void)inotify_rm_watch(service->watch_fd, above[0]);
        above[0] = above[1];
        above[1] = wd;
    }
    /* Looked at before it is watched: if another one comes in between, it is taken for a change. */
    if (stat(path, &status) != 0)
        return;
    wd = inotify_add_watch(service->watch_fd, path, OF_FILES | OF_ITSELF | IN_ONLYDIR);
    service->folder_wd = wd > 0 ? wd : 0;
    service->folder_device = status.st_dev;
    service->folder_inode = status.st_ino;
}

static bool is_current(const struct service *service)
{
    struct stat status;

    if (stat(vault_identities_folder(service->vault), &status) == 0)
        return service->folder_wd > 0 && status.st_dev == service->folder_device &&
               status.st_ino == service->folder_inode;
    /* One that cannot be looked at changes nothing. */
    return service->watch_fd >= 0 && (errno != ENOENT || service->folder_wd == 0);
}

void store_unwatch(struct service *service)
{
    if (service->watch != NULL)
        loop_unwatch(service->loop, service->watch);
    if (service->watch_fd >= 0)
        close(service->watch_fd);
    service->watch = NULL;
    service->watch_fd = -1;
    service->folder_wd = 0;
}

static void folder_changed(void *context, int fd, unsigned ready);

static void watch_anew(struct service *service)
{
    char *path = strdup(vault_identities_folder(service->vault));

    store_unwatch(service);
    service->watch_fd = path == NULL ? -1 : inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (service->watch_fd >= 0) {
        add_watches(service, path);
        service->watch = loop_watch_fd(service->loop, service->watch_fd, LOOP_READ, folder_changed, service);
    }
    free(path);
    service->reload_due = !service->starting;
}

void store_watch(struct service *service)
{
    if (service->folder_wd == 0)
        watch_anew(service);
}

/* ---- what it tells ---- */

/* Whether it tells of a change in the folder of the sealed files; else it is of the folders themselves. */
static bool take_event(struct service *service, const struct inotify_event *event)
{
    char name[VAULT_NAME_SIZE];

    if ((event->mask & IN_Q_OVERFLOW) != 0) {
        service->reload_due = true;
        return false;
    }
    if (event->wd != service->folder_wd)
        return false;
    if ((event->mask & OF_FILES) == 0) { /* it was renamed or removed; a new one may have its number */
        service->folder_wd = 0;
        return false;
    }
    /* The generations before and what is being written have longer names. */
    if (event->len == 0 || strlen(event->name) != VAULT_NAME_SIZE - 1 + strlen(SEALED_SUFFIX) ||
        strcmp(event->name + VAULT_NAME_SIZE - 1, SEALED_SUFFIX) != 0)
        return false;
    memcpy(name, event->name, VAULT_NAME_SIZE - 1);
    name[VAULT_NAME_SIZE - 1] = '\0';
    store_refresh_named(service, name, (event->mask & IN_DELETE) != 0);
    return true;
}

static void take_events(struct service *service)
{
    char events[EVENTS_SIZE] __attribute__((aligned(__alignof__(struct inotify_event))));
    const struct inotify_event *event;
    ssize_t length, offset;
    bool any = false, others = false;

    while ((length = read(service->watch_fd, events, sizeof events)) > 0)
        for (offset = 0; offset < length; offset += (ssize_t)(sizeof *event + event->len)) {
            event = (const struct inotify_event *)(const void *)(events + offset);
            if (take_event(service, event))
                any = true;
            else if ((event->mask & IN_IGNORED) == 0) /* that is what removing a watch makes */
                others = true;
        }
    if (any)
        store_policy_accounts(service);
    /* Until the folder is there, each one that is made above it has to be watched in its turn. */
    if (others && (service->folder_wd == 0 || !is_current(service)))
        watch_anew(service);
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

static void reload_if_due(struct service *service)
{
    if (!service->reload_due)
        return;
    service->reload_due = false;
    store_reload(service);
}

void store_catch_up(struct service *service)
{
    if (service->watch_fd >= 0)
        take_events(service);
    if (!is_current(service))
        watch_anew(service);
    if (may_open_now(service))
        service->reload_due = true;
    reload_if_due(service);
}

static void folder_changed(void *context, int fd, unsigned ready)
{
    struct service *service = context;

    (void)fd;
    (void)ready;
    take_events(service);
    reload_if_due(service);
    keys_notice(service->keys);
    entries_sweep(service);
    service_tell_changes(service);
}
