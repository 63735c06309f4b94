/* SPDX-License-Identifier: MPL-2.0 */
/*
 * RFC 8252 sections 7.3 and 8.3. We accept connections ourselves and hand them to one libmicrohttpd daemon,
 * so that both address families share its bound, and other users' are closed before they take a place.
 */
#include "net/redirect_listener.h"

#include "net/peer_owner.h"
#include "net/redirect_requests.h"
#include "net/redirect_sockets.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* How long an answer may take to reach the browser after the listener was closed. */
#define DRAIN_MS 2000
/* Out of descriptors: the waiting connection would wake us without end. */
#define ACCEPT_PAUSE_MS 100

struct redirect_listener {
    struct loop *loop;
    struct redirect_sockets sockets;
    struct MHD_Daemon *daemon;
    struct loop_watch *watch_four;
    struct loop_watch *watch_six;
    struct loop_watch *watch_daemon;
    struct loop_timer *daemon_timer;
    struct loop_timer *accept_timer;
    struct loop_timer *drain_timer;
    struct redirect_requests requests;
    redirect_callback *callback;
    void *context;
    bool delivering;
};

/* One connection; libmicrohttpd's socket context. */
struct connection {
    struct redirect_listener *listener;
    int fd;
    struct loop_timer *deadline;
};

static void serve(struct redirect_listener *listener);

/* --- what libmicrohttpd calls --- */

/* libmicrohttpd's own time-out starts anew with every byte; this one does not. */
static void on_deadline(void *context)
{
    struct connection *connection = context;
    struct redirect_listener *listener = connection->listener;

    connection->deadline = NULL;
    shutdown(connection->fd, SHUT_RDWR);
    serve(listener);
}

static void on_connection(void *context, struct MHD_Connection *mhd_connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct redirect_listener *listener = context;
    struct connection *connection = *socket_context;
    int fd;

    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (connection != NULL)
            loop_timer_cancel(listener->loop, connection->deadline);
        free(connection);
        *socket_context = NULL;
        return;
    }
    fd = MHD_get_connection_info(mhd_connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    connection = calloc(1, sizeof *connection);
    if (connection != NULL) {
        connection->listener = listener;
        connection->fd = fd;
        connection->deadline =
            loop_timer_start(listener->loop, REDIRECT_CONNECTION_TIMEOUT_S * 1000, on_deadline, connection);
    }
    if (connection == NULL || connection->deadline == NULL)
        shutdown(fd, SHUT_RDWR);
    *socket_context = connection;
}

/* --- what the loop calls --- */

static void stop_accepting(struct redirect_listener *listener)
{
    loop_unwatch(listener->loop, listener->watch_four);
    loop_unwatch(listener->loop, listener->watch_six);
    listener->watch_four = NULL;
    listener->watch_six = NULL;
    loop_timer_cancel(listener->loop, listener->accept_timer);
    listener->accept_timer = NULL;
    redirect_sockets_close(&listener->sockets);
}

static void destroy(struct redirect_listener *listener)
{
    stop_accepting(listener);
    if (listener->daemon != NULL)
        MHD_stop_daemon(listener->daemon);
    loop_unwatch(listener->loop, listener->watch_daemon);
    loop_timer_cancel(listener->loop, listener->daemon_timer);
    loop_timer_cancel(listener->loop, listener->drain_timer);
    for (size_t i = 0; i < listener->requests.arrived_count; i++)
        secret_wipe(&listener->requests.arrived[i].code);
    secret_wipe(&listener->requests.state);
    free(listener);
}

static void on_drained_too_long(void *context)
{
    destroy(context);
}

/* A closed listener goes when its last page is sent; until then the loop keeps it. */
static void finish_closed(struct redirect_listener *listener)
{
    if (listener->requests.answering > 0 && listener->drain_timer == NULL) {
        listener->drain_timer = loop_timer_start(listener->loop, DRAIN_MS, on_drained_too_long, listener);
        if (listener->drain_timer != NULL)
            loop_timer_fire_at_free(listener->drain_timer);
    }
    if (listener->requests.answering == 0 || listener->drain_timer == NULL)
        destroy(listener);
}

static void deliver(struct redirect_listener *listener)
{
    listener->delivering = true;
    for (size_t i = 0; i < listener->requests.arrived_count; i++) {
        if (!listener->requests.closed)
            listener->callback(listener->context, &listener->requests.arrived[i]);
        secret_wipe(&listener->requests.arrived[i].code);
    }
    listener->requests.arrived_count = 0;
    listener->delivering = false;
}

static size_t free_places(const struct redirect_listener *listener)
{
    unsigned open =
        MHD_get_daemon_info(listener->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)->num_connections;

    return open >= REDIRECT_CONNECTIONS_MAX ? 0 : REDIRECT_CONNECTIONS_MAX - open;
}

/* At the bound, the kernel's queue holds the next ones until a place is free. */
static void set_accepting(struct redirect_listener *listener)
{
    unsigned interest = free_places(listener) > 0 && listener->accept_timer == NULL ? LOOP_READ : 0;

    loop_watch_interest(listener->watch_four, interest);
    if (listener->watch_six != NULL)
        loop_watch_interest(listener->watch_six, interest);
}

static void on_daemon_timer(void *context)
{
    struct redirect_listener *listener = context;

    listener->daemon_timer = NULL;
    serve(listener);
}

/* Lets libmicrohttpd work, then does what its calls asked for. The listener may be gone after it. */
static void serve(struct redirect_listener *listener)
{
    MHD_UNSIGNED_LONG_LONG wait;

    MHD_run(listener->daemon);
    deliver(listener);
    loop_timer_cancel(listener->loop, listener->daemon_timer);
    listener->daemon_timer = NULL;
    if (MHD_get_timeout(listener->daemon, &wait) == MHD_YES)
        listener->daemon_timer = loop_timer_start(listener->loop, (int64_t)wait, on_daemon_timer, listener);
    if (listener->requests.closed)
        finish_closed(listener);
    else
        set_accepting(listener);
}

static void on_daemon_ready(void *context, int fd, unsigned ready)
{
    (void)fd;
    (void)ready;
    serve(context);
}

static void on_accept_pause_over(void *context)
{
    struct redirect_listener *listener = context;

    listener->accept_timer = NULL;
    set_accepting(listener);
}

static void on_connect(void *context, int fd, unsigned ready)
{
    struct redirect_listener *listener = context;
    size_t places = free_places(listener);
    struct sockaddr_storage address;
    socklen_t size;
    int accepted = -1;

    (void)ready;
    for (; places > 0; places--) {
        size = sizeof address;
        accepted = accept4(fd, (struct sockaddr *)&address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (accepted < 0)
            break;
        if (peer_may_be_ours(accepted))
            MHD_add_connection(listener->daemon, accepted, (struct sockaddr *)&address, size);
        else
            close(accepted);
    }
    if (accepted < 0 && errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
        listener->accept_timer =
            loop_timer_start(listener->loop, ACCEPT_PAUSE_MS, on_accept_pause_over, listener);
    serve(listener);
}

/* --- what the caller calls --- */

static struct MHD_Daemon *start_daemon(struct redirect_listener *listener)
{
    struct redirect_requests *requests = &listener->requests;

    return MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL, redirect_requests_handle,
                            requests, MHD_OPTION_URI_LOG_CALLBACK, redirect_requests_target, requests,
                            MHD_OPTION_NOTIFY_COMPLETED, redirect_requests_completed, requests,
                            MHD_OPTION_NOTIFY_CONNECTION, on_connection, listener,
                            MHD_OPTION_CONNECTION_LIMIT, (unsigned)REDIRECT_CONNECTIONS_MAX,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REDIRECT_REQUEST_MAX, MHD_OPTION_END);
}

/* Returns 0, or -1 out of memory or descriptors. */
static int start_watching(struct redirect_listener *listener)
{
    int fd = MHD_get_daemon_info(listener->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;

    listener->watch_daemon = loop_watch_fd(listener->loop, fd, LOOP_READ, on_daemon_ready, listener);
    listener->watch_four =
        loop_watch_fd(listener->loop, listener->sockets.four, LOOP_READ, on_connect, listener);
    if (listener->sockets.six >= 0) {
        listener->watch_six =
            loop_watch_fd(listener->loop, listener->sockets.six, LOOP_READ, on_connect, listener);
        if (listener->watch_six == NULL)
            return -1;
    }
    return listener->watch_daemon == NULL || listener->watch_four == NULL ? -1 : 0;
}

struct redirect_listener *redirect_listener_open(struct loop *loop, const char *redirect_host,
                                                 redirect_callback *callback, void *context,
                                                 struct problem *problem)
{
    struct redirect_listener *listener = calloc(1, sizeof *listener);
    bool both = strcmp(redirect_host, "127.0.0.1") != 0;

    if (listener == NULL)
        goto out_of_memory;
    listener->loop = loop;
    listener->callback = callback;
    listener->context = context;
    if (redirect_sockets_open(&listener->sockets, both) != 0) {
        problem_set(problem, PROBLEM_NETWORK, "No free local port was found for the answer of the browser.",
                    "Close programs that hold many network connections, then sign in again.");
        problem->stage = "connect";
        free(listener);
        return NULL;
    }
    listener->requests.port = listener->sockets.port;
    listener->daemon = start_daemon(listener);
    if (listener->daemon != NULL && start_watching(listener) == 0)
        return listener;
    destroy(listener);
out_of_memory:
    problem_set(problem, PROBLEM_INTERNAL,
                "There is not enough memory to wait for the answer of the browser.",
                "Close some programs, then sign in again.");
    return NULL;
}

int redirect_listener_expect(struct redirect_listener *listener, const struct secret *state)
{
    return secret_copy(&listener->requests.state, state);
}

uint16_t redirect_listener_port(const struct redirect_listener *listener)
{
    return listener->sockets.port;
}

void redirect_listener_close(struct redirect_listener *listener)
{
    if (listener == NULL)
        return;
    listener->requests.closed = true;
    stop_accepting(listener);
    if (!listener->delivering)
        finish_closed(listener);
}
