/* SPDX-License-Identifier: MPL-2.0 */
/* token.get: protocol section 3. Which resource is wanted, then it is the identity machine's matter. */
#include "service/service_parts.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define MIN_TTL_DEFAULT 120
#define MIN_TTL_MAX 1800

struct wanted {
    const char *account;
    char resource[RESOURCE_SIZE];
    char scopes[SCOPE_LIST_SIZE];
    char fallback_scope[SCOPE_SIZE];
    json_int_t min_ttl;
    bool when_due, anyway;
    bool has_rejected;
    unsigned char rejected[REJECTED_HASH_BYTES];
};

static int read_rejected(const json_t *params, struct wanted *wanted, struct problem *problem)
{
    const char *text = NULL;

    if (rpc_param_text(params, "rejected", false, &text, problem) != 0)
        return -1;
    if (text == NULL)
        return 0;
    if (strlen(text) != 2 * REJECTED_HASH_BYTES ||
        sodium_hex2bin(wanted->rejected, sizeof wanted->rejected, text, strlen(text), NULL, NULL, NULL) != 0)
        return rpc_param_bad(problem, "rejected", "the SHA-256 of a token in hexadecimal");
    wanted->has_rejected = true;
    return 0;
}

static int read_scopes(const json_t *params, struct wanted *wanted, struct problem *problem)
{
    const json_t *list = json_object_get(params, "scopes");
    char resource[RESOURCE_SIZE];
    json_t *scope;
    size_t i;

    if (list == NULL)
        return 0;
    if (!json_is_array(list))
        return rpc_param_bad(problem, "scopes", "a list of scopes");
    json_array_foreach((json_t *)list, i, scope)
    {
        const char *text = json_string_value(scope);
        if (text == NULL || strlen(text) != json_string_length(scope) || !scope_valid(text))
            return rpc_param_bad(problem, "scopes", "a list of scopes");
        if (scope_is_openid(text))
            continue;
        if (!scope_resource(resource, text))
            return rpc_param_bad(problem, "scopes", "a list of scopes with their resource");
        if (wanted->resource[0] != '\0' && strcasecmp(resource, wanted->resource) != 0)
            return rpc_param_bad(problem, "scopes", "of one resource: a token serves only one");
        memcpy(wanted->resource, resource, sizeof resource);
        if (scope_list_add(wanted->scopes, text) != 0)
            return rpc_param_bad(problem, "scopes", "a list of at most 1,000 characters in all");
    }
    return 0;
}

static int read_protocol(const json_t *params, const struct account_target *target, struct wanted *wanted,
                         struct problem *problem)
{
    const char *protocol = NULL;
    bool graph;

    if (rpc_param_text(params, "protocol", false, &protocol, problem) != 0)
        return -1;
    graph = protocol != NULL && strcmp(protocol, "graph") == 0;
    if (protocol != NULL && !graph && strcmp(protocol, "imap") != 0 && strcmp(protocol, "pop3") != 0 &&
        strcmp(protocol, "smtp") != 0)
        return rpc_param_bad(problem, "protocol", "one of \"imap\", \"pop3\", \"smtp\", \"graph\"");
    if (protocol != NULL && wanted->resource[0] != '\0' &&
        strcasecmp(wanted->resource, graph ? target->graph : target->outlook) != 0)
        return rpc_param_bad(problem, "protocol", "of the same resource as the scopes");
    if (wanted->resource[0] == '\0')
        problem_copy_text(wanted->resource, sizeof wanted->resource, graph ? target->graph : target->outlook);
    snprintf(wanted->fallback_scope, sizeof wanted->fallback_scope, "%.200s/%s", wanted->resource,
             graph ? "User.Read" : "IMAP.AccessAsUser.All");
    return 0;
}

static bool is_mail_scope(const char *scope)
{
    static const char *const permissions[] = {"/IMAP.AccessAsUser.All", "/POP.AccessAsUser.All",
                                              "/SMTP.Send"};
    size_t i;

    for (i = 0; i < sizeof permissions / sizeof permissions[0]; i++)
        if (strcasecmp(strrchr(scope, '/'), permissions[i]) == 0)
            return true;
    return false;
}

/* The resources of a grant, "" where it has none; the first of each counts. */
static void granted_resources(const struct grant *grant, char outlook[RESOURCE_SIZE],
                              char graph[RESOURCE_SIZE])
{
    const char *rest = grant->scopes;
    char scope[SCOPE_SIZE], resource[RESOURCE_SIZE];

    outlook[0] = graph[0] = '\0';
    while (scope_list_next(&rest, scope))
        if (scope_resource(resource, scope)) {
            char *found = is_mail_scope(scope) ? outlook : graph;
            if (found[0] == '\0')
                memcpy(found, resource, RESOURCE_SIZE);
        }
}

static int read_params(struct service *service, const json_t *params, struct wanted *wanted,
                       struct problem *problem)
{
    struct account_target target;
    struct account_wish wish = {0};
    struct entry *entry;
    char outlook[RESOURCE_SIZE], graph[RESOURCE_SIZE];

    wanted->min_ttl = MIN_TTL_DEFAULT;
    if (rpc_param_account(params, "account", true, &wanted->account, problem) != 0 ||
        rpc_param_integer(params, "minTtl", 0, MIN_TTL_MAX, &wanted->min_ttl, problem) != 0 ||
        read_rejected(params, wanted, problem) != 0 || read_scopes(params, wanted, problem) != 0)
        return -1;
    entry = entry_of(service, wanted->account);
    if (entry != NULL)
        wish = entry->wish;
    settings_target(&service->settings, wanted->account, &wish, &target);
    if (target.outlook ==
        NULL) { /* a custom cloud without endpoints: any name finds that nothing is granted */
        target.outlook = cloud_find("worldwide")->outlook;
        target.graph = cloud_find("worldwide")->graph;
    }
    /* The file that counts as absent may be the one that named the cloud: what was granted still tells. */
    if (service->settings.broken.kind != PROBLEM_NONE && entry != NULL) {
        granted_resources(&entry->identity.grant, outlook, graph);
        target.outlook = outlook[0] != '\0' ? outlook : target.outlook;
        target.graph = graph[0] != '\0' ? graph : target.graph;
    }
    return read_protocol(params, &target, wanted, problem);
}

static struct entry *serving_entry(struct service *service, const char *account, struct problem *problem)
{
    struct entry *entry = entry_of(service, account);

    if (entry == NULL) {
        if (settings_allow(&service->settings, account, account, problem))
            problem_setf(
                problem, PROBLEM_UNKNOWN_ACCOUNT,
                "Add it by signing in: from Thunderseal's button in Thunderbird, or with \"thunderseal "
                "login ADDRESS\".",
                "Thunderseal does not know the account %s.", account);
        return NULL;
    }
    return entry_may_serve(entry, account, problem) ? entry : NULL;
}

/* Puts the wish to the machine, which answers the request. */
static void ask(struct entry *entry, json_t *id, const struct wanted *wanted, struct problem *problem)
{
    struct service *service = entry->service;
    struct request *request = request_open(service, id, problem);
    const struct event event = {.kind = EVENT_TOKEN_WANTED,
                                .wanted = {.request = service->next_number,
                                           .resource = wanted->resource,
                                           .scopes = wanted->scopes,
                                           .fallback_scope = wanted->fallback_scope,
                                           .min_ttl = wanted->min_ttl,
                                           .when_due = wanted->when_due,
                                           .anyway = wanted->anyway,
                                           .rejected = wanted->has_rejected ? wanted->rejected : NULL}};

    if (request == NULL)
        return;
    request->entry = entry;
    if (entry_step(entry, &event) != 0) {
        request_close(request_by_number(service, event.wanted.request));
        problem_set(problem, PROBLEM_INTERNAL, "Thunderseal ran out of memory.", "Close other programs.");
    }
}

json_t *method_token_get(struct service *service, struct rpc_request *rpc, struct problem *problem)
{
    static const char *const names[] = {"account", "scopes", "protocol", "minTtl", "rejected"};
    struct wanted wanted = {0};
    struct entry *entry;

    if (rpc_params_known(rpc->params, names, sizeof names / sizeof names[0], problem) != 0 ||
        read_params(service, rpc->params, &wanted, problem) != 0)
        return NULL;
    entry = serving_entry(service, wanted.account, problem);
    if (entry != NULL)
        ask(entry, rpc->id, &wanted, problem);
    return NULL;
}

/* For `thunderseal renew`: a scope of each resource that has a token, or whose grant is suspended. Not part
 * of the protocol. */
json_t *method_renewable(struct service *service, struct rpc_request *rpc, struct problem *problem)
{
    struct entry *entry = entry_of(service, json_string_value(json_object_get(rpc->params, "account")));
    char scopes[SCOPE_LIST_SIZE], scope[SCOPE_SIZE];
    json_t *list = json_array();
    const char *rest;
    int i;

    (void)problem;
    for (i = 0; entry != NULL && i < IDENTITY_RESOURCES_MAX; i++) {
        const struct access *access = &entry->identity.access[i];
        rest = scopes;
        scope_list_of_resource(scopes, entry->identity.grant.scopes, access->resource);
        if ((access->access_token.length != 0 || access->suspended) && scope_list_next(&rest, scope))
            json_array_append_new(list, json_string(scope));
    }
    return json_pack("{s:o}", "scopes", list);
}

/* For `thunderseal renew`: the user says that it may be tried again, and a token is renewed when the time for
 * it has come, or anyway. Not part of the protocol. */
json_t *method_renew(struct service *service, struct rpc_request *rpc, struct problem *problem)
{
    const struct event retry = {.kind = EVENT_RETRY};
    struct wanted wanted = {.when_due = true};
    struct entry *entry;

    if (rpc_param_bool(rpc->params, "anyway", &wanted.anyway, problem) != 0 ||
        read_params(service, rpc->params, &wanted, problem) != 0)
        return NULL;
    entry = serving_entry(service, wanted.account, problem);
    if (entry == NULL)
        return NULL;
    (void)entry_step(entry, &retry);
    ask(entry, rpc->id, &wanted, problem);
    return NULL;
}
