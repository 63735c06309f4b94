/* SPDX-License-Identifier: MPL-2.0 */
/* Signing in with a device code (RFC 8628), where the policy allows it. The code is shown and never opened.
 */
#include "service/service_parts.h"

#include "core/authorization.h"
#include "core/device_answer.h"
#include <stdlib.h>
#include <string.h>

#define PATH_DEVICE_CODE "/oauth2/v2.0/devicecode"

/* A request for a device code: the entry may be gone when its answer comes, so it is found again. */
struct device_request {
    struct service *service;
    uint64_t number; /* of the request that waits for the answer */
    char account[ACCOUNT_NAME_SIZE];
    json_t *scopes;
};

static json_t *begin(struct sign_in_plan *plan, struct device_answer *device, struct problem *problem)
{
    struct entry *entry = plan->entry;
    struct event event = {.start = {.method = METHOD_DEVICE,
                                    .redirect_uri = "",
                                    .code = &device->device_code,
                                    .interval = device->interval}};
    int64_t seconds = device->expires_in < SIGN_IN_DEADLINE_S ? device->expires_in : SIGN_IN_DEADLINE_S;

    if (sign_in_begin(plan, &event, seconds) != 0) {
        problem_set(problem, PROBLEM_INTERNAL, "Thunderseal ran out of memory.", "Close other programs.");
        return NULL;
    }
    return json_pack("{s:s, s:s, s:I, s:s, s:s}", "signInId", entry->sign_in_id, "flow", "device",
                     "expiresAt", (json_int_t)entry->sign_in_expires_at, "verificationUri",
                     device->verification_uri, "userCode", device->user_code);
}

static void device_code_arrived(void *context, struct https_answer *http)
{
    struct device_request *asked = context;
    struct service *service = asked->service;
    struct request *request = request_by_number(service, asked->number);
    struct problem problem = {0};
    struct device_answer device = {0};
    struct sign_in_plan plan;
    json_t *result = NULL;
    const struct token_http exchange = token_exchange(http);

    if (request != NULL && entry_of(service, asked->account) == NULL)
        problem_set(&problem, PROBLEM_CANCELLED, "The account was removed.",
                    "Add it again when you need it.");
    else if (request != NULL && device_answer_read(&device, &exchange, &problem) == 0 &&
             sign_in_prepare(service, asked->account, asked->scopes, &plan, &problem) == 0)
        result = begin(&plan, &device, &problem);
    if (request != NULL) {
        send_message(service,
                     result != NULL ? rpc_result(request->id, result) : rpc_error(request->id, &problem));
        request_close(request);
    }
    device_answer_clear(&device);
    json_decref(asked->scopes);
    free(asked);
    entries_sweep(service);
    service_tell_changes(service);
    if (service->client.settled != NULL)
        service->client.settled(service->client.context);
}

static int send_request(const struct sign_in_plan *plan, struct device_request *asked)
{
    const struct identity_key *key = &plan->target.key;
    struct https *https = https_for(asked->service, key->authority);
    struct secret form = {0};
    char url[1024];

    if (https == NULL || endpoint_url(url, sizeof url, key->authority, key->tenant, PATH_DEVICE_CODE) != 0 ||
        device_code_form(&form, key->client_id, plan->scopes) != 0)
        return -1;
    return https_post_form(https, url, &form, HTTPS_TOKEN_ANSWER_MAX, HTTPS_TOKEN_TIMEOUT_MS,
                           device_code_arrived, asked);
}

json_t *sign_in_by_device(const struct sign_in_plan *plan, json_t *id, struct problem *problem)
{
    struct service *service = plan->entry->service;
    struct request *request = request_open_patient(service, id, problem); /* the transfer has a deadline */
    struct device_request *asked = NULL;

    if (request == NULL)
        return NULL;
    asked = calloc(1, sizeof *asked);
    if (asked != NULL) {
        asked->service = service;
        asked->number = request->number;
        problem_copy_text(asked->account, sizeof asked->account, plan->account);
        asked->scopes = json_incref(plan->asked_scopes);
        if (send_request(plan, asked) == 0)
            return NULL; /* the reply comes later */
        json_decref(asked->scopes);
        free(asked);
    }
    request_close(request);
    problem_set(problem, PROBLEM_INTERNAL, "Thunderseal ran out of memory.", "Close other programs.");
    return NULL;
}
