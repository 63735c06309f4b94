/* SPDX-License-Identifier: MPL-2.0 */
/* The checks that need no network: versions, configuration, vault, audit log; and the clock's verdict. */
#include "service/health.h"

#include "core/versions.h"
#include "service/shared_checks.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

void health_versions(struct health_item *item)
{
    const struct service *service = item->job->service;
    json_t *check = health_check(item, CHECK_OK);
    const char *missing = https_library_missing();
    /* "libcurl 7.88.1 (OpenSSL/3.0.17)" */
    const char *libcurl = strchr(https_library(), ' ') + 1;

    check_detail(check, "Thunderseal %s, %s, libsodium %s.", THUNDERSEAL_VERSION, https_library(),
                 sodium_version_string());
    check_evidence_text(check, "host", THUNDERSEAL_VERSION);
    check_evidence_text(check, "extension", service->client.own ? "" : service->extension_version);
    check_evidence_text(check, "thunderbird", service->thunderbird_version);
    check_evidence_text(check, "libcurl", https_library());
    check_evidence_text(check, "libsodium", sodium_version_string());
    check_evidence_text(check, "jansson", jansson_version_str());
    version_judge(check, PART_EXTENSION, service->client.own ? "" : service->extension_version);
    version_judge(check, PART_THUNDERBIRD, service->thunderbird_version);
    version_judge(check, PART_LIBCURL, libcurl);
    version_judge(check, PART_LIBSODIUM, sodium_version_string());
    if (missing != NULL) {
        check_worsen(check, CHECK_FAIL);
        check_cause(check, "libcurl");
        check_detail(check, "libcurl lacks %s: this is %s.", missing, https_library());
        check_remedy(check, "Install the libcurl of your distribution, version 7.87 or later, with OpenSSL.");
    }
    health_done(item, check);
}

void health_policy(struct health_item *item)
{
    health_done(item, check_of_settings(&item->job->service->settings));
}

/* ---- the vault ---- */

/* The first identity with such a problem, or NULL. */
static const struct problem *problem_of_kind(const struct service *service, enum problem_kind kind)
{
    const struct entry *entry;

    for (entry = service->entries; entry != NULL; entry = entry->next) {
        const struct identity *identity = &entry->identity;
        if (kind == PROBLEM_STORAGE && identity->storage.kind == kind)
            return &identity->storage;
        if (identity->held.kind == kind)
            return &identity->held;
        if (identity->dead.kind == kind)
            return &identity->dead;
    }
    return NULL;
}

void health_vault(struct health_item *item)
{
    const struct service *service = item->job->service;
    json_t *check = check_of_state_folder();
    const struct problem *locked = vault_locked(service->vault),
                         *storage = problem_of_kind(service, PROBLEM_STORAGE),
                         *damaged = problem_of_kind(service, PROBLEM_VAULT_DAMAGED);
    const struct problem *problem = storage != NULL ? storage : damaged != NULL ? damaged : NULL;

    /* A vault that is yet to be made has no key either, and lacks nothing. */
    if (locked->kind != PROBLEM_NONE && vault_key_id(service->vault)[0] != '\0')
        problem = locked;
    check_evidence_text(check, "store", vault_keystore_name(service->vault));
    check_evidence_text(check, "protection", vault_keystore_protection(service->vault));
    check_evidence(check, "memoryLocked", json_boolean(secret_arena_locked()));
    if (problem != NULL) {
        check_worsen(check, CHECK_FAIL);
        check_problem(check, problem);
    }
    health_done(item, check);
}

/* ---- the audit log ---- */

void health_audit(struct health_item *item)
{
    struct service *service = item->job->service;
    const json_t *enabled = json_object_get(json_object_get(service->settings.values, "audit"), "enabled");
    struct audit_verdict verdict;
    struct problem problem;
    json_t *check;

    if (json_is_false(enabled)) {
        health_skip(item, "The configuration turns the audit log off.");
        return;
    }
    check = health_check(item, CHECK_OK);
    audit_events_settle(service);
    if (service->audit == NULL) {
        json_decref(check);
        check = NULL;
    } else if (vault_key_id(service->vault)[0] == '\0') {
        check_detail(check, "There is none yet; the first sign-in begins it.");
    } else if (audit_check(service->audit, NULL, NULL, &verdict, &problem) != 0) {
        json_object_set_new(check, "status",
                            json_string(check_status_name(
                                problem.kind == PROBLEM_VAULT_LOCKED ? CHECK_SKIPPED : CHECK_FAIL)));
        check_problem(check, &problem);
    } else if (!verdict.intact) {
        check_worsen(check, CHECK_FAIL);
        check_cause(check, audit_damage_name(verdict.first.damage));
        check_detail(check, "The audit log is not what was written.");
        check_remedy(check, "See where: \"thunderseal audit verify\" tells it. Ask your administrator.");
        check_admin_remedy(check, "Compare with a backup of ~/.local/state/thunderseal/audit.jsonl.");
        check_evidence(check, "line", json_integer((json_int_t)verdict.first.line));
        check_evidence(check, "findings", json_integer((json_int_t)verdict.findings));
    } else {
        check_detail(check, "Its %lld entries are as they were written.", (long long)verdict.entries);
        check_evidence(check, "entries", json_integer((json_int_t)verdict.entries));
        if (audit_failed(service->audit)->kind == PROBLEM_STORAGE) {
            check_worsen(check, CHECK_WARN);
            check_problem(check, audit_failed(service->audit));
        }
    }
    health_done(item, check);
}

/* ---- the clock ---- */

void health_clock(struct health_item *item)
{
    const struct health_item *authority = item->job->items;
    const struct authority_answer *answer;

    while (authority != NULL && authority->id != HEALTH_AUTHORITY)
        authority = authority->next;
    if (authority == NULL || authority->state != ITEM_DONE)
        return;
    answer = health_authority_answer(authority);
    health_done(item, answer == NULL ? check_of_clock(-1, 0)
                                     : check_of_clock((long long)answer->date, (long long)answer->now));
}
