/* SPDX-License-Identifier: MPL-2.0 */
/* account.import: taking over a refresh token of the same app. It is stored only after one renewal with it.
 */
#include "service/service_parts.h"

#include <string.h>

void import_finished(struct entry *entry, const struct problem *problem)
{
    struct service *service = entry->service;
    struct request *request = request_by_number(service, entry->import_request);

    entry->import_request = 0;
    if (request == NULL) /* cancelled meanwhile */
        return;
    send_message(service,
                 problem != NULL
                     ? rpc_error(request->id, problem)
                     : rpc_result(request->id, json_pack("{s:o}", "account",
                                                         account_to_json(entry, entry->sign_in_account))));
    request_close(request);
}

static int read_token(const json_t *params, struct secret *token, struct problem *problem)
{
    const json_t *member = json_object_get(params, "refreshToken");
    const char *text = json_string_value(member);
    size_t i;

    for (i = 0; text != NULL && text[i] > 0x20 && text[i] < 0x7f; i++)
        ;
    if (text == NULL || i == 0 || i != json_string_length(member) || i > IMPORT_TOKEN_MAX)
        return rpc_param_bad(problem, "refreshToken", "a refresh token");
    if (secret_set(token, text, i) == 0)
        return 0;
    problem_set(problem, PROBLEM_INTERNAL, "Thunderseal ran out of memory.", "Close other programs.");
    return -1;
}

static int begin(const struct sign_in_plan *plan, json_t *id, struct secret *token, struct problem *problem)
{
    struct event event = {.start = {.method = METHOD_IMPORT, .redirect_uri = "", .code = token}};
    struct entry *entry = plan->entry;
    struct request *request = request_open_patient(entry->service, id, problem);

    if (request == NULL)
        return -1;
    if (entry->identity.sign_in.id != 0) { /* told first: this request is answered by its own end alone */
        struct problem cancelled;
        problem_set(&cancelled, PROBLEM_CANCELLED, "The sign-in was cancelled by another one.",
                    "Start it again if it is still needed.");
        entry_end_sign_in(entry, &cancelled);
    }
    /* From here on the end of the sign-in answers the request. */
    entry->import_request = request->number;
    problem_copy_text(entry->sign_in_account, sizeof entry->sign_in_account, plan->account);
    if (sign_in_begin(plan, &event, SIGN_IN_DEADLINE_S) == 0)
        return 0;
    entry->import_request = 0;
    request_close(request);
    problem_set(problem, PROBLEM_INTERNAL, "Thunderseal ran out of memory.", "Close other programs.");
    return -1;
}

json_t *method_account_import(struct service *service, struct rpc_request *request, struct problem *problem)
{
    static const char *const names[] = {"account", "refreshToken", "clientId"};
    const char *account = NULL, *client_id = NULL;
    struct secret token = {0};
    struct sign_in_plan plan;

    if (rpc_params_known(request->params, names, sizeof names / sizeof names[0], problem) != 0 ||
        rpc_param_account(request->params, "account", true, &account, problem) != 0 ||
        rpc_param_text(request->params, "clientId", true, &client_id, problem) != 0 ||
        read_token(request->params, &token, problem) != 0)
        return NULL;
    if (sign_in_prepare(service, account, NULL, &plan, problem) == 0) {
        if (strcmp(client_id, plan.target.key.client_id) != 0)
            rpc_param_bad(problem, "clientId",
                          "the client id of the configuration: a sign-in belongs to its app");
        else if (begin(&plan, request->id, &token, problem) == 0)
            memset(problem, 0, sizeof *problem); /* the reply comes later */
    }
    if (problem->kind != PROBLEM_NONE)
        sign_in_refused(service, &plan);
    secret_wipe(&token);
    return NULL;
}
