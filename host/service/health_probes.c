/* SPDX-License-Identifier: MPL-2.0 */
/* Real sign-ins to mail servers, as Thunderbird's mail code does it. */
#include "service/health.h"

#include "net/mail_probe.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* An outlook.com account, as the configuration or the sign-in says. */
static bool is_personal(const struct health_account *account, const struct account_target *target)
{
    const struct entry *entry = entry_of(account->job->service, account->name);

    return settings_tenant_is_personal(target->key.tenant) ||
           (entry != NULL && settings_tenant_is_personal(entry->identity.grant.tid));
}

/* What the sign-in service said of a token that nobody else can read. Borrowed. */
static void add_what_was_granted(struct mail_circumstances *known, const struct health_account *account,
                                 const struct token_look *look)
{
    const struct entry *entry = entry_of(account->job->service, account->name);
    const struct access *access;

    if (entry == NULL || look->problem.kind != PROBLEM_NONE || health_token_of(account, look) == NULL)
        return;
    access = &entry->identity.access[look->resource];
    known->token_user = entry->identity.key.sign_in_as;
    known->token_audience = access->resource;
    known->token_scopes = entry->identity.grant.scopes;
    known->token_expires = access->expires_at;
}

struct mail_circumstances health_circumstances(const struct health_account *account,
                                               const struct token_look *look,
                                               const struct account_target *target)
{
    struct mail_circumstances known = {
        .now = wall_clock(),
        .user = account->name,
        .token_user = look->claims.user[0] == '\0' ? NULL : look->claims.user,
        .token_audience = look->claims.audience[0] == '\0' ? NULL : look->claims.audience,
        .token_scopes = look->claims.scopes[0] == '\0' ? NULL : look->claims.scopes,
        .token_expires = look->claims.expires_at,
        .audience = look == &account->graph ? target->graph : target->outlook,
        .graph = look == &account->graph,
        .personal = is_personal(account, target),
        .aadsts = look->problem.aadsts};

    if (!look->claims.readable)
        add_what_was_granted(&known, account, look);
    return known;
}

/* ---- what a probe builds upon ---- */

bool health_may_probe(struct health_item *item)
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
    /* Not as the settings step found it: the configuration may have changed since. */
    health_server_judge(item->account, item->server);
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

static json_t *judge(const struct health_item *item, const struct mail_result *result,
                     const struct token_look *renewal)
{
    const struct account_target target = health_target(item->account);
    const bool renewed = renewal != NULL && renewal->problem.kind == PROBLEM_NONE && renewal->renewed;
    struct mail_circumstances known =
        health_circumstances(item->account, renewed ? renewal : &item->account->mail, &target);
    json_t *check = health_check(item, CHECK_OK);

    if (renewal != NULL)
        known.aadsts = renewal->problem.aadsts;
    mail_diagnose(check, result, &known);
    if (renewed && check_status(check) == CHECK_OK)
        check_detail(check, "The server refused the token at hand, but takes a fresh one, and the mailbox "
                            "opens.");
    tell_server(check, item->server);
    return check;
}

/* Whether it is worth a renewal to know more. */
static bool is_doubtful(const struct health_item *item, const struct mail_result *result)
{
    const struct health_account *account = item->account;
    const struct account_target target = health_target(account);
    const struct mail_circumstances known = health_circumstances(account, &account->mail, &target);

    return !item->again && !account->mail.renewed && mail_refusal_is_vague(result, &known);
}

static void mail_came(void *context, const struct mail_result *result)
{
    struct health_item *item = context;
    struct mail_result *refusal = NULL;

    item->work = NULL;
    if (is_doubtful(item, result) && (refusal = malloc(sizeof *refusal)) != NULL) {
        *refusal = *result;
        item->so_far = judge(item, result, NULL);
        item->work = refusal;
        item->abandon = free;
        health_wait(item);
    } else {
        health_done(item, judge(item, result, item->again ? &item->account->fresh : NULL));
    }
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

/* The server refused the token at hand. Refuses the sign-in service to renew it, that is why; else a fresh
 * one is tried. */
static void try_again(struct health_item *item)
{
    struct health_account *account = item->account;
    struct mail_result *refusal = item->work;
    const struct secret *token;

    if (!health_token_look(account, &account->fresh))
        return;
    if (!health_may_probe(item))
        return;
    token = account->fresh.renewed ? health_token_of(account, &account->fresh) : NULL;
    if (token != NULL && !health_connect(item, 1, item->server->host, item->server->port))
        return;
    item->work = NULL;
    item->again = true;
    if (token != NULL)
        start_mail(item, token);
    else
        health_done(item, judge(item, refusal, &account->fresh));
    free(refusal);
}

void health_mail(struct health_item *item)
{
    struct health_account *account = item->account;
    const struct secret *token;

    if (item->work != NULL) {
        try_again(item);
        return;
    }
    if (!health_may_probe(item) || account->token->state != ITEM_DONE ||
        health_base_failed(item, account->token))
        return;
    token = health_token_of(account, &account->mail);
    if (token == NULL)
        health_skip(item, "The account was signed out meanwhile.");
    else if (health_connect(item, 1, item->server->host, item->server->port))
        start_mail(item, token);
}
