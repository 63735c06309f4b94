/* SPDX-License-Identifier: MPL-2.0 */
/* backup.create: protocol section 3. */
#include "service/backup_parts.h"

#include "core/wiping_alloc.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static json_t *sealed_result(struct backup_job *job, const struct secret *key, struct problem *problem)
{
    unsigned char *sealed = NULL;
    char *text = NULL;
    size_t length = 0, size;
    json_t *result = NULL;

    if (backup_seal(&job->head, key, job->plain, strlen(job->plain), &sealed, &length) == 0) {
        size = sodium_base64_encoded_len(length, sodium_base64_VARIANT_ORIGINAL);
        text = malloc(size);
        if (text != NULL)
            result = json_pack("{s:s}", "data",
                               sodium_bin2base64(text, size, sealed, length, sodium_base64_VARIANT_ORIGINAL));
    }
    if (json_array_size(job->missing) > 0)
        json_object_set(result, "missing", job->missing);
    if (result == NULL)
        backup_no_memory(problem);
    free(text);
    free(sealed);
    return result;
}

static void create_with(void *context, struct secret *key)
{
    struct backup_job *job = context;
    struct problem problem = {0};
    json_t *result = NULL;

    job->child = NULL;
    if (key->length == 0)
        backup_no_memory(&problem);
    else
        result = sealed_result(job, key, &problem);
    backup_job_answer(job, result, &problem);
}

static json_t *create_for(struct backup_job *job, const char *recipient, struct problem *problem)
{
    unsigned char public_key[ENVELOPE_KEY_SIZE];
    struct secret key = {0};
    size_t length = 0;
    json_t *result = NULL;

    if (sodium_base642bin(public_key, sizeof public_key, recipient, strlen(recipient), NULL, &length, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0 ||
        length != sizeof public_key || backup_by_recipient(&job->head, public_key, &key) != 0)
        rpc_param_bad(problem, "recipient", "an X25519 public key in base64");
    else
        result = sealed_result(job, &key, problem);
    secret_wipe(&key);
    backup_job_close(job);
    return result;
}

/* Tokens that cannot be opened now would be missing in silence. */
static int collect(struct backup_job *job, bool tokens, struct problem *problem)
{
    struct service *service = job->service;
    unsigned long refused = wiping_refused();
    json_t *content;

    if (tokens && vault_locked(service->vault)->kind != PROBLEM_NONE) {
        *problem = *vault_locked(service->vault);
        return -1;
    }
    job->missing = tokens ? backup_missing(service) : NULL;
    content = backup_content(service, tokens);
    job->plain = content == NULL ? NULL : json_dumps(content, JSON_COMPACT);
    json_decref(content);
    if (job->plain != NULL && wiping_refused() == refused) /* else something may be missing in it */
        return 0;
    backup_no_memory(problem);
    return -1;
}

json_t *method_backup_create(struct service *service, struct rpc_request *request, struct problem *problem)
{
    static const char *const names[] = {"passphrase", "recipient", "tokens"};
    const char *passphrase = NULL, *recipient = NULL;
    bool tokens = true;
    struct backup_job *job;

    /* "tokens" is for our own command. */
    if (rpc_params_known(request->params, names, service->client.own ? 3 : 2, problem) != 0 ||
        rpc_param_text(request->params, "passphrase", false, &passphrase, problem) != 0 ||
        rpc_param_text(request->params, "recipient", false, &recipient, problem) != 0 ||
        rpc_param_bool(request->params, "tokens", &tokens, problem) != 0)
        return NULL;
    if ((passphrase == NULL) == (recipient == NULL)) {
        rpc_param_bad(problem, "passphrase", "given, or else \"recipient\": one of the two");
        return NULL;
    }
    job = backup_job_open(service, problem);
    if (job == NULL)
        return NULL;
    if (collect(job, tokens, problem) != 0)
        goto fail;
    if (recipient != NULL)
        return create_for(job, recipient, problem);
    backup_by_passphrase(&job->head);
    if (backup_read_passphrase(job, passphrase, problem) != 0 ||
        backup_job_wait(job, request->id, problem) != 0)
        goto fail;
    if (backup_job_stretch(job, create_with, problem) != 0)
        backup_job_refuse(job, problem);
    return NULL;
fail:
    backup_job_close(job);
    return NULL;
}
