/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A backup being made or restored. One at a time: each may cost 256 MiB and half a second, in a child.
 */
#include "service/backup_parts.h"

#include "core/wiping_alloc.h"
#include <stdlib.h>
#include <string.h>

/* Argon2id with four times the usual cost, on a busy machine. */
#define STRETCH_DEADLINE_MS 30000

void backup_no_memory(struct problem *problem)
{
    problem_set(problem, PROBLEM_INTERNAL, "There is not enough memory: a passphrase takes 256 MiB.",
                "Close other programs and try again.");
}

/* ---- the job ---- */

struct backup_job *backup_job_open(struct service *service, struct problem *problem)
{
    struct backup_job *job;

    if (service->backup != NULL) {
        problem_set(problem, PROBLEM_THROTTLED, "Another backup is being made or restored.",
                    "Wait until it is done.");
        problem->retry_after = 1;
        return NULL;
    }
    job = calloc(1, sizeof *job);
    if (job == NULL) {
        backup_no_memory(problem);
        return NULL;
    }
    job->service = service;
    service->backup = job;
    return job;
}

void backup_job_close(struct backup_job *job)
{
    struct service *service = job->service;

    service->backup = NULL;
    child_stop(job->child);
    loop_timer_cancel(service->loop, job->turn);
    secret_wipe(&job->passphrase);
    wiping_free(job->plain);
    free(job->sealed);
    json_decref(job->content);
    json_decref(job->restored);
    json_decref(job->kept);
    json_decref(job->missing);
    free(job);
}

void backup_abandon(struct service *service)
{
    if (service->backup != NULL)
        backup_job_close(service->backup);
}

/* Answers and ends the job; result NULL: with the problem. Who has cancelled has an answer already. */
void backup_job_answer(struct backup_job *job, json_t *result, const struct problem *problem)
{
    struct service *service = job->service;
    struct request *request = request_by_number(service, job->request);
    struct problem no_memory;

    if (result == NULL && problem->kind == PROBLEM_NONE) {
        backup_no_memory(&no_memory);
        problem = &no_memory;
    }
    backup_job_close(job);
    if (request != NULL) {
        send_message(service,
                     result != NULL ? rpc_result(request->id, result) : rpc_error(request->id, problem));
        request_close(request);
    } else {
        json_decref(result);
    }
    entries_sweep(service);
    service_tell_changes(service);
}

void backup_job_refuse(struct backup_job *job, struct problem *problem)
{
    backup_job_answer(job, NULL, problem);
    memset(problem, 0, sizeof *problem);
}

static int stretch(void *context, unsigned char *key, size_t size)
{
    const struct backup_job *job = context;

    return size == BACKUP_KEY_SIZE ? backup_stretch(&job->head, &job->passphrase, key) : -1;
}

int backup_job_wait(struct backup_job *job, json_t *id, struct problem *problem)
{
    struct request *request = request_open(job->service, id, problem);

    if (request == NULL)
        return -1;
    loop_timer_cancel(job->service->loop, request->deadline); /* the child has its own */
    request->deadline = NULL;
    job->request = request->number;
    return 0;
}

int backup_job_stretch(struct backup_job *job, child_done *done, struct problem *problem)
{
    job->child = child_start(job->service->loop, BACKUP_KEY_SIZE, STRETCH_DEADLINE_MS, stretch, done, job);
    secret_wipe(&job->passphrase); /* the child has its copy */
    if (job->child != NULL)
        return 0;
    backup_no_memory(problem);
    return -1;
}

int backup_read_passphrase(struct backup_job *job, const char *text, struct problem *problem)
{
    size_t length = strlen(text);

    if (length == 0 || length > BACKUP_PASSPHRASE_MAX)
        return rpc_param_bad(problem, "passphrase", "a text of 1 to 1,024 bytes");
    if (secret_set(&job->passphrase, text, length) == 0)
        return 0;
    backup_no_memory(problem);
    return -1;
}
