/* SPDX-License-Identifier: MPL-2.0 */
/* What goes into the log, and when. An account is called as in the audit log, by the hash that this vault
 * makes of it; while the vault is locked it is not called at all. */
#include "service/service_parts.h"

#include <strings.h>

void log_note(struct service *service, struct log_entry *entry, const char *account)
{
    char hash[AUDIT_HASH_SIZE];

    if (!log_wants(service->client.log, entry->event))
        return;
    if (account != NULL && account[0] != '\0' && service->audit != NULL &&
        audit_hash_of(service->audit, account, hash) == 0)
        entry->account = log_hash_of(hash);
    log_write(service->client.log, entry);
}

void log_simple(struct service *service, enum log_event event)
{
    struct log_entry told = {.event = event};

    log_note(service, &told, NULL);
}

void log_problem(struct service *service, enum log_event event, const struct problem *problem)
{
    struct log_entry told = {.event = event};

    log_entry_problem(&told, problem);
    log_note(service, &told, NULL);
}

void log_request(struct service *service, const char *method)
{
    struct log_entry told = {.event = LOG_REQUEST, .rpc_method = log_word_of(method)};

    log_note(service, &told, NULL);
}

void log_entry_event(struct entry *entry, enum log_event event)
{
    struct log_entry told = {.event = event};

    log_note(entry->service, &told, entry->identity.key.sign_in_as);
}

void log_state(struct entry *entry)
{
    const struct problem *problem;
    struct log_entry told = {.event = LOG_STATE};

    if (!log_wants(entry->service->client.log, LOG_STATE))
        return;
    told.state = log_word_of(identity_state(&entry->identity, &problem));
    if (problem != NULL)
        log_entry_problem(&told, problem);
    log_note(entry->service, &told, entry->identity.key.sign_in_as);
}

void log_timer(struct entry *entry, int64_t seconds)
{
    struct log_entry told = {.event = LOG_TIMER, .seconds = seconds};

    log_note(entry->service, &told, entry->identity.key.sign_in_as);
}

void log_saved(struct entry *entry, const struct problem *problem)
{
    struct log_entry told = {.event = problem->kind == PROBLEM_NONE ? LOG_SAVED : LOG_NOT_SAVED};

    log_entry_problem(&told, problem);
    log_note(entry->service, &told, entry->identity.key.sign_in_as);
}

void log_token_given(struct entry *entry, int resource, bool renewed)
{
    struct log_entry told = {.event = LOG_TOKEN_GIVEN, .what = log_word_of(renewed ? "renewed" : "cache")};

    told.resource = log_word_of(resource_word(entry, resource));
    log_note(entry->service, &told, entry->identity.key.sign_in_as);
}

/* ---- token requests ---- */

static void log_token(struct entry *entry, struct log_entry *told, enum token_purpose purpose, int resource)
{
    if (purpose == PURPOSE_REFRESH)
        told->resource = log_word_of(resource_word(entry, resource));
    told->what = log_word_of(purpose == PURPOSE_REFRESH ? "refresh" : "sign-in");
    log_note(entry->service, told, entry->identity.key.sign_in_as);
}

void log_token_request(struct entry *entry)
{
    struct log_entry told = {.event = LOG_TOKEN_REQUEST};

    log_token(entry, &told, entry->identity.flight.purpose, entry->identity.flight.resource);
}

void log_token_answer(struct entry *entry, enum token_purpose purpose, int resource,
                      const struct problem *problem)
{
    struct log_entry told = {.event = LOG_TOKEN_ANSWER,
                             .http_status = entry->exchange.http_status,
                             .milliseconds = entry->exchange.milliseconds,
                             .request_id = entry->exchange.request_id};

    log_entry_problem(&told, problem);
    log_token(entry, &told, purpose, resource);
}

void log_renewal(struct entry *entry, int resource, const struct problem *problem, bool repeated)
{
    bool failed = problem->kind != PROBLEM_NONE;
    struct log_entry told = {.event = failed ? LOG_RENEWAL_FAILED : LOG_RENEWED,
                             .repeated = failed && repeated,
                             .http_status = failed ? entry->exchange.http_status : 0,
                             .milliseconds = entry->exchange.milliseconds,
                             .request_id = entry->exchange.request_id};

    told.resource = log_word_of(resource_word(entry, resource));
    log_entry_problem(&told, problem);
    log_note(entry->service, &told, entry->identity.key.sign_in_as);
}

/* ---- what the audit log is told as well ---- */

void log_audited(struct service *service, const struct audit_entry *entry, const struct guid *request_id)
{
    struct log_entry told = {.resource = log_word_of(entry->resource),
                             .method = log_word_of(entry->method),
                             .what = log_word_of(entry->what),
                             .kind = entry->kind == NULL ? PROBLEM_NONE : problem_kind_by_name(entry->kind),
                             .stage = log_word_of(entry->stage),
                             .aadsts = entry->aadsts,
                             .count = entry->count};
    const struct guid named = guid_read(entry->correlation_id);

    if (!log_event_of(entry->event, &told.event))
        return;
    if (request_id != NULL)
        told.request_id = *request_id;
    if (!guid_equal(&named, &told.request_id))
        told.correlation_id = named;
    log_note(service, &told, entry->account);
}
