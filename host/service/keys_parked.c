/* SPDX-License-Identifier: MPL-2.0 */
/* Requests that wait for a key. */
#include "service/keys_parts.h"
#include "service/service_parts.h"

#include <stdlib.h>
#include <string.h>

/* token.get is to answer within 8 s, a renewal included; what waits longer hears that the vault is locked,
 * and the health check tells it. A command of ours, and what the user has started, wait until the child is
 * done or killed. */
#define TOKEN_WAIT_MS 5000

struct parked {
    struct parked *next;
    struct keys *keys;
    json_t *message;
    char key[RPC_KEY_SIZE];
    struct loop_timer *deadline;
};

/* Takes it out of the list and its message out of it. */
static json_t *take(struct parked *parked)
{
    struct keys *keys = parked->keys;
    json_t *message = parked->message;
    struct parked **link;

    for (link = &keys->parked; *link != parked; link = &(*link)->next)
        ;
    *link = parked->next;
    keys->parked_count--;
    loop_timer_cancel(keys->service->loop, parked->deadline);
    free(parked);
    return message;
}

static void handle(struct parked *parked)
{
    struct keys *keys = parked->keys;

    keys->handling_again = true;
    service_handle_again(keys->service, take(parked));
    keys->handling_again = false;
}

static void deadline_passed(void *context)
{
    struct parked *parked = context;
    struct service *service = parked->keys->service;

    parked->deadline = NULL;
    handle(parked);
    entries_sweep(service);
    service_tell_changes(service);
}

bool parked_add(struct keys *keys, const struct rpc_request *request)
{
    struct service *service = keys->service;
    bool bounded = !service->client.own && (strcmp(request->method, "token.get") == 0 ||
                                            strcmp(request->method, "health.check") == 0);
    struct parked *parked, **end;

    if (keys->parked_count >= REQUESTS_MAX)
        return false;
    parked = calloc(1, sizeof *parked);
    if (parked == NULL)
        return false;
    parked->keys = keys;
    if (bounded)
        parked->deadline = loop_timer_start(service->loop, TOKEN_WAIT_MS, deadline_passed, parked);
    if (bounded && parked->deadline == NULL) {
        free(parked);
        return false;
    }
    parked->message = json_incref(request->message);
    rpc_id_key(parked->key, request->id);
    for (end = &keys->parked; *end != NULL; end = &(*end)->next)
        ;
    *end = parked;
    keys->parked_count++;
    return true;
}

/* Only those that wait as it begins: what they start may have to wait anew. */
void parked_run(struct keys *keys)
{
    size_t count = keys->parked_count;

    while (count-- > 0 && keys->parked != NULL)
        handle(keys->parked);
}

void parked_free(struct keys *keys)
{
    while (keys->parked != NULL)
        json_decref(take(keys->parked));
}

static struct parked *find(const struct keys *keys, const char *key)
{
    struct parked *parked;

    for (parked = keys->parked; parked != NULL && strcmp(parked->key, key) != 0; parked = parked->next)
        ;
    return parked;
}

bool keys_waits(const struct keys *keys, const char *key)
{
    return find(keys, key) != NULL;
}

bool keys_cancel(struct keys *keys, const char *key)
{
    struct parked *parked = find(keys, key);
    struct problem cancelled;
    json_t *message;

    if (parked == NULL)
        return false;
    message = take(parked);
    problem_set(&cancelled, PROBLEM_CANCELLED, "The request was cancelled.", "Ask again when you need it.");
    send_message(keys->service, rpc_error(json_object_get(message, "id"), &cancelled));
    json_decref(message);
    return true;
}
