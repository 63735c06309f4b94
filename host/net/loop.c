/* SPDX-License-Identifier: MPL-2.0 */
#include "net/loop.h"

#include "net/loop_timers.h"

#include <curl/curl.h>
#include <stdlib.h>

/* Longest sleep of one turn: only a net under the timer descriptor, which wakes us in time. */
#define SLEEP_MAX_MS 60000
/* Connections to one host and port, the protocol's bound for a check: a hundred identities renewing at once
 * share these. */
#define HOST_CONNECTIONS_MAX 8L
/* Connections kept open: 16 for the next requests, and 32 of mail probes. Over it libcurl closes the one that
 * is longest unused, and to it a probe's connection looks unused between two lines. */
#define CONNECTIONS_KEPT_MAX 48L
#define FIRST_WATCHES 8

struct loop_watch {
    int fd;
    unsigned interest;
    loop_fd_callback *callback; /* NULL: removed, to be freed between two turns */
    void *context;
};

struct loop {
    CURLM *multi;
    struct loop_watch **watches;
    struct curl_waitfd *waits; /* room for every watch and the timers, so that a turn allocates nothing */
    size_t watch_count;
    size_t watch_room;
    struct loop_timers timers;
    bool stopped;
};

static int make_room(struct loop *loop)
{
    size_t room = loop->watch_room == 0 ? FIRST_WATCHES : loop->watch_room * 2;
    struct loop_watch **watches;
    struct curl_waitfd *waits;

    if (loop->watch_count < loop->watch_room)
        return 0;
    watches = reallocarray(loop->watches, room, sizeof *watches);
    if (watches == NULL)
        return -1;
    loop->watches = watches;
    waits = reallocarray(loop->waits, room + 1, sizeof *waits);
    if (waits == NULL)
        return -1;
    loop->waits = waits;
    loop->watch_room = room;
    return 0;
}

struct loop *loop_new(void)
{
    struct loop *loop = calloc(1, sizeof *loop);

    if (loop == NULL)
        return NULL;
    loop->multi = curl_multi_init();
    if (loop_timers_init(&loop->timers) != 0 || loop->multi == NULL || make_room(loop) != 0) {
        loop_free(loop);
        return NULL;
    }
    curl_multi_setopt(loop->multi, CURLMOPT_MAX_HOST_CONNECTIONS, HOST_CONNECTIONS_MAX);
    curl_multi_setopt(loop->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_KEPT_MAX);
    return loop;
}

void loop_free(struct loop *loop)
{
    if (loop == NULL)
        return;
    loop_timers_free(&loop->timers);
    while (loop->watch_count > 0)
        free(loop->watches[--loop->watch_count]);
    free(loop->watches);
    free(loop->waits);
    curl_multi_cleanup(loop->multi);
    free(loop);
}

struct loop_timers *loop_timers(struct loop *loop)
{
    return &loop->timers;
}

struct loop_watch *loop_watch_fd(struct loop *loop, int fd, unsigned interest, loop_fd_callback *callback,
                                 void *context)
{
    struct loop_watch *watch;

    if (make_room(loop) != 0)
        return NULL;
    watch = calloc(1, sizeof *watch);
    if (watch == NULL)
        return NULL;
    watch->fd = fd;
    watch->interest = interest;
    watch->callback = callback;
    watch->context = context;
    loop->watches[loop->watch_count++] = watch;
    return watch;
}

void loop_watch_interest(struct loop_watch *watch, unsigned interest)
{
    watch->interest = interest;
}

void loop_unwatch(struct loop *loop, struct loop_watch *watch)
{
    (void)loop;
    if (watch != NULL)
        watch->callback = NULL;
}

int loop_transfer_start(struct loop *loop, struct loop_transfer *transfer)
{
    curl_easy_setopt(transfer->easy, CURLOPT_PRIVATE, transfer);
    return curl_multi_add_handle(loop->multi, transfer->easy) == CURLM_OK ? 0 : -1;
}

void loop_transfer_stop(struct loop *loop, struct loop_transfer *transfer)
{
    curl_multi_remove_handle(loop->multi, transfer->easy);
}

/* Frees the removed watches and lists the others in loop->waits, watch for watch. A paused one stands there
 * as -1, which poll skips: its hang-up would wake us again and again. */
static void list_waits(struct loop *loop)
{
    size_t kept = 0;

    for (size_t i = 0; i < loop->watch_count; i++) {
        struct loop_watch *watch = loop->watches[i];
        short events = 0;

        if (watch->callback == NULL) {
            free(watch);
            continue;
        }
        if (watch->interest & LOOP_READ)
            events |= CURL_WAIT_POLLIN;
        if (watch->interest & LOOP_WRITE)
            events |= CURL_WAIT_POLLOUT;
        loop->waits[kept] = (struct curl_waitfd){.fd = events ? watch->fd : -1, .events = events};
        loop->watches[kept++] = watch;
    }
    loop->watch_count = kept;
    loop->waits[kept] = (struct curl_waitfd){.fd = loop->timers.fd, .events = CURL_WAIT_POLLIN};
}

/* Watches added meanwhile stand behind the first count, and those removed have no callback. */
static void dispatch_watches(struct loop *loop, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct loop_watch *watch = loop->watches[i];
        unsigned ready = 0;

        if (loop->waits[i].revents & (CURL_WAIT_POLLIN | CURL_WAIT_POLLPRI))
            ready |= LOOP_READ;
        if (loop->waits[i].revents & CURL_WAIT_POLLOUT)
            ready |= LOOP_WRITE;
        if (ready != 0 && watch->interest != 0 && watch->callback != NULL)
            watch->callback(watch->context, watch->fd, ready);
    }
}

static void dispatch_transfers(struct loop *loop)
{
    CURLMsg *message;
    int left;
    int running;

    curl_multi_perform(loop->multi, &running);
    while ((message = curl_multi_info_read(loop->multi, &left)) != NULL) {
        struct loop_transfer *transfer = NULL;
        CURLcode code = message->data.result;

        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        if (!transfer->stays)
            curl_multi_remove_handle(loop->multi, message->easy_handle);
        transfer->finished(transfer, (int)code);
    }
}

void loop_run(struct loop *loop)
{
    while (!loop->stopped) {
        size_t count;

        list_waits(loop);
        count = loop->watch_count;
        loop_timers_arm(&loop->timers);
        curl_multi_poll(loop->multi, loop->waits, (unsigned)count + 1, SLEEP_MAX_MS, NULL);
        dispatch_watches(loop, count);
        loop_timers_dispatch(&loop->timers);
        dispatch_transfers(loop);
    }
    loop->stopped = false;
}

void loop_stop(struct loop *loop)
{
    loop->stopped = true;
}
