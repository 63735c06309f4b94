/* SPDX-License-Identifier: MPL-2.0 */
/* The session: its life, and the way of one message to its method and back. */
#include "service/service_parts.h"

#include "core/wiping_alloc.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const struct {
    const char *name;
    method_function *function;
    bool own;   /* for a client that is a command of this program */
    bool later; /* may answer later, and then gives neither result nor problem */
} methods[] = {
    {"account.list", method_account_list, false, false},
    {"account.add", method_account_add, false, false},
    {"account.remove", method_account_remove, false, false},
    {"account.import", method_account_import, false, true},
    {"token.get", method_token_get, false, true},
    {"signIn.start", method_sign_in_start, false, true},
    {"signIn.cancel", method_sign_in_cancel, false, false},
    {"signOut", method_sign_out, false, false},
    {"backup.create", method_backup_create, false, true},
    {"backup.restore", method_backup_restore, false, true},
    {"vault.unlock", method_vault_unlock, false, true},
    {"key.show", method_key_show, true, false},
    {"key.change", method_key_change, true, true},
    {"renew", method_renew, true, true},
    {"renewable", method_renewable, true, false},
    {"policy.get", method_policy_get, false, false},
    {"settings.set", method_settings_set, false, false},
    {"audit.read", method_audit_read, false, false},
    {"health.check", method_health_check, false, true},
    {"report.create", method_report_create, false, false},
    {"audit.verify", method_audit_verify, false, false},
    {"audit.names", method_audit_names, false, false},
};

int64_t wall_clock(void)
{
    return (int64_t)time(NULL);
}

struct moment moment_now(void)
{
    return (struct moment){.wall = wall_clock(), .uptime = loop_monotonic_ms() / 1000};
}

static void clock_jumped(void *context)
{
    log_simple(context, LOG_CLOCK_CHANGED);
    step_all(context, EVENT_TIME);
}

static void network_changed(void *context)
{
    log_simple(context, LOG_NETWORK_CHANGED);
    step_all(context, EVENT_NETWORK);
}

static void use_recovery_key(struct service *service)
{
    const char *text = settings_text(&service->settings, "recoveryPublicKey");
    unsigned char key[VAULT_RECOVERY_KEY_SIZE];

    if (text != NULL && sodium_base642bin(key, sizeof key, text, strlen(text), NULL, NULL, NULL,
                                          sodium_base64_VARIANT_ORIGINAL) == 0)
        vault_set_recovery_key(service->vault, key);
}

static void log_start(struct service *service)
{
    struct log_entry started = {.event = LOG_STARTED,
                                .by = log_word_of(service->client.own ? "command" : "thunderbird")};
    struct log_entry refused = {.event = LOG_SETTINGS_REFUSED,
                                .count = (int64_t)json_array_size(service->settings.warnings)};

    log_note(service, &started, NULL);
    if (refused.count > 0)
        log_note(service, &refused, NULL);
}

struct service *service_new(struct loop *loop, const struct service_client *client, struct problem *problem)
{
    struct service *service = calloc(1, sizeof *service);

    if (service == NULL) {
        problem_set_no_memory(problem);
        return NULL;
    }
    service->loop = loop;
    service->client = *client;
    service->watch_fd = -1;
    if (settings_init(&service->settings) != 0) {
        problem_set_no_memory(problem);
        goto fail;
    }
    service->state_folder = environment_state_folder(problem);
    if (service->state_folder == NULL)
        goto fail;
    settings_read_files(&service->settings);
    log_start(service);
    /* Without them, what they would tell is found out later. */
    service->clock_watch = clock_watch_open(loop, clock_jumped, service);
    service->network_watch = network_watch_open(loop, network_changed, service);
    service->vault =
        vault_open(service->state_folder, settings_text(&service->settings, "keystore"), problem);
    if (service->vault == NULL)
        goto fail;
    audit_events_open(service);
    use_recovery_key(service);
    if (store_load(service, problem) != 0)
        goto fail;
    service->keys = keys_new(service);
    if (service->keys == NULL) {
        problem_set(problem, PROBLEM_INTERNAL, "Thunderseal ran out of memory.", "Close other programs.");
        goto fail;
    }
    keys_start(service->keys);
    if (!keys_fetching(service->keys) && vault_locked(service->vault)->kind != PROBLEM_NONE)
        log_problem(service, LOG_VAULT_LOCKED, vault_locked(service->vault));
    return service;
fail:
    service_free(service);
    return NULL;
}

void service_free(struct service *service)
{
    if (service == NULL)
        return;
    clock_watch_close(service->clock_watch);
    network_watch_close(service->network_watch);
    health_free(service);
    https_free(service->https);
    https_free(service->https_own_anchors);
    backup_abandon(service);
    keys_free(service->keys);
    while (service->requests != NULL)
        request_close(service->requests);
    entries_free(service);
    store_unwatch(service);
    audit_events_close(service);
    vault_close(service->vault);
    settings_clear(&service->settings);
    free(service->proxy);
    json_decref(service->managed);
    free(service->state_folder);
    free(service);
}

void send_message(struct service *service, json_t *message)
{
    service->client.send(service->client.context, message);
    json_decref(message);
}

/* Nothing is told before hello: the other side would not know what to do with it. */
void notify(struct service *service, const char *method, json_t *params)
{
    if (service->greeted)
        send_message(service, rpc_notification(method, params));
    else
        json_decref(params);
}

void service_tell_changes(struct service *service)
{
    struct entry *entry;
    json_t *address;
    size_t i;

    if (!service->changes_due)
        return;
    service->changes_due = false;
    for (entry = service->entries; entry != NULL; entry = entry->next) {
        if (!entry->changed)
            continue;
        if (service->client.congested != NULL && service->client.congested(service->client.context)) {
            service->changes_due = true;
            return;
        }
        entry->changed = false;
        json_array_foreach(entry->addresses, i, address)
        {
            notify(service, "account.changed",
                   json_pack("{s:o}", "account", account_to_json(entry, json_string_value(address))));
        }
    }
}

void service_refuse(struct service *service, const struct problem *problem)
{
    log_problem(service, LOG_REQUEST_REFUSED, problem);
    send_message(service, rpc_error(NULL, problem));
}

static void cancel(struct service *service, const json_t *params)
{
    json_t *id = json_object_get(params, "id");
    struct event event = {.kind = EVENT_REQUEST_ENDED, .ended = {.cancelled = true}};
    char key[RPC_KEY_SIZE];
    struct request *request;

    if (!json_is_integer(id) && (!json_is_string(id) || json_string_length(id) > RPC_ID_MAX))
        return;
    rpc_id_key(key, id);
    request = request_by_key(service, key);
    if (request == NULL) {
        (void)keys_cancel(service->keys, key);
        return;
    }
    if (request->entry == NULL) { /* a device code or an import: its answer comes, and finds nobody */
        struct problem cancelled;
        problem_set(&cancelled, PROBLEM_CANCELLED, "The request was cancelled.",
                    "Ask again when you need it.");
        send_message(service, rpc_error(request->id, &cancelled));
        request_close(request);
        health_tidy(service);
        return;
    }
    event.ended.request = request->number;
    (void)entry_step(request->entry, &event);
}

/* What the answer to hello shows, or account.list after it, is no change. */
static void forget_changes(struct service *service)
{
    struct entry *entry;

    for (entry = service->entries; entry != NULL; entry = entry->next)
        entry->changed = false;
    service->changes_due = false;
}

static json_t *hello(struct service *service, struct rpc_request *request, struct problem *problem)
{
    json_t *result;

    if (service->greeted) {
        problem_set(problem, PROBLEM_INVALID_REQUEST, "hello was said already.",
                    "Say it once, at the start.");
        return NULL;
    }
    result = hello_result(service, request->params, problem);
    if (result != NULL)
        forget_changes(service);
    else if (problem->kind == PROBLEM_NONE)
        problem_set_no_memory(problem);
    service->greeted = result != NULL;
    return result;
}

static json_t *call(struct service *service, struct rpc_request *request, struct problem *problem)
{
    json_t *result;
    size_t i;

    if (strcmp(request->method, "hello") == 0)
        return hello(service, request, problem);
    if (!service->greeted) {
        problem_set(problem, PROBLEM_HELLO_REQUIRED, "The first message must be hello.",
                    "Update the add-on.");
        return NULL;
    }
    for (i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (strcmp(request->method, methods[i].name) != 0 || (methods[i].own && !service->client.own))
            continue;
        result = methods[i].function(service, request, problem);
        if (result == NULL && !methods[i].later && problem->kind == PROBLEM_NONE)
            problem_set_no_memory(problem);
        return result;
    }
    problem_set(problem, PROBLEM_METHOD_NOT_FOUND, "This Thunderseal does not know the method.",
                "Update the older one of the two: the program or the add-on.");
    return NULL;
}

static void refuse(struct service *service, json_t *id, const struct problem *problem)
{
    log_problem(service, LOG_REQUEST_REFUSED, problem);
    send_message(service, rpc_error(id, problem));
}

static void handle_request(struct service *service, struct rpc_request *request)
{
    struct problem problem = {0};
    unsigned long refused = wiping_refused();
    char key[RPC_KEY_SIZE];
    json_t *result;

    log_request(service, request->method);
    rpc_id_key(key, request->id);
    if (request_by_key(service, key) != NULL || keys_waits(service->keys, key)) {
        problem_set(&problem, PROBLEM_INVALID_REQUEST,
                    "A request with this id is still waiting for its answer.",
                    "Give every request an id of its own.");
        service_refuse(service, &problem);
        return;
    }
    if (service->greeted && keys_wait_before(service->keys, request))
        return;
    result = call(service, request, &problem);
    if (result != NULL && wiping_refused() != refused) { /* something may be missing in it */
        json_decref(result);
        result = NULL;
        problem_set_no_memory(&problem);
    }
    if (result != NULL)
        send_message(service, rpc_result(request->id, result));
    else if (problem.kind != PROBLEM_NONE && !keys_wait_after(service->keys, request, &problem))
        refuse(service, request->id, &problem);
}

void service_handle(struct service *service, json_t *message)
{
    struct rpc_request request = {0};
    struct problem problem;

    /* A change by another process that came before the message counts before it. */
    store_catch_up(service);
    if (rpc_request_check(message, &request, &problem) != 0) {
        service_refuse(service, &problem);
        return;
    }
    if (request.id != NULL)
        handle_request(service, &request);
    else if (strcmp(request.method, "cancel") == 0 && service->greeted)
        cancel(service, request.params);
    rpc_request_clear(&request);
    audit_events_unlocked(service);
    keys_notice(service->keys);
    entries_sweep(service);
    service_tell_changes(service);
}

void service_handle_again(struct service *service, json_t *message)
{
    struct rpc_request request = {0};
    struct problem problem;

    if (rpc_request_check(message, &request, &problem) == 0)
        handle_request(service, &request);
    rpc_request_clear(&request);
}

void service_finish(struct service *service)
{
    store_save_rest(service);
    audit_events_settle(service);
}

void service_retry(struct service *service)
{
    service->retry_when_open = vault_locked(service->vault)->kind != PROBLEM_NONE;
    step_all(service, EVENT_RETRY);
}

bool service_key_comes(const struct service *service)
{
    return keys_fetching(service->keys);
}

bool service_must_wait(const struct service *service)
{
    const struct entry *entry;

    for (entry = service->entries; entry != NULL; entry = entry->next)
        if (entry->identity.flight.purpose != PURPOSE_NONE)
            return true;
    return keys_busy(service->keys);
}

const char *service_keystore(const struct service *service)
{
    return vault_keystore_name(service->vault);
}

const char *service_keystore_protection(const struct service *service)
{
    return vault_keystore_protection(service->vault);
}

const char *service_keystore_reason(const struct service *service)
{
    return vault_keystore_reason(service->vault);
}

enum service_passphrase service_passphrase(const struct service *service)
{
    switch (vault_want(service->vault)) {
    case VAULT_WANTS_PASSPHRASE:
        return PASSPHRASE_NEEDED;
    case VAULT_WANTS_NEW_PASSPHRASE:
        return PASSPHRASE_TO_CHOOSE;
    case VAULT_WANTS_NOTHING:
    case VAULT_WANTS_LOOK_UP:
    case VAULT_WANTS_STORE:
    default:
        return PASSPHRASE_NONE;
    }
}
