/* SPDX-License-Identifier: MPL-2.0 */
/* Microsoft Graph: asked who the user is, with Graph's own token, where Graph is used. */
#include "service/health.h"

#include "core/json_read.h"
#include <stdlib.h>
#include <string.h>

#define GRAPH_ME "/v1.0/me"
#define GRAPH_ANSWER_MAX ((size_t)64 * 1024) /* /me is under 2 KiB */

struct graph_work {
    struct health_item *item;
    struct https *https;
    struct secret token; /* as it was sent: an answer may hold it */
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

/* Where Graph is: the configuration's, or the cloud's; NULL: nowhere. */
static const char *graph_base(const struct health_item *item, const struct account_target *target)
{
    const json_t *custom = json_object_get(item->job->service->settings.values, "custom");

    return cloud_find(target->cloud) != NULL ? target->graph
                                             : json_string_value(json_object_get(custom, "graph"));
}

/* A page of somebody in between is 200, too. */
static bool names_nobody(const json_t *body)
{
    return json_object_get(body, "id") == NULL && json_object_get(body, "userPrincipalName") == NULL;
}

/* By the stages of struct https_answer. */
static void tell_transport(json_t *check, const char *stage, const char *words, const char *base)
{
    static const struct {
        const char *stage, *detail, *remedy;
    } stages[] TEXTS = {
        {"dns", "The name of Microsoft Graph cannot be found.", "Check the network connection."},
        {"connect", "Microsoft Graph cannot be reached.", "Check the network connection and the firewall."},
        {"tls", "The secure connection to Microsoft Graph could not be made.",
         "Try from another network; if it works there, tell your administrator."},
        {"proxy", "The proxy did not let the request through.",
         "Check the proxy settings and their password."},
        {"timeout", "Microsoft Graph did not answer in time.", "Try again in some minutes."},
        {"http", "The answer of Microsoft Graph broke off, or is none.", "Try again in some minutes."},
    };
    size_t i;

    for (i = 0; i < sizeof stages / sizeof stages[0] - 1 && strcmp(stages[i].stage, stage) != 0; i++)
        ;
    check_worsen(check, CHECK_FAIL);
    check_cause(check, stage);
    check_detail(check, "%-s", stages[i].detail);
    check_remedy(check, "%-s", stages[i].remedy);
    check_evidence_text(check, "words", words);
    if (strcmp(stage, "tls") == 0)
        health_tls_failure(check, words, base, "", "");
}

static json_t *judge(const struct health_item *item, const struct https_answer *answer,
                     const struct secret *token)
{
    struct health_account *account = item->account;
    const struct account_target target = health_target(account);
    const struct mail_circumstances circumstances = health_circumstances(account, &account->graph, &target);
    json_t *check = health_check(item, CHECK_OK), *body, *error;
    char code[MAIL_LINE_SIZE], message[MAIL_LINE_SIZE];

    json_object_set_new(check, "latencyMs", json_integer(answer->milliseconds));
    if (answer->failed_stage != NULL) {
        tell_transport(check, answer->failed_stage, answer->detail, graph_base(item, &target));
        return check;
    }
    body = json_read(secret_expose(&answer->body), answer->body.length, JSON_REJECT_DUPLICATES, NULL, NULL);
    error = json_object_get(body, "error");
    if (answer->status == 200 && names_nobody(body)) {
        check_worsen(check, CHECK_WARN);
        check_cause(check, "other-server");
        check_detail(check, "Something else than Microsoft Graph answers in its place.");
        check_remedy(check,
                     "Check whether this network first wants a sign-in of its own in the browser, or whether "
                     "a proxy stands in the way.");
        check_evidence(check, "status", json_integer(answer->status));
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

    item->work = NULL;
    health_done(item, judge(item, answer, &work->token));
    graph_work_free(work);
}

static void abandon_graph(void *context)
{
    struct graph_work *work = context;

    https_cancel(work->https, work);
    graph_work_free(work);
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
    work->https = https;
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
    if ((item->server != NULL && !health_may_probe(item)) || account->sign_in->state != ITEM_DONE)
        return;
    if (!health_token_living(account, true) && health_base_failed(item, account->sign_in))
        return;
    if (!health_token_look(account, &account->graph))
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
