/* SPDX-License-Identifier: MPL-2.0 */
#include "net/redirect_requests.h"

#include "net/redirect_page.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* "localhost:65535" and its NUL. */
#define HOST_MAX 16

struct request {
    struct redirect_answer answer;
    bool right;
    bool answering;
};

/* Gets the request's target as it was sent. libmicrohttpd lends us its own buffer, whose bytes after the
 * question mark are wiped here: it finds no arguments then, and no copy of the code stays behind. */
void *redirect_requests_target(void *context, const char *target, struct MHD_Connection *connection)
{
    struct redirect_requests *requests = context;
    struct request *request = calloc(1, sizeof *request);
    char *query = strchr((char *)(uintptr_t)target, '?');

    (void)connection;
    if (query == NULL)
        return request;
    query++;
    if (request != NULL && query - target == 2 && target[0] == '/')
        request->right = redirect_query_parse(query, &requests->state, &request->answer);
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
static bool host_is_ours(const struct redirect_requests *requests, struct MHD_Connection *connection)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    struct host_search host = {0};
    char expected[HOST_MAX];

    MHD_get_connection_values(connection, MHD_HEADER_KIND, find_host, &host);
    if (host.count != 1 || host.value == NULL)
        return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(expected, sizeof expected, "%s:%u", names[i], (unsigned)requests->port);
        if (strcmp(host.value, expected) == 0)
            return true;
    }
    return false;
}

static bool is_the_answer(const struct redirect_requests *requests, struct MHD_Connection *connection,
                          const struct request *request, const char *method)
{
    return request != NULL && request->right && !requests->closed &&
           requests->arrived_count < REDIRECT_CONNECTIONS_MAX && strcmp(method, MHD_HTTP_METHOD_GET) == 0 &&
           host_is_ours(requests, connection);
}

static void keep_answer(struct redirect_requests *requests, struct redirect_answer *answer)
{
    struct redirect_answer *kept = &requests->arrived[requests->arrived_count++];

    *kept = *answer;
    answer->code = (struct secret){0};
}

enum MHD_Result redirect_requests_handle(void *context, struct MHD_Connection *connection, const char *url,
                                         const char *method, const char *version, const char *upload,
                                         size_t *upload_size, void **request_context)
{
    struct redirect_requests *requests = context;
    struct request *request = *request_context;
    enum redirect_page page;

    (void)url;
    (void)version;
    (void)upload;
    *upload_size = 0;
    if (!is_the_answer(requests, connection, request, method))
        return redirect_page_queue(connection, REDIRECT_PAGE_NOT_FOUND);
    page = request->answer.error == NULL ? REDIRECT_PAGE_RECEIVED : REDIRECT_PAGE_REFUSED;
    if (redirect_page_queue(connection, page) != MHD_YES)
        return MHD_NO;
    request->answering = true;
    requests->answering++;
    keep_answer(requests, &request->answer);
    return MHD_YES;
}

void redirect_requests_completed(void *context, struct MHD_Connection *connection, void **request_context,
                                 enum MHD_RequestTerminationCode code)
{
    struct redirect_requests *requests = context;
    struct request *request = *request_context;

    (void)connection;
    (void)code;
    if (request == NULL)
        return;
    if (request->answering)
        requests->answering--;
    secret_wipe(&request->answer.code);
    free(request);
    *request_context = NULL;
}
