/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What goes into the audit log, and when: called where the effects of the identity machine are carried out.
 * Only words of ours, numbers, and addresses as hashes; whether it could be written changes nothing for the
 * caller.
 */
#include "service/service_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define RETRY_MS 30000 /* a full disk is rarely emptied faster */

/* ---- its life ---- */

/* The add-on's own keys come and go with Thunderbird; they decide nothing about sign-ins. */
static char *policy_text(const struct settings *settings)
{
    json_t *policy = json_copy(settings->values);
    size_t count, i;
    const struct settings_key *keys = settings_keys(&count);
    char *text;

    for (i = 0; i < count; i++)
        if (keys[i].for_extension)
            json_object_del(policy, keys[i].name);
    text = json_dumps(policy, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(policy);
    return text;
}

void audit_events_open(struct service *service)
{
    const json_t *value = json_object_get(service->settings.values, "audit");
    const json_t *enabled = json_object_get(value, "enabled"),
                 *days = json_object_get(value, "retentionDays");
    char *policy = policy_text(&service->settings);
    const struct audit_options options = {.enabled = enabled == NULL || json_is_true(enabled),
                                          .retention_days = days == NULL ? AUDIT_DAYS_DEFAULT
                                                                         : (int)json_integer_value(days),
                                          .policy = policy == NULL ? "" : policy};
    json_free_t release;

    service->audit = audit_open(service->vault, &options);
    json_get_alloc_funcs(NULL, &release);
    if (policy != NULL)
        release(policy);
}

void audit_events_close(struct service *service)
{
    loop_timer_cancel(service->loop, service->audit_timer);
    service->audit_timer = NULL;
    audit_close(service->audit);
    service->audit = NULL;
}

static void try_again(void *context)
{
    struct service *service = context;

    service->audit_timer = NULL;
    audit_events_settle(service);
}

/* Told once until it works again; work goes on without. */
static void tell_failure(struct service *service)
{
    struct problem problem = *audit_failed(service->audit);

    if (problem.kind != PROBLEM_STORAGE) {
        service->audit_told = service->audit_told && problem.kind != PROBLEM_NONE;
        return;
    }
    if (service->audit_timer == NULL)
        service->audit_timer = loop_timer_start(service->loop, RETRY_MS, try_again, service);
    if (service->audit_told)
        return;
    service->audit_told = true;
    problem.since = wall_clock();
    settings_warn(&service->settings, &problem);
    fprintf(stderr, "thunderseal: %s %s\n", problem.cause, problem.remedy);
}

void audit_events_settle(struct service *service)
{
    struct problem problem;

    if (service->audit == NULL || !audit_due(service->audit))
        return;
    (void)audit_flush(service->audit, &problem);
    tell_failure(service);
}

void audit_events_unlocked(struct service *service)
{
    if (service->audit != NULL && audit_failed(service->audit)->kind != PROBLEM_STORAGE)
        audit_events_settle(service);
}

/* ---- events ---- */

static void note_in_audit(struct service *service, struct audit_entry *entry, const char *account)
{
    if (service->audit == NULL)
        return;
    entry->time = wall_clock();
    entry->by = service->client.own ? "command" : "thunderbird";
    problem_copy_text(entry->account, sizeof entry->account, account);
    audit_note(service->audit, entry);
    tell_failure(service);
}

static void note(struct service *service, struct audit_entry *entry, const char *account)
{
    problem_copy_text(entry->account, sizeof entry->account, account);
    log_audited(service, entry, NULL);
    note_in_audit(service, entry, account);
}

static void add_problem(struct audit_entry *entry, const struct problem *problem)
{
    entry->kind = problem_kind_name(problem->kind);
    entry->stage = problem->stage;
    entry->aadsts = problem->aadsts;
    problem_copy_text(entry->correlation_id, sizeof entry->correlation_id, problem->correlation_id);
}

/* A caller may name any resource; the log knows two by name. */
const char *resource_word(const struct entry *entry, int resource)
{
    const char *name = entry->identity.access[resource].resource;
    struct account_target target;

    settings_target(&entry->service->settings, entry->identity.key.sign_in_as, &entry->wish, &target);
    if (target.outlook != NULL && strcasecmp(name, target.outlook) == 0)
        return "outlook";
    return target.graph != NULL && strcasecmp(name, target.graph) == 0 ? "graph" : "other";
}

void audit_account(struct service *service, const char *event, const char *account)
{
    struct audit_entry entry = {.event = event};

    note(service, &entry, account);
}

void audit_sign_in(struct entry *entry, const char *event, const struct problem *problem)
{
    struct audit_entry told = {.event = event, .method = method_name(entry->sign_in_method)};

    if (problem != NULL)
        add_problem(&told, problem);
    problem_copy_text(told.account, sizeof told.account, entry->sign_in_account);
    log_audited(entry->service, &told, &entry->sign_in_request);
    note_in_audit(entry->service, &told, entry->sign_in_account);
}

void audit_sign_in_finished(struct entry *entry, const struct problem *problem)
{
    bool import = entry->sign_in_method == METHOD_IMPORT;

    if (problem == NULL)
        entry->handed_over = 0;
    audit_sign_in(entry,
                  problem == NULL ? (import ? "imported" : "signed-in")
                                  : (import ? "import-failed" : "sign-in-failed"),
                  problem);
}

void audit_signed_out(struct entry *entry, bool everywhere)
{
    struct audit_entry told = {.event = "signed-out", .what = everywhere ? "everywhere" : NULL};

    note(entry->service, &told, entry->identity.key.sign_in_as);
}

void audit_handed_over(struct entry *entry, int resource)
{
    struct audit_entry told = {.event = "token-handed-over", .soon = true};

    if ((entry->handed_over & 1U << resource) != 0)
        return;
    entry->handed_over |= 1U << resource;
    told.resource = resource_word(entry, resource);
    note(entry->service, &told, entry->identity.key.sign_in_as);
}

/* The same failure again and again, while nothing else comes of it, is told once. */
void audit_renewed(struct entry *entry, int resource, const struct problem *problem)
{
    struct audit_failure *last = &entry->renewal_failed[resource];
    const struct audit_failure failure = {.kind = problem->kind, .aadsts = problem->aadsts};
    struct audit_entry told = {.event = "renewed", .resource = resource_word(entry, resource)};
    bool repeated = last->kind == failure.kind && last->aadsts == failure.aadsts;

    log_renewal(entry, resource, problem, repeated);
    if (problem->kind != PROBLEM_NONE && repeated)
        return;
    *last = failure;
    if (problem->kind != PROBLEM_NONE) {
        told.event = "renewal-failed";
        add_problem(&told, problem);
    }
    note_in_audit(entry->service, &told, entry->identity.key.sign_in_as);
}

void audit_damaged(struct entry *entry, bool previous_used)
{
    struct audit_entry told = {
        .event = AUDIT_VAULT_DAMAGED, .until_healed = true, .what = previous_used ? "previous-used" : "lost"};

    note(entry->service, &told, entry->identity.key.sign_in_as);
}

void audit_key_changed(struct service *service, const char *what)
{
    struct audit_entry told = {.event = "key-changed", .what = what};

    note(service, &told, "");
}

void audit_health(struct service *service, const char *overall, int failed)
{
    struct audit_entry told = {.event = "health-checked", .what = overall, .count = failed};

    note(service, &told, "");
}
