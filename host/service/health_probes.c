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

struct mail_circumstances health_circumstances(const struct health_account *account,
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

bool health_may_probe(struct health_item *item)
{
    const struct health_item *settings = item->account->settings;
    char reason[128];

    if (settings->state != ITEM_DONE)
        return false;
    if (item->server == NULL) {
        snprintf(reason, sizeof reason, "The account has no %s server.", health_title(item->id));
        health_skip(item, reason);
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
    const struct mail_circumstances circumstances = health_circumstances(account, &account->mail, &target);
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

    if (!health_may_probe(item) || account->token->state != ITEM_DONE ||
        health_base_failed(item, account->token))
        return;
    token = health_token_of(account, &account->mail);
    if (token == NULL)
        health_skip(item, "The account was signed out meanwhile.");
    else if (health_connect(item, 1, item->server->host, item->server->port))
        start_mail(item, token);
}
