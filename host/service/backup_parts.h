/* SPDX-License-Identifier: MPL-2.0 */
/* What the three files of backup.create and backup.restore share. */
#ifndef THUNDERSEAL_SERVICE_BACKUP_PARTS_H
#define THUNDERSEAL_SERVICE_BACKUP_PARTS_H

#include "net/child.h"
#include "service/service_parts.h"
#include "vault/backup.h"

#define BACKUP_CONTENT_VERSION 1

struct backup_job {
    struct service *service;
    uint64_t request;
    struct child *child;
    struct backup_head head;
    struct secret passphrase;
    char *plain;           /* what is to be sealed; by Jansson's allocator */
    unsigned char *sealed; /* what is to be opened, else NULL */
    size_t sealed_length;
    json_t *content; /* opened */
    size_t next;     /* of its identities */
    json_t *restored, *kept;
    json_t *missing;         /* whose sign-in cannot be read now; NULL: nobody's */
    struct loop_timer *turn; /* the next identity */
};

/* --- backup.c --- */
/* The service's only job, or NULL with *problem. */
struct backup_job *backup_job_open(struct service *service, struct problem *problem);
void backup_job_close(struct backup_job *job);
/* Keeps the request open: the reply comes later. 0, or -1 with *problem. */
int backup_job_wait(struct backup_job *job, json_t *id, struct problem *problem);
/* Answers and ends the job: result is taken over; NULL: the problem. Who has cancelled has an answer already.
 */
void backup_job_answer(struct backup_job *job, json_t *result, const struct problem *problem);
/* The same for what fails before the method returns, which then must not answer too. */
void backup_job_refuse(struct backup_job *job, struct problem *problem);
/* Has a child make the key out of the passphrase. 0, or -1 with *problem. */
int backup_job_stretch(struct backup_job *job, child_done *done, struct problem *problem);
int backup_read_passphrase(struct backup_job *job, const char *text, struct problem *problem);
void backup_no_memory(struct problem *problem);

/* --- backup_identities.c --- */
/* What is sealed: every account, with or without its tokens. New reference, or NULL out of memory. */
json_t *backup_content(const struct service *service, bool tokens);
/* The accounts whose stored sign-in is damaged or cannot be read now, so that no backup has it. New
 * reference, or NULL out of memory. */
json_t *backup_missing(const struct service *service);
/* Whether one of its identities makes sense: asked of all before the first comes back. 0, or -1 with
 * *problem.
 */
int backup_check_one(const json_t *item, struct problem *problem);
/* Brings one of its identities back, unless what is here is newer. The accounts that came back are added to
 * restored, those that stay as they were to kept. 0, or -1 with *problem. */
int backup_restore_one(struct service *service, const json_t *item, json_t *restored, json_t *kept,
                       struct problem *problem);

#endif
