/* SPDX-License-Identifier: MPL-2.0 */
/* Carrying out what the identity machine decides: the only place where its effects meet the world. */
#include "service/service_parts.h"

#include "core/authorization.h"
#include "core/diagnosis.h"
#include <string.h>

#define PATH_TOKEN "/oauth2/v2.0/token"

/* What is done, and reported back to the machine, once all other effects of the step are carried out. */
struct report {
    bool save, forget_older;
    bool lock;
    bool send_failed;
};

void entry_changed(struct entry *entry)
{
    entry->changed = true;
    entry->service->changes_due = true;
}

struct token_http token_exchange(const struct https_answer *http)
{
    return (struct token_http){.failed_stage = http->failed_stage,
                               .status = http->status,
                               .too_long = http->too_long,
                               .redirected = http->redirected,
                               .retry_after = http->retry_after,
                               .body = &http->body};
}

/* Why the renewal came to nothing: an answer that sounds good may be about somebody else. */
static const struct problem *renewal_problem(const struct entry *entry, int resource,
                                             const struct token_answer *answer)
{
    const struct identity *identity = &entry->identity;

    if (answer->problem.kind != PROBLEM_NONE)
        return &answer->problem;
    return identity->dead.kind != PROBLEM_NONE ? &identity->dead : &identity->access[resource].problem;
}

static void token_arrived(void *context, struct https_answer *http)
{
    struct entry *entry = context;
    struct service *service = entry->service;
    struct token_answer answer = {0};
    struct event event = {.kind = EVENT_TOKEN_ANSWER, .answer = &answer};
    const struct token_http exchange = token_exchange(http);
    enum token_purpose purpose = entry->identity.flight.purpose;
    bool renewal = purpose == PURPOSE_REFRESH && !entry->identity.flight.detached;
    int resource = entry->identity.flight.resource;

    entry->exchange = (struct exchange){
        .request_id = http->request_id, .milliseconds = http->milliseconds, .http_status = http->status};
    if (purpose == PURPOSE_SIGN_IN && !entry->identity.flight.detached)
        entry->sign_in_request = http->request_id;
    token_answer_read(&answer, &exchange);
    log_token_answer(entry, purpose, resource, &answer.problem);
    (void)entry_step(entry, &event);
    if (renewal)
        audit_renewed(entry, resource, renewal_problem(entry, resource, &answer));
    token_answer_clear(&answer);
    entries_sweep(service);
    service_tell_changes(service);
    if (service->client.settled != NULL)
        service->client.settled(service->client.context);
}

/* Trust anchors of the user's file vouch for a cloud of the user's own, never for Microsoft's. */
struct https *https_for(struct service *service, const char *authority)
{
    bool own_anchors = settings_ca_file_for(&service->settings, authority) != NULL;
    struct https **https = own_anchors ? &service->https_own_anchors : &service->https;
    const char *proxy = settings_text(&service->settings, "proxy");

    if (*https == NULL)
        *https = https_new(service->loop, settings_ca_file_for(&service->settings, authority),
                           proxy != NULL ? proxy : service->proxy);
    return *https;
}

static int send_token_request(struct entry *entry)
{
    const struct identity_key *key = &entry->identity.key;
    struct https *https = https_for(entry->service, key->authority);
    struct secret form = {0};
    char url[1024];

    if (https == NULL ||
        endpoint_url(url, sizeof url, key->authority, identity_token_tenant(&entry->identity), PATH_TOKEN) !=
            0 ||
        identity_token_form(&entry->identity, &form) != 0)
        return -1;
    if (https_post_form(https, url, &form, HTTPS_TOKEN_ANSWER_MAX, HTTPS_TOKEN_TIMEOUT_MS, token_arrived,
                        entry) != 0) {
        secret_wipe(&form);
        return -1;
    }
    return 0;
}

/* Whether there still was somebody to hand it to. */
static bool reply_token(struct entry *entry, const struct effect *effect)
{
    struct request *request = request_by_number(entry->service, effect->request);
    const struct access *access = &entry->identity.access[effect->resource];
    char scopes[SCOPE_LIST_SIZE], scope[SCOPE_SIZE];
    const char *rest = scopes;
    const struct secret *token = &access->access_token;
    json_t *list;

    if (request == NULL)
        return false;
    if (request->told != NULL) {
        request->told(request->told_context, effect->resource, effect->renewed, NULL);
        request_close(request);
        return false;
    }
    list = json_array();
    scope_list_of_resource(scopes, entry->identity.grant.scopes, access->resource);
    while (scope_list_next(&rest, scope))
        json_array_append_new(list, json_string(scope));
    /* The token came out of JSON, so that it need not be looked through for UTF-8 again. */
    send_message(
        entry->service,
        rpc_result(request->id,
                   json_pack("{s:o, s:s, s:I, s:o, s:s, s:s}", "accessToken",
                             json_stringn_nocheck(secret_expose(token), token->length), "tokenType", "Bearer",
                             "expiresAt", (json_int_t)access->expires_at, "scopes", list, "resource",
                             access->resource, "source", effect->renewed ? "renewed" : "cache")));
    request_close(request);
    log_token_given(entry, effect->resource, effect->renewed);
    return true;
}

static void reply_problem(struct service *service, const struct effect *effect)
{
    struct request *request = request_by_number(service, effect->request);

    if (request == NULL)
        return;
    if (request->told != NULL) {
        request->told(request->told_context, effect->resource, false, effect->problem);
        request_close(request);
        return;
    }
    log_problem(service, LOG_REQUEST_REFUSED, effect->problem);
    send_message(service, entry_error(request->entry, request->id, effect->problem));
    request_close(request);
}

static void tell_attention(struct entry *entry, const struct problem *problem)
{
    json_t *address;
    size_t i;

    json_array_foreach(entry->addresses, i, address)
    {
        notify(entry->service, "attention",
               json_pack("{s:O, s:o}", "account", address, "problem", problem_to_json(problem)));
    }
}

/* --- the lock around a token request --- */

static void lock_again(void *context);

/* What another process renewed while it held the lock counts before anything is sent. */
static void lock_had(struct entry *entry)
{
    const struct event event = {.kind = EVENT_LOCKED};

    log_entry_event(entry, LOG_LOCK_HELD);
    store_refresh(entry);
    (void)entry_step(entry, &event);
}

static void try_lock(struct entry *entry)
{
    struct service *service = entry->service;

    if (entry->identity.lock != LOCK_WANTED)
        return;
    if (identity_lock_try(&entry->lock, service->vault, entry->name, IDENTITY_LOCK_REQUEST) !=
        IDENTITY_LOCK_BUSY) {
        lock_had(entry);
        return;
    }
    if (entry->lock_retry_ms == LOCK_RETRY_FIRST_MS)
        log_entry_event(entry, LOG_LOCK_AWAITED);
    entry->lock_timer = loop_timer_start(service->loop, entry->lock_retry_ms, lock_again, entry);
    entry->lock_retry_ms *= 2;
    if (entry->lock_retry_ms > LOCK_RETRY_MAX_MS)
        entry->lock_retry_ms = LOCK_RETRY_MAX_MS;
}

static void lock_again(void *context)
{
    struct entry *entry = context;
    struct service *service = entry->service;

    entry->lock_timer = NULL;
    try_lock(entry);
    entries_sweep(service);
    service_tell_changes(service);
}

static void unlock(struct entry *entry)
{
    loop_timer_cancel(entry->service->loop, entry->lock_timer);
    entry->lock_timer = NULL;
    identity_lock_release(&entry->lock);
    log_entry_event(entry, LOG_LOCK_RELEASED);
}

/* --- effects --- */

static void carry_out(struct entry *entry, const struct effect *effect, struct report *report)
{
    switch (effect->kind) {
    case EFFECT_REPLY_TOKEN:
        if (reply_token(entry, effect))
            audit_handed_over(entry, effect->resource);
        break;
    case EFFECT_REPLY_PROBLEM:
        reply_problem(entry->service, effect);
        break;
    case EFFECT_LOCK:
        report->lock = true;
        break;
    case EFFECT_UNLOCK:
        unlock(entry);
        break;
    case EFFECT_SEND_TOKEN:
        log_token_request(entry);
        report->send_failed = send_token_request(entry) != 0;
        break;
    case EFFECT_SAVE:
    case EFFECT_SAVE_AND_FORGET:
        report->save = true;
        report->forget_older = effect->kind == EFFECT_SAVE_AND_FORGET;
        break;
    case EFFECT_SIGN_IN_FINISHED:
        sign_in_finished(entry, effect->problem);
        break;
    case EFFECT_SIGN_IN_RETRY:
        sign_in_retry(entry, effect->problem);
        break;
    case EFFECT_CHANGED:
        log_state(entry);
        entry_changed(entry);
        break;
    case EFFECT_ATTENTION:
        tell_attention(entry, effect->problem);
        break;
    }
}

static void save(struct entry *entry, bool forget_older)
{
    const struct store_change change = {.forget_older = true};
    struct problem problem = {0};
    const struct event event = {.kind = EVENT_SAVED, .saved = &problem};

    if (store_save(entry, forget_older ? &change : NULL, &problem) == 0)
        memset(&problem, 0, sizeof problem);
    log_saved(entry, &problem);
    (void)entry_step(entry, &event);
}

static void report_send_failed(struct entry *entry)
{
    struct token_answer answer = {.failure = TOKEN_FAILURE_TRANSIENT};
    struct event event = {.kind = EVENT_TOKEN_ANSWER, .answer = &answer};

    diagnose_kind(PROBLEM_INTERNAL, &answer.problem);
    (void)entry_step(entry, &event);
}

/* --- time --- */

static void wake(void *context)
{
    struct entry *entry = context;
    struct service *service = entry->service;
    const struct event event = {.kind = EVENT_TIME};

    entry->wake_timer = NULL;
    (void)entry_step(entry, &event);
    entries_sweep(service);
    service_tell_changes(service);
}

static void set_alarm(struct entry *entry, struct moment now)
{
    int64_t at = identity_next_wake(&entry->identity, now);

    if (entry->wake_timer != NULL && entry->wake_at == at)
        return;
    loop_timer_cancel(entry->service->loop, entry->wake_timer);
    entry->wake_timer = NULL;
    entry->wake_at = at;
    if (at == NO_WAKE)
        return;
    log_timer(entry, at > now.uptime ? at - now.uptime : 0);
    entry->wake_timer =
        loop_timer_start(entry->service->loop, at > now.uptime ? (at - now.uptime) * 1000 : 0, wake, entry);
}

int entry_step(struct entry *entry, const struct event *event)
{
    struct moment now = moment_now();
    struct effects effects;
    struct report report = {0};
    size_t i;

    if (identity_step(&entry->identity, event, now, &effects) != 0)
        return -1;
    for (i = 0; i < effects.count; i++)
        carry_out(entry, &effects.list[i], &report);
    if (report.save)
        save(entry, report.forget_older);
    if (report.send_failed)
        report_send_failed(entry);
    if (report.lock) {
        entry->lock_retry_ms = LOCK_RETRY_FIRST_MS;
        try_lock(entry);
    }
    set_alarm(entry, now);
    return 0;
}

void step_all(struct service *service, enum event_kind kind)
{
    const struct event event = {.kind = kind};
    struct entry *entry;

    for (entry = service->entries; entry != NULL; entry = entry->next)
        (void)entry_step(entry, &event);
    entries_sweep(service);
    service_tell_changes(service);
}
