/* SPDX-License-Identifier: MPL-2.0 */
/*
 * backup.restore: protocol section 3. It goes on one identity a turn of the loop, for each is written and
 * synced. What has come back stays when a later one fails: restoring again goes on from there.
 */
#include "service/backup_parts.h"

#include "core/json_read.h"
#include "core/wiping_alloc.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static void explain(enum backup_verdict verdict, struct problem *problem)
{
    switch (verdict) {
    case BACKUP_NEWER:
        problem_set(problem, PROBLEM_VAULT_DAMAGED, "The backup was made by a newer version of Thunderseal.",
                    "Update Thunderseal, then restore again.");
        break;
    case BACKUP_WRONG_KEY:
        problem_set(problem, PROBLEM_VAULT_LOCKED,
                    "The passphrase is wrong, or the backup was changed by somebody.",
                    "Try again with the passphrase that the backup was made with; for one made for a "
                    "recipient, with the recipient's secret key in base64.");
        break;
    case BACKUP_NO_MEMORY:
        backup_no_memory(problem);
        break;
    case BACKUP_DAMAGED:
    case BACKUP_GOOD:
    default:
        problem_set(problem, PROBLEM_VAULT_DAMAGED, "This is no backup of Thunderseal's, or it is damaged.",
                    "Use another copy of it; nothing was changed here.");
        break;
    }
}

static int take_content(struct backup_job *job, const struct secret *key, struct problem *problem)
{
    unsigned char *plain = NULL;
    bool no_memory = false;
    json_t *item;
    size_t length = 0, i;
    enum backup_verdict verdict =
        backup_open(&job->head, key, job->sealed, job->sealed_length, &plain, &length);

    if (verdict == BACKUP_GOOD)
        job->content = json_read((const char *)plain, length, JSON_REJECT_DUPLICATES, NULL, &no_memory);
    wiping_free(plain);
    if (no_memory)
        verdict = BACKUP_NO_MEMORY;
    if (verdict == BACKUP_GOOD &&
        json_integer_value(json_object_get(job->content, "version")) > BACKUP_CONTENT_VERSION)
        verdict = BACKUP_NEWER;
    else if (verdict == BACKUP_GOOD && !json_is_array(json_object_get(job->content, "identities")))
        verdict = BACKUP_DAMAGED;
    if (verdict != BACKUP_GOOD) {
        explain(verdict, problem);
        return -1;
    }
    json_array_foreach(json_object_get(job->content, "identities"), i, item)
    {
        if (backup_check_one(item, problem) != 0)
            return -1;
    }
    job->restored = json_array();
    job->kept = json_array();
    return 0;
}

static json_t *without_sign_in(const struct backup_job *job)
{
    json_t *list = json_array(), *account;
    size_t i;

    json_array_foreach(job->restored, i, account)
    {
        const struct entry *entry = entry_of(job->service, json_string_value(account));
        if (entry == NULL || entry->identity.grant.serial == 0)
            json_array_append(list, account);
    }
    return list;
}

static json_t *restore_result(const struct backup_job *job)
{
    json_t *result = json_pack("{s:O}", "accounts", job->restored);

    if (job->service->client.own) {
        json_object_set(result, "kept", job->kept);
        json_object_set_new(result, "signedOut", without_sign_in(job));
    }
    return result;
}

static void restore_next(void *context)
{
    struct backup_job *job = context;
    struct service *service = job->service;
    json_t *identities = json_object_get(job->content, "identities");
    struct problem problem = {0};

    job->turn = NULL;
    if (job->next == json_array_size(identities) || request_by_number(service, job->request) == NULL) {
        backup_job_answer(job, restore_result(job), &problem);
        return;
    }
    if (backup_restore_one(service, json_array_get(identities, job->next++), job->restored, job->kept,
                           &problem) != 0) {
        backup_job_answer(job, NULL, &problem);
        return;
    }
    service_tell_changes(service);
    job->turn = loop_timer_start(service->loop, 0, restore_next, job);
    if (job->turn == NULL) {
        backup_no_memory(&problem);
        backup_job_answer(job, NULL, &problem);
    }
}

static void restore_with(void *context, struct secret *key)
{
    struct backup_job *job = context;
    struct problem problem = {0};

    job->child = NULL;
    if (request_by_number(job->service, job->request) == NULL) {
        backup_job_answer(job, NULL, &problem);
    } else if (key->length == 0) {
        backup_no_memory(&problem);
        backup_job_answer(job, NULL, &problem);
    } else if (take_content(job, key, &problem) != 0) {
        backup_job_answer(job, NULL, &problem);
    } else {
        restore_next(job);
    }
}

/* What is given as passphrase is the recipient's secret key here. */
static enum backup_verdict unseal(struct backup_job *job, struct secret *key)
{
    struct secret secret_key = {0};
    enum backup_verdict verdict = BACKUP_WRONG_KEY;
    size_t length = 0;

    if (secret_reserve(&secret_key, ENVELOPE_KEY_SIZE) != 0)
        return BACKUP_NO_MEMORY;
    if (sodium_base642bin(secret_key.bytes, secret_key.length, secret_expose(&job->passphrase),
                          job->passphrase.length, NULL, &length, NULL, sodium_base64_VARIANT_ORIGINAL) == 0 &&
        length == secret_key.length)
        verdict = backup_unseal(&job->head, &secret_key, key);
    secret_wipe(&secret_key);
    secret_wipe(&job->passphrase);
    return verdict;
}

static void open_for_recipient(struct backup_job *job, struct problem *problem)
{
    struct secret key = {0};
    enum backup_verdict verdict = unseal(job, &key);

    if (verdict == BACKUP_GOOD) {
        restore_with(job, &key);
    } else {
        explain(verdict, problem);
        backup_job_refuse(job, problem);
    }
    secret_wipe(&key);
}

static int read_data(struct backup_job *job, const char *text, struct problem *problem)
{
    size_t room = strlen(text) / 4 * 3 + 3;
    enum backup_verdict verdict;

    job->sealed = malloc(room);
    if (job->sealed == NULL) {
        backup_no_memory(problem);
        return -1;
    }
    if (sodium_base642bin(job->sealed, room, text, strlen(text), NULL, &job->sealed_length, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        return rpc_param_bad(problem, "data", "a backup in base64");
    verdict = backup_parse(job->sealed, job->sealed_length, &job->head);
    if (verdict == BACKUP_GOOD)
        return 0;
    explain(verdict, problem);
    return -1;
}

/* A new vault gets its own device key here. Before the passphrase is tried: a keyring may have to be asked.
 */
static int prepare(struct service *service, struct problem *problem)
{
    if (vault_prepare(service->vault, problem) != 0)
        return -1;
    store_watch(service);
    return 0;
}

/* Of an undamaged backup alone one can say that it waits for its passphrase. */
static int read_key(struct backup_job *job, const char *passphrase, struct problem *problem)
{
    if (passphrase != NULL)
        return backup_read_passphrase(job, passphrase, problem);
    problem_set(problem, PROBLEM_VAULT_LOCKED, "The backup needs its passphrase.",
                job->head.way == BACKUP_BY_PASSPHRASE
                    ? "Give the passphrase that the backup was made with."
                    : "Give the secret key of the recipient that it was made for, in base64.");
    return -1;
}

json_t *method_backup_restore(struct service *service, struct rpc_request *request, struct problem *problem)
{
    static const char *const names[] = {"data", "passphrase"};
    const char *data = NULL, *passphrase = NULL;
    struct backup_job *job;

    if (rpc_params_known(request->params, names, sizeof names / sizeof names[0], problem) != 0 ||
        rpc_param_text(request->params, "data", true, &data, problem) != 0 ||
        rpc_param_text(request->params, "passphrase", false, &passphrase, problem) != 0)
        return NULL;
    job = backup_job_open(service, problem);
    if (job == NULL)
        return NULL;
    if (read_data(job, data, problem) != 0 || read_key(job, passphrase, problem) != 0 ||
        prepare(service, problem) != 0 || backup_job_wait(job, request->id, problem) != 0) {
        backup_job_close(job);
        return NULL;
    }
    if (job->head.way == BACKUP_BY_RECIPIENT)
        open_for_recipient(job, problem);
    else if (backup_job_stretch(job, restore_with, problem) != 0)
        backup_job_refuse(job, problem);
    return NULL;
}
