/* SPDX-License-Identifier: MPL-2.0 */
/* health.check: protocol section 3. Its life: from the plan over its steps to the report. */
#include "service/health.h"

#include "core/wiping_alloc.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STEPS_PER_TURN                                                                                       \
    16 /* that read files or count: other requests are not to wait for a thousand of them */

static const struct {
    const char *name, *title;
    health_step *step;
} rows[HEALTH_IDS] TEXTS = {
    [HEALTH_VERSIONS] = {"versions", TEXT("Versions"), health_versions},
    [HEALTH_POLICY] = {"policy", TEXT("Configuration"), health_policy},
    [HEALTH_VAULT] = {"vault", "Saved sign-ins", health_vault},
    [HEALTH_AUDIT] = {"audit", "Audit log", health_audit},
    [HEALTH_CLOCK] = {"clock", TEXT("Clock"), health_clock},
    [HEALTH_AUTHORITY] = {"authority", "Sign-in service", health_authority},
    [HEALTH_SIGN_IN] = {"sign-in", TEXT("Sign-in"), health_sign_in},
    [HEALTH_TOKEN] = {"token", "Access token", health_token},
    [HEALTH_SCOPES] = {"scopes", TEXT("Permissions"), health_scopes},
    [HEALTH_SETTINGS] = {"settings", "Server settings", health_settings},
    [HEALTH_IMAP] = {"imap", TEXT("IMAP"), health_mail},
    [HEALTH_POP3] = {"pop3", TEXT("POP"), health_mail},
    [HEALTH_SMTP] = {"smtp", TEXT("SMTP"), health_mail},
    [HEALTH_GRAPH] = {"graph", TEXT("Graph"), health_graph},
    [HEALTH_OFFLINE_COPY] = {"offline-copy", "Offline copy", health_offline_copy},
    [HEALTH_DEADLINES] = {"deadlines", "Announced changes", health_deadlines},
};

const char *health_title(enum health_id id)
{
    return rows[id].title;
}

const char *health_name(enum health_id id)
{
    return rows[id].name;
}

json_t *health_check(const struct health_item *item, enum check_status status)
{
    return check_new(rows[item->id].name, item->account == NULL ? NULL : item->account->name, status,
                     rows[item->id].title);
}

const char *health_date(char text[HEALTH_DATE_SIZE], int64_t time)
{
    const time_t seconds = (time_t)time;
    struct tm parts;

    if (gmtime_r(&seconds, &parts) == NULL || strftime(text, HEALTH_DATE_SIZE, "%F %H:%M UTC", &parts) == 0)
        text[0] = '\0';
    return text;
}

void health_problem(json_t *check, const struct problem *problem)
{
    check_problem(check, problem);
    if (problem->stage != NULL)
        check_evidence_text(check, "stage", problem->stage);
    if (problem->aadsts != 0)
        check_evidence(check, "aadsts", json_integer(problem->aadsts));
    if (problem->correlation_id[0] != '\0')
        check_evidence_text(check, "correlationId", problem->correlation_id);
    if (problem->trace_id[0] != '\0')
        check_evidence_text(check, "traceId", problem->trace_id);
    if (problem->since != 0)
        check_evidence(check, "since", json_integer(problem->since));
}

/* ---- when there is something to do ---- */

static void turn(void *context);

void health_turn(struct health_job *job)
{
    if (job->turn == NULL)
        job->turn = loop_timer_start(job->service->loop, 0, turn, job);
    if (job->turn == NULL)
        job->no_memory = true; /* the deadline's timer ends it */
}

/* ---- the end ---- */

static void account_clear(struct health_account *account)
{
    struct service *service = account->job->service;
    struct token_look *looks[] = {&account->mail, &account->graph, &account->fresh};
    size_t i;

    for (i = 0; i < sizeof looks / sizeof looks[0]; i++) {
        struct request *request =
            looks[i]->request == 0 ? NULL : request_by_number(service, looks[i]->request);
        struct event event = {.kind = EVENT_REQUEST_ENDED,
                              .ended = {.request = looks[i]->request, .cancelled = true}};
        if (request != NULL)
            (void)entry_step(request->entry, &event);
    }
    free(account->servers);
}

static void job_free(struct health_job *job)
{
    struct service *service = job->service;
    struct health_job **link;

    for (link = &service->health; *link != NULL && *link != job; link = &(*link)->next)
        ;
    if (*link == job)
        *link = job->next;
    while (job->items != NULL) {
        struct health_item *item = job->items;
        job->items = item->next;
        if (item->work != NULL && item->abandon != NULL)
            item->abandon(item->work);
        json_decref(item->check);
        json_decref(item->so_far);
        free(item);
    }
    while (job->accounts != NULL) {
        struct health_account *account = job->accounts;
        job->accounts = account->next;
        account_clear(account);
        free(account);
    }
    /* Last: a token request that was ended just now has asked for one more turn. */
    loop_timer_cancel(service->loop, job->turn);
    loop_timer_cancel(service->loop, job->deadline);
    loop_timer_cancel(service->loop, job->room);
    json_decref(job->id);
    free(job);
    /* Others may have waited for its connections. */
    if (service->health != NULL)
        health_room_after(service->health, HEALTH_CLOSE_MS);
}

void health_free(struct service *service)
{
    while (service->health != NULL)
        job_free(service->health);
    json_decref(service->last_health);
    service->last_health = NULL;
}

void service_drop_checks(struct service *service)
{
    struct health_job *job = service->health, *next;

    for (; job != NULL; job = next) {
        next = job->next;
        if ((job->wanted & ~HEALTH_HERE_IDS) != 0)
            job_free(job);
    }
}

void health_tidy(struct service *service)
{
    struct health_job *job = service->health, *next;

    for (; job != NULL; job = next) {
        next = job->next;
        if (request_by_number(service, job->request) == NULL)
            job_free(job);
    }
}

static void finish(struct health_job *job)
{
    struct service *service = job->service;
    struct request *request = request_by_number(service, job->request);
    const char *overall = "fail";
    int failed = 0;
    json_t *made = health_report(job, &failed, &overall);
    struct problem problem;

    if (made != NULL) {
        if ((job->wanted & ~HEALTH_HERE_IDS) != 0 || service->last_health == NULL) {
            json_decref(service->last_health);
            service->last_health = health_essence(made);
            audit_health(service, overall, failed);
        }
        send_message(service, rpc_result(request->id, json_pack("{s:o}", "report", made)));
    } else {
        problem_set_no_memory(&problem);
        send_message(service, rpc_error(request->id, &problem));
    }
    request_close(request);
    job_free(job);
}

/* ---- its steps ---- */

static void tell_progress(const struct health_item *item)
{
    const struct health_job *job = item->job;
    struct service *service = job->service;

    /* A slow reader misses some: the report has them all. */
    if (service->client.congested != NULL && service->client.congested(service->client.context))
        return;
    notify(service, "health.progress",
           json_pack("{s:O, s:I, s:I, s:O}", "id", job->id, "done", (json_int_t)job->done, "total",
                     (json_int_t)job->total, "check", item->check));
}

/* Nothing of the item is on the wire any more. */
static void rest(struct health_item *item, enum item_state state)
{
    struct health_job *job = item->job;

    if (item->state == ITEM_RUNNING) {
        item->ended = loop_monotonic_ms();
        health_room_after(job, HEALTH_CLOSE_MS);
    }
    item->state = state;
}

void health_wait(struct health_item *item)
{
    rest(item, ITEM_WAITING);
    health_turn(item->job);
}

void health_done(struct health_item *item, json_t *check)
{
    struct health_job *job = item->job;

    rest(item, ITEM_DONE);
    item->check = check;
    if (check == NULL)
        job->no_memory = true;
    /* A server that gets no token is told of, though nobody asked for the settings: its probes are skipped.
     */
    if (item->hidden && item->id == HEALTH_SETTINGS && check_status(check) == CHECK_FAIL) {
        item->hidden = false;
        job->total++;
    }
    if (!item->hidden && check != NULL) {
        job->done++;
        tell_progress(item);
    }
    health_turn(job);
}

void health_skip(struct health_item *item, const char *reason)
{
    json_t *check = health_check(item, CHECK_SKIPPED);

    check_detail(check, "%-s", reason);
    health_done(item, check);
}

/* The base was not asked for, so that nobody would read of its failure. */
static json_t *own_failure(const struct health_item *item, const struct health_item *base)
{
    json_t *check = json_deep_copy(base->check);

    json_object_set_new(check, "id", json_string(rows[item->id].name));
    check_title(check, rows[item->id].title);
    return check;
}

bool health_base_failed(struct health_item *item, const struct health_item *base)
{
    enum check_status status = base == NULL ? CHECK_OK : check_status(base->check);
    json_t *check;

    if (status != CHECK_FAIL && status != CHECK_SKIPPED)
        return false;
    if (base->hidden) {
        health_done(item, own_failure(item, base));
        return true;
    }
    check = health_check(item, CHECK_SKIPPED);
    check_detail(check,
                 status == CHECK_FAIL ? "This builds upon \"%-s\", which failed."
                                      : "This builds upon \"%-s\", which was skipped.",
                 rows[base->id].title);
    check_cause(check, rows[base->id].name);
    health_done(item, check);
    return true;
}

static void turn(void *context)
{
    struct health_job *job = context;
    struct service *service = job->service;
    struct health_connections connections;
    struct health_item *item;
    bool open = false;
    int ended = 0;

    job->turn = NULL;
    health_connections_look(service, &connections);
    job->open = &connections;
    for (item = job->items; item != NULL && ended < STEPS_PER_TURN; item = item->next) {
        if (item->state == ITEM_WAITING) {
            rows[item->id].step(item);
            ended += item->state == ITEM_DONE;
        }
        open = open || item->state != ITEM_DONE;
    }
    job->open = NULL;
    if (!open && item == NULL)
        finish(job);
    else if (ended == STEPS_PER_TURN)
        health_turn(job);
    entries_sweep(service);
    service_tell_changes(service);
}

/* What is not done by now is told as it is: only who had a probe's whole time has failed. */
static void late(void *context)
{
    struct health_job *job = context;
    struct health_item *item;
    int64_t now = loop_monotonic_ms();

    job->deadline = NULL;
    for (item = job->items; item != NULL; item = item->next) {
        bool had_time = item->state == ITEM_RUNNING && now - item->began >= HEALTH_PROBE_MS;
        json_t *check;
        if (item->state == ITEM_DONE)
            continue;
        if (item->so_far != NULL) {
            health_done(item, json_incref(item->so_far));
            continue;
        }
        check = health_check(item, had_time ? CHECK_FAIL : CHECK_SKIPPED);
        check_detail(check, had_time                      ? "No answer came before the end of the check."
                            : item->state == ITEM_RUNNING ? "The time was up before an answer came."
                                                          : "The time was up before its turn came.");
        check_cause(check, "timeout");
        check_remedy(check, "Check again, fewer accounts at a time.");
        health_done(item, check);
    }
    finish(job);
}

json_t *method_health_check(struct service *service, struct rpc_request *rpc, struct problem *problem)
{
    struct health_job *job;
    struct request *request;
    size_t count = 0;

    for (job = service->health; job != NULL; job = job->next)
        count++;
    if (count >= HEALTH_JOBS_MAX) {
        problem_set(problem, PROBLEM_THROTTLED, "Several checks are under way.", "Wait for them to end.");
        problem->retry_after = HEALTH_ALL_MS / 1000;
        return NULL;
    }
    job = calloc(1, sizeof *job);
    if (job == NULL) {
        problem_set_no_memory(problem);
        return NULL;
    }
    job->service = service;
    job->items_end = &job->items;
    job->accounts_end = &job->accounts;
    job->started_at = wall_clock();
    job->refused = wiping_refused();
    if (health_plan(job, rpc->params, problem) != 0)
        goto fail;
    request = request_open_patient(service, rpc->id, problem);
    if (request == NULL)
        goto fail;
    job->request = request->number;
    job->id = json_incref(rpc->id);
    job->next = service->health;
    service->health = job;
    job->deadline = loop_timer_start(service->loop, HEALTH_ALL_MS, late, job);
    health_turn(job);
    if (job->deadline != NULL && !job->no_memory)
        return NULL;
    problem_set_no_memory(problem);
    request_close(request);
fail:
    job_free(job);
    return NULL;
}
