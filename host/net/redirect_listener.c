/* SPDX-License-Identifier: MPL-2.0 */
/*
 * RFC 8252 sections 7.3 and 8.3. We accept connections ourselves and hand them to one libmicrohttpd daemon,
 * so that both address families share its bound, and other users' are closed before they take a place.
 */
#include "net/redirect_listener.h"

#include "net/peer_owner.h"
#include "net/redirect_page.h"
#include "net/redirect_sockets.h"

#include <errno.h>
#include <microhttpd.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

/* How long an answer may take to reach the browser after the listener was closed. */
#define DRAIN_MS 2000
/* Out of descriptors: the waiting connection would wake us without end. */
#define ACCEPT_PAUSE_MS 100
/* "localhost:65535" and its NUL. */
#define HOST_MAX 16

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
    struct secret state;
    redirect_callback *callback;
    void *context;
    /* Right answers whose pages are queued, to be delivered when libmicrohttpd has returned. */
    struct redirect_answer arrived[REDIRECT_CONNECTIONS_MAX];
    size_t arrived_count;
    size_t answering; /* right answers whose pages are not yet sent */
    bool delivering;
    bool closed;
};

/* One request; libmicrohttpd's request context. */
struct request {
    struct redirect_answer answer;
    bool right;
    bool answering;
};

/* One connection; libmicrohttpd's socket context. */
struct connection {
    struct redirect_listener *listener;
    int fd;
    struct loop_timer *deadline;
};

static void serve(struct redirect_listener *listener);

/* --- what libmicrohttpd calls --- */

/* Gets the request's target as it was sent. libmicrohttpd lends us its own buffer, whose bytes after the
 * question mark are wiped here: it finds no arguments then, and no copy of the code stays behind. */
static void *on_target(void *context, const char *target, struct MHD_Connection *connection)
{
    struct redirect_listener *listener = context;
    struct request *request = calloc(1, sizeof *request);
    char *query = strchr((char *)(uintptr_t)target, '?');

    (void)connection;
    if (query == NULL)
        return request;
    query++;
    if (request != NULL && query - target == 2 && target[0] == '/')
        request->right = redirect_query_parse(query, &listener->state, &request->answer);
    sodium_memzero(query, strlen(query));
    return request;
}

struct host_search {
    const char *value;
    int count;
};

static enum MHD_Result find_host(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct host_search *search = context;

    (void)kind;
    if (strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0) {
        search->value = value;
        search->count++;
    }
    return MHD_YES;
}

/* Any other Host is a page that reached us by a name of its own (DNS rebinding). */
static bool host_is_ours(const struct redirect_listener *listener, struct MHD_Connection *connection)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    struct host_search host = {0};
    char expected[HOST_MAX];

    MHD_get_connection_values(connection, MHD_HEADER_KIND, find_host, &host);
    if (host.count != 1 || host.value == NULL)
        return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(expected, sizeof expected, "%s:%u", names[i], (unsigned)listener->sockets.port);
        if (strcmp(host.value, expected) == 0)
            return true;
    }
    return false;
}

static bool is_the_answer(const struct redirect_listener *listener, struct MHD_Connection *connection,
                          const struct request *request, const char *method)
{
    return request != NULL && request->right && !listener->closed &&
           listener->arrived_count < REDIRECT_CONNECTIONS_MAX && strcmp(method, MHD_HTTP_METHOD_GET) == 0 &&
           host_is_ours(listener, connection);
}

static void keep_answer(struct redirect_listener *listener, struct redirect_answer *answer)
{
    struct redirect_answer *kept = &listener->arrived[listener->arrived_count++];

    *kept = *answer;
    answer->code = (struct secret){0};
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **request_context)
{
    struct redirect_listener *listener = context;
    struct request *request = *request_context;
    enum redirect_page page;

    (void)url;
    (void)version;
    (void)upload;
    *upload_size = 0;
    if (!is_the_answer(listener, connection, request, method))
        return redirect_page_queue(connection, REDIRECT_PAGE_NOT_FOUND);
    page = request->answer.error == NULL ? REDIRECT_PAGE_RECEIVED : REDIRECT_PAGE_REFUSED;
    if (redirect_page_queue(connection, page) != MHD_YES)
        return MHD_NO;
    request->answering = true;
    listener->answering++;
    keep_answer(listener, &request->answer);
    return MHD_YES;
}

static void on_request_completed(void *context, struct MHD_Connection *connection, void **request_context,
                                 enum MHD_RequestTerminationCode code)
{
    struct redirect_listener *listener = context;
    struct request *request = *request_context;

    (void)connection;
    (void)code;
    if (request == NULL)
        return;
    if (request->answering)
        listener->answering--;
    secret_wipe(&request->answer.code);
    free(request);
    *request_context = NULL;
}

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
    for (size_t i = 0; i < listener->arrived_count; i++)
        secret_wipe(&listener->arrived[i].code);
    secret_wipe(&listener->state);
    free(listener);
}

static void on_drained_too_long(void *context)
{
    destroy(context);
}

/* A closed listener goes when its last page is sent; until then the loop keeps it. */
static void finish_closed(struct redirect_listener *listener)
{
    if (listener->answering > 0 && listener->drain_timer == NULL) {
        listener->drain_timer = loop_timer_start(listener->loop, DRAIN_MS, on_drained_too_long, listener);
        if (listener->drain_timer != NULL)
            loop_timer_fire_at_free(listener->drain_timer);
    }
    if (listener->answering == 0 || listener->drain_timer == NULL)
        destroy(listener);
}

static void deliver(struct redirect_listener *listener)
{
    listener->delivering = true;
    for (size_t i = 0; i < listener->arrived_count; i++) {
        if (!listener->closed)
            listener->callback(listener->context, &listener->arrived[i]);
        secret_wipe(&listener->arrived[i].code);
    }
    listener->arrived_count = 0;
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
    if (listener->closed)
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
    return MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL, on_request, listener,
                            MHD_OPTION_CONNECTION_LIMIT, (unsigned)REDIRECT_CONNECTIONS_MAX,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REDIRECT_REQUEST_MAX,
                            MHD_OPTION_URI_LOG_CALLBACK, on_target, listener, MHD_OPTION_NOTIFY_COMPLETED,
                            on_request_completed, listener, MHD_OPTION_NOTIFY_CONNECTION, on_connection,
                            listener, MHD_OPTION_END);
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
    return secret_copy(&listener->state, state);
}

uint16_t redirect_listener_port(const struct redirect_listener *listener)
{
    return listener->sockets.port;
}

void redirect_listener_close(struct redirect_listener *listener)
{
    if (listener == NULL)
        return;
    listener->closed = true;
    stop_accepting(listener);
    if (!listener->delivering)
        finish_closed(listener);
}
