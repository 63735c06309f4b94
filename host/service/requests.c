/* SPDX-License-Identifier: MPL-2.0 */
/* Requests in flight: their ids, their deadlines, their bound. */
#include "service/service_parts.h"

#include <stdlib.h>
#include <string.h>

static void deadline_passed(void *context)
{
    struct request *request = context;
    struct service *service = request->service; /* the step closes the request */
    struct event event = {.kind = EVENT_REQUEST_ENDED};

    request->deadline = NULL;
    event.ended.request = request->number;
    (void)entry_step(request->entry, &event);
    service_tell_changes(service);
}

struct request *request_open(struct service *service, json_t *id, struct problem *problem)
{
    struct request *request;

    if (id != NULL && service->request_count >= REQUESTS_MAX) { /* our own are bounded by the accounts */
        problem_set(problem, PROBLEM_THROTTLED, "More than 1,024 requests are waiting for an answer.",
                    "Wait for some of them.");
        problem->retry_after = 1;
        return NULL;
    }
    request = calloc(1, sizeof *request);
    if (request == NULL)
        goto no_memory;
    request->service = service;
    request->number = ++service->next_number;
    request->id = json_incref(id);
    if (id != NULL)
        rpc_id_key(request->key, id);
    request->deadline = loop_timer_start(service->loop, TOKEN_GET_DEADLINE_MS, deadline_passed, request);
    if (request->deadline == NULL)
        goto no_memory;
    request->next = service->requests;
    service->requests = request;
    service->request_count += id != NULL;
    return request;
no_memory:
    problem_set(problem, PROBLEM_INTERNAL, "Thunderseal ran out of memory.",
                "Close other programs and try again.");
    if (request != NULL)
        json_decref(request->id);
    free(request);
    return NULL;
}

struct request *request_open_patient(struct service *service, json_t *id, struct problem *problem)
{
    struct request *request = request_open(service, id, problem);

    if (request != NULL) {
        loop_timer_cancel(service->loop, request->deadline);
        request->deadline = NULL;
    }
    return request;
}

struct request *request_open_own(struct service *service, request_told *told, void *context)
{
    struct problem problem;
    struct request *request = request_open(service, NULL, &problem);

    if (request != NULL) {
        request->told = told;
        request->told_context = context;
    }
    return request;
}

struct request *request_by_key(struct service *service, const char *key)
{
    struct request *request;

    for (request = service->requests; request != NULL && strcmp(request->key, key) != 0;
         request = request->next)
        ;
    return request;
}

struct request *request_by_number(struct service *service, uint64_t number)
{
    struct request *request;

    for (request = service->requests; request != NULL && request->number != number; request = request->next)
        ;
    return request;
}

void request_close(struct request *request)
{
    struct service *service = request->service;
    struct request **link;

    for (link = &service->requests; *link != request; link = &(*link)->next)
        ;
    *link = request->next;
    service->request_count -= request->id != NULL;
    loop_timer_cancel(service->loop, request->deadline);
    json_decref(request->id);
    free(request);
}
