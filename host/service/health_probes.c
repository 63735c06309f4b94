/* SPDX-License-Identifier: MPL-2.0 */
/* Real sign-ins: to mail servers as Thunderbird's mail code does it, and to Graph. */
#include "service/health.h"

#include "core/diagnosis.h"
#include "core/json_read.h"
#include "core/mail_diagnosis.h"
#include "net/mail_probe.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define GRAPH_ME "/v1.0/me"
#define GRAPH_ANSWER_MAX ((size_t)64 * 1024) /* /me is under 2 KiB */

/* An outlook.com account, as the configuration or the sign-in says. */
static bool is_personal(const struct health_account *account, const struct account_target *target)
{
    const struct entry *entry = entry_of(account->job->service, account->name);

    return settings_tenant_is_personal(target->key.tenant) ||
           (entry != NULL && settings_tenant_is_personal(entry->identity.grant.tid));
}

/* What is known of a token, for the diagnosis. Borrowed from the account. */
static struct mail_circumstances circumstances_of(const struct health_account *account,
                                                  const struct token_look *look,
                                                  const struct account_target *target)
{
    return (struct mail_circumstances){
        .now = wall_clock(),
        .user = account->name,
        .token_user = look->claims.user[0] == '\0' ? NULL : look->claims.user,
        .token_audience = look->claims.audience[0] == '\0' ? NULL : look->claims.audience,
        .token_scopes = look->claims.scopes[0] == '\0' ? NULL : look->claims.scopes,
        .token_expires = look->claims.expires_at,
        .audience = look == &account->graph ? target->graph : target->outlook,
        .personal = is_personal(account, target),
        .aadsts = look->problem.aadsts};
}

/* ---- what a probe builds upon ---- */

/* Whether there is such a server, and it may have a token; else the item is ended, or waits. */
static bool may_probe(struct health_item *item)
{
    const struct health_item *settings = item->account->settings;
    json_t *check;

    if (settings->state != ITEM_DONE)
        return false;
    if (item->server == NULL) {
        check = health_check(item, CHECK_SKIPPED);
        check_detail(check, "The account has no %-s server.", health_title(item->id));
        health_done(item, check);
        return false;
    }
    if (item->server->fault == NULL)
        return true;
    if (!health_base_failed(item, settings)) /* nobody told the settings: the configuration's are at fault */
        health_skip(item, "This server gets no token.");
    return false;
}

/* Evidence of which server it was. */
static void tell_server(json_t *check, const struct health_server *server)
{
    check_evidence_text(check, "hostname", server->host);
    check_evidence(check, "port", json_integer(server->port));
}

/* ---- mail ---- */

static void mail_came(void *context, const struct mail_result *result)
{
    struct health_item *item = context;
    struct health_account *account = item->account;
    const struct account_target target = health_target(account);
    const struct mail_circumstances circumstances = circumstances_of(account, &account->mail, &target);
    json_t *check = health_check(item, CHECK_OK);

    item->work = NULL;
    mail_diagnose(check, result, &circumstances);
    tell_server(check, item->server);
    health_done(item, check);
}

static void abandon_mail(void *work)
{
    mail_probe_cancel(work);
}

/* Thunderbird's mail code goes through SOCKS proxies, and through none of HTTP's. */
static const char *mail_proxy(const struct service *service)
{
    const char *proxy = settings_text(&service->settings, "proxy");

    if (proxy == NULL)
        proxy = service->proxy;
    return proxy != NULL && strncasecmp(proxy, "socks", 5) == 0 ? proxy : NULL;
}

static void start_mail(struct health_item *item, const struct secret *token)
{
    struct service *service = item->job->service;
    const struct health_server *server = item->server;
    const struct account_target target = health_target(item->account);
    struct mail_probe_request request = {
        .protocol = (enum mail_protocol)server->type,
        .server = {.port = server->port,
                   .security = server->socket == SOCKET_STARTTLS ? MAIL_STARTTLS : MAIL_TLS},
        .user = item->account->name,
        .token = *token,
        .ca_file = settings_ca_file_for(&service->settings, target.key.authority),
        .proxy = mail_proxy(service),
        .family = MAIL_FAMILY_ANY,
        .timeout_ms = HEALTH_PROBE_MS};

    problem_copy_text(request.server.host, sizeof request.server.host, server->host);
    item->abandon = abandon_mail;
    item->work = mail_probe_start(service->loop, &request, mail_came, item);
    if (item->work == NULL)
        health_done(item, NULL);
}

void health_mail(struct health_item *item)
{
    struct health_account *account = item->account;
    const struct secret *token;

    if (!may_probe(item) || account->token->state != ITEM_DONE || health_base_failed(item, account->token))
        return;
    token = health_token_of(account, &account->mail);
    if (token == NULL)
        health_skip(item, "The account was signed out meanwhile.");
    else if (health_connect(item, 1, item->server->host, item->server->port))
        start_mail(item, token);
}

/* ---- Graph ---- */

struct graph_work {
    struct health_item *item; /* NULL: nobody waits any more; the request's end frees this */
    struct secret token;      /* as it was sent: an answer may hold it */
};

static void graph_work_free(struct graph_work *work)
{
    if (work != NULL)
        secret_wipe(&work->token);
    free(work);
}

/* What the answer says, as a mail server's line would be kept; NULL: nothing. */
static const char *said(char line[MAIL_LINE_SIZE], const json_t *error, const char *key,
                        const struct secret *token)
{
    const char *text = json_string_value(json_object_get(error, key));

    if (text == NULL)
        return NULL;
    mail_copy_line(line, MAIL_LINE_SIZE, text, strlen(text));
    mail_hide_secret(line, secret_expose(token), token->length);
    return line;
}

/* A page of somebody in between is 200, too. */
static bool names_nobody(const json_t *body)
{
    return json_object_get(body, "id") == NULL && json_object_get(body, "userPrincipalName") == NULL;
}

static json_t *judge_graph(const struct health_item *item, const struct https_answer *answer,
                           const struct secret *token)
{
    struct health_account *account = item->account;
    const struct account_target target = health_target(account);
    const struct mail_circumstances circumstances = circumstances_of(account, &account->graph, &target);
    json_t *check = health_check(item, CHECK_OK), *body, *error;
    char code[MAIL_LINE_SIZE], message[MAIL_LINE_SIZE];
    struct problem problem;

    json_object_set_new(check, "latencyMs", json_integer(answer->milliseconds));
    if (answer->failed_stage != NULL) {
        check_worsen(check, CHECK_FAIL);
        check_cause(check, answer->failed_stage);
        diagnose_transport(answer->failed_stage, &problem);
        check_problem(check, &problem);
        check_evidence_text(check, "words", answer->detail);
        return check;
    }
    body = json_read(secret_expose(&answer->body), answer->body.length, JSON_REJECT_DUPLICATES, NULL, NULL);
    error = json_object_get(body, "error");
    if (answer->status == 200 && names_nobody(body)) {
        diagnose_strange_answer(answer->status, 0, &problem);
        check_worsen(check, CHECK_WARN);
        check_problem(check, &problem);
    } else {
        mail_diagnose_web(check, MAIL_GRAPH, answer->status, said(code, error, "code", token),
                          said(message, error, "message", token), &circumstances);
    }
    json_decref(body);
    return check;
}

static void graph_came(void *context, struct https_answer *answer)
{
    struct graph_work *work = context;
    struct health_item *item = work->item;

    if (item != NULL) {
        item->work = NULL;
        health_done(item, judge_graph(item, answer, &work->token));
    }
    graph_work_free(work);
}

static void abandon_graph(void *context)
{
    struct graph_work *work = context;

    work->item = NULL;
}

/* Where Graph is: the configuration's, or the cloud's; NULL: nowhere. */
static const char *graph_base(const struct health_item *item, const struct account_target *target)
{
    const json_t *custom = json_object_get(item->job->service->settings.values, "custom");

    return cloud_find(target->cloud) != NULL ? target->graph
                                             : json_string_value(json_object_get(custom, "graph"));
}

static void start_graph(struct health_item *item, const char *base, const struct secret *token)
{
    struct https *https = https_for(item->job->service, health_target(item->account).key.authority);
    struct graph_work *work = calloc(1, sizeof *work);
    char url[1024];

    snprintf(url, sizeof url, "%.900s" GRAPH_ME, base);
    if (work == NULL || https == NULL || secret_copy(&work->token, token) != 0 ||
        https_get_with_token(https, url, token, GRAPH_ANSWER_MAX, HEALTH_PROBE_MS, graph_came, work) != 0) {
        graph_work_free(work);
        health_done(item, NULL);
        return;
    }
    work->item = item;
    item->work = work;
    item->abandon = abandon_graph;
}

/* Only where Graph is used, or was asked for by name. */
static bool graph_is_used(const struct health_item *item)
{
    return item->server != NULL || item->job->wanted != HEALTH_ALL_IDS;
}

void health_graph(struct health_item *item)
{
    struct health_account *account = item->account;
    const struct account_target target = health_target(account);
    const char *base = graph_base(item, &target);
    const struct secret *token;

    if (!graph_is_used(item)) {
        health_skip(item, "The account does not use Graph.");
        return;
    }
    if (base == NULL) {
        health_skip(item, "The configuration names no Graph.");
        return;
    }
    if ((item->server != NULL && !may_probe(item)) || account->sign_in->state != ITEM_DONE)
        return;
    if (!health_token_living(account, true) && health_base_failed(item, account->sign_in))
        return;
    if (!health_token_look(account, &account->graph, true))
        return;
    if (account->graph.problem.kind != PROBLEM_NONE) {
        json_t *check = health_check(item, CHECK_FAIL);
        health_problem(check, &account->graph.problem);
        health_done(item, check);
        return;
    }
    token = health_token_of(account, &account->graph);
    if (token == NULL)
        health_skip(item, "The account was signed out meanwhile.");
    else if (health_connect(item, 1, base, 443)) /* it is asked there, whatever the server's entry says */
        start_graph(item, base, token);
}
